"""A repository is there whole, or there is what was there before."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_wallaroo.scaffold import write as module
from hatch_wallaroo.scaffold.repository import ScaffoldFile
from hatch_wallaroo.scaffold.requested import ScaffoldError
from hatch_wallaroo.scaffold.write import write, write_file

FILES = (
    ScaffoldFile("README.md", b"read me"),
    ScaffoldFile("models/deep/model.bin", bytes(range(256))),
    ScaffoldFile("pyproject.toml", b"[project]"),
    ScaffoldFile("src/a/__init__.py", b""),
)


def tree(folder: Path) -> dict[str, bytes]:
    """All that is below a folder: files with their bytes, folders by their names alone."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"<folder>"
        for path in folder.rglob("*")
    }


WHOLE = {
    **{file.path: file.data for file in FILES},
    **dict.fromkeys(("models", "models/deep", "src", "src/a"), b"<folder>"),
}


@pytest.mark.parametrize("place", ["new", "deep/down/new"])
def test_a_new_folder(place: str, tmp_path: Path) -> None:
    write(FILES, tmp_path / place)
    assert tree(tmp_path / place) == WHOLE
    assert [path.name for path in (tmp_path / place).parent.iterdir()] == ["new"]


def test_the_folder_comes_to_its_place_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, seen, moved = tmp_path / "new", [], []
    real_write, real_rename = module._write, Path.rename

    def write_watched(path: Path, data: bytes) -> None:
        seen.append(folder.exists())
        real_write(path, data)

    def rename_watched(self: Path, target: Path) -> Path:
        moved.append((tree(self), target))
        return real_rename(self, target)

    monkeypatch.setattr(module, "_write", write_watched)
    monkeypatch.setattr(Path, "rename", rename_watched)
    write(FILES, folder)
    assert seen == [False] * len(FILES)
    assert moved == [(WHOLE, folder)]


@pytest.mark.skipif(sys.platform == "win32", reason="rights of another kind")
def test_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(FILES, tmp_path / "new")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "new" / "README.md").stat().st_mode & 0o777 == 0o640


def test_an_empty_folder_stays_the_folder_that_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new"
    folder.mkdir(mode=0o700)
    before = folder.stat().st_ino
    monkeypatch.chdir(folder)
    write(FILES, Path())
    assert tree(folder) == WHOLE
    assert (folder.stat().st_ino, folder.stat().st_mode & 0o777) == (before, 0o700)


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "new").symlink_to("real")
    write(FILES, tmp_path / "new")
    assert tree(tmp_path / "real") == WHOLE
    assert (tmp_path / "new").is_symlink()


def a_file(folder: Path) -> None:
    folder.write_text("mine")


def a_full_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / ".hidden").write_text("mine")


def a_dangling_link(folder: Path) -> None:
    folder.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("put", "told"), [(a_file, "is a file"), (a_full_folder, "is not empty"), (a_dangling_link, "leads nowhere")]
)
def test_what_is_there_is_left_alone(put: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    put(tmp_path / "new")
    before = tree(tmp_path)
    with pytest.raises(ScaffoldError, match=told) as caught:
        write(FILES, tmp_path / "new")
    assert caught.value.misused
    assert caught.value.problems[0].fix
    assert tree(tmp_path) == before


def test_a_file_in_the_way_of_the_parents(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ScaffoldError, match="cannot be written: Not a directory; nothing was left behind") as caught:
        write(FILES, tmp_path / "file" / "deep" / "new")
    assert not caught.value.misused
    assert tree(tmp_path) == {"file": b"mine"}


def test_a_name_that_the_disk_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="cannot be written"):
        write(FILES, tmp_path / "parent" / ("x" * 300))
    assert tree(tmp_path) == {}


PLACES = {"a new folder": [], "a new folder in a new one": [], "an empty folder": ["empty"]}


def place(tmp_path: Path, kind: str) -> Path:
    for name in PLACES[kind]:
        (tmp_path / name).mkdir()
    return tmp_path / {"a new folder": "new", "a new folder in a new one": "over/new"}.get(kind, "empty")


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", range(12))
def test_whatever_fails_at_whatever_step_leaves_nothing(
    kind: str, error: BaseException, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that changes the disk fails once: before it did anything, and after it did."""
    folder = place(tmp_path, kind)
    before = tree(tmp_path)
    calls = 0
    late = isinstance(error, KeyboardInterrupt)

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls - 1 != at:
                return real(*arguments, **options)
            if late:
                real(*arguments, **options)
            raise error

        return call

    with monkeypatch.context() as patched:
        for name in ("mkdir", "rename"):
            patched.setattr(Path, name, failing(getattr(Path, name)))
        patched.setattr(module, "_write", failing(module._write))
        try:
            write(FILES, folder)
        except (ScaffoldError, KeyboardInterrupt):
            done = False
        else:
            done = True
    if done:
        assert calls <= at
        assert tree(folder) == WHOLE
    elif not (late and tree(tmp_path) != before and tree(folder) == WHOLE):  # interrupted after the last rename
        assert tree(tmp_path) == before


def test_a_short_write_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle of a file."""

    def half(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write", half)
    with pytest.raises(ScaffoldError, match="No space left on device; nothing was left behind"):
        write(FILES, tmp_path / "deep" / "new")
    assert tree(tmp_path) == {}


def test_somebody_else_makes_the_folder_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new"
    real = module._write_all

    def slow(files: tuple[ScaffoldFile, ...], made: Path) -> None:
        real(files, made)
        folder.mkdir()
        (folder / "README.md").write_text("theirs")

    monkeypatch.setattr(module, "_write_all", slow)
    with pytest.raises(ScaffoldError, match="cannot be written"):
        write(FILES, folder)
    assert tree(tmp_path) == {"new": b"<folder>", "new/README.md": b"theirs"}


def test_somebody_else_writes_into_the_empty_folder_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._write_all

    def slow(files: tuple[ScaffoldFile, ...], made: Path) -> None:
        real(files, made)
        (tmp_path / "pyproject.toml").write_text("theirs")

    monkeypatch.setattr(module, "_write_all", slow)
    with pytest.raises(ScaffoldError, match="somebody else writes there too"):
        write(FILES, tmp_path)
    assert tree(tmp_path) == {"pyproject.toml": b"theirs"}


def test_one_file_never_over_another(tmp_path: Path) -> None:
    write_file(b"new", tmp_path / "pyproject.toml")
    with pytest.raises(ScaffoldError, match="is there already"):
        write_file(b"newer", tmp_path / "pyproject.toml")
    assert tree(tmp_path) == {"pyproject.toml": b"new"}


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that not even root can write to")
def test_a_folder_that_cannot_be_written_to() -> None:
    for place in ("/proc/new", "/proc/new/deep"):
        with pytest.raises(ScaffoldError, match=r"cannot be written: .*; nothing was left behind"):
            write(FILES, Path(place))
