"""Runs inside an environment with transformers and diffusers: the weights of the starter models, as JSON.

    python tests/support/hugging_face_parameters.py hatch_wallaroo/scaffold/hugging_face_models.toml

prints, for each model and each of its files of weights, the name and shape of every parameter that the real
class has with that config. Kept as hatch_wallaroo/scaffold/hugging_face_tensors.json; a test compares.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import tomllib

caches = tempfile.TemporaryDirectory()
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=caches.name, TORCHINDUCTOR_CACHE_DIR=caches.name)

import diffusers  # noqa: E402
import transformers  # noqa: E402

# Older names of the same parameters, which the versions of 2023 know and later ones still read.
OLDER = (
    (re.compile(r"parametrizations\.weight\.original0$"), "weight_g"),
    (re.compile(r"parametrizations\.weight\.original1$"), "weight_v"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_q(?=\.\w+$)"), "query"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_k(?=\.\w+$)"), "key"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_v(?=\.\w+$)"), "value"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_out\.0(?=\.\w+$)"), "proj_attn"),
)


def merged(tables: dict, name: str) -> dict:
    own = tables[name]
    return over(merged(tables, own["like"]), own) if "like" in own else own


def over(base: dict, own: dict) -> dict:
    made = {**base, **own}
    return {
        key: over(base[key], value) if key in base and isinstance(value, dict) else value for key, value in made.items()
    }


def built(class_name: str, config: dict):
    library = diffusers if hasattr(diffusers, class_name) else transformers
    class_ = getattr(library, class_name)
    if library is diffusers:
        return class_(**{key: value for key, value in config.items() if not key.startswith("_")})
    return class_(class_.config_class.from_dict(config))


def older(name: str) -> str:
    for pattern, instead in OLDER:
        name = pattern.sub(instead, name)
    return name


def parameters(model) -> dict:
    seen, found = set(), {}
    for name, tensor in model.state_dict().items():
        where = (tensor.data_ptr(), tuple(tensor.shape)) if tensor.numel() else name
        if where in seen:
            continue
        seen.add(where)
        found[older(name)] = list(tensor.shape)
    return found


def main() -> None:
    tables = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made = {}
    for name in tables:
        table = merged(tables, name)
        for folder, class_name in table.get("loads", {}).items():
            config = table["files"][f"{folder}/config.json".lstrip("/")]
            stem = "diffusion_pytorch_model" if "_class_name" in config else "model"
            weights = parameters(built(class_name, config))
            made.setdefault(name, {})[f"{folder}/{stem}".lstrip("/")] = weights
    lines = json.dumps(made, indent=1)
    print(re.sub(r"\[[\d,\s]*\]", lambda found: "".join(found[0].split()), lines))


if __name__ == "__main__":
    main()
