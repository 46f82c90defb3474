"""From a build context to an image that is there, and tried where that was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.image.building import Order, Tell, build
from hatch_wallaroo.image.engine import Engine, engine
from hatch_wallaroo.image.errors import ImageError, NoEngineError
from hatch_wallaroo.image.trial import Trial, run
from hatch_wallaroo.mlflow.context import image_of, reference
from hatch_wallaroo.mlflow.family import effective_schemas

NOT_MADE = rule(
    "WLR626",
    "the image could not be made",
    why="A build leaves the bundle and its image, or what was there before.",
    source="The container engine's answer",
)
FAILED_TRIAL = rule(
    "WLR627",
    "the image does not do what the table says",
    why="What a trial shows here, the platform would show after the registration.",
    source="The key `image.try`",
)

LARGEST_SAMPLE = 64 << 20


def make(spec: ModelSpec, context: Path, sha256: str, tell: Tell) -> tuple[Finding, ...]:
    """Build a model's image from its packed context, and try it if the table says so; what fails is a finding."""
    image = image_of(spec)
    order = Order(context, sha256, reference(spec), image.base, image.platform, image.builder)
    place = spec.at("image")
    try:
        with engine() as reached:
            made = build(reached, order, lambda line: tell(f"{spec.name}: {line}"))
            tell(f"{spec.name}: image {order.reference} ({made.platform})")
            return _tried(spec, reached, order.reference, tell) if image.try_ else ()
    except NoEngineError as error:
        by_hand = replace(order, context=Path("dist") / context.name).by_hand
        fix = f"{error.fix}; or write image.build = false, build, and run:\n{by_hand}"
        return (NOT_MADE.finding(error.message, fix=fix, place=place),)
    except ImageError as error:
        lines = [error.fix, "the last lines were:", *(f"| {line}" for line in error.log)] if error.log else [error.fix]
        return (NOT_MADE.finding(error.message, fix="\n".join(lines), place=place),)


def _tried(spec: ModelSpec, reached: Engine, name: str, tell: Tell) -> tuple[Finding, ...]:
    place = spec.at("image", "try")
    rows = sample_rows(spec.path(spec.sample)) if spec.sample else []
    trial = run(reached, name, rows, effective_schemas(spec)[1])
    tell(f"{spec.name}: {told(trial)}")
    return tuple(
        FAILED_TRIAL.finding(each, fix="mend the model's code, or output-schema", place=place) for each in trial.misfits
    )


def told(trial: Trial) -> str:
    """A trial in a line."""
    answered = f"{trial.rows} rows answered" if trial.rows else "no sample to ask it with"
    return f"tried: up after {trial.started:.1f} s, {answered}, ended {trial.ended:.1f} s after SIGTERM"


def sample_rows(path: Path) -> list[Mapping[str, Any]]:
    """The input rows of a sample: `{"inputs": [row, …]}`. Raises ImageError for a file that is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_SAMPLE + 1)
        made = json.loads(data) if len(data) <= LARGEST_SAMPLE else None
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {error.strerror or error}", "see the key sample") from error
    except (ValueError, RecursionError):
        made = None
    rows = made.get("inputs") if isinstance(made, dict) else None
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise ImageError(f"{path.name} is no sample", 'it holds {"inputs": [{"field": value, …}, …]}')
    return rows
