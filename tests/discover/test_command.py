"""`hatch-wallaroo init` as it is called: options, exit codes, questions on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.command_line import Run, environment, output, program
from support.trees import EXAMPLES, FIXTURES, grow

ONNX = EXAMPLES / "onnx" / "models" / "pump_failure.onnx"
WINE = EXAMPLES / "sklearn" / "wine.pkl"
REVIEWS = EXAMPLES / "hugging-face" / "models" / "reviews"
STATE = FIXTURES / "torch" / "state.pt"


def table(root: Path) -> str:
    path = root / "pyproject.toml"
    return path.read_text() if path.exists() else ""


def test_without_a_model(run: Run, tmp_path: Path) -> None:
    grow(tmp_path / "empty", {"README.md": "x"})
    said = run("init", "--project", str(tmp_path / "empty"), "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: no model was found in empty\n    fix: name it: hatch-wallaroo init --model PATH\n"
    assert not (tmp_path / "empty" / "pyproject.toml").exists()


def test_nothing_certain(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"step.py": "def wallaroo_json(data):\n    return [{}]\n"})
    said = run("init", "--project", str(tmp_path), "--yes")
    assert said.code == 1
    assert (
        "error: nothing that was found is certain\n    fix: say which: hatch-wallaroo init --model step.py" in said.err
    )
    made = json.loads(run("init", "--project", str(tmp_path), "--json").out)
    assert made["error"] == "nothing that was found is certain"
    assert (made["changed"], made["written"], made["diff"], made["models"]) == (False, False, None, [])
    assert table(tmp_path) == ""


def test_nothing_that_can_be_taken(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"state.pt": STATE})
    said = run("init", "--project", str(tmp_path), "--yes")
    assert said.code == 1
    assert "  state.pt: a file saved by torch.save\n    build the model, model.load_state_dict" in said.err
    assert "error: nothing that was found can be taken as it is" in said.err


def test_nobody_is_there_to_be_asked(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"wine.pkl": WINE})
    said = run("init", "--project", str(tmp_path))
    assert said.code == 2
    assert said.out.startswith("--- a/pyproject.toml\n+++ b/pyproject.toml\n")
    assert said.err.endswith(
        "error: nothing was written: nobody is there to be asked\n"
        "    fix: --yes makes the changes, --dry-run only shows them\n"
    )
    assert table(tmp_path) == ""


def test_a_dry_run(run: Run, tmp_path: Path) -> None:
    grow(tmp_path, {"wine.pkl": WINE})
    said = run("init", "--project", str(tmp_path), "--dry-run")
    assert said.code == 0
    assert table(tmp_path) == ""
    assert "wrote" not in said.err


def test_the_current_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(Path.cwd(), {"sub/wine.pkl": WINE})
    assert run("init", "--yes").code == 0
    assert 'model = "sub/wine.pkl"' in table(Path.cwd())


def test_a_project_in_a_folder_above(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    grow(here, {"pyproject.toml": "[project]\n", "models/.keep": "", "own/.git/config": "", "own/wine.pkl": WINE})
    grow(here, {"models/wine.pkl": WINE})
    monkeypatch.chdir(here / "models")
    assert f"note: there is a pyproject.toml in {here}; --project names that folder" in run("init", "--dry-run").err
    monkeypatch.chdir(here / "own")
    assert "note: there is a" not in run("init", "--dry-run").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--yes", "--dry-run"), "--yes makes the changes, and --dry-run makes none"),
        (("--release", "2027.1"), '--release: "2027.1" is no Wallaroo release known here'),
        (("--framework", "sklern"), '--framework: "sklern" is no framework of Wallaroo'),
        (("--release", "2024.1", "--framework", "vllm"), "--framework: release 2024.1 has no framework"),
        (("--name", "-x-"), "--name: "),
        (("--model", "nowhere.pkl"), "nowhere.pkl does not exist"),
        (("--model", "/etc/passwd"), "/etc/passwd is not in the project"),
        (("--model", "../outside.pkl"), "../outside.pkl is not in the project"),
        (("--model", "notes.txt"), "notes.txt is no model that is known here"),
        (("--model", "state.pt"), "state.pt is a file saved by torch.save"),
        (("--model", "a.onnx", "--model", "wine.pkl", "--name", "x"), "--name is one model's, and --model names 2"),
        (("--name", "x"), "--name is one model's, and 2 were found"),
        (("--framework", "sklearn"), "--framework says what one model is, and 2 were found"),
        (("--project", "nowhere"), "nowhere"),
        (("--model",), "--model"),
        (("--modle", "x"), "--modle"),
    ],
)
def test_what_is_wrong_on_the_command_line(arguments: tuple[str, ...], message: str, run: Run) -> None:
    here = Path.cwd()
    grow(here, {"a.onnx": ONNX, "wine.pkl": WINE, "notes.txt": "notes of a model\n", "state.pt": STATE})
    grow(here.parent, {"outside.pkl": WINE})
    said = run("init", *arguments)
    assert said.code == 2
    assert message in said.err
    assert "fix: " in said.err or "--help" in said.err
    assert table(here) == ""


def test_models_by_their_paths(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    grow(here, {"a.onnx": ONNX, "deep/b.onnx": ONNX, "deep/reviews": REVIEWS})
    monkeypatch.chdir(here / "deep")
    said = run("init", "--project", "..", "--model", "b.onnx", "--model", "a.onnx", "--model", "./reviews/", "--yes")
    assert said.code == 0
    assert [each.partition(":")[0].strip() for each in said.err.splitlines()[:3]] == [
        "deep/b.onnx",
        "a.onnx",
        "deep/reviews",
    ]
    assert table(here).count("[tool.wallaroo.models.") >= 3


def test_the_framework_that_is_said(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"state.pt": STATE, "wine.pkl": WINE})
    said = run("init", "--model", "state.pt", "--framework", "custom", "--yes")
    assert said.code == 0
    assert 'framework = "custom"\nrelease = "2026.1"\nartifacts = ["state.pt"]\n' in table(here)
    assert "error[" in said.err, "what is missing is said by the check"


def test_the_framework_where_one_model_is_found(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"m": FIXTURES / "tensorflow" / "keras"})
    assert run("init", "--framework", "keras", "--yes").code == 0
    assert 'framework = "keras"' in table(here)


def test_the_older_release_takes_what_the_newest_does_not(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"forest.pkl": FIXTURES / "pickles" / "forest-1.2.2.pkl"})
    assert run("init", "--yes").code == 1
    assert run("init", "--yes", "--release", "2023.4").code == 0
    assert 'release = "2023.4"' in table(here)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = [\n", "not valid TOML"),
        ("[tool.wallaroo]\n[tool.wallaroo]\n", "the table begins here for the second time"),
    ],
)
def test_a_broken_file_is_left_alone(text: str, said: str, run: Run) -> None:
    here = Path.cwd()
    grow(here, {"wine.pkl": WINE, "pyproject.toml": text})
    for arguments in ((), ("--yes",), ("--json",), ("--dry-run",)):
        told = run("init", *arguments)
        assert told.code == 2
        assert said in told.err
        assert "pyproject.toml:" in told.err
        assert "nothing was changed" in told.err
        assert told.out == ""
    assert table(here) == text


def test_bytes_that_are_no_text(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"wine.pkl": WINE, "pyproject.toml": b"# \xff\n"})
    told = run("init", "--yes")
    assert told.code == 2
    assert "not UTF-8" in told.err
    assert (here / "pyproject.toml").read_bytes() == b"# \xff\n"


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "gone"])
def test_what_is_no_file_at_all(kind: str, run: Run) -> None:
    here = Path.cwd()
    grow(here, {"wine.pkl": WINE})
    path = here / "pyproject.toml"
    {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "loop": lambda: path.symlink_to("pyproject.toml"),
        "gone": lambda: path.symlink_to("nowhere"),
    }[kind]()
    told = run("init", "--yes")
    assert told.code == 2
    assert "error: pyproject.toml " in told.err
    assert "fix: " in told.err


def test_a_read_only_file(run: Run) -> None:
    here = Path.cwd()
    grow(here, {"wine.pkl": WINE, "pyproject.toml": "# mine\n"})
    (here / "pyproject.toml").chmod(0o444)
    told = run("init", "--yes")
    assert told.code == 2
    assert "error: nothing was changed: pyproject.toml is read-only\n    fix: make it writable: chmod u+w" in told.err
    assert table(here) == "# mine\n"
    told = run("init", "--yes", "--json")
    assert (told.code, told.out) == (2, "")


def test_help_has_examples(run: Run) -> None:
    said = run("init", "--help")
    assert said.code == 0
    assert "hatch-wallaroo init --yes" in said.out
    assert "exit code" in said.out.replace("\n ", "")


# On a terminal


def on_a_terminal(root: Path, *arguments: str, answers: list[tuple[str, str]], **more: str) -> tuple[int, str]:
    """Run it on a terminal: each answer is typed when its question is seen."""
    mother, child = pty.openpty()
    process = subprocess.Popen(
        program("init", *arguments),
        cwd=root,
        env=environment(TERM="xterm", **more),
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    seen, shown, waiting, interrupt = "", "", list(answers), False
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([mother], [], [], 0.3)[0]:
            if interrupt:  # one that came while the interpreter was busy elsewhere may be lost
                process.send_signal(signal.SIGINT)
            continue
        try:
            data = os.read(mother, 65536)
        except OSError:
            break
        if not data:
            break
        seen, shown = seen + data.decode(), shown + data.decode()
        if waiting and waiting[0][0] in shown:
            answer, shown = waiting.pop(0)[1], ""
            interrupt = answer == "\x03"  # the test is no session of its own, so that the terminal sends nothing
            os.write(mother, b"" if interrupt else answer.encode())
    os.close(mother)
    assert not waiting, seen
    return process.wait(30), seen


def test_one_model_is_shown_and_written(tmp_path: Path) -> None:
    grow(tmp_path, {"wine.pkl": WINE})
    code, seen = on_a_terminal(tmp_path, answers=[("write pyproject.toml? [Y/n]", "\n")])
    assert code == 0
    assert "\x1b[32m+[tool.wallaroo]" in seen
    assert "wrote pyproject.toml; next: hatch build" in seen
    assert "[tool.wallaroo]" in table(tmp_path)


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\x03", 130), ("\x04", 2)])
def test_somebody_says_no(answer: str, code: int, tmp_path: Path) -> None:
    grow(tmp_path, {"wine.pkl": WINE})
    left, seen = on_a_terminal(tmp_path, answers=[("write pyproject.toml? [Y/n]", answer)])
    assert left == code
    assert "Traceback" not in seen
    assert table(tmp_path) == ""


def test_one_of_several_is_picked(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {"a.onnx": ONNX, "m": FIXTURES / "tensorflow" / "keras", "step.py": "def wallaroo_json(data):\n    return 1\n"},
    )
    code, seen = on_a_terminal(
        tmp_path,
        answers=[
            ("which of them? (numbers, or all) [1,2]", "7\n"),
            ("numbers from 1 to 3, with commas between them", "2\n"),
            ("m as (tensorflow, keras) [tensorflow]", "keras\n"),
            ("write pyproject.toml? [Y/n]", "y\n"),
        ],
        NO_COLOR="1",
    )
    assert code == 0, seen
    assert "  2  m: a SavedModel -> tensorflow" in seen
    assert "  3  step.py: a Python step (wallaroo_json), perhaps for python" in seen
    assert "\x1b[3" not in seen
    assert 'framework = "keras"' in table(tmp_path)
    assert "a.onnx" not in table(tmp_path)


def test_yes_and_json_ask_nothing_on_a_terminal(tmp_path: Path) -> None:
    grow(tmp_path, {"a.onnx": ONNX, "b.onnx": ONNX})
    code, seen = on_a_terminal(tmp_path, "--json", answers=[])
    assert code == 0
    assert json.loads(seen[seen.index("{") :])["changed"]
    code, _ = on_a_terminal(tmp_path, "--yes", answers=[])
    assert code == 0
    assert table(tmp_path).count("[tool.wallaroo.models.") == 2


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    grow(tmp_path, {f"models/{number}x.onnx": ONNX for number in range(60)})
    done = subprocess.run(
        f"{subprocess.list2cmdline(program('init', '--dry-run')[:1])} -m hatch_wallaroo init --dry-run | head -1",
        shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert done.stdout == "--- a/pyproject.toml\n"
    assert "Traceback" not in done.stderr


def test_a_terminal_without_many_letters(tmp_path: Path) -> None:
    grow(tmp_path, {"modèle-✓.onnx": ONNX})
    said = output("init", "--dry-run", cwd=tmp_path, PYTHONIOENCODING="latin-1")
    assert said.code == 0
    assert "le-\\u2713.onnx: an ONNX model -> onnx" in said.err
    assert "le-\\u2713.onnx" in said.out
