"""XGBoost's serialised models: told from other bytes, and what their first and last bytes say.

A pickled Booster holds one (UBJSON since 1.7, JSON or binary before); `save_model`
writes one to a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

_WINDOW = 1 << 18
_OBJECT = rb"\{L\x00{7}.(?:learner|Config|Model|version)"
_OLD_BINARY = rb"binf|bs64|CONFIG-offset:"
_JSON = rb"\s*\{\s*\"(?:learner|Config|Model|version)\""
_NUMBER = rb"(?:[iU]([\x00-\x7f])|I\x00(.)|l\x00\x00\x00(.))"
_VERSION = re.compile(rb"L\x00{7}\x07version\[(?:\$L)?#L\x00{7}\x03" + _NUMBER * 3, re.DOTALL)
_VERSION_JSON = re.compile(rb"\"version\"\s*:\s*\[\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\]")
_FEATURES = re.compile(rb"L\x00{7}\x0bnum_featureSL\x00{7}.(\d{1,9})(?!\d)", re.DOTALL)
_FEATURES_JSON = re.compile(rb"\"num_feature\"\s*:\s*\"(\d{1,9})\"")


@dataclass(frozen=True)
class XGBoostModel:
    """The version that wrote it and the number of features, each None where it was not found."""

    version: str | None
    features: int | None


def own_format(head: bytes) -> str | None:
    """The format of a file that `save_model` wrote, by its first bytes; None for anything else."""
    for pattern, name in ((_OBJECT, "UBJSON"), (_JSON, "JSON"), (_OLD_BINARY, "binary")):
        if re.match(pattern, head, re.DOTALL):
            return name
    return None


def read_model(stream: BinaryIO, offset: int, size: int) -> XGBoostModel:
    """What the serialised model at `offset` of a seekable stream says. Reads 512 KiB at most.

    Raises OSError.
    """
    stream.seek(offset)
    head = stream.read(min(size, _WINDOW))
    tail = b""
    if size > _WINDOW:
        start = max(size - _WINDOW, _WINDOW)
        stream.seek(offset + start)
        tail = stream.read(size - start)
    versions = {version for part in (head, tail) for version in _versions(part)}
    features = {int(found) for part in (head, tail) for found in _all(part, _FEATURES, _FEATURES_JSON)}
    # Trees without a split write 0 features, models of several parts more than one number.
    features.discard(0)
    return XGBoostModel(
        versions.pop() if len(versions) == 1 else None,
        features.pop() if len(features) == 1 else None,
    )


def _versions(data: bytes) -> list[str]:
    """All versions in a part. Texts in a model may look like one: more than one version says none."""
    found = []
    for match in _VERSION.finditer(data):
        groups = [each for each in match.groups() if each is not None]
        found.append(".".join(str(each[0]) for each in groups))
    found += [b".".join(match.groups()).decode() for match in _VERSION_JSON.finditer(data)]
    return found


def _all(data: bytes, *patterns: re.Pattern[bytes]) -> list[bytes]:
    return [match[1] for pattern in patterns for match in pattern.finditer(data)]
