"""Edits of a pyproject.toml that leave everything else of it as it is: comments, blank lines, order, line ends.

A document is read once, changed in memory, shown as a difference, and written whole or not at all. After each change
it is parsed anew: what it says may differ by what was asked for, and by nothing else.
"""

from __future__ import annotations

import difflib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml import documents, splicing
from hatch_wallaroo.config.toml.statements import sections, spots
from hatch_wallaroo.config.toml.values import dotted
from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.findings import PYPROJECT, FixableError
from hatch_wallaroo.text import describe_error, key_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 16 << 20
_READ_ONLY = "make it writable: chmod u+w {}"
_Key = tuple[str, ...]


class EditError(FixableError):
    """A document that cannot be changed as asked for; the message says why, `fix` what to do by hand."""


class Edit:
    """Changes of one file. `before` is its text (empty where there is none), `after` with the changes so far.

    Neither has a byte order mark, which `write` puts back where there was one.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; one that is not there counts as empty. Raises EditError for what is no TOML."""
        self.path = path
        self._bytes = self._read()
        try:
            text = (self._bytes or b"").decode()
        except UnicodeDecodeError as error:
            raise EditError(f"{path.name} is not UTF-8", "save it as UTF-8") from error
        self._mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.before = text.removeprefix("\ufeff")
        self._text = self.before
        self._document = self._parsed(self.before)

    @property
    def document(self) -> Mapping[str, Any]:
        """What stands in the document now, as plain values; not to be changed."""
        return self._document

    @property
    def after(self) -> str:
        """The text with all changes."""
        return self._text

    @property
    def changed(self) -> bool:
        return self._text != self.before

    def get(self, key: _Key) -> Any:
        """What stands at a key now, None where nothing does."""
        return documents.value_at(self._document, key)

    def set(self, key: _Key, value: Any) -> None:
        """Give a key a value (plain values, inline tables as dicts); tables on the way are made where they lack.

        A value of the same content stays as it is written, and so do those items of a list that stay: new ones at its
        end are added. A table is brought to a dict's content and order. Raises EditError where something else is in
        the way.
        """
        old = self.get(key)
        if documents.same(old, value) and documents.same_order(old, value):
            return
        self._refuse_what_is_no_table(key[:-1])
        expected = documents.with_value(self._document, key, value)
        if old is None:
            self._change(lambda text: splicing.with_key(text, key, value), expected)
        elif splicing.pair_of(self._text, key) is not None:
            self._change(lambda text: splicing.with_value(text, key, value), expected)
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            self._set_table(key, old, value)
        else:
            raise EditError(f"{key_text(key)} is a table", f"remove [{key_text(key)}] first")

    def add_table(self, header: str, body: str, *, at_start: bool = False) -> None:
        """Put `[header]` with these lines of TOML behind the tables that are related to it, else at the document's end.

        `body` may hold comments, and further tables. `at_start` puts it before the first table. Raises EditError where
        the table is there already, or where there is no place for it.
        """
        block = self._parsed(f"[{header}]\n{body}", "what is to be added")
        path = tuple(map(str, sections(f"[{header}]")[-1].path))
        try:
            expected = documents.merged(self._document, block)
        except ValueError as error:
            raise EditError(f"{error} is there already", f"change {error} by hand") from None
        self._refuse_what_is_no_table(path)
        home = splicing.home_of(self._text, path)
        if home.kind == "implied" or (home.kind != "inline" and home.path != path):
            self._change(lambda text: splicing.with_table(text, path, body, at_start=at_start), expected)
        elif self.get(path) is None:
            self.set(path, documents.value_at(block, path))
        else:
            for key, value in documents.value_at(block, path).items():
                self.set((*path, key), value)

    def rename_table(self, old: _Key, new: _Key) -> None:
        """Move a table that has a header, with all tables inside of it, to another path. Raises EditError."""
        value = self.get(old)
        if not isinstance(value, dict) or self.get(new) is not None:
            raise EditError(f"{key_text(old)} cannot become {key_text(new)}", "change it by hand")
        home = splicing.home_of(self._text, old)
        if home.path != old or home.kind not in {"section", "implied"}:
            raise EditError(f"{key_text(old)} has no header of its own", f"write it as [{key_text(old)}] first")
        expected = documents.with_value(documents.without(self._document, old), new, value)
        self._change(lambda text: splicing.renamed(text, old, new), expected)

    def rename(self, old: _Key, new: _Key) -> None:
        """Give a key another name, or move it into another table. Raises EditError.

        It is done at the same place of the text, where that alone does it: comments stay with what they are about.
        """
        value, spot, moved = self.get(old), spots(self._text).get(old), new[len(old) - 1 :]
        if value is None or self.get(new) is not None:
            raise EditError(f"{key_text(old)} cannot become {key_text(new)}", "change it by hand")
        expected = documents.with_value(documents.without(self._document, old), new, value)
        if spot is not None:
            with suppress(EditError):
                self._change(lambda text: text[: spot.key] + dotted(moved) + text[spot.key_end :], expected)
                return
        if isinstance(value, Mapping):
            self.rename_table(old, new)
        else:
            with self.whole():
                self.set(new, value)
                self.remove(old)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Changes of which all are made, or none where one is not possible."""
        before = self._text, self._document
        try:
            yield
        except Exception:
            self._text, self._document = before
            raise

    def remove(self, key: _Key) -> None:
        """Take a key or a table out; nothing happens where it is not there. Raises EditError."""
        if self.get(key) is not None:
            self._change(lambda text: splicing.without(text, key), *documents.emptied(self._document, key))

    def diff(self) -> str:
        """The changes as a unified difference, without its lines' ends; empty where there are none."""
        name = self.path.name
        lines = difflib.unified_diff(_lines(self.before), _lines(self.after), f"a/{name}", f"b/{name}", lineterm="")
        return "\n".join(lines)

    def write(self) -> None:
        """Write the file, whole or not at all, with the permissions it had. Raises EditError.

        A file that somebody else has changed since it was read is left alone, and so is one that is read-only.
        """
        if not self.changed:
            return
        if self._read() != self._bytes:
            raise EditError(f"{self.path.name} was changed meanwhile", "run the command again")
        try:
            self._replace((self._mark + self.after).encode())
        except OSError as error:
            raise EditError(f"{self.path.name} cannot be written: {describe_error(error)}") from error
        self._bytes = (self._mark + self.after).encode()
        self.before = self.after

    def _read(self) -> bytes | None:
        name = self.path.name
        try:
            kind = self.path.stat().st_mode
            if not stat.S_ISREG(kind):
                raise EditError(f"{name} is no regular file", "move it away")
            with self.path.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except FileNotFoundError:
            if self.path.is_symlink():
                raise EditError(f"{name} is a link to something that does not exist", "mend the link") from None
            return None
        except OSError as error:
            raise EditError(f"{name} cannot be read: {describe_error(error)}", "make the file readable") from error
        if len(data) > _LARGEST:
            raise EditError(f"{name} is larger than {_LARGEST >> 20} MiB", "nothing but settings belongs in it")
        return data

    def _replace(self, data: bytes) -> None:
        """Put the bytes in the place of the file, or of the one that the link points to."""
        target = self.path.resolve()
        mode = stat.S_IMODE(target.stat().st_mode) if self._bytes is not None else None
        if mode is not None and not (mode & 0o222 and os.access(target, os.W_OK)):
            raise EditError(f"{self.path.name} is read-only", _READ_ONLY.format(self.path.name))
        write_whole(target, data)

    def _parsed(self, text: str, name: str = "") -> dict[str, Any]:
        try:
            document: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            said = f"{name or self.path.name} is not valid TOML: {error}"
            raise EditError(said, "mend it first: hatch-wallaroo check says more") from error
        except RecursionError as error:
            raise EditError(f"{name or self.path.name} is nested too deeply", "write it less deep") from error
        return document

    def _change(self, change: Callable[[str], str], *expected: Mapping[str, Any]) -> None:
        """Make a change whose outcome is one of those expected, or none at all."""
        try:
            text = change(self._text)
            document = tomllib.loads(text)
        except Exception as error:
            raise self._unable() from error
        if not any(documents.same(document, each) for each in expected):
            raise self._unable()
        self._text, self._document = text, document

    def _unable(self) -> EditError:
        said = f"{self.path.name} is written in a way that cannot be changed without touching other lines of it"
        return EditError(said, "make the change by hand")

    def _refuse_what_is_no_table(self, path: _Key) -> None:
        """Raise EditError where something else stands in the way of a table."""
        for above in (path[:length] for length in range(1, len(path) + 1)):
            there = self.get(above)
            if isinstance(there, list) and there and all(isinstance(each, Mapping) for each in there):
                raise EditError(f"{key_text(above)} is a list of tables", f"change {key_text(path)} by hand")
            if there is not None and not isinstance(there, Mapping):
                raise EditError(f"{key_text(above)} is no table", f"make {key_text(above)} a table, or remove it")

    def _set_table(self, key: _Key, old: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        """Bring a table that has lines of its own to a value, key by key; what is out of order is written anew."""
        with self.whole():
            self._set_keys(key, old, value)
            if self.get(key) is None:
                self.set(key, {})

    def _set_keys(self, key: _Key, old: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        in_place = 0
        kept = [name for name in old if name in value]
        while in_place < len(kept) and kept[in_place] == list(value)[in_place]:
            in_place += 1
        for name in old:
            if name not in kept[:in_place]:
                self.remove((*key, name))
        for name, inner in value.items():
            self.set((*key, name), inner)


def edit_pyproject(root: Path) -> Edit:
    """The edit of a project's pyproject.toml. Raises EditError."""
    return Edit(root / PYPROJECT)


def _lines(text: str) -> list[str]:
    """The lines of a text as a difference shows them; one that has no end says so."""
    *lines, last = text.split("\n")
    shown = [each.removesuffix("\r") for each in lines]
    return [*shown, f"{last}\n\\ No newline at end of file"] if last else shown
