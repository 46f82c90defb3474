"""The same small tree of files wherever it is made, for tests of archives. Needs nothing but the standard library."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same everywhere."""
    return b"".join(hashlib.sha256(b"%d:%d" % (seed, number)).digest() for number in range(size // 32 + 1))[:size]


def prose(size: int) -> bytes:
    """Text that compresses well, the same everywhere."""
    lines = (b"layer.%d.weight = %d\n" % (number % 37, number * number % 9973) for number in range(size // 18 + 1))
    return b"".join(lines)[:size]


CONTENTS = {
    "a/empty": b"",
    "a/noise.bin": noise(70_000),
    "a/one": b"1",
    "a/prose.txt": prose(50_000),
    "a/ünïcode – 名前.txt": prose(3_000),
    "b/half.bin": noise(600_000, 1) + prose(300_000),
    "b/large.bin": noise((3 << 20) + 17, 2),
    "b/large.txt": prose((2 << 20) + 5_001),
    "b/mid.txt": prose(400_000),
    "run.sh": b"#!/bin/sh\n",
}


def make_tree(root: Path) -> None:
    for name, data in CONTENTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if path.suffix == ".sh" else 0o644)


def pack_tree(root: Path, destination: Path, compression: str, **options: object):
    from hatch_wallaroo.bundle.archive import write_zip
    from hatch_wallaroo.files.sources import Entry, FileSource, TextSource

    entries = [Entry(name, FileSource(root / name), name) for name in CONTENTS]
    entries.append(Entry("requirements.txt", TextSource("numpy==1.22.3\n")))
    return write_zip(entries, destination, compression=compression, **options)


def masked(*names: str) -> None:
    """Make modules look as if they were not installed."""
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]


if __name__ == "__main__":  # ROOT DESTINATION COMPRESSION [MASKED …]: packs and prints what came out
    masked(*sys.argv[4:])
    sys.path.insert(0, str(Path(__file__).parents[2]))
    archive = pack_tree(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    print(
        json.dumps(
            {
                "sha256": archive.sha256,
                "profile": archive.profile,
                "methods": {each.path: each.method for each in archive.entries},
                "findings": [each.code for each in archive.findings],
                "python": sys.version_info[:2],
            }
        )
    )
