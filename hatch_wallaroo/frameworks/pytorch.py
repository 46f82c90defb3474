"""PyTorch: one bare TorchScript archive, whose `forward` takes the columns in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.pickle_machine import PickleError
from hatch_wallaroo.formats.pickle_nodes import Call, Collection, Global, Node, Persistent, Value, class_of, walk
from hatch_wallaroo.formats.torch_archive import ArchiveError, TorchFile, TorchKind, read_torch_file
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, plan_file, version_numbers
from hatch_wallaroo.frameworks.other_models import other_model
from hatch_wallaroo.schema.types import Scalar, Schema, element
from hatch_wallaroo.text import few

NOT_TORCHSCRIPT = rule(
    "WLR380",
    "not a TorchScript archive",
    why="The platform loads the model without your code, so the code must be in the file, as TorchScript has it.",
    source="Upload guide, PyTorch: Supported File Types, pt or pth in TorchScript format",
)
BROKEN = rule(
    "WLR381",
    "a PyTorch archive that cannot be read",
    why="A file that was cut short or changed uploads well and fails when the platform loads it.",
    source="PyTorch: PytorchStreamReader failed reading zip archive",
)
ARCHIVE_VERSION = rule(
    "WLR382",
    "an archive format newer than PyTorch reads",
    why="PyTorch refuses archives of a format that it does not know.",
    source="PyTorch caffe2/serialize/versions.h: kMaxSupportedFileFormatVersion, 10 since 1.11, still in 2.13",
)
NEWER = rule(
    "WLR383",
    "saved by a newer PyTorch than the platform runs",
    why="TorchScript may name operators, or arguments of operators, that the older version does not have.",
    source="Upload guide, PyTorch: Supported Libraries; PyTorch's notes on serialization: byteorder, since 2.1",
    level=Level.WARNING,
)
OPERATOR = rule(
    "WLR384",
    "an operator that the platform's PyTorch does not have",
    why="Loading TorchScript resolves all its operators; one that is unknown ends it (Unknown builtin op).",
    source="PyTorch 2.0 release notes: scaled_dot_product_attention",
    level=Level.WARNING,
)
NO_FORWARD = rule(
    "WLR385",
    "no forward was found",
    why="The platform calls the model, which is its forward.",
    source="TorchScript: ScriptModule.forward; found by reading code/ in the archive",
    level=Level.WARNING,
)
SIGNATURE = rule(
    "WLR386",
    "another number of inputs than forward takes",
    why="Each field of the input schema becomes one argument of forward.",
    source="Upload guide, PyTorch: several inputs allowed; forward in the archive's code/",
)
NAMES = rule(
    "WLR387",
    "fields that the PyTorch runtime does not know",
    why="The runtime passes fields to forward by number: one field is input, several are input_1, input_2 and so on; "
    "outputs likewise.",
    source="mac 2023.2.1 to 2026.1.3: AscendingKeysValidator; the vendor's PyTorch tutorials",
    level=Level.WARNING,
)
PRECISION = rule(
    "WLR388",
    "float64 inputs for float32 weights",
    why="PyTorch multiplies tensors of one dtype only; the runtime expects float32.",
    source="mac 2023.2.1: in the case of TorchInference numpy array(s) should be of type float32",
    level=Level.WARNING,
)
SUFFIX = rule(
    "WLR389",
    "the bundle is named .pt",
    why="The platform takes .pt and .pth.",
    source="Upload guide, PyTorch: Supported File Types",
    level=Level.NOTE,
)
_SUFFIXES = (".pt", ".pth")
_SCRIPT = 'torch.jit.script(model.eval()).save("model.pt")'
_TRACE = 'torch.jit.trace(model.eval(), example_input).save("model.pt")'
_SAVE = f"{_SCRIPT}, or {_TRACE}"
_NEWEST_ARCHIVE = 10
_BYTE_ORDER_SINCE = (2, 1)
_NEW_OPERATORS: Mapping[str, tuple[int, ...]] = MappingProxyType({"scaled_dot_product_attention": (2, 0)})
_MANGLED = re.compile(r"___torch_mangle_\d+\.")

_KINDS: Mapping[TorchKind, tuple[str, str]] = MappingProxyType(
    {
        "mobile": ("was saved for PyTorch's lite interpreter (mobile)", f"save it for the full runtime: {_SAVE}"),
        "export": (
            "is a torch.export archive (.pt2), not TorchScript",
            f"script or trace the module instead: {_SAVE}",
        ),
        "old-torchscript": (
            "is a TorchScript archive of PyTorch before 1.4, which later versions cannot load",
            f"load it with the PyTorch that made it and save it anew: {_SAVE}",
        ),
        "safetensors": (
            "is a safetensors file: weights without the model",
            f"load them into the model, model.load_state_dict(load_file(…)), then {_SAVE}",
        ),
    }
)


class PyTorch(Family):
    """A bare `.pt` or `.pth`."""

    def plan(self, spec: ModelSpec) -> Planned:
        """One entry: the archive."""
        return plan_file(spec, _SUFFIXES)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """The kind of the file, the signature of forward and the input schema against it."""
        entry = layout.entries[0]
        if is_lfs_pointer(entry.source):
            return Inspection()
        place = Place(file=entry.name)
        size = entry.source.size
        with entry.source.open() as stream:
            head = stream.read(64)
            stream.seek(0)
            try:
                file = read_torch_file(stream, size)
            except (ArchiveError, PickleError) as error:
                return Inspection({}, (_broken(entry, head, error, place),))
        if file.kind != "torchscript":
            return Inspection({}, (_refused(entry, file, place),))
        findings = [*_form(entry, place), *_versions(spec, entry, file, place), *_forward(spec, entry, file, place)]
        return Inspection(_facts(file), tuple(findings))

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:
        """The names of the fields. They follow from their number, so those of a wrong number are not judged."""
        miscounted = spec.input_schema is not None and _miscounted(facts.get("inputs"), spec.input_schema)
        schemas = (("input-schema", None if miscounted else spec.input_schema), ("output-schema", spec.output_schema))
        return tuple(each for option, schema in schemas if schema for each in _names(spec, option, schema))


def _broken(entry: Entry, head: bytes, error: ArchiveError | PickleError, place: Place) -> Finding:
    if isinstance(error, PickleError) and not head.startswith(b"PK"):
        return NOT_TORCHSCRIPT.finding(
            f"{entry.name} is not a TorchScript archive, nor anything that PyTorch writes",
            fix=f"save the model with {_SAVE}",
            place=place,
        )
    return BROKEN.finding(
        f"{entry.name} cannot be read: {error}", fix="copy it again, completely, or save the model anew", place=place
    )


def _refused(entry: Entry, file: TorchFile, place: Place) -> Finding:
    if file.kind in {"saved", "legacy"}:
        what, fix = _saved(entry.name, file)
        return NOT_TORCHSCRIPT.finding(f"{entry.name} {what}", fix=fix, place=place)
    if file.kind in _KINDS:
        said, fix = _KINDS[file.kind]
        return NOT_TORCHSCRIPT.finding(f"{entry.name} {said}", fix=fix, place=place)
    other = other_model(entry.source, entry.name)
    said = f"is {other.what}, not a TorchScript archive" if other.what else "is not a TorchScript archive"
    fix = other.fix or f"save the model with {_SAVE}"
    return NOT_TORCHSCRIPT.finding(f"{entry.name} {said}", fix=fix, place=place)


def _saved(name: str, file: TorchFile) -> tuple[str, str]:
    """What torch.save was given, and what to write instead."""
    root = file.root
    made_by = _saved_class(root)
    keys = root.keys() if isinstance(root, Node) else []
    if _is_dict(root) or (made_by and made_by.name == "OrderedDict"):
        nested = isinstance(root, Node) and any(
            _is_dict(value) or isinstance(value, Call) for key, value in root.entries if "state" in str(key)
        )
        weights = f"torch.load({name!r})" + ("[…]" if nested else "")
        return (
            f"is a {'checkpoint' if nested else 'state dict'} ({few(keys)}): weights without the model's code",
            f"build the model, model.load_state_dict({weights}), then {_SAVE}",
        )
    if made_by and made_by.module.startswith("torch._utils"):
        return "holds a tensor, not a model", f"save the model: {_SAVE}"
    if made_by:
        return (
            f"is a pickled module ({made_by}): the class itself is not in the file",
            f"model = torch.load({name!r}, weights_only=False) where {made_by.name} can be imported, then {_SAVE}",
        )
    return "was written by torch.save and holds no TorchScript", f"save the model with {_SAVE}"


def _saved_class(root: Value) -> Global | None:
    """The class of what was saved. Before 1.6 modules are references: ("module", class, file, source)."""
    function = root.function if isinstance(root, Call) else None
    if isinstance(function, Persistent) and isinstance(function.identity, Collection):
        return next((each for each in function.identity.items if isinstance(each, Global)), None)
    return class_of(root)


def _is_dict(value: Value) -> bool:
    return isinstance(value, Collection) and value.kind == "dict"


def _facts(file: TorchFile) -> dict[str, object]:
    facts: dict[str, object] = {"format": "TorchScript", "archive_version": file.version}
    made_by = class_of(file.root)
    if made_by:
        facts["class"] = _MANGLED.sub("", str(made_by).removeprefix("__torch__."))
    if file.signature:
        facts["inputs"] = [
            {"name": each.name, "type": each.type, "optional": each.optional} for each in file.signature.parameters
        ]
        facts["returns"] = file.signature.returns
    facts["traced"] = file.traced
    if file.byte_order:
        facts["written_by"] = "torch>=2.1"
    return facts


def _form(entry: Entry, place: Place) -> Iterator[Finding]:
    if not entry.name.endswith(_SUFFIXES):
        yield SUFFIX.finding(
            f"{entry.name} is a TorchScript archive; in the bundle it is called {entry.path}",
            fix=f"name it {PurePosixPath(entry.name).with_suffix('.pt').name}",
            place=place,
        )


def _versions(spec: ModelSpec, entry: Entry, file: TorchFile, place: Place) -> Iterator[Finding]:
    runs = spec.framework.libraries.get("torch")
    platform = f"Wallaroo {spec.release.version} runs" + (f" torch {runs}" if runs else "")
    if file.version is not None and file.version > _NEWEST_ARCHIVE:
        yield ARCHIVE_VERSION.finding(
            f"{entry.name} has archive format {file.version}; PyTorch reads formats up to {_NEWEST_ARCHIVE}",
            fix=f"save it with torch=={runs}" if runs else "save it with a PyTorch that the platform runs",
            place=place,
        )
    if runs is None:
        return
    unknown = [
        name for name, since in _NEW_OPERATORS.items() if name in file.operators and version_numbers(runs) < since
    ]
    for name in unknown:
        yield OPERATOR.finding(
            f"{entry.name} calls torch.{name}, which is new in "
            f"{'.'.join(map(str, _NEW_OPERATORS[name]))}, and {platform}",
            fix=f"export it with torch=={runs}",
            place=place,
        )
    if file.byte_order and version_numbers(runs) < _BYTE_ORDER_SINCE and not unknown:
        yield NEWER.finding(
            f"{entry.name} was saved by PyTorch 2.1 or later, and {platform}",
            fix=f"save it with torch=={runs}, or run it once in that version: torch.jit.load({entry.name!r})",
            place=place,
        )


def _forward(spec: ModelSpec, entry: Entry, file: TorchFile, place: Place) -> Iterator[Finding]:
    schema = spec.input_schema
    if file.signature is None and file.pickle and class_of(file.root):
        yield NO_FORWARD.finding(
            f"{entry.name}: no forward was found in {class_of(file.root)}",
            fix="define forward, then " + _SAVE,
            place=place,
        )
    if schema is not None and schema.fields:
        yield from _count(spec, file, schema)
        yield from _precision(spec, file, schema)


def _miscounted(inputs: Sequence[Mapping[str, Any]] | None, schema: Schema) -> bool:
    """Whether forward, by its arguments in the facts, takes another number of fields."""
    if inputs is None:
        return False
    required = sum(not each["optional"] for each in inputs)
    return not required <= len(schema.fields) <= len(inputs)


def _count(spec: ModelSpec, file: TorchFile, schema: Schema) -> Iterator[Finding]:
    signature = file.signature
    if signature is None:
        return
    taken, required, given = len(signature.parameters), len(signature.required), len(schema.fields)
    if required <= given <= taken:
        return
    # A list or a dict may take several fields: then the number proves nothing.
    plain = all(each.type in {"Tensor", "Optional[Tensor]"} or each.optional for each in signature.parameters)
    arguments = ", ".join(f"{each.name}: {each.type}" for each in signature.parameters) or "nothing"
    wants = f"{required}" if required == taken else f"{required} to {taken}"
    named = ", ".join(_numbered("input", required or taken))
    yield SIGNATURE.finding(
        f"the input schema has {given} field{'s' if given != 1 else ''}, and forward takes {wants} ({arguments})",
        fix=f"declare one field for each argument of forward, in its order: {named}",
        place=spec.at("input-schema"),
        level=None if plain else Level.WARNING,
    )


def _names(spec: ModelSpec, option: str, schema: Schema) -> Iterator[Finding]:
    """The names that the platform's runtime maps to arguments by their number."""
    stem = option.partition("-")[0]
    names = schema.names
    wanted = _numbered(stem, len(names))
    if names and set(names) != set(wanted):
        yield NAMES.finding(
            f"the fields of {option} are named {', '.join(names)}; the platform's PyTorch runtime goes by "
            f"{', '.join(wanted)}",
            fix=f"name them {', '.join(wanted)}",
            place=spec.at(option),
        )


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return (stem,) if count == 1 else tuple(f"{stem}_{index}" for index in range(1, count + 1))


def _precision(spec: ModelSpec, file: TorchFile, schema: Schema) -> Iterator[Finding]:
    """float64 inputs for weights of float32."""
    if not only_float32(file.root):
        return
    for field in schema.fields:
        leaf = element(field.type)
        if isinstance(leaf, Scalar) and leaf.name in {"float64", "double"}:
            yield PRECISION.finding(
                f"{field.name} is float64, and the model's weights are float32",
                fix=f"make {field.name} float32",
                place=spec.at("input-schema", field.name),
            )


def only_float32(root: Value) -> bool:
    """Whether the storages' floats are all of 32 bits."""
    storages = {
        str(made)
        for each in walk(root)
        if isinstance(each, Persistent) and isinstance(each.identity, Collection)
        for made in each.identity.items[1:2]
    }
    return "torch.FloatStorage" in storages and not storages & {"torch.DoubleStorage", "torch.HalfStorage"}
