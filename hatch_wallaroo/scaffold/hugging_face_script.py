"""make_model.py of the starters: it builds the tiny model with the real libraries, and fetches real models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.scaffold import texts
from hatch_wallaroo.scaffold.hugging_face_models import model_table
from hatch_wallaroo.scaffold.hugging_face_tokenizer import (
    BEGIN,
    END,
    FRAMES,
    PUNCTUATION,
    tokenizer_settings,
)


def make_model(name: str, values: Mapping[str, Any]) -> str:
    """The script for one of the models. `values` are the template's own, `model`, `name` and such."""
    table = model_table(name)
    files = table["files"]
    if "model_index.json" in files:
        parts = {key: python(bare(files[f"{key}/config.json"])) for key in ("text_encoder", "unet", "vae")}
        parts["scheduler"] = python(bare(files["scheduler/scheduler_config.json"]))
        more: dict[str, Any] = {**parts, **tokenizer_values(table)}
        return _rendered("hugging-face/make_pipeline.py", {**values, **more})
    processor = dict(files.get("preprocessor_config.json", {}))
    # An image processor's class is also called feature_extractor_type: image-to-text of 4.27 looks for that.
    kind = "image_processor_type" if "image_processor_type" in processor else "feature_extractor_type"
    processor_class = processor.pop(kind, None)
    generation = files.get("generation_config.json")
    letters = "tokenizer" in table
    speech = "tokenizer_config.json" in files
    class_ = table["loads"][""]
    used = {
        "AutoConfig",
        class_,
        "pipeline",
        *([processor_class] if processor_class else []),
        *(["PreTrainedTokenizerFast"] if letters else []),
        *(["Wav2Vec2CTCTokenizer"] if speech else []),
    }
    more = {
        "class": class_,
        "config": python(bare(files["config.json"], keep_type=True)),
        "processor": python(processor) if processor else "",
        "processor_class": processor_class,
        "generation": python(generation) if generation else "",
        "tokenizer": "letters" if letters else "speech" if speech else "",
        "imports": sorted(used),
        **(tokenizer_values(table) if letters else {}),
    }
    return _rendered("hugging-face/make_model.py", {**values, **more})


def tokenizer_values(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the tokenizer's function in the templates is filled with."""
    given = {key: value for key, value in table["tokenizer"].items() if key != "at"}
    frame = FRAMES.get(given["frame"])
    settings = {key: value for key, value in tokenizer_settings(**given).items() if key != "tokenizer_class"}
    return {
        "frame": frame,
        "framed": python([token for token in (BEGIN, END) if frame and token in frame[0]]),
        "punctuation": python(PUNCTUATION),
        "settings": [(key, "CHAT" if key == "chat_template" else python(value)) for key, value in settings.items()],
    }


def bare(config: Mapping[str, Any], *, keep_type: bool = False) -> dict[str, Any]:
    """A config as the class takes it: without what only a file says, and labels by number."""
    left_out = {"architectures", "torch_dtype"} | (set() if keep_type else {"model_type"})
    made = {key: value for key, value in config.items() if key not in left_out and not key.startswith("_")}
    if "id2label" in made:
        made["id2label"] = {int(number): label for number, label in made["id2label"].items()}
    return made


def python(value: Any, depth: int = 0) -> str:
    """A value as Python, as a formatter would lay it out: dictionaries with a line a key, the rest on one line."""
    if isinstance(value, Mapping) and value:
        inside = "    " * (depth + 1)
        lines = [f"{inside}{python(key)}: {python(each, depth + 1)},\n" for key, each in value.items()]
        return "{\n" + "".join(lines) + "    " * depth + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(python, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _rendered(template: str, values: Mapping[str, Any]) -> str:
    return texts.render(template, {"late": False, "frame": None, **values})
