"""A report as a file: whole or not at all, as another program may be waiting for it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_report(path: Path, text: str) -> None:
    """Write a report as UTF-8 with a newline at its end. Raises OSError."""
    if path.exists() and not path.is_file():
        # A pipe or a device takes what it is given, and cannot be replaced.
        path.write_text(f"{text}\n", encoding="utf-8")
        return
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{text}\n")
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
