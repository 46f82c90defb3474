"""Values of TOML as text: written as one writes them by hand, and changed by tomlkit without touching their layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.config.toml.statements import sections, spots
from hatch_wallaroo.schema.tables import format_key, format_value

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Array, Item

_LONGEST = 110
_INDENT = "    "
_HOLDER = "value"
_START = f"{_HOLDER} = "
_TO_COMMA = re.compile(r"(?:[ \t\r\n]|#[^\n]*\n)*,")


def dotted(path: Sequence[str]) -> str:
    """A key, in quotes where they are needed."""
    return ".".join(map(format_key, path))


def line(key: Sequence[str], value: Any, *, column: int = 0) -> str:
    """`key = value` with its end of line; `column` characters stand before it."""
    begin = f"{dotted(key)} = "
    return f"{begin}{written(value, column + len(begin))}\n"


def written(value: Any, column: int | None = None) -> str:
    """A value. `column` is where it begins on a line that is its own: then a list that is too long gets several."""
    alone = format_value(value)
    if column is None or column + len(alone) <= _LONGEST or not isinstance(value, (list, tuple)):
        return alone
    return "[\n" + "".join(f"{_INDENT}{format_value(each)},\n" for each in value) + "]"


def with_value(text: str, inside: Sequence[str], value: Any) -> str:
    """A list or an inline table with another value: its own, or that of a key inside of it, which may be new.

    Items of a list that stay keep their lines and comments.
    """
    from tomlkit.items import Array

    if isinstance(value, (list, tuple)):
        text = _with_last_comma(text, len(value))
    document, (*tables, last) = _parsed(text), (_HOLDER, *inside)
    table: Any = document
    while tables and isinstance(table, Mapping) and tables[0] in table:
        table = table[tables.pop(0)]
    while tables:
        value, last = {last: value}, tables.pop()
    there = table.get(last)
    if isinstance(there, Array) and isinstance(value, (list, tuple)):
        _bring(there, value)
    else:
        table[last] = _item(value)
    return _rendered(document, text)


def without_key(text: str, inside: Sequence[str]) -> str | None:
    """An inline table without a key of it; None where it has no such key."""
    document, (*tables, last) = _parsed(text), (_HOLDER, *inside)
    table: Any = document
    for part in tables:
        table = table.get(part) if isinstance(table, MutableMapping) else None
    if not isinstance(table, MutableMapping) or last not in table:
        return None
    del table[last]
    return _rendered(document, text)


def _bring(array: Array, value: Sequence[Any]) -> None:
    """Bring a list to other items; those that stay are not touched."""
    before, after = ([repr(each) for each in items] for items in (array.unwrap(), value))
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for kind, start, end, new_start, new_end in reversed(steps):
        if kind == "equal":
            continue
        replaced = min(end - start, new_end - new_start)
        for index in range(replaced):
            array[start + index] = _item(value[new_start + index])
        for index in range(end - 1, start + replaced - 1, -1):
            del array[index]
        for index in range(replaced, new_end - new_start):
            array.insert(start + index, _item(value[new_start + index]))


def _with_last_comma(text: str, size: int) -> str:
    """A list that grows, with a comma behind its last item if lines of comments follow: tomlkit misses that."""
    found = spots(_START + text)
    last = max((key[1] for key in found if key[1:] and isinstance(key[1], int)), default=size)
    if last + 1 >= size:
        return text
    start = found[_HOLDER, last].key - len(_START)
    (item,) = sections(_START + text[start:])[0].pairs[:1]
    end = start + item.value_end - len(_START)
    if "#" not in text[end:].partition("\n")[2] or _TO_COMMA.match(text, end):
        return text
    return f"{text[:end]},{text[end:]}"


def _parsed(text: str) -> TOMLDocument:
    import tomlkit

    return tomlkit.parse(f"{_START}{text}\n")


def _item(value: Any) -> Item:
    """A value of tomlkit's, written as all values are here."""
    import tomlkit

    return tomlkit.value(format_value(value))


def _rendered(document: TOMLDocument, before: str) -> str:
    """The text of a value that was changed, an inline table with the same space inside its braces as before."""
    made = document.as_string().removeprefix(_START).removesuffix("\n")
    if not made.startswith("{"):
        return made
    inside = made[1:-1].strip(" \t")
    space = "" if before[1:2] not in {" ", "}"} else " "
    return f"{{{space}{inside}{space}}}" if inside else "{}"
