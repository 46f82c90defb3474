"""A trial run: the image is started, asked for the sample's rows, and ended as the platform would end it.

The container is asked from within, by a program that its own Python runs: so it does not matter on which machine the
engine is, and nothing listens on a port of that machine.
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.frameworks.mlflow.signature import RowForm
from hatch_wallaroo.image.engine import Engine, ImageError, asking, mishaps
from hatch_wallaroo.schema.types import ListOf, Scalar, Schema, Struct, Type
from hatch_wallaroo.text import one_line, uncolored

PORT = 8080
LONGEST_START = 120
"""Seconds until `/ping` must have been answered."""
LONGEST_END = 10
"""Seconds until SIGTERM must have ended the container."""

_LOG_LINES = 20
_RECORDS = "application/json; format=pandas-records"
_BODY = "hatch-wallaroo-rows.json"
_PROGRAM = """
import http.client, os, sys, time
def ask(method, path, *more):
    there = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    there.request(method, path, *more)
    answer = there.getresponse()
    return answer.status, answer.read()
if sys.argv[2] == "ping":
    until = time.monotonic() + float(sys.argv[3])
    while True:
        try:
            if ask("GET", "/ping")[0] == 200:
                sys.exit()
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > until:
            sys.exit(9)
        time.sleep(0.05)
with open(sys.argv[4], "rb") as stream:
    status, answer = ask("POST", "/invocations", stream.read(), {"Content-Type": sys.argv[3]})
sys.stdout.buffer.write(b"%d\\n" % status + answer)
"""
"""Asks the server from within its container; what has Python 3.8 runs it."""
_TOO_LATE = 9


@dataclass(frozen=True)
class Trial:
    """What a trial run showed. Times are seconds; `rows` were answered, `misfits` say where answers miss the schema."""

    started: float
    ended: float
    rows: int
    misfits: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.misfits


def run(
    engine: Engine, image: str, rows: Sequence[Mapping[str, Any]], outputs: Schema | None, form: RowForm = "records"
) -> Trial:
    """Start an image, ask for `/ping`, then for the rows, compare the answers with the schema, and end it.

    The container is removed whatever happens. Raises ImageError where it does not start, answer or end.
    """
    with _container(engine, image) as container, asking(f"the engine lost the container of {image}"):
        begun = time.monotonic()
        _wait(container)
        started = time.monotonic() - begun
        found: tuple[str, ...] = ()
        if rows:
            found = tuple(misfits(_ask(container, rows, form), len(rows), outputs))
        return Trial(started, _end(container), len(rows), found)


@contextlib.contextmanager
def _container(engine: Engine, image: str) -> Iterator[Any]:
    # By a name of ours it can be removed also where the answer to its making is not waited for.
    name = f"hatch-wallaroo-trial-{uuid.uuid4().hex}"
    try:
        with asking(f"{image} could not be started"):
            made = engine.client.containers.create(image, name=name, labels={"io.github.hatch-wallaroo.trial": "true"})
            made.start()
        yield made
    finally:
        engine.remove_container(name)


def _wait(container: Any) -> None:
    """Wait for `/ping`; raises ImageError where the server does not come, or goes."""
    code, _ = _within(container, "ping", str(LONGEST_START))
    if code == 0:
        return
    _look(container, "before it answered")
    if code == _TOO_LATE:
        raise ImageError(f"the container does not answer /ping after {LONGEST_START} s", "", _log(container))
    fix = "image.base must bring a python that is on PATH"
    raise ImageError(f"the container cannot be asked: its python ends with exit code {code}", fix, _log(container))


def _ask(container: Any, rows: Sequence[Mapping[str, Any]], form: RowForm) -> Any:
    container.put_archive("/tmp", _packed(_body(rows, form)))  # noqa: S108 - the container's
    kind = _RECORDS if form == "records" else "application/json"
    code, output = _within(container, "ask", kind, f"/tmp/{_BODY}")  # noqa: S108
    if code:
        _look(container, "while it was asked")
        raise ImageError("/invocations was not answered", "its last lines say why", _log(container))
    status, _, answer = output.partition(b"\n")
    if status != b"%d" % HTTPStatus.OK:
        number, words = status.decode("ascii", "replace"), one_line(answer.decode("utf-8", "replace"))[:400]
        fix = "compare the sample's rows with what the model takes"
        raise ImageError(f"/invocations answers {number}: {words}", fix, _log(container))
    try:
        return parse_json(answer)
    except JsonError as error:
        raise ImageError("/invocations answers something that is not JSON", "", _log(container)) from error


def _body(rows: Sequence[Mapping[str, Any]], form: RowForm) -> bytes:
    if form == "records":
        return json.dumps(list(rows)).encode()
    bare = form == "values"
    instances = [next(iter(row.values())) if bare and len(row) == 1 else row for row in rows]
    return json.dumps({"instances": instances}).encode()


def _packed(body: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo(_BODY)
        info.size, info.mode = len(body), 0o644
        tar.addfile(info, io.BytesIO(body))
    return packed.getvalue()


def _within(container: Any, *arguments: str) -> tuple[int, bytes]:
    """Run the asking program in the container; its exit code and what it printed."""
    from docker.errors import APIError

    try:
        code, (output, _) = container.exec_run(["python", "-c", _PROGRAM, str(PORT), *arguments], demux=True)
    except APIError as error:
        _look(container, "before it answered")
        raise ImageError(f"the container cannot be asked: {one_line(str(error))[:300]}", "", _log(container)) from error
    return (-1 if code is None else int(code)), output or b""


def _look(container: Any, when: str) -> None:
    """Raise ImageError where the container has ended."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        container.reload()
        if container.status in {"exited", "dead"}:
            code = container.attrs.get("State", {}).get("ExitCode")
            raise ImageError(
                f"the container ended by itself (exit code {code}) {when}",
                "its last lines say why: most often a missing requirement, or a model of another version",
                _log(container),
            )
        time.sleep(0.1)


def _end(container: Any) -> float:
    """SIGTERM, and how long it took; raises ImageError where the container has to be killed."""
    begun = time.monotonic()
    container.kill("SIGTERM")
    while (took := time.monotonic() - begun) < LONGEST_END:
        container.reload()
        if container.status == "exited":
            return took
        time.sleep(0.1)
    raise ImageError(
        f"the container does not end within {LONGEST_END} s after SIGTERM",
        "the image's first process must be the server itself",
    )


def _log(container: Any) -> tuple[str, ...]:
    with contextlib.suppress(*mishaps()):
        text = container.logs(tail=_LOG_LINES).decode("utf-8", "replace")
        return tuple(one_line(line) for line in uncolored(text).splitlines())
    return ()


_MOST = 10


def misfits(answer: Any, rows: int, schema: Schema | None) -> Iterator[str]:
    """Where an answer (pandas records: a list of rows) is not what the schema says; at most ten places.

    A bare value in the place of a row, as scikit-learn models answer, stands for the schema's only field.
    """
    if not isinstance(answer, list):
        yield f"the answer is no list of rows but {_kind(answer)}"
        return
    if len(answer) != rows:
        yield f"{rows} rows were sent, and {len(answer)} came back"
    if schema is None:
        return
    found = (problem for number, row in enumerate(answer) for problem in _row(number, row, schema))
    for count, problem in enumerate(found):
        if count == _MOST:
            yield "and more"
            return
        yield problem


def _row(number: int, row: Any, schema: Schema) -> Iterator[str]:
    if not isinstance(row, Mapping):
        if len(schema.fields) != 1:
            yield f"row {number} is {_kind(row)}, and the schema has {len(schema.fields)} fields"
            return
        row = {schema.fields[0].name: row}
    for name in row:
        if schema.get(str(name)) is None:
            yield f"row {number} has {name!r}, which is not in the output schema"
    for field in schema.fields:
        if field.name not in row:
            if not field.optional:
                yield f"row {number} lacks {field.name!r}"
        elif problem := _value(row[field.name], field.type):
            yield f"row {number}, {field.name}: {problem}"


def _value(value: Any, type_: Type) -> str:
    """What is wrong with a value; empty where nothing is. Widths of numbers do not matter: the platform casts them."""
    match type_:
        case ListOf():
            if not isinstance(value, list):
                return f"{_kind(value)} instead of a list"
            if type_.size is not None and len(value) != type_.size:
                return f"{len(value)} items instead of {type_.size}"
            return next((problem for each in value if (problem := _value(each, type_.item))), "")
        case Struct():
            return "" if isinstance(value, Mapping) else f"{_kind(value)} instead of a table"
        case Scalar(name):
            return _scalar(value, name)
        case _:
            return ""


def _scalar(value: Any, name: str) -> str:
    if value is None:
        return ""
    wanted = {"string": str, "bool": bool}.get(name)
    if wanted is None and name.startswith(("int", "uint", "float", "double", "decimal")):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if good and name.startswith(("int", "uint")) and isinstance(value, float) and not value.is_integer():
            return f"{value} is cut to a whole number by {name}"
        return "" if good else f"{_kind(value)} instead of {name}"
    return "" if wanted is None or isinstance(value, wanted) else f"{_kind(value)} instead of {name}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "another value")
