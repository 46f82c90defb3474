"""The part of the platform's GraphQL schema that models and workspaces need, and its introspection.

The official SDK asks for the schema and checks its queries against it before it sends them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

SCALARS = ("String", "Boolean", "Int", "Float", "bigint", "timestamptz", "jsonb", "bpchar")

OBJECTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "workspace": {
            "id": "bigint!",
            "name": "String!",
            "archived": "Boolean!",
            "created_at": "timestamptz!",
            "created_by": "String",
            "users": "[workspace_users!]!",
            "pipelines": "[pipeline!]!",
            "models": "[models!]!",
        },
        "workspace_users": {"user_id": "String!", "user_type": "String", "workspace_id": "bigint"},
        "user_default_workspace": {"user_id": "String!", "workspace": "workspace!"},
        "pipeline": {"id": "bigint!"},
        "models": {
            "id": "bigint!",
            "name": "String!",
            "owner_id": "String!",
            "created_at": "timestamptz",
            "updated_at": "timestamptz",
            "workspace_id": "bigint",
            "workspace": "workspace",
            "models": "[model!]!",
        },
        "model": {
            "id": "bigint!",
            "created_on_version": "String",
            "model_id": "String!",
            "model_version": "String!",
            "models_pk_id": "bigint!",
            "owner_id": "String!",
            "sha": "bpchar!",
            "status": "String",
            "error_summary": "String",
            "file_name": "String",
            "image_path": "String",
            "task_id": "String",
            "updated_at": "timestamptz!",
            "visibility": "String",
            "conversion": "jsonb",
            "model_tags": "[model_tag!]!",
            "model": "models",
        },
        "model_tag": {"tag": "tag!"},
        "tag": {"id": "bigint!", "tag": "String!"},
        "model_config": {
            "id": "bigint!",
            "model_id": "bigint",
            "filter_threshold": "Float",
            "runtime": "String!",
            "tensor_fields": "jsonb",
            "input_schema": "String",
            "output_schema": "String",
            "batch_config": "String",
            "model": "model",
        },
    }
)
"""Tables by their fields, as the queries in the SDK wheels 2023.2.1 to 2026.1.3 name them."""

TABLES = ("workspace", "models", "model", "user_default_workspace")
"""What can be listed."""

KEYED = ("workspace", "models", "model", "model_config")
"""What can be had by its id, as `TABLE_by_pk`."""

_INPUTS: Mapping[str, Mapping[str, str]] = {
    "workspace_insert_input": {
        "owner_id": "String",
        "name": "String",
        "created_by": "String",
        "archived": "Boolean",
        "users": "workspace_users_arr_rel_insert_input",
        "user_default_workspaces": "user_default_workspace_arr_rel_insert_input",
    },
    "workspace_users_arr_rel_insert_input": {"data": "[workspace_users_insert_input!]!"},
    "workspace_users_insert_input": {"user_id": "String", "user_type": "String"},
    "user_default_workspace_arr_rel_insert_input": {"data": "[user_default_workspace_insert_input!]!"},
    "user_default_workspace_insert_input": {"user_id": "String"},
    "workspace_on_conflict": {
        "constraint": "workspace_constraint!",
        "update_columns": "[workspace_update_column!]!",
    },
}
_ENUMS: Mapping[str, tuple[str, ...]] = {
    "order_by": ("asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last"),
    "workspace_constraint": ("workspace_name_key", "workspace_pkey"),
    "workspace_update_column": ("name", "archived", "created_by"),
}


def named(reference: str) -> str:
    """The type in a reference: `model` in `[model!]!`."""
    return reference.strip("[]!")


@cache
def introspection() -> dict[str, Any]:
    """The value of `__schema`."""
    return {
        "queryType": {"name": "query_root"},
        "mutationType": {"name": "mutation_root"},
        "subscriptionType": None,
        "types": list(_types()),
        "directives": [],
        "description": None,
    }


def _types() -> Iterator[dict[str, Any]]:
    for name in SCALARS:
        yield _type("SCALAR", name)
    for name, values in _ENUMS.items():
        yield _type("ENUM", name, enumValues=[_described(each) for each in values])
    for name, fields in OBJECTS.items():
        yield _object(name, {field: (reference, _arguments(field, reference)) for field, reference in fields.items()})
        yield _input(f"{name}_bool_exp", _conditions(name, fields))
        yield _input(f"{name}_order_by", _orders(fields))
    for name in SCALARS:
        listed = f"[{name}!]"
        yield _input(f"{name}_comparison_exp", {"_eq": name, "_neq": name, "_in": listed, "_is_null": "Boolean"})
    for name, fields in _INPUTS.items():
        yield _input(name, fields)
    tables = {name: (f"[{name}!]!", _list_arguments(name)) for name in TABLES}
    keyed = {f"{name}_by_pk": (name, {"id": "bigint!"}) for name in KEYED}
    yield _object("query_root", {**tables, **keyed})
    insert = {"object": "workspace_insert_input!", "on_conflict": "workspace_on_conflict"}
    yield _object("mutation_root", {"insert_workspace_one": ("workspace", insert)})


def _arguments(field: str, reference: str) -> dict[str, str]:
    if field == "conversion":
        return {"path": "String"}
    return _list_arguments(named(reference)) if reference.startswith("[") else {}


def _list_arguments(name: str) -> dict[str, str]:
    return {"where": f"{name}_bool_exp", "order_by": f"[{name}_order_by!]", "limit": "Int", "offset": "Int"}


def _conditions(name: str, fields: Mapping[str, str]) -> dict[str, str]:
    own = f"{name}_bool_exp"
    made = {"_and": f"[{own}!]", "_or": f"[{own}!]", "_not": own}
    for field, reference in fields.items():
        kind = named(reference)
        made[field] = f"{kind}_bool_exp" if kind in OBJECTS else f"{kind}_comparison_exp"
    return made


def _orders(fields: Mapping[str, str]) -> dict[str, str]:
    """What a table can be ordered by: its columns, and those of the single rows that it refers to."""
    single = {field: named(reference) for field, reference in fields.items() if not reference.startswith("[")}
    return {field: f"{kind}_order_by" if kind in OBJECTS else "order_by" for field, kind in single.items()}


def _kinds(name: str) -> str:
    if name in SCALARS:
        return "SCALAR"
    if name in _ENUMS:
        return "ENUM"
    return "OBJECT" if name in OBJECTS else "INPUT_OBJECT"


def _reference(text: str) -> dict[str, Any]:
    if text.endswith("!"):
        return {"kind": "NON_NULL", "name": None, "ofType": _reference(text[:-1])}
    if text.startswith("["):
        return {"kind": "LIST", "name": None, "ofType": _reference(text[1:-1])}
    return {"kind": _kinds(text), "name": text, "ofType": None}


def _described(name: str) -> dict[str, Any]:
    return {"name": name, "description": None, "isDeprecated": False, "deprecationReason": None}


def _values(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{**_described(name), "type": _reference(text), "defaultValue": None} for name, text in fields.items()]


def _object(name: str, fields: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, Any]:
    made = [
        {**_described(field), "args": _values(arguments), "type": _reference(reference)}
        for field, (reference, arguments) in fields.items()
    ]
    return _type("OBJECT", name, fields=made, interfaces=[])


def _input(name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    return _type("INPUT_OBJECT", name, inputFields=_values(fields))


def _type(kind: str, name: str, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("fields", "inputFields", "interfaces", "enumValues", "possibleTypes"))
    return {"kind": kind, "name": name, "description": None, "specifiedByURL": None, **empty, **more}
