"""Where models are served on this machine: a file for each that serves, for its owner alone, held while it serves."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.files.writing import PRIVATE
from hatch_wallaroo.preflight.environment import cache_folder, locked

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Announcement:
    """What serves: its address, the token that it asks for, the project's folder, and the names that can be asked."""

    url: str
    token: str
    project: str
    names: tuple[str, ...]
    pid: int


@contextlib.contextmanager
def announced(announcement: Announcement) -> Iterator[None]:
    """Say it to whoever asks :func:`serving`, as long as the block runs."""
    import fcntl

    root = _root()
    with contextlib.ExitStack() as kept:
        # Nobody must find the file before it is held: it would be taken for one that was left behind.
        with locked(root.with_suffix(".lock")):
            path = root / f"{announcement.pid}-{secrets.token_hex(4)}.json"
            held = kept.enter_context(open(path, "x", encoding="utf-8", opener=_private))
            fcntl.flock(held, fcntl.LOCK_EX)
            held.write(json.dumps(asdict(announcement)))
            held.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def serving() -> Sequence[Announcement]:
    """All that serve now, the youngest first; files of those that were killed are removed."""
    import fcntl

    root = _root()
    found = []
    with locked(root.with_suffix(".lock")):
        for path in sorted(root.glob("*.json"), key=_age, reverse=True):
            with contextlib.suppress(OSError), path.open("rb") as stream:
                if not _ours(os.fstat(stream.fileno())):
                    continue
                try:
                    fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    with contextlib.suppress(JsonError, KeyError, TypeError, ValueError):
                        made = read_object(stream, _LARGEST)
                        names = tuple(map(str, made["names"]))
                        url, token, project = (str(made[each]) for each in ("url", "token", "project"))
                        found.append(Announcement(url, token, project, names, int(made["pid"])))
                else:
                    path.unlink(missing_ok=True)
    return found


def _root() -> Path:
    root = cache_folder() / "serving"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _ours(status: os.stat_result) -> bool:
    """Whether nobody but this user can have written it: else anyone could say where questions go."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
