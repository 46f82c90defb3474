"""A user's own zip: what becomes an entry, what is left out, what is refused."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatch_wallaroo.files import zip_listing
from hatch_wallaroo.files.collect import find_file, list_zip
from hatch_wallaroo.findings import Level, Place
from support.factory import make_spec

HERE = Place(key=("tool", "wallaroo", "model"))


def info(name, *, mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_DEFLATED):
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    made.compress_type = method
    return made


def pack(root, *members, name="m.zip"):
    """A zip of (name or ZipInfo, content) pairs, or bare names."""
    with warnings.catch_warnings(), zipfile.ZipFile(root / name, "w") as archive:
        warnings.simplefilter("ignore")
        for member in members:
            archive.writestr(*(member if isinstance(member, tuple) else (info(member), member.encode())))
    return root / name


def listed(root, *exclude, name="m.zip"):
    spec = make_spec(root, "tensorflow", exclude=exclude)
    found, findings = find_file(spec, name, place=HERE)
    assert not findings
    return list_zip(spec, found, place=HERE)


def patched(path, before, after, count=-1):
    path.write_bytes(path.read_bytes().replace(before, after, count))


def only(listing):
    (finding,) = listing.findings
    assert finding.place == HERE
    return finding


def test_members_become_entries_in_order_of_path(tmp_path):
    pack(tmp_path, "b/z.bin", "a.bin", ("b/", b""), "b/a.bin", (info("run.sh", mode=stat.S_IFREG | 0o755), b"x"))
    listing = listed(tmp_path)
    assert [each.path for each in listing.entries] == ["a.bin", "b/a.bin", "b/z.bin", "run.sh"]
    assert [each.label for each in listing.entries][1] == "m.zip!b/a.bin"
    assert [each.source.executable for each in listing.entries] == [False, False, False, True]
    for entry in listing.entries:
        with entry.source.open() as stream:
            assert stream.read().decode() == (entry.path if entry.path != "run.sh" else "x")
    assert (listing.findings, listing.stripped) == ((), ())


def test_junk_is_left_out_and_said(tmp_path):
    pack(tmp_path, "m/a.bin", "__MACOSX/m/._a.bin", "m/.DS_Store", "m/.git/config", "m/__pycache__/x.pyc")
    pack(
        tmp_path,
        *("m/a.bin", "m/.DS_Store", "__MACOSX/m/._a.bin", "m/.git/config", "m/env/pyvenv.cfg", "m/env/lib/x.py"),
        *("m/tests/unit/test_a.py", "m/tests/x.bin", "m/test/data.csv", "dist/a.bin", "m/notes.txt"),
    )
    listing = listed(tmp_path, "notes.*")
    assert [each.path for each in listing.entries] == ["dist/a.bin", "m/a.bin", "m/test/data.csv"]
    assert listing.stripped == (
        ("m.zip!__MACOSX/", "the desktop's bookkeeping"),
        ("m.zip!m/.DS_Store", "the desktop's bookkeeping"),
        ("m.zip!m/.git/", "version control"),
        ("m.zip!m/env/", "a virtual environment"),
        ("m.zip!m/notes.txt", "exclude 'notes.*'"),
        ("m.zip!m/tests/", "tests"),
    )
    assert listing.findings == ()


@pytest.mark.parametrize(
    ("member", "code", "told"),
    [
        ("../a.bin", "WLR232", "outside its folder: ../a.bin"),
        ("a/../../b.bin", "WLR232", "outside its folder"),
        ("/etc/passwd", "WLR232", "outside its folder"),
        ("C:/a.bin", "WLR232", "outside its folder"),
        ("..\\a.bin", "WLR232", "outside its folder"),
        ("\\\\server\\a", "WLR232", "outside its folder"),
        (".", "WLR232", "outside its folder"),
        ("a\nb", "WLR232", "control character in its name: a\\x0ab"),
        ("d/" + "x" * 300, "WLR232", "a name of 300 bytes"),
        (info("a", mode=stat.S_IFLNK | 0o777), "WLR234", "a member is a link: a"),
        (info("a", mode=stat.S_IFIFO | 0o644), "WLR234", "not a regular file"),
        (info("a", mode=stat.S_IFCHR | 0o644), "WLR234", "not a regular file"),
    ],
    ids=range(12),
)
def test_members_that_are_not_safe_are_refused(tmp_path, member, code, told):
    pack(tmp_path, "fine.bin", member if isinstance(member, str) else (member, b"/etc/passwd"))
    listing = listed(tmp_path)
    assert (only(listing).code, [each.path for each in listing.entries]) == (code, ["fine.bin"])
    assert told in only(listing).message


def test_many_of_a_kind_are_one_finding(tmp_path):
    pack(tmp_path, *(f"../{number}.bin" for number in range(1_002)))
    assert only(listed(tmp_path)).message.endswith(": ../0.bin, ../1.bin, ../2.bin and 999 more")


def test_backslashes_are_folders(tmp_path):
    pack(tmp_path, "m\\sub\\a.bin", "./m/b.bin")
    listing = listed(tmp_path)
    assert [each.path for each in listing.entries] == ["m/b.bin", "m/sub/a.bin"]
    assert [each.source.open().read() for each in listing.entries] == [b"./m/b.bin", b"m\\sub\\a.bin"]


@pytest.mark.parametrize("again", ["a.bin", "./a.bin", "x//a.bin"])
def test_a_name_twice_is_refused(tmp_path, again):
    pack(tmp_path, "x/a.bin" if "x" in again else "a.bin", again)
    listing = listed(tmp_path)
    assert only(listing).code == "WLR236"
    assert len(listing.entries) == 1


def test_encrypted_members_are_refused(tmp_path):
    path = pack(tmp_path, "a.bin")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert only(listed(tmp_path)).code == "WLR233"


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (99, "AES"), (77, "method 77")])
def test_compressions_that_python_does_not_know_are_refused(tmp_path, method, name):
    path = pack(tmp_path, "a.bin")
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 10, method)
    path.write_bytes(data)
    finding = only(listed(tmp_path))
    assert finding.code == "WLR235"
    assert name in finding.message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_python_knows_are_taken(tmp_path, method):
    pack(tmp_path, (info("a.bin", method=method), b"x" * 1_000))
    listing = listed(tmp_path)
    assert listing.findings == ()
    assert listing.entries[0].source.open().read() == b"x" * 1_000


def sized(path, size, packed=None):
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, size)
    if packed is not None:
        struct.pack_into("<L", data, at + 20, packed)
    path.write_bytes(data)


def test_sizes_that_contradict_each_other_are_refused(tmp_path):
    sized(pack(tmp_path, (info("a.bin", method=zipfile.ZIP_STORED), b"x" * 9)), 10)
    assert only(listed(tmp_path)).code == "WLR237"
    sized(pack(tmp_path, (info("a.bin"), b"x" * 9)), 4_000_000_000)
    assert only(listed(tmp_path)).code == "WLR237"


def test_a_bomb_is_refused_and_zeros_of_a_real_size_are_not(tmp_path, monkeypatch):
    assert zip_listing._SMALL == 1 << 30
    monkeypatch.setattr(zip_listing, "_SMALL", 1 << 20)
    pack(tmp_path, *((info(f"{number}.bin"), bytes(1 << 18)) for number in range(4)))
    assert listed(tmp_path).findings == ()
    pack(tmp_path, *((info(f"{number}.bin"), bytes(1 << 18)) for number in range(5)))
    finding = only(listed(tmp_path))
    assert (finding.code, "1,310,720" in finding.message) == ("WLR237", True)


def test_members_that_share_bytes_are_refused(tmp_path):
    path = pack(tmp_path, "aaa.bin", "bbb.bin")
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    assert only(listed(tmp_path)).code == "WLR238"


@pytest.mark.parametrize("content", [b"", b"not a zip at all" * 10, b"PK\x03\x04", b"PK", b"PK\x05\x06"], ids=range(5))
def test_what_is_no_zip_is_told(tmp_path, content):
    (tmp_path / "m.zip").write_bytes(content)
    finding = only(listed(tmp_path))
    assert finding.code == "WLR231"


def test_a_zip_that_is_cut_off_is_told(tmp_path):
    path = pack(tmp_path, *(f"{number}.bin" for number in range(50)))
    data = path.read_bytes()
    for keep in (len(data) - 10, len(data) - 22, len(data) // 2):
        path.write_bytes(data[:keep])
        assert only(listed(tmp_path)).message == "m.zip is cut off: the end of the zip is missing"


def test_a_part_of_a_split_zip_is_told(tmp_path):
    path = pack(tmp_path, "a.bin")
    data = bytearray(path.read_bytes())
    struct.pack_into("<2H", data, len(data) - 18, 1, 1)
    path.write_bytes(data)
    assert only(listed(tmp_path)).message == "m.zip is one part of a zip that was split"


def test_a_directory_beyond_all_measure_is_not_read(tmp_path, monkeypatch):
    path = pack(tmp_path, *(f"{number}" for number in range(30)))
    monkeypatch.setattr(zip_listing, "MOST_MEMBERS", 20)
    assert "30 members" in only(listed(tmp_path)).message
    monkeypatch.undo()
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, len(data) - 10, 0xFFFFFF00)
    path.write_bytes(data)
    assert only(listed(tmp_path)).code == "WLR231"


def test_zip64_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    pack(tmp_path, *(f"{number}.bin" for number in range(6)))
    monkeypatch.undo()
    assert b"PK\x06\x06" in (tmp_path / "m.zip").read_bytes()
    listing = listed(tmp_path)
    assert (len(listing.entries), listing.findings) == (6, ())


def test_bytes_before_the_zip_and_a_comment_after_it_are_no_harm(tmp_path):
    path = pack(tmp_path, "a.bin")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by hand" * 9
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    listing = listed(tmp_path)
    assert ([each.path for each in listing.entries], listing.findings) == (["a.bin"], ())
    assert listing.entries[0].source.open().read() == b"a.bin"


def test_a_zip_without_files_is_told(tmp_path):
    pack(tmp_path, ("m/", b""))
    assert only(listed(tmp_path)).message == "m.zip holds no file"


@pytest.mark.parametrize(
    ("raw", "path", "level"),
    [
        ("é.bin".encode(), "é.bin", None),
        ("模型.bin".encode(), "模型.bin", None),
        ("é.bin".encode("cp437"), "é.bin", Level.WARNING),
    ],
)
def test_names_without_the_utf8_flag(tmp_path, raw, path, level):
    placeholder = "x" * len(raw)
    file = pack(tmp_path, placeholder)
    patched(file, placeholder.encode(), raw)
    listing = listed(tmp_path)
    assert [each.path for each in listing.entries] == [path]
    assert [each.level for each in listing.findings] == ([level] if level else [])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.integers(0, 60),
)
def test_damaged_zips_never_raise(tmp_path, changes, cut):
    path = pack(tmp_path, "m/a.bin", "m/é.bin", "m/.DS_Store", "b.txt", name="fuzz.zip")
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    for at, value in changes:
        data[start + at % (len(data) - start)] = value
    path.write_bytes(data[: len(data) - cut])
    listing = listed(tmp_path, name="fuzz.zip")
    for finding in listing.findings:
        (finding.message + finding.fix).encode()
    for entry in listing.entries:
        entry.path.encode()
