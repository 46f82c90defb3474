"""A file that is declared for one framework and belongs to another: which, told from its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from hatch_wallaroo.files.sources import Source
from hatch_wallaroo.formats.pickles import PickleError
from hatch_wallaroo.formats.signatures import is_onnx, recognise
from hatch_wallaroo.formats.torch_archive import ArchiveError, Kind, read_torch_file

_PYTORCH = 'framework = "pytorch"'
_TORCH: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        "torchscript": ("a TorchScript archive", _PYTORCH),
        "old-torchscript": ("a TorchScript archive", _PYTORCH),
        "mobile": ("a TorchScript archive", _PYTORCH),
        "saved": ("a file saved by torch.save", f"{_PYTORCH}, with the model saved as TorchScript"),
        "export": ("a torch.export archive", f"{_PYTORCH}, with the model saved as TorchScript"),
    }
)
_OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "an HDF5 file": 'framework = "keras", if it is a Keras model',
        "a GGUF model": 'package it with framework = "custom" (BYOP)',
        "a TensorFlow Lite model": 'package it with framework = "custom" (BYOP), or its SavedModel as "tensorflow"',
        "an ONNX Runtime (.ort) model": 'framework = "onnx", with the .onnx file that it was made from',
    }
)


@dataclass(frozen=True)
class Other:
    """What a file is, and what to declare for it."""

    what: str
    fix: str


def other_model(source: Source, head: bytes, name: str) -> Other | None:
    """The model that a file holds, by its first bytes, its zip directory and, for ONNX, its name; None for no other.

    `head` are its first 64 bytes. Raises OSError when it cannot be read.
    """
    what = recognise(head)
    if what == "a zip archive":
        return _zipped(source)
    if what is not None and what in _OTHERS:
        return Other(what, _OTHERS[what])
    named = PurePosixPath(name).suffix.lower() == ".onnx"
    if what is None and (named or is_onnx(head)):
        return Other("an ONNX model", 'framework = "onnx"' + ("" if named else ", and rename it to .onnx"))
    return None


def _zipped(source: Source) -> Other | None:
    size = source.size
    try:
        with source.open() as stream:
            kind = read_torch_file(stream, size).kind
    except (ArchiveError, PickleError):
        return None
    return Other(*_TORCH[kind]) if kind in _TORCH else None
