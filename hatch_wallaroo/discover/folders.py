"""Models that are folders: SavedModels, what save_pretrained wrote, MLflow's, adapters and checkpoints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.files import file_model, saved_model
from hatch_wallaroo.discover.walk import RepositoryFile, Tree
from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.formats.recognise import FileKind, Recognised, recognise, recognise_folder
from hatch_wallaroo.frameworks.other_models import frameworks_of
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, Task, fitting
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.releases.model import Release

_LARGEST_JSON = 4 << 20
_LARGEST_TEXT = 1 << 16
_CHECKPOINT = re.compile(r"checkpoint-([0-9]{1,12})")
_FLAVOR = re.compile(r"^  ([a-z_]+):", re.MULTILINE)
_DIFFUSION = ("hugging-face-stable-diffusion-text-2-img",)
_ADVICE: Mapping[FileKind, str] = {
    "adapter": "merge it into its base model, model.merge_and_unload(), and save that with save_pretrained",
    "tensorflow-checkpoint": "build the model, load the checkpoint, then save the whole: a SavedModel, or .h5",
}
_GENERIC = {"python_function"}
_LANGUAGE = ("vllm", "sglang")
_TRANSLATORS = ("Marian", "M2M100", "NllbMoe", "FSMT", "MBart")
_LAST = ("feature-extraction", "sentiment-analysis")
"""What nearly any model fits, and what is another under a second name."""


def folder_models(tree: Tree, context: AdoptionContext) -> Iterator[Candidate]:
    """The models that are folders, those inside of others left out. A model that fills the project's own is told."""
    claimed: list[str] = []
    for folder in sorted(tree.folders, key=lambda each: (each.count("/"), each)):
        if any(folder.startswith(f"{each}/") for each in claimed):
            continue
        found = folder_model(tree, folder, context)
        if found is not None and folder:
            claimed.append(folder)
            yield found
        elif found is not None:
            advice = "move the model's files into a folder of their own, and name that: --model models/my-model"
            yield replace(found, path=".", certain=False, frameworks=(), advice=advice)


def folder_model(tree: Tree, folder: str, context: AdoptionContext) -> Candidate | None:
    """The model that a folder is, by the files right in it; None where it is none."""
    files = tree.folders.get(folder, {})
    found = recognise_folder(files)
    if found is None or found.by_name:
        return None
    if found.kind == "saved-model":
        return saved_model(folder, found.name, context)
    if found.kind == "mlflow":
        return _mlflow(tree, folder, context)
    if found.kind == "diffusers":
        return judged(Candidate(folder, found.name, _DIFFUSION, certain=True), context)
    if found.kind == "hugging-face":
        return _pretrained(files["config.json"], folder, context)
    return Candidate(folder, found.name, advice=_ADVICE[found.kind])


def frameworks_at(path: Path, release: str) -> tuple[Recognised | None, tuple[str, ...]]:
    """What stands at any path, file or folder, and the frameworks that may serve it. Raises OSError."""
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib raises for names that no file system takes
        with path.open("rb") as stream:
            found = recognise(stream, path.stat().st_size, path.name)
        return found, frameworks_of(found) if found else ()
    found = recognise_folder([each.name for each in path.iterdir()])
    if found and found.kind == "diffusers":
        return found, _DIFFUSION
    if found and found.kind == "hugging-face":
        config = _read_config(path / "config.json")
        return found, frameworks_for(config, resolve(release))[0] if config else ()
    return found, frameworks_of(found) if found else ()


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


def _pretrained(file: RepositoryFile, folder: str, context: AdoptionContext) -> Candidate | None:
    config = _read_config(file.path)
    if config is None:
        what = "weights with a config.json that cannot be read"
        return Candidate(folder, what, advice=f"save it again: {file.label}")
    if not config.keys() & {"architectures", "model_type", "transformers_version"}:
        return None
    spec = context.spec("onnx", "model.onnx")
    frameworks, why = frameworks_for(config, spec.release) if spec else ((), "")
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named and isinstance(named[0], str) else config.get("model_type")
    what = f"a Hugging Face {name}" if isinstance(name, str) else "a Hugging Face model"
    if not frameworks:
        advice = f"none of Wallaroo's tasks is known to take it; say which: --model {folder} --framework hugging-face-…"
        return Candidate(folder, what, advice=advice)
    return judged(Candidate(folder, what, frameworks, certain=True, why=why), context)


def _mlflow(tree: Tree, folder: str, context: AdoptionContext) -> Candidate:
    """Wallaroo takes MLflow's models as images; what the folder wraps may go as it is."""
    text = _read_text(tree.folders[folder]["MLmodel"])
    flavors = [each for each in dict.fromkeys(_FLAVOR.findall(text)) if each not in _GENERIC]
    what = f"an MLflow model ({', '.join(flavors[:3])})" if flavors else "an MLflow model"
    inside = [each for each in tree.files.values() if each.label.startswith(f"{folder}/") and each.name != "MLmodel"]
    natives = (found for each in inside[:50] if (found := file_model(each, context)) and found.certain)
    native = next(natives, None)
    image = "as mlflow it becomes a container image"
    advice = f"{native.path} in it goes as it is: --model {native.path}; {image}" if native else image
    return Candidate(folder, what, ("mlflow",), advice=advice)


def _read_config(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as stream:
            return read_object(stream, _LARGEST_JSON)
    except (OSError, JsonError):
        return None


def _read_text(file: RepositoryFile) -> str:
    try:
        with file.path.open("rb") as stream:
            return stream.read(_LARGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""


def frameworks_for(config: Mapping[str, Any], release: Release) -> tuple[tuple[str, ...], str]:
    """The frameworks of a release that fit, and why the first of several is the first; none for an unknown class."""
    named = config.get("architectures")
    names = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    fits = [task for name in names for task in fitting(name) if task.framework in release.frameworks]
    tasks = sorted(dict.fromkeys(fits), key=lambda task: _LAST.index(task.name) if task.name in _LAST else -1)
    if not tasks:
        return (), ""
    first, why = _likeliest(tasks, names, config)
    found = [first.framework, *(each.framework for each in tasks if each is not first)]
    if first.name == "text-generation":
        found += [each for each in _LANGUAGE if each in release.frameworks]
    found = [each for each in found if each not in _no_choice(config)]
    if len(found) > 1 and not why:
        why = f"the first that fits; so do {', '.join(found[1:])}"
    return tuple(found), why


def _no_choice(config: Mapping[str, Any]) -> set[str]:
    """What fits by its class and is no choice: another's second name, and what asks for a class that is not there."""
    labels = config.get("label2id")
    without = isinstance(labels, dict) and not _knows_entailment(labels)
    return {f"{PREFIX}sentiment-analysis", *([f"{PREFIX}zero-shot-classification"] if without else ())}


def _knows_entailment(labels: Mapping[str, Any]) -> bool:
    return any(str(label).lower().startswith("entail") for label in labels)


def _likeliest(tasks: list[Task], names: list[str], config: Mapping[str, Any]) -> tuple[Task, str]:
    by_name = {task.name: task for task in tasks}
    labels = config.get("label2id")
    if isinstance(labels, dict) and _knows_entailment(labels) and "zero-shot-classification" in by_name:
        return by_name["zero-shot-classification"], "one of its classes is called entailment"
    if "translation" in by_name and any(name.startswith(_TRANSLATORS) for name in names):
        return by_name["translation"], f"{names[0]} translates"
    settings = config.get("task_specific_params")
    for told in settings if isinstance(settings, dict) else ():
        task = next((each for each in tasks if str(told).startswith(each.name)), None)
        if task is not None:
            return task, f"its config.json has settings for {task.name}"
    return tasks[0], ""
