"""Deflate or store? A few blocks tell it, the same ones on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from hatch_wallaroo.bundle.codecs import Codec

BLOCK = 32 * 1024
STRATA = 16
LEAST_SAVING = 0.15
"""Less is not worth the time that packing and unpacking take."""

TRIED = 128 * 1024
"""Files up to this size (bytes) are packed whole to see what it saves."""

_FIRST = 4
_SURELY_STORED = 0.10
_SURELY_DEFLATED = 0.30
_PAGE = 4096


def saves_enough(size: int, packed: int) -> bool:
    """Whether packing pays."""
    return packed <= size * (1 - LEAST_SAVING)


def places(size: int) -> list[int]:
    """Where to look in a file of `size` bytes: offsets in ascending order, one in each of up to 16 equal strata.

    They start on pages, do not overlap, and depend on nothing but the size.
    """
    count = max(1, min(STRATA, size // (2 * BLOCK)))
    found = []
    for number in range(count):
        start, end = size * number // count, size * (number + 1) // count
        room = max(0, end - start - BLOCK - _PAGE)
        seed = hashlib.sha256(b"%d:%d" % (size, number)).digest()
        offset = start + int.from_bytes(seed[:8], "big") % (room + 1)
        found.append(-(-offset // _PAGE) * _PAGE)
    return found


def worth_deflating(offsets: Sequence[int], block_at: Callable[[int], bytes], codec: Codec) -> bool:
    """Judge by the blocks at these offsets, which `block_at` reads.

    Four blocks spread over the file decide where all of them clearly say the same; else all do.
    """
    spread = {len(offsets) * number // _FIRST for number in range(_FIRST)} if len(offsets) > _FIRST else set()
    order = sorted(spread) + [number for number in range(len(offsets)) if number not in spread]
    total = packed = 0
    lowest, highest = 1.0, 0.0
    for done, number in enumerate(order, start=1):
        block = block_at(offsets[number])
        if not block:
            continue
        length = len(codec.deflate(block))
        total, packed = total + len(block), packed + length
        saving = 1 - length / len(block)
        lowest, highest = min(lowest, saving), max(highest, saving)
        if done == len(spread):
            if highest < _SURELY_STORED:
                return False
            if lowest > _SURELY_DEFLATED:
                return True
    return saves_enough(total, packed)
