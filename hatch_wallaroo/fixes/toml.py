"""Changes of a TOML document, made in memory: everything else of its text stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.config.toml.editing import Edit, EditError
from hatch_wallaroo.config.toml.values import line
from hatch_wallaroo.fixes.model import Append, Drop, Key, Rename, Replace, SetTo, TomlChange
from hatch_wallaroo.text import key_text


def change(edit: Edit, wanted: TomlChange) -> None:
    """Make one change. Raises EditError, and then nothing has changed."""
    with edit.whole():
        match wanted:
            case SetTo(key, value):
                _set(edit, key, value)
            case Rename(old, new):
                edit.rename(old, new)
            case Append(key, value):
                edit.set(key, [*_list(edit, key), value])
            case Replace(key, old_item, new_item):
                edit.set(key, [new_item if each == old_item else each for each in _list(edit, key)])
            case Drop(key, None):
                edit.remove(key)
            case Drop(key, value):
                edit.set(key, [each for each in _list(edit, key) if each != value])


def _set(edit: Edit, key: Key, value: Any) -> None:
    known = edit.get(key)
    if isinstance(value, Mapping) and known is not None and not isinstance(known, Mapping):
        # A table gets a header and lines of its own, in the place of a value on one line.
        edit.remove(key)
        edit.add_table(key_text(key), "".join(line((name,), each) for name, each in value.items()))
    else:
        edit.set(key, value)


def _list(edit: Edit, key: Key) -> list[Any]:
    found = edit.get(key)
    if found is not None and not isinstance(found, list):
        raise EditError(f"{key_text(key)} is no list")
    return list(found or [])
