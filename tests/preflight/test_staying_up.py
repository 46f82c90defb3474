"""What goes on beside models that stay up: their logs, the project's files, figures, and answers in files."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import csv, feather, parquet

from hatch_wallaroo.preflight import bench, changes
from hatch_wallaroo.preflight.answers import ENDINGS, write
from hatch_wallaroo.preflight.client import Answer
from hatch_wallaroo.preflight.following import LONGEST, MOST, Follower
from hatch_wallaroo.preflight.process import LARGEST_LOG, ModelProcess


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


def following(log):
    lines: list[str] = []
    return Follower(log, lines.append), lines


def test_lines_come_when_they_are_whole(log):
    follower, lines = following(log)
    follower.look()
    with log.open("ab", buffering=0) as stream:
        stream.write(b"one\n\ntw")
        follower.look()
        assert lines == ["one"]
        stream.write(b"o\r\n\xff\n")
        follower.look()
    assert lines == ["one", "two", "\ufffd"]


def test_what_came_at_the_end_is_shown(log):
    follower, lines = following(log)
    with follower:
        log.write_bytes(b"loading\nlast words")
    assert lines == ["loading", "last words"]


def test_another_file_begins_anew(log):
    follower, lines = following(log)
    log.write_text("first\nsecond\n")
    follower.look()
    log.unlink()
    follower.look()
    log.write_text("a\n")
    follower.look()
    log.write_text("")
    follower.look()
    log.write_text("b\n")
    follower.look()
    assert lines == ["first", "second", "a", "b"]


def test_a_flood_is_bounded(log):
    follower, lines = following(log)
    log.write_text("x\n" * (MOST + 50) + "y" * (10 * LONGEST) + "\n")
    follower.look()
    assert len(lines) == MOST
    follower._second = 0.0
    log.write_bytes(log.read_bytes() + b"z" * (10 * LONGEST) + b"\n")
    follower.look()
    assert lines[MOST] == "(51 more lines)"
    assert lines[MOST + 1] == "z" * LONGEST


def test_a_line_without_an_end_takes_no_memory(log):
    follower, _ = following(log)
    log.write_bytes(b"x" * 500_000)
    follower.look()
    assert len(follower._rest) <= 2 * LONGEST


def test_a_large_log_is_cut_and_goes_on(log):
    follower, lines = following(log)
    with log.open("ab", buffering=0) as stream:
        stream.write(b"x" * LARGEST_LOG + b"\nlast\n")
        follower.look()
        assert log.stat().st_size == 0
        stream.write(b"next\n")
        follower.look()
    assert lines[-2:] == ["last", "next"]


def test_a_link_in_a_logs_place_is_not_cut(log, tmp_path):
    """A model without isolation may put one there: what it leads to stays."""
    target = tmp_path / "precious"
    target.write_bytes(b"x" * (LARGEST_LOG + 10) + b"\n")
    log.symlink_to(target)
    follower, _ = following(log)
    follower.look()
    assert target.stat().st_size == LARGEST_LOG + 11


def test_a_reader_that_left_ends_the_following(log):
    def unread(_):
        raise BrokenPipeError

    log.write_text("a\n")
    with Follower(log, unread) as follower:
        follower._thread.join(5)
        assert not follower._thread.is_alive()


def test_files_that_changed_came_and_went(tmp_path):
    for name in ("a.py", "b.py", "c.py", "dist/x.zip", ".git/HEAD", "__pycache__/a.pyc", "env/pyvenv.cfg", "env/d.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    before = changes.look(tmp_path, without=tmp_path / "dist")
    assert {Path(each).name for each in before} == {"a.py", "b.py", "c.py"}
    for name in ("dist/x.zip", ".git/HEAD", "__pycache__/a.pyc", "env/d.py", "dist/y.zip"):
        (tmp_path / name).write_text("other")
    assert changes.difference(before, changes.look(tmp_path, without=tmp_path / "dist")) == []
    (tmp_path / "a.py").write_text("22")
    (tmp_path / "b.py").unlink()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "d.py").write_text("")
    found = changes.difference(before, changes.look(tmp_path, without=tmp_path / "dist"))
    assert [os.path.relpath(each, tmp_path) for each in found] == ["a.py", "b.py", "new/d.py"]


def test_a_file_that_was_exchanged_is_another(tmp_path):
    """As editors save: the same size and time, another file."""
    path, other = tmp_path / "a.py", tmp_path / "b"
    path.write_text("x = 1")
    other.write_text("x = 2")
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    before = changes.look(tmp_path)
    other.replace(path)
    assert str(path) in changes.difference(before, changes.look(tmp_path))


class Measurable:
    """Stands for a model: each row takes so many seconds, and the runtime as much again."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.own: list[float] = []
        self.sizes: list[int] = []

    def ask(self, batch):
        self.sizes.append(batch.num_rows)
        own = self.seconds * batch.num_rows
        self.own.append(own)
        time.sleep(own)
        return Answer(batch, 2 * own)

    def calls(self):
        return list(self.own)

    def forget_calls(self):
        self.own.clear()


BATCH = pa.RecordBatch.from_pydict({"x": [1.0, 2.0, 3.0]})


def test_figures_of_each_size():
    model = Measurable(0.0005)
    measured, left_out = bench.bench(model, BATCH, (1, 5), 0.4)
    assert left_out == []
    assert [each.rows for each in measured] == [1, 5]
    for each in measured:
        assert each.median == pytest.approx(0.001 * each.rows)
        assert each.own_median == pytest.approx(0.0005 * each.rows)
        assert each.overhead == pytest.approx(0.0005 * each.rows)
        assert each.rows_per_second == pytest.approx(1000)
        assert len(each.seconds) > 3
    assert set(model.sizes) == {1, 5}


def test_the_time_is_bounded():
    begun = time.perf_counter()
    measured, left_out = bench.bench(Measurable(0.01), BATCH, (1, 10, 100, 1000), 0.5)
    assert time.perf_counter() - begun < 4
    assert [each.rows for each in measured] == [1, 10]
    assert [each.rows for each in left_out] == [100, 1000]
    assert left_out[1].reason == "about 40 s would be needed"


def test_a_batch_is_bounded():
    batch = pa.RecordBatch.from_pydict({"x": pa.array([[0.0] * 100_000])})
    _, left_out = bench.bench(Measurable(0), batch, (1, 1000), 0.2)
    assert left_out == [bench.LeftOut(1000, "a batch would have 763 MiB")]


def test_a_record_that_lacks_calls_tells_no_part():
    model = Measurable(0.0001)
    model.calls = lambda: model.own[1:]
    (measured,), _ = bench.bench(model, BATCH, (1,), 0.05)
    assert (measured.own_median, measured.overhead) == (None, None)


def test_figures():
    measured = bench.Measured(10, tuple(each / 100 for each in range(1, 101)), tuple([0.005] * 100))
    assert (measured.median, measured.p95, measured.fastest) == (0.505, 0.95, 0.01)
    assert measured.overhead == pytest.approx(0.5)
    assert bench.Measured(1, (0.25,)).p95 == 0.25


def test_rows_begin_again():
    assert bench.repeated(BATCH, 7).column("x").to_pylist() == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]
    assert bench.repeated(BATCH, 2).column("x").to_pylist() == [1.0, 2.0]


def test_a_record_begins_anew(tmp_path):
    isolation, limits = SimpleNamespace(wrapped=lambda *_: []), SimpleNamespace()
    process = ModelProcess(tmp_path / "python", tmp_path, isolation, limits)
    process._files[process.record] = process.record.open("ab+")
    try:
        process.record.write_text('{"event": "call"}\n' * 3)
        process.forget(1000)
        assert len(process.events()) == 3
        process.forget()
        assert process.events() == []
    finally:
        process._files[process.record].close()


ANSWER = pa.table(
    {
        "time": [1, 1],
        "in.x": [1.5, math.nan],
        "in.t": pa.array([dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), None], pa.timestamp("ms")),
        "out.y": [[1.0, 2.0], None],
        "out.s": ['a "b"', "c,d"],
    }
)
READ = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    ".csv": lambda path: csv.read_csv(path).to_pylist(),
    ".parquet": lambda path: parquet.read_table(path).to_pylist(),
    ".arrow": lambda path: feather.read_table(path).to_pylist(),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_answers_in_files(tmp_path, ending):
    path = tmp_path / f"answer{ending}"
    path.write_text("before")
    write(ANSWER, path)
    one, two = READ[ending](path)
    assert (one["in.x"], one["out.s"], two["out.s"]) == (1.5, 'a "b"', "c,d")
    assert one["out.y"] == ("[1.0, 2.0]" if ending == ".csv" else [1.0, 2.0])
    if ending.startswith(".json"):
        assert two["in.x"] is None
    assert list(tmp_path.iterdir()) == [path]
