"""`hatch-wallaroo try`: the image of a built MLflow model, started and asked for the sample's rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.connection import platform_errors
from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.console import CommandError, misused, say, say_json, tell
from hatch_wallaroo.exit_codes import FAILED

if TYPE_CHECKING:
    from hatch_wallaroo.image.trial import Trial
    from hatch_wallaroo.platform.packages import Package

_EPILOG = """\b
Examples:
    hatch-wallaroo try
    hatch-wallaroo try dist/flower-clusters-1.0.0.tar --sample sample.json
"""


@click.command("try", epilog=_EPILOG)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--sample", type=click.Path(dir_okay=False, path_type=Path), help='A JSON file of rows: {"inputs": [row, ...]}.'
)
@project_option
@json_option
def try_(files: tuple[str, ...], sample: Path | None, project: Path, as_json: bool) -> None:
    """Start the image of a built mlflow model, ask it for the sample's rows, and end it.

    It is built first where the engine has no image of this very build. The container is always removed. Without FILE it
    is every image in dist/; the sample is the one that the table names.
    """
    from hatch_wallaroo.platform.packages import find, read_all

    with platform_errors():
        packages, unreadable = read_all(find(files, root=project))
    images = [package for package in packages if package.is_image]
    for _, error in unreadable if files or not images else ():
        raise misused(error.message, error.fix) from error
    if not images:
        raise misused("none of the bundles is a container image", 'only models with framework = "mlflow" are one')
    results = [(package, _tried(package, _rows(package, sample, project))) for package in images]
    if as_json:
        say_json({"format": 1, "trials": [_as_json(package, trial) for package, trial in results]})
    for package, trial in results if not as_json else ():
        _tell(package, trial)
    failed = [package.name for package, trial in results if not trial.passed]
    if failed:
        raise CommandError(f"{', '.join(failed)}: the answers are not what the output schema says", code=FAILED)


def _tried(package: Package, rows: list[Mapping[str, Any]]) -> Trial:
    from hatch_wallaroo.image.building import build, form, is_current
    from hatch_wallaroo.image.engine import ImageError, engine
    from hatch_wallaroo.image.trial import run
    from hatch_wallaroo.platform.sending import order_of
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode

    encoded = package.manifest.get("config", {}).get("output_schema")
    try:
        outputs = decode(encoded) if encoded else None
        with platform_errors():
            package.verify()
            order = order_of(package)
        with engine() as reached:
            if not is_current(reached.find(order.reference), order):
                with reached.renaming(order.reference):
                    build(reached, order, lambda line: tell(f"{package.name}: {line}"))
            return run(reached, order.reference, rows, outputs, form(package.manifest.get("facts")))
    except SchemaDecodeError as error:
        raise misused(f"{package.path.name}: {error}", "build it again") from error
    except ImageError as error:
        lines = [error.message, *(f"| {line}" for line in error.log)]
        raise CommandError(f"{package.name}: " + "\n".join(lines), error.fix) from error


def _rows(package: Package, sample: Path | None, project: Path) -> list[Mapping[str, Any]]:
    """The rows of `--sample`, else of the sample that the table names, else none."""
    from hatch_wallaroo.image.building import sample_rows
    from hatch_wallaroo.image.engine import ImageError
    from hatch_wallaroo.project.repository import read_repository

    if sample is None:
        specs = read_repository(project).reading.specs
        sample = next((spec.path(spec.sample) for spec in specs if spec.name == package.name and spec.sample), None)
    if sample is None:
        return []
    try:
        return sample_rows(sample)
    except ImageError as error:
        raise misused(error.message, error.fix) from error


def _tell(package: Package, trial: Trial) -> None:
    from hatch_wallaroo.image.building import told

    say(f"{package.name}: {told(trial)}")
    for each in trial.misfits:
        say(f"    {each}")


def _as_json(package: Package, trial: Trial) -> dict[str, Any]:
    return {
        "model": package.name,
        "image": package.manifest["image"]["reference"],
        "started_seconds": round(trial.started, 3),
        "ended_seconds": round(trial.ended, 3),
        "rows": trial.rows,
        "misfits": list(trial.misfits),
        "passed": trial.passed,
    }
