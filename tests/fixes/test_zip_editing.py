"""Zips without their leftovers: what stays is the same byte for byte, as other readers see it too."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.zip_leftovers import leftovers
from hatch_wallaroo.files.zip_editing import UnusualZipError, without
from hatch_wallaroo.fixes.changes import ZipFile
from hatch_wallaroo.fixes.write import WriteError, write
from support.mending import HEAD, checked, codes, mend, planned

JUNK = {
    "__MACOSX/": b"",
    "__MACOSX/steps/._step.py": b"desktop",
    "steps/.DS_Store": b"desktop",
    "steps/__pycache__/step.cpython-310.pyc": b"cache",
    "steps/.ipynb_checkpoints/step-checkpoint.py": b"notebook",
}
STEP = b"""from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return input_data
"""
KEPT = {"steps/": b"", "steps/step.py": STEP, "steps/data/weights.bin": bytes(range(256)) * 40}


def members(*, first: dict[str, bytes] = JUNK, then: dict[str, bytes] = KEPT) -> dict[str, bytes]:
    """Leftovers and the model's own, in turns."""
    mixed: dict[str, bytes] = {}
    for one, other in zip([*first, *[None] * len(then)], [*then, *[None] * len(first)], strict=False):
        mixed |= {one: first[one]} if one else {}
        mixed |= {other: then[other]} if other else {}
    return mixed


def packed(path: Path, content: dict[str, bytes], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, data) in enumerate(content.items()):
            info = zipfile.ZipInfo(name, (2022, 1, 7, 13, 39, 2 * number))
            info.compress_type = method
            info.external_attr = (0o755 if "step" in name else 0o644) << 16
            info.comment = b"of this member" if number % 2 else b""
            archive.writestr(info, data)
        archive.comment = comment
    return path


def project(root: Path) -> Path:
    (root / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "models/steps.zip"\n'
        'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
    )
    return root


def raw(path: Path) -> dict[str, bytes]:
    """Each member's bytes as they lie in the file, local header included."""
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        found = {}
        for info in archive.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            end = info.header_offset + 30 + name + extra + info.compress_size
            found[info.filename] = data[info.header_offset : end]
    return found


def test_the_note_and_the_fix(tmp_path):
    root = project(tmp_path)
    path = packed(root / "models" / "steps.zip", members(), comment=b"made by hand")
    path.chmod(0o640)
    (finding,) = checked(root).findings
    assert finding.code == "WLR666"
    assert finding.message == (
        "models/steps.zip holds 4 files that are no part of prices: __MACOSX/, steps/.DS_Store, "
        "steps/.ipynb_checkpoints/ and 1 more"
    )
    before = raw(path)
    fixing = planned(root)
    (file,) = fixing.files
    assert file.shown() == (
        "--- models/steps.zip\n-__MACOSX/\n-steps/.DS_Store\n-steps/.ipynb_checkpoints/\n-steps/__pycache__/"
    )
    assert mend(root).left == ()
    assert raw(path) == {name: before[name] for name in KEPT}
    assert path.stat().st_mode & 0o777 == 0o640
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.comment == b"made by hand"
        assert [info.filename for info in archive.infolist()] == list(KEPT)
    assert [each.name for each in path.parent.iterdir()] == ["steps.zip"]


def test_the_bundle_is_the_same_before_and_after(tmp_path):
    root = project(tmp_path)
    packed(root / "models" / "steps.zip", members())
    before, left_out = contents(root)
    mend(root)
    assert contents(root) == (before, 0)
    assert left_out == 4


def contents(root: Path) -> tuple[list[tuple[str, bytes]], int]:
    (model,) = checked(root).models
    layout = model.checked.plan.layout
    return [(each.path, each.source.open().read()) for each in layout.entries], len(layout.stripped)


@pytest.mark.parametrize("tool", ["unzip", "7z"])
def test_other_readers(tool, tmp_path):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    path = packed(tmp_path / "a.zip", members(), comment=b"x" * 300)
    write([ZipFile("a.zip", path, frozenset(JUNK), ())])
    command = {"unzip": ["unzip", "-tqq", str(path)], "7z": ["7z", "t", str(path)]}[tool]
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_a_zip_among_the_artifacts_goes_along_without_leftovers(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "custom"\nartifacts = ["data.zip", "other.zip"]\n'
        'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
        'byop = { load = "prices:load", predict = "prices:predict" }\n'
    )
    (tmp_path / "prices.py").write_text("def load(folder) -> object: ...\n\n\ndef predict(model, inputs): ...\n")
    packed(tmp_path / "data.zip", members())
    other = packed(tmp_path / "other.zip", KEPT).read_bytes()
    assert codes(tmp_path).count("WLR666") == 1
    done = mend(tmp_path)
    assert done.said == ("5 leftovers go",)
    assert "WLR666" not in done.left
    assert (tmp_path / "other.zip").read_bytes() == other


@pytest.mark.parametrize("name", ["m.pt", "m.npz", "m.jar", "m.zip.bak"])
def test_what_is_a_zip_inside_is_not_the_user_s_zip(name, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "custom"\nartifacts = ["{name}"]\n'
        'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
        'byop = { load = "prices:load", predict = "prices:predict" }\n'
    )
    (tmp_path / "prices.py").write_text("def load(folder) -> object: ...\n\n\ndef predict(model, inputs): ...\n")
    packed(tmp_path / name, members())
    assert "WLR666" not in codes(tmp_path)


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("__MACOSX/a/b", "__MACOSX/"),
        ("__macosx/", "__macosx/"),
        ("m/__pycache__/", "m/__pycache__/"),
        ("m/a.pyc", "m/a.pyc"),
        ("m/.DS_Store", "m/.DS_Store"),
        ("m/._a", "m/._a"),
        ("m/Thumbs.db", "m/Thumbs.db"),
        ("m\\.DS_Store", "m/.DS_Store"),
        ("m/.git/config", ""),
        ("m/tests/test_a.py", ""),
        ("m/.venv/x", ""),
        ("m/a.py", ""),
        ("m/pyc", ""),
        ("m/__pycache__.bin", ""),
        ("m/DS_Store", ""),
        ("m/notes.txt~", ""),
    ],
)
def test_what_is_left_over(name, top):
    assert leftovers([name]) == ({name: top} if top else {})


# The forms of zips


def test_zip64(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members().items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as stream:
                stream.write(data)
    before = raw(path)
    write([ZipFile("a.zip", path, frozenset(JUNK), ())])
    assert raw(path) == {name: before[name] for name in KEPT}


def test_an_offset_of_eight_bytes_and_the_end_of_zip64(tmp_path, monkeypatch):
    # As beyond 4 GB and 65,535 members, with smaller limits.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 200)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    path = packed(tmp_path / "a.zip", members(), method=zipfile.ZIP_STORED)
    monkeypatch.undo()
    assert b"PK\x06\x06" in path.read_bytes()
    before = raw(path)
    write([ZipFile("a.zip", path, frozenset(JUNK), ())])
    assert raw(path) == {name: before[name] for name in KEPT}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    if shutil.which("unzip"):
        assert subprocess.run(["unzip", "-tqq", str(path)], capture_output=True).returncode == 0


def test_a_zip_that_was_streamed(tmp_path):
    # Sizes stand behind each member, as `zip - ` and many libraries write them.
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members().items():
            archive.writestr(name, data)
    path = tmp_path / "a.zip"
    path.write_bytes(pipe.data)
    write([ZipFile("a.zip", path, frozenset(JUNK), ())])
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == KEPT
    if shutil.which("unzip"):
        assert subprocess.run(["unzip", "-tqq", str(path)], capture_output=True).returncode == 0


def test_gaps_between_members_stay(tmp_path):
    path = packed(tmp_path / "a.zip", {"a/.DS_Store": b"x", "a/b": b"12", "a/c": b"3"}, method=zipfile.ZIP_STORED)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        second, start = archive.infolist()[2].header_offset, archive.start_dir
    gap = b"\0" * 64
    moved = bytearray(data[:second] + gap + data[second:])
    at = moved.rfind(b"PK\x01\x02")
    struct.pack_into("<L", moved, at + 42, second + len(gap))
    struct.pack_into("<L", moved, moved.rfind(b"PK\x05\x06") + 16, start + len(gap))
    path.write_bytes(moved)
    write([ZipFile("a.zip", path, frozenset({"a/.DS_Store"}), ())])
    assert gap in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/b": b"12", "a/c": b"3"}


def unusual(data: bytes) -> dict[str, bytes]:
    end = data.rfind(b"PK\x05\x06")
    at = data.find(b"PK\x01\x02")
    short, count = bytearray(data), bytearray(data)
    struct.pack_into("<L", short, end + 12, struct.unpack_from("<L", data, end + 12)[0] - 1)
    struct.pack_into("<HH", count, end + 8, 200, 200)
    shared = bytearray(data)
    second = data.find(b"PK\x01\x02", at + 4)
    struct.pack_into("<L", shared, second + 42, struct.unpack_from("<L", data, at + 42)[0])
    script = b"#!/bin/sh\n"
    adjusted = bytearray(script + data)
    record = adjusted.find(b"PK\x01\x02")
    while record >= 0:
        struct.pack_into("<L", adjusted, record + 42, struct.unpack_from("<L", adjusted, record + 42)[0] + len(script))
        record = adjusted.find(b"PK\x01\x02", record + 4)
    end_of_it = adjusted.rfind(b"PK\x05\x06")
    struct.pack_into("<L", adjusted, end_of_it + 16, struct.unpack_from("<L", data, end + 16)[0] + len(script))
    return {
        "something before": script + data,
        "something before that the offsets tell of": bytes(adjusted),
        "something behind the directory": data[:end] + b"signature" + data[end:],
        "cut off": data[: end - 10],
        "a directory that is said to be shorter": bytes(short),
        "more members than there are": bytes(count),
        "members that share bytes": bytes(shared),
        "no zip": b"no zip at all",
        "empty": b"",
    }


FORMS = (
    "something before",
    "something before that the offsets tell of",
    "something behind the directory",
    "cut off",
    "a directory that is said to be shorter",
    "more members than there are",
    "members that share bytes",
    "no zip",
    "empty",
)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_unusual_stays_as_it_is(form, tmp_path):
    path = packed(tmp_path / "a.zip", members())
    data = unusual(path.read_bytes())[form]
    path.write_bytes(data)
    with pytest.raises(WriteError) as caught:
        write([ZipFile("a.zip", path, frozenset(JUNK), ())])
    assert "a.zip" in str(caught.value)
    assert path.read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


def test_whatever_a_broken_zip_holds_it_is_kept_or_rewritten_without_a_loss(tmp_path):
    random_ = random.Random(7)
    original = packed(tmp_path / "a.zip", members()).read_bytes()
    kept = 0
    for _ in range(300):
        data = bytearray(original)
        for _ in range(random_.randint(1, 4)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        source = tmp_path / "a.zip"
        source.write_bytes(data)
        target = io.BytesIO()
        try:
            without(source, target, JUNK)
        except UnusualZipError:
            kept += 1
            continue
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError, RuntimeError) as error:
            pytest.fail(f"{type(error).__name__}: {error}")
        with zipfile.ZipFile(source) as before, zipfile.ZipFile(target) as after:
            names = [info.filename for info in before.infolist() if info.filename not in JUNK]
            assert names == after.namelist()
    assert 20 < kept < 300


# The real one, zipped by a desktop


def test_a_public_model(shared_models, tmp_path):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "aloha.zip"
    shutil.copyfile(shared_models / "alohacnnlstm.zip", path)
    (tmp_path / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "tensorflow"\nmodel = "models/aloha.zip"\n'
    )
    before = raw(path)
    assert codes(tmp_path) == ["WLR666"]
    assert mend(tmp_path).left == ()
    assert raw(path) == {name: data for name, data in before.items() if not name.startswith("__MACOSX")}


def test_a_large_zip_takes_little_memory(tmp_path):
    path = tmp_path / "a.zip"
    block = os.urandom(1 << 20)
    with zipfile.ZipFile(path, "w") as archive, archive.open("m/weights.bin", "w") as stream:
        for _ in range(64):
            stream.write(block)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("m/.DS_Store", b"x")
    digest = hashlib.sha256(path.read_bytes()[: 64 << 20]).hexdigest()
    import tracemalloc

    tracemalloc.start()
    write([ZipFile("a.zip", path, frozenset({"m/.DS_Store"}), ())])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
    assert hashlib.sha256(path.read_bytes()[: 64 << 20]).hexdigest() == digest
