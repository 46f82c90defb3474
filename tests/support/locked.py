"""A folder that may not be searched, for whoever runs the tests: root may search every folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


def lock(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the system refuse what lies below a folder, and the list of it, as it does after `chmod 000`."""
    inside = f"{folder}{os.sep}"

    def refusing(name: str, *, itself: bool = False) -> None:
        ask = getattr(os, name)

        def asked(path: Any, *args: Any, **kwargs: Any) -> Any:
            text = _absolute(path)
            if text.startswith(inside) or (itself and text == str(folder)):
                raise PermissionError(13, "Permission denied", text)
            return ask(path, *args, **kwargs)

        monkeypatch.setattr(os, name, asked)

    for name in ("stat", "lstat", "open"):
        refusing(name)
    for name in ("scandir", "listdir"):
        refusing(name, itself=True)
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not f"{_absolute(path)}{os.sep}".startswith(inside) and access(path, mode)
    )


def _absolute(path: Any) -> str:
    """A path as text, seen from the root; what is no path, a file's number, is none of the folder's."""
    return os.path.abspath(path) if isinstance(path, (str, Path)) else ""  # noqa: PTH100 - links stay
