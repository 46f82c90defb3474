"""Files written whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.files.writing import PRIVATE, replace_all, replacing, write_new, write_whole

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions as POSIX has them")


def test_a_new_file_holds_what_was_written(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


@posix
def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.txt", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


@posix
def test_a_file_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_bytes(b"old")
    (tmp_path / "a.sh").chmod(0o755)
    write_whole(tmp_path / "a.sh", b"new")
    assert (tmp_path / "a.sh").stat().st_mode & 0o777 == 0o755


@posix
def test_a_mode_that_is_asked_for_counts(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", b"new", mode=PRIVATE)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")

    def write_half() -> None:
        with replacing(tmp_path / "a.txt") as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_never_takes_another_ones_place(tmp_path: Path) -> None:
    write_new(tmp_path / "a.txt", b"first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.txt", b"second")
    assert (tmp_path / "a.txt").read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_all_files_are_replaced_or_none(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"old {name}")
    for name in ("new-a", "new-c"):
        (kept / name).write_text(name)
    moves = [(kept / "new-a", tmp_path / "a"), (kept / "new-c", tmp_path / "c"), (kept / "gone", tmp_path / "b")]
    with pytest.raises(FileNotFoundError):
        replace_all(moves, kept)
    assert (tmp_path / "a").read_text() == "old a"
    assert (tmp_path / "b").read_text() == "old b"
    assert not (tmp_path / "c").exists()
