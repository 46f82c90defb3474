"""A diffusion pipeline: model_index.json and a folder for each of its components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import Entry
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.frameworks.pretrained.folder import NOT_A_FOLDER, read_json, text_of
from hatch_wallaroo.frameworks.pretrained.tokenizer_files import check_tokenizer
from hatch_wallaroo.frameworks.pretrained.weights import DIFFUSERS, TRANSFORMERS, check_weights

INCOMPLETE = rule(
    "WLR413",
    "a diffusion pipeline that is not whole, or not one for text to image",
    why="model_index.json lists the pipeline's components; each is loaded from the folder of its name.",
    source="diffusers 0.14.0, DiffusionPipeline.from_pretrained",
)

_WITHOUT_WEIGHTS = ("scheduler", "tokenizer", "tokenizer_2", "feature_extractor", "image_processor")


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
