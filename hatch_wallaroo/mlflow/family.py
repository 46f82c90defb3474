"""MLflow containers: the bundle is the build context of an image, a tar that an engine takes as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.byop.family import inspect_generated
from hatch_wallaroo.config.rules import BYOP_PARTS
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.deduce.hints import Hint
from hatch_wallaroo.deduce.signature import hints
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.mlmodel import MLmodel
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned
from hatch_wallaroo.mlflow import functions
from hatch_wallaroo.mlflow.context import MLFLOW, context, reference
from hatch_wallaroo.mlflow.folder import read_folder
from hatch_wallaroo.requirements.resolve import requirements_text
from hatch_wallaroo.schema.notation import format_type
from hatch_wallaroo.schema.types import Field, Schema

DISAGREES = rule(
    "WLR465",
    "the schema is not the model's signature",
    why="MLflow holds a request against the signature before the model sees it, and refuses what does not fit.",
    source="MLflow 1.30.0, mlflow.pyfunc: _enforce_schema",
)
NO_SCHEMAS = rule(
    "WLR466",
    "an MLflow model without schemas",
    why="The platform asks for both schemas when the model is configured for a pipeline.",
    source="SDK 2023.2.1, model.py: configure: `input_schema is required for mlflow models`",
    level=Level.WARNING,
)


class MLflow(Family):
    """A folder of MLflow's, or one made of two functions, with a Dockerfile around it."""

    def plan(self, spec: ModelSpec) -> Planned:
        """The build context: Dockerfile, requirements and the model's folder."""
        return _planned_functions(spec) if spec.byop else _planned_folder(spec)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """What MLmodel tells, or what the two functions are; nothing is loaded."""
        facts: dict[str, Any] = {"image": reference(spec), "mlflow": MLFLOW}
        if spec.byop and spec.byop.load and spec.byop.predict:
            below = Layout("zip", ".zip", tuple(functions.as_bundle(spec, layout.entries)))
            inspection = inspect_generated(spec, below, spec.byop.load, spec.byop.predict)
            told = {key: value for key, value in inspection.facts.items() if key not in {"module", "code"}}
            return Inspection({**facts, **told}, inspection.findings)
        description = read_folder(spec).description
        if description is None:
            return Inspection(facts)
        told = {side: _hints(description, side) for side in ("inputs", "outputs")}
        facts |= {
            "flavors": sorted(str(name) for name in description.flavors if name != "python_function"),
            "saved_by": description.mlflow_version,
            **{side: _shown(fields) for side, fields in told.items() if fields},
        }
        return Inspection(facts, tuple(_compared(spec, told)))

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Schemas are the table's, else the signature's; without either the model cannot be configured."""
        missing = [
            key
            for key, schema, side in (
                ("input-schema", spec.input_schema, "inputs"),
                ("output-schema", spec.output_schema, "outputs"),
            )
            if schema is None and side not in facts
        ]
        if not facts or not missing:
            return ()
        fix = "describe a row, or save the model with a signature (mlflow.models.infer_signature)"
        message = f"there is no {' and no '.join(missing)}, neither in the table nor in a signature"
        return (NO_SCHEMAS.finding(message, fix=fix, place=Place(key=spec.key)),)


def effective_schemas(spec: ModelSpec) -> tuple[Schema | None, Schema | None]:
    """The schemas that the model is configured with: the table's, else those of the signature."""
    if (spec.input_schema and spec.output_schema) or spec.byop:
        return spec.input_schema, spec.output_schema
    description = read_folder(spec).description
    inputs, outputs = (
        (_schema(_hints(description, "inputs")), _schema(_hints(description, "outputs")))
        if description
        else (None, None)
    )
    return spec.input_schema or inputs, spec.output_schema or outputs


def _hints(description: MLmodel, side: str) -> tuple[Hint, ...]:
    signature = description.signature
    specs = getattr(signature, side) if signature else None
    return hints(specs, side) if specs else ()


def _schema(fields: tuple[Hint, ...]) -> Schema | None:
    """The signature's fields as a schema; None where one of them has no type that Arrow knows."""
    made = [Field(each.name, each.type, each.optional) for each in fields if each.type is not None]
    return Schema(tuple(made)) if made and len(made) == len(fields) else None


def _planned_folder(spec: ModelSpec) -> Planned:
    folder = read_folder(spec)
    if folder.entries is None:
        return Planned(None, folder.findings)
    entries = context(spec, folder.entries, folder.requirements)
    return Planned(Layout("tar", ".tar", entries, folder.stripped), folder.findings)


def _planned_functions(spec: ModelSpec) -> Planned:
    byop = spec.byop
    if byop is None or byop.load is None or byop.predict is None:
        message = "an mlflow model is made of byop.load and byop.predict; own classes go with framework custom"
        fix = 'write byop.load and byop.predict, or framework = "custom"'
        return Planned(None, (BYOP_PARTS.finding(message, fix=fix, place=spec.at("byop")),))
    made, findings, stripped = functions.entries(spec, byop.load, byop.predict)
    if made is None:
        return Planned(None, findings)
    requirements = requirements_text(spec)
    layout = Layout("tar", ".tar", context(spec, made, requirements.text), stripped)
    return Planned(layout, (*findings, *requirements.findings))


def _shown(fields: tuple[Hint, ...]) -> dict[str, str]:
    return {each.name: format_type(each.type) if each.type else "unknown" for each in fields}


def _compared(spec: ModelSpec, told: Mapping[str, tuple[Hint, ...]]) -> list[Finding]:
    """The table's schemas against the signature's: names, where it has some, and types."""
    findings = []
    for key, declared, side in (
        ("input-schema", spec.input_schema, "inputs"),
        ("output-schema", spec.output_schema, "outputs"),
    ):
        fields = told[side]
        if declared is None or not fields or _fits(declared, fields):
            continue
        says = ", ".join(f"{name} = {type_}" for name, type_ in _shown(fields).items())
        findings.append(
            DISAGREES.finding(
                f"the model's signature says {says}",
                fix="write the schema as the signature has it, or remove it: then the signature's is taken",
                place=spec.at(key),
                # Answers are not enforced by MLflow 1.30.0: they are what the model gives.
                level=Level.ERROR if side == "inputs" else Level.WARNING,
            )
        )
    return findings


def _fits(declared: Schema, fields: tuple[Hint, ...]) -> bool:
    if len(declared.fields) != len(fields):
        return False
    if len(fields) == 1 and fields[0].free:
        return fields[0].type in {None, declared.fields[0].type}
    ours = {field.name: field.type for field in declared.fields}
    return all(each.name in ours and each.type in {None, ours[each.name]} for each in fields)
