"""ONNX: one bare `.onnx` file, its versions and form against the release; tensors in and out, a row for each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files import collect
from hatch_wallaroo.files.sources import Entry, FileSource, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.onnx import OnnxHeader, OnnxValue, read_onnx_header
from hatch_wallaroo.formats.protobuf import MessageCutOffError, ProtobufError
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, begins_as, declared_model, is_folder
from hatch_wallaroo.frameworks.tensors import Tensor, written
from hatch_wallaroo.text import describe_error, few

FORM = rule(
    "WLR300",
    "an ONNX model is one .onnx file",
    why="The platform runs the uploaded file as it is: it unpacks nothing and reads no other format.",
    source="Upload guide, ONNX: Supported File Types; SDK 2023.2.1 to 2026.1.3 upload the file itself",
)
UNREADABLE = rule(
    "WLR301",
    "not an ONNX model",
    why="A download that was cut short or answered with a web page uploads well and never loads.",
    source="onnx.proto: ModelProto",
)
VERSIONS = rule(
    "WLR302",
    "newer than the platform's ONNX runtime",
    why="An ONNX runtime refuses models whose IR version or operator sets are newer than its own.",
    source="Upload guide, ONNX: table of supported versions; ONNX Runtime: Unsupported model IR version",
)
DOMAIN = rule(
    "WLR303",
    "operators of another domain",
    why="Operators outside of ai.onnx and ai.onnx.ml exist only where the runtime was built with them.",
    source="Upload guide, ONNX: only the two standard operator sets have a supported version",
    level=Level.WARNING,
)
EXTERNAL = rule(
    "WLR304",
    "weights in other files",
    why="One file is uploaded: the files that its tensors point to do not come along.",
    source="onnx.proto: TensorProto.data_location; upload guide, ONNX",
)
TOO_LARGE = rule(
    "WLR308",
    "more than protocol buffers can hold",
    why="An ONNX file is one protocol buffer, and its readers refuse more than 2 GiB.",
    source="Protocol buffers: a serialised message has less than 2 GiB",
)
NOT_ALL_READ = rule(
    "WLR311",
    "too many parts to be checked in good time",
    why="What was not read was not checked; the model itself may be perfectly good.",
    source="The limits of this tool",
    level=Level.WARNING,
)

_LARGEST = (1 << 31) - 1
_ONE_FILE = 'onnx.save(onnx.load("{name}"), "one-file.onnx") writes it as one file'
_ANEW = "export the model anew, or download the file again"
_NEWEST_IR = 1000
_STANDARD = {"ai.onnx", "ai.onnx.ml"}

_OTHER_FORMS = {
    ".ort": (
        "is in ONNX Runtime's own format (.ort), which the platform does not read",
        "name the .onnx file that it was made from",
    ),
    ".zip": ("is an archive, and an ONNX model goes up bare", "unpack it and name the .onnx file in it"),
    ".pb": (
        "ends in .pb, as TensorFlow's models do",
        'rename it to .onnx if it is ONNX; a TensorFlow model is a folder: framework = "tensorflow"',
    ),
    ".pt": ("is a PyTorch file", 'framework = "pytorch", or torch.onnx.export(model, example, "model.onnx")'),
    ".pth": ("is a PyTorch file", 'framework = "pytorch", or torch.onnx.export(model, example, "model.onnx")'),
    ".h5": ("is a Keras file", 'framework = "keras", or convert it with tf2onnx'),
    ".keras": ("is a Keras file", "convert it with tf2onnx"),
    ".tflite": (
        "is a TensorFlow Lite model",
        "python -m tf2onnx.convert --tflite {file} --output model.onnx",
    ),
    ".pkl": ("is a pickle", "convert the model with skl2onnx, or use the framework that it was trained with"),
    ".data": ("holds the weights of a model, not the model", _ONE_FILE.format(name="model.onnx")),
    ".onnx_data": ("holds the weights of a model, not the model", _ONE_FILE.format(name="model.onnx")),
}
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


class Onnx(Family):
    """A bare `.onnx` file."""

    def plan(self, spec: ModelSpec) -> Planned:
        """One entry: the file itself."""
        declared = declared_model(spec)
        if is_folder(spec, declared):
            return _refused(spec, f"{declared} is a folder, and an ONNX model is one file", _inside(spec, declared))
        found, findings = collect.find_file(spec, declared, place=spec.at("model"))
        if found is None:
            return Planned(None, findings)
        path = PurePosixPath(found.path)
        suffix = path.suffix.lower()
        if suffix != ".onnx":
            said, fix = _OTHER_FORMS.get(suffix, ("does not end in .onnx", "rename it to .onnx if it is an ONNX model"))
            refused = _refused(spec, f"{found.label} {said}", fix.replace("{file}", found.label))
            return replace(refused, findings=(*findings, *refused.findings))
        entry = Entry(path.name, FileSource(found.absolute), found.label)
        return Planned(Layout("file", ".onnx", (entry,)), findings)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """IR version, operator sets, inputs and outputs; see :func:`check_graph` for the rules about rows."""
        entry = layout.entries[0]
        try:
            if is_lfs_pointer(entry.source):
                return Inspection()
            header = _read(entry)
        except OSError as problem:
            return _unreadable(entry, f"cannot be read: {describe_error(problem)}", "")
        except MessageCutOffError as problem:
            return _explained(entry, f"ends too early: {problem}", "copy or download it again, completely")
        except ProtobufError as problem:
            return _explained(entry, f"is not an ONNX model ({problem})", "")
        if not header.has_graph and header.complete:
            return _explained(entry, "is not an ONNX model: there is no graph in it", "")
        return Inspection(_facts(header), (*_check_file(spec, entry, header), *check_graph(entry, header)))


def _refused(spec: ModelSpec, message: str, fix: str) -> Planned:
    return Planned(None, (FORM.finding(message, fix=fix, place=spec.at("model")),))


def _inside(spec: ModelSpec, folder: str) -> str:
    """What to write for a folder: the .onnx files at its top."""
    try:
        names = sorted(each.name for each in spec.path(folder).iterdir() if each.suffix.lower() == ".onnx")
    except OSError:
        names = []
    if not names:
        return 'name the .onnx file itself; a folder with saved_model.pb is framework = "tensorflow"'
    return " or ".join(f'model = "{PurePosixPath(folder) / name}"' for name in names[:5])


def _read(entry: Entry) -> OnnxHeader:
    """Raises ProtobufError for what is no ONNX, OSError."""
    size = entry.source.size
    with entry.source.open() as stream:
        header = read_onnx_header(stream, size)
    if header.complete and not 0 < header.ir_version < _NEWEST_IR:
        raise ProtobufError("it names no IR version")
    return header


def _explained(entry: Entry, message: str, fix: str) -> Inspection:
    """Say what the file is instead, where its first bytes tell."""
    if what := begins_as(entry.source):
        return _unreadable(entry, f"is {what}, not an ONNX model", _ANEW)
    return _unreadable(entry, message, fix or _ANEW)


def _unreadable(entry: Entry, message: str, fix: str) -> Inspection:
    return Inspection({}, (UNREADABLE.finding(f"{entry.name} {message}", fix=fix, place=Place(file=entry.name)),))


def _facts(header: OnnxHeader) -> dict[str, object]:
    facts: dict[str, object] = {
        "ir_version": header.ir_version,
        "opsets": dict(sorted(header.opsets.items())),
        "producer": " ".join(filter(None, (header.producer, header.producer_version))),
        "inputs": [_tensor_facts(each) for each in header.inputs],
        "outputs": [_tensor_facts(each) for each in header.outputs],
        "nodes": header.nodes,
    }
    if header.defaults and header.ir_version >= 4:  # noqa: PLR2004 - before, every initializer was an input as well
        facts["inputs_with_defaults"] = list(header.defaults[:100])
    return facts


def _tensor_facts(value: OnnxValue) -> dict[str, object]:
    facts = Tensor(value.name, value.dtype, value.shape).facts()
    return facts if value.kind == "tensor" else {**facts, "kind": value.kind}


def _check_file(spec: ModelSpec, entry: Entry, header: OnnxHeader) -> Iterator[Finding]:
    """What the file as a whole must be, inputs and outputs apart."""
    place = Place(file=entry.name)
    yield from _check_versions(spec, entry, header, place)
    custom = sorted(header.used_domains - _STANDARD - header.functions - {"", "ai.onnx"})
    if custom:
        yield DOMAIN.finding(
            f"{entry.name} uses operators of {', '.join(custom)}, which the platform may not have",
            fix="export it with standard operators only, or package it as custom with your own runtime",
            place=place,
        )
    if header.has_external:
        where = ", ".join(header.external[:5]) or "other files"
        yield EXTERNAL.finding(
            f"{entry.name} keeps weights in {where}; only {PurePosixPath(entry.name).name} is uploaded",
            fix=_ONE_FILE.format(name=entry.name) + ' (up to 2 GiB; a larger model goes as framework = "custom")',
            place=place,
        )
    if entry.source.size > _LARGEST:
        yield TOO_LARGE.finding(
            f"{entry.name} has {entry.source.size:,} bytes; an ONNX file can have {_LARGEST:,}",
            fix='quantise it or store float16 weights, or package it as framework = "custom"',
            place=place,
        )
    if not header.complete:
        yield NOT_ALL_READ.finding(
            f"{entry.name} has more nodes and attributes than are read here; what follows was not checked",
            fix="onnx.checker.check_model checks it completely",
            place=place,
        )


def _check_versions(spec: ModelSpec, entry: Entry, header: OnnxHeader, place: Place) -> Iterator[Finding]:
    takes = spec.release.onnx
    runs = f"Wallaroo {spec.release.asked} (ONNX {takes.onnx}) runs up to"
    if header.ir_version > takes.ir:
        yield VERSIONS.finding(
            f"{entry.name} has IR version {header.ir_version}; {runs} {takes.ir}",
            fix=f"model.ir_version = {takes.ir} before onnx.save(model, ...), "
            f"once nothing newer than opset {takes.opset} is used",
            place=place,
        )
    opset = header.opsets.get("ai.onnx", 0)
    if opset > takes.opset:
        yield VERSIONS.finding(
            f"{entry.name} uses opset {opset}; {runs} opset {takes.opset}",
            fix=f"export with opset_version={takes.opset} (torch) or target_opset={takes.opset} (skl2onnx, tf2onnx "
            f"--opset {takes.opset}), or onnx.version_converter.convert_version(model, {takes.opset})",
            place=place,
        )
    ml_opset = header.opsets.get("ai.onnx.ml", 0)
    if ml_opset > takes.ml_opset:
        yield VERSIONS.finding(
            f"{entry.name} uses opset {ml_opset} of ai.onnx.ml; {runs} {takes.ml_opset}",
            fix=f'convert with target_opset={{"": {takes.opset}, "ai.onnx.ml": {takes.ml_opset}}}',
            place=place,
        )


def check_graph(entry: Entry, header: OnnxHeader) -> Iterator[Finding]:
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


def _check_types(what: str, values: Iterable[OnnxValue], header: OnnxHeader, place: Place) -> Iterator[Finding]:
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


def _tensor_fix(what: str, value: OnnxValue, header: OnnxHeader) -> str:
    if what == "output" and value.kind in {"sequence", "map"} and "ai.onnx.ml" in header.opsets:
        return "convert_sklearn(model, ..., options={id(model): {'zipmap': False}}) gives probabilities as a tensor"
    return 'change the model so that it takes and gives tensors only, or package it as framework = "custom"'


def _rows(value: OnnxValue) -> int | str | None:
    return value.shape[0] if value.shape else None


def _check_rows(inputs: Sequence[OnnxValue], outputs: Sequence[OnnxValue], place: Place) -> Iterator[Finding]:
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
    inputs: Sequence[OnnxValue], outputs: Sequence[OnnxValue], sizes: set[int | str | None], place: Place
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


def _listed(values: Iterable[OnnxValue]) -> str:
    return few((f"{each.name} {written(each.shape)}" for each in values), 5, counted=True)


def _free_rows(values: Sequence[OnnxValue]) -> str:
    axes = ", ".join(f'"{each.name}": {{0: "rows"}}' for each in values[:5])
    return (
        f"torch.onnx.export(..., dynamic_axes={{{axes}}}), outputs likewise, or your exporter's own way; "
        'for single rows only: model.configure(batch_config="single") on the platform'
    )
