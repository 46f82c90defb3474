"""The folder of a starter model, as `save_pretrained` would write it: its JSON files and its weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hatch_wallaroo.releases.load import merge
from hatch_wallaroo.scaffold.hugging_face_tokenizer import SPEECH, tokenizer_files
from hatch_wallaroo.scaffold.hugging_face_weights import safetensors, torch_archive

_HERE = Path(__file__).parent


def model_names() -> tuple[str, ...]:
    """The models that have weights."""
    return tuple(_shapes())


def model_table(name: str) -> dict[str, Any]:
    """What hugging_face_models.toml says of a model, with what it continues."""
    own = tables("hugging_face_models")[name]
    return merge(model_table(own["like"]), own) if "like" in own else merge({}, own)


def model_folder(name: str, *, pickled: bool = False) -> dict[str, bytes]:
    """The files by their path in the folder. `pickled`: weights as .bin, for a platform that reads no safetensors."""
    table = model_table(name)
    files = {path: _json(content) for path, content in json_files(table).items()}
    for stem, shapes in _shapes()[name].items():
        if pickled:
            folder, _, base = stem.rpartition("/")
            base = "pytorch_model" if base == "model" else base
            files[f"{folder}/{base}.bin".lstrip("/")] = torch_archive(shapes, table.get("dtype", "F32"))
        else:
            files[f"{stem}.safetensors"] = safetensors(shapes, table.get("dtype", "F32"))
    return dict(sorted(files.items()))


def json_files(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All JSON files of a model, its tokenizer's among them."""
    files: dict[str, dict[str, Any]] = dict(table["files"])
    if "tokenizer" in table:
        settings = dict(table["tokenizer"])
        at = settings.pop("at", "")
        files |= {f"{at}/{path}".lstrip("/"): content for path, content in tokenizer_files(**settings).items()}
    elif "tokenizer_config.json" in files:
        files["vocab.json"] = {letter: number for number, letter in enumerate(SPEECH)}
    return files


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


@cache
def tables(name: str) -> Mapping[str, dict[str, Any]]:
    """A TOML file beside this module."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    read: dict[str, dict[str, Any]] = tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))
    return read


@cache
def _shapes() -> Mapping[str, Mapping[str, Mapping[str, list[int]]]]:
    """Model, file of weights without its ending, parameter: its shape."""
    read: dict[str, dict[str, dict[str, list[int]]]] = json.loads(
        (_HERE / "hugging_face_tensors.json").read_text(encoding="utf-8")
    )
    return read
