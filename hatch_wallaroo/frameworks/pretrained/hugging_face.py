"""Hugging Face: a folder that `save_pretrained` wrote, of transformers or a diffusion pipeline, for one task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, is_newer, version_numbers
from hatch_wallaroo.frameworks.pretrained.folder import (
    DIFFUSERS,
    NOT_A_FOLDER,
    TRANSFORMERS,
    architectures_of,
    check_beside,
    check_tokenizer,
    members,
    plan_pretrained,
    read_config,
    read_json,
    text_of,
)
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, Task, check_schemas, fitting, task_of
from hatch_wallaroo.frameworks.pretrained.weights import check_weights
from hatch_wallaroo.releases.model import FrameworkRow

WRONG_TASK = rule(
    "WLR402",
    "the model was made for another task",
    why="The pipeline loads what weights it finds and fills the head that is missing with random numbers: the model "
    "becomes `ready`, and answers nonsense. Or it refuses the architecture.",
    source="transformers, pipelines and models/auto/modeling_auto.py, 4.27 to 4.57",
)
UNKNOWN_ARCHITECTURE = rule(
    "WLR403",
    "it cannot be told whether the model fits its task",
    why="config.json names the class that saved the model; a name that is not known here cannot be judged.",
    source="transformers, PretrainedConfig.architectures",
    level=Level.NOTE,
)
CUSTOM_CODE = rule(
    "WLR411",
    "the model brings code of its own",
    why="A config with an auto_map asks for Python files of the model to be executed (trust_remote_code=True). "
    "Wallaroo has no setting for that.",
    source="transformers, dynamic_module_utils; the guide's upload parameters for Hugging Face",
    level=Level.WARNING,
)
NEWER = rule(
    "WLR412",
    "saved with a newer transformers than the platform runs",
    why="An older transformers does not know newer architectures, and may read a newer config otherwise.",
    source="The guide's Supported Libraries for Hugging Face; transformers_version in config.json",
    level=Level.WARNING,
)
QUANTIZED = rule(
    "WLR414",
    "quantized weights that the platform may not load",
    why="Quantized weights are loaded by a library besides transformers, such as bitsandbytes, which is not among the "
    "release's libraries.",
    source="The guide's Supported Libraries for Hugging Face; transformers, quantization_config",
    level=Level.WARNING,
)
NO_ENTAILMENT = rule(
    "WLR415",
    "a classifier that does not know entailment",
    why="Zero-shot classification asks an NLI model whether a text entails a hypothesis, and finds that class by its "
    "name. Without it the pipeline takes the last class, whatever it means.",
    source="transformers, pipelines/zero_shot_classification.py, entailment_id",
    level=Level.WARNING,
)

_READS_SAFETENSORS = (4, 30)
"""transformers requires the safetensors package from here on."""
INCOMPLETE = rule(
    "WLR413",
    "a diffusion pipeline that is not whole, or not one for text to image",
    why="model_index.json lists the pipeline's components; each is loaded from the folder of its name.",
    source="diffusers 0.14.0, DiffusionPipeline.from_pretrained",
)

_WITHOUT_WEIGHTS = ("scheduler", "tokenizer", "tokenizer_2", "feature_extractor", "image_processor")


class HuggingFace(Family):
    """The frameworks `hugging-face-*`."""

    def plan(self, spec: ModelSpec) -> Planned:
        return plan_pretrained(spec, prefer_safetensors=reads_safetensors(spec.framework))

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        task = task_of(spec.framework)
        files = members(layout)
        findings: list[Finding] = []
        facts: dict[str, Any] = {"task": task.name if task else None}
        if task and task.diffusers:
            facts |= check_diffusion(spec, files, findings, safetensors_known=reads_safetensors(spec.framework))
        elif "model_index.json" in files and "config.json" not in files:
            findings.append(_diffusion_elsewhere(spec))
        else:
            facts |= _transformers(spec, task, files, findings)
        return Inspection(facts, tuple(findings))

    def check_schemas(self, spec: ModelSpec, facts: Mapping[str, Any]) -> tuple[Finding, ...]:  # noqa: ARG002 - the task's alone
        """The fields of the task, whatever the model is."""
        task = task_of(spec.framework)
        return tuple(check_schemas(spec, task)) if task else ()


def reads_safetensors(row: FrameworkRow) -> bool:
    """Whether nothing speaks against it: the version is not known, or new enough."""
    version = version_numbers(row.libraries.get("transformers", ""))
    return not version or version >= _READS_SAFETENSORS


def _diffusion_elsewhere(spec: ModelSpec) -> Finding:
    return WRONG_TASK.finding(
        f"{spec.model} holds a diffusion pipeline (model_index.json), which {spec.framework.name} does not take",
        fix=f'framework = "{PREFIX}stable-diffusion-text-2-img"',
        place=spec.at("framework"),
    )


def _transformers(
    spec: ModelSpec, task: Task | None, files: Mapping[str, Entry], findings: list[Finding]
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    top = {path: entry for path, entry in files.items() if "/" not in path}
    config = read_config(spec, top, findings)
    if config is not None:
        architectures = architectures_of(config)
        facts |= {
            "architectures": list(architectures),
            "model_type": text_of(config, "model_type") or None,
            "transformers": text_of(config, "transformers_version") or None,
        }
        at = Place(file=top["config.json"].name)
        if task:
            findings += _fit(spec, task, architectures, at)
            findings += _entailment(task, config, architectures, at)
        findings += _config(spec, config, at)
    weights = check_weights(top, spec.at("model"), loose=False, safetensors_known=reads_safetensors(spec.framework))
    findings += weights.findings
    facts["weights"] = weights.facts
    if task:
        findings += check_beside(spec, task.beside, top, config or {})
    return facts


def _fit(spec: ModelSpec, task: Task, architectures: tuple[str, ...], at: Place) -> Iterator[Finding]:
    if any(task.takes(each) for each in architectures):
        return
    listed = {each for each in architectures if any(other.names(each) for other in fitting(each))}
    if any(task.may_take(each) for each in architectures if each not in listed):
        return
    if task.may_take("*") and architectures:
        return  # any model has features
    fits = [
        each for each in dict.fromkeys(one for name in architectures for one in fitting(name)) if _offered(spec, each)
    ]
    name = ", ".join(architectures)
    if not fits:
        said = f"names the architecture {name}, which is not known here" if name else "names no architectures"
        yield UNKNOWN_ARCHITECTURE.finding(
            f"{at.file} {said}: check that it is one for {task.name}",
            fix=f"a model for it is loaded and saved with {task.auto}",
            place=at,
        )
        return
    fits.sort(key=lambda each: each.name == "feature-extraction")
    choices = " or ".join(f'"{each.framework}"' for each in fits)
    yield WRONG_TASK.finding(
        f"{at.file} says {name}, which does not fit {task.framework}; it fits {choices.replace(chr(34), '')}",
        fix=f"framework = {choices}, or train and save the model with {task.auto}",
        place=spec.at("framework"),
    )


def _offered(spec: ModelSpec, task: Task) -> bool:
    """Whether to name it: sentiment-analysis is text-classification under another name."""
    return task.framework in spec.release.frameworks and task.name != "sentiment-analysis"


def _entailment(task: Task, config: Mapping[str, Any], architectures: tuple[str, ...], at: Place) -> Iterator[Finding]:
    if not task.entailment or not any(task.takes(each) for each in architectures):
        return
    named = config.get("label2id")
    if isinstance(named, dict) and any(str(label).lower().startswith("entail") for label in named):
        return
    labels = ", ".join(map(str, list(named)[:4])) if isinstance(named, dict) else "LABEL_0, LABEL_1"
    yield NO_ENTAILMENT.finding(
        f"{at.file}: no class is called entailment (they are {labels})",
        fix='use a model trained for natural language inference, or name its class: "label2id": {"entailment": 2, …}',
        place=at,
    )


def _config(spec: ModelSpec, config: Mapping[str, Any], at: Place) -> Iterator[Finding]:
    if config.get("auto_map"):
        files = ", ".join(sorted(_code_files(config["auto_map"]))[:3])
        yield CUSTOM_CODE.finding(
            f"{at.file} has an auto_map: the model is loaded by its own code{f' ({files})' if files else ''}, "
            "which the platform does not execute",
            fix='use a model that transformers knows by itself, or package it with framework = "custom"',
            place=at,
            level=None if reads_safetensors(spec.framework) else Level.ERROR,
        )
    quantization = config.get("quantization_config")
    if isinstance(quantization, dict):
        method = text_of(quantization, "quant_method") or (
            "bitsandbytes" if any(str(key).startswith(("load_in", "_load_in", "bnb_")) for key in quantization) else "a"
        )
        yield QUANTIZED.finding(
            f"{at.file}: the weights are quantized ({method}), which none of the libraries of "
            f"{spec.release.version} is known to load",
            fix='save the model without quantization, or package it with framework = "custom"',
            place=at,
        )
    yield from _newer(spec, text_of(config, "transformers_version"), "transformers", at)


def _newer(spec: ModelSpec, saved: str, library: str, at: Place) -> Iterator[Finding]:
    runs = spec.framework.libraries.get(library, "")
    if is_newer(saved, runs):
        yield NEWER.finding(
            f"{at.file}: saved with {library} {saved}; Wallaroo {spec.release.version} runs {library} {runs}",
            fix=f"save it with {library}=={runs}, and try it there",
            place=at,
        )


def _code_files(auto_map: object) -> set[str]:
    values = auto_map.values() if isinstance(auto_map, dict) else ()
    flat = (one for value in values for one in (value if isinstance(value, list) else [value]))
    return {f"{one.rpartition('--')[2].partition('.')[0]}.py" for one in flat if isinstance(one, str)}


def check_diffusion(
    spec: ModelSpec, files: Mapping[str, Entry], findings: list[Finding], *, safetensors_known: bool
) -> dict[str, Any]:
    """Judge a pipeline's folder; findings are added to those given. Returns facts for the manifest."""
    entry = files.get("model_index.json")
    if entry is None:
        findings.append(
            NOT_A_FOLDER.finding(
                f"{spec.model} holds no model_index.json, so it is no diffusion pipeline",
                fix="save the whole pipeline: pipeline.save_pretrained(folder)",
                place=spec.at("model"),
            )
        )
        return {}
    index, broken = read_json(entry)
    findings += broken
    if index is None:
        return {}
    at = Place(file=entry.name)
    named = text_of(index, "_class_name")
    if not named.startswith("StableDiffusion"):
        findings.append(
            INCOMPLETE.finding(
                f"{entry.name} says {named or 'no _class_name'}; the task is served by StableDiffusionPipeline",
                fix='use a Stable Diffusion model, or package this one with framework = "custom"',
                place=at,
                level=Level.WARNING if named else None,
            )
        )
    elif named not in {"StableDiffusionPipeline", "StableDiffusionPipelineSafe"}:
        findings.append(
            INCOMPLETE.finding(
                f"{entry.name} says {named}, which is not the pipeline for text to image of Stable Diffusion 1 and 2",
                fix="save the model as a StableDiffusionPipeline",
                place=at,
                level=Level.WARNING,
            )
        )
    parts = {name: value for name, value in index.items() if _is_component(name, value)}
    weights = {name: _part(name, value, files, findings, at, safetensors_known) for name, value in parts.items()}
    return {
        "pipeline": named or None,
        "diffusers": text_of(index, "_diffusers_version") or None,
        "components": sorted(parts),
        "weights": {"bytes": sum(size for size in weights.values())},
    }


def _is_component(name: str, value: object) -> bool:
    """`"unet": ["diffusers", "UNet2DConditionModel"]`; an unused one is `[null, null]`."""
    return not name.startswith("_") and isinstance(value, list) and len(value) == 2 and all(value)  # noqa: PLR2004


def _part(
    name: str, value: list[Any], files: Mapping[str, Entry], findings: list[Finding], at: Place, known: bool
) -> int:
    """Judge one component's folder. Returns the bytes of its weights."""
    inside = {path.removeprefix(f"{name}/"): each for path, each in files.items() if path.startswith(f"{name}/")}
    if not inside:
        findings.append(
            INCOMPLETE.finding(
                f"{at.file} lists the component {name!r}, and there is no folder {name}/",
                fix="save the whole pipeline: pipeline.save_pretrained(folder)",
                place=at,
            )
        )
        return 0
    if name.startswith("tokenizer"):
        findings += check_tokenizer(inside, {}, Place(file=f"{at.file.rpartition('/')[0]}/{name}".lstrip("/")))
    if name.startswith(_WITHOUT_WEIGHTS):
        return 0
    names = (
        DIFFUSERS if value[0] == "diffusers" or any(each.startswith("diffusion_") for each in inside) else TRANSFORMERS
    )
    place = Place(file=f"{at.file.rpartition('/')[0]}/{name}".lstrip("/"))
    weights = check_weights(inside, place, loose=False, safetensors_known=known, names=names)
    findings += weights.findings
    return int(weights.facts["bytes"])
