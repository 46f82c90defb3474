"""Steps one after the other: columns cast to the next one's schema, answers as the platform's pipelines give them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Callable
from types import SimpleNamespace

import pyarrow as pa
import pytest

from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.client import Answer
from hatch_wallaroo.preflight.pipeline import FitError, Passed, StepError, fitted, follows, records, table, through
from hatch_wallaroo.preflight.running import ModelError
from hatch_wallaroo.schema.tables import read_schema


def schema(**fields):
    made, problems = read_schema(fields)
    assert not problems
    return made


@dataclasses.dataclass
class Step:
    """A step in this process; it keeps what it was asked."""

    name: str
    work: Callable[[pa.RecordBatch], pa.RecordBatch]
    takes: object = None
    asked: list[pa.RecordBatch] = dataclasses.field(default_factory=list)

    @property
    def subject(self):
        return SimpleNamespace(name=self.name, input_schema=self.takes)

    def ask(self, batch):
        self.asked.append(batch)
        return Answer(self.work(batch), 0.25)


def batch(**columns):
    return pa.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize(
    ("given", "wanted", "type_"),
    [
        (pa.array([1, 2]), "float64", pa.float64()),
        (pa.array([1.5, 2.5]), "float32", pa.float32()),
        (pa.array([1.0, 2.0]), "int64", pa.int64()),
        (pa.array([[1.0, 2.0], [3.0, 4.0]]), "float32[2]", pa.list_(pa.float32(), 2)),
        (pa.array([[1.0, 2.0]] * 2, pa.list_(pa.float64(), 2)), "float64[*]", pa.list_(pa.float64())),
        (pa.array(["1", "2"]), "int64", pa.int64()),
    ],
)
def test_columns_are_cast(given, wanted, type_):
    made = fitted(pa.RecordBatch.from_arrays([given], ["x"]), schema(x=wanted))
    assert made.column("x").type == type_
    assert made.column("x").to_pylist() == [int(each) if isinstance(each, str) else each for each in given.to_pylist()]


def test_fields_come_in_the_schemas_order_and_no_others():
    made = fitted(batch(c=["x"], b=[1], a=[2]), schema(a="int64", b="int64"))
    assert made.to_pylist() == [{"a": 2, "b": 1}]
    assert made.schema.names == ["a", "b"]


def test_without_a_schema_nothing_is_changed():
    given = batch(b=[1], a=[2])
    assert fitted(given, None) is given


@pytest.mark.parametrize(
    ("given", "wanted", "message"),
    [
        (batch(y=[1]), {"x": "int64"}, "its input schema has 'x', which did not come"),
        (batch(y=[1]), {"x": "int64", "z": "int64"}, "its input schema has 'x', 'z', which did not come"),
        (batch(x=[1.5]), {"x": "int64"}, "'x' is double, not int64: "),
        (batch(x=["a"]), {"x": "float64"}, "'x' is string, not double: "),
        (batch(x=[[1.0, 2.0, 3.0]]), {"x": "float32[2]"}, "'x' is list<item: double>, not fixed_size_list"),
        (batch(x=[1]), {"x": "float32[2]"}, "'x' is int64, not fixed_size_list"),
    ],
)
def test_what_does_not_fit_is_said(given, wanted, message):
    with pytest.raises(FitError) as raised:
        fitted(given, schema(**wanted))
    assert str(raised.value).startswith(message)
    assert raised.value.fix


def test_each_step_is_asked_with_the_answer_before():
    halves = Step("halves", lambda each: batch(h=[value / 2 for value in each.column("x").to_pylist()], more=["m"] * 2))
    whole = Step(
        "whole", lambda each: batch(y=[value * 10 for value in each.column("h").to_pylist()]), schema(h="int64")
    )
    passed = through([halves, whole], batch(x=[4, 6]))
    assert whole.asked[0].to_pylist() == [{"h": 2}, {"h": 3}]
    assert whole.asked[0].schema.field("h").type == pa.int64()
    assert passed.asked.to_pylist() == [{"x": 4}, {"x": 6}]
    assert passed.answered.to_pylist() == [{"y": 20}, {"y": 30}]
    assert passed.seconds == (0.25, 0.25)


def test_the_step_that_fails_is_named():
    halves = Step("halves", lambda each: batch(h=[value / 2 for value in each.column("x").to_pylist()]))
    whole = Step("whole", lambda each: each, schema(h="int64"))
    with pytest.raises(StepError, match=r"whole: 'h' is double, not int64") as raised:
        through([halves, whole], batch(x=[5]))
    assert raised.value.step == "whole"
    assert raised.value.words == str(raised.value.cause)
    assert not whole.asked

    def fails(_):
        raise ModelError(rules.NOT_ANSWERED.finding("no", fix="do"), words="the platform's")

    with pytest.raises(StepError, match="halves: no") as raised:
        through([Step("halves", fails), whole], batch(x=[5]))
    assert (raised.value.words, raised.value.fix) == ("the platform's", "do")


def test_answers_are_those_of_the_platforms_pipelines():
    """As the requests that the SDK sent were answered: time, in., out., and the count or the failures."""
    made = table(Passed(batch(inputs=[[0.0, 1.0]]), batch(predictions=[14.0]), ()))
    assert made.schema.names == ["time", "in.inputs", "out.predictions", "anomaly.count"]
    assert made.schema.field("time").type == pa.int64()
    (row,) = records(made)
    assert abs(row.pop("time") / 1000 - dt.datetime.now(dt.timezone.utc).timestamp()) < 60
    assert row == {"in.inputs": [0.0, 1.0], "out.predictions": 14.0, "anomaly.count": 0}
    old = table(Passed(batch(inputs=[1]), batch(predictions=[14.0]), ()), anomalies=False)
    assert records(old)[0]["check_failures"] == []
    assert "anomaly.count" not in old.schema.names


@pytest.mark.parametrize(("asked", "answered"), [([1, 2, 3], [10]), ([1], [10, 20, 30]), ([], [])])
def test_other_numbers_of_rows_are_shown_as_they_are(asked, answered):
    passed = Passed(batch(x=pa.array(asked, pa.int64())), batch(y=pa.array(answered, pa.int64())), ())
    made = records(table(passed))
    assert [row["out.y"] for row in made] == answered
    assert [row["in.x"] for row in made] == [*asked, None, None, None][: len(answered)]


def test_rows_are_json():
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)
    answered = batch(a=[math.nan], b=[[math.inf, 1.0]], c=[b"\xff1"], d=[moment], e=[{"f": -math.inf}], g=[None])
    (row,) = records(table(Passed(batch(x=[1]), answered, ())))
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert (row["out.a"], row["out.b"], row["out.c"]) == (None, [None, 1.0], "\\xff1")
    assert (row["out.d"], row["out.e"], row["out.g"]) == ("2026-01-02T03:04:05+00:00", {"f": None}, None)


def test_whether_steps_follow_each_other():
    assert follows(schema(a="int64", b="int64"), schema(b="float32")) is True
    assert follows(schema(a="int64"), schema(b="float32")) is False
    assert follows(None, schema(b="float32")) is None
