"""vLLM and SGLang: a language model's folder of `save_pretrained`, zipped, and the settings it is served with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned
from hatch_wallaroo.frameworks.pretrained.folder import (
    architectures_of,
    check_tokenizer,
    members,
    plan_pretrained,
    read_config,
    text_of,
)
from hatch_wallaroo.frameworks.pretrained.weights import check_weights

NOT_GENERATIVE = rule(
    "WLR430",
    "the model does not look like one that generates text",
    why="vLLM and SGLang serve generative models; Wallaroo calls them with a prompt.",
    source="vLLM and SGLang, supported models; `architectures` in config.json",
    level=Level.WARNING,
)
LONGER_THAN_TRAINED = rule(
    "WLR431",
    "the context is set longer than the model's own",
    why="The engines refuse a context beyond what config.json says, and end at start-up.",
    source="vLLM, ModelConfig: max_model_len; SGLang, ModelConfig: context_length",
    level=Level.WARNING,
)
QUANTIZATION = rule(
    "WLR433",
    "the quantization set is not the model's",
    why="The engine reads quantized weights by the method that config.json names, and refuses another one.",
    source="vLLM, ModelConfig._verify_quantization",
    level=Level.WARNING,
)
NO_ACCELERATOR = rule(
    "WLR435",
    "a language model without an accelerator",
    why='Both engines are built for graphics cards or Qualcomm\'s accelerators; accel is "none" unless it is set.',
    source="The vendor's pages on continuous batching: \"Native async vLLM implementations in Wallaroo compatible with "
    'NVIDIA CUDA"; `wallaroo` 2026.1.3, engine_config.py: Acceleration',
    level=Level.WARNING,
)

_CONTEXT = {"vllm": "max_model_len", "sglang": "context_length"}
_LENGTHS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "max_seq_len", "n_ctx")
_ACCELERATORS = ("cuda", "qaic", "rocm")
_GENERATIVE = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForVision2Seq", "ForImageTextToText")


class Llm(Family):
    """The frameworks `vllm` and `sglang`."""

    def plan(self, spec: ModelSpec) -> Planned:
        return plan_pretrained(spec, prefer_safetensors=True)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        top = {path: entry for path, entry in members(layout).items() if "/" not in path}
        findings: list[Finding] = []
        facts: dict[str, Any] = {}
        config = read_config(spec, top, findings)
        if config is not None:
            facts |= _facts(config)
            findings += _architecture(spec, config, Place(file=top["config.json"].name))
        config = config or {}
        weights = check_weights(top, spec.at("model"), loose=True, safetensors_known=True)
        findings += weights.findings
        findings += check_tokenizer(top, config, spec.at("model"))
        findings += _settings(spec, config)
        return Inspection({**facts, "weights": weights.facts}, tuple(findings))


def _facts(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architectures": list(architectures_of(config)),
        "model_type": text_of(config, "model_type") or None,
        "context": _trained_length(config),
        "quantization": _method(config) or None,
    }


def _architecture(spec: ModelSpec, config: Mapping[str, Any], at: Place) -> Iterator[Finding]:
    names = architectures_of(config)
    if names and not any(part in name for name in names for part in _GENERATIVE):
        yield NOT_GENERATIVE.finding(
            f"{at.file} says {', '.join(names)}; {spec.framework.name} serves models such as LlamaForCausalLM",
            fix="use a causal language model, or one of the hugging-face frameworks for this one",
            place=at,
        )
    elif not names:
        yield NOT_GENERATIVE.finding(
            f"{at.file} names no architectures, by which {spec.framework.name} chooses how to run the model",
            fix='add what the model is, for instance "architectures": ["LlamaForCausalLM"]',
            place=at,
        )


def _settings(spec: ModelSpec, config: Mapping[str, Any]) -> Iterator[Finding]:
    settings = spec.framework_config or {}
    yield from _length(spec, settings, config)
    yield from _quantization(spec, settings, config)
    yield from _accelerator(spec)


def _length(spec: ModelSpec, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Finding]:
    key = _CONTEXT.get(spec.framework.name, "")
    asked, trained = settings.get(key), _trained_length(config)
    if not isinstance(asked, int) or trained is None or asked <= trained or _rescaled(config):
        return
    written = "framework-config" in spec.origins
    yield LONGER_THAN_TRAINED.finding(
        f"{key} is {asked:,}{'' if written else ' by default'}; the model was made for {trained:,} tokens",
        fix=f"framework-config = {{ {key} = {trained} }}",
        place=spec.at("framework-config", key) if written else spec.at("framework-config"),
    )


def _trained_length(config: Mapping[str, Any]) -> int | None:
    inner = config.get("text_config")
    for holder in (config, inner if isinstance(inner, dict) else {}):
        for key in _LENGTHS:
            value = holder.get(key)
            if type(value) is int and value > 0:
                return value
    return None


def _rescaled(config: Mapping[str, Any]) -> bool:
    """Rotary positions can be stretched: the length in config.json is not the limit then."""
    return bool(config.get("rope_scaling") or config.get("rope_parameters"))


def _method(config: Mapping[str, Any]) -> str:
    quantization = config.get("quantization_config")
    return text_of(quantization, "quant_method") if isinstance(quantization, dict) else ""


def _quantization(spec: ModelSpec, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Finding]:
    asked, method = settings.get("quantization"), _method(config)
    if not isinstance(asked, str) or asked == "none" or not method or asked.startswith(method):
        return
    if method.replace("_", "-") == asked.replace("_", "-"):
        return
    yield QUANTIZATION.finding(
        f"quantization is {asked!r}; config.json says that the weights are {method!r}",
        fix=f'quantization = "{method}"',
        place=spec.at("framework-config", "quantization"),
    )


def _accelerator(spec: ModelSpec) -> Iterator[Finding]:
    if spec.accel is None:
        return
    chosen = spec.accel if isinstance(spec.accel, str) else next(iter(spec.accel), "none")
    if chosen not in _ACCELERATORS:
        yield NO_ACCELERATOR.finding(
            f"accel is {chosen!r}; {spec.framework.name} runs on an accelerator",
            fix=f'accel = "{_ACCELERATORS[0]}"',
            place=spec.at("accel"),
        )
