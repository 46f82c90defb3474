"""An MLflow model made of two functions, `byop.load` and `byop.predict`: a folder that MLflow 1.30.0 loads.

MLflow imports a `loader_module` from the folder's `code/` and gives it the folder `artifacts/`: nothing is pickled, so
that the same project makes the same folder on every machine. The folder has no signature: MLflow would hold a column of
arrays against it before it makes an array of the column, and refuse every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop.family import gather_generated
from hatch_wallaroo.frameworks.byop.layout import ARTIFACTS
from hatch_wallaroo.mlflow.context import MLFLOW, MODEL
from hatch_wallaroo.schema.types import Scalar, Schema, element

LOADER = "hatch_wallaroo_model"
"""The generated module. It must not be called like a package of the user's."""

_NUMBERS = ("int", "uint", "float", "bool")


def entries(
    spec: ModelSpec, load: Reference, predict: Reference
) -> tuple[tuple[Entry, ...] | None, tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    """The entries below `model/` (None: what is found leaves none), the findings, and what was left out."""
    gathered = gather_generated(spec, load, predict)
    if gathered.contents is None:
        return None, gathered.findings, ()
    contents = gathered.contents
    below = len(f"{spec.name}/")
    made = [Entry(f"{MODEL}/{each.path[below:]}", each.source, each.label) for each in contents.entries.values()]
    made.append(Entry(f"{MODEL}/code/{LOADER}.py", TextSource(_loader(spec, load, predict))))
    made.append(Entry(f"{MODEL}/MLmodel", TextSource(_description(spec))))
    if not any(each.path.startswith(f"{MODEL}/{ARTIFACTS}/") for each in made):
        # MLflow wants the folder, also where the model needs no file but its code.
        made.append(Entry(f"{MODEL}/{ARTIFACTS}/.keep", TextSource("")))
    return tuple(made), gathered.findings, tuple(dict.fromkeys(contents.stripped))


def as_bundle(spec: ModelSpec, context: Iterable[Entry]) -> Iterator[Entry]:
    """The user's files of a context where a BYOP bundle has them, for the checks of code."""
    prefix = f"{MODEL}/{ARTIFACTS}/"
    for entry in context:
        if entry.path.startswith(prefix):
            yield Entry(f"{spec.name}/{entry.path[len(MODEL) + 1 :]}", entry.source, entry.label)


def _loader(spec: ModelSpec, load: Reference, predict: Reference) -> str:
    from hatch_wallaroo import templates

    values = {"load": load, "predict": predict, "dtypes": _dtypes(spec.input_schema)}
    return templates.render("image", "model.py.jinja", values)


def _description(spec: ModelSpec) -> str:
    from hatch_wallaroo import templates

    values = {"loader": LOADER, "python": spec.release.python, "mlflow": MLFLOW}
    return templates.render("image", "MLmodel.jinja", values)


def _dtypes(schema: Schema | None) -> dict[str, str]:
    """NumPy's name for the numbers of each field; other values are left to NumPy."""
    made = {}
    for field in schema.fields if schema else ():
        inner = element(field.type)
        if isinstance(inner, Scalar) and inner.name.startswith(_NUMBERS):
            made[field.name] = inner.name
    return made
