"""Secrets, and where they must not be: in what is printed, in files, in the list of processes."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

SPY = Path(__file__).parent / "spy"
"""A folder for PYTHONPATH: what starts with it notes what it writes and starts."""

PROCESSES = Path("/proc")
LISTED = (PROCESSES / "self/cmdline").exists()
"""Whether this system shows its processes as files."""

_PIECE = 40
_LONG = 80


class Secrets:
    """Values, each with a word for what it is. Safe to use from several threads."""

    def __init__(self) -> None:
        self._forms: dict[bytes, str] = {}
        self._values: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, what: str, value: str) -> str:
        with self._lock:
            self._values[value] = what
            for form, data in forms(value):
                self._forms.setdefault(data, f"{what}, {form}")
        return value

    def values(self, what: str = "") -> list[str]:
        with self._lock:
            return [value for value, name in self._values.items() if name.startswith(what)]

    def found_in(self, data: bytes) -> set[str]:
        """What of them stands in the data, also where a terminal broke its lines."""
        whole = b"".join(data.split())
        with self._lock:
            return {what for form, what in self._forms.items() if form in data or form in whole}

    def found_below(self, folder: Path) -> dict[str, set[str]]:
        """The files below a folder that hold some of them, in their names or contents."""
        files = sorted(each for each in folder.rglob("*") if each.is_file() or each.is_symlink())
        found = {}
        for each in files:
            name = str(each.relative_to(folder))
            if what := self.found_in(os.fsencode(name)) | self.found_in(each.read_bytes() if each.is_file() else b""):
                found[name] = what
        return found

    def found_in_list(self, commands: Iterable[bytes]) -> dict[bytes, set[str]]:
        return {each: what for each in commands if (what := self.found_in(each.replace(b"\0", b" ")))}


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """A value as it may stand in a text: as it is, quoted in some way, or (a long one) a piece of it."""
    data = value.encode()
    percent = quote(value, safe="")
    yield "plain", data
    yield "percent-encoded", percent.encode()
    yield "percent-encoded", "".join(f"%{each:02x}" for each in data).encode()
    yield "percent-encoded", _lower(percent).encode()
    yield "form-encoded", quote_plus(value).encode()
    yield "JSON", json.dumps(value)[1:-1].encode()
    yield "JSON", json.dumps(value, ensure_ascii=False)[1:-1].encode()
    yield "quoted by Python", repr(value)[1:-1].encode()
    yield "hexadecimal", data.hex().encode()
    for before in range(3):
        # Base64 of a longer text shows what lies between the characters that it shares with its neighbours.
        packed = base64.b64encode(bytes(before) + data)
        inner = packed[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield "base64", inner
        yield "base64", inner.translate(bytes.maketrans(b"+/", b"-_"))
    if len(value) > _LONG:
        own = value[value.find(".") + 1 :]  # the first part of a token, its header, is everybody's
        for start in range(0, len(own) - _PIECE + 1, _PIECE):
            yield "a piece", own[start : start + _PIECE].encode()


def _lower(percent: str) -> str:
    head, *rest = percent.split("%")
    return "%".join([head, *(each[:2].lower() + each[2:] for each in rest)])


@contextmanager
def processes(interval: float = 0.005) -> Iterator[dict[int, set[bytes]]]:
    """The command lines of every process (Linux), by process id: looks again and again while the block runs."""
    seen: dict[int, set[bytes]] = {}
    over = threading.Event()

    def look() -> None:
        while LISTED and not over.wait(interval):
            for each in PROCESSES.iterdir():
                with suppress(OSError):
                    if each.name.isdecimal():
                        seen.setdefault(int(each.name), set()).add((each / "cmdline").read_bytes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
