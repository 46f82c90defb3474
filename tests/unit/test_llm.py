"""Language models for vLLM and SGLang."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatch_wallaroo.frameworks.pretrained.llm import Llm
from support.factory import make_spec, safetensors

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 4096}


FILES: dict[str, Any] = {
    "config.json": CONFIG,
    "model.safetensors": safetensors(),
    "tokenizer.json": {"version": "1.0"},
    "tokenizer_config.json": {},
}


def inspected(tmp_path, changed=None, engine="vllm", release="2026.1", **options):
    for name, content in {**FILES, **(changed or {})}.items():
        if content is None:
            continue
        path = tmp_path / "llama" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    spec = make_spec(tmp_path, engine, release=release, model="llama", **{"accel": "cuda", **options})
    planned = Llm().plan(spec)
    if planned.layout is None:
        return None, {}, list(planned.findings)
    inspection = Llm().inspect(spec, planned.layout)
    return planned.layout, inspection.facts, [*planned.findings, *inspection.findings]


@pytest.mark.parametrize(
    ("engine", "release"), [("vllm", "2025.1"), ("vllm", "2025.2"), ("vllm", "2026.1"), ("sglang", "2026.1")]
)
def test_a_model_with_the_default_settings(tmp_path, engine, release) -> None:
    layout, facts, findings = inspected(tmp_path, engine=engine, release=release)
    assert findings == []
    assert [entry.path for entry in layout.entries] == [f"a-model/{name}" for name in sorted(FILES)]
    assert facts["context"] == 4096
    assert facts["weights"]["parameters"] == 2


FOLDERS = [
    ({"config.json": {"architectures": ["BertForSequenceClassification"]}}, ["WLR430 warning"]),
    ({"config.json": {}}, ["WLR430 warning"]),
    ({"config.json": {"architectures": ["Qwen2VLForConditionalGeneration"]}}, []),
    ({"config.json": None}, ["WLR400 error"]),
    ({"model.safetensors": None}, ["WLR404 error"]),
    ({"model.safetensors": None, "llama-q4.gguf": b"GGUF"}, ["WLR404 warning"]),
    ({"model.safetensors": None, "model-00001-of-00001.safetensors": safetensors()}, []),
    ({"model.safetensors": None, "weights.safetensors": safetensors()}, []),
    ({"model.safetensors": safetensors()[:-1]}, ["WLR406 error"]),
    ({"tokenizer.json": None}, ["WLR409 error"]),
    ({"tokenizer.json": None, "tokenizer.model": b"\x0a"}, []),
]


@pytest.mark.parametrize(("changed", "told"), FOLDERS, ids=range(len(FOLDERS)))
def test_what_is_wrong_with_a_folder(tmp_path, changed, told) -> None:
    _, _, findings = inspected(tmp_path, changed)
    assert [f"{each.code} {each.level.value}" for each in findings] == told, findings


AWQ = {**CONFIG, "quantization_config": {"quant_method": "awq"}}
SETTINGS = [
    ("vllm", {"gpu_memory_utilization": 0.5}, CONFIG, []),
    ("vllm", {"max_model_len": 8192}, CONFIG, ["WLR431 warning"]),
    ("vllm", {"max_model_len": 8192}, {**CONFIG, "rope_scaling": {"type": "linear", "factor": 2}}, []),
    ("vllm", {"max_model_len": 8192}, {"architectures": ["LlamaForCausalLM"], "text_config": {"n_positions": 2048}}, ["WLR431 warning"]),
    ("vllm", {"max_model_len": 4096}, CONFIG, []),
    ("vllm", {"max_model_len": None}, CONFIG, []),
    ("vllm", {"quantization": "gptq"}, AWQ, ["WLR433 warning"]),
    ("vllm", {"quantization": "awq_marlin"}, AWQ, []),
    ("vllm", {"quantization": "none"}, AWQ, []),
    ("sglang", {"context_length": 8192}, CONFIG, ["WLR431 warning"]),
    ("sglang", {"chunked_prefill_size": -1}, CONFIG, []),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "settings", "config", "told"), SETTINGS, ids=range(len(SETTINGS)))
def test_settings(tmp_path, engine, settings, config, told) -> None:
    _, _, findings = inspected(tmp_path, {"config.json": config}, engine, framework_config=settings)
    assert [f"{each.code} {each.level.value}" for each in findings] == told, findings
    assert all(each.fix and each.place.key[:3] == ("tool", "wallaroo", "framework-config") for each in findings)


def test_a_default_that_is_too_long_for_the_model(tmp_path) -> None:
    _, _, findings = inspected(tmp_path, {"config.json": {**CONFIG, "max_position_embeddings": 512}}, "sglang")
    assert [each.code for each in findings] == ["WLR431"]
    assert "by default" in findings[0].message


@pytest.mark.parametrize("accel", ["qaic", {"qaic": {"num_cores": 16}}, "cuda"])
@pytest.mark.parametrize("settings", [{"kv_cache_dtype": "mxint8"}, {"kv_cache_dtype": "fp16"}, {"max_num_seqs": 0}])
def test_what_the_table_alone_tells_is_the_readers_to_say(tmp_path, accel, settings) -> None:
    assert inspected(tmp_path, accel=accel, framework_config=settings)[2] == []


@pytest.mark.parametrize("accel", ["none", "openvino"])
def test_an_engine_without_its_accelerator(tmp_path, accel) -> None:
    _, _, findings = inspected(tmp_path, accel=accel)
    assert [f"{each.code} {each.level.value}" for each in findings] == ["WLR435 warning"]


def test_an_accelerator_that_is_not_known_is_not_called_none(tmp_path) -> None:
    assert inspected(tmp_path, accel=None, framework_config={"kv_cache_dtype": "mxint8"})[2] == []
