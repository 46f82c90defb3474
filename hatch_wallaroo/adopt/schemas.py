"""The schemas of a model that was found, as far as its file or a sample tells them."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_wallaroo.adopt.candidates import Candidate, Ground
from hatch_wallaroo.schema.types import Schema


@dataclass(frozen=True)
class Schemas:
    """`wanted`: whether the framework takes schemas at all; each is None where nothing tells it."""

    wanted: bool
    inputs: Schema | None = None
    outputs: Schema | None = None
    notes: tuple[str, ...] = ()


def propose_schemas(candidate: Candidate, ground: Ground, sample: str | None = None) -> Schemas:
    """What is known of a candidate's schemas for its framework; headers and the sample are read, nothing is run."""
    from hatch_wallaroo.deduce.infer import infer

    keys = {"sample": sample} if sample else {}
    spec = ground.spec(candidate.framework, candidate.path, **candidate.table, **keys)
    if spec is None or spec.framework.schemas == "none":
        return Schemas(wanted=False)
    found = infer(spec)
    notes = (*found.guesses, *found.notes)
    return Schemas(spec.framework.schemas == "required", found.input_schema, found.output_schema, notes)
