"""Pickles made to cost memory or time, and what reading them costs."""

from __future__ import annotations

import io
import json
import struct
import time

MANY = 300_000
BOMBS = {
    "nested tuples": b")" + b"\x85" * MANY + b".",
    "nested lists": b"]" * MANY + b"a" * (MANY - 1) + b".",
    "memoized lists": b"\x80\x04" + b"]\x94" * MANY + b".",
    "marks": b"(" * MANY,
    "duplicates": b"]" + b"2" * MANY + b".",
    "a list that holds itself often": b"\x80\x04]\x94" + b"h\x00a" * MANY + b".",
    "doubling": b"\x80\x04]\x94" + b"".join(b"]\x94(" + b"j" + struct.pack("<I", k) + b"j" + struct.pack("<I", k) + b"e" for k in range(40_000)) + b".",
    "wide dicts": b"\x80\x04" + (b"}(" + b"NN" * 200 + b"u") * (MANY // 400) + b".",
    "texts": b"\x80\x04" + b"\x8c\x50" + b"x" * 80 + b"\x94" * 1 + (b"\x8c\x50" + b"y" * 80 + b"\x94") * (MANY // 3) + b".",
    "a tuple of texts": b"(" + (b"\x8c\x50" + b"z" * 80) * (MANY // 3) + b"t.",
    "calls": b"cx\ny\n" + b"2)R0" * (MANY // 4) + b".",
    "classes": b"".join(b"cx%d\ny\n0" % k for k in range(MANY // 10)) + b"N.",
    "memo in disorder": b"N" + b"".join(b"r" + struct.pack("<I", k * 7 % 2**32) for k in range(MANY // 3)) + b".",
    "a long number": b"\x8b" + struct.pack("<I", 1 << 20) + b"\x01" * (1 << 20) + b".",
    "a long line": b"V" + b"x" * (1 << 22) + b"\n.",
    "a long decimal": b"L" + b"9" * (1 << 20) + b"L\n.",
    "persistent ids": b"N" + b"Q" * MANY + b".",
}  # fmt: skip


def main() -> None:
    """Read all of them; print by name the MiB that the process grew by, the seconds, and what came of it."""
    import resource

    from hatch_wallaroo.formats.pickle_machine import ByteReader, PickleError
    from hatch_wallaroo.formats.pickles import read_pickle

    report = {}
    for name, data in BOMBS.items():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        try:
            read_pickle(ByteReader(io.BytesIO(data), len(data)))
            outcome = "read"
        except PickleError:
            outcome = "refused"
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        report[name] = (grown, time.process_time() - began, outcome)
    print(json.dumps(report))
