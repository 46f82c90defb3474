"""What stands at a declared path, and how a file begins: asked to choose the message."""

from __future__ import annotations

import os.path

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Source


def is_folder(spec: ModelSpec, declared: str) -> bool:
    """False too for names that no file system takes, which pathlib raises for."""
    return os.path.isdir(spec.path(declared))  # noqa: PTH112 - see above


def is_file(spec: ModelSpec, declared: str) -> bool:
    """False too for names that no file system takes, which pathlib raises for."""
    return os.path.isfile(spec.path(declared))  # noqa: PTH113 - see above


def first_bytes(source: Source) -> bytes:
    """The bytes that `signatures.recognise` judges by; `?` for a source that cannot be read, which is nothing known."""
    try:
        with source.open() as stream:
            return stream.read(64)
    except Exception:  # noqa: BLE001 - a damaged zip raises what zlib, zipfile or the disk does
        return b"?"
