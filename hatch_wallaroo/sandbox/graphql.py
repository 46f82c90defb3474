"""Answers GraphQL documents about models and workspaces, and keeps the bounds of what one document may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from hatch_wallaroo.sandbox.graphql_language import Document, GraphQLError, Operation, Selection, Variable, parse
from hatch_wallaroo.sandbox.graphql_schema import OBJECTS, introspection, named

Row: TypeAlias = dict[str, Any]
"""A row of a table: its columns, and functions without arguments for its relations."""
Resolver: TypeAlias = Callable[[Mapping[str, Any]], Any]

MOST_VALUES = 200_000
_LONGEST_LIST = 1000


def answer(
    body: Mapping[str, Any], queries: Mapping[str, Resolver], mutations: Mapping[str, Resolver]
) -> dict[str, Any]:
    """The answer to a request `{query, variables, operationName}`: `{data}`, or `{errors}` as Hasura words them."""
    try:
        text, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(text, str) or not isinstance(variables, dict):
            raise GraphQLError("the request has no query")  # noqa: TRY301 - one way out for all of them
        document = parse(text)
        operation = _operation(document, body.get("operationName"))
        given = {**operation.defaults, **variables}
        roots = queries if operation.kind == "query" else mutations
        return {"data": _Execution(document, given).root(operation, roots)}
    except GraphQLError as error:
        return {"errors": [{"extensions": {"path": "$", "code": "validation-failed"}, "message": str(error)}]}


def _operation(document: Document, name: object) -> Operation:
    found = [each for each in document.operations if name in {None, "", each.name}]
    if len(found) != 1:
        raise GraphQLError("the request does not name one operation")
    return found[0]


class _Execution:
    """One operation's run; counts the values that it gives."""

    def __init__(self, document: Document, variables: Mapping[str, Any]) -> None:
        self._document = document
        self._variables = variables
        self._values = 0

    def root(self, operation: Operation, resolvers: Mapping[str, Resolver]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in self._fields(operation.selections, ()):
            arguments = self._filled(field.arguments)
            if field.name == "__schema":
                made[field.key] = self._plain(introspection(), field.selections)
            elif field.name == "__typename":
                made[field.key] = f"{operation.kind}_root"
            elif field.name in resolvers:
                table = field.name.removesuffix("_by_pk").removeprefix("insert_").removesuffix("_one")
                made[field.key] = self._value(resolvers[field.name](arguments), table, field, arguments)
            else:
                raise GraphQLError(f"field '{field.name}' not found in type: '{operation.kind}_root'")
        return made

    def _fields(self, selections: Sequence[Selection], trail: tuple[str, ...]) -> list[Selection]:
        """The fields of a selection, fragments put in."""
        found: list[Selection] = []
        for each in selections:
            if each.inline:
                found += self._fields(each.selections, trail)
            elif each.spread:
                if each.spread in trail or each.spread not in self._document.fragments:
                    raise GraphQLError(f"the fragment {each.spread} cannot be put in")
                found += self._fields(self._document.fragments[each.spread], (*trail, each.spread))
            else:
                found.append(each)
            self._count(len(found))
        return found

    def _count(self, more: int = 1) -> None:
        self._values += more
        if self._values > MOST_VALUES:
            raise GraphQLError("the document asks for too much")

    def _plain(self, value: Any, selections: Sequence[Selection]) -> Any:
        """A value of the introspection, cut down to what was asked for."""
        self._count()
        if isinstance(value, list):
            return [self._plain(each, selections) for each in value]
        if not isinstance(value, dict) or not selections:
            return value
        fields = self._fields(selections, ())
        return {each.key: self._plain(value.get(each.name), each.selections) for each in fields}

    def _value(self, value: Any, table: str, field: Selection, arguments: Mapping[str, Any]) -> Any:
        self._count()
        if isinstance(value, list):
            rows = _chosen(value, arguments)
            return [self._row(each, table, field.selections) for each in rows]
        return self._row(value, table, field.selections) if isinstance(value, dict) else value

    def _row(self, row: Row, table: str, selections: Sequence[Selection]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if not selections:
            raise GraphQLError(f"field of type '{table}' must have a selection of subfields")
        for field in self._fields(selections, ()):
            self._count()
            arguments = self._filled(field.arguments)
            if field.name == "__typename":
                made[field.key] = table
                continue
            reference = OBJECTS[table].get(field.name)
            if reference is None:
                raise GraphQLError(f"field '{field.name}' not found in type: '{table}'")
            value = _own(row, field.name)
            if named(reference) in OBJECTS:
                made[field.key] = self._value(value, named(reference), field, arguments)
            elif isinstance(path := arguments.get("path"), str):
                made[field.key] = value.get(path) if isinstance(value, dict) else None
            else:
                made[field.key] = value
        return made

    def _filled(self, value: Any) -> Any:
        """A value with the variables put in."""
        if isinstance(value, Variable):
            return self._variables.get(value.name)
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        return [self._filled(each) for each in value] if isinstance(value, list) else value


def _own(row: Row, name: str) -> Any:
    value = row.get(name)
    return value() if callable(value) else value


def _chosen(rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
    """Rows as `where`, `order_by`, `offset` and `limit` choose them."""
    where, order, limit = arguments.get("where"), arguments.get("order_by"), arguments.get("limit")
    found = [each for each in rows if not isinstance(where, dict) or _matches(each, where)]
    for each in reversed(order if isinstance(order, list) else [order]):
        for column, direction in reversed(list(each.items()) if isinstance(each, dict) else []):
            found.sort(key=partial(_sortable, column), reverse=str(direction).startswith("desc"))
    offset = arguments.get("offset")
    start = offset if isinstance(offset, int) and offset >= 0 else 0
    most = limit if isinstance(limit, int) and limit >= 0 else _LONGEST_LIST
    return found[start : start + most]


def _sortable(column: str, row: Row) -> tuple[bool, float, str]:
    """A column's value as something that compares with its like, nulls last."""
    value = _own(row, column)
    if isinstance(value, (int, float)):
        return False, value, ""
    return value is None, 0, str(value)


def _matches(row: Row, where: Mapping[str, Any]) -> bool:
    """Whether a row satisfies a boolean expression; an unknown operator is an error."""
    for key, condition in where.items():
        if key in {"_and", "_or"}:
            several = condition if isinstance(condition, list) else [condition]
            results = [_matches(row, each) for each in several if isinstance(each, dict)]
            if not (all(results) if key == "_and" else any(results)):
                return False
        elif key == "_not":
            if isinstance(condition, dict) and _matches(row, condition):
                return False
        elif not _holds(_own(row, key), condition):
            return False
    return True


def _holds(value: Any, condition: Any) -> bool:
    if not isinstance(condition, dict):
        return True
    if isinstance(value, list):
        return any(_matches(each, condition) for each in value)
    if isinstance(value, dict):
        return _matches(value, condition)
    for operator, wanted in condition.items():
        if operator not in _OPERATORS:
            raise GraphQLError(f"field '{operator}' not found in a comparison")
        if not _OPERATORS[operator](value, wanted):
            return False
    return True


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "_eq": lambda value, wanted: value == wanted,
    "_neq": lambda value, wanted: value != wanted,
    "_in": lambda value, wanted: isinstance(wanted, list) and value in wanted,
    "_is_null": lambda value, wanted: (value is None) == wanted,
}
