"""Build contexts as tars: read back by tarfile and by GNU tar, the same bytes every time, in little memory."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.archive import ArchiveError
from hatch_wallaroo.bundle.tar import write_tar
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource

LONG = "model/" + "/".join(f"a-folder-with-a-name-{number}" for number in range(12)) + "/weights.bin"
NAMES = {
    "Dockerfile": b"FROM base\n",
    "model/MLmodel": b"",
    "model/b\u00e4ume \u65e5\u672c/x.txt": "größe".encode(),
    "model/" + "n" * 99 + ".bin": b"a" * 512,
    LONG: b"b" * 513,
    "model/with space and 'quotes' \\ and \"more\"": b"c" * 1023,
    "model/-rf": b"d" * 511,
}


def entries(root: Path) -> list[Entry]:
    made = []
    for number, (name, data) in enumerate(NAMES.items()):
        path = root / f"source-{number}"
        path.write_bytes(data)
        made.append(Entry(name, FileSource(path)))
    (root / "source-2").chmod(0o755)
    (root / "source-3").chmod(0o400)
    return [*made, Entry("requirements.txt", TextSource("mlflow==1.30.0\n"))]


def test_tarfile_reads_all_of_it(tmp_path: Path) -> None:
    written = write_tar(entries(tmp_path), tmp_path / "out.tar")
    expected = {**NAMES, "requirements.txt": b"mlflow==1.30.0\n"}
    with tarfile.open(tmp_path / "out.tar") as tar:
        members = tar.getmembers()
        assert {each.name: tar.extractfile(each).read() for each in members} == expected
    assert [each.name for each in members] == list(expected)
    assert {each.mode for each in members} == {0o644, 0o755}
    assert [each.name for each in members if each.mode == 0o755] == [list(NAMES)[2]]
    assert {(each.uid, each.gid, each.uname, each.gname, each.mtime) for each in members} == {(0, 0, "", "", 315532800)}
    data = (tmp_path / "out.tar").read_bytes()
    assert (written.size, written.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    told = {each.path: (each.size, each.sha256) for each in written.entries}
    assert told == {name: (len(each), hashlib.sha256(each).hexdigest()) for name, each in expected.items()}


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no command tar")
def test_gnu_tar_reads_all_of_it(tmp_path: Path) -> None:
    write_tar(entries(tmp_path), tmp_path / "out.tar")
    (tmp_path / "there").mkdir()
    done = subprocess.run(["tar", "xf", "../out.tar"], cwd=tmp_path / "there", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name, data in NAMES.items():
        assert (tmp_path / "there" / name).read_bytes() == data


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = write_tar(entries(tmp_path), tmp_path / "first.tar")
    for path in tmp_path.glob("source-*"):
        path.touch()
    assert write_tar(entries(tmp_path), tmp_path / "second.tar").sha256 == first.sha256
    when = datetime(2026, 11, 25, tzinfo=timezone.utc)
    assert write_tar(entries(tmp_path), tmp_path / "third.tar", date=when).sha256 != first.sha256


def test_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no files"):
        write_tar([], tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def test_a_source_that_goes_away_leaves_no_part(tmp_path: Path) -> None:
    made = entries(tmp_path)
    (tmp_path / "source-4").unlink()
    with pytest.raises(ArchiveError):
        write_tar(made, tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def test_a_large_model_in_little_memory(tmp_path: Path) -> None:
    """150 MB of model, and an address space that has no room for it."""
    pytest.importorskip("resource")
    if sys.platform != "linux":
        pytest.skip("the limit of memory is Linux's")
    source = tmp_path / "weights.bin"
    with source.open("wb") as stream:
        stream.truncate(150 << 20)
    code = """
import resource, sys
from pathlib import Path
from hatch_wallaroo.bundle.tar import write_tar
from hatch_wallaroo.files.sources import Entry, FileSource
source = FileSource(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_tar([Entry("model/weights.bin", source)], Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "out.tar")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 32 << 10  # kilobytes
    with tarfile.open(tmp_path / "out.tar") as tar:
        assert tar.getmember("model/weights.bin").size == 150 << 20


def test_a_file_larger_than_the_old_header_can_say(tmp_path: Path) -> None:
    """Nine gigabytes: the header alone is looked at."""
    from types import SimpleNamespace

    from hatch_wallaroo.bundle.tar import _header

    item = SimpleNamespace(entry=SimpleNamespace(path="model/weights.bin"), size=9_290_701_800, executable=False)
    with tarfile.open(fileobj=io.BytesIO(_header(item, 0) + bytes(1024))) as tar:
        assert tar.next().size == 9_290_701_800
