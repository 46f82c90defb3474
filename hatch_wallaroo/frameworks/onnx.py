"""ONNX: one bare `.onnx` file, its versions and its form against the release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files import collect
from hatch_wallaroo.files.sources import Entry, FileSource, lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.onnx import Header, Value, read_header
from hatch_wallaroo.formats.protobuf import ProtobufError, TruncatedError
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, begins_as, declared_model, is_folder
from hatch_wallaroo.frameworks.onnx_graph import check_graph
from hatch_wallaroo.frameworks.tensors import Tensor

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
            if lfs_pointer(entry.source) is not None:
                return Inspection()
            header = _read(entry)
        except OSError as problem:
            return _unreadable(entry, f"cannot be read: {problem.strerror or problem}", "")
        except TruncatedError as problem:
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


def _read(entry: Entry) -> Header:
    """Raises ProtobufError for what is no ONNX, OSError."""
    size = entry.source.size
    with entry.source.open() as stream:
        header = read_header(stream, size)
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


def _facts(header: Header) -> dict[str, object]:
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


def _tensor_facts(value: Value) -> dict[str, object]:
    facts = Tensor(value.name, value.dtype, value.shape).facts()
    return facts if value.kind == "tensor" else {**facts, "kind": value.kind}


def _check_file(spec: ModelSpec, entry: Entry, header: Header) -> Iterator[Finding]:
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


def _check_versions(spec: ModelSpec, entry: Entry, header: Header, place: Place) -> Iterator[Finding]:
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
