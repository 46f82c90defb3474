"""From a build context to an image that is there, and tried where that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.frameworks.mlflow.build_context import image_of, image_reference
from hatch_wallaroo.frameworks.mlflow.family import effective_schemas
from hatch_wallaroo.frameworks.mlflow.signature import RowForm
from hatch_wallaroo.image.building import Order, Tell, build
from hatch_wallaroo.image.engine import Engine, engine
from hatch_wallaroo.image.errors import ImageError, NoEngineError
from hatch_wallaroo.image.trial import Trial, run
from hatch_wallaroo.text import describe_error

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


class _UnfitError(Exception):
    """A trial that failed; `findings` say where."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__()
        self.findings = findings


def make(checked: Checked, context: Path, sha256: str, shown: str, tell: Tell) -> tuple[Finding, ...]:
    """Build a model's image from its packed context, and try it if the table says so; what fails is a finding.

    `shown` is the path that the context will have, for the commands that are told. Where something fails, the image's
    name stands for what it stood for before.
    """
    spec = checked.spec
    image = image_of(spec)
    order = Order(context, sha256, image_reference(spec), image.base, image.platform, image.builder)
    place = spec.at("image")
    try:
        rows = sample_rows(spec.path(spec.sample)) if image.try_ and spec.sample else []
        with engine() as reached, reached.renaming(order.reference):
            made = build(reached, order, lambda line: tell(f"{spec.name}: {line}"))
            tell(f"{spec.name}: image {order.reference} ({made.platform})")
            if image.try_:
                _try(checked, reached, order.reference, rows, tell)
    except _UnfitError as error:
        return error.findings
    except NoEngineError as error:
        fix = f"{error.fix}; or write image.build = false, build, and run:\n{order.by_hand(shown)}"
        return (NOT_MADE.finding(error.message, fix=fix, place=place),)
    except ImageError as error:
        lines = [error.fix, "the last lines were:", *(f"| {line}" for line in error.log)] if error.log else [error.fix]
        return (NOT_MADE.finding(error.message, fix="\n".join(filter(None, lines)), place=place),)
    return ()


def _try(checked: Checked, reached: Engine, name: str, rows: list[Mapping[str, Any]], tell: Tell) -> None:
    """Raises _UnfitError where the answers are not what the schema says."""
    spec = checked.spec
    entries = checked.plan.layout.entries if checked.plan else ()
    trial = run(reached, name, rows, effective_schemas(spec, entries)[1], form(checked.facts))
    tell(f"{spec.name}: {told(trial)}")
    if trial.misfits:
        place, fix = spec.at("image", "try"), "mend the model's code, or output-schema"
        raise _UnfitError(tuple(FAILED_TRIAL.finding(each, fix=fix, place=place) for each in trial.misfits))


def form(facts: Any) -> RowForm:
    """How the model takes rows, from what the manifest says of it."""
    told = facts.get("rows") if isinstance(facts, Mapping) else None
    return cast("RowForm", told) if told in get_args(RowForm) else "records"


def told(trial: Trial) -> str:
    """A trial in a line."""
    answered = f"{trial.rows} row{'s' if trial.rows > 1 else ''} answered" if trial.rows else "no sample to ask it with"
    return f"tried: up after {trial.started:.1f} s, {answered}, ended {trial.ended:.1f} s after SIGTERM"


def sample_rows(path: Path) -> list[Mapping[str, Any]]:
    """The input rows of a sample: `{"inputs": [row, …]}`. Raises ImageError for a file that is none."""
    try:
        with path.open("rb") as stream:
            rows = read_object(stream, LARGEST_SAMPLE).get("inputs")
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {describe_error(error)}", "see the key sample") from error
    except JsonError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise ImageError(f"{path.name} is no sample", 'it holds {"inputs": [{"field": value, …}, …]}')
    return rows
