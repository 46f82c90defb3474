"""What a platform answered: bounded, read without trust, and put into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.files.json_text import JsonError, parse_json
from hatch_wallaroo.platform.credentials import Secret, without
from hatch_wallaroo.platform.errors import ConnectionFailedError

_SHOWN = 600
_MESSAGE_KEYS = ("error_description", "msg", "message", "error", "detail")


@dataclass(frozen=True)
class Response:
    """An answer: status, headers (names in lower case), the whole body. Its repr holds no body: it may be a token."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    asked: str = ""
    """Method and path of the request, for messages."""
    secrets: tuple[Secret, ...] = ()
    """What is taken out of the answer's words before they are shown."""

    def json(self) -> Any:
        """The body as JSON. Raises ConnectionFailedError where it is something else."""
        try:
            return parse_json(self.body)
        except JsonError:
            pass
        what = "a web page" if self.is_page else "something that is not JSON"
        raise ConnectionFailedError(
            f"{self.asked} was answered with {what} (HTTP {self.status}).",
            "Check the url: it is the platform's own address, the one that the SDK's Client takes.",
        )

    @property
    def is_page(self) -> bool:
        return b"<html" in self.body[:2048].lower() or "text/html" in self.headers.get("content-type", "")

    def words(self) -> str:
        """What the platform says, in one cleaned line; "" where it says nothing that a person can read."""
        try:
            made = parse_json(self.body)
        except JsonError:
            made = None if self.is_page else self.body.decode("utf-8", "replace")
        return cleaned(_message(made), self.secrets)


def _message(made: Any) -> str:
    if isinstance(made, dict):
        found = next((made[key] for key in _MESSAGE_KEYS if made.get(key)), "")
        return _message(found)
    if isinstance(made, list):
        return "; ".join(filter(None, (_message(each) for each in made[:5] if not isinstance(each, list))))
    return made if isinstance(made, str) else ""


def cleaned(text: str, secrets: Iterable[Secret] = (), longest: int = _SHOWN, *, lines: bool = False) -> str:
    """Text of a stranger as it may be shown: no secrets, no control characters, not longer than `longest`.

    With `lines` the line breaks stay. Cut before cleaning would let half a secret through.
    """
    text = without(text, secrets)[: 64 * 1024]
    kept = "".join(each if each.isprintable() or (lines and each == "\n") else " " for each in text)
    kept = kept.strip() if lines else " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"
