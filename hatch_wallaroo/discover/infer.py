"""A model's schemas from all that tells of them: its own file, whose header is read, a signature, sample rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.check import inspected
from hatch_wallaroo.bundle.rules import UNREADABLE
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.discover import estimators
from hatch_wallaroo.discover.merge import Together, put_together, weighed
from hatch_wallaroo.discover.sample import Row, Sample, Typed, read_sample, schema_of
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.files.zip_reading import archives_kept_open, open_member, read_directory
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.formats.torch_archive import BROKEN_ZIP
from hatch_wallaroo.frameworks.base import Layout
from hatch_wallaroo.frameworks.mlflow.signature import read_signature
from hatch_wallaroo.frameworks.pretrained.tasks import FieldRule, Task
from hatch_wallaroo.frameworks.saved_models.keras import read_model_config
from hatch_wallaroo.schema.hints import Header, Hint, tensor
from hatch_wallaroo.schema.types import Scalar, Schema
from hatch_wallaroo.text import describe_error, few

Names = tuple[Collection[str], Collection[str]]
"""The names of the fields in a sample's input and output rows."""
Tell = Callable[[ModelSpec, Layout, Mapping[str, Any], Names], Header]

_LARGEST_CONFIG = 16 << 20
_NO_OUTPUTS = "layers do not tell what the model gives: write output-schema by hand, or outputs into the sample"
_TUPLE = re.compile(r"Tuple\[(.*)\]", re.DOTALL)


def read_header(spec: ModelSpec, names: Names = ((), ())) -> Header:
    """What the model of a spec tells. Where its file cannot be read, the findings say why.

    `names`: those of a sample tell which fields that may be left out are wanted.
    """
    kind = spec.framework.family
    if kind == "mlflow":
        return _mlflow(spec)
    if kind == "hugging-face":
        return _task(spec, names)
    tell = _TELLERS.get(kind)
    if tell is None:
        return Header()
    found = inspected(spec)
    if found.plan is None:
        return _keras_archive(spec, found.findings, names) if kind == "keras" else Header(findings=found.findings)
    try:
        with archives_kept_open():
            told = tell(spec, found.plan.layout, found.facts, names)
    except OSError as error:
        message = f"{error.filename or spec.model} cannot be read: {describe_error(error)}"
        return Header(findings=(UNREADABLE.finding(message, fix="make it readable", place=Place(key=spec.key)),))
    return told if told.source else Header(findings=found.findings)


def _mlflow(spec: ModelSpec) -> Header:
    """The signature of the folder, which may have to be brought here from a tracking server first."""
    from hatch_wallaroo.frameworks.mlflow.folder import fetch, is_address

    if not spec.model:
        return Header()
    if not is_address(spec.model):
        return read_signature(spec.path(spec.model), spec.model)
    fetched, findings = fetch(spec, spec.model)
    return read_signature(fetched, spec.model) if fetched else Header(findings=findings)


def _task(spec: ModelSpec, names: Names) -> Header:
    from hatch_wallaroo.frameworks.pretrained.tasks import task_of

    task = task_of(spec.framework)
    return _of_task(task, *names) if task else Header()


def _onnx(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    del spec, names
    if not facts:
        return Header()
    sides = [tuple(_declared(each) for each in facts[side]) for side in ("inputs", "outputs")]
    return Header(f"the header of {layout.entries[0].name}", sides[0] or None, sides[1] or None)


def _declared(told: Mapping[str, Any], *, free: bool = False) -> Hint:
    """A tensor out of the facts; a sequence or a map has no dtype."""
    kind = told.get("kind")
    if kind and kind != "unknown":
        article = "an" if kind[0] in "aeiou" else "a"
        return Hint(told["name"], free=free, untold=f"is {article} {kind}, which no column of a table can hold")
    return tensor(told["name"], told["dtype"], told["shape"], free=free)


def _saved_model(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    from hatch_wallaroo.frameworks.saved_models.tensorflow import graph_entry

    del names
    signatures = facts.get("signatures")
    if not signatures:
        return Header()
    name = "serving_default" if "serving_default" in signatures else min(signatures)
    notes = () if name == "serving_default" else (f"the signature {name} is read, as there is no serving_default",)
    source = f"the signature of {graph_entry(layout).name}"
    sides = [_named(signatures[name][side], free=spec.framework.family == "keras") for side in ("inputs", "outputs")]
    return Header(source, sides[0] or None, sides[1] or None, notes)


def _named(told: list[Mapping[str, Any]], *, free: bool) -> tuple[Hint, ...]:
    """Of Keras's inputs and outputs, one alone may have any name."""
    return tuple(_declared(each, free=free and len(told) == 1) for each in told)


def _keras(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    if layout.form == "zip":
        return _saved_model(spec, layout, facts, names)
    return _keras_inputs(layout.entries[0].name, facts.get("inputs", ()), names)


def _keras_inputs(file: str, told: Sequence[Mapping[str, Any]], names: Names) -> Header:
    """The inputs that a configuration names. What the layers make of them, only a run tells."""
    if not told:
        return Header()
    alone = len(told) == 1
    inputs = tuple(tensor(each["name"], each["dtype"] or "float32", each["shape"], free=alone) for each in told)
    return Header(f"the layers in {file}", inputs, notes=() if names[1] else (_NO_OUTPUTS,))


def _keras_archive(spec: ModelSpec, planned: tuple[Finding, ...], names: Names) -> Header:
    """What a `.keras` file tells, which no release takes: that is said, and no error for who asks for schemas only."""
    path = spec.path(spec.model or "")
    if path.suffix != ".keras" or not is_file(path):
        return Header(findings=planned)
    text = _archived_config(path)
    model = read_model_config(text) if text else None
    told = _keras_inputs(path.name, [each.facts() for each in model.inputs] if model else (), names)
    return replace(told, findings=weighed(planned, known=bool(told.source)))


def _archived_config(path: Path) -> str | None:
    """The member `config.json` of Keras's own zip; None where there is none. Raises OSError."""
    try:
        members = read_directory(path)
    except BROKEN_ZIP:
        return None
    at = next((at for at, each in enumerate(members) if each.filename == "config.json"), None)
    if at is None or members[at].file_size > _LARGEST_CONFIG:
        return None
    with open_member(path, members[at].filename, at, members[at].file_size) as stream:
        return stream.read(_LARGEST_CONFIG).decode("utf-8", "replace")


def _pytorch(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    from hatch_wallaroo.formats.torch_archive import read_torch_file
    from hatch_wallaroo.frameworks.pytorch import only_float32

    del spec
    arguments, returns = facts.get("inputs"), facts.get("returns")
    if arguments is None:
        return Header()
    entry = layout.entries[0]
    with entry.source.open() as stream:
        floats = "float32" if only_float32(read_torch_file(stream, entry.source.size).root) else None
    required = [each for each in arguments if not each["optional"]]
    taken = arguments[: len(names[0])] if len(required) < len(names[0]) <= len(arguments) else required
    inputs = tuple(_numbered("input", (each["type"] for each in taken), floats))
    outputs = tuple(_numbered("output", _parts(returns or ""), floats))
    notes = ("an archive tells how many tensors go in and out, and no shape: only a sample does",)
    weights = ", float32 weights" if floats else ""
    said = ", ".join(f"{each['name']}: {each['type']}" for each in arguments)
    return Header(f"forward({said}) in {entry.name}{weights}", inputs or None, outputs or None, notes)


def _numbered(stem: str, types: Iterable[str], floats: str | None) -> list[Hint]:
    """The names that the platform's runtime goes by."""
    told = list(types)
    untold = [f"is a {each}, of which the number of tensors is not told" for each in told]
    return [
        Hint(
            stem if len(told) == 1 else f"{stem}_{at}",
            floats=floats,
            untold="" if each in {"Tensor", "Optional[Tensor]"} else untold[at - 1],
            guess=f"{floats} is what the model's weights are" if floats else "",
        )
        for at, each in enumerate(told, start=1)
    ]


def _parts(returns: str) -> list[str]:
    """What forward returns, one type each: a tuple's parts."""
    inside = _TUPLE.fullmatch(returns)
    if inside is None:
        return [returns] if returns == "Tensor" else []
    parts = [each.strip() for each in inside[1].split(",")]
    return parts if all(each == "Tensor" for each in parts) else []


def _sklearn(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    from hatch_wallaroo.frameworks.pickled.checks import open_pickle

    del names
    made_by = facts.get("class", "")
    # A model of XGBoost's belongs to another framework, which the check says.
    opened = open_pickle(spec, layout) if made_by and not made_by.startswith("xgboost.") else None
    if opened is None:
        return Header()
    return estimators.sklearn(opened.entry, opened.root, facts.get("features"))


def _xgboost(spec: ModelSpec, layout: Layout, facts: Mapping[str, Any], names: Names) -> Header:
    del spec, names
    if "class" not in facts:
        return Header()
    return estimators.xgboost(layout.entries[0], facts["class"].rpartition(".")[2], facts.get("features"))


_TELLERS: Mapping[str, Tell] = {
    "onnx": _onnx,
    "tensorflow": _saved_model,
    "keras": _keras,
    "pytorch": _pytorch,
    "sklearn": _sklearn,
    "xgboost": _xgboost,
}
"""By family; the others' files tell nothing of schemas."""


def _of_task(task: Task, sent: Collection[str], answered: Collection[str]) -> Header:
    """A task's fields. Those that may be left out are taken where a sample has them, and else named in a note.

    `sent` and `answered` are the names in the sample's rows.
    """
    left = [each.name for each in task.input.values() if each.need == "optional" and each.name not in sent]
    notes = [f"the task also takes {', '.join(left)}; add those that requests will have"] if left else []
    if task.extra:
        notes.append("any further field is handed to the model's generate method")
    if task.unsure:
        notes.append("the guide gives no schemas for this task; these are those of the pipeline")
    return Header(
        f"the guide's schemas for {task.framework}",
        _task_hints(task.input, sent),
        _task_hints(task.output, answered),
        tuple(notes),
    )


def _task_hints(rules: Mapping[str, FieldRule], used: Collection[str]) -> tuple[Hint, ...]:
    return tuple(_task_hint(each) for each in rules.values() if each.need != "optional" or each.name in used)


def _task_hint(rule: FieldRule) -> Hint:
    wanted = rule.shapes[0]
    if wanted.dtype == "any":
        return Hint(rule.name, optional=rule.need == "optional")
    return Hint(rule.name, wanted.dtype, wanted.sizes, optional=rule.need == "optional", varies=rule.varies)


ONE_LIST = frozenset({"sklearn", "xgboost"})
"""Families whose models take all columns as one list."""


@dataclass(frozen=True)
class Inferred:
    """What was inferred of a model; a schema is None where nothing tells it, or `findings` say why not.

    `based_on` names the sources. `guesses` are choices that nothing tells, each with the side and field it is about.
    `notes` say what else is worth knowing.
    """

    input_schema: Schema | None
    output_schema: Schema | None
    based_on: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def infer(spec: ModelSpec, *, rows: Sample | None = None, signature: Path | None = None) -> Inferred:
    """Infer both schemas of a model. Reads headers and the sample; executes and unpickles nothing.

    `rows` stand in the place of the sample that is declared, `signature`, an MLflow model's file or folder, in that of
    the model's own header.
    """
    findings: tuple[Finding, ...] = ()
    if rows is None and spec.sample:
        rows, findings = read_sample(spec.path(spec.sample), spec.sample)
    header = of_signature(signature, spec.framework.family) if signature else read_header(spec, _names(rows))
    inferred = infer_from(header, rows, open_end=_takes_more(spec))
    known = inferred.input_schema is not None and inferred.output_schema is not None
    return replace(inferred, findings=(*weighed(findings, known=known), *inferred.findings))


def of_signature(path: Path, family: str) -> Header:
    """What MLflow's signature tells a framework: all columns in one list where it takes them so."""
    header = read_signature(path, path.name)
    inputs = header.inputs
    if family not in ONE_LIST or not inputs or (len(inputs) == 1 and inputs[0].sizes):
        return header
    one = _packed(inputs)
    if one is None:
        note = f"{family} takes one list of numbers, inputs, and not all of these columns are numbers"
        return replace(header, notes=(*header.notes, note))
    return replace(header, inputs=one)


def _packed(columns: tuple[Hint, ...]) -> tuple[Hint, ...] | None:
    """Columns of numbers as the one field that scikit-learn and XGBoost take; None where they are none."""
    dtypes = [each.whole.name for each in columns if isinstance(each.whole, Scalar)]
    if len(dtypes) != len(columns) or any(not each.startswith(("int", "uint", "float", "bool")) for each in dtypes):
        return None
    dtype = dtypes[0] if len(set(dtypes)) == 1 else "float64"
    names = few((each.name for each in columns), 5)
    return (Hint("inputs", dtype, (len(columns),), guess=f"all columns in one list, in this order: {names}"),)


def infer_from(header: Header, rows: Sample | None, *, open_end: bool = False) -> Inferred:
    """Both schemas from a header and the rows of a sample."""
    file = rows.file if rows else ""
    sent = _typed(rows.inputs, "inputs", file) if rows else None
    answered = _typed(rows.outputs, "outputs", file) if rows else None
    into = put_together("input", header.inputs, sent, file, open_end=open_end)
    out = put_together("output", header.outputs, answered, file)
    return Inferred(
        into.schema,
        out.schema,
        tuple(_sources(header, rows, into, out)),
        (*_guesses("input", into.guesses), *_guesses("output", out.guesses)),
        header.notes,
        (*header.findings, *into.findings, *out.findings),
    )


def _takes_more(spec: ModelSpec) -> bool:
    """Whether the model takes fields that its task does not name."""
    from hatch_wallaroo.frameworks.pretrained.tasks import task_of

    if spec.framework.family != "hugging-face":
        return False
    task = task_of(spec.framework)
    return task is not None and task.extra


def _names(sample: Sample | None) -> Names:
    """The fields in the rows of each side."""
    sides = (sample.inputs, sample.outputs) if sample else ((), ())
    inputs, outputs = (tuple(dict.fromkeys(name for row in rows for name in row.values)) for rows in sides)
    return inputs, outputs


def _typed(rows: Sequence[Row], side: str, file: str) -> Typed | None:
    return schema_of(rows, side, file) if rows else None


def _sources(header: Header, rows: Sample | None, *sides: Together) -> list[str]:
    used = [header.source] if header.source and any(each.from_header for each in sides) else []
    if rows and any(each.from_rows for each in sides):
        count = len(rows.inputs)
        used.append(f"{count} row{'' if count == 1 else 's'} of {rows.file}")
    return used


def _guesses(side: str, told: Sequence[tuple[str, str]]) -> list[str]:
    """One line for each choice, with all the fields that it is about."""
    fields: dict[str, list[str]] = {}
    for name, text in told:
        fields.setdefault(text, []).append(name)
    return [f"{side} {few(names, 5)}: {text}" for text, names in fields.items()]
