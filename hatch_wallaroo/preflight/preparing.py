"""What a model needs to run: its requirements resolved, its environment, the isolation that this machine has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.preflight import interpreters, libraries, rules
from hatch_wallaroo.preflight.compare import TOLERANCE
from hatch_wallaroo.preflight.environment import Environment, NoEnvironmentError, Recipe, Say, provide
from hatch_wallaroo.preflight.isolation import Isolation, NoIsolationError, probe
from hatch_wallaroo.preflight.process import Limits
from hatch_wallaroo.preflight.resolution import NoAnswerError, for_environment, indexes, on_platform, reaching_out
from hatch_wallaroo.preflight.subject import Subject
from hatch_wallaroo.releases.model import FrameworkRow
from hatch_wallaroo.requirements.lines import without_login
from hatch_wallaroo.requirements.uv import find_uv
from hatch_wallaroo.text import requirement_name

_SERVERS = {"vllm", "sglang", "llm"}


class PreflightError(Exception):
    """A preflight cannot be made at all on this machine; `fix` says what it needs, `findings` what was found so far."""

    def __init__(self, message: str, fix: str = "", log: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.fix = fix
        self.log = log
        self.findings = findings


@dataclass(frozen=True)
class Options:
    """How it is run. `python`: `current` for the Python that runs us, else empty.

    `build`: requirements without a wheel are built on this machine, by their own code.
    """

    python: str = ""
    build: bool = False
    limits: Limits = field(default_factory=Limits)
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Prepared:
    """What a model needs to run: its environment, and what was found on the way to it."""

    environment: Environment
    findings: tuple[Finding, ...]
    isolation: Isolation
    own_service: bool


def why_not(framework: FrameworkRow) -> str | None:
    """Why nothing here runs models of a framework, as a sentence; None where something does."""
    if framework.family in _SERVERS:
        return f"{framework.name} needs a server with a card of its own: packed and checked, not run"
    if framework.family == "mlflow":
        return (
            "a bundle of an MLflow model is the context of an image: hatch-wallaroo try makes it, starts it and asks it"
        )
    return None


def lacking(python: str) -> PreflightError | None:
    """What this machine lacks to run models of a Python (`3.8`): uv, or that Python; None where it has both."""
    uv = find_uv()
    if uv is None:
        return _no_uv()
    try:
        interpreters.find(uv, python)
    except interpreters.NoInterpreterError as error:
        return PreflightError(str(error), error.install)
    return None


def _no_uv() -> PreflightError:
    return PreflightError("running a model needs uv, which is not on the PATH", _UV)


_UV = "pip install 'hatch-wallaroo[preflight]'"


class UnresolvedError(Exception):
    """The requirements cannot be installed; `findings` say why."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("unresolved")
        self.findings = findings


def prepare(subject: Subject, options: Options, say: Say) -> Prepared:
    """Resolve the requirements and provide the environment.

    Raises PreflightError, and UnresolvedError with the findings.
    """
    uv = find_uv()
    if uv is None:
        raise _no_uv()
    line = reaching_out(subject.requirements)
    if line is not None:
        message = f"the requirement {without_login(line)!r} names what lies outside the bundle, and may run its code"
        raise PreflightError(message, "name the package and its version")
    say(f"resolving for Python {subject.python} on Linux {subject.machine}")
    try:
        found = list(on_platform(uv, subject))
        if errors(found):
            raise UnresolvedError(tuple(found))
        recipe = _recipe(uv, subject, options, found)
    except NoAnswerError as error:
        raise PreflightError(f"uv did not find out: {error}", "see whether the package index is reached") from error
    try:
        environment = provide(uv, recipe, say)
    except NoEnvironmentError as error:
        raise PreflightError(str(error), "see what uv says", error.log) from error
    if environment.made:
        say(f"environment made: {environment.megabytes} MB in {environment.seconds:.1f} s")
    else:
        say(f"environment from the cache: {environment.megabytes} MB")
    try:
        isolation = probe(environment.python)
    except NoIsolationError as error:
        raise PreflightError(str(error), error.fix) from error
    return Prepared(environment, tuple(found), isolation, own_service=not subject.release.runtime_set.flight)


def _recipe(uv: str, subject: Subject, options: Options, found: list[Finding]) -> Recipe:
    """What the environment is made of; what is not as on the platform is added to `found`."""
    try:
        interpreter = interpreters.find(uv, options.python or subject.python)
        chosen = libraries.choose(uv, subject, interpreters.version_of(interpreter))
        if chosen.python != interpreters.version_of(interpreter):
            interpreter = interpreters.find(uv, chosen.python)
    except interpreters.NoInterpreterError as error:
        raise PreflightError(f"{error}, which {subject.release.asked} runs models with", error.fix) from error
    except libraries.NotHadError as error:
        raise PreflightError(str(error), error.fix) from error
    found += chosen.findings
    exact = chosen.python == subject.python
    if not exact:
        message = f"Python {chosen.python} runs here, the platform has {subject.python}"
        fix = f"what only Python {subject.python} does is not seen: syntax, versions of packages"
        found.append(rules.OTHER_VERSION.finding(message, fix=fix))
    runtime = subject.release.runtime_set.requirements
    runtimes = [runtime] if exact else [runtime, _loosened(runtime)]
    made = for_environment(uv, subject, chosen.python, runtimes, chosen.lines, build=options.build)
    if made.unbuilt:
        message = f"{', '.join(made.unbuilt)} has to be built before this model runs, by code of its own"
        raise PreflightError(message, "--build builds it on this machine, outside any isolation", findings=tuple(found))
    if made.pins is None:
        message = f"the requirements cannot be installed on this machine for Python {chosen.python}: {made.reason}"
        raise PreflightError(message, "the platform may do better: it runs Linux", findings=tuple(found))
    return Recipe(
        interpreter, chosen.python, subject.wheel, made.pins, indexes(subject), torch=made.torch, build=options.build
    )


def _loosened(runtime: Sequence[str]) -> list[str]:
    """The runtime's packages for another Python, which may have no wheels of the same versions.

    The wheel decides in one case: `mac` was written for one of the two pydantics.
    """
    loose = [requirement_name(each) for each in runtime]
    old = any(each.startswith("pydantic<") for each in runtime)
    return ["pydantic<2" if old else "pydantic>=2" if each == "pydantic" else each for each in loose]
