"""docs/reference/manifest.md: every key of a manifest, made from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatch_wallaroo import bundle

SCHEMA = Path(bundle.__file__).with_name("manifest.schema.json")

_HEAD = """\
# The manifest

This page is made from the code: `python docs/make_reference.py`.

Beside each bundle `NAME-VERSION.EXT` stands `NAME-VERSION.wallaroo.json`: everything that publishing needs, and what is
in the bundle. Its JSON Schema is in the package, at `hatch_wallaroo/bundle/manifest.schema.json`. The same input gives
the same manifest, byte for byte: it holds no time, no host and no absolute path.

An image that is registered as it is (`framework = "mlflow"`) has `upload.image_path`, and no `file`; one that is built
has `file`, its build context, and `image`.

Keys in *italics* are not in every manifest. `[]` stands for each item of a list.

| key | value | meaning |
|---|---|---|
"""


def markdown() -> str:
    """The page."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    rows = _rows(schema, schema["definitions"], "")
    return _HEAD + "".join(f"| {' | '.join(each)} |\n" for each in rows)


def _rows(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """A row for each key below a schema, in its order."""
    required = schema.get("required", ())
    for name, described in schema.get("properties", {}).items():
        known = {**_referred(described, definitions), **described}
        key = f"`{prefix}{name}`"
        yield key if name in required else f"*{key}*", _value(known), known.get("description", "")
        yield from _rows(known, definitions, f"{prefix}{name}.")
        yield from _rows(known.get("items", {}), definitions, f"{prefix}{name}[].")


def _referred(described: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(described.get("$ref", "")).rpartition("/")[2]
    return dict(definitions[name]) if name else {}


def _value(schema: Mapping[str, Any]) -> str:
    """What a key holds, in a word or two."""
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if str(schema.get("pattern", "")).startswith("^[0-9a-f]"):
        return "a SHA-256"
    if schema.get("contentEncoding") == "base64":
        return "base64"
    kinds = schema.get("type", "anything")
    return " or ".join(_KINDS.get(each, each) for each in ([kinds] if isinstance(kinds, str) else kinds))


_KINDS = {
    "array": "a list",
    "integer": "a whole number",
    "null": "`null`",
    "object": "an object",
    "string": "a string",
}
