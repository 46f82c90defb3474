"""Whether the requirements can be installed at all, and which versions that gives: asked of uv, nothing is installed.

First without building anything, so that no setup.py of a stranger runs. What uv says is kept as its reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.environment import cache_folder
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.requirements.uv import PLATFORMS, Compiled, compile_lines
from hatch_wallaroo.text import requirement_name

_NO_WHEEL = re.compile(r"([A-Za-z0-9][\w.-]*)==\S+ has no usable wheels")
"""What uv says of a version that has its source alone; of one with wheels for other platforms it says which."""


KEPT_SECONDS = 7 * 86400
"""How long an answer of uv is taken again: what was published since may give other versions."""


def ask(
    uv: str,
    python: str,
    lines: Sequence[str],
    *,
    platform: str | None = None,
    binary: bool = False,
    lowest: bool = False,
    torch: bool = False,
) -> Compiled:
    """Uv's answer, kept on disk for a week where there is one."""
    question = json.dumps([python, platform, binary, lowest, torch, list(lines), os.environ.get("UV_FIND_LINKS", "")])
    path = cache_folder() / "resolutions" / f"{hashlib.sha256(question.encode()).hexdigest()[:24]}.txt"
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime < KEPT_SECONDS:
            return Compiled(tuple(path.read_text(encoding="utf-8").split()))
    made = compile_lines(uv, python, lines, platform=platform, binary=binary, lowest=lowest, torch=torch)
    if made.pins is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):
            write_whole(path, "\n".join(made.pins).encode())
    return made


@dataclass(frozen=True)
class Resolution:
    """The versions for an environment, `name==version` each; None where the findings say why there are none.

    `over`: the bundle's own versions stand against the runtime's and were taken.
    """

    pins: tuple[str, ...] | None
    findings: tuple[Finding, ...] = ()
    over: bool = False


def on_platform(uv: str, subject: Subject) -> tuple[Finding, ...]:
    """What is wrong with the requirements for the platform's Python and processor."""
    platform = PLATFORMS.get(subject.machine)
    if not subject.requirements or platform is None:
        return ()
    wheels = ask(uv, subject.python, subject.requirements, platform=platform, binary=True)
    if wheels.passed:
        return ()
    named = tuple(dict.fromkeys(_NO_WHEEL.findall(wheels.error)))
    if named:
        return tuple(_source_only(subject, named))
    message = f"for Python {subject.python} on Linux {subject.machine}: {wheels.reason}"
    fix = f"choose versions that exist for Python {subject.python}"
    return (rules.UNRESOLVABLE.finding(message, fix=fix, place=_place(subject, wheels.error)),)


def for_environment(
    uv: str, subject: Subject, python: str, runtime: Sequence[str], more: Sequence[str] = ()
) -> Resolution:
    """The versions of an environment on this machine: the runtime's set, the bundle's requirements, `more` libraries.

    Where the bundle's do not go together with the runtime's, the bundle's are taken, with a warning that says so.
    """
    # A library of the platform's gives way to the bundle's own line for it.
    own = {requirement_name(each) for each in subject.requirements}
    libraries = [each for each in more if requirement_name(each) not in own]
    wanted = [*subject.requirements, *libraries]
    together = ask(uv, python, [*runtime, *wanted])
    if together.passed:
        return Resolution(together.pins)
    fallen = [requirement_name(each) if requirement_name(each) in own else each for each in runtime]
    loose = [re.split(r"[<>=!~ ]", each)[0] for each in runtime]
    for candidate in (fallen, loose):
        apart = ask(uv, python, [*candidate, *wanted])
        if apart.passed:
            message = (
                f"the runtime of {subject.release.asked} has {', '.join(runtime[:3])}, and {together.reason}. "
                "If the platform keeps its own, the bundle's are not there; if it does not, this is what runs here"
            )
            fix = "ask for versions that go with the runtime's, or leave them to it"
            found = rules.AGAINST_RUNTIME.finding(message, fix=fix, place=_place(subject, together.error))
            return Resolution(apart.pins, (found,), over=True)
    message = f"for Python {python}: {apart.reason}"
    fix = f"choose versions that exist for Python {python}"
    return Resolution(None, (rules.UNRESOLVABLE.finding(message, fix=fix, place=_place(subject, apart.error)),))


def _source_only(subject: Subject, names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        message = (
            f"{name} has no wheel for Python {subject.python} on Linux {subject.machine}: the platform compiles it"
        )
        fix = "ask for a version that has one, or be sure that it compiles without more than a C compiler"
        yield rules.SOURCE_ONLY.finding(message, fix=fix, place=place_of(subject, name), about=name)


def _place(subject: Subject, error: str) -> Place:
    """The line of the first requirement that uv names."""
    for each in subject.requirements:
        name = requirement_name(each)
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", error.replace("_", "-").lower()):
            return place_of(subject, name)
    return place_of(subject, "")


def place_of(subject: Subject, name: str) -> Place:
    places: Mapping[str, Place] = subject.requirement_places
    return places.get(requirement_name(name)) or places.get("") or Place(file="requirements.txt")
