"""Archives read back by the programs that people unpack them with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.archive import Archive, write_zip
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource
from support.archives import CONTENTS, make_tree, pack_tree
from support.peers import missing
from support.zip_parser import parse

pytestmark = [pytest.mark.slow, pytest.mark.peer]

READERS = {
    "Info-ZIP": ["unzip", "-tqq"],
    "Info-ZIP's zip": ["zip", "-T"],
    "7-Zip": ["7z", "t", "-bso0", "-bsp0"],
    "libarchive": ["bsdtar", "-xOf"],
    "Python": [sys.executable, "-m", "zipfile", "-t"],
}
COMPRESSIONS = ["auto", "stored", "deflate", "fast"]
FOUR_GIB = 4 << 30


def accepts(reader: str, path: Path) -> None:
    """A reader finds nothing wrong, and has nothing to remark."""
    program, *arguments = READERS[reader]
    found = shutil.which(program)
    if found is None:
        missing(f"{reader}: {program} is not installed")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        [found, *arguments, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as run:
        tail = b""
        while block := run.stdout.read(1 << 20):
            tail = block[-2000:]
        remarks = run.stderr.read().decode()
    assert run.returncode == 0, tail.decode(errors="replace") + remarks
    assert not remarks
    assert b"arning" not in tail or reader == "libarchive"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Archive]:
    folder = tmp_path_factory.mktemp("archives")
    make_tree(folder / "tree")
    made = {}
    for compression in COMPRESSIONS:
        if compression == "fast":
            pytest.importorskip("isal")
        made[compression] = pack_tree(folder / "tree", folder / f"{compression}.zip", compression)
    return made


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_readers_accept_it(archives, reader, compression):
    accepts(reader, archives[compression].path)


@pytest.fixture(scope="module", params=[0xFFFF, 0x10001])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """As many entries as a plain zip can just not count, and more."""
    path = tmp_path_factory.mktemp("crowded") / "o.zip"
    source = TextSource("x")
    return write_zip([Entry(f"f/{number}", source) for number in range(request.param)], path, compression="auto")


@pytest.mark.parametrize("reader", ["Info-ZIP", "7-Zip", "libarchive", "Python"])
def test_readers_accept_many_entries(crowded, reader):
    accepts(reader, crowded.path)


@pytest.mark.parametrize("program", [["unzip", "-qq", "ARCHIVE", "-d", "OUT"], ["7z", "x", "-bso0", "-bsp0", "-oOUT", "ARCHIVE"], ["bsdtar", "-xf", "ARCHIVE", "-C", "OUT"]])  # fmt: skip
def test_what_is_unpacked_is_what_went_in(archives, tmp_path, program):
    if shutil.which(program[0]) is None:
        missing(f"{program[0]} is not installed")
    words = {"ARCHIVE": str(archives["auto"].path), "OUT": str(tmp_path), "-oOUT": f"-o{tmp_path}"}
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run([words.get(word, word) for word in program], check=True, capture_output=True, env=environment)
    for name, data in CONTENTS.items():
        assert (tmp_path / name).read_bytes() == data
        assert bool((tmp_path / name).stat().st_mode & 0o100) is (name == "run.sh")


@pytest.fixture(scope="module", params=["stored", "deflate"])
def huge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Above 4 GiB: the file itself, where it is stored, and everything that comes after it."""
    folder = tmp_path_factory.mktemp("huge")
    room = 2 * FOUR_GIB if request.param == "stored" else 1 << 30
    if shutil.disk_usage(folder).free < room:
        missing(f"needs {room >> 30} GiB of free space")
    with (folder / "zeros").open("wb") as stream:
        stream.truncate(FOUR_GIB + 12_345)
    entries = [
        Entry("a.txt", TextSource("first")),
        Entry("zeros", FileSource(folder / "zeros")),
        Entry("z.txt", TextSource("last\n" * 100)),
    ]
    yield write_zip(entries, folder / "o.zip", compression=request.param)
    shutil.rmtree(folder)


def test_above_4_gib_the_structure_is_right(huge):
    first, zeros, last = parse(huge.path)
    assert zeros.size == FOUR_GIB + 12_345
    assert (first.zip64, zeros.zip64) == (False, True)
    assert last.zip64 is (last.start >= FOUR_GIB)
    with zipfile.ZipFile(huge.path) as theirs:
        assert theirs.read("z.txt") == b"last\n" * 100
        assert [each.file_size for each in theirs.infolist()] == [5, FOUR_GIB + 12_345, 500]


@pytest.mark.parametrize(
    "program",
    [
        ["unzip", "-p", "ARCHIVE", "z.txt"],
        ["7z", "e", "-so", "ARCHIVE", "z.txt"],
        ["bsdtar", "-xOf", "ARCHIVE", "z.txt"],
    ],
)
def test_what_stands_after_4_gib_is_found(huge, program):
    if shutil.which(program[0]) is None:
        missing(f"{program[0]} is not installed")
    done = subprocess.run([str(huge.path) if word == "ARCHIVE" else word for word in program], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"last\n" * 100), done.stderr


def test_all_of_it_is_accepted_above_4_gib(huge):
    """By the quickest of them: the others take half a minute for its zeros."""
    accepts("7-Zip", huge.path)
