"""`serve`, `infer` and `bench` as commands: what they refuse, and how they run the real runtime from start to end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from hatch_wallaroo.cli.commands import commands
from hatch_wallaroo.preflight.announcement import serving
from support import peers
from support.fronts import REPOSITORY

EXAMPLES = REPOSITORY / "example-projects"
PROGRAM = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from hatch_wallaroo.cli import main
main()
"""


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("dist")))


@pytest.fixture
def steps(tmp_path) -> Path:
    return copied("three-steps", tmp_path)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, list(arguments), standalone_mode=True)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serve nosuch", "the project has no model nosuch"),
        ("serve --steps house-prices,nosuch", "the project has no model nosuch"),
        ("serve --steps a,,b", "does not name models with commas between them"),
        ("serve --steps dist/a.zip", "does not name models with commas between them"),
        ("serve house-prices --steps house-prices", "--steps names the models itself"),
        ("serve dist/none.zip", "none.zip"),
        ("serve dist/none.zip --watch", "--watch is for models of the project"),
        ("serve --port 70000", "--port"),
        ("serve --memory 0", "--memory"),
        ("infer --data rows.txt", "rows.txt: no ending that tells how it is read"),
        ("infer --data broken.json", "broken.json is broken in line 1"),
        ("infer --data empty.json", "empty.json holds no rows"),
        ("infer --data misfit.json", "misfit.json: row 1 has no field 'bedrooms'"),
        ("infer house-prices-scale --data text.json", "text.json: 'sqft' does not fit int64"),
        ("infer --output answer.xlsx", "answer.xlsx: no ending that tells how it is written"),
        ("infer --output none/answer.csv", "there is no folder"),
        ("infer nosuch", "the project has no model nosuch"),
        ("infer --url http://192.0.2.1:80", "is not on this machine"),
        ("infer --url 127.0.0.1", "is no address as serve prints it"),
        ("infer --url http://127.0.0.1:9", "nothing of this user's is served"),
        ("infer --url http://127.0.0.1:9 --steps a", "--url asks what is up already"),
        ("bench --batches 0", "numbers from 1 to 1,000,000"),
        ("bench --batches 1,x", "numbers from 1 to 1,000,000"),
        ("bench --batches 1,,2", "numbers from 1 to 1,000,000"),
        ("bench --seconds 0", "--seconds"),
        ("bench nosuch", "the project has no model nosuch"),
        ("bench house-prices-scale --data misfit.json", "misfit.json: row 1 has no field 'bedrooms'"),
    ],
)
def test_what_cannot_be_asked_for(steps, cache, monkeypatch, arguments, message):
    """Each is refused before anything is installed or started."""
    monkeypatch.chdir(steps)
    monkeypatch.delenv("HATCH_WALLAROO_SERVE_TOKEN", raising=False)
    (steps / "broken.json").write_text("[{")
    (steps / "empty.json").write_text("[]")
    (steps / "misfit.json").write_text('[{"other": 1}]')
    (steps / "text.json").write_text('[{"bedrooms": 1, "bathrooms": 1, "sqft": "much", "age": 1}]')
    code, output = command(*arguments.split())
    assert (code, "Traceback" in output) == (2, False), output
    assert message in output
    assert not (cache / "environments").exists()


def test_models_that_do_not_follow_each_other_are_no_pipeline(steps, cache, monkeypatch):
    monkeypatch.chdir(steps)
    path = steps / "pyproject.toml"
    text = path.read_text()
    table = text[text.index("[tool.wallaroo.models.house-prices]") : text.index("[tool.wallaroo.models.house-prices-d")]
    path.write_text(text.replace(table, ""))
    code, output = command("infer")
    assert code == 2, output
    assert "the project's models are no pipeline" in output
    assert "name one of them: house-prices-scale, house-prices-dollars" in output


def test_errors_of_the_checks_come_first(steps, cache):
    (steps / "steps" / "scale.py").write_text("raise ValueError('no')\n")
    for name in ("serve", "infer", "bench"):
        code, output = command(name, "-p", str(steps))
        assert code == 1
        assert "nothing was run" in output


class Running:
    """A `serve` in a process of its own, which has said where it is."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.project = project
        self.log = project.parent / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "serve", "-p", str(project), "--json", *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        said = ""
        for line in self.process.stdout or ():
            said += line
            if line == "}\n":
                break
        if not said and "no Python" in self.text():
            peers.missing("no Python of the release")
        assert said, self.text()
        self.told = json.loads(said)

    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while text not in self.text():
            assert time.monotonic() < until, self.text()
            time.sleep(0.1)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def runtime(monkeypatch):
    peers.needs_marker("the runtime of the SDK")
    if shutil.which("uv") is None:
        peers.missing("uv is not installed")
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))


@pytest.fixture
def start(runtime):
    made: list[Running] = []

    def started(project: Path, *arguments: str) -> Running:
        made.append(Running(project, *arguments))
        return made[-1]

    yield started
    for each in made:
        with each.process:
            each.process.kill()


def infer(project: Path, *arguments: str) -> list[dict[str, object]]:
    code, output = command("infer", "-p", str(project), "--json", *arguments)
    assert code == 0, output
    return json.loads(output[output.index("{\n") :])["answers"]


def outs(rows) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key.startswith("out.")} for row in rows]


PRICES = [
    {"out.dollars": 314017, "out.range": [262289, 375947]},
    {"out.dollars": 775838, "out.range": [648034, 928847]},
]


@pytest.mark.peer
@pytest.mark.slow
def test_a_pipeline_of_three_stays_up_while_its_code_changes(start, steps, tmp_path):
    running = start(steps, "--watch")
    told = running.told
    assert told["models"]["pipeline"] == ["house-prices-scale", "house-prices", "house-prices-dollars"]
    processes = models_of(running.process.pid)
    assert len(processes) == 3

    assert outs(infer(steps)) == PRICES
    (price,) = infer(steps, "house-prices", "--data", str(one_row(tmp_path)))
    assert price["out.price"] == pytest.approx([12.6572], abs=1e-4)
    assert "pipeline: 2 rows, answered" in running.text()

    question = urllib.request.Request(
        told["addresses"]["house-prices-scale"],
        json.dumps([{"bedrooms": 3, "bathrooms": 1, "sqft": 1180, "age": 60}]).encode(),
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(question, timeout=30)
    assert refused.value.code == 401
    question.add_header("Authorization", f"Bearer {told['token']}")
    with urllib.request.urlopen(question, timeout=30) as response:
        (row,) = json.load(response)
    assert row["out.tensor"] == pytest.approx([-0.444444, -1.375, -0.980392, 0.586207], abs=1e-5)

    dollars = steps / "steps" / "dollars.py"
    good = dollars.read_text()
    dollars.write_text(good.replace("OFF_BY = 0.18", "OFF_BY = 0.0"))
    running.wait_for("house-prices-dollars was loaded again")
    assert outs(infer(steps))[0] == {"out.dollars": 314017, "out.range": [314017, 314017]}

    dollars.write_text(good + "\nimport nothing_of_the_kind\n")
    running.wait_for("house-prices-dollars stays as it was")
    assert re.search(r"error: house-prices-dollars: steps/dollars\.py:\d+: ModuleNotFoundError", running.text())
    dollars.write_text(good + "\nprint(\n")
    running.wait_for("the models stay as they were")
    assert outs(infer(steps))[0]["out.range"] == [314017, 314017]

    dollars.write_text(good)
    until = time.monotonic() + 60
    while outs(infer(steps)) != PRICES:
        assert time.monotonic() < until, running.text()
    (steps / "notes.txt").write_text("nothing of the models")
    running.wait_for("changed: notes.txt (the models are the same)")
    processes = models_of(running.process.pid)
    assert len(processes) == 3

    folders = private_folders(running.process.pid)
    assert len(folders) >= 4
    assert running.end(signal.SIGINT) == 0
    gone(processes, folders)
    assert not any(each.project == os.path.realpath(steps) for each in serving())


@pytest.mark.peer
@pytest.mark.slow
def test_what_a_model_prints_follows_and_steers_no_terminal(start, tmp_path):
    project = copied("byop-own-classes", tmp_path)
    module = project / "inference.py"
    text = module.read_text()
    assert "    def _predict(" in text
    body = re.sub(
        r"(    def _predict\([^\n]*\n)", r'\1        print("asked\\x1b[2J" + "!" * 5000, flush=True)\n', text, count=1
    )
    module.write_text(body)
    running = start(project)
    assert len(infer(project)) == 3
    running.wait_for("rental-bikes | asked\\x1b[2J!!!")
    assert "\x1b" not in running.text()
    assert max(map(len, running.text().splitlines())) < 1200
    processes, folders = models_of(running.process.pid), private_folders(running.process.pid)
    assert running.end(signal.SIGTERM) == 0
    gone(processes, folders)


@pytest.mark.peer
@pytest.mark.slow
def test_a_serve_that_is_killed_takes_its_models_along(start, tmp_path):
    project = copied("byop-own-classes", tmp_path)
    running = start(project)
    processes = models_of(running.process.pid)
    assert processes
    running.process.kill()
    running.process.wait()
    until = time.monotonic() + 20
    while any(map(alive, processes)):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert not any(each.project == os.path.realpath(project) for each in serving())


@pytest.mark.peer
@pytest.mark.slow
def test_one_question_without_a_serve(runtime, tmp_path):
    project = copied("byop-own-classes", tmp_path)
    rows = infer(project)
    assert [row["out.bikes"] for row in rows] == pytest.approx([40.25449, 121.3217, 252.66607], abs=1e-4)
    code, output = command("infer", "-p", str(project), "--output", str(tmp_path / "a.csv"))
    assert code == 0, output
    assert (tmp_path / "a.csv").read_text().startswith('"time","in.hour","in.weather","out.bikes"')
    code, output = command("infer", "-p", str(project))
    assert re.search(r"^in\.hour\tin\.weather\tout\.bikes\n3\t\[4\.0, 6\.5\]\t40\.25", output, re.MULTILINE), output

    module = project / "inference.py"
    module.write_text(module.read_text().replace('input_data["hour"]', 'input_data["hour"].reshape(7, 11)'))
    code, output = command("infer", "-p", str(project))
    assert code == 1
    assert re.search(r"error: rental-bikes: inference\.py:\d+: ValueError: cannot reshape array", output), output


@pytest.mark.peer
@pytest.mark.slow
def test_a_bench_says_what_it_measured(runtime, tmp_path):
    project = copied("byop-own-classes", tmp_path)
    begun = time.monotonic()
    code, output = command("bench", "-p", str(project), "--seconds", "2", "--batches", "1,100", "--json")
    assert code == 0, output
    assert time.monotonic() - begun < 60
    made = json.loads(output[output.index("{\n") :])
    assert "not the platform" in made["note"]
    (found,) = made["benches"]
    assert (found["model"], found["loader"], found["not_measured"]) == ("rental-bikes", "platform", [])
    one, hundred = found["batches"]
    assert (one["rows"], hundred["rows"]) == (1, 100)
    for each in (one, hundred):
        assert 0 < each["min_seconds"] <= each["median_seconds"] <= each["p95_seconds"]
        assert 0 < each["model_median_seconds"] < each["median_seconds"]
        assert 0 < each["runtime_median_seconds"] < each["median_seconds"]
        assert each["rows_per_second"] == pytest.approx(each["rows"] / each["median_seconds"])
        assert each["calls"] > 5
    assert hundred["rows_per_second"] > one["rows_per_second"]


def one_row(folder: Path) -> Path:
    path = folder / "row.jsonl"
    path.write_text('{"tensor": [-0.444444, -1.375, -0.980392, 0.586207]}\n')
    return path


def models_of(pid: int) -> list[int]:
    """The processes that a `serve` holds its models in: its children."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def private_folders(pid: int) -> list[Path]:
    """The private folders that a process, or what it started, works in or holds."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        target = each.readlink()
        found |= {parent for parent in target.parents if parent.name.startswith("hw-")}
    marks = peers.folder() / "preflight" / "runs"
    for each in Path(f"/proc/{pid}/fd").iterdir():
        target = each.readlink()
        if target.parent == marks:
            found.add(Path(target.read_text().strip()))
    return sorted(found)


def gone(processes: list[int], folders: list[Path]) -> None:
    assert folders
    assert not [each for each in processes if alive(each)]
    assert not [each for each in folders if each.exists()]
