"""The starters that are folders as `save_pretrained` writes them: of the Hugging Face tasks, of vLLM and of SGLang.

Each is the smallest model of its kind that the real libraries load, with random weights.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from math import pi, sin, sqrt
from pathlib import Path, PurePosixPath
from typing import Any

from hatch_wallaroo.frameworks.pretrained.hugging_face import reads_safetensors
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, FieldRule, tasks
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import template_files
from hatch_wallaroo.scaffold.starters import MAKER, Starter, schema
from hatch_wallaroo.scaffold.torch_weights import torch_archive
from hatch_wallaroo.schema.notation import format_type, of_shape
from hatch_wallaroo.schema.types import Scalar, Schema, shape

_MODELS = "hugging-face/models"
_ORANGE, _BLACK = [255, 140, 0], [0, 0, 0]
_RATE, _PITCH, _SECONDS = 16_000, 440, 0.2
_ENGINES = {"vllm": ("vLLM", "max_model_len"), "sglang": ("SGLang", "context_length")}


def task_starter(row: FrameworkRow, release: Release) -> Starter:
    """The beginning for a task, in the guide's schemas. Its weights are in the form that the release reads."""
    task = row.task or row.name.removeprefix(PREFIX)
    told = _starters()[task]
    inputs, outputs = (_schema(rules, told) for rules in (tasks()[task].input, tasks()[task].output))
    safe = reads_safetensors(row)
    values = {
        "model": f"models/{task}",
        "what": told["what"],
        "name": told["name"],
        "task": task,
        "pipeline": told["model"] == "stable-diffusion",
        "then": told["then"],
        "safe": safe,
        "release": release.asked,
        "runs": row.libraries.get("transformers"),
        "install": _install(row, told.get("needs", ())),
    }
    folder = model_folder(told["model"], pickled=not safe)
    return _starter("hugging-face", values, inputs, outputs, _row(told["row"], inputs), folder)


def engine_starter(row: FrameworkRow, release: Release) -> Starter:  # noqa: ARG001 - the same for every release that has them
    """The beginning for an engine, a tiny Llama. Its settings are the release's defaults, which fit the model.

    Source of the schemas: the vendor's tutorial on continuous batching with the native vLLM runtime, 2025.1. SGLang's
    are published nowhere; Wallaroo calls both engines with a prompt.
    """
    engine, context = _ENGINES[row.name]
    values = {
        "model": "models/llm",
        "what": "a Llama that continues a text",
        "name": "Qwen/Qwen2.5-0.5B-Instruct",
        "engine": engine,
        "context": context,
    }
    inputs = schema({"prompt": "string", "max_tokens": "int64"})
    outputs = schema({"generated_text": "string", "num_output_tokens": "int64"})
    sample = {"prompt": "Once upon a time", "max_tokens": 16}
    return _starter("llm", values, inputs, outputs, sample, model_folder("llama"), {"accel": "cuda"})


def model_folder(name: str, *, pickled: bool = False) -> dict[str, bytes]:
    """A model's files by their path in its folder. `pickled`: weights as .bin, where no safetensors are read."""
    home = template_files.path(f"{_MODELS}/{name}")
    found = {each.relative_to(home).as_posix(): each.read_bytes() for each in sorted(home.rglob("*")) if each.is_file()}
    return dict(_as_pickle(path, data) for path, data in found.items()) if pickled else found


def _as_pickle(path: str, data: bytes) -> tuple[str, bytes]:
    each = PurePosixPath(path)
    if each.suffix != ".safetensors":
        return path, data
    stem = "pytorch_model" if each.stem == "model" else each.stem
    return each.with_name(f"{stem}.bin").as_posix(), torch_archive(data)


def _starter(
    family: str,
    values: Mapping[str, Any],
    inputs: Schema,
    outputs: Schema,
    row: Mapping[str, Any],
    folder: Mapping[str, bytes],
    table: Mapping[str, Any] | None = None,
) -> Starter:
    model: str = values["model"]
    files = {f"{model}/{path}": content for path, content in folder.items()}
    files[MAKER] = template_files.render(f"{family}/{MAKER}", values).encode()
    return Starter(
        inputs=inputs,
        outputs=outputs,
        files=files,
        about=template_files.paragraphs(f"{family}/about.md", values),
        replace=template_files.paragraphs(f"{family}/replace.md", values),
        model=model,
        sample={"inputs": [row]},
        table=table or {},
    )


def _schema(rules: Mapping[str, FieldRule], told: Mapping[str, Any]) -> Schema:
    """The guide's schema, where a row may leave out what the pipeline has a default for."""
    own, lacks = told.get("fields", {}), told.get("lacks", ())
    return schema({name: _field(rule, own.get(name)) for name, rule in rules.items() if name not in lacks})


def _field(rule: FieldRule, own: Any) -> Any:
    told = rule.shapes[0]
    value = own or format_type(of_shape(Scalar(told.dtype), told.sizes))
    if rule.need != "optional":
        return value
    return {**(value if isinstance(value, Mapping) else {"type": value}), "optional": True}


def _row(row: Mapping[str, Any], inputs: Schema) -> dict[str, Any]:
    """The sample's row, with the picture or the sound in the size that the schema says."""
    made = dict(row)
    for field in inputs.fields:
        if row.get(field.name) == "picture":
            height, width, _ = (size or 1 for size in shape(field.type))
            made[field.name] = _picture(height, width)
        elif row.get(field.name) == "tone":
            made[field.name] = _tone()
    return made


def _picture(height: int, width: int) -> list[list[list[int]]]:
    """An orange on black, row by row, each point red, green and blue."""
    rows, radius = [], min(height, width) / 3
    for y in range(height):
        lit = 2 * int(sqrt(max(0.0, radius**2 - (y - (height - 1) / 2) ** 2)))
        left = (width - lit) // 2
        rows.append([_BLACK] * left + [_ORANGE] * lit + [_BLACK] * (width - lit - left))
    return rows


def _tone() -> list[float]:
    """The concert pitch for a fifth of a second, 16,000 numbers a second."""
    return [round(0.5 * sin(2 * pi * _PITCH * step / _RATE), 3) for step in range(int(_RATE * _SECONDS))]


def _install(row: FrameworkRow, needs: Iterable[str]) -> str:
    """What pip is told: the platform's own versions where they are known, else the last that has all these tasks."""
    wanted = ["torch", "transformers", *needs]
    if "transformers" not in row.libraries:
        return " ".join(["torch", '"transformers<5"', *needs])
    pinned = (f"{name}=={row.libraries[name]}" if name in row.libraries else name for name in wanted)
    # Both are asked for by those versions, which were there before the others changed.
    return " ".join([*pinned, '"numpy<2"', '"huggingface-hub<0.26"'])


@cache
def _starters() -> Mapping[str, dict[str, Any]]:
    """What pretrained_starters.toml says of each task."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    file = Path(__file__).with_suffix(".toml")
    read: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return read
