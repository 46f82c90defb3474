"""`hatch-wallaroo new` and `template-config`, in this process."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_wallaroo.cli import main
from hatch_wallaroo.releases.load import known
from hatch_wallaroo.scaffold import write as writing
from support.scaffolds import files, tree

Told = tuple[int, str, str]
Run = Callable[..., Told]
LAST = known()[-1]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder; gives exit code, standard output, standard error."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HATCH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ada@example.com")
    for name in ("HATCH_WALLAROO_FRAMEWORK", "HATCH_WALLAROO_RELEASE"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str, answers: str | None = None) -> Told:
        if answers is not None:
            monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return command


def expected(framework: str, release: str, name: str = "my-model", **more: str) -> dict[str, bytes]:
    made = files(framework, release, name, author="Ada", email="ada@example.com", **more)
    return {file.path: file.data for file in made}


def test_a_name_is_enough(run: Run) -> None:
    code, out, err = run("new", "My Model")
    assert code == 0
    assert tree(Path("my-model")) == expected("custom", LAST)
    assert out.startswith("my-model/\n    .github/workflows/wallaroo.yml\n")
    assert {line.strip() for line in out.splitlines()[1:]} == set(tree(Path("my-model")))
    assert f"framework custom (none was named), release {LAST} (the newest known)" in err
    assert "--framework, --release, HATCH_WALLAROO_FRAMEWORK" in err


def test_everything_said(run: Run, tmp_path: Path) -> None:
    said = ["--framework", "xgboost", "--release", "2024.1", "--description", "Says.", "--license", "Apache-2.0"]
    code, _, err = run("new", "my-model", str(tmp_path / "deep" / "there"), *said)
    assert code == 0
    assert tree(tmp_path / "deep" / "there") == expected("xgboost", "2024.1", description="Says.", license="Apache-2.0")
    assert "framework xgboost, release 2024.1\nnext: " in err


def test_options_before_variables_before_hatchs_configuration(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('[template.plugins.wallaroo]\nframework = "onnx"\nrelease = "2024.1"\n')
    monkeypatch.setenv("HATCH_WALLAROO_FRAMEWORK", "sklearn")
    assert run("new", "a")[0] == 0
    assert tree(Path("a")) == expected("sklearn", "2024.1", "a")
    assert run("new", "b", "-f", "keras")[0] == 0
    assert tree(Path("b")) == expected("keras", "2024.1", "b")


def test_for_programs(run: Run) -> None:
    code, out, err = run("new", "my-model", "-f", "python", "--json")
    made = json.loads(out)
    assert (code, err) == (0, "")
    assert made == {
        "folder": "my-model",
        "project": "my-model",
        "model": "my-model",
        "framework": "python",
        "release": LAST,
        "files": sorted(tree(Path("my-model"))),
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["new"], ["a name is missing", "hatch-wallaroo new my-model, or -i to be asked"]),
        (["new", "a/b", "-f", "skleran", "-r", "1"], ["a-b", "did you mean sklearn?", '"1" is no Wallaroo release']),
        (["new", "my-model", "--frmework", "onnx"], ["--framework"]),
        (["new", "a", "b", "c"], ["unexpected extra argument"]),
        (["new", ""], ["a name is missing"]),
    ],
)
def test_what_is_misused(arguments: list[str], told: list[str], run: Run) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert [word for word in told if word not in err] == []
    assert list(Path().iterdir()) == []


def test_a_folder_that_is_there(run: Run) -> None:
    Path("my-model").mkdir()
    Path("my-model/mine.txt").write_text("mine")
    code, _, err = run("new", "my-model")
    assert (code, tree(Path())) == (2, {"my-model/mine.txt": b"mine"})
    assert "is not empty" in err
    assert "hatch-wallaroo init" in err


def test_into_this_folder(run: Run) -> None:
    code, _, _ = run("new", "my-model", ".", "-f", "onnx")
    assert code == 0
    assert tree(Path()) == expected("onnx", LAST)


def test_a_disk_that_is_full_and_an_interruption(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = writing._write

    def failing(error: BaseException) -> Callable[[Path, bytes], None]:
        def write(path: Path, data: bytes) -> None:
            if path.name == "pyproject.toml":
                raise error
            real(path, data)

        return write

    monkeypatch.setattr(writing, "_write", failing(OSError(28, "No space left on device")))
    code, out, err = run("new", "my-model", "deep/my-model")
    assert (code, out, list(Path().iterdir())) == (1, "", [])
    assert "No space left on device; nothing was left behind" in err
    monkeypatch.setattr(writing, "_write", failing(KeyboardInterrupt()))
    code, out, err = run("new", "my-model")
    assert (code, out, list(Path().iterdir())) == (130, "", [])
    assert "interrupted" in err


def test_asked(run: Run) -> None:
    code, _, err = run("new", "-i", answers="wine\nTells wines apart.\n\n7\n")
    assert code == 0, err
    assert tree(Path("wine")) == expected("xgboost", LAST, "wine", description="Tells wines apart.")
    assert "  1 onnx" in err


def test_asked_with_what_was_said_as_the_default(run: Run) -> None:
    code, _, err = run("new", "wine", "-i", "-f", "keras", "-r", "2024.1", "--description", "Says.", answers="\n\n\n")
    assert code == 0, err
    assert tree(Path("wine")) == expected("keras", "2024.1", "wine", description="Says.")


def test_a_question_that_nobody_answers_makes_nothing(run: Run) -> None:
    code, _, err = run("new", "wine", "-i", answers="Says.\n")
    assert code == 2, err
    assert list(Path().iterdir()) == []


def test_the_configuration_that_is_shipped(run: Run) -> None:
    code, out, err = run("template-config")
    path = Path(out.rstrip("\n"))
    assert (code, err, path.is_absolute()) == (0, "", True)
    assert "[template.plugins.wallaroo]" in path.read_text()


@pytest.mark.parametrize("command", ["new", "template-config"])
def test_help_has_an_example(command: str, run: Run) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "hatch-wallaroo new my-model" in out or "template-config" in out
    assert "Example" in out


def test_a_folder_with_bytes_for_a_name(run: Run) -> None:
    """A location is the user's own: any name that the disk takes."""
    name = os.fsdecode(b"caf\xe9 {{ x }}")
    code, _, err = run("new", "my-model", name, "-f", "onnx")
    assert code == 0, err
    assert tree(Path(name)) == expected("onnx", LAST)
