"""A private folder for each model that runs, gone afterwards, also where the run was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hatch_wallaroo.preflight.environment import cache_folder, locked


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for one run, gone afterwards; those of runs that were killed go first."""
    import fcntl

    root = cache_folder() / "runs"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.ExitStack() as kept:
        # Another run must not find the mark before it is held.
        with locked(root.with_suffix(".lock")):
            _sweep(root)
            # Short: a Unix socket lies inside it.
            folder = Path(tempfile.mkdtemp(prefix="hw-"))
            mark = root / folder.name
            held = kept.enter_context(mark.open("x", encoding="utf-8"))
            fcntl.flock(held, fcntl.LOCK_EX)
            held.write(f"{folder}\n")
            held.flush()
        try:
            yield folder
        finally:
            remove(folder)
            mark.unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """Remove the folders of runs that ended without doing so: nobody holds their marks."""
    import fcntl

    for mark in root.iterdir():
        with contextlib.suppress(OSError), mark.open("r") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = Path(held.read().strip())
            if folder.name == mark.name and folder.name.startswith("hw-"):
                remove(folder)
            mark.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove a tree that a model may have closed to us."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    for parent, names, _ in os.walk(folder):  # it looks into a folder after we opened it
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
