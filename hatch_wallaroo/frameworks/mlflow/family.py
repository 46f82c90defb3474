"""MLflow containers: the bundle is the build context of an image, a tar that an engine takes as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hatch_wallaroo.config.rules import BYOP_PARTS
from hatch_wallaroo.config.spec import ModelSpec, Reference
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.frameworks.base import ARTIFACTS, Family, Inspection, Layout, Planned
from hatch_wallaroo.frameworks.byop.family import gather_generated, inspect_generated
from hatch_wallaroo.frameworks.mlflow import signature
from hatch_wallaroo.frameworks.mlflow.folder import (
    MLFLOW,
    MODEL,
    build_context,
    check_name,
    described,
    image_reference,
    libraries,
    read_model_folder,
)
from hatch_wallaroo.schema.types import Scalar, Schema, element

NO_SCHEMAS = rule(
    "WLR466",
    "an MLflow model without schemas",
    why="The platform asks for both schemas when the model is configured for a pipeline.",
    source="SDK 2023.2.1, model.py: configure: `input_schema is required for mlflow models`",
    level=Level.WARNING,
)
LOADER = "hatch_wallaroo_model"
"""The generated module. It must not be called like a package of the user's."""

_NUMBERS = ("int", "uint", "float", "bool")


class MLflow(Family):
    """A folder of MLflow's, or one made of two functions, with a Dockerfile around it."""

    def plan(self, spec: ModelSpec) -> Planned:
        """The build context: Dockerfile, requirements and the model's folder."""
        planned = _planned_functions(spec) if spec.byop else _planned_folder(spec)
        return Planned(planned.layout, (*planned.findings, *check_name(spec)))

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """What MLmodel tells, or what the two functions are; nothing is loaded."""
        facts: dict[str, Any] = {"image": image_reference(spec), "mlflow": MLFLOW}
        if spec.byop and spec.byop.load and spec.byop.predict:
            below = Layout("zip", ".zip", tuple(as_bundle(spec, layout.entries)))
            inspection = inspect_generated(spec, below, spec.byop.load, spec.byop.predict, typed=False)
            told = {key: value for key, value in inspection.facts.items() if key not in {"module", "code"}}
            return Inspection({**facts, "rows": "records", **told}, inspection.findings)
        description = described(layout.entries)
        if description is None:
            return Inspection(facts)
        says = signature.signature_hints(description, spec.input_schema)
        facts |= {
            "flavors": sorted(str(name) for name in description.flavors if name != "python_function"),
            "saved_by": description.mlflow_version,
            "rows": says.form,
            **{side: signature.display(says.side(side)) for side in ("inputs", "outputs") if says.side(side)},
        }
        return Inspection(facts, tuple(signature.compared(spec, says)))

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Schemas are the table's, else the signature's; without either the model cannot be configured."""
        missing = [
            key
            for key, schema, side in (
                ("input-schema", spec.input_schema, "inputs"),
                ("output-schema", spec.output_schema, "outputs"),
            )
            if schema is None and (side not in facts or signature.UNKNOWN in facts[side].values())
        ]
        if not facts or not missing:
            return ()
        fix = "describe a row, or save the model with a signature (mlflow.models.infer_signature)"
        message = f"there is no {' and no '.join(missing)}, neither in the table nor in a signature"
        return (NO_SCHEMAS.finding(message, fix=fix, place=Place(key=spec.key)),)


def effective_schemas(spec: ModelSpec, entries: Sequence[Entry]) -> tuple[Schema | None, Schema | None]:
    """The schemas that the model is configured with: the table's, else those of the signature in the context."""
    if (spec.input_schema and spec.output_schema) or spec.byop:
        return spec.input_schema, spec.output_schema
    says = signature.signature_hints(described(entries), spec.input_schema)
    return spec.input_schema or says.schema("inputs"), spec.output_schema or says.schema("outputs")


def _planned_folder(spec: ModelSpec) -> Planned:
    folder = read_model_folder(spec)
    if folder.entries is None:
        return Planned(None, folder.findings)
    entries = build_context(spec, folder.entries, folder.requirements)
    return Planned(Layout("tar", ".tar", entries, folder.stripped), folder.findings)


def _planned_functions(spec: ModelSpec) -> Planned:
    byop = spec.byop
    if byop is None or byop.load is None or byop.predict is None:
        message = "an mlflow model is made of byop.load and byop.predict; own classes go with framework custom"
        fix = 'write byop.load and byop.predict, or framework = "custom"'
        return Planned(None, (BYOP_PARTS.finding(message, fix=fix, place=spec.at("byop")),))
    if spec.model:
        message = "a model made of byop.load and byop.predict takes its files from artifacts, not from model"
        fix = f'write artifacts = ["{spec.model}"] instead, or remove byop to serve the folder as it is'
        return Planned(None, (BYOP_PARTS.finding(message, fix=fix, place=spec.at("model")),))
    made, findings, stripped = entries(spec, byop.load, byop.predict)
    if made is None:
        return Planned(None, findings)
    requirements = libraries(spec)
    layout = Layout("tar", ".tar", build_context(spec, made, requirements.text), stripped)
    return Planned(layout, (*findings, *requirements.findings))


def entries(
    spec: ModelSpec, load: Reference, predict: Reference
) -> tuple[tuple[Entry, ...] | None, tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    """The entries below `model/` (None: what is found leaves none), the findings, and what was left out."""
    contents, code = gather_generated(spec, load, predict)
    if code is None:
        return None, tuple(contents.findings), ()
    below = len(f"{spec.name}/")
    made = [Entry(f"{MODEL}/{each.path[below:]}", each.source, each.label) for each in contents.entries.values()]
    made.append(Entry(f"{MODEL}/code/{LOADER}.py", TextSource(_loader(spec, load, predict))))
    made.append(Entry(f"{MODEL}/MLmodel", TextSource(_description(spec))))
    if not any(each.path.startswith(f"{MODEL}/{ARTIFACTS}/") for each in made):
        # MLflow wants the folder, also where the model needs no file but its code.
        made.append(Entry(f"{MODEL}/{ARTIFACTS}/.keep", TextSource("")))
    return tuple(made), tuple(contents.findings), tuple(dict.fromkeys(contents.stripped))


def as_bundle(spec: ModelSpec, build_context: Iterable[Entry]) -> Iterator[Entry]:
    """The user's files of a context where a BYOP bundle has them, for the checks of code."""
    prefix = f"{MODEL}/{ARTIFACTS}/"
    for entry in build_context:
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
