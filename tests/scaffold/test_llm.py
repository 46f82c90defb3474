"""The starters of vLLM and SGLang."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pyarrow as pa
import pytest

from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.scaffold.pretrained_starters import model_folder
from hatch_wallaroo.schema.arrow import to_arrow
from support.starters import begin, frameworks, lay

CASES = frameworks("llm")


def test_both_engines_are_there() -> None:
    assert set(CASES) == {("2025.1", "vllm"), ("2025.2", "vllm"), ("2026.1", "vllm"), ("2026.1", "sglang")}


@pytest.mark.parametrize(("version", "framework"), CASES)
def test_no_finding_in_any_release(tmp_path, version, framework) -> None:
    lay(tmp_path, version, framework)
    report = check_repository(read_repository(tmp_path))
    assert [f"{each.code} {each.message}" for each in report.findings] == []
    (model,) = report.models
    assert model.facts["architectures"] == ["LlamaForCausalLM"]
    assert model.facts["weights"]["dtypes"] == ["F16"]
    assert model.spec.accel == "cuda"


@pytest.mark.parametrize(("version", "framework"), CASES)
def test_the_accelerator_is_there_for_a_reason(tmp_path, version, framework) -> None:
    lay(tmp_path, version, framework)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8").replace('accel = "cuda"\n', ""), encoding="utf-8")
    assert [each.code for each in check_repository(read_repository(tmp_path)).findings] == ["WLR435"]


@pytest.mark.parametrize(("version", "framework"), CASES)
def test_the_schemas_are_the_vendors(version, framework) -> None:
    """Of the tutorial on continuous batching with the native vLLM runtime, 2025.1."""
    starter = begin(version, framework)[2]
    assert to_arrow(starter.inputs).equals(pa.schema({"prompt": pa.string(), "max_tokens": pa.int64()}))
    assert to_arrow(starter.outputs).equals(pa.schema({"generated_text": pa.string(), "num_output_tokens": pa.int64()}))
    (row,) = starter.sample["inputs"]
    assert pa.Table.from_pylist([row], schema=to_arrow(starter.inputs)).to_pylist() == [row]


def test_the_engines_kernels_take_the_model() -> None:
    """vLLM's and SGLang's attention have heads of 64 and more in common."""
    config = json.loads(model_folder("llama")["config.json"])
    assert config["hidden_size"] // config["num_attention_heads"] == 64
    assert config["max_position_embeddings"] == begin("2026.1", "sglang")[0].default_config["context_length"]


@pytest.mark.parametrize("framework", ["vllm", "sglang"])
def test_the_readme_and_the_script(framework) -> None:
    starter = begin("2026.1", framework)[2]
    text = starter.files["make_model.py"].decode()
    ast.parse(text)
    assert starter.model == "models/llm"
    assert sum(map(len, model_folder("llama").values())) < 200_000
    assert {"vllm": "max_model_len", "sglang": "context_length"}[framework] in starter.replace
    assert "{" not in starter.about + starter.replace
    assert replace(starter, files={}).dependencies == ()
