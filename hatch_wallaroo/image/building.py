"""Building an image from a bundle's build context, its output told as it comes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.image.engine import CONTENTS_LABEL, Engine, Image, said
from hatch_wallaroo.image.errors import ImageError
from hatch_wallaroo.report import one_line

Tell = Callable[[str], None]

_LAST_LINES = 20
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_BASE_LACKS = re.compile(
    r"pull access denied|manifest.*(?:unknown|not found)|repository does not exist|no such host|lookup .*:|"
    r"not found: manifest|server misbehaving|connection refused|failed to resolve reference|no such image",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


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

    @property
    def by_hand(self) -> str:
        """The command that builds the same image."""
        platform = f" --platform {self.platform}" if self.platform else ""
        builder = f"x build --builder {self.builder} --load" if self.builder else " build"
        ((label, value),) = self.labels.items()
        return f"docker{builder}{platform} --label {label}={value} -t {self.reference} - < {self.context}"


def is_current(image: Image | None, order: Order) -> bool:
    """Whether an image was made from this very context."""
    return image is not None and image.labels.get(CONTENTS_LABEL) == order.labels[CONTENTS_LABEL]


def build(engine: Engine, order: Order, tell: Tell) -> Image:
    """Build the image, and give it its name. `tell` gets each step as it begins.

    Raises ImageError with the failing step and its last lines. A build that fails or is interrupted leaves nothing
    but what the engine keeps of its finished steps under other images.
    """
    before = engine.find(order.reference)
    if order.builder:
        from hatch_wallaroo.image.buildx import build_elsewhere

        build_elsewhere(order, tell)
    else:
        _Build(engine, order, tell).run()
    made = engine.find(order.reference)
    if made is None:
        raise ImageError(f"the engine built {order.reference}, and does not know it", "build again")
    if before is not None and before.id != made.id:
        engine.remove_untagged(before.id)
    return made


class _Build:
    """One build by the engine itself."""

    def __init__(self, engine: Engine, order: Order, tell: Tell) -> None:
        self._engine = engine
        self._order = order
        self._tell = tell
        self._step = ""
        self._layer = ""
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)

    def run(self) -> None:
        from docker.errors import APIError, DockerException

        finished = False
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
        except (APIError, DockerException) as error:
            raise self._failed(said(error)) from error
        except OSError as error:
            raise self._failed(f"the connection to the engine broke: {one_line(str(error))[:200]}") from error
        finally:
            if not finished and self._layer:
                self._engine.remove_untagged(self._layer)

    def _take(self, event: Mapping[str, Any]) -> None:
        if "error" in event:
            detail = event.get("errorDetail")
            words = detail.get("message") if isinstance(detail, Mapping) else None
            raise self._failed(one_line(str(words or event["error"])))
        for line in _lines(event.get("stream")):
            step = _STEP.match(line)
            if step:
                self._step = step[3]
                self._lines.clear()
                self._tell(f"step {step[1]} of {step[2]}: {one_line(step[3])[:100]}")
            elif layer := re.fullmatch(r" ---> ([0-9a-f]{12,64})", line):
                self._layer = layer[1]
            else:
                self._lines.append(one_line(line))

    def _failed(self, words: str) -> ImageError:
        return failure(self._order, words, self._step, tuple(self._lines))


def failure(order: Order, words: str, step: str, log: tuple[str, ...]) -> ImageError:
    """The error of a build that failed at a step, with what most likely mends it."""
    told = "\n".join((words, *log))
    if (not step or step.startswith("FROM")) and _BASE_LACKS.search(told):
        fix = f"pull or load it first (docker pull {order.base}), or name another with image.base"
        return ImageError(f"the base image {order.base} is not there, and could not be pulled: {words}", fix)
    if _FULL.search(told):
        return ImageError(f"the engine's disk is full: {words}", "free some space: docker system prune", log)
    where = f" in the step `{one_line(step)[:120]}`" if step else ""
    fix = "mend what the last lines say, and build again"
    if "pip install" in step:
        fix = "the requirements cannot be installed in the image: mend them in pyproject.toml, and build again"
    elif "apt-get" in step:
        fix = "check the names in image.packages, and whether the base image has apt"
    return ImageError(f"the image could not be built{where}: {words}", fix, log)


def _lines(stream: Any) -> Iterator[str]:
    if isinstance(stream, str):
        yield from (line.rstrip() for line in re.split(r"[\r\n]+", stream) if line.strip())
