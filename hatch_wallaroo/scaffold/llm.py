"""The starters of vLLM and SGLang: a tiny Llama that both engines load."""

from __future__ import annotations

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold import texts
from hatch_wallaroo.scaffold.hugging_face_models import model_folder, model_table
from hatch_wallaroo.scaffold.hugging_face_script import bare, python, tokenizer_values
from hatch_wallaroo.scaffold.hugging_face_tokenizer import CHAT
from hatch_wallaroo.scaffold.starter import Starter
from hatch_wallaroo.schema.types import Field, Scalar, Schema

_MODEL = "llama"
_ENGINES = {"vllm": ("vLLM", "max_model_len"), "sglang": ("SGLang", "context_length")}
_INPUTS = Schema((Field("prompt", Scalar("string")), Field("max_tokens", Scalar("int64"))))
_OUTPUTS = Schema((Field("generated_text", Scalar("string")), Field("num_output_tokens", Scalar("int64"))))
"""Source: the vendor's tutorial on continuous batching with the native vLLM runtime, 2025.1. SGLang's are published
nowhere; Wallaroo calls both engines with a prompt."""


def starter(row: FrameworkRow, release: Release) -> Starter:  # noqa: ARG001 - the same for every release that has them
    """The beginning for an engine. Its settings are the release's defaults, which fit the model."""
    engine, context = _ENGINES[row.name]
    model = "models/llm"
    table = model_table(_MODEL)
    values = {
        "model": model,
        "what": "a Llama that continues a text",
        "name": "Qwen/Qwen2.5-0.5B-Instruct",
        "kind": "Llama",
        "engine": engine,
        "context": context,
        "class": table["loads"][""],
        "config": python(bare(table["files"]["config.json"], keep_type=True)),
        "chat": python(CHAT),
        **tokenizer_values(table),
    }
    files = {f"{model}/{path}": content for path, content in model_folder(_MODEL).items()}
    files["make_model.py"] = texts.render("llm/make_model.py", values).encode()
    return Starter(
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        files=files,
        about=texts.paragraphs("llm/about.md", values),
        replace=texts.paragraphs("llm/replace.md", values),
        model=model,
        sample={"inputs": [{"prompt": "Once upon a time", "max_tokens": 16}]},
        table={"accel": "cuda"},
    )
