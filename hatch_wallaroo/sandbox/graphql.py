"""Answers GraphQL documents about models and workspaces, and keeps the bounds of what one document may ask for.

The official SDK asks for the schema and checks its queries against it before it sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import Any, TypeAlias, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    Lexer,
    Node,
    Source,
    TokenKind,
    build_schema,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    validate,
)

Resolver: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Gives a field's value from the field's arguments."""
Row: TypeAlias = dict[str, Any]
"""A row of a table: its columns, and resolvers for its relations."""

MOST_TOKENS = 20_000
MOST_FIELDS = 500
MOST_VALUES = 200_000
DEEPEST = 40
_LONGEST_LIST = 1000
_NESTING = {
    **dict.fromkeys((TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L), 1),
    **dict.fromkeys((TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R), -1),
}
_NONE: Mapping[str, Any] = {}


def answer(body: Mapping[str, Any], roots: Mapping[str, Resolver]) -> dict[str, Any]:
    """The answer to a request `{query, variables, operationName}`: `{data}`, or `{errors}` as Hasura words them.

    `roots`: the resolvers of the fields of `query_root` and `mutation_root`.
    """
    text, variables, name = body.get("query"), body.get("variables") or {}, body.get("operationName") or None
    if not isinstance(text, str) or not isinstance(variables, dict) or not isinstance(name, str | None):
        return _refusal("the request has no query")
    try:
        data, errors = _run(text, roots, variables, name)
    except GraphQLError as error:
        return _refusal(error.message)
    except RecursionError:
        return _refusal("the variables are nested too deeply")
    return _refusal(errors[0].message) if errors else {"data": data}


def _run(text: str, roots: Mapping[str, Resolver], variables: dict[str, Any], name: str | None) -> ExecutionResult:
    document = _document(text)
    if errors := validate(schema(), document, max_errors=1):
        return ExecutionResult(None, errors)
    resolve = _Values().resolve
    return execute_sync(
        schema(), document, roots, variable_values=variables, operation_name=name, field_resolver=resolve
    )


def _refusal(message: str) -> dict[str, Any]:
    return {"errors": [{"extensions": {"path": "$", "code": "validation-failed"}, "message": message}]}


def _document(text: str) -> DocumentNode:
    """Read a document that asks for no more than it may. Raises GraphQLError.

    Reading, validating and running call themselves for each level, and compare fields with each other:
    what goes beyond the bounds must not reach them.
    """
    _check_tokens(text)
    document = parse(text, no_location=True)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    found = 0

    def visit(node: Node | None, depth: int) -> None:
        nonlocal found
        selected = getattr(node, "selection_set", None)
        for each in selected.selections if selected else ():
            found += 1
            if found > MOST_FIELDS or depth > DEEPEST:
                raise GraphQLError("the document asks for too much")
            visit(fragments.get(each.name.value) if isinstance(each, FragmentSpreadNode) else each, depth + 1)

    for each in document.definitions:
        visit(each, 0)
    return document


def _check_tokens(text: str) -> None:
    lexer = Lexer(Source(text))
    count = depth = 0
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        count += 1
        depth += _NESTING.get(token.kind, 0)
        if count > MOST_TOKENS or depth > DEEPEST:
            raise GraphQLError("the document is too long, or nested too deeply")


class _Values:
    """The values of one run, counted."""

    def __init__(self) -> None:
        self._count = 0

    def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """A field's value: a column, or what its resolver gives, chosen from where it is a list of rows."""
        self._count += 1
        if self._count > MOST_VALUES:
            raise GraphQLError("the document asks for too much")
        value = _own(source, info.field_name, arguments)
        if is_list_type(get_nullable_type(info.return_type)):
            return _chosen(value, arguments)
        if "path" in arguments:
            return value.get(arguments["path"]) if isinstance(value, dict) else None
        return value


def _own(row: Mapping[str, Any], name: str, arguments: Mapping[str, Any] = _NONE) -> Any:
    value = row.get(name)
    return value(arguments) if callable(value) else value


def _chosen(rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
    """Rows as `where`, `order_by`, `offset` and `limit` choose them."""
    found = [each for each in rows if _matches(each, arguments.get("where") or {})]
    for order in reversed(arguments.get("order_by") or []):
        for path, direction in reversed(list(_columns(order))):
            found.sort(key=partial(_sortable, path), reverse=direction.startswith("desc"))
    start, limit = arguments.get("offset") or 0, arguments.get("limit")
    return found[max(start, 0) :][: _LONGEST_LIST if limit is None else max(limit, 0)]


def _columns(order: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The columns of an order, by their path from the row, with their direction."""
    for name, direction in order.items():
        if isinstance(direction, dict):
            yield from (((name, *path), inner) for path, inner in _columns(direction))
        elif direction is not None:
            yield (name,), direction


def _sortable(path: tuple[str, ...], row: Row) -> tuple[bool, float, str]:
    """A column's value as something that compares with its like, nulls last."""
    value: Any = row
    for name in path:
        value = _own(value, name) if value is not None else None
    if isinstance(value, (int, float)):
        return False, value, ""
    return value is None, 0, str(value)


def _matches(row: Row, where: Mapping[str, Any]) -> bool:
    """Whether a row satisfies a boolean expression."""
    for key, condition in where.items():
        if condition is None:
            continue
        if key in _COMBINED:
            if not _COMBINED[key](_matches(row, each) for each in condition):
                return False
        elif key == "_not":
            if _matches(row, condition):
                return False
        elif not _holds(_own(row, key), condition):
            return False
    return True


def _holds(value: Any, condition: Mapping[str, Any]) -> bool:
    """Whether a column satisfies its comparisons; a relation, whether a row that it leads to satisfies them."""
    if condition.keys() <= _OPERATORS.keys():
        return all(_OPERATORS[operator](value, wanted) for operator, wanted in condition.items())
    return any(_matches(each, condition) for each in (value if isinstance(value, list) else [value]) if each)


_COMBINED: Mapping[str, Callable[[Iterator[bool]], bool]] = {"_and": all, "_or": any}
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "_eq": lambda value, wanted: value == wanted,
    "_neq": lambda value, wanted: value != wanted,
    "_in": lambda value, wanted: value in (wanted or ()),
    "_is_null": lambda value, wanted: (value is None) == wanted,
}


_Column: TypeAlias = GraphQLScalarType | GraphQLObjectType


@cache
def schema() -> GraphQLSchema:
    """The platform's schema, made once: the types of schema.graphql, and what Hasura derives from them."""
    declared = build_schema(files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8"))
    derived = _Derived(cast("GraphQLEnumType", declared.type_map["order_by"]))
    for each in declared.type_map.values():
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__"):
            for field in each.fields.values():
                field.args |= derived.arguments(field.type)
    return GraphQLSchema(declared.query_type, declared.mutation_type)


class _Derived:
    """The filters and orders of tables, each made once; relations lead from one table's to another's."""

    def __init__(self, direction: GraphQLEnumType) -> None:
        self._direction = direction
        self._made: dict[str, GraphQLInputObjectType] = {}

    def arguments(self, reference: GraphQLOutputType) -> dict[str, GraphQLArgument]:
        """What a field takes: a list is chosen from, a jsonb's member is named by its path."""
        kind = get_named_type(reference)
        if kind.name == "jsonb":
            return {"path": GraphQLArgument(GraphQLString)}
        if not isinstance(kind, GraphQLObjectType) or not is_list_type(get_nullable_type(reference)):
            return {}
        return {
            "where": GraphQLArgument(self._filter(kind)),
            "order_by": GraphQLArgument(_listed(self._order(kind))),
            "limit": GraphQLArgument(GraphQLInt),
            "offset": GraphQLArgument(GraphQLInt),
        }

    def _filter(self, kind: _Column) -> GraphQLInputObjectType:
        if isinstance(kind, GraphQLScalarType):
            return self._input(f"{kind.name}_comparison_exp", lambda _: _comparisons(kind))
        return self._input(f"{kind.name}_bool_exp", lambda own: self._conditions(kind, own))

    def _conditions(self, kind: GraphQLObjectType, own: GraphQLInputObjectType) -> dict[str, GraphQLInputField]:
        columns = {name: GraphQLInputField(self._filter(_column(field.type))) for name, field in kind.fields.items()}
        several = GraphQLInputField(_listed(own))
        return {"_and": several, "_or": several, "_not": GraphQLInputField(own), **columns}

    def _order(self, kind: GraphQLObjectType) -> GraphQLInputObjectType:
        return self._input(f"{kind.name}_order_by", lambda _: self._orders(kind))

    def _orders(self, kind: GraphQLObjectType) -> dict[str, GraphQLInputField]:
        """What a table can be ordered by: its columns, and those of the single rows that it refers to."""
        found = {}
        for name, field in kind.fields.items():
            column = _column(field.type)
            if not is_list_type(get_nullable_type(field.type)):
                by = self._order(column) if isinstance(column, GraphQLObjectType) else self._direction
                found[name] = GraphQLInputField(by)
        return found

    def _input(
        self, name: str, fields: Callable[[GraphQLInputObjectType], dict[str, GraphQLInputField]]
    ) -> GraphQLInputObjectType:
        if name not in self._made:
            self._made[name] = made = GraphQLInputObjectType(name, lambda: fields(made))
        return self._made[name]


def _comparisons(kind: GraphQLScalarType) -> dict[str, GraphQLInputField]:
    one, null = GraphQLInputField(kind), GraphQLInputField(GraphQLBoolean)
    return {"_eq": one, "_neq": one, "_in": GraphQLInputField(_listed(kind)), "_is_null": null}


def _column(reference: GraphQLOutputType) -> _Column:
    return cast("_Column", get_named_type(reference))


def _listed(kind: GraphQLInputObjectType | GraphQLScalarType) -> GraphQLList[GraphQLInputType]:
    return GraphQLList(GraphQLNonNull(kind))
