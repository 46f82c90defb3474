"""Types as text: a dtype and a shape, as an array's.

    type  = dtype [ "[" size { "," size } "]" ]
    size  = number | "*"

`float64[4]` is four numbers, `int64[100, 100, 3]` an image, `int64[*, 4]` any number of boxes, `string` a text.
One row is described: the outermost dimension of a batch, its rows, is not written. A dtype's own parameters
come first, so `timestamp[us][4]` is four timestamps. In Arrow, each size is a list, fixed-size unless it is
`*`, just as the upload guide nests `pa.list_(..., list_size=n)`.

Structs, maps, dictionaries and lists of an unusual make have no text: see `schema.tables`.
"""

from __future__ import annotations

import re

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.schema.scalars import ALIASES, INT32_MAX, KNOWN, PARAMETRISED, PLAIN, REFUSED, canonical
from hatch_wallaroo.schema.types import Dictionary, Field, ListOf, MapOf, Scalar, Struct, Type
from hatch_wallaroo.text import display

MAX_DEPTH = 32
"""How deep types may nest: NumPy 1, which the platform turns rows into, has no more dimensions."""

MAX_LENGTH = 1_000

_NAME = re.compile(r"[^\W\d]\w*", re.ASCII)
_QUALIFIED = re.compile(r"(?:np|numpy|pa|pyarrow|torch|tf)\.(?P<name>\w+)(?:\(\))?", re.ASCII)
_VARIABLE = ("none", "null", "?", "-1", ":", "...", "any", "n", "x", "-")
_SIZE = re.compile(r"[^\],]*")


class NotationError(ValueError):
    """A text that names no type: what is wrong, at which column (from 1), and what to write instead."""

    def __init__(self, message: str, column: int, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.fix = fix


def parse_type(text: str) -> Type:
    """Read a type. Raises NotationError for anything else, with the column at fault."""
    if len(text) > MAX_LENGTH:
        raise NotationError(f"{len(text):,} characters are no type", 1, "write a dtype and a shape: float64[4]")
    if not text.strip():
        raise NotationError("a type is missing", 1, "write a dtype and a shape: float64, float64[4], string[*]")
    start = len(text) - len(text.lstrip())
    dtype, end = _dtype(text, start)
    sizes, end = _shape(text, _skip(text, end), dtype)
    if end < len(text):
        raise _leftover(text, end, dtype, sizes)
    return of_shape(Scalar(dtype), sizes)


def of_shape(item: Type, sizes: tuple[int | None, ...]) -> Type:
    """Wrap a type in plain lists, outermost size first; None varies."""
    for size in reversed(sizes):
        item = ListOf(item, size)
    return item


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _dtype(text: str, at: int) -> tuple[str, int]:
    """The canonical dtype that begins at `at`, and where it ends."""
    found = _NAME.match(text, at)
    if found is None:
        raise NotationError(f"{display(text[at:])} begins with no dtype", at + 1, "write a dtype first: float64[4]")
    name = ALIASES.get(found.group(), found.group())
    kind = PARAMETRISED.get(name)
    opening = _skip(text, found.end())
    if kind is not None and text.startswith(kind.opening, opening):
        given = kind.pattern.match(text, opening)
        written = canonical(name, given.groups()) if given else None
        if given and written:
            return written, given.end()
        if name not in PLAIN:
            raise NotationError(f"{name} takes {kind.expected}", opening + 1, f"write e.g. {kind.example}")
    if name in PLAIN:
        return name, found.end()
    if kind is not None:
        raise NotationError(f"{name} needs {kind.expected}", found.start() + 1, f"write e.g. {kind.example}")
    qualified = _QUALIFIED.match(text, at)
    if qualified:
        alone = ALIASES.get(qualified["name"], qualified["name"])
        raise NotationError(f"{display(qualified.group())} is code", at + 1, f"write the dtype alone: {alone}")
    raise _unknown(found.group(), found.start())


def _unknown(name: str, at: int) -> NotationError:
    if name in REFUSED:
        message, fix = REFUSED[name]
        return NotationError(message, at + 1, fix)
    near = ALIASES.get(name.lower()) or nearest(name, (*KNOWN, *ALIASES))
    fix = f"write {near}" if near else f"write one of {', '.join(KNOWN)}"
    return NotationError(f"{display(name)} is no dtype of Arrow's", at + 1, fix)


def _shape(text: str, at: int, dtype: str) -> tuple[tuple[int | None, ...], int]:
    """The sizes in the brackets at `at`, if there are any, and where what follows begins."""
    if not text.startswith("[", at):
        return (), at
    sizes: list[int | None] = []
    opening, at = at, at + 1
    while True:
        found = _SIZE.match(text, at)
        end = found.end() if found else at
        if end == len(text):
            closed = f"{dtype}{text[opening:].rstrip(' ,')}]"
            raise NotationError("the bracket is not closed", opening + 1, f"write {closed}")
        word = _skip(text, at)
        if len(sizes) == MAX_DEPTH:
            raise NotationError(f"more than {MAX_DEPTH} dimensions", word + 1, f"use {MAX_DEPTH} at most")
        sizes.append(_size(text[at:end], word, dtype))
        at = end + 1
        if text[end] == "]":
            return tuple(sizes), _skip(text, at)


def _size(word: str, at: int, dtype: str) -> int | None:
    word = word.strip()
    if word == "*":
        return None
    if re.fullmatch(r"[0-9]+", word, re.ASCII):
        digits = word.lstrip("0")
        if not digits:
            raise NotationError("a dimension of size 0 holds nothing", at + 1, "write its size, or * where it varies")
        if len(digits) <= len(str(INT32_MAX)) and int(digits) <= INT32_MAX:
            return int(digits)
        raise NotationError(
            f"{display(word.strip())} is more than Arrow's lists hold", at + 1, f"use {INT32_MAX} at most"
        )
    if not word:
        raise NotationError("a size is missing", at + 1, f"write {dtype}[*] where it varies, {dtype}[4] for four")
    if word.lower() in _VARIABLE:
        raise NotationError(f"{word} is no size", at + 1, "write * where it varies")
    raise _no_size(word, at)


def _no_size(word: str, at: int) -> NotationError:
    crossed = re.fullmatch(r"[0-9]{1,9}(?:\s*[xX×]\s*[0-9]{1,9})+", word)
    fix = ", ".join(re.findall("[0-9]+", word)) if crossed else "a whole number, or * where it varies"
    return NotationError(f"{display(word.strip())} is no size", at + 1, f"write {fix}")


def _leftover(text: str, at: int, dtype: str, sizes: tuple[int | None, ...]) -> NotationError:
    """What stands behind a type: mostly shapes written otherwise."""
    rest = text[at:].strip()
    if rest.startswith("[") and sizes:
        together = ", ".join([*_words(sizes), *re.findall(r"[0-9]+|\*", rest)])
        fix = f"write all sizes in one pair of brackets: {dtype}[{together}]"
        return NotationError("a second shape", at + 1, fix)
    if rest.startswith(("(", "{", "<")):
        return NotationError(f"a shape stands in square brackets, not {rest[0]}", at + 1, f"write e.g. {dtype}[4]")
    return NotationError(f"{display(rest)} is left over behind the type", at + 1, "take it away")


def _words(sizes: tuple[int | None, ...]) -> list[str]:
    return ["*" if size is None else str(size) for size in sizes]


def is_plain(type_: Type) -> bool:
    """Whether the notation says all of a type, so that parsing gives it back."""
    while isinstance(type_, ListOf):
        if not is_plain_list(type_):
            return False
        type_ = type_.item
    return isinstance(type_, Scalar)


def is_plain_list(type_: ListOf) -> bool:
    """Whether a list is of the make that a shape stands for."""
    return type_ == ListOf(type_.item, type_.size)


def peel(type_: Type) -> tuple[Type, tuple[int | None, ...]]:
    """A type without the plain lists around it, and their sizes."""
    sizes: list[int | None] = []
    while isinstance(type_, ListOf) and is_plain_list(type_):
        sizes.append(type_.size)
        type_ = type_.item
    return type_, tuple(sizes)


def format_type(type_: Type) -> str:
    """Write a type: the notation where it says everything, else words in Arrow's manner, for reading only."""
    item, sizes = peel(type_)
    return f"{_described(item)}[{', '.join(_words(sizes))}]" if sizes else _described(item)


def _described(type_: Type) -> str:
    match type_:
        case Scalar(name):
            return name
        case ListOf():
            size = "" if type_.size is None else f"[{type_.size}]"
            kind = "large_list" if type_.large else "list"
            return f"{kind}<{_part(type_.item_name, type_.item, type_.item_nullable)}>{size}"
        case Struct(fields):
            return f"struct<{', '.join(format_field(each) for each in fields)}>"
        case MapOf():
            value = format_type(type_.value) + ("" if type_.value_nullable else " not null")
            ordered = ", keys_sorted" if type_.keys_sorted else ""
            return f"map<{format_type(type_.key)}, {value}{ordered}>"
        case Dictionary():
            ordered = ", ordered" if type_.ordered else ""
            return f"dictionary<{type_.index.name}, {format_type(type_.value)}{ordered}>"


def format_field(field: Field) -> str:
    """A field in words: `inputs: float64[4]`."""
    return _part(field.name, field.type, field.nullable)


def _part(name: str, type_: Type, nullable: bool) -> str:
    return f"{name}: {format_type(type_)}{'' if nullable else ' not null'}"
