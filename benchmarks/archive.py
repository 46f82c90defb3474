"""How fast bundles are written, beside what else copies, hashes and zips: ratios from one run.

    python benchmarks/archive.py [--megabytes 512] [--rounds 5] [--folder FOLDER]

All ways of a group take turns, so that whatever else the machine does meets all of them.
Needs zip and cp; what it makes (about twice the megabytes) is removed at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from hatch_wallaroo.bundle import output, packing
from hatch_wallaroo.bundle.archive import write_file, write_zip
from hatch_wallaroo.bundle.codecs import Codecs, installed
from hatch_wallaroo.files.sources import Entry, FileSource

Way = Callable[[], object]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=512)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--only", choices=["weights", "small", "size", "memory"])
    asked = arguments.parse_args()
    groups = {"weights": weights, "small": small_files, "size": sizes, "memory": memory}
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=asked.folder) as name:
        for group, run in groups.items():
            if asked.only in {None, group}:
                run(Path(name), asked)


def weights(folder: Path, asked: argparse.Namespace) -> None:
    source, out = folder / "w" / "weights.bin", folder / "out"
    source.parent.mkdir()
    generator = random.Random(0)
    with source.open("wb") as stream:
        for _ in range(asked.megabytes):
            stream.write(generator.randbytes(1 << 20))
    entries = [Entry("weights.bin", FileSource(source))]
    stdlib = Codecs(zlib.crc32, None, None, "left out for this measurement")

    def own(compression: str, codecs: Codecs | None = None) -> Way:
        return lambda: write_zip(entries, out, compression=compression, codecs=codecs)

    def undigested(codecs: Codecs | None = None) -> Way:
        def run() -> None:
            with without_digests():
                write_zip(entries, out, compression="stored", codecs=codecs)

        return run

    ways: dict[str, Way] = {
        "cp": lambda: subprocess.run(["cp", source, out], check=True),
        "SHA-256 (hashlib)": lambda: sha256(source),
        "bundle, auto, all digests": own("auto"),
        "bundle, stored, no digests": undigested(),
        "bundle, stored, no digests, stdlib only": undigested(stdlib),
        "bare file, with its digest": lambda: write_file(entries[0], out),
        "zipfile, stored": lambda: zip_with_python(source.parent, out, zipfile.ZIP_STORED),
        "zip -0": lambda: subprocess.run(["zip", "-q", "-0", "-r", out, "."], cwd=source.parent, check=True),
        "zip -r": lambda: subprocess.run(["zip", "-q", "-r", out, "."], cwd=source.parent, check=True),
    }
    times = measure(ways, out, asked.rounds, once={"zip -r", "zip -0", "zipfile, stored"})
    show(f"{asked.megabytes} MB that do not compress", times, ["cp", "SHA-256 (hashlib)", "zip -r"])
    source.unlink()


def small_files(folder: Path, asked: argparse.Namespace) -> None:
    """5,000 files of about 12 KB: three of four are text, one does not compress."""
    root, out = folder / "small", folder / "out.zip"
    generator = random.Random(1)
    text = words(generator, 4 << 20)
    for number in range(5000):
        path = root / f"{number // 100}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = int(generator.lognormvariate(9.1, 0.8))
        start = generator.randrange(len(text) - size)
        path.write_bytes(text[start : start + size] if number % 4 else generator.randbytes(size))
    files = sorted(each for each in root.rglob("*") if each.is_file())
    entries = [Entry(each.relative_to(root).as_posix(), FileSource(each)) for each in files]
    ways: dict[str, Way] = {
        "zip -r": lambda: subprocess.run(["zip", "-q", "-r", out, "."], cwd=root, check=True),
        "zipfile": lambda: zip_with_python(root, out, zipfile.ZIP_DEFLATED),
        "bundle, auto": lambda: write_zip(entries, out, compression="auto"),
        "bundle, stored": lambda: write_zip(entries, out, compression="stored"),
    }
    if installed().fast:
        ways["bundle, fast"] = lambda: write_zip(entries, out, compression="fast")
    times = measure(ways, out, asked.rounds)
    show(f"5,000 small files, {sum(each.stat().st_size for each in files) / 1e6:.0f} MB", times, ["zip -r", "zipfile"])
    shutil.rmtree(root)


def sizes(folder: Path, asked: argparse.Namespace) -> None:
    """What deflating everything leaves, against zip -6."""
    import numpy as np

    generator = np.random.default_rng(2)
    numbers = (generator.standard_normal(8 << 20) * 0.02).astype("float32")
    kinds = {
        "float32 weights": numbers.tobytes(),
        "bfloat16 weights": numbers.view("uint16")[1::2].tobytes(),
        "int8 weights": np.clip(generator.standard_normal(16 << 20) * 30, -127, 127).astype("int8").tobytes(),
        "text": words(random.Random(3), 16 << 20),
    }
    print(f"\n| deflating everything | × zip -6, size | × zip -6, time |\n|{'---|' * 3}")
    for name, data in kinds.items():
        source, out = folder / "one", folder / "out.zip"
        source.write_bytes(data)
        entries = [Entry("one", FileSource(source))]
        start = time.perf_counter()
        subprocess.run(["zip", "-q", "-6", "-j", out, source], check=True)
        theirs, theirs_time = out.stat().st_size, time.perf_counter() - start
        out.unlink()
        start = time.perf_counter()
        ours = write_zip(entries, out, compression="deflate").size
        print(f"| {name} | {ours / theirs:.3f} | {(time.perf_counter() - start) / theirs_time:.2f} |")
        out.unlink()
        source.unlink()


def memory(folder: Path, asked: argparse.Namespace) -> None:
    """Peak memory above the interpreter with everything imported, in a process of its own."""
    source, out = folder / "large", folder / "out.zip"
    piece = random.Random(4).randbytes(1 << 20)
    with source.open("wb") as stream:
        for _ in range(asked.megabytes):
            stream.write(piece)
    print(f"\n| {asked.megabytes} MB | MB above the interpreter |\n|{'---|' * 2}")
    for compression in ("stored", "auto", "deflate"):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            installed()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            write_zip([Entry("large", FileSource(source))], out, compression=compression)
            os.write(writing, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        print(f"| {compression} | {int(os.read(reading, 100)) / 1024:.0f} |")
        os.close(reading)
        out.unlink()


def measure(ways: dict[str, Way], out: Path, rounds: int, once: set[str] = frozenset()) -> dict[str, list[float]]:
    """Seconds of each way, taking turns; slow ones only twice."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in ways.items():
            if name in once and turn > 1:
                continue
            out.unlink(missing_ok=True)
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    out.unlink(missing_ok=True)
    return times


def show(title: str, times: dict[str, list[float]], against: list[str]) -> None:
    print(f"\n| {title} | median s | best s | {' | '.join(f'× {name}' for name in against)} |")
    print(f"|{'---|' * (3 + len(against))}")
    for name, taken in times.items():
        ratios = (
            f"{statistics.median(taken) / statistics.median(times[other]):.3f} ({min(taken) / min(times[other]):.3f})"
            for other in against
        )
        print(f"| {name} | {statistics.median(taken):.2f} | {min(taken):.2f} | {' | '.join(ratios)} |", flush=True)


def sha256(path: Path) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(256 * 1024))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def zip_with_python(root: Path, out: Path, method: int) -> None:
    with zipfile.ZipFile(out, "w", method) as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root))


def words(generator: random.Random, size: int) -> bytes:
    """Something like prose: words of a vocabulary, common ones more often."""
    letters = "etaoinshrdlucmfwypvbgk"
    vocabulary = ["".join(generator.choices(letters, k=generator.randint(2, 10))) for _ in range(8000)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    return " ".join(generator.choices(vocabulary, weights, k=size // 5)).encode()[:size]


@contextmanager
def without_digests() -> Iterator[None]:
    """What writing alone costs. No bundle is made this way."""
    with (
        patch.object(output.Output, "settle", lambda *_: None),
        patch.object(output._Follower, "follow", lambda *_: None),
        patch.object(packing.Worker, "sha256", lambda *_: ""),
    ):
        yield


if __name__ == "__main__":
    main()
