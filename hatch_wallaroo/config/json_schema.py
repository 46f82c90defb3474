"""The JSON Schema of `[tool.wallaroo]`, for validate-pyproject and editors, made from the model.

`python -m hatch_wallaroo.config.json_schema` writes it to wallaroo.schema.json beside this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.model_name import LONGEST, PATTERN
from hatch_wallaroo.config.settings import ACCELERATORS, FRAMEWORKS, Setting
from hatch_wallaroo.config.table import MODELS, ModelTable, field_docs, options, table_doc
from hatch_wallaroo.releases.load import all_releases, known
from hatch_wallaroo.releases.model import Release

FILE = Path(__file__).with_name("wallaroo.schema.json")


def tool_schema(tool_name: str) -> dict[str, Any]:
    """The schema of `tool.wallaroo`: what validate-pyproject asks its plugins for.

    Raises ValueError for any other tool.
    """
    if tool_name != "wallaroo":
        raise ValueError(f"no schema of tool.{tool_name} here")
    made: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return made


def generate() -> dict[str, Any]:
    """The schema, made anew. Needs this package's source, for the texts."""
    model = _table(ModelTable)
    several = {
        "type": "object",
        "description": "Several models by name; `[tool.wallaroo]` then holds what they share.",
        "minProperties": 1,
        "additionalProperties": {"$ref": "#/definitions/model"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://hatch-wallaroo.invalid/wallaroo.schema.json",
        "title": "hatch-wallaroo: machine learning models for Wallaroo",
        "description": table_doc(ModelTable),
        **model,
        "properties": {**model["properties"], MODELS: several},
        "anyOf": [{"required": [MODELS]}, {"required": ["framework"]}],
        "definitions": {"model": {"title": "A model", "description": several["description"], **model}, "type": _type()},
    }


def _table(table: type) -> dict[str, Any]:
    """A table's dataclass as an object that takes no other keys."""
    docs = field_docs(table)
    properties = {}
    for key, option in options(table).items():
        made = _table(option.table) if option.table else option.value_type.schema() if option.value_type else {}
        special = _SPECIAL.get((table, key))
        properties[key] = _described(special(made) if special else made, docs[option.name])
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _described(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """A schema with a description. One that several keys share is written out in each of them.

    Draft 7 ignores what stands beside a reference, and Taplo shows no text beside an `allOf` around one: asked for
    completions there, its language server calls itself until its stack is full. Of a list it shows the items' text.
    """
    _, _, shared = schema.get("$ref", "").rpartition("/")
    return {"description": text, **_with_items(_SHARED[shared]() if shared else schema, text)}


def _with_items(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """A schema, or one of several to choose from, whose list's items have the text too."""
    made = dict(schema)
    if "items" in made:
        made["items"] = {"description": text, **made["items"]}
    if "anyOf" in made:
        made["anyOf"] = [_with_items(each, text) for each in made["anyOf"]]
    return made


def _of_any_release(told: Callable[[Release], Iterable[str]]) -> dict[str, Any]:
    """One of the words that the data of any release has."""
    return {"enum": list(dict.fromkeys(word for each in all_releases() for word in told(each)))}


def _releases() -> dict[str, Any]:
    """The known releases for an editor to offer, and any other of the same form."""
    return {"anyOf": [{"enum": list(known())}, {"type": "string", "pattern": r"^\d{4}\.\d{1,2}(\.\d{1,2})?$"}]}


def _fields() -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/definitions/type"}}


def _type() -> dict[str, Any]:
    """A field's type: a dtype and a shape, or a table that says more. The reader looks closer."""
    from hatch_wallaroo.schema.scalars import ALIASES, PARAMETRISED, PLAIN

    plain = "|".join((*PLAIN, *ALIASES))
    with_parameters = "|".join(PARAMETRISED)
    dtypes = rf"({plain}|({with_parameters})\s*[(\[][^()\[\]]+[)\]])"
    return {
        "description": "The field's type: a dtype with a shape, or a table that says more.",
        "anyOf": [
            {
                "type": "string",
                "pattern": rf"^\s*{dtypes}\s*(\[[0-9*,\s]*\]\s*)?$",
                "examples": ["float64", "float64[4]", "int64[100, 100, 3]", "string", "int64[*, 4]"],
            },
            {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
        ],
    }


def _setting(setting: Setting) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "choice": {"enum": list(setting.choices)},
        "chunk": {"anyOf": [{"const": -1}, {"type": "integer", "minimum": 1}]},
        "count": {"type": "integer", "minimum": 1},
        "devices": {"type": "array", "items": {"type": "integer"}},
        "flag": {"type": "boolean"},
        "fraction": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "text": {"type": "string", "minLength": 1},
    }
    return _described(kinds[setting.kind], setting.about)


def _settings(settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {key: _setting(setting) for key, setting in settings.items()}


def _name(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "pattern": PATTERN, "maxLength": LONGEST}


def _accel(schema: dict[str, Any]) -> dict[str, Any]:
    """The accelerators' names, or a table of one that takes a configuration."""
    names = _of_any_release(lambda release: release.accelerators)
    configured = {
        name: {
            "description": f"The accelerator {name} with a configuration.",
            "type": "object",
            "additionalProperties": False,
            "properties": _settings(settings),
        }
        for name, settings in ACCELERATORS.items()
    }
    _, table = schema["anyOf"]
    return {"anyOf": [names, {**table, "additionalProperties": False, "properties": configured}]}


def _framework_config(schema: dict[str, Any]) -> dict[str, Any]:
    """One of the frameworks' configurations; `custom` takes any further key, so that this mostly helps editors."""
    return {
        "anyOf": [
            {
                "title": name,
                **schema,
                "properties": _settings(settings),
                **({} if name == "custom" else {"additionalProperties": False}),
            }
            for name, settings in FRAMEWORKS.items()
        ]
    }


_SHARED: Mapping[str, Callable[[], dict[str, Any]]] = {
    "framework": lambda: _of_any_release(lambda release: release.frameworks),
    "release": _releases,
    "schema": _fields,
}
"""What the kinds refer to by name."""

_SPECIAL: Mapping[tuple[type, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
    (ModelTable, "name"): _name,
    (ModelTable, "arch"): lambda _: _of_any_release(lambda release: release.architectures),
    (ModelTable, "accel"): _accel,
    (ModelTable, "python-version"): lambda _: _of_any_release(lambda release: release.python_versions),
    (ModelTable, "framework-config"): _framework_config,
}
"""What the releases' data and the settings add to the kinds' own schemas."""


def dump(schema: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(dump(generate()), encoding="utf-8")
