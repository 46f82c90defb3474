"""Which libraries deflate and check: the portable codec, the fast one, and what is left without them.

The portable codec is part of the archive's format: zlib-ng at level 2, whose
output is the same on every processor. Whether the library found here is that
one is not believed but tried, on a probe with a known answer.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from hatch_wallaroo.bundle.rules import NO_FAST, NO_PORTABLE, STORED_ONLY, CodecError
from hatch_wallaroo.findings import Finding

Compression = Literal["auto", "stored", "deflate", "fast"]
Profile = Literal["stored", "portable", "fast"]
Checksum = Callable[[Any, int], int]
"""crc32 of a buffer, going on from an earlier value."""

WINDOW = 32 * 1024
_PROBE_DIGEST = "b5f56d7b3f09f08e408ae0b66543c12e4ae5fd3d2d5167d57c0d06a245bcab73"
_INSTALL = 'python -m pip install "zlib-ng>=1.1,<1.2"'
_INSTALL_FAST = 'python -m pip install "hatch-wallaroo[fast]", or write compression = "auto"'

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


@dataclass(frozen=True)
class Codec:
    """A way to deflate: raw streams, made by `module.compressobj` at a level."""

    name: Literal["portable", "fast"]
    module: Any
    level: int

    def deflate(self, data: Any, dictionary: Any = b"", *, last: bool = True) -> bytes:
        """A whole raw deflate stream; or, where it is not the last part, one that ends on a byte and can be continued.

        `dictionary` is what stands before `data` in the stream, at most 32 KiB of it.
        """
        options = {"zdict": dictionary} if dictionary else {}
        packer = self.module.compressobj(level=self.level, wbits=-15, memLevel=8, **options)
        head: bytes = packer.compress(data)
        tail: bytes = packer.flush(self.module.Z_FINISH if last else self.module.Z_SYNC_FLUSH)
        return head + tail


@dataclass(frozen=True)
class Codecs:
    """What this Python has. `lacking` says why there is no portable codec, in a few words."""

    crc32: Checksum
    portable: Codec | None
    fast: Codec | None
    lacking: str = ""


@dataclass(frozen=True)
class Choice:
    """What an asked compression comes to: the codec (None: all is stored), and whether files are sampled first."""

    codec: Codec | None
    sampled: bool
    findings: tuple[Finding, ...] = ()


@lru_cache(maxsize=1)
def installed() -> Codecs:
    """The libraries of this Python; a missing one is no error here."""
    ng, isal = _import_ng(), _import_isal()
    portable, lacking = None, "zlib-ng is not installed"
    if ng is not None:
        candidate = Codec("portable", ng, 2)
        if hashlib.sha256(probe(candidate)).hexdigest() == _PROBE_DIGEST:
            portable, lacking = candidate, ""
        else:
            lacking = f"the installed zlib-ng ({getattr(ng, 'ZLIBNG_RUNTIME_VERSION', '?')}) packs differently"
    crc32 = next((each.crc32 for each in (isal, ng) if each is not None), zlib.crc32)
    return Codecs(crc32, portable, Codec("fast", isal, 1) if isal is not None else None, lacking)


def choose(compression: Compression, codecs: Codecs) -> Choice:
    """What is done for an asked compression with what is installed.

    Raises CodecError where doing without would give another digest than elsewhere, silently.
    """
    if compression == "stored":
        return Choice(None, sampled=False)
    if compression == "fast":
        if codecs.fast is None:
            raise CodecError(
                NO_FAST.finding('compression = "fast" needs isal, which is not installed', fix=_INSTALL_FAST)
            )
        return Choice(codecs.fast, sampled=True)
    if codecs.portable is not None:
        return Choice(codecs.portable, sampled=compression == "auto")
    if compression == "deflate":
        raise CodecError(NO_PORTABLE.finding(f'compression = "deflate" needs zlib-ng: {codecs.lacking}', fix=_INSTALL))
    stored = STORED_ONLY.finding(
        f"nothing was compressed: {codecs.lacking}; the bundle's digest is not the one of other machines", fix=_INSTALL
    )
    return Choice(None, sampled=False, findings=(stored,))


def probe(codec: Codec) -> bytes:
    """Text, numbers and noise, deflated as files are: in two parts, the second with a dictionary."""
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(1024))
    text = b"".join(b"layer.%d.weight = %d\n" % (number % 37, number * number % 9973) for number in range(3000))
    narrow = bytes(byte & 0x1F for byte in noise)
    first, second = noise + text, narrow + text[::-1] + bytes(5000)
    return codec.deflate(first, last=False) + codec.deflate(second, first[-WINDOW:])


def _import_ng() -> Any:
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        return None
    return zlib_ng


def _import_isal() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


_POLYNOMIAL = 0xEDB88320


def combine(first: int, second: int, length: int) -> int:
    """The crc32 of two parts in a row, from the crc32 of each and the second one's length in bytes."""
    return _multiply(_shift(length), first) ^ second


@lru_cache(maxsize=64)
def _shift(length: int) -> int:
    """X to the power of 8 * length, modulo the polynomial (bits reversed, as crc32 has them)."""
    result, square, bits = 1 << 31, 1 << 30, 8 * length
    while bits:
        if bits & 1:
            result = _multiply(square, result)
        square = _multiply(square, square)
        bits >>= 1
    return result


def _multiply(left: int, right: int) -> int:
    """The product of two polynomials modulo crc32's, bits reversed."""
    product = 0
    while left:
        if left & (1 << 31):
            product ^= right
        left = (left << 1) & 0xFFFFFFFF
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


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
