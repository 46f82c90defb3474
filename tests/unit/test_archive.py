from __future__ import annotations

import hashlib
import os
import stat
import struct
import sys
import threading
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hatch_wallaroo.bundle import archive as archives
from hatch_wallaroo.bundle import output as outputs
from hatch_wallaroo.bundle import packing
from hatch_wallaroo.bundle.archive import (
    ArchiveError,
    ChangedError,
    UnreadableError,
    write_file,
    write_zip,
)
from hatch_wallaroo.bundle.reading import Reader, StoppedError
from hatch_wallaroo.bundle.zipformat import dos_stamp
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource, ZipMember
from support.archives import CONTENTS, make_tree, noise, pack_tree, prose
from support.zip_parser import content, parse

COMPRESSIONS = ["auto", "stored", "deflate"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    make_tree(root)
    return root


def file_entry(path: Path, name: str = "") -> Entry:
    return Entry(name or path.name, FileSource(path), f"models/{path.name}")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("threads", [1, 3])
def test_holds_every_entry_and_says_so(tree, tmp_path, compression, threads):
    made = pack_tree(tree, tmp_path / "out.zip", compression, threads=threads)
    members = parse(made.path)
    assert [member.name for member in members] == [entry.path for entry in made.entries]
    assert [member.name for member in members] == [*CONTENTS, "requirements.txt"]
    for member, entry in zip(members, made.entries, strict=True):
        expected = CONTENTS.get(member.name, b"numpy==1.22.3\n")
        assert content(made.path, member) == expected
        assert (entry.size, entry.sha256) == (len(expected), hashlib.sha256(expected).hexdigest())
        assert member.method == {"stored": 0, "deflate": 8}[entry.method]
        assert not member.zip64
    assert made.size == made.path.stat().st_size
    assert made.sha256 == digest(made.path)
    assert made.findings == ()
    with zipfile.ZipFile(made.path) as theirs:
        assert theirs.testzip() is None
        assert [(each.filename, each.header_offset, each.CRC) for each in theirs.infolist()] == [
            (member.name, member.start, member.crc) for member in members
        ]


def test_auto_deflates_what_shrinks(tree, tmp_path):
    made = pack_tree(tree, tmp_path / "out.zip", "auto")
    assert {entry.path for entry in made.entries if entry.method == "deflate"} == {
        "a/prose.txt", "a/ünïcode – 名前.txt", "b/half.bin", "b/large.txt", "b/mid.txt",
    }  # fmt: skip
    assert made.profile == "portable"
    assert made.path.stat().st_size < sum(map(len, CONTENTS.values())) - 2_000_000


def test_deflate_stores_small_files_that_would_grow_and_deflates_the_rest(tree, tmp_path):
    made = pack_tree(tree, tmp_path / "out.zip", "deflate")
    assert {entry.path for entry in made.entries if entry.method == "stored"} == {
        "a/empty", "a/noise.bin", "a/one", "requirements.txt", "run.sh",
    }  # fmt: skip


def test_stored_has_the_stored_profile(tree, tmp_path):
    made = pack_tree(tree, tmp_path / "out.zip", "stored")
    assert made.profile == "stored"
    assert {entry.method for entry in made.entries} == {"stored"}


def test_auto_of_nothing_that_shrinks_has_the_stored_profile(tmp_path):
    made = write_zip([Entry("a", TextSource("a"))], tmp_path / "out.zip", compression="auto")
    assert made.profile == "stored"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_number_of_threads_changes_nothing(tree, tmp_path, compression):
    assert len({pack_tree(tree, tmp_path / "o", compression, threads=n).sha256 for n in (1, 2, 7)}) == 1


def test_modes_are_normalised_and_only_the_executable_bit_stays(tmp_path):
    for name, mode in (("plain", 0o600), ("shared", 0o664), ("tool", 0o700), ("group", 0o654)):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(mode)
    entries = [file_entry(tmp_path / name) for name in ("plain", "shared", "tool", "group")]
    made = write_zip(entries, tmp_path / "out.zip", compression="auto")
    assert [member.mode for member in parse(made.path)] == [0o100644, 0o100644, 0o100755, 0o100644]


@pytest.mark.parametrize(
    ("date", "seen"),
    [
        (datetime(2024, 2, 29, 13, 37, 59, tzinfo=timezone.utc), (2024, 2, 29, 13, 37, 58)),
        (datetime(1980, 1, 1, tzinfo=timezone.utc), (1980, 1, 1, 0, 0, 0)),
        (datetime(1970, 1, 1, 5, 6, 7, tzinfo=timezone.utc), (1980, 1, 1, 0, 0, 0)),
        (datetime(2107, 12, 31, 23, 59, 59, tzinfo=timezone.utc), (2107, 12, 31, 23, 59, 58)),
        (datetime(2300, 5, 6, 7, 8, 9, tzinfo=timezone.utc), (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_every_entry_has_the_date_given(tmp_path, date, seen):
    made = write_zip([Entry("a", TextSource("a"))], tmp_path / "out.zip", compression="auto", date=date)
    with zipfile.ZipFile(made.path) as theirs:
        assert theirs.infolist()[0].date_time == seen
    assert parse(made.path)[0].stamp == dos_stamp(date)


@pytest.mark.parametrize("before", [0, 1, 17, 4000, 4022, 4023, 4027, 4028, 4029])
def test_data_of_large_stored_entries_starts_on_a_block(tmp_path, before):
    (tmp_path / "large").write_bytes(noise((1 << 20) + 1))
    entries = [Entry("pad", TextSource("x" * before)), file_entry(tmp_path / "large"), Entry("last", TextSource("z"))]
    made = write_zip(entries, tmp_path / "out.zip", compression="stored")
    pad, large, last = parse(made.path)  # 68 + before: where data would start without padding
    assert large.data % 4096 == 0
    assert 0xD935 not in pad.extra
    assert 0xD935 not in last.extra


def test_a_large_name_and_alignment_go_together(tmp_path):
    (tmp_path / "large").write_bytes(noise((1 << 20) + 1))
    name = "/".join(["n" * 255] * 256)
    assert len(name) == 65_535
    made = write_zip([file_entry(tmp_path / "large", name)], tmp_path / "out.zip", compression="stored")
    (member,) = parse(made.path)
    assert member.name == name
    assert member.data % 4096 == 0


@pytest.mark.parametrize("size", [1, 15, 255 * 1024, 1 << 20, (1 << 20) + 1, 2 << 20, (2 << 20) + 1, 5 << 20])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_sizes_around_the_limits_of_blocks_and_chunks(tmp_path, size, compression):
    for name, data in (("noise", noise(size)), ("prose", prose(size))):
        (tmp_path / name).write_bytes(data)
    made = write_zip(
        [file_entry(tmp_path / "noise"), file_entry(tmp_path / "prose")], tmp_path / "o.zip", compression=compression
    )
    first, second = parse(made.path)
    assert content(made.path, first) == noise(size)
    assert content(made.path, second) == prose(size)
    assert made.sha256 == digest(made.path)


# ── the user's own zips


@pytest.fixture(scope="module")
def packed(tree, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("theirs") / "model.zip"
    with zipfile.ZipFile(path, "w") as theirs:
        for number, name in enumerate(CONTENTS):
            method = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[number % 4]
            theirs.write(tree / name, name, method)
    return path


def member_entries(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as theirs:
        return [
            Entry(each.filename, ZipMember(path, each.filename, index, each.file_size), f"{path.name}!{each.filename}")
            for index, each in enumerate(theirs.infolist())
        ]


@pytest.mark.slow
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_members_of_a_zip_are_packed_as_the_files_would_be(tree, packed, tmp_path, compression):
    made = write_zip(member_entries(packed), tmp_path / "o.zip", compression=compression)
    plain = write_zip(
        [file_entry(tree / name, name) for name in CONTENTS if name != "run.sh"] + [member_entries(packed)[-1]],
        tmp_path / "p.zip",
        compression=compression,
    )
    assert made.entries == plain.entries
    assert made.sha256 == plain.sha256 == digest(made.path)


def test_many_members_open_their_archive_once(tmp_path, monkeypatch):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as theirs:
        for number in range(300):
            theirs.writestr(f"{number:03}", b"x" * number)
    entries, opened = member_entries(path), []
    real = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *args: opened.append(args) or real(*args))
    made = write_zip(entries, tmp_path / "o.zip", compression="auto")
    assert len(opened) == 1
    assert [entry.size for entry in made.entries] == list(range(300))


def damage(path: Path, kind: str) -> list[Entry]:
    size = (2 << 20) if kind.startswith("large") else 5000
    with zipfile.ZipFile(path, "w") as theirs:
        theirs.writestr("weights.bin", noise(size))
    (entry,) = member_entries(path)
    raw = bytearray(path.read_bytes())
    if kind.endswith("flipped"):
        raw[2000] ^= 1
    elif kind.endswith("encrypted"):
        raw[6] |= 1
        raw[raw.rindex(b"PK\1\2") + 8] |= 1
    elif kind.endswith("odd method"):
        struct.pack_into("<H", raw, raw.rindex(b"PK\1\2") + 10, 99)
    elif kind.endswith("garbage"):
        raw[:] = b"no zip at all"
    elif kind.endswith("longer than told"):
        entry = Entry(entry.path, ZipMember(path, "weights.bin", 0, size - 7), entry.label)
    elif kind.endswith("shorter than told"):
        entry = Entry(entry.path, ZipMember(path, "weights.bin", 0, size + 7), entry.label)
    elif kind.endswith("no such member"):
        entry = Entry(entry.path, ZipMember(path, "weights.bin", 7, size), entry.label)
    path.write_bytes(raw)
    return [entry]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    "kind",
    [
        "flipped", "encrypted", "odd method", "garbage", "longer than told", "shorter than told", "no such member",
    ],
)  # fmt: skip
def test_a_damaged_zip_is_a_finding(tmp_path, compression, kind, size):
    entries = damage(tmp_path / "model.zip", f"{size} {kind}")
    with pytest.raises(UnreadableError) as raised:
        write_zip(entries, tmp_path / "o.zip", compression=compression)
    finding = raised.value.finding
    assert finding.code == "WLR604"
    assert finding.message.startswith("model.zip!weights.bin cannot be unpacked from model.zip: ")
    assert not finding.message.endswith(": ")
    assert finding.fix
    assert not (tmp_path / "o.zip").exists()


# ── what goes wrong


@pytest.mark.parametrize(
    "path",
    ["", "/abs", "a/../b", "../a", "a//b", "./a", "a/", "a\\b", "a\0b", "\ud800", "x" * 65_536, "é" * 32_768],
)
def test_paths_that_an_archive_cannot_hold(tmp_path, path):
    with pytest.raises(ArchiveError) as raised:
        write_zip([Entry(path, TextSource("a"))], tmp_path / "o.zip", compression="auto")
    assert raised.value.finding.code == "WLR606"
    assert len(raised.value.finding.message) < 3000
    assert not (tmp_path / "o.zip").exists()


def test_a_path_twice(tmp_path):
    with pytest.raises(ArchiveError, match="'a' would stand in the archive twice"):
        write_zip([Entry("a", TextSource("a")), Entry("a", TextSource("b"))], tmp_path / "o", compression="auto")


def test_nothing_to_pack(tmp_path):
    with pytest.raises(ArchiveError) as raised:
        write_zip([], tmp_path / "o.zip", compression="auto")
    assert raised.value.finding.code == "WLR605"


@pytest.mark.parametrize("what", ["missing", "folder", "dangling"])
def test_a_source_that_is_no_file(tmp_path, what):
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "dangling":
        path.symlink_to("nowhere")
    for write in (
        lambda entry, to: write_zip([entry], to, compression="auto"),
        write_file,
    ):
        with pytest.raises(UnreadableError) as raised:
            write(file_entry(path), tmp_path / "o.zip")
        assert raised.value.finding.message.startswith(f"models/{what} cannot be read: ")
    assert not (tmp_path / "o.zip").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError):
        write_file(file_entry(tmp_path / "pipe"), tmp_path / "o")


def change(path: Path, how: str) -> None:
    before = path.stat()
    if how == "grown":
        with path.open("ab") as stream:
            stream.write(b"more")
    elif how == "cut":
        os.truncate(path, before.st_size // 2)
    elif how == "touched":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    elif how == "replaced":
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(path)
    elif how == "removed":
        path.unlink()


@pytest.mark.parametrize("how", ["grown", "cut", "touched", "replaced"])
@pytest.mark.parametrize("size", [100, 3 << 20])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_file_that_changes_is_told(tmp_path, monkeypatch, how, size, compression):
    path = tmp_path / "weights.bin"
    path.write_bytes(prose(size))
    real = archives._Writer.append

    def late(self, tasks):
        change(path, how)
        real(self, tasks)

    monkeypatch.setattr(archives._Writer, "append", late)
    with pytest.raises(ChangedError) as raised:
        write_zip([file_entry(path)], tmp_path / "o.zip", compression=compression)
    assert raised.value.label == "models/weights.bin"
    assert raised.value.finding.code == "WLR603"
    assert not (tmp_path / "o.zip").exists()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_file_that_changes_while_it_is_hashed_last_is_told(tmp_path, monkeypatch, compression):
    path = tmp_path / "weights.bin"
    path.write_bytes(prose(3 << 20))
    written = threading.Event()
    real_hash, real_finish = packing.Worker.sha256, archives._Writer.finish

    def slow(self, task):
        written.wait(10)
        return real_hash(self, task)

    def finish(self, findings):
        change(path, "touched")
        written.set()
        return real_finish(self, findings)

    monkeypatch.setattr(packing.Worker, "sha256", slow)
    monkeypatch.setattr(archives._Writer, "finish", finish)
    with pytest.raises(ChangedError):
        write_zip([file_entry(path)], tmp_path / "o.zip", compression=compression)
    assert not (tmp_path / "o.zip").exists()


def test_a_file_that_changes_between_two_blocks_is_told(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(noise(3 << 20))
    reader = Reader()
    blocks = reader.blocks(reader.look(file_entry(path)))
    next(blocks)
    with path.open("r+b") as stream:
        stream.write(b"new")
    with pytest.raises(ChangedError):
        list(blocks)


def test_reading_stops_between_two_blocks(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(noise(3 << 20))
    reader = Reader()
    blocks = reader.blocks(reader.look(file_entry(path)))
    next(blocks)
    reader.stop.set()
    with pytest.raises(StoppedError):
        next(blocks)


def test_content_that_changes_behind_the_clock_is_told(tmp_path, monkeypatch):
    """The copy is checked against the checksum taken before, whatever the file's times say."""
    path = tmp_path / "weights.bin"
    path.write_bytes(noise(3 << 20))
    monkeypatch.setattr(outputs, "_clone", lambda *_: False)
    monkeypatch.setattr("hatch_wallaroo.bundle.reading._mark", lambda found: (found.st_size,))
    real = archives._Writer._checksum

    def late(self, task):
        crc = real(self, task)
        path.write_bytes(noise(3 << 20, 1))
        return crc

    monkeypatch.setattr(archives._Writer, "_checksum", late)
    with pytest.raises(ChangedError):
        write_zip([file_entry(path)], tmp_path / "o.zip", compression="stored")


def test_a_bare_file_that_changes_is_told(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    path.write_bytes(noise(3 << 20))
    real = outputs.Output.take
    monkeypatch.setattr(outputs.Output, "take", lambda self, item: (change(path, "touched"), real(self, item))[1])
    with pytest.raises(ChangedError):
        write_file(file_entry(path), tmp_path / "o.onnx")
    assert not (tmp_path / "o.onnx").exists()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("after", [0, 60_000, 1_500_000])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_when_writing_fails(tree, tmp_path, monkeypatch, compression, after, error):
    real = outputs.Output.write

    def failing(self, data):
        if self.position + len(data) > after:
            raise error
        real(self, data)

    monkeypatch.setattr(outputs.Output, "write", failing)
    threads = threading.active_count()
    with pytest.raises(type(error)):
        pack_tree(tree, tmp_path / "o.zip", compression)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_the_system_s_own_error(tree, tmp_path):
    (tmp_path / "o.zip").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        pack_tree(tree, tmp_path / "o.zip", "stored")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_the_system_s_own_error(tree, tmp_path):
    with pytest.raises(FileNotFoundError):
        pack_tree(tree, tmp_path / "no" / "o.zip", "stored")


def test_a_file_that_cannot_be_packed_leaves_an_earlier_one_alone(tmp_path):
    (tmp_path / "o.zip").write_text("from before")
    with pytest.raises(ArchiveError):
        write_zip([], tmp_path / "o.zip", compression="auto")
    assert (tmp_path / "o.zip").read_text() == "from before"


# ── bare files


@pytest.mark.parametrize("size", [0, 1, 5000, 1 << 20, (9 << 20) + 5])
def test_a_bare_file_is_copied_and_hashed(tmp_path, size):
    (tmp_path / "m.onnx").write_bytes(noise(size))
    made = write_file(Entry("m.onnx", FileSource(tmp_path / "m.onnx")), tmp_path / "o.onnx")
    assert (tmp_path / "o.onnx").read_bytes() == noise(size)
    assert made.sha256 == made.entries[0].sha256 == digest(tmp_path / "o.onnx")
    assert (made.size, made.entries[0].size, made.profile) == (size, size, "stored")
    assert stat.S_IMODE((tmp_path / "o.onnx").stat().st_mode) & 0o111 == 0


@pytest.mark.parametrize("large", [False, True])
def test_a_bare_file_may_come_from_a_zip_or_be_generated(tmp_path, large):
    data = prose(2_000_000 if large else 50)
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as theirs:
        theirs.writestr("m.onnx", data)
    for source in (ZipMember(tmp_path / "m.zip", "m.onnx", 0, len(data)), TextSource(data.decode())):
        made = write_file(Entry("m.onnx", source), tmp_path / "o.onnx")
        assert (tmp_path / "o.onnx").read_bytes() == data
        assert made.sha256 == hashlib.sha256(data).hexdigest()


# ── what the system lacks


def test_without_what_only_some_systems_have(tree, tmp_path, monkeypatch):
    expected = pack_tree(tree, tmp_path / "a.zip", "stored").sha256
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(outputs, "_RESERVED_FROM", 1 << 20)
    assert pack_tree(tree, tmp_path / "b.zip", "stored").sha256 == expected


@pytest.mark.parametrize("code", ["EOPNOTSUPP", "EXDEV", "EINVAL", "ENOSYS", "ENOTTY"])
def test_where_blocks_cannot_be_shared_or_reserved(tree, tmp_path, monkeypatch, code):
    import errno
    import fcntl

    def cannot(*_):
        raise OSError(getattr(errno, code), "no")

    expected = pack_tree(tree, tmp_path / "a.zip", "stored").sha256
    monkeypatch.setattr(outputs, "_RESERVED_FROM", 1 << 20)
    monkeypatch.setattr(fcntl, "ioctl", cannot)
    monkeypatch.setattr(os, "posix_fallocate", cannot)
    made = pack_tree(tree, tmp_path / "b.zip", "stored")
    assert made.sha256 == expected == digest(made.path)


def test_shared_blocks_give_the_same_archive(tree, tmp_path, monkeypatch):
    """Stands in for a file system that shares blocks: the range asked for is copied by other means."""
    asked = []

    def clone(source: int, target: int, position: int, length: int) -> bool:
        asked.append((position, length))
        assert position % 4096 == length % 4096 == 0
        assert os.pwrite(target, os.pread(source, length, 0), position) == length
        return True

    expected = pack_tree(tree, tmp_path / "a.zip", "stored").sha256
    monkeypatch.setattr(outputs, "_RESERVED_FROM", 1 << 20)
    monkeypatch.setattr(outputs, "_clone", clone)
    made = pack_tree(tree, tmp_path / "b.zip", "stored")
    assert made.sha256 == expected == digest(made.path)
    assert [length for _, length in asked] == [3 << 20, (2 << 20) + 4096]
    bare = write_file(file_entry(tree / "b/large.bin"), tmp_path / "bare")
    assert bare.sha256 == digest(tmp_path / "bare") == digest(tree / "b/large.bin")


def test_a_file_that_fails_stops_the_others(tmp_path, monkeypatch):
    """An error in a short file does not wait until a long one is hashed."""
    (tmp_path / "long").write_bytes(noise(2 << 20))
    started, stopped = threading.Event(), threading.Event()

    def endless(self, task):
        started.set()
        while not self.reader.stop.wait(0.01):
            pass
        stopped.set()
        return ""

    monkeypatch.setattr(packing.Worker, "sha256", endless)
    real = archives._Writer._batch
    monkeypatch.setattr(archives._Writer, "_batch", lambda self, batch: (started.wait(10), real(self, batch))[1])
    (tmp_path / "short").write_text("s")
    look = archives.Reader.look

    def gone(self, entry):
        found = look(self, entry)
        (tmp_path / "short").unlink(missing_ok=True) if entry.path == "short" else None
        return found

    monkeypatch.setattr(archives.Reader, "look", gone)
    with pytest.raises(UnreadableError):
        write_zip(
            [file_entry(tmp_path / "long"), file_entry(tmp_path / "short")], tmp_path / "o.zip", compression="stored"
        )
    assert stopped.is_set() or not started.is_set()
    assert not (tmp_path / "o.zip").exists()
