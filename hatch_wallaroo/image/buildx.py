"""Building by a named builder of `docker buildx`: on another machine, or for another platform."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque

from hatch_wallaroo.image.building import Order, Tell, failure
from hatch_wallaroo.image.errors import NoEngineError
from hatch_wallaroo.report import one_line

_LAST_LINES = 20
_STEP = re.compile(r"#\d+ (\[[^\]]+\] .*)")


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
    with order.context.open("rb") as context:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, nothing of it a shell's
            [program, *command(order)[1:]],
            stdin=context,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    step, lines = "", deque[str](maxlen=_LAST_LINES)
    try:
        for line in process.stderr or ():
            found = _STEP.match(line)
            if found:
                step = found[1].partition("] ")[2].strip()
                tell(one_line(found[1])[:120])
            lines.append(one_line(line.rstrip()))
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code:
        raise failure(order, lines[-1] if lines else f"docker buildx ended with {code}", step, tuple(lines))
