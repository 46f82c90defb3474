"""Completion, asked for by the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.releases.load import known
from support.command_line import Run, environment, output, run

__all__ = ["run"]

CASES = [
    ("hatch-wallaroo mod", ["models"]),
    ("hatch-wallaroo models ", ["list", "versions", "status", "logs"]),
    ("hatch-wallaroo frameworks --release 2024", ["2024.1", "2024.2", "2024.4"]),
    ("hatch-wallaroo frameworks --framework vl", ["vllm"]),
    ("hatch-wallaroo frameworks --release 2023.4 --framework vl", []),
    ("hatch-wallaroo frameworks --release nonsense --framework vl", ["vllm"]),
    ("hatch-wallaroo sandbox --fault d", ["disk-full"]),
    ("hatch-wallaroo sandbox --release 2026", ["2026.1"]),
    ("hatch-wallaroo check --format s", ["sarif"]),
    ("hatch-wallaroo new x --framework xgb", ["xgboost"]),
    ("hatch-wallaroo init --framework sk", ["sklearn"]),
    ("hatch-wallaroo login --auth s", ["sso"]),
    ("hatch-wallaroo login --target p", ["prod"]),
    ("hatch-wallaroo models versions ho", ["house-price"]),
    ("hatch-wallaroo completion ", ["bash", "fish", "zsh"]),
    ("hatch-wallaroo misspelt x", []),
]
PYPROJECT = '[tool.hatch.publish.wallaroo.targets.prod]\nurl = "https://p.example"\n'
MANIFEST = (
    '{"generator": {"name": "hatch-wallaroo"}, "format": 1, "model": "house-price", '
    '"file": {"name": "a.onnx", "sha256": "00"}, "upload": {"name": "house-price"}}'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A project with the command on the PATH, a target and a bundle."""
    made = tmp_path_factory.mktemp("completed")
    script = made / "bin" / "hatch-wallaroo"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom hatch_wallaroo.cli import main\nmain()\n", encoding="utf-8")
    script.chmod(0o755)
    (made / "dist").mkdir()
    (made / "dist" / "a.wallaroo.json").write_text(MANIFEST, encoding="utf-8")
    (made / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return made


def asked(folder: Path, shell: str, code: str) -> list[str]:
    """What a shell prints that has read the script; nothing may be said beside it."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    flags = {"bash": ["--norc", "--noprofile"], "fish": ["--no-config"]}[shell]
    path = f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    made = environment(PATH=path, HATCH_CONFIG=str(folder / "none.toml"), HOME=str(folder))
    done = subprocess.run(
        [found, *flags, "-c", code], cwd=folder, env=made, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_bash(folder: Path) -> None:
    code = 'eval "$(hatch-wallaroo completion bash)"\ncomplete -p hatch-wallaroo\n'
    for line, _ in CASES:
        words = " ".join(f"'{word}'" for word in line.split(" "))
        code += f"COMP_WORDS=({words}); COMP_CWORD={line.count(' ')}; COMPREPLY=()\n"
        code += '_hatch_wallaroo_completion hatch-wallaroo; echo "${COMPREPLY[*]}"\n'
    registered, *said = asked(folder, "bash", code)
    assert registered == "complete -o nosort -F _hatch_wallaroo_completion hatch-wallaroo"
    assert {line: sorted(each.split()) for (line, _), each in zip(CASES, said, strict=True)} == {
        line: sorted(expected) for line, expected in CASES
    }


def test_fish(folder: Path) -> None:
    code = "hatch-wallaroo completion fish | source\n"
    code += "\n".join(f'complete -C "{line}"; echo =====' for line, _ in CASES)
    said = "\n".join(asked(folder, "fish", code)).split("=====")
    for (line, expected), each in zip(CASES, said[:-1], strict=True):
        offered = [value.partition("\t")[0] for value in each.split("\n") if value]
        if expected:
            assert sorted(offered) == sorted(expected), line


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_all_that_is_said(shell: str, run: Run) -> None:
    said = run("completion", shell)
    assert (said.code, said.err) == (0, "")
    assert f"_HATCH_WALLAROO_COMPLETE={shell}_complete" in said.out


def test_without_a_name_it_is_the_shell_of_the_user(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/local/bin/zsh")
    assert run("completion").out == run("completion", "zsh").out
    for shell, why in (("/bin/tcsh", "$SHELL is tcsh"), ("", "$SHELL is not set")):
        monkeypatch.setenv("SHELL", shell)
        said = run("completion")
        assert (said.code, said.out) == (2, "")
        assert why in said.err
        assert "hatch-wallaroo completion bash|zsh|fish" in said.err


def test_zsh_gets_the_texts_too(tmp_path: Path) -> None:
    said = output(
        cwd=tmp_path,
        _HATCH_WALLAROO_COMPLETE="zsh_complete",
        COMP_WORDS="hatch-wallaroo sandbox --fault disk",
        COMP_CWORD="3",
    )
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:2] == ["plain", "disk-full"]
    assert "an upload is answered 507" in said.out


def test_the_newest_release_is_offered_first(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "hatch-wallaroo sandbox --release ", "COMP_CWORD": "3"}
    said = output(cwd=tmp_path, _HATCH_WALLAROO_COMPLETE="bash_complete", **words)
    assert said.out.splitlines() == [f"plain,{each}" for each in reversed(known())]


def test_a_missing_extra_keeps_nothing_from_being_completed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="rich")

    monkeypatch.setattr("hatch_wallaroo.cli.commands.import_module", missing)
    for line, offered in (("hatch-wallaroo mod", "plain,models"), ("hatch-wallaroo models li", "")):
        monkeypatch.setenv("_HATCH_WALLAROO_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
        said = run()
        assert (said.code, said.out.strip(), said.err) == (0, offered, "")
