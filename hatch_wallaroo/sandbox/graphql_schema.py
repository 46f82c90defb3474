"""The platform's GraphQL schema: the types of schema.graphql, and what Hasura derives from them.

The official SDK asks for the schema and checks its queries against it before it sends them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TypeAlias, cast

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

_Column: TypeAlias = GraphQLScalarType | GraphQLObjectType


@cache
def schema() -> GraphQLSchema:
    """The whole schema, made once."""
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
