"""Models that are folders: SavedModels, what save_pretrained wrote, MLflow's, adapters and checkpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hatch_wallaroo.adopt.candidates import Candidate, Ground, judged
from hatch_wallaroo.adopt.recognise import recognised
from hatch_wallaroo.adopt.tasks import frameworks_for
from hatch_wallaroo.adopt.walk import Seen, Tree
from hatch_wallaroo.adopt.zipped import saved_model

_LARGEST_JSON = 4 << 20
_LARGEST_TEXT = 1 << 16
_WEIGHTS = re.compile(
    r"(?:.+\.safetensors|(?:pytorch|flax|tf)_model.*\.(?:bin|h5|msgpack)|.+\.ckpt)(?:\.index(?:\.json)?)?"
)
_CHECKPOINT = re.compile(r"checkpoint-([0-9]{1,12})")
_FLAVOR = re.compile(r"^  ([a-z_]+):", re.MULTILINE)
_GENERIC = {"python_function"}


def folder_models(tree: Tree, ground: Ground) -> Iterator[Candidate]:
    """The models that are folders, those inside of others left out. A model that fills the project's own is told."""
    claimed: list[str] = []
    for folder in sorted(tree.folders, key=lambda each: (each.count("/"), each)):
        if any(folder.startswith(f"{each}/") for each in claimed):
            continue
        found = folder_model(tree, folder, ground)
        if found is not None and folder:
            claimed.append(folder)
            yield found
        elif found is not None:
            advice = "move the model's files into a folder of their own, and name that: --model models/my-model"
            yield replace(found, path=".", certain=False, frameworks=(), advice=advice)


def folder_model(tree: Tree, folder: str, ground: Ground) -> Candidate | None:
    """The model that a folder is, by the files right in it; None where it is none."""
    files = tree.folders.get(folder, {})
    if "saved_model.pb" in files:
        return saved_model(folder, "a SavedModel", ground)
    if "MLmodel" in files:
        return _mlflow(tree, folder, ground)
    if "model_index.json" in files:
        return judged(Candidate(folder, "a diffusion pipeline", _DIFFUSION, certain=True), ground)
    if "adapter_config.json" in files:
        advice = "merge it into its base model, model.merge_and_unload(), and save that with save_pretrained"
        return Candidate(folder, "an adapter (PEFT), not a whole model", advice=advice)
    if "config.json" in files and any(map(_WEIGHTS.fullmatch, files)):
        return _pretrained(files["config.json"], folder, ground)
    return _checkpoint(files, folder)


_DIFFUSION = ("hugging-face-stable-diffusion-text-2-img",)


def latest_only(candidates: list[Candidate]) -> list[Candidate]:
    """Of the checkpoints that a training left beside each other, the last one stays certain."""
    last: dict[str, int] = {}
    for each in candidates:
        parent, number = _numbered(each)
        if number is not None:
            last[parent] = max(number, last.get(parent, -1))
    made = []
    for each in candidates:
        parent, number = _numbered(each)
        earlier = number is not None and number < last[parent]
        advice = f"an earlier checkpoint than checkpoint-{last[parent]}" if earlier else each.advice
        made.append(replace(each, certain=each.certain and not earlier, advice=advice))
    return made


def _numbered(candidate: Candidate) -> tuple[str, int | None]:
    parent, _, name = candidate.path.rpartition("/")
    found = _CHECKPOINT.fullmatch(name)
    return parent, int(found[1]) if found else None


def _pretrained(seen: Seen, folder: str, ground: Ground) -> Candidate | None:
    config = _read_json(seen)
    if config is None:
        what = "weights with a config.json that cannot be read"
        return Candidate(folder, what, advice=f"save it again: {seen.label}")
    if not config.keys() & {"architectures", "model_type", "transformers_version"}:
        return None
    spec = ground.spec("onnx", "model.onnx")
    frameworks, why = frameworks_for(config, spec.release) if spec else ((), "")
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named and isinstance(named[0], str) else config.get("model_type")
    what = f"a Hugging Face {name}" if isinstance(name, str) else "a Hugging Face model"
    if not frameworks:
        advice = f"none of Wallaroo's tasks is known to take it; say which: --model {folder} --framework hugging-face-…"
        return Candidate(folder, what, advice=advice)
    return judged(Candidate(folder, what, frameworks, certain=True, why=why), ground)


def _mlflow(tree: Tree, folder: str, ground: Ground) -> Candidate:
    """Wallaroo takes MLflow's models as images; what the folder wraps may go as it is."""
    text = _read_text(tree.folders[folder]["MLmodel"])
    flavors = [each for each in dict.fromkeys(_FLAVOR.findall(text)) if each not in _GENERIC]
    what = f"an MLflow model ({', '.join(flavors[:3])})" if flavors else "an MLflow model"
    inside = [each for each in tree.files.values() if each.label.startswith(f"{folder}/") and each.name != "MLmodel"]
    natives = (found for each in inside[:50] if (found := recognised(each, ground)) and found.certain)
    native = next(natives, None)
    image = "as mlflow it becomes a container image"
    advice = f"{native.path} in it goes as it is: --model {native.path}; {image}" if native else image
    return Candidate(folder, what, ("mlflow",), advice=advice)


def _checkpoint(files: Mapping[str, Seen], folder: str) -> Candidate | None:
    if "checkpoint" in files and any(name.endswith(".index") for name in files):
        advice = "build the model, load the checkpoint, then save the whole: a SavedModel, or .h5"
        return Candidate(folder, "a TensorFlow checkpoint, weights without a graph", advice=advice)
    return None


def _read_json(seen: Seen) -> dict[str, Any] | None:
    if seen.size > _LARGEST_JSON:
        return None
    try:
        read = json.loads(seen.path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _read_text(seen: Seen) -> str:
    try:
        with seen.path.open("rb") as stream:
            return stream.read(_LARGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""
