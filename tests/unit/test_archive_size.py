from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.archive import write_zip
from hatch_wallaroo.bundle.zipformat import Header, central_header, end_records, local_header, may_outgrow
from hatch_wallaroo.files.sources import Entry, TextSource
from support.archives import noise
from support.zip_parser import parse

LIMIT = 0xFFFFFFFF
STAMP = (0, 33)


@pytest.mark.slow
@pytest.mark.parametrize("count", [0xFFFE, 0xFFFF, 0x10000])
def test_more_entries_than_a_plain_zip_can_count(tmp_path, count):
    source = TextSource("")
    made = write_zip([Entry(f"{number:x}", source) for number in range(count)], tmp_path / "o", compression="auto")
    members = parse(made.path)
    assert len(members) == len(made.entries) == count
    wide = made.path.read_bytes()[-98:-94] == b"PK\6\6"
    assert wide is (count >= 0xFFFF)


@pytest.mark.parametrize(
    ("size", "packed", "roomy", "large"),
    [
        (LIMIT - 1, LIMIT - 1, False, False),
        (LIMIT, 5, False, True),
        (5, LIMIT, False, True),
        (5, 5, True, True),
        (1 << 40, 1 << 39, False, True),
    ],
)
def test_local_headers_are_wide_only_where_they_must_be(size, packed, roomy, large):
    header = Header(b"a", executable=False, method="stored", crc=7, size=size, packed=packed, roomy=roomy)
    raw = local_header(header, STAMP)
    narrow = struct.unpack_from("<LL", raw, 18)
    if large:
        assert narrow == (LIMIT, LIMIT)
        assert raw[31:] == struct.pack("<HHQQ", 1, 16, size, packed)
    else:
        assert narrow == (packed, size)
        assert len(raw) == 31


@pytest.mark.parametrize(
    ("size", "packed", "position", "wide"),
    [
        (1, 1, 1, []),
        (LIMIT - 1, LIMIT - 1, LIMIT - 1, []),
        (LIMIT, 5, 5, [LIMIT]),
        (5, LIMIT, 5, [LIMIT]),
        (5, 5, LIMIT, [LIMIT]),
        (1 << 33, 1 << 32, 1 << 34, [1 << 33, 1 << 32, 1 << 34]),
        (1 << 33, 7, 1 << 34, [1 << 33, 1 << 34]),
    ],
)
def test_the_directory_widens_only_what_does_not_fit(size, packed, position, wide):
    raw = central_header(
        Header(b"a", executable=False, method="deflate", crc=7, size=size, packed=packed), STAMP, position
    )
    expected = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    assert raw[47:] == expected


@pytest.mark.parametrize(
    ("count", "position", "length", "wide"),
    [
        (0xFFFE, LIMIT - 1, LIMIT - 1, False),
        (0xFFFF, 5, 5, True),
        (5, LIMIT, 5, True),
        (5, 5, LIMIT, True),
    ],
)
def test_the_end_is_wide_only_where_it_must_be(count, position, length, wide):
    assert (len(end_records(count, position, length)) == 98) is wide


def test_a_file_just_below_the_limit_may_outgrow_it_deflated():
    assert may_outgrow(LIMIT)
    assert may_outgrow(LIMIT - 1000)
    assert not may_outgrow(1 << 31)


MEASURE = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from hatch_wallaroo.bundle.archive import write_file, write_zip
from hatch_wallaroo.bundle.codecs import installed
from hatch_wallaroo.files.sources import Entry, FileSource, ZipMember
folder, what = Path(sys.argv[1]), sys.argv[2]
import concurrent.futures.thread
installed()
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)
if what == "many":
    entries = [Entry(f"{n}", FileSource(folder / "mid")) for n in range(400)]
elif what == "zip":
    entries = [Entry("m", ZipMember(folder / "m.zip", "m", 0, (folder / "large").stat().st_size))]
else:
    entries = [Entry("large", FileSource(folder / "large"))]
before = peak()
if what == "bare":
    write_file(entries[0], folder / "o")
else:
    write_zip(entries, folder / "o", compression="stored" if what == "stored" else "deflate", threads=8)
(folder / "o").unlink()
print(peak() - before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import zipfile

    folder = tmp_path_factory.mktemp("large")
    piece = noise(1 << 20)
    with (folder / "large").open("wb") as stream:
        for _ in range(96):
            stream.write(piece)
    (folder / "mid").write_bytes(piece[: 1 << 19])
    with zipfile.ZipFile(folder / "m.zip", "w") as theirs:
        theirs.write(folder / "large", "m")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of the system in POSIX's way")
@pytest.mark.parametrize("what", ["stored", "deflate", "bare", "many", "zip"])
def test_memory_does_not_grow_with_what_is_packed(large, what):
    command = [sys.executable, "-c", MEASURE, str(large), what, str(Path(__file__).parents[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 64
