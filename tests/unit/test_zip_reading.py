"""A user's zip that is damaged, large, changed meanwhile: told as findings, read once."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.check import check
from hatch_wallaroo.bundle.pack import PackError, pack
from hatch_wallaroo.files import zip_reading
from hatch_wallaroo.files.sources import ZipMember
from hatch_wallaroo.files.zip_reading import DamagedMemberError, archives_kept_open
from support import step_cases
from support.factory import make_spec

SAVED_MODELS = Path(__file__).parents[1] / "fixtures" / "tensorflow"
STORED, DEFLATED, BZIP2, LZMA = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA
METHODS = (STORED, DEFLATED, BZIP2, LZMA)
CONFIG = json.dumps({"architectures": ["BertForSequenceClassification"], "model_type": "bert", "notes": [*range(900)]})
NAME = "x/config.json"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 123456789\n".format("a" * 64)


def zipped(path: Path, members: dict[str, str | bytes], method: int = DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sources(path: Path) -> list[ZipMember]:
    with zipfile.ZipFile(path) as archive:
        return [ZipMember(path, each.filename, index, each.file_size) for index, each in enumerate(archive.infolist())]


# ── damage


def overwritten(raw: bytearray, info: zipfile.ZipInfo, _: int) -> None:
    start = info.header_offset + 30 + len(info.filename)
    if info.compress_type == DEFLATED:
        raw[start] = 0xFF  # a kind of block that is not defined
    else:
        raw[start + info.compress_size // 2] ^= 0xFF


def flipped(raw: bytearray, info: zipfile.ZipInfo, _: int) -> None:
    raw[info.header_offset + 30 + len(info.filename) + 5] ^= 1


def without_header(raw: bytearray, info: zipfile.ZipInfo, _: int) -> None:
    raw[info.header_offset] ^= 0xFF


def renamed(raw: bytearray, info: zipfile.ZipInfo, _: int) -> None:
    raw[info.header_offset + 30] ^= 1


def shorter(raw: bytearray, info: zipfile.ZipInfo, at: int) -> None:
    struct.pack_into("<L", raw, at + 20, info.compress_size // 2)


def no_text(raw: bytearray, info: zipfile.ZipInfo, at: int) -> None:
    struct.pack_into("<H", raw, at + 8, 0x800)
    raw[info.header_offset + 30] = 0xFF


def before_the_file(raw: bytearray, info: zipfile.ZipInfo, at: int) -> None:
    end = raw.rindex(b"PK\5\6")
    struct.pack_into("<L", raw, end + 16, struct.unpack_from("<L", raw, end + 16)[0] + 9)


def encrypted(raw: bytearray, info: zipfile.ZipInfo, at: int) -> None:
    raw[at + 8] |= 1


def unknown(raw: bytearray, info: zipfile.ZipInfo, at: int) -> None:
    struct.pack_into("<H", raw, at + 10, 97)


def harm(path: Path, member: str, how) -> None:
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        how(raw, archive.getinfo(member), raw.rindex(member.encode()) - 46)
    path.write_bytes(raw)


HARMS = [
    pytest.param(DEFLATED, overwritten, "its compressed data is broken", id="deflate"),
    pytest.param(BZIP2, overwritten, "its compressed data is broken", id="bzip2"),
    pytest.param(LZMA, overwritten, "its compressed data is broken", id="lzma"),
    pytest.param(STORED, flipped, "its checksum does not fit its content", id="wrong checksum"),
    pytest.param(DEFLATED, without_header, "its header in the zip is broken", id="header"),
    pytest.param(DEFLATED, renamed, "its header in the zip is broken", id="another name"),
    pytest.param(DEFLATED, no_text, "its header in the zip is broken", id="name is no UTF-8"),
    pytest.param(DEFLATED, before_the_file, "its header in the zip is broken", id="before the file"),
    pytest.param(DEFLATED, shorter, "its checksum does not fit its content", id="cut deflate"),
    pytest.param(BZIP2, shorter, "its checksum does not fit its content", id="cut bzip2"),
]
ONLY_READ = [
    pytest.param(DEFLATED, encrypted, "it is encrypted", id="encrypted"),
    pytest.param(DEFLATED, unknown, "Python cannot unpack its kind of compression", id="unknown method"),
]


@pytest.mark.parametrize(("method", "how", "reason"), [*HARMS, *ONLY_READ])
def test_damage_is_an_oserror_that_names_archive_and_member(tmp_path, method, how, reason):
    path = zipped(tmp_path / "m.zip", {NAME: CONFIG, "x/other": "fine"}, method)
    first, second = sources(path)
    harm(path, NAME, how)
    with pytest.raises(OSError, match=r"^m\.zip!x/config\.json is damaged: ") as raised, first.open() as stream:
        stream.read()
    assert isinstance(raised.value, DamagedMemberError)
    assert (raised.value.archive, raised.value.member, raised.value.strerror) == (path, NAME, reason)
    if how is not before_the_file:
        with second.open() as stream:
            assert stream.read() == b"fine"


@pytest.mark.parametrize("action", ["seek", "readinto", "read"])
def test_every_way_to_read_tells_it(tmp_path, action):
    path = zipped(tmp_path / "m.zip", {NAME: CONFIG})
    (source,) = sources(path)
    harm(path, NAME, overwritten)
    with source.open() as stream, pytest.raises(DamagedMemberError):
        getattr(stream, action)(bytearray(99_999) if action == "readinto" else 99_999)
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)


@pytest.mark.parametrize(("method", "how", "reason"), HARMS)
def test_damage_is_one_finding_of_a_check(tmp_path, method, how, reason):
    path = zipped(tmp_path / "models" / "m.zip", {"x/model.safetensors": b"\0" * 8, NAME: CONFIG}, method)
    harm(path, NAME, how)
    checked = check(make_spec(tmp_path, "hugging-face-text-classification", model="models/m.zip"))
    assert not checked.passed
    (finding,) = [each for each in checked.findings if NAME in each.message]
    assert finding.code == "WLR620"
    assert finding.message == f"models/m.zip!{NAME} is damaged: {reason}"
    assert finding.fix == "make or download models/m.zip again"


def test_a_damaged_requirements_file_does_not_end_the_check(tmp_path):
    members = {"step.py": step_cases.DATA + step_cases.STEP, "requirements.txt": "numpy==1.26.4\n" * 300}
    harm(zipped(tmp_path / "step.zip", members), "requirements.txt", overwritten)
    checked = check(make_spec(tmp_path, "python", release="2026.1", model="step.zip"))
    assert "step.zip!requirements.txt is damaged: its compressed data is broken" in [
        each.message for each in checked.findings
    ]


def project(root: Path, framework: str, method: int) -> dict[str, object]:
    """A zip in a new project, as a family takes it, and the options of its spec."""
    if framework in {"tensorflow", "keras"}:
        folder = SAVED_MODELS / ("keras" if framework == "keras" else "module")
        members = {
            f"m/{each.relative_to(folder).as_posix()}": each.read_bytes()
            for each in folder.rglob("*")
            if each.is_file()
        }
    elif framework == "python":
        members = {"step.py": step_cases.DATA + step_cases.STEP, "requirements.txt": "numpy==1.26.4\n", "a.json": "{}"}
    else:
        weights = len(b"{}").to_bytes(8, "little") + b"{}"
        members = {NAME: CONFIG, "x/model.safetensors": weights, "x/tokenizer.json": '{"version": "1.0"}'}
    zipped(root / "m.zip", members, method)
    return {"model": "m.zip", "release": "2026.1" if framework == "python" else "2023.2.1"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("framework", ["tensorflow", "keras", "hugging-face-text-classification", "python"])
def test_whatever_is_flipped_is_told_and_never_raised(tmp_path, framework, method):
    options = project(tmp_path, framework, method)
    path, spec = tmp_path / "m.zip", make_spec(tmp_path, framework, **options)
    whole, seen = path.read_bytes(), 0
    before = set(check(spec).findings)
    draw = random.Random(method)
    for _ in range(25):
        raw = bytearray(whole)
        for _ in range(draw.choice((1, 3, 40))):
            raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.2:
            del raw[draw.randrange(len(raw)) :]
        path.write_bytes(raw)
        checked = check(spec)
        if checked.passed:
            with contextlib.suppress(PackError):
                pack([checked], tmp_path / "dist")
        damaged = [each for each in set(checked.findings) - before if each.code == "WLR620"]
        assert all(each.message.startswith("m.zip!") for each in damaged)
        seen += len(damaged)
    assert seen or method == STORED


# ── reading once


@pytest.fixture
def parsed(monkeypatch):
    """The directories that were read."""
    real, read = zipfile.ZipFile._RealGetContents, []
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", lambda self: (read.append(self.filename), real(self))[1])
    return read


def test_a_zip_of_many_members_is_parsed_once_to_check_and_once_to_pack(tmp_path, parsed):
    members = {"step.py": step_cases.DATA + step_cases.STEP, **{f"data/{number}.json": "{}" for number in range(300)}}
    zipped(tmp_path / "step.zip", members)
    checked = check(make_spec(tmp_path, "python", release="2026.1", model="step.zip"))
    assert checked.passed, checked.findings
    assert parsed == [str(tmp_path / "step.zip")]
    pack([checked], tmp_path / "dist")
    assert parsed == [str(tmp_path / "step.zip")] * 2
    assert not zip_reading._open


def test_nothing_stays_open_where_nobody_keeps_it(tmp_path, parsed):
    path = zipped(tmp_path / "m.zip", {"a": "1", "b": "2"})
    read = []
    for source in sources(path):
        with source.open() as stream:
            read.append(stream.read())
    assert read == [b"1", b"2"]
    assert len(parsed) == 3
    assert not zip_reading._open
    gc.collect()


def test_a_stream_outlives_those_who_keep_its_archive(tmp_path):
    path = zipped(tmp_path / "m.zip", {"a": "1" * 100_000})
    with archives_kept_open():
        stream = sources(path)[0].open()
        assert stream.read(1) == b"1"
    assert not zip_reading._open
    with stream:
        assert len(stream.read()) == 99_999
        assert stream.seek(99_990) == 99_990
        assert stream.read() == b"1" * 10


def test_an_archive_that_is_written_anew_is_read_anew(tmp_path, parsed):
    path = zipped(tmp_path / "m.zip", {"a": "old"})
    with archives_kept_open():
        (source,) = sources(path)
        with source.open() as stream:
            assert stream.read() == b"old"
        path.unlink()
        zipped(path, {"a": "new"})
        with source.open() as stream:
            assert stream.read() == b"new"
        path.unlink()
        zipped(path, {"b": "another"})
        with pytest.raises(DamagedMemberError, match="no longer says"):
            source.open()
        assert len(zip_reading._open) == 1
        path.write_bytes(b"no zip at all")
        with pytest.raises(DamagedMemberError, match="the zip's directory is damaged"):
            source.open()
        path.unlink()
        with pytest.raises(FileNotFoundError):
            source.open()


def test_only_so_many_archives_stay_open(tmp_path, parsed):
    members = [sources(zipped(tmp_path / f"{number}.zip", {"a": str(number)}))[0] for number in range(20)]
    parsed.clear()
    with archives_kept_open():
        streams = [each.open() for each in members]
        assert len(zip_reading._open) == zip_reading.MOST_OPEN
        for number, stream in enumerate(streams):
            with stream:
                assert stream.read() == str(number).encode()
        members[-1].open().close()
        assert len(parsed) == 20
    gc.collect()


def test_the_archive_that_was_not_used_for_longest_is_closed(tmp_path, parsed):
    often, *others = [sources(zipped(tmp_path / f"{number}.zip", {"a": "1"}))[0] for number in range(20)]
    parsed.clear()
    with archives_kept_open():
        for each in others:
            often.open().close()
            each.open().close()
    assert len(parsed) == 20


def test_threads_share_an_archive(tmp_path, parsed):
    content = {f"{number}": random.Random(number).randbytes(40_000) for number in range(60)}
    members = sources(zipped(tmp_path / "m.zip", content))
    parsed.clear()

    def read(source: ZipMember) -> bool:
        with source.open() as stream:
            blocks = [stream.read(7_000) for _ in range(6)]
        return b"".join(blocks) == content[source.member]

    with archives_kept_open(), ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, members * 5))
    assert len(parsed) == 1


# ── Git LFS


@pytest.mark.parametrize(
    ("framework", "release"),
    [
        ("tensorflow", "2023.2.1"),
        ("keras", "2023.2.1"),
        ("hugging-face-text-classification", "2023.2.1"),
        ("python", "2026.1"),
    ],
)
def test_a_zip_that_was_never_fetched(tmp_path, framework, release):
    (tmp_path / "m.zip").write_text(POINTER)
    checked = check(make_spec(tmp_path, framework, release=release, model="m.zip"))
    assert [(each.code, each.message) for each in checked.findings] == [
        ("WLR230", "m.zip is a Git LFS pointer, not the file itself (123,456,789 bytes are missing)")
    ]
    assert checked.findings[0].fix == "git lfs pull --include='m.zip'"
