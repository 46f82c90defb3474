"""Keys and values as text of TOML, as one writes them by hand: tables inline, long lists on lines of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 110
_INDENT = "    "


def dotted(path: tuple[str, ...]) -> str:
    """A key, in quotes where they are needed."""
    import tomlkit

    return ".".join(tomlkit.key(part).as_string() for part in path)


def line(key: tuple[str, ...], value: Any, *, column: int = 0) -> str:
    """`key = value` with its end of line; `column` characters stand before it."""
    begin = f"{dotted(key)} = "
    return f"{begin}{written(value, column + len(begin))}\n"


def written(value: Any, column: int | None = None) -> str:
    """A value. `column` is where it begins on a line that is its own: then a list that is too long gets several."""
    import tomlkit

    if isinstance(value, Mapping):
        inside = ", ".join(f"{dotted((key,))} = {written(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        items = [written(each) for each in value]
        alone = f"[{', '.join(items)}]"
        if column is None or column + len(alone) <= _LONGEST:
            return alone
        return "[\n" + "".join(f"{_INDENT}{each},\n" for each in items) + "]"
    text: str = tomlkit.item(value).as_string()
    return text
