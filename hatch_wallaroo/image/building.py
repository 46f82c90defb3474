"""Building an image from a bundle's build context, its output told as it comes."""

from __future__ import annotations

import re
import shlex
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.image.causes import failure
from hatch_wallaroo.image.engine import CONTENTS_LABEL, Engine, Image, mishaps, said
from hatch_wallaroo.image.errors import ImageError
from hatch_wallaroo.text import one_line

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
        from hatch_wallaroo.image.buildx import build_elsewhere

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
            raise self._failed(said(error)) from error
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
            raise self._failed(one_line(str(words or event["error"])))
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
    if isinstance(stream, str):
        yield from (line.rstrip() for line in re.split(r"[\r\n]+", stream) if line.strip())
