"""Writing: all files or none, never a half, and the one that was there survives whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.fixes import write as module
from hatch_wallaroo.fixes.changes import TextFile, ZipFile
from hatch_wallaroo.fixes.write import WriteError, write


def text(root: Path, name: str, before: bytes = b"old\n", after: bytes = b"new\n") -> TextFile:
    path = root / name
    path.write_bytes(before)
    return TextFile(name, path, before, after)


def packed(root: Path, name: str) -> ZipFile:
    path = root / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/a", b"1")
        archive.writestr("m/.DS_Store", b"2")
    return ZipFile(name, path, frozenset({"m/.DS_Store"}), ("m/.DS_Store",))


def state(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() if path.is_file() else b"folder" for path in root.iterdir()}


def test_all_files_and_their_modes(tmp_path):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt"), packed(tmp_path, "c.zip")]
    (tmp_path / "a.toml").chmod(0o600)
    write(files)
    assert state(tmp_path)["a.toml"] == state(tmp_path)["b.txt"] == b"new\n"
    assert (tmp_path / "a.toml").stat().st_mode & 0o777 == 0o600
    assert zipfile.ZipFile(tmp_path / "c.zip").namelist() == ["m/a"]
    assert sorted(state(tmp_path)) == ["a.toml", "b.txt", "c.zip"]


@pytest.mark.parametrize("last", ["read-only", "changed", "gone", "a folder", "a zip that changed", "no zip"])
def test_one_that_is_in_the_way_keeps_all_as_they_are(last, tmp_path):
    files = [text(tmp_path, "a.toml"), packed(tmp_path, "b.zip"), text(tmp_path, "c.txt"), packed(tmp_path, "d.zip")]
    if last == "read-only":
        (tmp_path / "c.txt").chmod(0o444)
    elif last == "changed":
        (tmp_path / "c.txt").write_bytes(b"by somebody else\n")
    elif last in {"gone", "a folder"}:
        (tmp_path / "c.txt").unlink()
        if last == "a folder":
            (tmp_path / "c.txt").mkdir()
    elif last == "a zip that changed":
        with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
            archive.writestr("m/other", b"3")
    else:
        (tmp_path / "d.zip").write_bytes(b"no zip")
    before = state(tmp_path)
    with pytest.raises(WriteError) as caught:
        write(files)
    assert state(tmp_path) == before
    said = str(caught.value)
    assert ("d.zip" if "zip" in last else "c.txt") in said
    assert {"read-only": "read-only", "changed": "changed meanwhile", "a zip that changed": "meanwhile"}.get(
        last, ""
    ) in said
    assert caught.value.fix or last in {"gone", "a folder"}


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_swap_that_fails_is_taken_back(at, tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), packed(tmp_path, "b.zip"), text(tmp_path, "c.txt")]
    before = state(tmp_path)
    real, names = Path.replace, [each.path.name for each in files]

    def replace(self: Path, target: Path) -> Path:
        if self.name == "new" and Path(target).name == names[at]:
            raise PermissionError(13, "in use by another program", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(WriteError, match="in use by another program"):
        write(files)
    assert state(tmp_path) == before


def test_a_file_system_without_links(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt")]
    before = state(tmp_path)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "not here")))
    monkeypatch.setattr(module, "_swap", _failing_at("b.txt", module._swap))
    with pytest.raises(WriteError):
        write(files)
    assert state(tmp_path) == before
    monkeypatch.undo()
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "not here")))
    write(files)
    assert set(state(tmp_path).values()) == {b"new\n"}


def _failing_at(name, swap):
    def swapped(made):
        swap(made)
        if made.file.file == name:
            raise OSError(28, "no space left on device")

    return swapped


def test_ctrl_c_leaves_what_was_there(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt")]
    before = state(tmp_path)

    def interrupted(made):
        if made.file.file == "b.txt":
            raise KeyboardInterrupt
        real(made)

    real = module._swap
    monkeypatch.setattr(module, "_swap", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(files)
    assert state(tmp_path) == before


def test_a_folder_that_takes_nothing_new(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml")]
    monkeypatch.setattr(
        module.tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(30, "Read-only file system"))
    )
    with pytest.raises(WriteError, match=r"a\.toml cannot be written: Read-only file system"):
        write(files)
    assert (tmp_path / "a.toml").read_bytes() == b"old\n"


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_write import packed
from hatch_wallaroo.files import zip_editing
from hatch_wallaroo.fixes import write as module
kept = zip_editing._copy_range
def dying(*arguments):
    kept(*arguments)
    os._exit(9)
zip_editing._copy_range = dying
module.write([packed(Path({root!r}), "a.zip")])
"""


def test_a_crash_in_the_middle_of_a_zip_leaves_the_zip(tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), root=str(tmp_path))
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["m/a", "m/.DS_Store"]
        assert archive.testzip() is None
