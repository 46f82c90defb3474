"""Building an image from a build context, by the engine or a builder of buildx, its output told as it comes.

The build hook's way, :func:`make`, tries the image too where that was asked for.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.frameworks.mlflow.family import effective_schemas
from hatch_wallaroo.frameworks.mlflow.folder import image_of, image_reference
from hatch_wallaroo.frameworks.mlflow.signature import RowForm
from hatch_wallaroo.image.engine import (
    CONTENTS_LABEL,
    Engine,
    Image,
    ImageError,
    NoEngineError,
    describe_engine_error,
    engine,
    mishaps,
)
from hatch_wallaroo.image.trial import Trial, run
from hatch_wallaroo.text import describe_error, one_line, uncolored

Tell = Callable[[str], None]

LAST_LINES = 20
_EVERY = 2.0
"""Seconds between two lines that are told of a step's output."""
_WIDTH = 110
_STEP = re.compile(r"(?:Step|STEP) (\d+)/(\d+) ?: (.*)")
_LAYER = re.compile(r" ---> (?:Running in )?([0-9a-f]{12,64})")


@dataclass(frozen=True)
class Order:
    """What is to be built: the tar of the context with its digest (SHA-256, hexadecimal), the image's name, the base.

    `platform` and `builder` are None for the engine's own.
    """

    context: Path
    sha256: str
    reference: str
    base: str
    platform: str | None = None
    builder: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        return {CONTENTS_LABEL: f"sha256:{self.sha256}"}

    def by_hand(self, context: str) -> str:
        """The command that builds the same image from the context at a path."""
        platform = ["--platform", self.platform] if self.platform else []
        how = ["buildx", "build", "--builder", self.builder, "--load"] if self.builder else ["build"]
        ((label, value),) = self.labels.items()
        words = ["docker", *how, *platform, "--label", f"{label}={value}", "-t", self.reference, "-"]
        return f"{shlex.join(words)} < {shlex.quote(context)}"


def is_current(image: Image | None, order: Order) -> bool:
    """Whether an image was made from this very context."""
    return image is not None and image.labels.get(CONTENTS_LABEL) == order.labels[CONTENTS_LABEL]


def build(engine: Engine, order: Order, tell: Tell) -> Image:
    """Build the image, and give it its name. `tell` gets each step as it begins, and now and then what it says.

    Raises ImageError with the failing step and its last lines. A build that fails or is interrupted leaves nothing
    but what the engine keeps of its finished steps under other images. What had the name before keeps the rest of its
    own: see Engine.renaming.
    """
    if order.builder:
        build_elsewhere(order, tell)
    else:
        _Build(engine, order, tell).run()
    made = engine.find(order.reference)
    if made is None:
        raise ImageError(f"the engine built {order.reference}, and does not know it", "build again")
    return made


class Progress:
    """What is told of a build: each step, and of long ones a line every other second. Keeps the last lines."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told = 0.0
        self.step = ""
        self.lines: deque[str] = deque(maxlen=LAST_LINES)

    def begin(self, step: str, where: str) -> None:
        self.step = step
        self.lines.clear()
        self._told = time.monotonic()
        self._tell(f"{where}: {one_line(step)[:_WIDTH]}")

    def line(self, text: str) -> None:
        shown = one_line(text)
        self.lines.append(shown)
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._tell(f"  {shown.strip()[:_WIDTH]}")


class _Build:
    """One build by the engine itself."""

    def __init__(self, engine: Engine, order: Order, tell: Tell) -> None:
        self._engine = engine
        self._order = order
        self._progress = Progress(tell)
        self._layer = ""
        self._container = ""

    def run(self) -> None:
        finished = False
        events = None
        try:
            with self._order.context.open("rb") as context:
                events = self._engine.client.api.build(
                    fileobj=context,
                    custom_context=True,
                    tag=self._order.reference,
                    labels=self._order.labels,
                    platform=self._order.platform,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    use_config_proxy=True,
                )
                for event in events:
                    self._take(event)
            finished = True
        except mishaps() as error:
            raise self._failed(describe_engine_error(error)) from error
        finally:
            if not finished:
                # Closing the connection is what ends the build in the engine.
                if events is not None:
                    events.close()
                self._tidy()

    def _tidy(self) -> None:
        if self._container:
            self._engine.remove_container(self._container)
        if self._layer:
            self._engine.remove_untagged(self._layer)

    def _take(self, event: Any) -> None:
        if not isinstance(event, Mapping):
            return
        if "error" in event:
            detail = event.get("errorDetail")
            words = detail.get("message") if isinstance(detail, Mapping) else None
            raise self._failed(one_line(uncolored(str(words or event["error"]))))
        for line in _lines(event.get("stream")):
            if step := _STEP.match(line):
                self._progress.begin(step[3], f"step {step[1]} of {step[2]}")
            elif made := _LAYER.fullmatch(line):
                if "Running in" in line:
                    self._container = made[1]
                else:
                    self._container, self._layer = "", made[1]
            elif not line.startswith("Removing intermediate container"):
                self._progress.line(line)

    def _failed(self, words: str) -> ImageError:
        order, progress = self._order, self._progress
        return failure(words, progress.step, tuple(progress.lines), base=order.base, platform=order.platform)


def _lines(stream: Any) -> Iterator[str]:
    """The lines of an event. The engine colours each piece of a step's errors that it reads, be it a line or many."""
    if isinstance(stream, str):
        yield from (line.rstrip() for line in re.split(r"[\r\n]+", uncolored(stream)) if line.strip())


_BUILDX_STEP = re.compile(r"#\d+ \[([^\]]+)\] (.*)")
_BUILDX_LINE = re.compile(r"#\d+ (?:[\d.]+ )?")
_NO_PLUGIN = re.compile(r"unknown command: docker buildx|'buildx' is not a docker command|unknown (?:shorthand )?flag")
_NO_BUILDER = re.compile(r"no builder .* found", re.IGNORECASE)


def buildx_command(order: Order) -> list[str]:
    """The command line; the context comes by standard input."""
    if order.builder is None:
        raise ValueError("no builder is named")
    platform = ["--platform", order.platform] if order.platform else []
    labels = [part for key, value in order.labels.items() for part in ("--label", f"{key}={value}")]
    return [
        "docker", "buildx", "build", "--builder", order.builder, "--load", "--progress", "plain",
        *platform, *labels, "--tag", order.reference, "-",
    ]  # fmt: skip


def build_elsewhere(order: Order, tell: Tell) -> None:
    """Build with the command `docker buildx`, which alone speaks to builders, and load what it made into the engine.

    Raises NoEngineError where the command is not there, ImageError for a build that fails.
    """
    program = shutil.which("docker")
    if program is None:
        raise NoEngineError("the command docker, which speaks to builders, is not installed", "install docker-buildx")
    progress = Progress(tell)
    with order.context.open("rb") as context:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, nothing of it a shell's
            [program, *buildx_command(order)[1:]],
            stdin=context,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    try:
        for line in map(uncolored, process.stderr or ()):
            if found := _BUILDX_STEP.match(line):
                progress.begin(found[2], found[1])
            elif output := _BUILDX_LINE.sub("", line.rstrip(), count=1):
                progress.line(output)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        if process.stderr:
            process.stderr.close()
    if code:
        raise _buildx_failure(order, progress, code)


def _buildx_failure(order: Order, progress: Progress, code: int) -> ImageError:
    lines = tuple(progress.lines)
    words = lines[-1] if lines else f"docker buildx ended with exit code {code}"
    if any(_NO_PLUGIN.search(line) for line in lines):
        return NoEngineError("the command docker has no buildx, which speaks to builders", "install docker-buildx")
    if any(_NO_BUILDER.search(line) for line in lines):
        fix = f"see docker buildx ls; make it: docker buildx create --name {order.builder} ssh://user@host"
        return ImageError(f"docker buildx knows no builder {order.builder}: {words}", fix)
    return failure(words, progress.step, lines, base=order.base, platform=order.platform)


_BASE_LACKS = re.compile(
    r"pull access denied|manifest.*(?:unknown|not found)|repository does not exist|no such host|lookup .*:|"
    r"not found: manifest|server misbehaving|connection refused|failed to resolve (?:reference|source)|no such image|"
    r"no basic auth credentials|i/o timeout|context deadline exceeded|Client\.Timeout|network is unreachable",
    re.IGNORECASE,
)
_OTHER_PLATFORM = re.compile(
    r"does not match the specified platform|no match for platform|no matching manifest for", re.IGNORECASE
)
_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_OFFLINE = re.compile(
    r"NewConnectionError|name resolution|Could not resolve|ConnectTimeoutError|Temporary failure|ReadTimeoutError|"
    r"Failed to establish a new connection|Connection timed out|ProxyError",
    re.IGNORECASE,
)
_KILLED = re.compile(r"(?:non-zero code|exit code): 137\b")
_BROKE = re.compile(r"Connection (?:aborted|broken|reset)|IncompleteRead|RemoteDisconnected|EOF", re.IGNORECASE)


def failure(words: str, step: str, log: tuple[str, ...], *, base: str, platform: str | None) -> ImageError:
    """The error of a build that failed at a step (empty: before the first), with the last lines of its output."""
    told = "\n".join((words, *log))
    at_base = not step or step.startswith("FROM")
    if _FULL.search(told):
        return ImageError(f"the engine's disk is full: {words}", "free some space: docker system prune", log)
    if _OTHER_PLATFORM.search(told):
        fix = f"name a base that has it: image.base; or fetch it: docker pull --platform {platform} {base}"
        return ImageError(f"the base image {base} is not there for {platform}: {words}", fix)
    if at_base and _BASE_LACKS.search(told):
        fix = f"pull or load it first (docker pull {base}), or name another with image.base"
        return ImageError(f"the base image {base} is not there, and could not be pulled: {words}", fix)
    if _FOREIGN.search(told):
        fix = "install binfmt/qemu on the engine's machine, or name a builder of that platform with image.builder"
        return ImageError(
            f"the engine cannot run programs for {platform or 'the platform of ' + base}: {words}", fix, log
        )
    where = f" in the step `{one_line(step)[:120]}`" if step else ""
    return ImageError(f"the image could not be built{where}: {words}", _fix(step, words, told), log)


def _fix(step: str, words: str, told: str) -> str:
    if _BROKE.search(words):
        return "see whether the engine still runs, and build again"
    if _KILLED.search(words):
        return "the step was killed, most often for want of memory: give the engine more, or see whether it was stopped"
    installs = "pip install" in step or "apt-get" in step
    if installs and _OFFLINE.search(told):
        return "the build has no way to the package index: check the network of the engine, its proxies and DNS"
    if "pip install" in step:
        return "the requirements cannot be installed in the image: mend them in pyproject.toml, and build again"
    if "apt-get" in step:
        return "check the names in image.packages, and whether the base image has apt"
    return "mend what the last lines say, and build again"


NOT_MADE = rule(
    "WLR626",
    "the image could not be made",
    why="A build leaves the bundle and its image, or what was there before.",
    source="The container engine's answer",
)
FAILED_TRIAL = rule(
    "WLR627",
    "the image does not do what the table says",
    why="What a trial shows here, the platform would show after the registration.",
    source="The key `image.try`",
)

LARGEST_SAMPLE = 64 << 20


class _UnfitError(Exception):
    """A trial that failed; `findings` say where."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__()
        self.findings = findings


def make(checked: Checked, context: Path, sha256: str, shown: str, tell: Tell) -> tuple[Finding, ...]:
    """Build a model's image from its packed context, and try it if the table says so; what fails is a finding.

    `shown` is the path that the context will have, for the commands that are told. Where something fails, the image's
    name stands for what it stood for before.
    """
    spec = checked.spec
    image = image_of(spec)
    order = Order(context, sha256, image_reference(spec), image.base, image.platform, image.builder)
    place = spec.at("image")
    try:
        rows = sample_rows(spec.path(spec.sample)) if image.try_ and spec.sample else []
        with engine() as reached, reached.renaming(order.reference):
            made = build(reached, order, lambda line: tell(f"{spec.name}: {line}"))
            tell(f"{spec.name}: image {order.reference} ({made.platform})")
            if image.try_:
                _try(checked, reached, order.reference, rows, tell)
    except _UnfitError as error:
        return error.findings
    except NoEngineError as error:
        fix = f"{error.fix}; or write image.build = false, build, and run:\n{order.by_hand(shown)}"
        return (NOT_MADE.finding(error.message, fix=fix, place=place),)
    except ImageError as error:
        lines = [error.fix, "the last lines were:", *(f"| {line}" for line in error.log)] if error.log else [error.fix]
        return (NOT_MADE.finding(error.message, fix="\n".join(filter(None, lines)), place=place),)
    return ()


def _try(checked: Checked, reached: Engine, name: str, rows: list[Mapping[str, Any]], tell: Tell) -> None:
    """Raises _UnfitError where the answers are not what the schema says."""
    spec = checked.spec
    entries = checked.plan.layout.entries if checked.plan else ()
    trial = run(reached, name, rows, effective_schemas(spec, entries)[1], form(checked.facts))
    tell(f"{spec.name}: {told(trial)}")
    if trial.misfits:
        place, fix = spec.at("image", "try"), "mend the model's code, or output-schema"
        raise _UnfitError(tuple(FAILED_TRIAL.finding(each, fix=fix, place=place) for each in trial.misfits))


def form(facts: Any) -> RowForm:
    """How the model takes rows, from what the manifest says of it."""
    told = facts.get("rows") if isinstance(facts, Mapping) else None
    return cast("RowForm", told) if told in get_args(RowForm) else "records"


def told(trial: Trial) -> str:
    """A trial in a line."""
    answered = f"{trial.rows} row{'s' if trial.rows > 1 else ''} answered" if trial.rows else "no sample to ask it with"
    return f"tried: up after {trial.started:.1f} s, {answered}, ended {trial.ended:.1f} s after SIGTERM"


def sample_rows(path: Path) -> list[Mapping[str, Any]]:
    """The input rows of a sample: `{"inputs": [row, …]}`. Raises ImageError for a file that is none."""
    try:
        with path.open("rb") as stream:
            rows = read_object(stream, LARGEST_SAMPLE).get("inputs")
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {describe_error(error)}", "see the key sample") from error
    except JsonError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise ImageError(f"{path.name} is no sample", 'it holds {"inputs": [{"field": value, …}, …]}')
    return rows
