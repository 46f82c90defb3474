"""What a pipeline's definition asks for: its steps, each a model version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.sandbox.store import Store, StoredVersion

_MODEL = "ModelInference"


class StepsError(Exception):
    """Steps that the sandbox does not run; the message says which, and why."""


def models_of(definition: Mapping[str, Any], store: Store) -> list[StoredVersion]:
    """The versions that a definition names and the store has, in the steps' order."""
    found = (store.version_named(name, version) for name, version in _named(definition))
    return [each for each in found if each]


def steps_of(definition: Mapping[str, Any], store: Store) -> list[StoredVersion]:
    """The version of each step. Raises StepsError where a step is none of one model that is here."""
    steps = definition.get("steps")
    if not isinstance(steps, list) or not steps:
        raise StepsError("the pipeline has no steps")
    versions = []
    for number, step in enumerate(steps, 1):
        kind = next(iter(step), "nothing") if isinstance(step, dict) else "nothing"
        named = list(_named({"steps": [step]}))
        if kind != _MODEL or len(named) != 1:
            what = f"{len(named)} models" if kind == _MODEL else str(kind)[:60]
            raise StepsError(f"step {number} is {what}, and the sandbox runs steps of one model each")
        name, version = named[0]
        found = store.version_named(name, version)
        if found is None:
            raise StepsError(f"step {number}: there is no version {version[:60]} of a model {name[:80]}")
        versions.append(found)
    return versions


def _named(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and version of each model in a definition, whatever else stands there."""
    steps = definition.get("steps")
    for step in steps if isinstance(steps, list) else ():
        inference = step.get(_MODEL) if isinstance(step, dict) else None
        models = inference.get("models") if isinstance(inference, dict) else None
        for each in models if isinstance(models, list) else ():
            if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("version"), str):
                yield each["name"], each["version"]
