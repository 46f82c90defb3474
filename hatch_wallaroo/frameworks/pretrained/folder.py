"""A folder that `save_pretrained` wrote, as a bundle: what goes in, what is of no use there, its JSON read safely.

Training writes more into its output folder than the model, and hubs keep the same weights in the formats of several
libraries: often most of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.collect import find_file, list_folder, list_zip
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.files.presence import is_file, is_folder
from hatch_wallaroo.files.sources import Entry, FileSource, Found, is_lfs_pointer, pointer_finding
from hatch_wallaroo.findings import Finding, Level, Place, errors, rule
from hatch_wallaroo.frameworks.base import Layout, Planned, begins_as, declared_model
from hatch_wallaroo.text import few

NOT_A_FOLDER = rule(
    "WLR400",
    "the model is not a folder that save_pretrained wrote",
    why="Wallaroo loads the folder as it is, by the config.json (or, for a diffusion pipeline, the model_index.json) "
    "at its top.",
    source="transformers, PreTrainedModel.save_pretrained and from_pretrained; diffusers, DiffusionPipeline",
)
UNREADABLE_JSON = rule(
    "WLR401",
    "a JSON file of the model cannot be read",
    why="The platform reads it before anything else, and stops there.",
    source="transformers, PretrainedConfig.from_pretrained",
)

MARKERS = ("config.json", "model_index.json")
"""What lies at the top of a model's folder: one of them."""

_LARGEST_JSON = 16 << 20
_TRAINING_FOLDERS = ("checkpoint-*", "runs", "wandb", "global_step*", "lightning_logs", "mlruns")
_TRAINING_FILES = (
    "optimizer.pt", "optimizer.bin", "scheduler.pt", "scheduler.bin", "scaler.pt", "rng_state*.pth",
    "training_args.bin", "trainer_state.json", "events.out.tfevents.*", "zero_to_fp32.py", "latest",
)  # fmt: skip
_OTHER_FOLDERS = ("onnx", "openvino", "coreml", "original")
_OTHER_FILES = (
    "tf_model.h5", "tf_model-*.h5", "tf_model.h5.index.json", "flax_model.msgpack", "flax_model-*.msgpack",
    "flax_model.msgpack.index.json", "diffusion_flax_model.msgpack", "rust_model.ot", "*.onnx", "*.onnx_data",
    "*.tflite", "*.mlmodel", "openvino_model.bin", "openvino_model.xml",
)  # fmt: skip


@dataclass(frozen=True)
class WeightNames:
    """How a library calls the files of weights, without their endings."""

    safe: str
    pickled: str

    def safetensors(self) -> list[str]:
        return [f"{self.safe}.safetensors", f"{self.safe}-*-of-*.safetensors"]

    def bins(self) -> list[str]:
        return [f"{self.pickled}.bin", f"{self.pickled}-*-of-*.bin"]

    def indices(self) -> list[str]:
        """Of the parts in each of the two formats."""
        return [f"{self.safe}.safetensors.index.json", f"{self.pickled}.bin.index.json"]


TRANSFORMERS = WeightNames("model", "pytorch_model")
DIFFUSERS = WeightNames("diffusion_pytorch_model", "diffusion_pytorch_model")
_PICKLED = [*TRANSFORMERS.bins(), *DIFFUSERS.bins(), TRANSFORMERS.indices()[1], DIFFUSERS.indices()[1]]
_SAFE = [*TRANSFORMERS.safetensors(), *DIFFUSERS.safetensors(), TRANSFORMERS.indices()[0], DIFFUSERS.indices()[0]]
_WHOLE = (
    "pytorch_model.bin", "diffusion_pytorch_model.bin", "model.safetensors", "diffusion_pytorch_model.safetensors",
    "*.index.json",
)  # fmt: skip


@dataclass(frozen=True)
class _Listed:
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    stripped: tuple[tuple[str, str], ...]


def plan_pretrained(spec: ModelSpec, *, prefer_safetensors: bool) -> Planned:
    """A zip with one top folder, named after the model, that holds the files of `model`.

    `model` is the folder, or a zip of it that the user made; what training and other
    libraries left there stays out.
    """
    declared, place = declared_model(spec), spec.at("model")
    listed = _folder(spec, declared, place) if is_folder(spec.path(declared)) else _file(spec, declared, place)
    if not listed.entries:
        return Planned(None, listed.findings)
    rooted = _rooted(spec, declared, listed)
    if errors(rooted.findings) and not rooted.entries:
        return Planned(None, rooted.findings)
    why = unused_files((entry.path for entry in rooted.entries), prefer_safetensors=prefer_safetensors)
    kept = [
        Entry(f"{spec.name}/{each.path}", each.source, each.label) for each in rooted.entries if each.path not in why
    ]
    stripped = [(each.name, why[each.path]) for each in rooted.entries if each.path in why]
    return Planned(Layout("zip", ".zip", tuple(kept), (*rooted.stripped, *stripped)), rooted.findings)


def members(layout: Layout) -> dict[str, Entry]:
    """The files of a bundle by their path inside the model's folder."""
    return {entry.path.partition("/")[2]: entry for entry in layout.entries}


def read_json(entry: Entry) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The object in a JSON file. None without a finding: a Git LFS pointer stands in its place.

    Reads no more than 16 MiB; what is deeper nested than Python's own reader goes is a finding too.
    """
    if is_lfs_pointer(entry.source):
        return None, []
    fix = "save the model again with save_pretrained, or restore the file from where it came"
    try:
        with entry.source.open() as stream:
            return read_object(stream, _LARGEST_JSON), []
    except JsonError as error:
        return None, [UNREADABLE_JSON.finding(f"{entry.name} {error}", fix=fix, place=Place(file=entry.name))]


def read_config(spec: ModelSpec, files: Mapping[str, Entry], findings: list[Finding]) -> dict[str, Any] | None:
    """The config.json of a model's folder, whose files are given; what is wrong with it is added to the findings."""
    if "config.json" in files:
        config, broken = read_json(files["config.json"])
        findings += broken
        return config
    fix = "save the model there with model.save_pretrained(folder)"
    findings.append(NOT_A_FOLDER.finding(f"{spec.model} holds no config.json", fix=fix, place=spec.at("model")))
    return None


def architectures_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that config.json says the model is of."""
    named = config.get("architectures")
    return tuple(each for each in named if isinstance(each, str) and each) if isinstance(named, list) else ()


def _folder(spec: ModelSpec, declared: str, place: Place) -> _Listed:
    listing = list_folder(spec, declared, place=place)
    return _Listed(_entries(listing.files), listing.findings, listing.stripped)


def _file(spec: ModelSpec, declared: str, place: Place) -> _Listed:
    found, findings = find_file(spec, declared, place=place)
    if found is None:
        return _Listed((), findings, ())
    if _is_zip(found):
        listing = list_zip(spec, found, place=place)
        return _Listed(listing.entries, (*findings, *listing.findings), listing.stripped)
    if pointer := pointer_finding(Entry(found.path, FileSource(found.absolute), found.label), place):
        return _Listed((), (*findings, pointer), ())
    said = f"{found.label} is one file; {spec.framework.name} takes a folder that save_pretrained wrote, or its zip"
    parent = found.label.rpartition("/")[0]
    if parent and any(is_file(found.absolute.parent / marker) for marker in MARKERS):
        fix = f'model = "{parent}"'
    elif parent:
        fix = "save the model with model.save_pretrained(folder), and name that folder"
    else:
        fix = "move the model's files into a folder and name that folder"
    return _Listed((), (*findings, NOT_A_FOLDER.finding(said, fix=fix, place=place)), ())


def _entries(files: Iterable[Found]) -> tuple[Entry, ...]:
    return tuple(Entry(each.path, FileSource(each.absolute), each.label) for each in files)


def _is_zip(found: Found) -> bool:
    """Whether it is a zip of a folder: torch.save writes one of its own."""
    if found.path.endswith((".bin", ".pt", ".pth", ".ckpt")):
        return False
    return begins_as(FileSource(found.absolute)) == "a zip archive"


def _rooted(spec: ModelSpec, declared: str, listed: _Listed) -> _Listed:
    """The entries seen from the folder that holds the marker: only a user's zip is searched for it."""
    tops = _tops(entry.path for entry in listed.entries)
    if "" in tops:
        return listed
    place = spec.at("model")
    if not tops:
        finding = NOT_A_FOLDER.finding(
            f"{declared} holds no config.json, nor a model_index.json",
            fix="save the model there with model.save_pretrained(folder), and its tokenizer or processor with theirs",
            place=place,
        )
        return _Listed((), (*listed.findings, finding), listed.stripped)
    zipped = not is_folder(spec.path(declared))
    if zipped and len(tops) == 1:
        prefix = f"{tops[0]}/"
        inside = tuple(
            Entry(each.path.removeprefix(prefix), each.source, each.label)
            for each in listed.entries
            if each.path.startswith(prefix)
        )
        outside = tuple(
            (each.name, "outside the model's folder") for each in listed.entries if not each.path.startswith(prefix)
        )
        return _Listed(inside, listed.findings, (*listed.stripped, *outside))
    finding = NOT_A_FOLDER.finding(
        f"{declared} has its config.json not at the top, but in {few(tops, 4)}",
        fix="zip one model's folder" if zipped else f'model = "{declared.rstrip("/")}/{tops[-1]}"',
        place=place,
    )
    return _Listed((), (*listed.findings, finding), listed.stripped)


def _tops(paths: Iterable[str]) -> list[str]:
    """The folders with a marker, the highest of them; '' for the top itself."""
    folders = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in MARKERS}
    if "" in folders:
        return [""]
    highest = min((folder.count("/") for folder in folders), default=0)
    return sorted((folder for folder in folders if folder.count("/") == highest), key=_natural)


def _natural(folder: str) -> tuple[tuple[int, str], ...]:
    """checkpoint-1000 after checkpoint-500."""
    import re

    return tuple((int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", folder))


def text_of(config: Mapping[str, Any], key: str) -> str:
    """A string of a JSON object, '' where it is none."""
    value = config.get(key)
    return value if isinstance(value, str) else ""


def unused_files(paths: Iterable[str], *, prefer_safetensors: bool) -> dict[str, str]:
    """Which files to leave out, and why. `paths` are relative to the model's folder.

    Files that other libraries read go only where PyTorch weights lie beside them, and
    of two copies in PyTorch's own formats one stays: safetensors, unless the platform's
    transformers may not read them.
    """
    listed = sorted(paths)
    reasons = {path: why for path in listed if (why := _of_training(path))}
    by_folder: dict[str, set[str]] = {}
    for path in listed:
        if path not in reasons:
            folder, _, name = path.rpartition("/")
            by_folder.setdefault(folder, set()).add(name)
    for folder, names in by_folder.items():
        prefix = f"{folder}/" if folder else ""
        reasons |= {prefix + name: why for name, why in _copies(names, prefer_safetensors).items()}
    if any(matches(name, _WHOLE) and not matches(name, _OTHER_FILES) for name in by_folder.get("", ())):
        reasons |= {
            path: "a copy for another library"
            for path in listed
            if path not in reasons and "/" in path and path.split("/")[0] in _OTHER_FOLDERS
        }
    if "model_index.json" in by_folder.get("", ()):
        reasons |= dict.fromkeys(
            (name for name in by_folder[""] if name.endswith((".ckpt", ".safetensors"))),
            "a copy in one file; the pipeline reads its components' folders",
        )
    return reasons


def _of_training(path: str) -> str:
    *folders, name = path.split("/")
    if any(matches(folder, _TRAINING_FOLDERS) for folder in folders) or matches(name, _TRAINING_FILES):
        return "left over from training"
    return ""


def _copies(names: set[str], prefer_safetensors: bool) -> dict[str, str]:
    pickled = {name for name in names if matches(name, _PICKLED)}
    safe = {name for name in names if matches(name, _SAFE)}
    whole_pickled, whole_safe = ({name for name in each if matches(name, _WHOLE)} for each in (pickled, safe))
    reasons: dict[str, str] = {}
    if whole_pickled or whole_safe:
        reasons |= {name: "a copy for another library" for name in names if matches(name, _OTHER_FILES)}
        reasons |= {name: "a variant of the same weights" for name in names if _variant(name, names)}
    if whole_pickled and whole_safe:
        dropped, kept = (pickled, "safetensors") if prefer_safetensors else (safe, "PyTorch's .bin")
        reasons |= dict.fromkeys(dropped, f"the same weights are there as {kept}")
    return reasons


def _variant(name: str, names: set[str]) -> bool:
    """Whether it is `model.fp16.safetensors` beside a `model.safetensors`."""
    return any(
        f".{variant}." in name and name.replace(f".{variant}.", ".") in names for variant in ("fp16", "non_ema", "bf16")
    )


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is of one of the forms, in which `*` stands for anything."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


NO_TOKENIZER = rule(
    "WLR409",
    "the model's tokenizer is not there",
    why="The pipeline loads it from the model's folder. On the machine where the model was made it may have come from "
    "a cache; the platform has none.",
    source="transformers, AutoTokenizer.from_pretrained; the vocab_files_names of its tokenizers",
)
NO_PROCESSOR = rule(
    "WLR410",
    "the model's image processor or feature extractor is not there",
    why="The pipeline loads it from preprocessor_config.json in the model's folder, to scale pictures or sound as in "
    "training.",
    source="transformers, AutoImageProcessor and AutoFeatureExtractor.from_pretrained",
)

_VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "sentencepiece.model",
)
_ENDINGS = (".spm", ".tiktoken", ".bpe", ".codes", "spiece.model", "vocab.json", "vocab-src.json", ".model")
_WITHOUT_FILES = ("ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer", "MgpstrTokenizer")
"""Tokenizers of bytes or characters: their config is all there is."""
_BYTE_PAIRS = ("GPT2", "Roberta", "Bart", "CLIP", "Longformer", "LED", "Deberta", "Blenderbot", "CTRL", "Codegen")
"""Slow tokenizers that need merges.txt beside vocab.json."""


def check_beside(
    spec: ModelSpec, wanted: tuple[str, ...], files: Mapping[str, Entry], config: Mapping[str, Any]
) -> list[Finding]:
    """All that is missing of what a task wants: `tokenizer`, `image-processor`, `feature-extractor`."""
    findings: list[Finding] = []
    for each in wanted:
        if each == "tokenizer":
            findings += check_tokenizer(files, config, spec.at("model"))
        else:
            findings += _processor(files, each, spec.at("model"))
    return findings


def check_tokenizer(files: Mapping[str, Entry], config: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    """Whether one of the known forms is there, and whole."""
    settings: Mapping[str, Any] = {}
    if "tokenizer_config.json" in files:
        read, findings = read_json(files["tokenizer_config.json"])
        yield from findings
        if read is None:
            return
        settings = read
    called = text_of(settings, "tokenizer_class") or text_of(config, "tokenizer_class")
    save = "tokenizer.save_pretrained(folder)"
    if called in _WITHOUT_FILES:
        return
    if "tokenizer.json" in files:
        yield from _cut(files["tokenizer.json"])
    elif "vocab.json" in files and "merges.txt" not in files and called.startswith(_BYTE_PAIRS):
        yield NO_TOKENIZER.finding(
            f"vocab.json is there, but not merges.txt, which {called} needs too", fix=save, place=place
        )
    elif not any(name in files for name in _VOCABULARIES) and not any(name.endswith(_ENDINGS) for name in files):
        only = " (tokenizer_config.json alone is only its settings)" if settings else ""
        yield NO_TOKENIZER.finding(
            f"the tokenizer is not there: no tokenizer.json, vocab.txt, vocab.json or *.model{only}",
            fix=f"save it beside the weights: {save}",
            place=place,
        )


def _cut(entry: Entry) -> Iterator[Finding]:
    """A large JSON file that ends in the middle; it is not parsed."""
    source = entry.source
    if is_lfs_pointer(source):
        return
    with source.open() as stream:
        head = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(max(0, source.size - 64))
        tail = stream.read(64).rstrip()
    if head[:1] != b"{" or tail[-1:] != b"}":
        yield UNREADABLE_JSON.finding(
            f"{entry.name} is {'no JSON object' if head[:1] != b'{' else 'cut off'}",
            fix="copy or download the file again, or save the tokenizer again",
            place=Place(file=entry.name),
        )


def _processor(files: Mapping[str, Entry], kind: str, place: Place) -> Iterator[Finding]:
    what = kind.replace("-", " ")
    if "preprocessor_config.json" in files:
        yield from read_json(files["preprocessor_config.json"])[1]
        return
    newer = "processor_config.json" in files
    yield NO_PROCESSOR.finding(
        f"the {what} is not there: "
        + ("processor_config.json is the form of newer transformers only" if newer else "no preprocessor_config.json"),
        fix=f"save it beside the weights: {'processor' if newer else what.replace(' ', '_')}.save_pretrained(folder)",
        place=place,
        level=Level.WARNING if newer else None,
    )
