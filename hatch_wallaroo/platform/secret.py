"""A value that may be used, and never shown."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Any, NoReturn

MASK = "***"
_SHORTEST = 4
"""Shorter values are not looked for in a text: they would blot out half of its words."""


class Secret:
    """A password or token. Whatever prints, formats or logs it gets `***`; `reveal()` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the line that puts it into a request, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def is_token(text: str) -> bool:
    """Whether it can stand in a header: no spaces, no line breaks, ASCII only."""
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def is_sendable(text: str) -> bool:
    """Whether it is text: bytes of another encoding in a variable, or half a character in JSON, are not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without(text: str, secrets: Iterable[Secret]) -> str:
    """The text with every secret in it, plain or percent-encoded, replaced by `***`."""
    from urllib.parse import quote, quote_plus

    for value in sorted((each.reveal() for each in secrets), key=len, reverse=True):
        if len(value) < _SHORTEST:
            continue
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, MASK)
    return text
