"""A manifest against the bundle beside it, and rows of a sample against what a model takes."""

from __future__ import annotations

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema

import hatch_wallaroo.bundle
from hatch_wallaroo.schema.arrow import decode
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Type

SCHEMA = json.loads((Path(hatch_wallaroo.bundle.__file__).parent / "manifest.schema.json").read_text())
_PYTHON = (("string", str), ("bool", bool), ("int", int), ("uint", int), ("float", (int, float)))


def load_checked(path: Path) -> dict[str, Any]:
    """A manifest that its JSON Schema accepts, and whose digests and sizes are those of the bundle beside it."""
    manifest = json.loads(path.read_bytes())
    jsonschema.validate(manifest, SCHEMA)
    bundle = path.with_name(manifest["file"]["name"])
    data = bundle.read_bytes()
    assert (len(data), _digest(data)) == (manifest["file"]["size"], manifest["file"]["sha256"])
    told = [(each["path"], each["size"], each["sha256"]) for each in manifest["contents"]]
    assert told == sorted(_contents(bundle), key=lambda each: each[0].encode())
    return manifest


def _contents(bundle: Path) -> Iterator[tuple[str, int, str]]:
    if bundle.suffix == ".zip":
        with zipfile.ZipFile(bundle) as archive:
            assert archive.testzip() is None
            members = [(each.filename, archive.read(each)) for each in archive.infolist()]
    elif bundle.suffix == ".tar":
        with tarfile.open(bundle) as archive:
            members = [(each.name, archive.extractfile(each).read()) for each in archive]
    else:
        (name,) = [each["path"] for each in json.loads(_manifest_of(bundle).read_bytes())["contents"]]
        members = [(name, bundle.read_bytes())]
    for name, data in members:
        yield name, len(data), _digest(data)


def _manifest_of(bundle: Path) -> Path:
    return bundle.with_name(f"{bundle.name.removesuffix(bundle.suffix)}.wallaroo.json")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def misfits(rows: Sequence[dict[str, Any]], manifest: dict[str, Any], side: str) -> list[str]:
    """Where rows (`inputs` or `outputs` of a sample) are not what the schema, or else the model's header, says."""
    declared = {**manifest["upload"], **manifest.get("config", {})}
    encoded = declared.get(f"{side.removesuffix('s')}_schema")
    if encoded:
        schema = decode(encoded)
        allowed, wanted = set(schema.names), {each.name for each in schema.fields if not _optional(each)}
        types = {each.name: each.type for each in schema.fields}
    elif side in manifest["facts"]:
        types = {each["name"]: _tensor(each) for each in manifest["facts"][side]}
        allowed = wanted = set(types)
    else:
        return []
    problems = [] if rows else ["no rows"]
    for number, row in enumerate(rows):
        if not wanted <= set(row) <= allowed:
            problems.append(f"row {number} has {sorted(row)}, not {sorted(wanted)}")
        problems += [f"row {number}: {name}" for name in row if name in types and not _fits(row[name], types[name])]
    return problems


def _optional(field: Field) -> bool:
    return field.optional


def _tensor(fact: dict[str, Any]) -> Type:
    """What one row holds of a tensor in a header: its shape without the first dimension, the rows."""
    made: Type = Scalar(fact["dtype"])
    for size in reversed(fact["shape"][1:]):
        made = ListOf(made, size if isinstance(size, int) else None)
    return made


def _fits(value: Any, type_: Type) -> bool:
    if isinstance(type_, ListOf):
        if not isinstance(value, list) or type_.size not in {None, len(value)}:
            return False
        return all(_fits(each, type_.item) for each in value)
    assert isinstance(type_, Scalar), f"samples of {type_} are not looked into"
    kinds = next(kinds for name, kinds in _PYTHON if type_.name.startswith(name))
    return isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))
