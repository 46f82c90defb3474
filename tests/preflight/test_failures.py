"""Models that do wrong, run by the real runtime: what is said of each, in bounded time, and that nothing stays behind."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import textwrap
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_wallaroo.cli.reports.preflight import show
from hatch_wallaroo.preflight.preparing import Options
from hatch_wallaroo.preflight.process import Limits
from hatch_wallaroo.preflight.subject import Rows
from support import peers
from support.left_running import processes, until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

ISOLATIONS = ("bubblewrap", "unshare", "none")
RELEASE = "2025.1"
"""One without the validator, which takes as long again; what it says is tested with 2026.1."""
HERE = "# here"
"""Ends the line that a finding must name."""
PYPROJECT = """\
[project]
name = "m"
version = "1"
dependencies = []

[tool.wallaroo]
framework = "custom"
release = "{release}"

[tool.wallaroo.byop]
module = "src/inference.py"

[tool.wallaroo.input-schema]
x = "float64"

[tool.wallaroo.output-schema]
{outputs}

[tool.hatch.build.hooks.wallaroo]
"""
INFERENCE = """\
import importlib, os, subprocess, sys, time
from typing import Dict

import numpy as np
from mac.config.inference import CustomInferenceConfig
from mac.inference import Inference
from mac.inference.creation import InferenceBuilder

REALLY = len(sys.argv) > 0  # which the checks of a build do not see through
if REALLY:
{top}


class Weights:
    pass


class Doubling(Inference):
    @property
    def expected_model_types(self):
        return {{Weights}}

    @Inference.model.setter
    def model(self, model):
        self._raise_error_if_model_is_wrong_type(model)
        self._model = model

    def _predict(self, input_data: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        x = input_data["x"]
        if REALLY:
{predict}
        return {{"y": x * 2}}


class DoublingBuilder(InferenceBuilder):
    @property
    def inference(self):
        return Doubling()

    def create(self, config: CustomInferenceConfig):
        if REALLY:
{create}
        inference = self.inference
        inference.model = Weights()
        return inference
"""
ROWS = Rows(({"x": 1.0}, {"x": 2.0}, {"x": 3.0}), source="given")
USUAL = Options(limits=Limits(start=120.0, call=60.0))
SHORT = Options(limits=Limits(start=120.0, call=5.0))
"""For what never answers."""


def byop(*, top="pass", create="pass", predict="pass", outputs='y = "float64"', release=RELEASE):
    """A project's files; the parts are lines of Python, where they belong."""
    told = {"top": (top, 4), "create": (create, 12), "predict": (predict, 12)}
    parts = {key: textwrap.indent(textwrap.dedent(code).strip(), " " * depth) for key, (code, depth) in told.items()}
    return {
        "pyproject.toml": PYPROJECT.format(release=release, outputs=outputs),
        "src/inference.py": INFERENCE.format(**parts),
    }


def told(verdict):
    return [(each.code, each.message) for each in verdict.findings]


def only(verdict):
    """The one finding of a verdict."""
    (finding,) = verdict.findings
    return finding


def line_of(files):
    lines = files["src/inference.py"].splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(HERE))


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder for the runs, in which nothing is afterwards, and no process that knows of it."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert_nothing_left(folder, peers.folder() / "preflight")


def assert_nothing_left(folder, cache):
    assert until(lambda: not processes(str(folder))), processes(str(folder))
    assert not [str(each) for each in Path(folder).iterdir()]
    assert not [each for each in (cache / "runs").glob("*") if str(folder) in read(each)]


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HATCH_WALLAROO_ISOLATION", request.param)
    return request.param


FAILURES = {
    "import": ({"top": 'raise OSError("the licence is over")  # here'}, "WLR711", "OSError: the licence is over"),
    "syntax": ({"top": "exec('x = = 1')  # here"}, "WLR711", "SyntaxError: invalid syntax"),
    "module": (
        {"top": 'importlib.import_module("not_there_xyz")  # here'},
        "WLR711",
        "ModuleNotFoundError: No module named 'not_there_xyz'",
        "add the package that has not_there_xyz",
    ),
    "create": (
        {"create": 'open(config.model_path / "weights.bin")  # here'},
        "WLR711",
        "No such file or directory: 'm/weights.bin'",
        "take the file along",
    ),
    "create gives none": ({"create": "return None"}, "WLR711", "'NoneType' object has no attribute 'predict'"),
    "wrong model type": (
        {"create": "inference = self.inference; inference.model = 3"},
        "WLR711",
        "TypeError: The model is not of type",
    ),
    "predict": ({"predict": "return {'y': x / 0 if x.ndim > 1 else 1 // 0}  # here"}, "WLR713", "ZeroDivisionError: "),
    "predict, a cause": (
        {
            "predict": """
            try:
                {}["speed"]
            except KeyError as error:
                raise ValueError("the row has no speed") from error  # here
            """
        },
        "WLR713",
        r"ValueError: the row has no speed \(from KeyError: 'speed'\)",
    ),
    "an odd text": ({"predict": r"raise ValueError('\x1b[31m\udcff' * 9999)  # here"}, "WLR713", "ValueError: "),
    "wrong key": (
        {"predict": "return {'z'.lower(): x}"},
        "WLR713",
        "cannot take what predict gives: Column z does not exist in schema",
        r"it gives z = float64 of shape \(3\); the output schema says y = float64",
    ),
    "dtype": (
        {"predict": "return {'y': np.array(['a', 'b', 'c'])}"},
        "WLR713",
        "Failed to parse string",
        "it gives y = <U1",
    ),
    "list size": (
        {"predict": "return {'y': np.ones((len(x), 4))}", "outputs": 'y = "float64[3]"'},
        "WLR713",
        "expected 3 but got array of size 4",
        r"it gives y = float64 of shape \(3, 4\); the output schema says y = float64\[3\]",
    ),
    "two dimensions": (
        {"predict": "return {'y': x.reshape(-1, 1)}"},
        "WLR713",
        "only handle 1-dimensional arrays",
        r"of shape \(3, 1\)",
    ),
    "no dict": ({"predict": "return [x][0]"}, "WLR713", "no attribute 'items'", "it gives a ndarray"),
    "sys.exit at import": ({"top": "sys.exit(0)  # here"}, "WLR711", r"sys\.exit\(0\) ends the process"),
    "sys.exit in predict": ({"predict": "sys.exit(3)  # here"}, "WLR713", r"sys\.exit\(3\) ends the process"),
    "os._exit at import": ({"top": "os._exit(0)"}, "WLR712", "ended with exit code 0 before it answered"),
    "os._exit": ({"predict": "os._exit(3)"}, "WLR714", "its process ended with exit code 3"),
    "SIGSEGV": (
        {"predict": "import ctypes; ctypes.string_at(0)  # here"},
        "WLR714",
        "SIGSEGV",
        "compiled code crashed",
    ),
    "SIGSEGV at import": ({"top": "import ctypes; ctypes.string_at(0)  # here"}, "WLR712", "SIGSEGV"),
    "SIGKILL": ({"predict": "os.kill(os.getpid(), 9)"}, "WLR714", "SIGKILL", "memory"),
    "10 GB": (
        {"predict": "return {'y': np.ones(1_250_000_000)[:3]}  # here"},
        "WLR713",
        "MemoryError: Unable to allocate 9.31 GiB",
        "8 GiB of memory: --memory gives it more",
    ),
    "large file": (
        {
            "predict": """
            stream = open("large", "wb", buffering=0)
            stream.seek(3 << 30)
            stream.write(b"x")  # here
            """
        },
        "WLR713",
        "File too large",
        "here a file may have 2 GiB",
    ),
    "loop at import": ({"top": "while True: pass  # here"}, "WLR712", "does not answer after 5 s", "--start-seconds"),
    "loop in predict": ({"predict": "while True: pass  # here"}, "WLR715", "no answer after 5 s", "--call-seconds"),
    "sleep in predict": ({"predict": "time.sleep(600)  # here"}, "WLR715", "no answer after 5 s"),
    "download": (
        {"create": "import urllib.request; urllib.request.urlopen('http://198.51.100.1/', timeout=2)  # here"},
        "WLR711",
        "URLError",
        "a run here has no network",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_is_told_with_its_place(ran, name, capsys):
    parts, code, message, *fix = FAILURES[name]
    files = byop(**parts)
    endless = name.startswith(("loop", "sleep"))
    limits = Limits(start=5.0 if name == "loop at import" else 120.0, call=5.0 if endless else 60.0)
    begun = time.monotonic()
    verdict = ran(files, Options(limits=limits), rows=ROWS)
    seconds = time.monotonic() - begun
    show(verdict)
    assert (verdict.word, only(verdict).code) == ("failed", code)
    assert re.search(message, only(verdict).message)
    assert re.search(fix[0] if fix else ".", only(verdict).fix)
    if HERE in files["src/inference.py"]:
        assert (only(verdict).place.file, only(verdict).place.line) == ("src/inference.py", line_of(files))
    assert seconds < 120
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("parts", "code", "message"),
    [
        ({"top": 'raise OSError("the licence is over")  # here'}, "WLR710", "OSError: the licence is over"),
        ({"top": "while True: pass  # here"}, "WLR710", "did not end in 8 s"),
        ({"top": "getattr(sys, 'exit')(0)  # here"}, "WLR710", r"sys\.exit\(0\) ends the process"),
        ({"top": "getattr(os, '_exit')(0)"}, "WLR710", "ended with exit code 0"),
        ({"create": "getattr(sys, 'exit')(0)  # here"}, "WLR711", r"sys\.exit\(0\) ends the process"),
        ({"predict": "return {'z'.lower(): x}"}, "WLR713", "Column z does not exist in schema"),
    ],
)
def test_the_same_with_a_validator(ran, parts, code, message):
    files = byop(**parts, release="2026.1")
    verdict = ran(files, Options(limits=Limits(start=8.0)) if "while" in str(parts) else USUAL, rows=ROWS)
    show(verdict)
    assert (verdict.word, only(verdict).code) == ("failed", code)
    assert re.search(message, only(verdict).message)
    if HERE in files["src/inference.py"]:
        assert (only(verdict).place.file, only(verdict).place.line) == ("src/inference.py", line_of(files))


@pytest.mark.parametrize(
    ("parts", "code", "message"),
    [
        ({"top": 'raise OSError("the licence is over")  # here'}, "WLR711", "OSError: the licence is over"),
        ({"create": "sys.exit(3)  # here"}, "WLR711", r"sys\.exit\(3\) ends the process"),
        ({"predict": "return {'y': x / 0 if x.ndim > 1 else 1 // 0}  # here"}, "WLR713", "ZeroDivisionError: "),
        ({"predict": "os._exit(3)"}, "WLR714", "its process ended with exit code 3"),
        ({"predict": "while True: pass  # here"}, "WLR715", "no answer after 5 s"),
    ],
)
def test_the_same_before_flight(ran, parts, code, message):
    files = byop(**parts, release="2023.2.1")
    verdict = ran(files, SHORT if "while" in str(parts) else USUAL, rows=ROWS)
    show(verdict)
    assert (verdict.word, only(verdict).code) == ("failed", code)
    assert re.search(message, only(verdict).message)
    if HERE in files["src/inference.py"]:
        assert (only(verdict).place.file, only(verdict).place.line) == ("src/inference.py", line_of(files))


MANY = {
    "cut": ("int64[2]", "np.ones((len(x), 2)) * 1.7", "WLR723", "6 numbers have fractions"),
    "over": ("float32", "np.full(len(x), 1e300)", "WLR724", "1e[+]300 is beyond float32"),
    "over_in_lists": ("float32[2]", "np.full((len(x), 2), 1e300)", "WLR724", "beyond"),
    "text": ("string", "x * 1.5", "WLR725", r"numbers \(float64\) where the schema says string"),
    "number": ("float64", "np.array(['1.5'] * len(x))", "WLR725", "texts where the schema says float64"),
    "none": ("float64", "np.array([1.0, None, None], dtype=object)[:len(x)]", "WLR726", "2 of 3 rows are null"),
}


def test_what_the_platform_lets_pass_is_told(ran):
    outputs = "\n".join(f'{name} = "{kind}"' for name, (kind, *_) in MANY.items())
    fields = ", ".join(f"'{name}': {value}" for name, (_, value, *_) in MANY.items())
    verdict = ran(byop(predict=f"return {{{fields}}}", outputs=outputs + '\nmissing = "int64"'), USUAL, rows=ROWS)
    show(verdict)
    assert verdict.word == "passed"
    found = {each.code + each.message.partition("'")[2].partition("'")[0]: each for each in verdict.findings}
    expected = {code + name: message for name, (_, _, code, message) in MANY.items()} | {"WLR721missing": "is missing"}
    assert sorted(found) == sorted(expected)
    for key, message in expected.items():
        assert re.search(message, found[key].message)
        assert found[key].fix
        assert found[key].place.key == ("tool", "wallaroo", "output-schema")


@pytest.mark.parametrize(
    ("predict", "code", "message"),
    [
        ("return {'y': x[:1]}", "WLR720", "3 rows were asked, 1 were answered"),
        ("return {'y': np.random.default_rng().random(len(x))}", "WLR729", "row 1, 'y': "),
        ("return {'y': x - x.mean()}", "WLR730", r"the first row among others, then alone: 'y': -1\.0, then 0\.0"),
        ("return {'y': x * np.nan}", None, None),
    ],
)
def test_answers_that_depend_on_more_than_the_row(ran, predict, code, message):
    verdict = ran(byop(predict=predict), USUAL, rows=ROWS)
    show(verdict)
    assert verdict.word == "passed"
    assert [each.code for each in verdict.findings] == ([code] if code else [])
    if message:
        assert re.search(message, only(verdict).message)


def test_a_model_of_before_typed_answers_gives_more_than_its_schema(ran):
    verdict = ran(byop(predict="return {'y': np.ones((len(x), 2)), 'z': x}", release="2023.2.1"), USUAL, rows=ROWS)
    assert (verdict.word, {each.code for each in verdict.findings}) == ("passed", {"WLR722", "WLR727"})


LEFT_BEHIND = """
sleep = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(SECONDS)"]
for _ in range(3):
    subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
subprocess.Popen(sleep, start_new_session=True, cwd="/", env={})
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv(sleep[0], sleep)
    os._exit(0)
os.makedirs("closed/inner")
open("closed/inner/file", "w").close()
os.chmod("closed/inner", 0)
os.chmod("closed", 0)
for _ in range(40):
    print("x" * (1 << 20), flush=True)
time.sleep(0.5)
"""
"""A child, sessions of their own, a child of a child, folders that nobody may read, 40 MB on the terminal."""


def sleeping(sleep):
    word = f"signal.SIG_IGN); time.sleep({sleep})"
    return {pid for pid, command in processes(word).items() if " -c import" in command}


def test_what_a_model_leaves_behind_is_gone(ran, isolation, sleep):
    begun = time.monotonic()
    ignoring = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    verdict = ran(byop(top=ignoring, create=LEFT_BEHIND.replace("SECONDS", sleep)), USUAL, rows=ROWS)
    assert time.monotonic() - begun < 120
    assert (verdict.word, told(verdict), verdict.isolation) == ("passed", [], isolation)
    assert [row["y"] for row in verdict.answered] == [2.0, 4.0, 6.0]
    assert sleeping(sleep) == set()


@pytest.mark.parametrize("part", ["create", "predict"])
def test_what_a_model_leaves_behind_is_gone_when_it_fails(ran, isolation, part, sleep):
    verdict = ran(byop(**{part: LEFT_BEHIND.replace("SECONDS", sleep) + "\nos._exit(3)"}), USUAL, rows=ROWS)
    assert (verdict.word, only(verdict).code) == ("failed", "WLR712" if part == "create" else "WLR714")
    assert "exit code 3" in only(verdict).message
    assert sleeping(sleep) == set()


def test_a_connection_reaches_nobody_where_it_can_be_kept_from_it(ran, isolation):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        verdict = ran(
            byop(predict=f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"), USUAL, rows=ROWS
        )
        show(verdict)
        if isolation == "none":
            assert verdict.word == "passed"
            server.accept()[0].close()
            return
        assert (verdict.word, only(verdict).code) == ("failed", "WLR713")
        assert "ConnectionRefusedError" in only(verdict).message
        assert "no network" in only(verdict).fix
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_model_may_talk_to_itself(ran, isolation):
    talk = """
    import socket
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), 3)
    """
    verdict = ran(byop(create=talk), USUAL, rows=ROWS)
    assert (verdict.word, told(verdict)) == ("passed", [])


def test_the_users_environment_is_not_seen(ran, isolation, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_A_USER", "a-secret-of-theirs")
    verdict = ran(byop(predict="raise ValueError(sorted(os.environ), list(os.environ.values()))"), USUAL, rows=ROWS)
    assert "'PATH'" in only(verdict).message
    for word in ("TOKEN_OF_A_USER", "a-secret-of-theirs", "WALLAROO", "UV_", str(Path.home()) + "'"):
        assert word not in only(verdict).message


def test_nothing_is_written_to_the_machine(ran, monkeypatch):
    monkeypatch.setenv("HATCH_WALLAROO_ISOLATION", "bubblewrap")
    word = "hw-" + uuid.uuid4().hex
    places = [f"/{word}", f"/home/{word}", f"/root/{word}", f"/tmp/{word}", f"/var/tmp/{word}", f"{Path.home()}/{word}"]
    code = f"""
    made = []
    for place in ["{word}", os.path.expanduser("~/{word}"), *{places!r}]:
        try:
            open(place, "w").close()
            made.append(place)
        except OSError:
            pass
    raise ValueError(made)
    """
    verdict = ran(byop(predict=code), USUAL, rows=ROWS)
    assert f"'{word}', '/" in only(verdict).message
    assert f"'/tmp/{word}'" in only(verdict).message
    assert not [each for each in places if os.path.lexists(each)]
    assert not [each for each in ("/etc", "/usr") if os.path.lexists(f"{each}/{word}")]


PACKAGES = """
import numpy
path = os.path.join(os.path.dirname(numpy.__file__), "written_by_a_model.py")
open(path, "w").close()
"""


def test_packages_in_the_cache_stay_as_they_were(ran, isolation, tmp_path, monkeypatch):
    """In a cache of its own: what is removed here is nobody else's."""
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))
    verdict = ran(byop(create=PACKAGES), USUAL, rows=ROWS)
    show(verdict)
    if isolation == "bubblewrap":
        assert only(verdict).code == "WLR711"
        assert "Read-only file system" in only(verdict).message
        assert "temporary folder" in only(verdict).fix
    else:
        assert (verdict.word, only(verdict).code) == ("passed", "WLR743")
        assert only(verdict).message.endswith("site-packages/numpy/written_by_a_model.py")
    environments = list((tmp_path / "cache" / "environments").glob("*/bin"))
    assert len(environments) == (1 if isolation == "bubblewrap" else 0)
    for each in environments:
        (array,) = each.parent.glob("lib/python*/site-packages/numpy/__init__.py")
        assert not array.with_name("written_by_a_model.py").exists()
        assert array.stat().st_nlink == 1


RECORD = """
import glob, json
path = "record.jsonl"
junk = [{"event": "failed", "causes": [{"type": [], "message": {}, "frames": ["x", {"file": 1, "line": "y"}]}]}]
junk += [{"event": "failed", "causes": []}, {"event": "failed", "causes": 3}, {"event": "loaded", "seconds": "soon"}]
junk += [{"event": "call", "type": "dict", "peak": 10**400, "fields": {"y": {"dtype": 3, "largest": 10**400,
    "fractions": [], "items": 3, "shape": "x"}}}, {"event": 3}, [], None]
with open(path, "a") as stream:
    for each in junk:
        stream.write(json.dumps(each) + "\\n")
    stream.write("{" * 100000)
"""


@pytest.mark.parametrize(
    "more",
    [
        "",
        "os.unlink(path); os.mkfifo(path)",
        "os.unlink(path); os.symlink('/dev/zero', path)",
        "os.unlink('log.txt'); os.mkfifo('log.txt'); os._exit(1)",
        "os._exit(1)",
    ],
)
def test_a_record_that_is_tampered_with_breaks_nothing(ran, more):
    verdict = ran(byop(create=f"{RECORD}\n{more}"), USUAL, rows=ROWS)
    show(verdict)
    assert verdict.word == ("failed" if "_exit" in more else "passed")


@pytest.mark.parametrize(
    "code",
    [
        "os.unlink('s')",
        "os.rename('s', 't')",
        "os.closerange(3, 4096)",
        "os.chmod('.', 0)",
        "os.kill(os.getppid(), 15)",
    ],
)
def test_a_model_that_takes_its_own_connection_away(ran, code):
    begun = time.monotonic()
    verdict = ran(byop(predict=code), SHORT, rows=ROWS)
    show(verdict)
    assert time.monotonic() - begun < 120
    assert verdict.word == "passed" or only(verdict).code in {"WLR713", "WLR714", "WLR715"}
