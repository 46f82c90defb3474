"""`hatch-wallaroo check` as it is called: formats, files, exit codes, fixes that are asked for, and its start."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatch_wallaroo.cli import main
from support.fronts import REPOSITORY
from support.locked import lock
from support.mending import HEAD

STEP = "def wallaroo_json(data):\n    return [{'x': 1}]\n"
TABLE = '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n'


def project(root: Path, table: str = TABLE) -> Path:
    (root / "pyproject.toml").write_text(HEAD + table)
    (root / "step.py").write_text(STEP)
    return root


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "NO_COLOR", "FORCE_"))}
    return {**kept, **more}


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process, in a project's folder, with these variables and no others that count."""

    def called(root: Path, *arguments: str, **more: str) -> Said:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for key in ("GITHUB_WORKSPACE", "GITHUB_ACTIONS", "FORCE_COLOR"):
                patch.delenv(key, raising=False)
            patch.setenv("NO_COLOR", "")  # the command may set it, and this one is put back
            for key, value in more.items():
                patch.setenv(key, value)
            patch.chdir(root)
            with pytest.raises(SystemExit) as left:
                main(["check", *arguments])
        out, err = capsys.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return called


def test_nothing_to_say(tmp_path, run):
    done = run(project(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("checked prices (python, release 2023.2.1) in 0.")
    assert done.stdout.endswith("s: no findings\n")
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "step.py"]


@pytest.mark.parametrize(
    ("table", "arguments", "code"),
    [
        (f"{TABLE}colour = 1\n", (), 1),
        (f'{TABLE}name = "Prices"\n', (), 0),
        (f'{TABLE}name = "Prices"\n', ("--strict",), 1),
        (TABLE, ("--strict",), 0),
        (TABLE, ("prices",), 0),
        ("", (), 1),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_exit_codes_are_those_of_every_format(table, arguments, code, form, tmp_path, run):
    done = run(project(tmp_path, table), *arguments, "--format", form)
    assert done.returncode == code
    assert done.stderr == ""
    if form in {"json", "sarif"}:
        json.loads(done.stdout)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize("content", [None, b"x = \n", b"\xff\xfe", b"[" * 5000])
def test_a_project_that_cannot_be_read(content, form, tmp_path, run):
    if content is not None:
        (tmp_path / "pyproject.toml").write_bytes(content)
    for named in ((), ("a-model",)):
        done = run(tmp_path, *named, "--format", form)
        assert (done.returncode, done.stderr) == (2, "")
        assert "WLR002" in done.stdout


def test_a_model_s_name_where_the_project_has_no_table(tmp_path, run):
    project(tmp_path, "")
    done = run(tmp_path, "prices")
    assert (done.returncode, done.stderr) == (1, "")
    assert "error[WLR001]" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--project", "nowhere"), "nowhere"),
        (("goood",), "the project has no model goood"),
        (("price",), "did you mean prices?"),
        (("--format", "xml"), "xml"),
        (("--json", "--format", "sarif"), "ask for two formats"),
        (("--yes",), "--yes goes with --fix"),
        (("--dry-run",), "--dry-run goes with --fix"),
        (("--fix", "--yes", "--dry-run"), "choose one of the two"),
        (("--output", "no/folder/x.txt"), "no/folder/x.txt cannot be written"),
        (("--strickt",), "did you mean --strict?"),
    ],
)
def test_misuse(arguments, said, tmp_path, run):
    done = run(project(tmp_path), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "step.py"]


def test_help_has_examples(tmp_path, run):
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert "hatch-wallaroo check --format sarif --output findings.sarif" in done.stdout


@pytest.mark.parametrize("arguments", [("--json",), ("--format", "json"), ("--json", "--format", "json")])
def test_json(arguments, tmp_path, run):
    made = json.loads(run(project(tmp_path, f"{TABLE}colour = 1\n"), *arguments).stdout)
    assert made["counts"] == {"error": 1, "warning": 0, "note": 0}
    assert made["findings"][0]["line"] == 14
    assert "fixes" not in made


def test_into_a_file(tmp_path, run):
    root = project(tmp_path, f'{TABLE}name = "Größe"\n')
    (root / "out").mkdir()
    (root / "out" / "x.txt").write_text("before")
    done = run(root, "--output", "out/x.txt", FORCE_COLOR="1")
    assert (done.returncode, done.stdout) == (1, "")
    text = (root / "out" / "x.txt").read_text(encoding="utf-8")
    assert 'error[WLR030] pyproject.toml:14:1 tool.wallaroo.name: "Größe"' in text
    assert "\x1b" not in text
    assert text.endswith("s\n")
    assert [path.name for path in (root / "out").iterdir()] == ["x.txt"]
    assert run(root, "--format", "sarif", "-o", "-").stdout.startswith("{")


def test_colours_off_and_on(tmp_path, run):
    root = project(tmp_path, f"{TABLE}colour = 1\n")
    assert "\x1b" not in run(root).stdout
    assert "\x1b[31merror" in run(root, FORCE_COLOR="1").stdout
    assert "\x1b" not in run(root, "--no-color", FORCE_COLOR="1").stdout
    assert "\x1b" not in run(root, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in run(root, "--format", "github", FORCE_COLOR="1").stdout


def test_in_github_actions_text_stays_text_unless_asked(tmp_path, run):
    root = project(tmp_path, f"{TABLE}colour = 1\n")
    assert "::error" not in run(root, GITHUB_ACTIONS="true").stdout
    done = run(root.parent, "--project", root.name, "--format", "github", GITHUB_WORKSPACE=str(root.parent))
    assert done.stdout.startswith(f"::error file={root.name}/pyproject.toml,line=14,col=1,title=WLR011")


def test_another_folder(tmp_path, run):
    root = tmp_path / "a b"
    root.mkdir()
    project(root, f"{TABLE}colour = 1\n")
    done = run(tmp_path, "-p", "a b")
    assert done.returncode == 1
    assert "error[WLR011] pyproject.toml:14:1" in done.stdout


# --fix

BROKEN = '[tool.wallaroo]\nframework = "Python"\nmodell = "step.py" # ours\nname = "my_model"\ncolour = 1\n'
FIXED = '[tool.wallaroo]\nframework = "python"\nmodel = "step.py" # ours\nname = "my-model"\ncolour = 1\n'


def content(root: Path) -> str:
    return (root / "pyproject.toml").read_text().removeprefix(HEAD)


def test_fix_dry_run_shows_and_writes_nothing(tmp_path, run):
    root = project(tmp_path, BROKEN)
    done = run(root, "--fix", "--dry-run")
    assert done.returncode == 1
    assert content(root) == BROKEN
    assert 'fix[WLR022] pyproject.toml: tool.wallaroo.framework = "python"' in done.stdout
    assert "\n--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ " in done.stdout
    assert '\n-modell = "step.py" # ours\n+model = "step.py" # ours\n' not in done.stdout
    assert '\n+model = "step.py" # ours\n' in done.stdout
    assert "error[WLR022]" in done.stdout


def test_fix_yes_writes_and_checks_again(tmp_path, run):
    root = project(tmp_path, BROKEN)
    done = run(root, "--fix", "--yes")
    assert done.returncode == 1
    assert content(root) == FIXED
    assert "error[WLR011] pyproject.toml:15:1 tool.wallaroo.colour" in done.stdout
    assert "error[WLR022]" not in done.stdout
    assert done.stdout.count("\nchecked my-model (python, release 2023.2.1)") == 1
    again = run(root, "--fix", "--yes")
    assert content(root) == FIXED
    assert again.stderr == "nothing here can be mended in one way only\n"


def test_fix_until_nothing_is_left(tmp_path, run):
    root = project(tmp_path, BROKEN.replace("colour = 1\n", ""))
    done = run(root, "--fix", "-y")
    assert done.returncode == 0
    assert done.stdout.endswith("s: no findings\n")


def test_fix_asks_nobody_where_nobody_is(tmp_path, run):
    root = project(tmp_path, BROKEN)
    done = run(root, "--fix")
    assert done.returncode == 2
    assert "--yes makes the changes, --dry-run only shows them" in done.stderr
    assert content(root) == BROKEN


def test_fix_json(tmp_path, run):
    root = project(tmp_path, BROKEN)
    dry = json.loads(run(root, "--fix", "--dry-run", "--json").stdout)
    assert sorted(each["codes"] for each in dry["fixes"]) == [["WLR011"], ["WLR022"], ["WLR030"]]
    assert not any(each["applied"] for each in dry["fixes"])
    assert dry["counts"]["error"] == 4
    done = run(root, "--fix", "--yes", "--json")
    made = json.loads(done.stdout)
    assert {code for each in made["fixes"] for code in each["codes"]} == {"WLR011", "WLR022", "WLR030"}
    assert all(each["applied"] and each["file"] == "pyproject.toml" for each in made["fixes"])
    assert all('+model = "step.py" # ours' in each["difference"] for each in made["fixes"])
    assert made["counts"]["error"] == 1
    assert "--- a/pyproject.toml" in done.stderr
    assert json.loads(run(root, "--fix", "--yes", "--json").stdout)["fixes"] == []


def test_fix_of_one_model_leaves_the_others(tmp_path, run):
    models = "".join(f'[tool.wallaroo.models.{name}]\nname = "{name}_1"\nmodel = "step.py"\n' for name in "ab")
    root = project(tmp_path, f'[tool.wallaroo]\nframework = "python"\n{models}')
    run(root, "b", "--fix", "--yes")
    assert 'name = "a_1"' in content(root)
    assert 'name = "b-1"' in content(root)


SCHEMAS = '[tool.wallaroo.input-schema]\nx = "float64"\n[tool.wallaroo.output-schema]\ny = "float64"\n'


@pytest.mark.parametrize(
    "table",
    [
        'framework = "sklearn"\nmodel = "locked/x.pkl"\n',
        'framework = "python"\nmodel = "locked/step.py"\n',
        'framework = "python"\nmodel = "locked"\n',
        'framework = "hugging-face-text-classification"\nmodel = "locked/bert"\n',
        'framework = "keras"\nmodel = "locked/x.keras"\n',
        'framework = "mlflow"\nmodel = "locked/model"\n',
        'framework = "custom"\nbyop.module = "locked/inference.py"\n',
        'framework = "custom"\nbyop.load = "p:load"\nbyop.predict = "p:predict"\nartifacts = ["locked/w.npy"]\n',
    ],
)
def test_a_folder_that_may_not_be_searched_is_told_in_every_form(tmp_path, run, monkeypatch, table):
    root = project(tmp_path, f'[tool.wallaroo]\nrelease = "2026.1"\nsample = "locked/s.json"\n{table}{SCHEMAS}')
    (root / "p.py").write_text("def load(folder) -> str:\n    return (folder / 'locked' / 'w.npy').read_text()\n")
    (root / "p.py").write_text((root / "p.py").read_text() + "def predict(model, inputs):\n    return {}\n")
    (root / "locked").mkdir()
    lock(monkeypatch, root / "locked")
    done = run(root, "--json")
    assert done.returncode == 1, done.stderr
    made = json.loads(done.stdout)
    found = [*made["findings"], *(each for model in made["models"] for each in model["findings"])]
    told = {each["code"]: each for each in found if each["level"] != "note"}
    assert "permission denied" in told["WLR206"]["message"]
    assert told["WLR206"]["level"] == "error"
    assert told["WLR622"]["message"] == "'locked/s.json' cannot be read: permission denied"
    assert not {"WLR201", "WLR560"} & told.keys()
    assert "Traceback" not in done.stderr


def test_fix_of_a_file_that_is_read_only(tmp_path, run):
    root = project(tmp_path, BROKEN)
    (root / "pyproject.toml").chmod(0o444)
    done = run(root, "--fix", "--yes")
    assert done.returncode == 1
    assert "error: nothing was changed: pyproject.toml is read-only" in done.stderr
    assert "chmod u+w pyproject.toml" in done.stderr
    assert content(root) == BROKEN


def test_fix_of_a_link_out_of_the_project(tmp_path, run):
    (tmp_path / "p").mkdir()
    root = project(tmp_path / "p", BROKEN)
    (root / "pyproject.toml").rename(tmp_path / "shared.toml")
    (root / "pyproject.toml").symlink_to("../shared.toml")
    done = run(root, "--fix", "--yes")
    assert "nothing here can be mended in one way only" in done.stderr
    assert (tmp_path / "shared.toml").read_text() == HEAD + BROKEN


def test_fix_of_what_is_no_toml(tmp_path, run):
    (tmp_path / "pyproject.toml").write_text("x = \n")
    done = run(tmp_path, "--fix", "--yes")
    assert done.returncode == 2
    assert (tmp_path / "pyproject.toml").read_text() == "x = \n"


@dataclass
class Terminal:
    """The command on a terminal: what it prints, and what is typed."""

    process: subprocess.Popen[bytes]
    fd: int
    text: str = ""

    def until(self, wanted: str) -> None:
        end = time.monotonic() + 30
        while wanted not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        assert wanted in self.text

    def close(self, again: bytes = b"") -> int:
        """Read to the end; `again` is typed once more while nothing happens."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 1)[0]:
                os.write(self.fd, again)
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            self.text += data.decode(errors="replace")
        else:
            self.process.kill()
        os.close(self.fd)
        return self.process.wait(timeout=30)


def terminal(root: Path, *arguments: str) -> Terminal:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "hatch_wallaroo", "check", *arguments]

    def take() -> None:
        # Ctrl-C is sent by the terminal that a process belongs to.
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment(TERM="xterm"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=take,  # noqa: PLW1509 - no threads here
    )
    os.close(theirs)
    return Terminal(process, ours)


@pytest.mark.parametrize(("answer", "code"), [("y", 1), ("n", 1), ("\x03", 130)])
def test_fix_asks_on_a_terminal(answer, code, tmp_path):
    root = project(tmp_path, BROKEN)
    shown = terminal(root, "--fix")
    shown.until("change 1 file? [y/N]: ")
    assert "\x1b[32m+" in shown.text
    assert content(root) == BROKEN
    typed = answer.encode() if answer == "\x03" else f"{answer}\n".encode()
    os.write(shown.fd, typed)
    # Python loses a Ctrl-C that comes just before it waits for a line.
    assert shown.close(again=typed if answer == "\x03" else b"") == code
    assert content(root) == (FIXED if answer == "y" else BROKEN)
    assert ("checked my-model" in shown.text) == (answer == "y")


def test_a_file_that_changes_while_somebody_thinks(tmp_path):
    root = project(tmp_path, BROKEN)
    shown = terminal(root, "--fix")
    shown.until("[y/N]: ")
    (root / "pyproject.toml").write_text(HEAD + BROKEN + "# mine\n")
    os.write(shown.fd, b"y\n")
    assert shown.close() == 1
    assert "nothing was changed: pyproject.toml was changed meanwhile" in shown.text
    assert content(root) == BROKEN + "# mine\n"


# Its start

HEAVY = (
    "pyarrow",
    "hatchling",
    "jinja2",
    "tomlkit",
    "numpy",
    "rich",
    "urllib3",
    "http.client",
    "importlib.metadata",
)
LOADED = """
import sys
from hatch_wallaroo.cli import main
try:
    main(sys.argv[1:])
except SystemExit as error:
    code = error.code
print("LOADED", code, *sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("example", ["onnx", "sklearn"])
@pytest.mark.parametrize("arguments", [["check"], ["check", "--format", "github"], ["check", "--help"]])
def test_a_check_of_a_small_table_imports_nothing_heavy(example, arguments):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=REPOSITORY / "example-projects" / example,
        env=environment(),
        capture_output=True,
        text=True,
    )
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("LOADED")]
    _, code, *loaded = line.split()
    assert code == "0", done.stderr
    assert [name for name in HEAVY if name in loaded] == []
    assert "hatch_wallaroo.sandbox" not in loaded
    assert "hatch_wallaroo.fixes.plan" not in loaded
