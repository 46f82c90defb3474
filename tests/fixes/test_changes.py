"""Writing: all files or none, never a half, and the one that was there survives whatever happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatch_wallaroo.fixes import changes as module
from hatch_wallaroo.fixes.changes import ChangedFile, WriteError, write


def text(root: Path, name: str, before: bytes = b"old\n", after: bytes = b"new\n") -> ChangedFile:
    path = root / name
    path.write_bytes(before)
    return ChangedFile(name, path, before, after)


def state(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() if path.is_file() else b"folder" for path in root.iterdir()}


def test_all_files_and_their_modes(tmp_path):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt")]
    (tmp_path / "a.toml").chmod(0o600)
    write(files)
    assert state(tmp_path)["a.toml"] == state(tmp_path)["b.txt"] == b"new\n"
    assert (tmp_path / "a.toml").stat().st_mode & 0o777 == 0o600
    assert sorted(state(tmp_path)) == ["a.toml", "b.txt"]


@pytest.mark.parametrize("last", ["read-only", "changed", "gone", "a folder"])
def test_one_that_is_in_the_way_keeps_all_as_they_are(last, tmp_path):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt"), text(tmp_path, "c.txt")]
    if last == "read-only":
        (tmp_path / "c.txt").chmod(0o444)
    elif last == "changed":
        (tmp_path / "c.txt").write_bytes(b"by somebody else\n")
    else:
        (tmp_path / "c.txt").unlink()
        if last == "a folder":
            (tmp_path / "c.txt").mkdir()
    before = state(tmp_path)
    with pytest.raises(WriteError) as caught:
        write(files)
    assert state(tmp_path) == before
    said = str(caught.value)
    assert "c.txt" in said
    assert {"read-only": "read-only", "changed": "changed meanwhile"}.get(last, "") in said
    assert caught.value.fix or last in {"gone", "a folder"}


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_swap_that_fails_is_taken_back(at, tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt"), text(tmp_path, "c.txt")]
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
    monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(1, "not here")))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _failing_at("b.txt", OSError(28, "no space left on device")))
        with pytest.raises(WriteError):
            write(files)
    assert state(tmp_path) == before
    write(files)
    assert set(state(tmp_path).values()) == {b"new\n"}


def _failing_at(name, error):
    real = Path.replace

    def replace(self, target):
        if self.name == "new" and target.name == name:
            raise error
        return real(self, target)

    return replace


def test_ctrl_c_leaves_what_was_there(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt")]
    before = state(tmp_path)
    monkeypatch.setattr(Path, "replace", _failing_at("b.txt", KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write(files)
    assert state(tmp_path) == before


def test_where_going_back_fails_the_old_file_is_kept(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml"), text(tmp_path, "b.txt")]

    def replace(self, target):
        if target.name == "b.txt" or self.name.startswith("old"):
            raise OSError(5, "input/output error")
        return real(self, target)

    real = Path.replace
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(WriteError):
        write(files)
    assert b"old\n" in {path.read_bytes() for path in tmp_path.glob(".a.toml.*/old-*")}


def test_a_folder_that_takes_nothing_new(tmp_path, monkeypatch):
    files = [text(tmp_path, "a.toml")]
    monkeypatch.setattr(
        module.tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(30, "Read-only file system"))
    )
    with pytest.raises(WriteError, match=r"a\.toml cannot be written: Read-only file system"):
        write(files)
    assert (tmp_path / "a.toml").read_bytes() == b"old\n"
