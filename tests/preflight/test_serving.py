"""Models that are kept running: asked from several threads, started again where they ended, gone when closed."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hatch_wallaroo.preflight import process
from hatch_wallaroo.preflight.preparing import Options, Prepared
from hatch_wallaroo.preflight.process import Limits
from hatch_wallaroo.preflight.rows import to_batch
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.preflight.serving import ClosedError, Served
from support import peers
from support.left_running import processes

STEP = """\
import os
import time
from mac.types import InferenceData

print("loading", flush=True)

def process_data(input_data: InferenceData) -> InferenceData:
    first = input_data["x"][0]
    if first == 13:
        os._exit(3)
    if first == 17:
        time.sleep(600)
    if first == 19:
        raise ValueError("no nineteen")
    print("asked", first, flush=True)
    return {"y": input_data["x"] * 2}
"""
PROJECT = {
    "pyproject.toml": """\
[project]
name = "doubled"
version = "1.0.0"

[tool.wallaroo]
framework = "python"
release = "2026.1"
model = "step"
requirements = []
input-schema = { x = "float64" }
output-schema = { y = "float64" }
""",
    "step/step.py": STEP,
}


def test_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert process.last_lines(log, 3) == []
    log.write_text("one\n\ntwo\nthree\nfour\n")
    assert process.last_lines(log, 3) == ["two", "three", "four"]


@pytest.mark.peer
@pytest.mark.slow
class TestServed:
    """On the runtime of 2026.1."""

    @pytest.fixture
    def opened(self, prepared_subject):
        subject, prepared = prepared_subject(PROJECT)
        options = Options(limits=Limits(start=60, call=3))
        with Served.open(subject, options, lambda _: None, prepared) as served:
            yield served

    @staticmethod
    def asked(served: Served, *values: float) -> list[float]:
        batch = to_batch([{"x": value} for value in values], served.subject.input_schema, "test")
        return served.ask(batch).batch.column("y").to_pylist()

    def test_answers_and_goes(self, opened: Served) -> None:
        folder = opened.log.parent
        assert self.asked(opened, 1, 2) == [2, 4]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda each: self.asked(opened, each), range(1, 9)))
        assert found == [[2 * each] for each in range(1, 9)]
        assert opened.logs(1)[0].startswith("asked ")
        with pytest.raises(ModelError, match="no nineteen") as raised:
            self.asked(opened, 19)
        assert (raised.value.finding.place.file, raised.value.finding.place.line) == ("step/step.py", 14)
        assert raised.value.words == "`PythonStep` call failed.; no nineteen"
        assert self.asked(opened, 1) == [2]
        opened.close()
        assert not folder.exists()
        assert processes(str(folder)) == {}
        with pytest.raises(ClosedError):
            self.asked(opened, 1)

    @pytest.mark.parametrize(("number", "says"), [(13, "its process ended with exit code 3"), (17, "no answer after")])
    def test_starts_again(self, opened: Served, number: int, says: str) -> None:
        with pytest.raises(ModelError, match=says):
            self.asked(opened, number)
        assert not opened.running
        assert self.asked(opened, 1) == [2]
        assert opened.logs(200).count("loading") == 2  # between them stands where it was when it was late
        assert [each.name for each in opened.log.parent.iterdir() if each.is_dir()] == ["2"]

    def test_outlives_the_thread_that_opened_it(self, prepared_subject) -> None:
        subject, prepared = prepared_subject(PROJECT)
        made: list[Served] = []
        thread = threading.Thread(target=lambda: made.append(Served.open(subject, Options(), lambda _: None, prepared)))
        thread.start()
        thread.join()
        time.sleep(0.3)
        with made[0] as served:
            assert served.running
            assert self.asked(served, 4) == [8]
            assert served.logs().count("loading") == 1

    def test_closing_ends_a_question(self, opened: Served) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.asked, opened, 17)
            time.sleep(0.5)
            begun = time.perf_counter()
            opened.close()
            assert time.perf_counter() - begun < 2.5
            with pytest.raises(ModelError):
                waiting.result()

    def test_standard_error_stays(self, opened: Served) -> None:
        """Each exchange takes it away for its time, several of them at once give it back, too."""
        before = os.fstat(2)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda each: self.asked(opened, each), range(1, 12)))
        after = os.fstat(2)
        assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)


@pytest.fixture
def prepared_subject(tmp_path, monkeypatch):
    """A project's only model, and what it needs to run, which is made once for all tests."""
    from preflight.conftest import subjects

    peers.needs_marker("the runtime of the SDK")
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))

    def make(files: dict[str, str]):
        for name, content in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        (subject,) = subjects(tmp_path / "project", tmp_path / "out")
        return subject, prepared(subject)

    return make


_PREPARED: list[Prepared] = []


def prepared(subject) -> Prepared:
    from hatch_wallaroo.preflight.preparing import PreflightError, prepare

    if not _PREPARED:
        try:
            _PREPARED.append(prepare(subject, Options(), lambda _: None))
        except PreflightError as error:
            peers.missing(f"{error}: {error.fix}")
    return _PREPARED[0]
