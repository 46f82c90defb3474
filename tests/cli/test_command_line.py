"""The manners that all commands share: help, examples, misspelt names, exit codes, colours, pipes and encodings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hatch_wallaroo.cli import frameworks as frameworks_module
from hatch_wallaroo.cli.commands import COMMANDS, commands
from reference_pages.commands import every_command
from support.command_line import Run, environment, options_of, output, program, run

__all__ = ["run"]

EVERY = dict(every_command())
ENDS = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}
NOTHING_TO_READ = {"login", "logout", "sandbox", "template-config", "completion"}
"""Commands whose whole output is a sentence for a person, or a text for a shell."""
HEAVY = (
    "pyarrow",
    "hatchling",
    "hatch",
    "jinja2",
    "tomlkit",
    "rich",
    "urllib3",
    "numpy",
    "starlette",
    "uvicorn",
    "docker",
)
SMALL = '[project]\nname = "a"\nversion = "1"\n[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n'
STEP = "import pandas as pd\n\n\ndef wallaroo_json(data: pd.DataFrame):\n    return []\n"


def help_of(run: Run, path: str) -> str:
    said = run(*path.split(), "--help")
    assert (said.code, said.err) == (0, "")
    return said.out


def examples(command: click.Command) -> list[str]:
    """The command lines that a command's help shows."""
    return re.findall(r"^    (.*hatch-wallaroo .*)$", command.epilog or "", re.MULTILINE)


def test_most_commands_are_here() -> None:
    assert len(ENDS) > 10


@pytest.mark.parametrize("path", EVERY)
def test_help_says_what_it_does_with_an_example(path: str, run: Run) -> None:
    text = help_of(run, path)
    assert f"Usage: hatch-wallaroo {path}" in text
    assert any(f"hatch-wallaroo {path}" in each for each in examples(EVERY[path])), text
    assert re.search(r"^  Examples?:\n      \S", text, re.MULTILINE), text
    for each in EVERY[path].params:
        assert isinstance(each, click.Argument) or each.help, f"{path}: {each.opts}"


@pytest.mark.parametrize("path", EVERY)
def test_the_examples_can_be_typed(path: str) -> None:
    """Each names a command that is there, with options that it has; nothing is run."""
    for example in examples(EVERY[path]):
        typed = re.sub(r"[<>].*|.*\$\(|\).*", "", example.partition("  ")[0])
        words = shlex.split(typed)
        words = words[words.index("hatch-wallaroo") + 1 :]
        with commands.make_context("hatch-wallaroo", list(words), resilient_parsing=True):
            pass
        command, context = commands, click.Context(commands, info_name="hatch-wallaroo")
        while isinstance(command, click.Group) and words:
            name, command, words = command.resolve_command(context, words)
            assert command is not None, example
            context = click.Context(command, context, name)
        command.parse_args(context, list(words))


@pytest.mark.parametrize("path", [each for each in ENDS if each not in NOTHING_TO_READ])
def test_a_program_can_read_it(path: str) -> None:
    assert "--json" in options_of(ENDS[path])


@pytest.mark.parametrize("path", EVERY)
def test_colours_can_be_refused_behind_the_name_too(path: str) -> None:
    assert "--no-color" in options_of(EVERY[path])


def test_the_overview_names_every_command(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name}  ", said.out, re.MULTILINE)
    assert "0 success" in said.out
    assert "7 connection" in said.out


@pytest.mark.parametrize("path", ["", *(each for each in EVERY if each not in ENDS)])
def test_without_a_command_help_is_no_success(path: str, run: Run) -> None:
    said = run(*path.split())
    assert (said.code, said.out) == (2, "")
    assert "Commands:" in said.err


@pytest.mark.parametrize(
    ("typed", "said", "fix"),
    [
        ("framworks", "there is no command hatch-wallaroo framworks", "did you mean frameworks?"),
        ("models lst", "there is no command hatch-wallaroo models lst", "did you mean list?"),
        ("xyzzy", "there is no command hatch-wallaroo xyzzy", "the commands are new, init, check"),
        ("frameworks --relase 1", "there is no option --relase", "did you mean --release?"),
        ("models list --ulr x", "there is no option --ulr", "did you mean --url?"),
        ("frameworks extra", "got unexpected extra argument (extra)", "see hatch-wallaroo frameworks --help"),
        ("sandbox --port 99999", "invalid value for '--port'", "see hatch-wallaroo sandbox --help"),
        ("completion tcsh", "invalid value for", "see hatch-wallaroo completion --help"),
        ("models status", "missing argument 'NAME|ID'", "see hatch-wallaroo models status --help"),
    ],
)
def test_mistakes_are_named_with_what_was_meant(typed: str, said: str, fix: str, run: Run) -> None:
    left = run(*typed.split())
    assert (left.code, left.out) == (2, "")
    first, *rest = left.err.splitlines()
    assert first.startswith(f"error: {said}")
    assert rest[0].strip().startswith("fix: ")
    assert fix in rest[0]


def test_what_was_typed_steers_no_terminal(run: Run) -> None:
    left = run("fram\x1b[2Jworks\u202e")
    assert "\x1b" not in left.err
    assert "\\x1b[2Jworks\\u202e" in left.err


@pytest.mark.parametrize("command", [["login"], ["models", "list"]])
def test_values_are_named_as_they_were_typed_here(command: list[str], run: Run) -> None:
    left = run(*command, "--url", "my-org.example")
    assert left.code == 2
    assert "the value of --url does not fit" in left.err
    assert "write it with https://" in left.err
    assert "-o " not in left.err
    assert "url is not known" not in left.err
    left = run(*command)
    assert "fix: give --url ADDRESS, or set WALLAROO_URL" in left.err


def test_what_has_no_option_here_is_said_as_a_variable(run: Run) -> None:
    from hatch_wallaroo.cli.connection import as_typed

    with click.Context(EVERY["models list"]):
        assert as_typed("Say which with -o user=NAME.") == "Say which with --user NAME."
        assert as_typed("set with -o timeout=SECONDS.") == "set with WALLAROO_REQUEST_TIMEOUT=SECONDS."
        assert as_typed("or: -o again") == "or: again = true in [tool.hatch.publish.wallaroo]"


# Colours


def test_colours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run("xyzzy").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("xyzzy").err.startswith("\x1b[31merror\x1b[0m: ")
    assert "\x1b" not in run("--no-color", "xyzzy").err
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[31m" in run("frameworks", "--release", "x").err
    assert "\x1b" not in run("frameworks", "--release", "x", "--no-color").err


# Leaving


def test_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(frameworks_module, "show_table", interrupt)
    left = run("frameworks")
    assert (left.code, left.out) == (130, "")
    assert left.err.strip().splitlines() == ["error: interrupted"]


@pytest.mark.parametrize(
    ("code", "said", "exit_code"),
    [
        ("raise EOFError", "standard input ended before the question was answered", 2),
        ("import click; raise click.Abort", "stopped, as you said", 1),
        ("raise PermissionError(13, 'Permission denied', 'a.toml')", "a.toml: Permission denied", 1),
        ("raise KeyboardInterrupt", "interrupted", 130),
    ],
)
def test_no_ending_is_a_traceback(code: str, said: str, exit_code: int, run: Run, monkeypatch) -> None:
    monkeypatch.setattr(frameworks_module, "show_table", lambda *_: exec(code))
    left = run("frameworks")
    assert left.code == exit_code
    assert left.err.strip().splitlines()[0] == f"error: {said}"


TWICE = """
import atexit, os, signal
import hatch_wallaroo.cli.frameworks as f
import hatch_wallaroo.console as c

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)

say = c.complain
f.show_table = interrupt
c.complain = lambda *words: (interrupt(), say(*words))
atexit.register(interrupt)
"""


def test_a_second_ctrl_c_changes_nothing(tmp_path: Path) -> None:
    """Neither while the first is being said, nor while Python takes itself down."""
    said = output("frameworks", cwd=tmp_path, code=TWICE)
    assert (said.code, said.err.strip()) == (130, "error: interrupted")


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="rich")

    monkeypatch.setattr("hatch_wallaroo.cli.commands.import_module", missing)
    left = run("models", "list")
    assert left.code == 1
    assert "models needs what is not installed: rich" in left.err
    assert "pip install 'hatch-wallaroo[publish]'" in left.err


KEPT = "import sys, hatch_wallaroo.cli.frameworks as f; f.show_table = lambda *_: sys.stdout.write('said at the end')"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], ""),
        (["frameworks"], ""),
        (["frameworks", "--json"], ""),
        (["completion", "bash"], ""),
        (["frameworks", "--release", "2024.1", "--framework", "onnx"], KEPT),
    ],
)
def test_a_reader_that_leaves_ends_it_quietly(arguments: list[str], code: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        program(*arguments, code=code), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert said == ""


def test_a_first_line_is_enough(tmp_path: Path) -> None:
    command = f"{shlex.join(program('frameworks', '--json'))} | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda each: "-".join(each.values()),
)
def test_what_the_encoding_does_not_have_is_written_as_numbers(locale: dict[str, str], tmp_path: Path) -> None:
    said = output("frameworks", "--framework", "\u00fcber", cwd=tmp_path, **locale)
    assert said.code == 2
    assert "there is no framework" in said.err
    # And on standard output, which Python takes more strictly:
    code = r"import hatch_wallaroo.cli.frameworks as f; f.frameworks.epilog = '\u00fcber \u2026'"
    done = subprocess.run(
        program("frameworks", "--help", code=code), cwd=tmp_path, env=environment(**locale), capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ber" in done.stdout


# Start-up


def modules_of(folder: Path, *lines: list[str]) -> set[str]:
    """The modules that are loaded after command lines, all in one process."""
    code = f"""
import sys
from hatch_wallaroo.cli import main
for line in {list(lines)!r}:
    try:
        main(line)
    except SystemExit as left:
        assert left.code in (0, None), (line, left.code)
sys.stderr.write("\\n".join(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    lines = [["--help"], ["--version"], *([*path.split(), "--help"] for path in EVERY)]
    loaded = modules_of(tmp_path, *lines, ["frameworks"], ["completion", "zsh"])
    assert "click" in loaded
    assert not loaded.intersection(HEAVY)


@pytest.mark.skipif("check" not in EVERY, reason="the command is not written yet")
def test_a_check_of_a_small_table_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "step.py").write_text(STEP, encoding="utf-8")
    loaded = modules_of(tmp_path, ["check"], ["check", "--json"])
    assert "hatch_wallaroo.bundle.check" in loaded
    assert not loaded.intersection((*HEAVY, "zipfile", "subprocess", "importlib.resources"))


def test_json_is_ascii_so_that_any_terminal_takes_it(tmp_path: Path) -> None:
    said = output(
        "frameworks", "--release", "2026.1", "--framework", "vllm", "--json", cwd=tmp_path, PYTHONIOENCODING="ascii"
    )
    assert json.loads(said.out)["releases"][0]["release"] == "2026.1"
