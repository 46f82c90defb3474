"""The weights in a `save_pretrained` folder: there, whole, and in a form that the platform loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.files.sources import Entry, FileSource, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.safetensors import SafetensorsError, SafetensorsHeader, read_safetensors_header
from hatch_wallaroo.frameworks.pretrained.folder import TRANSFORMERS, WeightNames, matches, read_json
from hatch_wallaroo.text import few

NO_WEIGHTS = rule(
    "WLR404",
    "the model's weights are not there, or are another library's",
    why="The platform runs Hugging Face models with PyTorch: it looks for model.safetensors or pytorch_model.bin.",
    source="transformers, PreTrainedModel.from_pretrained; the guide's Supported Libraries for Hugging Face",
)
SHARD_MISSING = rule(
    "WLR405",
    "a part of the weights is not there",
    why="Large models are saved in parts with an index that lists them. Loading ends at the first that is missing.",
    source="transformers, modeling_utils.load_sharded_checkpoint",
)
DAMAGED = rule(
    "WLR406",
    "a file of weights is damaged",
    why="A download or a copy that stopped half way leaves a file that looks whole until it is loaded.",
    source="The safetensors format; torch.save's two formats, a zip and a pickle",
)
SAFETENSORS_ONLY = rule(
    "WLR407",
    "weights that the platform's transformers may not read",
    why="transformers up to 4.30 read safetensors only where that package is installed, which none of the libraries "
    "of the release asks for, and only where the file says by whom it was written.",
    source="transformers 4.27.0 and diffusers 0.14.0: their Requires-Dist, modeling_utils.load_state_dict",
    level=Level.WARNING,
)
ADAPTER = rule(
    "WLR408",
    "an adapter without the model that it adapts",
    why="A LoRA or other PEFT adapter holds only the difference to its base model, which the platform does not fetch.",
    source="peft, PeftModel.save_pretrained",
)


_OTHERS = {
    "tf_model.h5": "TensorFlow",
    "tf_model.h5.index.json": "TensorFlow",
    "flax_model.msgpack": "Flax",
    "rust_model.ot": "Rust",
    "model.onnx": "ONNX",
}
_CONVERTERS = {"TensorFlow": "tf", "Flax": "flax"}


@dataclass(frozen=True)
class Weights:
    """What the weights' headers tell, for the manifest, and all findings."""

    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]


def check_weights(
    files: Mapping[str, Entry], place: Place, *, loose: bool, safetensors_known: bool, names: WeightNames = TRANSFORMERS
) -> Weights:
    """Judge the weights among the files of one folder, by name.

    `loose`: any file in a known format will do, whatever its name, as vLLM takes it.
    `safetensors_known`: the platform's transformers read them. Headers only, in
    constant memory.
    """
    safe = _named(files, names.safetensors())
    pickled = _named(files, names.bins())
    if loose:
        safe = safe or _named(files, ["*.safetensors"])
        pickled = pickled or _named(files, ["*.bin", "*.pt"])
    safe = {name: entry for name, entry in safe.items() if not name.startswith("adapter_")}
    pickled = {name: entry for name, entry in pickled.items() if not name.startswith(("adapter_", "training_"))}
    findings = [*_absent(files, place, safe or pickled, names, loose=loose)]
    findings += _shards(files, {**safe, **pickled}, place, names, loose=loose)
    headers: list[SafetensorsHeader] = []
    for entry in safe.values():
        findings += _safetensors(entry, headers)
    for entry in pickled.values():
        findings += _pickled(entry)
    if safe and not pickled and not safetensors_known:
        findings += _unknown_safetensors(place, headers)
    used = {**pickled, **safe}
    counts = [header.parameters for header in headers]
    facts: dict[str, Any] = {
        "format": "safetensors" if safe else "pickle" if pickled else None,
        "files": len(used),
        "bytes": sum(entry.source.size for entry in used.values()),
    }
    if counts and len(counts) == len(safe) and None not in counts:
        facts["parameters"] = sum(count for count in counts if count is not None)
        facts["dtypes"] = sorted({dtype for header in headers for dtype in header.dtypes})
    return Weights(facts, tuple(findings))


def _named(files: Mapping[str, Entry], patterns: list[str]) -> dict[str, Entry]:
    return {name: entry for name, entry in sorted(files.items()) if matches(name, patterns)}


def _absent(
    files: Mapping[str, Entry], place: Place, weights: Mapping[str, Entry], names: WeightNames, *, loose: bool
) -> Iterator[Finding]:
    if weights:
        return
    if any(name in files for name in ("adapter_model.safetensors", "adapter_model.bin", "adapter_config.json")):
        yield ADAPTER.finding(
            "the folder holds an adapter (adapter_config.json), but not the weights of its base model",
            fix="merge it into its base model and save that: model.merge_and_unload().save_pretrained(folder)",
            place=place,
        )
        return
    if any(index in files for index in names.indices()):
        return  # the parts that it lists are named one by one
    yield _not_there(files, place, names, loose=loose)


def _not_there(files: Mapping[str, Entry], place: Place, names: WeightNames, *, loose: bool) -> Finding:
    other = next((library for name, library in _OTHERS.items() if name in files), None)
    gguf = next((name for name in sorted(files) if name.endswith(".gguf")), None)
    if other:
        convert = f", from_{_CONVERTERS[other]}=True).save_pretrained(folder)" if other in _CONVERTERS else ""
        return NO_WEIGHTS.finding(
            f"the weights are {other}'s only; the platform runs PyTorch",
            fix=f"convert them: AutoModel.from_pretrained(folder{convert}" if convert else "save the PyTorch model",
            place=place,
        )
    if gguf:
        return NO_WEIGHTS.finding(
            f"the weights are there as {gguf} only, in the format of llama.cpp (GGUF)",
            fix="use the model's safetensors files instead",
            place=place,
            level=Level.WARNING if loose else None,
        )
    return NO_WEIGHTS.finding(
        f"there are no weights: {names.safe}.safetensors and {names.pickled}.bin are both missing",
        fix="save the model with model.save_pretrained(folder)",
        place=place,
    )


def _shards(
    files: Mapping[str, Entry], weights: Mapping[str, Entry], place: Place, names: WeightNames, *, loose: bool
) -> Iterator[Finding]:
    """Every part that an index lists, and an index for all parts."""
    indices = _named(files, names.indices())
    for entry in indices.values():
        read, findings = read_json(entry)
        yield from findings
        mapping = (read or {}).get("weight_map")
        if read is not None and not isinstance(mapping, dict):
            yield DAMAGED.finding(f"{entry.name} has no weight_map", fix="save the model again", place=_at(entry))
        listed = {each for each in mapping.values() if isinstance(each, str)} if isinstance(mapping, dict) else set()
        missing = sorted(listed - set(files))
        if missing:
            yield SHARD_MISSING.finding(
                f"{entry.name} lists {len(listed)} files of weights; "
                f"{len(missing)} of them {'is' if len(missing) == 1 else 'are'} not there: {few(missing)}",
                fix="copy the missing files into the folder, or save the model again",
                place=_at(entry),
            )
    parts = sorted(name for name in weights if "-of-" in name)
    if parts and not indices and not loose:
        yield SHARD_MISSING.finding(
            f"the weights are in parts ({few(parts)}), and there is no index that lists them",
            fix=f"copy {names.indices()[not parts[0].endswith('.safetensors')]} too, or save the model again",
            place=place,
        )


def _safetensors(entry: Entry, headers: list[SafetensorsHeader]) -> Iterator[Finding]:
    if is_lfs_pointer(entry.source):
        return
    try:
        with entry.source.open() as stream:
            headers.append(read_safetensors_header(stream, entry.source.size))
    except SafetensorsError as error:
        yield DAMAGED.finding(
            f"{entry.name} {error}", fix="copy or download the file again, or save the model again", place=_at(entry)
        )


def _pickled(entry: Entry) -> Iterator[Finding]:
    """A checkpoint is a zip (torch 1.6 on) or a pickle; a page that says 'not found' is neither."""
    source = entry.source
    if is_lfs_pointer(source):
        return
    with source.open() as stream:
        head = stream.read(4)
        if head[:2] == b"PK" and isinstance(source, FileSource):
            stream.seek(max(0, source.size - 66_000))
            cut = b"PK\x05\x06" not in stream.read(66_000)
        else:
            cut = False
    if not head:
        said = "is empty"
    elif cut:
        said = "is cut off: the directory at the end of the file is not there"
    elif head[:2] == b"PK" or head[:1] == b"\x80":
        return
    else:
        said = "is not a file that torch.save wrote"
    yield DAMAGED.finding(
        f"{entry.name} {said}", fix="copy or download the file again, or save the model again", place=_at(entry)
    )


def _unknown_safetensors(place: Place, headers: list[SafetensorsHeader]) -> Iterator[Finding]:
    yield SAFETENSORS_ONLY.finding(
        "the weights are there as safetensors only, which the transformers of this release may not read",
        fix="save them as PyTorch's .bin too: model.save_pretrained(folder, safe_serialization=False)",
        place=place,
    )
    strange = sorted({header.metadata.get("format", "none") for header in headers} - {"pt"})
    if strange:
        yield SAFETENSORS_ONLY.finding(
            f"the safetensors files do not say that PyTorch wrote them (format: {', '.join(strange)})",
            fix="save the model with model.save_pretrained(folder)",
            place=place,
        )


def _at(entry: Entry) -> Place:
    return Place(file=entry.name)
