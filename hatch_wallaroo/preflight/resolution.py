"""Whether the requirements can be installed at all, and which versions that gives: asked of uv, nothing is installed.

First without building anything, so that no setup.py of a stranger runs. What uv says is kept as its reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.environment import cache_folder
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.requirements.lines import has_login
from hatch_wallaroo.requirements.uv import PLATFORMS, Compiled, compile_lines
from hatch_wallaroo.text import normalized, requirement_name

_GLIBC = ("manylinux2014", "manylinux_2_40", "manylinux_2_31")
"""Linux with the oldest glibc that wheels are made for, then newer ones: which one the platform has is not known."""
_REACHES_OUT = re.compile(r"\s*(?:-[erc]|--(?:editable|requirement|constraint))")
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
    # Other indexes give other answers. Only a digest of it is kept: an index may have a login.
    settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("UV_"))
    question = json.dumps([python, platform, binary, lowest, torch, list(lines), settings])
    path = cache_folder() / "resolutions" / f"{hashlib.sha256(question.encode()).hexdigest()[:24]}.txt"
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime < KEPT_SECONDS:
            return Compiled(tuple(path.read_text(encoding="utf-8").splitlines()))
    made = compile_lines(uv, python, lines, platform=platform, binary=binary, lowest=lowest, torch=torch, like_pip=True)
    if made.pins is not None and not any(map(has_login, made.pins)):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):
            write_whole(path, "\n".join(made.pins).encode())
    return made


class NoAnswerError(Exception):
    """Uv did not find out: an index that is not reached, a line that it cannot read."""


@dataclass(frozen=True)
class Resolution:
    """The versions for an environment, `name==version` each; None where there are none for this machine: `reason`.

    `unbuilt`: packages that have no wheel for this machine. `torch`: PyTorch is that of its own index of CPU builds.
    """

    pins: tuple[str, ...] | None
    reason: str = ""
    unbuilt: tuple[str, ...] = ()
    torch: bool = False


def on_platform(uv: str, subject: Subject) -> tuple[Finding, ...]:
    """What is wrong with the requirements for the platform's Python and processor. Raises NoAnswerError."""
    if subject.machine not in PLATFORMS:
        return ()
    lines = logical(subject.requirements)
    found: list[Finding] = []
    while any(map(requirement_name, lines)):
        made = _on_linux(uv, subject, lines)
        if made.passed:
            found += _beside_runtime(uv, subject, lines)
            break
        if not made.decided:
            raise NoAnswerError(made.reason)
        if not made.without_wheels:
            message = f"for Python {subject.python} on Linux {subject.machine}: {made.reason}"
            fix = f"choose versions that exist for Python {subject.python}"
            found.append(rules.UNRESOLVABLE.finding(message, fix=fix, place=_place(subject, made.error)))
            break
        found += _source_only(subject, made.without_wheels)
        # The others have to go together all the same. What needs such a package is not looked into.
        named = set(map(normalized, made.without_wheels))
        left = [each for each in lines if requirement_name(each) not in named]
        if len(left) == len(lines):
            break
        lines = left
    return tuple(found)


def _beside_runtime(uv: str, subject: Subject, lines: Sequence[str]) -> Iterator[Finding]:
    """Whether they go together with what the runtime brings."""
    runtime = subject.release.runtime_set.requirements
    made = _on_linux(uv, subject, [*runtime, *lines])
    if made.passed or made.without_wheels or not made.decided:
        return
    message = (
        f"the runtime of {subject.release.asked} has {', '.join(runtime[:3])}, and {made.reason}. "
        "If the platform keeps its own, the bundle's are not there; if it does not, this is what runs here"
    )
    fix = "ask for versions that go with the runtime's, or leave them to it"
    yield rules.AGAINST_RUNTIME.finding(message, fix=fix, place=_place(subject, made.error))


def logical(lines: Sequence[str]) -> list[str]:
    """Lines with their continuations joined: hashes mostly stand on lines of their own."""
    return re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).split("\n")


def reaching_out(lines: Sequence[str]) -> str | None:
    """The first line by which uv would run a project's setup.py, wheels alone or not, or read a file of this machine.

    A bundle that this plugin made has none; a manifest is a stranger's.
    """
    text = "\n".join(logical(lines))
    return next((each.strip() for each in text.splitlines() if _REACHES_OUT.match(each)), None)


def indexes(subject: Subject) -> tuple[str, ...]:
    """The lines of the requirements that say where packages are looked for."""
    options = ("-i", "-f", "--index-url", "--extra-index-url", "--find-links")
    return tuple(each for each in logical(subject.requirements) if re.split(r"[\s=]", each)[0] in options)


def _on_linux(uv: str, subject: Subject, lines: Sequence[str]) -> Compiled:
    """The answer for the platform, wheels alone: refused only where newer Linux refuses it, too."""
    refused = None
    for glibc in _GLIBC:
        made = ask(uv, subject.python, lines, platform=f"{subject.machine}-{glibc}", binary=True)
        if made.passed:
            return made
        if refused is None or made.decided:  # a uv that does not know a newer one says so
            refused = made
        if not refused.decided or "platform tag" not in refused.error:
            break
    assert refused is not None  # noqa: S101 - there is at least one
    return refused


def for_environment(
    uv: str,
    subject: Subject,
    python: str,
    runtimes: Sequence[Sequence[str]],
    more: Sequence[str] = (),
    *,
    build: bool = False,
) -> Resolution:
    """The versions of an environment on this machine: the runtime's set, the bundle's requirements, `more` libraries.

    `runtimes` are sets to try in turn, the platform's own first; where the bundle's requirements go together with none,
    the runtime's give way. `build`: what has no wheel is built here, by its own code. Raises NoAnswerError.
    """
    # A library of the platform's gives way to the bundle's own line for it.
    asked = logical(subject.requirements)
    own = {requirement_name(each) for each in asked} - {""}
    libraries = [each for each in more if requirement_name(each) not in own]
    wanted = [*asked, *libraries]
    given = [requirement_name(each) if requirement_name(each) in own else each for each in runtimes[-1]]
    loose = [requirement_name(each) for each in runtimes[-1]]
    for runtime in (*runtimes, given, loose):
        made = ask(uv, python, [*runtime, *wanted], binary=not build)
        if made.passed:
            return _light(uv, python, [*runtime, *wanted], made, build=build)
        if not made.decided:
            raise NoAnswerError(made.reason)
        if made.without_wheels:
            break
    return Resolution(None, made.reason, made.without_wheels)


def _light(uv: str, python: str, lines: Sequence[str], made: Compiled, *, build: bool) -> Resolution:
    """PyTorch without CUDA, where its own index is reached: PyPI's builds for Linux bring gigabytes of it."""
    pins = made.pins or ()
    heavy = any(requirement_name(each) == "torch" and "+" not in each for each in pins)
    if heavy and sys.platform == "linux":
        light = ask(uv, python, lines, binary=not build, torch=True)
        if light.passed:
            return Resolution(light.pins, torch=True)
    return Resolution(pins)


def _source_only(subject: Subject, names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        message = (
            f"{name} has no wheel for Python {subject.python} on Linux {subject.machine}: the platform compiles it"
        )
        fix = "ask for a version that has one, or be sure that it compiles without more than a C compiler"
        yield rules.SOURCE_ONLY.finding(message, fix=fix, place=place_of(subject, name), about=name)


def _place(subject: Subject, error: str) -> Place:
    """The line of the requirement that uv names first."""
    text = error.replace("_", "-").lower()
    found = []
    for each in subject.requirements:
        name = requirement_name(each)
        at = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) if name else None
        if at:
            found.append((at.start(), name))
    return place_of(subject, min(found)[1] if found else "")


def place_of(subject: Subject, name: str) -> Place:
    """The line of a package, else the place of the requirements as a whole."""
    places: Mapping[str, Place] = subject.requirement_places
    return places.get(normalized(name)) or places.get("") or Place(file="requirements.txt")
