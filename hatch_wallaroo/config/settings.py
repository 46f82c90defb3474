"""The keys of framework and accelerator configurations, and which values they take.

Which keys a release has is in its data; here is what they mean, which no release changed so far.
Source: VLLMConfig, SGLangConfig, CustomConfig (framework.py) and QaicConfig (engine_config.py) of the
`wallaroo` wheels 2025.1.1, 2025.2.5 and 2026.1.3. Those give no bounds for fractions and counts; the
bounds here are what the servers themselves can start with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.rules import Issue
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.text import found, quoted, scalar

_WORDS = {
    "count": "a whole number of at least 1",
    "chunk": "a whole number of at least 1, or -1 for none",
    "fraction": "a number above 0 and up to 1",
    "flag": "true or false",
    "text": "a string that is not empty",
    "devices": "a list of device numbers",
}


@dataclass(frozen=True)
class Setting:
    """A key's values: of a kind, or one of `choices`; those in `qaic` (None: all) are for that accelerator only."""

    kind: Literal["count", "chunk", "fraction", "flag", "text", "devices", "choice"]
    about: str
    choices: tuple[str, ...] = ()
    qaic: tuple[str, ...] | None = ()

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else _WORDS[self.kind]

    def takes(self, value: Any) -> bool:
        """Whether a value is one of the key's."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if self.kind == "choice":
            return isinstance(value, str) and value in self.choices
        if self.kind == "fraction":
            return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1
        if self.kind == "devices":
            return isinstance(value, (list, tuple)) and all(type(each) is int and _fits(each) for each in value)
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "text":
            return isinstance(value, str) and bool(value.strip())
        return whole and _fits(value) and (value >= 1 or (self.kind == "chunk" and value == -1))


_QUANTIZATIONS = (
    "none aqlm awq awq_marlin bitsandbytes compressed-tensors deepspeedfp experts_int8 fbgemm_fp8 fp8 gguf gptq "
    "gptq_marlin gptq_marlin24 hqq ipex marlin modelopt mxfp6 neuron_quant qqq tpu_int8"
)
_SGLANGS_QUANTIZATIONS = "none awq awq_marlin bitsandbytes fp8 gguf gptq gptq_marlin marlin modelopt w8a8_fp8 w8a8_int8"

FRAMEWORKS: Mapping[str, Mapping[str, Setting]] = {
    "vllm": {
        "block_size": Setting("count", "tokens in a block of the cache; 32 is advised with `qaic`"),
        "device_group": Setting("devices", "the devices to compile for; `qaic` only", qaic=None),
        "enable_auto_tool_choice": Setting("flag", "let the model choose tools"),
        "gpu_memory_utilization": Setting("fraction", "the share of a GPU's memory to use"),
        "kv_cache_dtype": Setting(
            "choice", "the cache's data type", ("auto", "fp8", "fp8_e4m3", "fp8_e5m2", "mxint8"), qaic=("mxint8",)
        ),
        "max_model_len": Setting("count", "the longest context, in tokens"),
        "max_num_seqs": Setting("count", "sequences at a time"),
        "max_seq_len_to_capture": Setting(
            "count", "longest sequence to capture; `qaic` only where the release has no default for it", qaic=None
        ),
        "quantization": Setting("choice", "how weights are quantised", tuple(_QUANTIZATIONS.split()), qaic=("mxfp6",)),
        "tool_call_parser": Setting("text", "what reads the model's calls of tools, say `hermes`"),
    },
    "sglang": {
        "chunked_prefill_size": Setting("chunk", "tokens in a chunk of the prefill"),
        "context_length": Setting("count", "the longest context, in tokens"),
        "kv_cache_dtype": Setting("choice", "the cache's data type", ("auto", "fp8_e4m3", "fp8_e5m2")),
        "max_prefill_tokens": Setting("count", "tokens in a batch of the prefill"),
        "max_running_requests": Setting("count", "requests at a time"),
        "mem_fraction_static": Setting("fraction", "the share of memory for weights and cache"),
        "page_size": Setting("count", "tokens in a page"),
        "quantization": Setting("choice", "how weights are quantised", tuple(_SGLANGS_QUANTIZATIONS.split())),
    },
    "custom": {"model_path": Setting("text", "the folder of the model in the bundle")},
}
ACCELERATORS: Mapping[str, Mapping[str, Setting]] = {
    "qaic": {
        "aic_enable_depth_first": Setting("flag", "depth-first search with the default memory size"),
        "ctx_len": Setting("count", "the longest context, in tokens"),
        "full_batch_size": Setting("count", "sequences an iteration"),
        "mxfp6_matmul": Setting("flag", "compile for MXFP6"),
        "mxint8_kv_cache": Setting("flag", "keep the cache as MXINT8"),
        "num_cores": Setting("count", "cores to compile for"),
        "num_devices": Setting("count", "SoCs of a card to compile for"),
        "prefill_seq_len": Setting("count", "length of the prefill's prompt"),
    },
}
_DEEPEST = 32


def judge_settings(
    written: Mapping[str, Any], known: Mapping[str, Setting], keys: tuple[str, ...] | None, whose: str
) -> Iterator[Issue]:
    """What is wrong with a configuration. `keys` are those that the release has, None where any key goes."""
    for key, value in written.items():
        if keys is not None and key not in keys:
            close = nearest(key[:40], keys)
            fix = f"did you mean {close}?" if close else f"remove it; known are {', '.join(keys)}"
            yield Issue(rules.CONFIG_KEY, f"{whose} has no such setting", fix, (key,))
        elif key in known and not known[key].takes(value):
            yield _wrong(key, value, known[key])
        else:
            problem = unsendable(value)
            if problem:
                yield Issue(rules.CONFIG_VALUE, problem, "write strings, numbers, true, false, lists or tables", (key,))


def _wrong(key: str, value: Any, setting: Setting) -> Issue:
    close = nearest(value[:40], setting.choices) if isinstance(value, str) else None
    meant = _number(value)
    if close:
        fix = f"{key} = {quoted(close)}"
    elif meant is not None and setting.takes(meant):
        fix = f"{key} = {meant}"
    elif setting.kind == "choice":
        fix = f"write {setting.words}"
    else:
        fix = f"write {setting.words}, or remove {key} to keep the default"
    shown = scalar(value) if isinstance(value, (str, int, float)) else found(value)
    return Issue(rules.CONFIG_VALUE, f"must be {setting.words}, not {shown}", fix, (key,))


def _number(value: Any) -> int | float | None:
    """The number that a string holds."""
    if not isinstance(value, str) or len(value) > 20 or not value.isascii():  # noqa: PLR2004 - longer than any setting
        return None
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        return None


def judge_qaic(written: Mapping[str, Any], known: Mapping[str, Setting], usual: Mapping[str, Any]) -> Iterator[Issue]:
    """What a configuration says that is for the qaic accelerator only, where the model runs on another.

    `usual` are the release's defaults: a key among them goes with every accelerator.
    """
    for key, value in written.items():
        only = known[key].qaic if key in known and known[key].takes(value) else ()
        if only is None and key in usual:
            continue
        if only is None or (only and isinstance(value, str) and value in only):
            what = "is" if only is None else f"{quoted(value)} is"
            fix = f"remove {key}, or run on accel = {quoted('qaic')}"
            yield Issue(rules.CONFIG_ONLY_QAIC, f"{what} for the qaic accelerator only", fix, (key,))


def _fits(number: int) -> bool:
    return -(2**63) <= number < 2**63


def unsendable(value: Any) -> str | None:
    """Why a value of TOML cannot be sent as JSON, or None."""
    pending = [(value, 0)]
    while pending:
        each, depth = pending.pop()
        if depth > _DEEPEST:
            return f"is nested more than {_DEEPEST} levels deep"
        if isinstance(each, Mapping):
            pending += [(inner, depth + 1) for inner in each.values()]
        elif isinstance(each, (list, tuple)):
            pending += [(inner, depth + 1) for inner in each]
        elif isinstance(each, float) and not isfinite(each):
            return f"cannot be sent: {each} is no number in JSON"
        elif isinstance(each, int) and not _fits(each):
            return "cannot be sent: it does not fit 64 bits"
        elif not isinstance(each, (str, int, float, bool)):
            return f"cannot be sent: {found(each)} has no form in JSON"
    return None
