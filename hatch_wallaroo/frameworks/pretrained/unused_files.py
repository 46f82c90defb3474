"""What lies in a `save_pretrained` folder and is of no use to the platform.

Training writes more into its output folder than the model, and hubs keep the same
weights in the formats of several libraries: often most of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_TRAINING_FOLDERS = ("checkpoint-*", "runs", "wandb", "global_step*", "lightning_logs", "mlruns")
_TRAINING_FILES = (
    "optimizer.pt", "optimizer.bin", "scheduler.pt", "scheduler.bin", "scaler.pt", "rng_state*.pth",
    "training_args.bin", "trainer_state.json", "events.out.tfevents.*", "zero_to_fp32.py", "latest",
)  # fmt: skip
_OTHER_FOLDERS = ("onnx", "openvino", "coreml", "original")
_OTHER_FILES = (
    "tf_model.h5", "tf_model-*.h5", "tf_model.h5.index.json", "flax_model.msgpack", "flax_model-*.msgpack",
    "flax_model.msgpack.index.json", "diffusion_flax_model.msgpack", "rust_model.ot", "*.onnx", "*.onnx_data",
    "*.tflite", "*.mlmodel", "openvino_model.bin", "openvino_model.xml",
)  # fmt: skip
_PICKLED = (
    "pytorch_model.bin", "pytorch_model-*-of-*.bin", "pytorch_model.bin.index.json", "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model-*-of-*.bin", "diffusion_pytorch_model.bin.index.json",
)  # fmt: skip
_SAFE = (
    "model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model-*-of-*.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
)  # fmt: skip
_WHOLE = (
    "pytorch_model.bin", "diffusion_pytorch_model.bin", "model.safetensors", "diffusion_pytorch_model.safetensors",
    "*.index.json",
)  # fmt: skip


def leftovers(paths: Iterable[str], *, prefer_safetensors: bool) -> dict[str, str]:
    """Which files to leave out, and why. `paths` are relative to the model's folder.

    Files that other libraries read go only where PyTorch weights lie beside them, and
    of two copies in PyTorch's own formats one stays: safetensors, unless the platform's
    transformers may not read them.
    """
    listed = sorted(paths)
    reasons = {path: why for path in listed if (why := _of_training(path))}
    by_folder: dict[str, set[str]] = {}
    for path in listed:
        if path not in reasons:
            folder, _, name = path.rpartition("/")
            by_folder.setdefault(folder, set()).add(name)
    for folder, names in by_folder.items():
        prefix = f"{folder}/" if folder else ""
        reasons |= {prefix + name: why for name, why in _copies(names, prefer_safetensors).items()}
    if any(_any(name, _WHOLE) and not _any(name, _OTHER_FILES) for name in by_folder.get("", ())):
        reasons |= {
            path: "a copy for another library"
            for path in listed
            if path not in reasons and "/" in path and path.split("/")[0] in _OTHER_FOLDERS
        }
    if "model_index.json" in by_folder.get("", ()):
        reasons |= dict.fromkeys(
            (name for name in by_folder[""] if name.endswith((".ckpt", ".safetensors"))),
            "a copy in one file; the pipeline reads its components' folders",
        )
    return reasons


def _of_training(path: str) -> str:
    *folders, name = path.split("/")
    if any(_any(folder, _TRAINING_FOLDERS) for folder in folders) or _any(name, _TRAINING_FILES):
        return "left over from training"
    return ""


def _copies(names: set[str], prefer_safetensors: bool) -> dict[str, str]:
    pickled = {name for name in names if _any(name, _PICKLED)}
    safe = {name for name in names if _any(name, _SAFE)}
    whole_pickled, whole_safe = ({name for name in each if _any(name, _WHOLE)} for each in (pickled, safe))
    reasons: dict[str, str] = {}
    if whole_pickled or whole_safe:
        reasons |= {name: "a copy for another library" for name in names if _any(name, _OTHER_FILES)}
        reasons |= {name: "a variant of the same weights" for name in names if _variant(name, names)}
    if whole_pickled and whole_safe:
        dropped, kept = (pickled, "safetensors") if prefer_safetensors else (safe, "PyTorch's .bin")
        reasons |= dict.fromkeys(dropped, f"the same weights are there as {kept}")
    return reasons


def _variant(name: str, names: set[str]) -> bool:
    """Whether it is `model.fp16.safetensors` beside a `model.safetensors`."""
    return any(
        f".{variant}." in name and name.replace(f".{variant}.", ".") in names for variant in ("fp16", "non_ema", "bf16")
    )


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
