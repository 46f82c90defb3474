"""Registered images, pulled and started before a version counts as `ready`, where the sandbox is asked to."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from hatch_wallaroo.sandbox.store import Store


@dataclass(frozen=True)
class ImageOutcome:
    """What became of an image: nothing is wrong, or `summary` says what is, and `logs` tell more."""

    summary: str = ""
    logs: tuple[str, ...] = ()


class Images:
    """Tries images in the background, and puts what came of it into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads: list[threading.Thread] = []

    def begin(self, version_id: int, image_path: str) -> None:
        """Start with a registered image; its version stays on its way until that is done."""

        def work() -> None:
            outcome = started(image_path)
            ends = "error" if outcome.summary else "ready"
            self._store.settle(version_id, ends, outcome.summary or None, outcome.logs)

        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=work, name=f"image-{version_id}")
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait for those that have begun: each removes its container itself."""
        for thread in self._threads:
            thread.join()


def started(image_path: str) -> ImageOutcome:
    """Pull an image, start it, ask for `/ping`, and remove what was not there before. Never raises."""
    from hatch_wallaroo.image.engine import engine
    from hatch_wallaroo.image.errors import ImageError
    from hatch_wallaroo.image.registry import pulled
    from hatch_wallaroo.image.trial import run

    try:
        with engine() as reached, pulled(reached, image_path):
            trial = run(reached, image_path, (), None)
    except ImageError as error:
        return ImageOutcome(error.message, (error.message, *error.log))
    except Exception as error:  # noqa: BLE001 - whatever it is, the version must not stay on its way for ever
        return ImageOutcome(f"the image could not be tried: {type(error).__name__}: {error}"[:500])
    return ImageOutcome(logs=(f"{image_path} answers after {trial.started:.1f} s",))
