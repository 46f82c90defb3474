"""Changes of a text file of lines, such as requirements.txt: its ends of lines and its comments stay."""

from __future__ import annotations

from hatch_wallaroo.fixes.model import AddLine, ChangeLine

MARK = "\ufeff".encode()


class LineError(Exception):
    """A change that the file as it is does not allow; the message says why."""


def change(data: bytes, wanted: AddLine | ChangeLine) -> bytes:
    """The file's content with a change made in it. Raises LineError."""
    mark = MARK if data.startswith(MARK) else b""
    try:
        text = data.removeprefix(MARK).decode()
    except UnicodeDecodeError as error:
        raise LineError("it is not UTF-8") from error
    made = _added(text, wanted.line) if isinstance(wanted, AddLine) else _changed(text, wanted)
    return mark + made.encode()


def _added(text: str, line: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if text and not text.endswith("\n") else ""
    if text.rstrip("\r\n").endswith("\\"):
        raise LineError("its last line goes on")
    return f"{text}{gap}{line}{newline}"


def _changed(text: str, wanted: ChangeLine) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[wanted.number - 1] if wanted.number <= len(lines) else ""
    bare = line.strip()
    rest = bare.removeprefix(wanted.old)
    if not bare.startswith(wanted.old) or (rest and not rest.lstrip().startswith("#")):
        raise LineError(f"line {wanted.number} says something else")
    lines[wanted.number - 1] = line.replace(wanted.old, wanted.new, 1) if wanted.new is not None else ""
    return "".join(lines)
