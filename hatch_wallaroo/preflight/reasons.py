"""What is said of a model that fails: its own exception, how its process ended, what the platform could not take."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hatch_wallaroo.findings import Place
from hatch_wallaroo.preflight.isolation import Isolation
from hatch_wallaroo.preflight.process import Failure, Limits
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Schema
from hatch_wallaroo.text import few

_LONGEST = 600
"""Characters of an exception's text."""
_NO_NETWORK = re.compile(
    r"[Nn]etwork is unreachable|[Cc]onnection refused|[Nn]ame resolution|[Nn]ame or service not known|couldn't connect"
)
_WRAPPED = re.compile(r"Failed to convert `?InferenceData`? to `?pa\.RecordBatch`?\.?\s*")
"""What the platform's service puts before every reason why it cannot take an answer."""
_QUOTED = re.compile(r"\A'([^']*)'\Z")
_DUMPED = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)
"""A line of faulthandler's, the innermost first."""


class Reasons:
    """The words for one model: `folder` is where it was unpacked, `sources` what the project calls its files."""

    def __init__(self, folder: Path, sources: Mapping[str, str], limits: Limits, isolation: Isolation) -> None:
        self.top = f"{folder}/"
        self.sources = sources
        self.limits = limits
        self.isolation = isolation

    def exception(self, failure: Failure) -> tuple[str, str, Place]:
        """Message, fix and place of an exception: the outermost that the model's own code raised."""
        causes = list(failure.causes)
        own = next((each for each in causes if self._line(each)), causes[-1] if causes else {})
        inner = causes[causes.index(own) + 1 :] if causes else []
        message = self._shown(own)
        if inner and self._line(own):
            message += f" (from {self._shown(inner[0])})"
        place = self._line(own)
        fixes = (self._fix(each) for each in [own, *inner, *causes])
        general = "the log has the whole traceback"
        fix = next((each for each in fixes if each), f"the line is where it happened; {general}" if place else general)
        return message, fix, place or Place()

    def end(self, code: int | None, log: str, *, loading: bool) -> tuple[str, str, Place]:
        """Message, fix and place of a process that ended by itself; `log` is what it printed last."""
        message = f"its process ended with {exit_text(code)}" + (" before it answered" if loading else "")
        where = "what runs when it loads" if loading else "predict"
        if _signal(code) == signal.SIGKILL:
            fix = "something killed it, as a system does that has no memory left; the log may say more"
        elif _signal(code):
            fix = f"compiled code crashed in {where}: look at the versions of its libraries"
        else:
            fix = f"let {where} raise an error instead of ending the process"
        return message, fix, self.dumped(log)

    def dumped(self, log: str) -> Place:
        """The model's innermost line in what faulthandler wrote last: at a crash, or shortly before a limit."""
        start = max(log.rfind("Timeout ("), log.rfind("Fatal Python error"), 0)
        found = (self._known(path, int(line)) for path, line in _DUMPED.findall(log, start))
        return next((each for each in found if each), Place())

    def refused(self, details: str, call: Mapping[str, Any] | None, schema: Schema | None) -> tuple[str, str]:
        """Message and fix where predict gave something that the platform cannot turn into an answer."""
        reason = _QUOTED.sub(r"\1", _WRAPPED.sub("", details).strip())
        message = f"the platform cannot take what predict gives: {reason[:_LONGEST]}"
        given = _given(call)
        wanted = few([f"{each.name} = {format_type(each.type)}" for each in schema.fields]) if schema else ""
        if given and wanted:
            return message, f"it gives {given}; the output schema says {wanted}"
        return message, "the log has the whole traceback"

    def _shown(self, cause: Mapping[str, Any]) -> str:
        kind, text = str(cause.get("type", "error")), str(cause.get("message", "")).strip().replace(self.top, "")
        if kind == "SystemExit":
            return f"sys.exit({text}) ends the process"
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        return f"{kind}: {text}" if text else kind

    def _line(self, cause: Mapping[str, Any]) -> Place | None:
        """The innermost line of the model's own code."""
        frames = cause.get("frames")
        for frame in reversed(frames if isinstance(frames, list) else []):
            if isinstance(frame, dict):
                line = frame.get("line")
                place = self._known(str(frame.get("file", "")), line if isinstance(line, int) else None)
                if place:
                    return place
        return None

    def _known(self, path: str, line: int | None) -> Place | None:
        if not path.startswith(self.top):
            return None
        inside = path.removeprefix(self.top)
        return Place(file=self.sources.get(inside, inside), line=line)

    def _fix(self, cause: Mapping[str, Any]) -> str:
        """What mends an exception of a kind that is met often; empty for others."""
        kind, text = str(cause.get("type", "")), str(cause.get("message", ""))
        if kind == "ModuleNotFoundError":
            name = re.search(r"'([\w.]+)'", text)
            return f"add the package that has {name[1] if name else 'it'} to the requirements, or take its file along"
        if kind == "FileNotFoundError":
            return "take the file along (artifacts), and open it below config.model_path"
        if kind == "SystemExit":
            return "raise an error instead"
        if kind.endswith("MemoryError") or "bad_alloc" in text:
            return f"a run here may take {self.limits.memory / (1 << 30):g} GiB of memory: --memory gives it more"
        if "Read-only file system" in text:
            return "here a model writes below its temporary folder alone (tempfile)"
        if "File too large" in text:
            return f"here a file may have {self.limits.file / (1 << 30):g} GiB"
        if self.isolation.kind != "none" and (_NO_NETWORK.search(text) or kind == "gaierror"):
            return "a run here has no network: what the model downloads goes into the bundle (artifacts)"
        return ""


def _given(call: Mapping[str, Any] | None) -> str:
    """What a step gave, as `runtime/serve.described` tells it."""
    fields = call.get("fields") if call else None
    if not isinstance(fields, dict):
        return f"a {call['type']}" if call and isinstance(call.get("type"), str) else ""
    return few([f"{name} = {_kind(told)}" for name, told in fields.items()])


def _kind(told: Any) -> str:
    if not isinstance(told, dict):
        return "something"
    shape: Sequence[Any] = told["shape"] if isinstance(told.get("shape"), list) else ()
    kind = str(told.get("dtype") or told.get("kind") or "something")
    return f"{kind} of shape ({', '.join(map(str, shape))})" if shape else kind


def exit_text(code: int | None) -> str:
    """An exit code as a person reads it."""
    if code is None:
        return "no exit code"
    number = _signal(code)
    return f"{number.name} ({signal.strsignal(number)})" if number else f"exit code {code}"


def _signal(code: int | None) -> signal.Signals | None:
    """The signal that ended a process: 128 and its number, as shells and the guard tell it."""
    try:
        return signal.Signals(code - 128) if code is not None and code > 128 else None  # noqa: PLR2004
    except ValueError:
        return None
