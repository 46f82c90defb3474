"""A report as a file: whole or not at all, as another program may be waiting for it."""

from __future__ import annotations

from pathlib import Path

from hatch_wallaroo.files.writing import write_whole


def write_report(path: Path, text: str) -> None:
    """Write a report as UTF-8 with a newline at its end. Raises OSError."""
    if path.exists() and not path.is_file():
        # A pipe or a device takes what it is given, and cannot be replaced.
        path.write_text(f"{text}\n", encoding="utf-8")
        return
    write_whole(path, f"{text}\n".encode())
