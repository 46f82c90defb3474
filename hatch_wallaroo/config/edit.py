"""Edits of a pyproject.toml that leave everything else of it as it is: comments, blank lines, order, line ends.

A document is read once, changed in memory, shown as a difference, and written whole or not at all.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.config.positions import PYPROJECT
from hatch_wallaroo.config.wording import key_text

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


class EditError(Exception):
    """A document that cannot be changed as asked for; the message says why, `fix` what to do by hand."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class Edit:
    """Changes of one file. `before` is its text (empty where there is none), `after` with the changes so far."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that is not there counts as empty. Raises EditError for what is no TOML."""
        self.path = path
        try:
            self._bytes: bytes | None = path.read_bytes()
        except FileNotFoundError:
            self._bytes = None
        except OSError as error:
            raise EditError(f"{path.name} cannot be read: {error.strerror or error}") from error
        try:
            text = (self._bytes or b"").decode()
        except UnicodeDecodeError as error:
            raise EditError(f"{path.name} is not UTF-8", "save it as UTF-8") from error
        self._mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.before = text.removeprefix("\ufeff")
        self._newline = "\r\n" if "\r\n" in self.before else "\n"
        self._document = _parsed(self.before, path.name)

    @property
    def document(self) -> Mapping[str, Any]:
        """What stands in the document now, as plain values."""
        return self._document.unwrap()

    @property
    def after(self) -> str:
        """The text with all changes."""
        text: str = self._document.as_string()
        return text if self._newline == "\n" else text.replace("\r\n", "\n").replace("\n", "\r\n")

    @property
    def changed(self) -> bool:
        return self.after != self.before

    def set(self, key: tuple[str, ...], value: Any) -> None:
        """Give a key a value (plain values, inline tables as dicts); tables on the way are made where they lack.

        A value of the same content stays as it is written. Raises EditError where something else is in the way.
        """
        table = self._table(key[:-1])
        name = key[-1]
        if name in table and _plain(table[name]) == value:
            return
        table[name] = _item(value)

    def add_table(self, header: str, body: str) -> None:
        """Put `[header]` with these lines of TOML at the end of the document, a blank line before it."""
        text = self._document.as_string()
        if text and not text.endswith("\n"):
            text += "\n"
        gap = "\n" if text and not text.endswith("\n\n") else ""
        self._document = _parsed(f"{text}{gap}[{header}]\n{body}", self.path.name)

    def replace_text(self, start: int, end: int, text: str) -> None:
        """Replace characters of `after`, for what no key names."""
        whole = self._document.as_string()
        self._document = _parsed(whole[:start] + text + whole[end:], self.path.name)

    def remove(self, key: tuple[str, ...]) -> None:
        """Take a key out; nothing happens where it is not there."""
        table: Any = self._document
        for part in key[:-1]:
            table = table.get(part) if isinstance(table, Mapping) else None
        if isinstance(table, MutableMapping) and key[-1] in table:
            del table[key[-1]]

    def diff(self) -> str:
        """The changes as a unified difference; empty where there are none."""
        name = self.path.name
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""
        )
        return "\n".join(lines)

    def write(self) -> None:
        """Write the file, whole or not at all, with the permissions it had. Raises EditError.

        A file that somebody else has changed since it was read is left alone.
        """
        if not self.changed:
            return
        try:
            now = self.path.read_bytes() if self.path.exists() else None
            if now != self._bytes:
                raise EditError(f"{self.path.name} was changed meanwhile", "run the command again")
            self._replace((self._mark + self.after).encode())
        except OSError as error:
            raise EditError(f"{self.path.name} cannot be written: {error.strerror or error}") from error

    def _replace(self, data: bytes) -> None:
        target = self.path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _table(self, key: tuple[str, ...]) -> MutableMapping[str, Any]:
        import tomlkit

        table: Any = self._document
        for depth, part in enumerate(key):
            if part not in table:
                table[part] = tomlkit.table(is_super_table=depth < len(key) - 1)
            table = table[part]
            if not isinstance(table, MutableMapping):
                where = key_text(key[: depth + 1])
                raise EditError(f"{where} is no table", f"make {where} a table, or remove it")
        found: MutableMapping[str, Any] = table
        return found


def edit_pyproject(root: Path) -> Edit:
    """The edit of a project's pyproject.toml. Raises EditError."""
    return Edit(root / PYPROJECT)


def _parsed(text: str, name: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise EditError(
            f"{name} is not valid TOML: {error}", "mend it first: hatch-wallaroo check says more"
        ) from error


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item


def _item(value: Any) -> Any:
    """A value as TOML is written by hand: tables inline, in their order."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table[key] = _item(inner)
        return table
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        array.extend(_item(each) for each in value)
        return array
    return value
