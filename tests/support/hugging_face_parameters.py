"""Runs inside an environment with transformers and diffusers: the weights of the starter models, as JSON.

    python tests/support/hugging_face_parameters.py templates/project/hugging-face/models [--write]

prints, for each file of weights, the name and shape of every parameter that the real class has with the config beside
it; a test compares them with what the file holds. With --write the files are made anew, with random numbers.

A config has what differs from the class's own defaults in transformers 4.27 and 4.57. A preprocessor_config.json names
both an image processor and a feature extractor, since 4.27 looks for the latter in image-to-text. The Llama has one head
of 64, the smallest that the attention kernels of both vLLM and SGLang take. The tokenizers are of letters, digits and
punctuation; the end of a text has the highest number, by which CLIP of 4.27 finds it.
"""

import json
import os
import random
import re
import struct
import sys
import tempfile
import zlib
from math import prod
from pathlib import Path

caches = tempfile.TemporaryDirectory()
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=caches.name, TORCHINDUCTOR_CACHE_DIR=caches.name)

import diffusers  # noqa: E402
import transformers  # noqa: E402

LETTERS = {"F32": "f", "F16": "e", "I64": "q"}
# Older names of the same parameters, which the versions of 2023 know and later ones still read.
OLDER = (
    (re.compile(r"parametrizations\.weight\.original0$"), "weight_g"),
    (re.compile(r"parametrizations\.weight\.original1$"), "weight_v"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_q(?=\.\w+$)"), "query"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_k(?=\.\w+$)"), "key"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_v(?=\.\w+$)"), "value"),
    (re.compile(r"(?<=mid_block\.attentions\.0\.)to_out\.0(?=\.\w+$)"), "proj_attn"),
)


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


def number_of(name: str, shape: list) -> list:
    """Numbers such as a fresh model has, the same on every machine: random, but for the scales that begin at 1."""
    count, last = prod(shape), name.rpartition(".")[2]
    if last == "num_batches_tracked":
        return [0] * count
    if last == "logit_scale":
        return [2.6592] * count  # CLIP's own, ln(1 / 0.07)
    if (last == "weight" and len(shape) == 1) or last in {"running_var", "weight_g"}:
        return [1.0] * count
    # Each name has its own sequence, so that a parameter more does not change the others.
    draw = random.Random(zlib.crc32(name.encode())).random
    widest = (3 / (prod(shape[1:]) if len(shape) > 1 else shape[0])) ** 0.5
    return [(2 * draw() - 1) * widest for _ in range(count)]


def write(path: Path, shapes: dict, dtype: str) -> None:
    """A safetensors file, by name."""
    header, parts, end = {"__metadata__": {"format": "pt"}}, [], 0
    for name, shape in sorted(shapes.items()):
        own = "I64" if name.endswith("num_batches_tracked") else dtype
        parts.append(struct.pack(f"<{prod(shape)}{LETTERS[own]}", *number_of(name, shape)))
        start, end = end, end + len(parts[-1])
        header[name] = {"dtype": own, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main() -> None:
    home, told = Path(sys.argv[1]), {}
    for file in sorted(home.rglob("config.json")):
        config = json.loads(file.read_text(encoding="utf-8"))
        class_name, *_ = config.get("architectures") or [config["_class_name"]]
        stem = "diffusion_pytorch_model" if "_class_name" in config else "model"
        weights = file.with_name(f"{stem}.safetensors")
        shapes = told[weights.relative_to(home).as_posix()] = parameters(built(class_name, config))
        if "--write" in sys.argv:
            write(weights, shapes, "F16" if config.get("torch_dtype") == "float16" else "F32")
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
