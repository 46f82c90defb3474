"""Runs inside an environment with transformers: what the real pipelines make of the starters.

    python tests/support/hugging_face_answers.py LIST

LIST is a JSON file of repositories, [{"task", "root", "model", "row"}, …]. Prints a JSON list with an entry each:

- `missing`, `unexpected`, `mismatched`: parameters of the generated folder that do not fit the class;
- `answer`: what the pipeline answers to the row, a column each, as the platform stores it;
- `kept`: the same after make_model.py was given the generated folder's name;
- or `error`.

Nothing is downloaded: both libraries are told that there is no network.
"""

import contextlib
import json
import os
import runpy
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

caches = tempfile.TemporaryDirectory()
os.environ.update(
    HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HOME=caches.name, TORCHINDUCTOR_CACHE_DIR=caches.name
)
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)  # tiny models: threads would wait for each other, most of all on a busy machine
PAINTING = "stable-diffusion-text-2-img"


def loading(folder: Path) -> dict:
    """What of the weights does not fit the classes that the folder names."""
    found = {"missing": [], "unexpected": [], "mismatched": []}
    for part, class_ in parts(folder):
        _, info = class_.from_pretrained(str(part), output_loading_info=True)
        for key in found:
            found[key] += sorted(map(str, info.get(f"{key}_keys") or ()))
    return found


def parts(folder: Path) -> list:
    config = folder / "config.json"
    if config.is_file():
        return [(folder, getattr(transformers, json.loads(config.read_text())["architectures"][0]))]
    import diffusers

    libraries = {"transformers": transformers, "diffusers": diffusers}
    index = json.loads((folder / "model_index.json").read_text())
    named = {name: index[name] for name in ("text_encoder", "unet", "vae")}
    return [(folder / name, getattr(libraries[library], class_)) for name, (library, class_) in named.items()]


def answer(task: str, folder: Path, row: dict) -> dict:
    transformers.set_seed(1)
    if task == PAINTING:
        return painted(folder, row)
    pipe = transformers.pipeline(task, model=str(folder), device="cpu")
    given = {name: pythonic(task, value) for name, value in row.items()}
    first = next((name for name in ("inputs", "images") if name in given), None)
    return columns(task, pipe(given.pop(first), **given) if first else pipe(**given))


def pythonic(task: str, value):
    """A column's value as the pipeline takes it: a picture, a sound, or what it is."""
    if isinstance(value, list) and isinstance(value[0], list):
        return Image.fromarray(np.array(value, dtype=np.uint8))
    if isinstance(value, list) and isinstance(value[0], float):
        return np.array(value, dtype=np.float32)
    return value


def painted(folder: Path, row: dict) -> dict:
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(str(folder), low_cpu_mem_usage=False)
    pipe.set_progress_bar_config(disable=True)
    (image,) = pipe(**row, generator=torch.Generator().manual_seed(1)).images
    return {"images": plain(image)}


def columns(task: str, said) -> dict:
    """A row's answer by column: a list of dictionaries is a list a key."""
    if task == "feature-extraction":
        return {"output": said[0]}
    if task in {"summarization", "translation"}:
        (said,) = said
    if isinstance(said, dict):
        return {key: plain(value) for key, value in said.items()}
    return {key: [plain(each[key]) for each in said] for key in (said[0] if said else ())}


def plain(value):
    if isinstance(value, Image.Image):
        return np.asarray(value).astype(int).tolist()
    if isinstance(value, dict) and "xmin" in value:
        return [value[key] for key in ("xmin", "ymin", "xmax", "ymax")]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def made(root: Path, *arguments: str) -> None:
    """Run the repository's own script."""
    before, sys.argv = sys.argv, ["make_model.py", *arguments]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            runpy.run_path(str(root / "make_model.py"), run_name="__main__")
    finally:
        sys.argv = before


def tried(task: str, root: Path, model: str, row: dict) -> dict:
    folder = root / model
    found = {**loading(folder), "answer": answer(task, folder, row)}
    original = root / "original"
    shutil.copytree(folder, original)
    made(root, str(original))
    found["kept"] = answer(task, folder, row)
    return found


def main() -> None:
    results = []
    for each in json.loads(Path(sys.argv[1]).read_text()):
        try:
            results.append(tried(each["task"], Path(each["root"]), each["model"], each["row"]))
        except Exception:
            results.append({"error": traceback.format_exc()})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
