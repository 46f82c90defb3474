"""The starters of the Hugging Face tasks: the guide's schemas, a tiny model that really loads, how to replace it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hatch_wallaroo.frameworks.pretrained.hugging_face import reads_safetensors
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, FieldRule, tasks
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import texts
from hatch_wallaroo.scaffold.hugging_face_models import model_folder, tables
from hatch_wallaroo.scaffold.hugging_face_samples import picture, tone
from hatch_wallaroo.scaffold.hugging_face_script import make_model
from hatch_wallaroo.scaffold.starter import Starter
from hatch_wallaroo.schema.tables import read_schema
from hatch_wallaroo.schema.types import Schema, shape


def starter(row: FrameworkRow, release: Release) -> Starter:
    """The beginning for a task. Its weights are in the form that the release's transformers reads."""
    task = row.task or row.name.removeprefix(PREFIX)
    told = tables("hugging_face_starters")[task]
    rules = tasks()[task]
    inputs = _schema(told["inputs"], rules.input)
    outputs = _schema(told["outputs"], rules.output)
    model = f"models/{task}"
    safe = reads_safetensors(row)
    values = {
        "model": model,
        "what": told["what"],
        "name": told["name"],
        "task": task,
        "then": told["then"],
        "safe": safe,
        "release": release.asked,
        "runs": row.libraries.get("transformers"),
        "install": _install(row, told.get("needs", ())),
    }
    folder = model_folder(told["model"], pickled=not safe)
    files = {f"{model}/{path}": content for path, content in folder.items()}
    files["make_model.py"] = make_model(told["model"], values).encode()
    return Starter(
        inputs=inputs,
        outputs=outputs,
        files=files,
        about=texts.paragraphs("hugging-face/about.md", values),
        replace=texts.paragraphs("hugging-face/replace.md", values),
        model=model,
        sample={"inputs": [_row(told["row"], inputs)]},
    )


def _schema(table: Mapping[str, Any], rules: Mapping[str, FieldRule]) -> Schema:
    """The guide's schema, where a row may leave out what the pipeline has a default for."""
    marked = {name: _field(value, rules[name]) for name, value in table.items()}
    made, problems = read_schema(marked)
    if problems:
        raise ValueError(f"no schema: {problems}")
    return made


def _field(value: Any, rule: FieldRule) -> Any:
    if rule.need != "optional":
        return value
    return {**(value if isinstance(value, Mapping) else {"type": value}), "optional": True}


def _row(row: Mapping[str, Any], inputs: Schema) -> dict[str, Any]:
    """The sample's row, with the picture or the sound in the size that the schema says."""
    made = dict(row)
    for field in inputs.fields:
        if row.get(field.name) == "picture":
            height, width, _ = (size or 1 for size in shape(field.type))
            made[field.name] = picture(height, width)
        elif row.get(field.name) == "tone":
            made[field.name] = tone()
    return made


def _install(row: FrameworkRow, needs: Iterable[str]) -> str:
    """What pip is told: the platform's own versions where they are known, else the last that has all these tasks."""
    wanted = ["torch", "transformers", *needs]
    if "transformers" not in row.libraries:
        return " ".join(["torch", '"transformers<5"', *needs])
    pinned = (f"{name}=={row.libraries[name]}" if name in row.libraries else name for name in wanted)
    # Both are asked for by those versions, which were there before the others changed.
    return " ".join([*pinned, '"numpy<2"', '"huggingface-hub<0.26"'])
