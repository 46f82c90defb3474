"""What a recognised file means for the table: which frameworks take it, and what to declare instead of a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from hatch_wallaroo.files.sources import Source
from hatch_wallaroo.formats.recognise import FileKind, Recognised, recognise

BY_CODE = 'package it with framework = "custom" (BYOP)'
_SCRIPTED = 'framework = "pytorch", with the model saved as TorchScript'
_FRAMEWORKS: Mapping[FileKind, tuple[str, ...]] = MappingProxyType(
    {
        "onnx": ("onnx",),
        **dict.fromkeys(("hdf5", "keras-hdf5", "keras-weights", "keras-archive"), ("keras",)),
        **dict.fromkeys(
            ("torchscript", "torch-mobile", "torch-old", "torch-saved", "torch-legacy", "torch-export"), ("pytorch",)
        ),
        "pickle": ("sklearn",),
        "xgboost": ("xgboost",),
        "mlflow": ("mlflow",),
        "byop-archive": ("custom",),
        "step-archive": ("python",),
    }
)
_FIXES: Mapping[FileKind, str] = MappingProxyType(
    {
        "onnx": 'framework = "onnx"',
        "onnx-runtime": 'framework = "onnx", with the .onnx file that it was made from',
        "tflite": f'{BY_CODE}, or its SavedModel as "tensorflow"',
        "gguf": BY_CODE,
        "lightgbm": BY_CODE,
        "catboost": BY_CODE,
        "pmml": BY_CODE,
        "keras-hdf5": 'framework = "keras"',
        "keras-archive": 'framework = "keras"',
        "hdf5": 'framework = "keras", if it is a Keras model',
        **dict.fromkeys(("torchscript", "torch-mobile", "torch-old"), 'framework = "pytorch"'),
        **dict.fromkeys(("torch-saved", "torch-legacy", "torch-export"), _SCRIPTED),
        "hugging-face": "unpack it; a framework hugging-face-… takes the folder",
    }
)
_BY_NAME: frozenset[FileKind] = frozenset(("onnx", "hdf5", "keras-archive"))
"""What a name is trusted in, where the bytes say nothing: only to choose the advice."""


@dataclass(frozen=True)
class Other:
    """What a file is, as a phrase, and what to declare for it; each '' where nothing is known."""

    kind: FileKind | None = None
    what: str = ""
    fix: str = ""


def frameworks_of(found: Recognised) -> tuple[str, ...]:
    """The frameworks that may take it, the likeliest first; the tasks of Hugging Face are not chosen here."""
    if found.kind == "saved-model":
        return ("keras",) if found.writer == "keras" else ("tensorflow",)
    if found.kind == "pickle" and found.writer == "xgboost":
        return ("xgboost",)
    return _FRAMEWORKS.get(found.kind, ())


def other_model(source: Source, name: str) -> Other:
    """What a file is that its framework does not take. Raises OSError when it cannot be read."""
    size = source.size
    with source.open() as stream:
        found = recognise(stream, size, name)
    if found is None:
        return Other()
    if found.by_name:
        return Other(fix=_FIXES[found.kind] if found.kind in _BY_NAME else "")
    return Other(found.kind, found.name, fix_of(found, name))


def fix_of(found: Recognised, name: str) -> str:
    """What to declare for a file called `name` that was recognised by its content; '' where nothing is known."""
    fix = _FIXES.get(found.kind, "")
    if found.kind == "onnx" and PurePosixPath(name).suffix.lower() != ".onnx":
        fix += ", and rename it to .onnx"
    if found.kind in {"saved-model", "xgboost"}:
        (framework,) = frameworks_of(found)
        fix = f'framework = "{framework}"'
    return fix
