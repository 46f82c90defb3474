"""Building by a named builder of `docker buildx`: on another machine, or for another platform."""

from __future__ import annotations

import re
import shutil
import subprocess

from hatch_wallaroo.image.building import Order, Progress, Tell
from hatch_wallaroo.image.causes import failure
from hatch_wallaroo.image.errors import ImageError, NoEngineError

_STEP = re.compile(r"#\d+ \[([^\]]+)\] (.*)")
_LINE = re.compile(r"#\d+ (?:[\d.]+ )?")
_NO_PLUGIN = re.compile(r"unknown command: docker buildx|'buildx' is not a docker command|unknown (?:shorthand )?flag")
_NO_BUILDER = re.compile(r"no builder .* found", re.IGNORECASE)


def command(order: Order) -> list[str]:
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
            [program, *command(order)[1:]],
            stdin=context,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    try:
        for line in process.stderr or ():
            if found := _STEP.match(line):
                progress.begin(found[2], found[1])
            elif said := _LINE.sub("", line.rstrip(), count=1):
                progress.line(said)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        if process.stderr:
            process.stderr.close()
    if code:
        raise _failed(order, progress, code)


def _failed(order: Order, progress: Progress, code: int) -> ImageError:
    lines = tuple(progress.lines)
    words = lines[-1] if lines else f"docker buildx ended with exit code {code}"
    if any(_NO_PLUGIN.search(line) for line in lines):
        return NoEngineError("the command docker has no buildx, which speaks to builders", "install docker-buildx")
    if any(_NO_BUILDER.search(line) for line in lines):
        fix = f"see docker buildx ls; make it: docker buildx create --name {order.builder} ssh://user@host"
        return ImageError(f"docker buildx knows no builder {order.builder}: {words}", fix)
    return failure(words, progress.step, lines, base=order.base, platform=order.platform)
