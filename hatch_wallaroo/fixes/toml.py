"""Changes of a TOML document, made in memory: everything else of its text stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.config.toml import documents
from hatch_wallaroo.config.toml.editing import Edit, EditError
from hatch_wallaroo.config.toml.scanner import scan
from hatch_wallaroo.config.toml.statements import read_key
from hatch_wallaroo.fixes.model import Append, Drop, Key, Rename, Replace, SetTo, TomlChange
from hatch_wallaroo.text import key_text


def change(edit: Edit, wanted: TomlChange) -> None:
    """Make one change. Raises EditError, and then nothing has changed."""
    before = edit.after
    try:
        _change(edit, wanted)
    except EditError:
        restore(edit, before)
        raise


def restore(edit: Edit, text: str) -> None:
    """Put back a text that the document had before."""
    if edit.after != text:
        edit.replace_text(0, len(edit.after), text)


def _change(edit: Edit, wanted: TomlChange) -> None:
    match wanted:
        case SetTo(key, value):
            _set(edit, key, value)
        case Rename(old, new):
            _rename(edit, old, new)
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
        from hatch_wallaroo.config.toml.text import line

        edit.remove(key)
        edit.add_table(key_text(key), "".join(line((name,), each) for name, each in value.items()))
    else:
        edit.set(key, value)


def _list(edit: Edit, key: Key) -> list[Any]:
    found = edit.get(key)
    if found is not None and not isinstance(found, list):
        raise EditError(f"{key_text(key)} is no list")
    return list(found or [])


def _rename(edit: Edit, old: Key, new: Key) -> None:
    """Another name at the same place of the text, where that alone does it: comments stay with what they are about."""
    value, document, text = edit.get(old), edit.document, edit.after
    if value is None or edit.get(new) is not None:
        raise EditError(f"{key_text(old)} cannot become {key_text(new)}")
    expected = documents.with_value(documents.without(document, old), new, value)
    spot, moved = scan(text).get(old), new[len(old) - 1 :]
    if spot is not None:
        try:
            edit.replace_text(spot.key, read_key(text, spot.key)[1], key_text(moved))
        except EditError:
            pass
        else:
            if documents.same(edit.document, expected):
                return
            restore(edit, text)
    if isinstance(value, Mapping):
        edit.rename_table(old, new)
    else:
        edit.set(new, value)
        edit.remove(old)
