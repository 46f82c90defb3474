"""The rules for an ONNX graph's inputs and outputs: tensors, one row of output for each row of input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.onnx import Header, Value
from hatch_wallaroo.frameworks.tensors import written
from hatch_wallaroo.text import few

NOT_A_TENSOR = rule(
    "WLR305",
    "inputs and outputs are tensors",
    why="Rows come and go as table columns; a sequence, a map or an optional value has no place there.",
    source="Upload guide, ONNX: All Inputs Are Tensors; Equal Rows Constraint",
)
ROWS = rule(
    "WLR306",
    "one row of output for each row of input",
    why="An inference is a batch: the first dimension of every input and output counts its rows, and must be free.",
    source="Upload guide, ONNX: Equal Rows Constraint",
)
EMPTY = rule(
    "WLR309",
    "a graph without inputs or outputs",
    why="There is nothing that a row could be sent to, or read from.",
    source="Upload guide, ONNX: Equal Rows Constraint",
)
DTYPE = rule(
    "WLR310",
    "a data type that tables do not have",
    why="Inference data is sent as Arrow tables, whose columns know no such type.",
    source="The Arrow columnar format; upload guide, ONNX: Data Type Consistency",
    level=Level.WARNING,
)

_COLUMN_TYPES = {
    *("float16", "float32", "float64", "string", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
}


def check_graph(entry: Entry, header: Header) -> Iterator[Finding]:
    """Judge what the main graph takes and gives."""
    place = Place(file=entry.name)
    if header.complete:
        for what, values in (("inputs", header.inputs), ("outputs", header.outputs)):
            if not values:
                yield EMPTY.finding(
                    f"the graph of {entry.name} has no {what}",
                    fix="export the model anew; weights that are inputs must not be its only ones",
                    place=place,
                )
    yield from _check_types("input", header.inputs, header, place)
    yield from _check_types("output", header.outputs, header, place)
    yield from _check_rows(header.inputs, header.outputs, place)


def _check_types(what: str, values: Iterable[Value], header: Header, place: Place) -> Iterator[Finding]:
    for value in values:
        if value.kind != "tensor":
            if value.kind == "unknown" and what == "output":
                continue  # the runtime infers it
            said = "has no type" if value.kind == "unknown" else f"is {_with_article(value.kind)}, not a tensor"
            yield NOT_A_TENSOR.finding(f"{what} {value.name} {said}", fix=_tensor_fix(what, value, header), place=place)
        elif value.dtype is None:
            yield NOT_A_TENSOR.finding(
                f"{what} {value.name} names no data type",
                fix="export the model anew, with example data of the right type",
                place=place,
            )
        elif value.dtype not in _COLUMN_TYPES:
            yield DTYPE.finding(
                f"{what} {value.name} is {value.dtype}, which no column of a table can hold",
                fix=f"add a Cast to float32 {'after the input' if what == 'input' else 'before the output'}",
                place=place,
            )


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _tensor_fix(what: str, value: Value, header: Header) -> str:
    if what == "output" and value.kind in {"sequence", "map"} and "ai.onnx.ml" in header.opsets:
        return "convert_sklearn(model, ..., options={id(model): {'zipmap': False}}) gives probabilities as a tensor"
    return 'change the model so that it takes and gives tensors only, or package it as framework = "custom"'


def _rows(value: Value) -> int | str | None:
    return value.shape[0] if value.shape else None


def _check_rows(inputs: Sequence[Value], outputs: Sequence[Value], place: Place) -> Iterator[Finding]:
    """Errors where the graph's own shapes contradict the rule, warnings where they merely forbid other batches."""
    for value in inputs:
        if value.shape == ():
            yield ROWS.finding(
                f"input {value.name} is a single value: its shape has no dimension for rows",
                fix="give it a first dimension for the rows, or make it a constant of the model",
                place=place,
            )
    for value in outputs:
        if value.shape == ():
            yield ROWS.finding(
                f"output {value.name} is declared as a single value, so it cannot have one row for each row of input",
                fix="export the model so that it gives one result for each row",
                place=place,
                level=Level.WARNING,
            )
    fixed = [each for each in inputs if isinstance(_rows(each), int)]
    sizes = {_rows(each) for each in fixed}
    if len(sizes) > 1:
        yield ROWS.finding(
            f"inputs have different numbers of rows: {_listed(fixed)}",
            fix="the first dimension of every input counts the rows of a request: export with a free first dimension",
            place=place,
        )
    elif fixed:
        yield ROWS.finding(
            f"the number of rows is fixed: {_listed(fixed)}; requests with more or fewer than {_rows(fixed[0])} fail",
            fix=_free_rows(fixed),
            place=place,
            level=Level.WARNING,
        )
    yield from _check_output_rows(inputs, outputs, sizes, place)


def _check_output_rows(
    inputs: Sequence[Value], outputs: Sequence[Value], sizes: set[int | str | None], place: Place
) -> Iterator[Finding]:
    inputs = [each for each in inputs if each.shape != ()]  # what is told already
    known = all(each.shape for each in inputs) and bool(inputs)
    all_fixed = known and all(isinstance(_rows(each), int) for each in inputs) and len(sizes) == 1
    firsts = {_rows(each) for each in inputs}
    others = {size for each in inputs for size in (each.shape or ())[1:] if isinstance(size, str)} - firsts
    for value in outputs:
        rows = _rows(value)
        if isinstance(rows, int) and all_fixed and rows not in sizes:
            yield ROWS.finding(
                f"output {value.name} has {rows} rows {written(value.shape)} for {next(iter(sizes))} of input "
                f"({_listed(inputs)})",
                fix="reshape it so that its first dimension is the input's, e.g. [1, 100, 4] instead of [100, 4]",
                place=place,
            )
        elif isinstance(rows, int) and known and not sizes:
            yield ROWS.finding(
                f"output {value.name} is declared with {rows} rows {written(value.shape)}, however many come in",
                fix="the first dimension of an output counts the rows: give it the input's, e.g. with dynamic_axes",
                place=place,
                level=Level.WARNING,
            )
        elif isinstance(rows, str) and rows in others:
            yield ROWS.finding(
                f"the first dimension of output {value.name} {written(value.shape)} is {rows}, "
                f"which is not the first of the inputs ({_listed(inputs)}): are its rows elsewhere?",
                fix="transpose the output so that its rows come first",
                place=place,
                level=Level.WARNING,
            )


def _listed(values: Iterable[Value]) -> str:
    return few((f"{each.name} {written(each.shape)}" for each in values), 5, counted=True)


def _free_rows(values: Sequence[Value]) -> str:
    axes = ", ".join(f'"{each.name}": {{0: "rows"}}' for each in values[:5])
    return (
        f"torch.onnx.export(..., dynamic_axes={{{axes}}}), outputs likewise, or your exporter's own way; "
        'for single rows only: model.configure(batch_config="single") on the platform'
    )
