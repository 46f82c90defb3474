"""GraphQL documents, read: as much of the language as queries of an SDK are written in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 40
MOST_TOKENS = 20_000

_TOKEN = re.compile(
    r"""[\s,\ufeff]+|\#[^\n\r]*"""
    r"""|(?P<spread>\.\.\.)|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<mark>[!$&()\[\]{}:=@|])""",
    re.ASCII,
)


class GraphQLError(Exception):
    """A document that cannot be read or answered; the message says why."""


@dataclass(frozen=True)
class Variable:
    """The place of a variable's value."""

    name: str


@dataclass(frozen=True)
class Selection:
    """A field with its alias, arguments and own selections; a fragment's name or type stands in `spread` or `on`."""

    name: str = ""
    key: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    selections: tuple[Selection, ...] = ()
    spread: str = ""
    inline: bool = False


@dataclass(frozen=True)
class Operation:
    """A query or a mutation; `defaults` are those of its variables."""

    kind: str
    name: str
    defaults: Mapping[str, Any]
    selections: tuple[Selection, ...]


@dataclass
class Document:
    """What stands in a document."""

    operations: list[Operation] = field(default_factory=list)
    fragments: dict[str, tuple[Selection, ...]] = field(default_factory=dict)


def parse(text: str) -> Document:
    """Read a document. Raises GraphQLError."""
    return _Reader(_tokens(text)).document()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise GraphQLError(f"syntax error: unexpected character {text[at]!r}")
        if match.lastgroup:
            tokens.append((match.lastgroup, match[0]))
        if len(tokens) > MOST_TOKENS:
            raise GraphQLError("the document is too long")
        at = match.end()
    return tokens


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("end", "the end of the document")]
        self._at = 0

    def document(self) -> Document:
        made = Document()
        while self._peek() != "the end of the document":
            if self._peek() == "{":
                made.operations.append(Operation("query", "", {}, self._selections(0)))
            elif self._peek() == "fragment":
                self._take("fragment")
                name = self._name()
                self._take("on")
                self._name()
                self._directives()
                made.fragments[name] = self._selections(0)
            else:
                made.operations.append(self._operation())
        return made

    def _operation(self) -> Operation:
        kind = self._name()
        if kind not in {"query", "mutation"}:
            raise GraphQLError(f"syntax error: {kind} is no operation")
        name = self._name() if self._kind() == "name" else ""
        defaults: dict[str, Any] = {}
        if self._skip("("):
            while not self._skip(")"):
                self._take("$")
                variable = self._name()
                self._take(":")
                self._type(0)
                if self._skip("="):
                    defaults[variable] = self._value(0)
                self._directives()
        self._directives()
        return Operation(kind, name, defaults, self._selections(0))

    def _selections(self, depth: int) -> tuple[Selection, ...]:
        self._deep(depth)
        self._take("{")
        found = []
        while not self._skip("}"):
            found.append(self._selection(depth + 1))
        return tuple(found)

    def _selection(self, depth: int) -> Selection:
        if self._skip("..."):
            if self._kind() == "name" and self._peek() != "on":
                spread = self._name()
                self._directives()
                return Selection(spread=spread)
            if self._skip("on"):
                self._name()
            self._directives()
            return Selection(selections=self._selections(depth), inline=True)
        key = name = self._name()
        if self._skip(":"):
            name = self._name()
        arguments = self._arguments(depth) if self._peek() == "(" else {}
        self._directives()
        inner = self._selections(depth) if self._peek() == "{" else ()
        return Selection(name, key, arguments, inner)

    def _arguments(self, depth: int) -> dict[str, Any]:
        self._take("(")
        found = {}
        while not self._skip(")"):
            name = self._name()
            self._take(":")
            found[name] = self._value(depth)
        return found

    def _directives(self) -> None:
        while self._skip("@"):
            self._name()
            if self._peek() == "(":
                self._arguments(0)

    def _type(self, depth: int) -> None:
        self._deep(depth)
        if self._skip("["):
            self._type(depth + 1)
            self._take("]")
        else:
            self._name()
        self._skip("!")

    def _value(self, depth: int) -> Any:
        self._deep(depth)
        kind, text = self._tokens[self._at]
        if kind in {"number", "string"}:
            self._at += 1
            return _literal(text)
        if self._skip("$"):
            return Variable(self._name())
        if self._skip("["):
            items = []
            while not self._skip("]"):
                items.append(self._value(depth + 1))
            return items
        if self._skip("{"):
            found = {}
            while not self._skip("}"):
                name = self._name()
                self._take(":")
                found[name] = self._value(depth + 1)
            return found
        name = self._name()
        return {"true": True, "false": False, "null": None}.get(name, name)

    def _deep(self, depth: int) -> None:
        if depth > DEEPEST:
            raise GraphQLError("the document is nested too deeply")

    def _peek(self) -> str:
        kind, text = self._tokens[self._at]
        return "" if kind == "string" else text

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _skip(self, text: str) -> bool:
        if self._peek() != text or self._kind() == "end":
            return False
        self._at += 1
        return True

    def _take(self, text: str) -> None:
        if not self._skip(text):
            raise GraphQLError(f"syntax error: expected {text!r}, found {self._tokens[self._at][1][:40]!r}")

    def _name(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "name":
            raise GraphQLError(f"syntax error: expected a name, found {text[:40]!r}")
        self._at += 1
        return text


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise GraphQLError(f"syntax error: {text[:40]} cannot be read") from None
