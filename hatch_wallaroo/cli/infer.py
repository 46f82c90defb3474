"""`hatch-wallaroo infer`: one question for a model that `serve` keeps up, or that is started for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.cli.serve import TOKEN
from hatch_wallaroo.cli.subjects import (
    How,
    data_option,
    ended_by_sigterm,
    failed,
    is_bundle,
    pipeline,
    read,
    run_options,
    samples,
    started,
    steps_option,
    subjects,
    wanted_or_steps,
)
from hatch_wallaroo.console import CommandError, misused, say_json, tell
from hatch_wallaroo.exit_codes import AUTHENTICATION, CONFIGURATION, CONNECTION, FAILED, OK
from hatch_wallaroo.text import describe_error, one_line

if TYPE_CHECKING:
    import pyarrow as pa

    from hatch_wallaroo.preflight.asking import Server
    from hatch_wallaroo.preflight.preparing import Options
    from hatch_wallaroo.preflight.rows import Rows

_EPILOG = f"""\b
Examples:
    hatch-wallaroo infer --data rows.json
    hatch-wallaroo infer fraud --data rows.parquet --output answers.parquet
    hatch-wallaroo infer dist/fraud-1.0.0.zip

It asks what hatch-wallaroo serve keeps up for this project; where nothing is, the model is started for this one
question. With --url, the token of another serve comes from {TOKEN}. The exit code is 1 where the model gave no answer,
2 where the rows do not fit.
"""


@click.command(epilog=_EPILOG)
@click.argument("model", required=False, metavar="[MODEL | BUNDLE]")
@project_option
@data_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the answer in a file: .json, .jsonl, .csv, .parquet or .arrow.",
)
@click.option("--url", metavar="ADDRESS", help="The address that serve printed.")
@steps_option
@run_options
@json_option
def infer(
    model: str | None,
    project: Path,
    data: Path | None,
    output: Path | None,
    url: str | None,
    steps: tuple[str, ...],
    how: How,
    as_json: bool,
) -> int:
    """Ask a model on this machine, and show its answer as the platform's pipelines give it."""
    wanted = wanted_or_steps([model] if model else [], steps)
    if url and (steps or (model and is_bundle(model))):
        raise misused("--url asks what is up already", "name a model that is served there, or leave out --url")
    _check_output(output)
    rows = read(data) if data else None
    if rows is not None and not rows.inputs:
        raise misused(f"{rows.source} holds no rows")
    with ended_by_sigterm():
        server = None if steps else _server(url, model, project)
        if server is not None:
            answer = _asked(server, model, rows, project)
        else:
            answer = _once(wanted, steps, project, how.options(), rows)
    if output is not None:
        from hatch_wallaroo.preflight.answers import write

        try:
            write(answer, output)
        except OSError as error:
            raise CommandError(f"{output}: {describe_error(error)}") from error
        tell(f"{answer.num_rows:,} row{'' if answer.num_rows == 1 else 's'} in {one_line(str(output))}")
    if as_json:
        from hatch_wallaroo.preflight.pipeline import records

        say_json({"format": 1, "answers": records(answer)})
    elif output is None:
        from hatch_wallaroo.cli.reports.answers import show

        show(answer)
    return OK


def _check_output(output: Path | None) -> None:
    """Refuse a file that could not be written, before anything is asked."""
    if output is None:
        return
    from hatch_wallaroo.preflight.answers import ENDINGS

    if output.suffix.lower() not in ENDINGS:
        raise misused(f"{output.name}: no ending that tells how it is written", f"one of {', '.join(ENDINGS)}")
    if not output.parent.is_dir():
        raise misused(f"there is no folder {output.parent}", "make it first")


def _server(url: str | None, model: str | None, project: Path) -> Server | None:
    """What is up: at the address, or for this project with this model; None where nothing is."""
    from hatch_wallaroo.preflight.announcement import serving
    from hatch_wallaroo.preflight.asking import AddressError, NotReachedError, RefusedError, find, split

    found = serving()
    if url is None:
        if model is not None and is_bundle(model):
            return None
        here = os.path.realpath(project)
        for each in found:
            if each.project == here and (model is None or _named(model, each.names)):
                with contextlib.suppress(NotReachedError, RefusedError, AddressError):
                    return find(each.url, each.token)
        return None
    try:
        host, port = split(url)
        known = (each.token for each in found if split(each.url)[1] == port)
        token = next(known, None) or os.environ.get(TOKEN, "")
        if not token:
            raise misused(f"nothing of this user's is served at {one_line(url)}", f"set {TOKEN} to its token")
        return find(f"http://{host}:{port}", token)
    except AddressError as error:
        raise misused(f"{one_line(url)} {error}") from error
    except NotReachedError as error:
        raise CommandError(f"{one_line(url)}: {error}", "start hatch-wallaroo serve", CONNECTION) from error
    except RefusedError as error:
        raise _refused(error) from error


def _named(model: str, names: Sequence[str]) -> str | None:
    """The name that a model is served by."""
    from hatch_wallaroo.config.model_name import in_platforms_form

    return next((each for each in (model, in_platforms_form(model)) if each in names), None)


def _asked(server: Server, model: str | None, rows: Rows | None, project: Path) -> pa.Table:
    """The answer of a model that is up."""
    from hatch_wallaroo.preflight.asking import NotReachedError, RefusedError, ask
    from hatch_wallaroo.preflight.rows import RowsError

    known = f"there is {', '.join(map(one_line, server.names))}"
    name = server.default if model is None else _named(model, tuple(server.names))
    if name is None:
        if model is None:
            raise misused("several models are served, and they are no pipeline", f"name one of them: {known}")
        raise misused(f"nothing called {one_line(model)} is served", known)
    if rows is None:
        sample = samples(project).get(server.names[name][0])
        rows = read(sample) if sample else None
    if rows is None or not rows.inputs:
        raise misused("there are no rows to ask for", "give --data FILE")
    try:
        return ask(server, name, rows.inputs, rows.source)
    except RowsError as error:
        raise misused(str(error), error.fix) from error
    except RefusedError as error:
        raise _refused(error) from error
    except NotReachedError as error:
        raise CommandError(f"no answer came: {error}", "see what serve says", CONNECTION) from error


def _refused(error: Any) -> CommandError:
    codes = {400: CONFIGURATION, 401: AUTHENTICATION}
    return CommandError(str(error), "", codes.get(error.status, FAILED))


def _once(wanted: Sequence[str], steps: Sequence[str], project: Path, options: Options, rows: Rows | None) -> pa.Table:
    """The answer of models that are started for it, and ended."""
    from hatch_wallaroo.preflight.folders import private_folder
    from hatch_wallaroo.preflight.lineup import Lineup
    from hatch_wallaroo.preflight.pipeline import FitError, StepError, table
    from hatch_wallaroo.preflight.rows import RowsError, to_batch

    with private_folder() as folder, contextlib.ExitStack() as ending:
        found = subjects(wanted, project, folder)
        order = pipeline(found, steps)
        if len(found) > 1 and not order:
            names = ", ".join(one_line(each.name) for each in found)
            raise misused("the project's models are no pipeline: their schemas say so", f"name one of them: {names}")
        first = next(each for each in found if each.name == (order or (found[0].name,))[0])
        rows = rows or first.rows
        if rows is None or not rows.inputs:
            raise misused("there are no rows to ask for", "give --data FILE")
        try:
            batch = to_batch(rows.inputs, first.input_schema, rows.source)
        except RowsError as error:
            raise misused(str(error), error.fix) from error
        models = [ending.enter_context(started(each, options)) for each in found]
        lineup = Lineup(models, order)
        try:
            passed = lineup.ask(lineup.default or found[0].name, batch)
        except StepError as error:
            if isinstance(error.cause, FitError):
                raise CommandError(str(error), error.fix) from error
            raise failed(one_line(error.step), error.cause) from error
        return table(passed, anomalies=first.release.api.anomaly_count)
