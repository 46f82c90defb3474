"""What a file or folder is: the one answer that the checks, `init` and `schema infer` all go by.

Told from the bytes; the name counts only where they say nothing. What follows from the answer is for others to judge.
Nothing is loaded or executed, and the memory used does not depend on the file's size. The readers of formats are
imported where a file asks for them: all commands import this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Literal

from hatch_wallaroo.formats.safetensors import begins_as_safetensors
from hatch_wallaroo.formats.xgboost_model import own_format

if TYPE_CHECKING:
    from hatch_wallaroo.formats.pickles import PickleFile

FileKind = Literal[
    "onnx", "onnx-runtime", "tflite", "gguf", "keras-hdf5", "keras-weights", "keras-archive", "saved-model",
    "torchscript", "torch-mobile", "torch-old", "torch-saved", "torch-legacy", "torch-export", "torchserve",
    "safetensors", "pickle", "xgboost", "lightgbm", "catboost", "pmml", "r-data",
    "hugging-face", "diffusers", "adapter", "tensorflow-checkpoint", "mlflow", "byop-archive", "step-archive",
    "hdf5", "zip", "archive", "compressed", "array", "document", "json", "git-lfs", "empty",
]  # fmt: skip
"""Models first, then what holds inference code, then what is no model that is known."""

HEAD = 4096
"""First bytes that the reading of a file begins with; 64 of them are enough for `recognise_head`."""


@dataclass(frozen=True)
class Recognised:
    """What a file or folder is.

    `name` is a phrase that a message can hold: `a zip archive`, `an HTML page`. `writer` is the library that made it,
    as it is imported (`sklearn`, `torch`), or ''. `by_name`: the bytes say nothing, only the name speaks for it.
    `problem` says, as the end of a sentence, why no more could be read of it. `pickle` is what was read of
    a pickle.
    """

    kind: FileKind
    name: str
    writer: str = ""
    by_name: bool = False
    problem: str = ""
    pickle: PickleFile | None = None


_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_STARTS: tuple[tuple[bytes, FileKind, str], ...] = (
    *((start, "zip", "a zip archive") for start in _ZIPS),
    (b"\x89HDF\r\n\x1a\n", "hdf5", "an HDF5 file"),
    (b"\x1f\x8b", "compressed", "gzip-compressed data"),
    (b"BZh", "compressed", "bzip2-compressed data"),
    (b"\xfd7zXZ\x00", "compressed", "xz-compressed data"),
    (b"\x28\xb5\x2f\xfd", "compressed", "zstd-compressed data"),
    (b"\x04\x22\x4d\x18", "compressed", "lz4-compressed data"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "a 7-Zip archive"),
    (b"\x93NUMPY", "array", "a NumPy array"),
    (b"GGUF", "gguf", "a GGUF model"),
    (b"tree\nversion=", "lightgbm", "a LightGBM model"),
    (b"CBM1", "catboost", "a CatBoost model"),
    (b"RDX2\n", "r-data", "data saved by R"),
    (b"RDX3\n", "r-data", "data saved by R"),
    (b"%PDF", "document", "a PDF document"),
    (b"\x89PNG", "document", "a PNG image"),
    (b"version https://git-lfs", "git-lfs", "a Git LFS pointer"),
    *((bytes((0x80, protocol)), "pickle", "a Python pickle") for protocol in (2, 3, 4, 5)),
)
_TEXTS: tuple[tuple[bytes, FileKind, str], ...] = (
    (b"<!doctype html", "document", "an HTML page"),
    (b"<html", "document", "an HTML page"),
    (b"<?xml", "document", "an XML document"),
    (b"<", "document", "an HTML or XML page"),
    (b"{", "json", "a JSON text"),
    (b"[", "json", "a JSON text"),
)
_FLAT_BUFFERS: Mapping[bytes, tuple[FileKind, str]] = MappingProxyType(
    {b"ORTM": ("onnx-runtime", "an ONNX Runtime (.ort) model"), b"TFL3": ("tflite", "a TensorFlow Lite model")}
)
_WRITERS: Mapping[FileKind, str] = MappingProxyType(
    {
        "tflite": "tensorflow",
        "lightgbm": "lightgbm",
        "catboost": "catboost",
        "xgboost": "xgboost",
        "keras-hdf5": "keras",
        "keras-weights": "keras",
        "keras-archive": "keras",
        **dict.fromkeys(
            ("torchscript", "torch-mobile", "torch-old", "torch-saved", "torch-legacy", "torch-export", "torchserve"),
            "torch",
        ),
    }
)
_TORCH: Mapping[str, tuple[FileKind, str]] = MappingProxyType(
    {
        "torchscript": ("torchscript", "a TorchScript archive"),
        "mobile": ("torch-mobile", "a TorchScript archive for mobile devices"),
        "old-torchscript": ("torch-old", "a TorchScript archive of a very old PyTorch"),
        "saved": ("torch-saved", "a file saved by torch.save"),
        "export": ("torch-export", "a torch.export archive"),
    }
)
_NAMED: tuple[tuple[tuple[str, ...], FileKind, str], ...] = (
    ((".onnx",), "onnx", "an ONNX model"),
    ((".h5", ".hdf5", ".hdf", ".he5"), "hdf5", "an HDF5 file"),
    ((".keras",), "keras-archive", "a Keras 3 model (.keras)"),
    ((".pt", ".pth"), "torch-saved", "a file of PyTorch's"),
    ((".pkl", ".pickle", ".joblib", ".sav", ".dill"), "pickle", "a Python pickle"),
    ((".ubj", ".bst", ".xgb"), "xgboost", "an XGBoost model in its own format"),
)
_PICKLE_NAMES = frozenset((".pkl", ".pickle", ".joblib", ".sav", ".dill", ".p", ".gz", ".z", ".bz2", ".xz", ".lzma"))
_IR_VERSION, _NEWEST_IR = 0x08, 20
_AFTER_IR = frozenset((0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42))
_ONNX_HEAD = 3
_KERAS_ARCHIVE = frozenset(("config.json", "metadata.json", "model.weights.h5"))
_PRETRAINED = frozenset(("config.json", "model_index.json"))
_WEIGHTS = re.compile(
    r"(?:.+\.safetensors|(?:pytorch|flax|tf)_model.*\.(?:bin|h5|msgpack)|.+\.ckpt)(?:\.index(?:\.json)?)?"
)
_STEP = re.compile(rb"^(?:async )?def process_data\(", re.MULTILINE)
_BUILDER = re.compile(rb"^class \w+\([^)]*\bInferenceBuilder\b", re.MULTILINE)
_LARGEST_CODE, _MOST_CODE = 1 << 20, 64
_R_INSIDE = (b"RDX2\n", b"RDX3\n", b"X\n\x00\x00\x00", b"A\n2\n", b"A\n3\n")
_TAR_MAGIC = slice(257, 262)


def recognise_head(head: bytes) -> Recognised | None:
    """What a file is that begins with `head` (64 bytes are plenty), or None where no signature is known.

    For messages about files that are something else; nothing is looked into: a zip stays `a zip archive`. ONNX has no
    signature, see `is_onnx`.
    """
    if not head:
        return Recognised("empty", "an empty file")
    kind, name = next(((kind, name) for start, kind, name in _STARTS if head.startswith(start)), (None, ""))
    if kind is None and head[4:8] in _FLAT_BUFFERS:
        kind, name = _FLAT_BUFFERS[head[4:8]]
    if kind is None:
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        kind, name = next(((kind, name) for start, kind, name in _TEXTS if text.startswith(start)), (None, ""))
    return Recognised(kind, name, _WRITERS.get(kind, "")) if kind else None


def recognise_name(name: str) -> Recognised | None:
    """What a file is called as, by its name alone."""
    lower = name.lower()
    return next((_made(kind, what, by_name=True) for suffixes, kind, what in _NAMED if lower.endswith(suffixes)), None)


def recognise(stream: BinaryIO, size: int, name: str = "") -> Recognised | None:
    """What a seekable stream of `size` bytes is that is called `name`; None for nothing that is known.

    Headers, zip directories and pickles are read, no weights. Never raises for what is in it; raises OSError when it
    cannot be read.
    """
    head = stream.read(HEAD)
    file = _File(stream, size, head, name)
    if PurePosixPath(name).name == "MLmodel":
        return Recognised("mlflow", "the description of an MLflow model", "mlflow")
    found = recognise_head(head)
    for tell in _TELLERS if found is None else (_INSIDE[found.kind],) if found.kind in _INSIDE else ():
        stream.seek(0)
        if (told := tell(file)) is not None:
            return told
    return found or recognise_name(name)


def recognise_folder(names: Collection[str]) -> Recognised | None:
    """What a folder is, by the names right in it; None where it is no model.

    `by_name`: a config.json without weights beside it, which many programs have.
    """
    if "saved_model.pb" in names:
        return _saved_model("a SavedModel", names)
    if "MLmodel" in names:
        return Recognised("mlflow", "an MLflow model", "mlflow")
    if "model_index.json" in names:
        return Recognised("diffusers", "a diffusion pipeline", "diffusers")
    if "adapter_config.json" in names:
        return Recognised("adapter", "an adapter (PEFT), not a whole model", "peft")
    if "config.json" in names:
        alone = not any(map(_WEIGHTS.fullmatch, names))
        return Recognised("hugging-face", "a Hugging Face model", "transformers", by_name=alone)
    if "checkpoint" in names and any(name.endswith(".index") for name in names):
        return Recognised("tensorflow-checkpoint", "a TensorFlow checkpoint, weights without a graph", "tensorflow")
    return None


def is_onnx(head: bytes) -> bool:
    """Whether a file that begins so is most likely an ONNX model: an IR version, then one of the other fields.

    A protocol buffer has no signature; source of the fields' numbers: onnx.proto, ModelProto.
    """
    return len(head) >= _ONNX_HEAD and head[0] == _IR_VERSION and 0 < head[1] <= _NEWEST_IR and head[2] in _AFTER_IR


@dataclass(frozen=True)
class _File:
    stream: BinaryIO
    size: int
    head: bytes
    name: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def _made(kind: FileKind, name: str, *, by_name: bool = False, problem: str = "") -> Recognised:
    return Recognised(kind, name, _WRITERS.get(kind, ""), by_name, problem)


def _saved_model(name: str, names: Collection[str]) -> Recognised:
    writer = "keras" if any(each.rpartition("/")[2] == "keras_metadata.pb" for each in names) else "tensorflow"
    return Recognised("saved-model", name, writer)


def _onnx(file: _File) -> Recognised | None:
    """Three bytes prove little: without the name, only what is an ONNX model to its end counts."""
    if not is_onnx(file.head):
        return None
    if file.suffix != ".onnx":
        from hatch_wallaroo.formats.onnx import read_onnx_header
        from hatch_wallaroo.formats.protobuf import ProtobufError

        try:
            header = read_onnx_header(file.stream, file.size)
        except ProtobufError:
            return None
        if not (header.has_graph and header.opsets):
            return None
    return Recognised("onnx", "an ONNX model")


def _hdf5(file: _File) -> Recognised:
    from hatch_wallaroo.formats.hdf5 import Hdf5Error, read_root_attributes

    try:
        found = read_root_attributes(file.stream, file.size)
    except Hdf5Error as error:
        return _made("hdf5", "an HDF5 file", problem=str(error))
    if found.values.get("model_config"):
        return _made("keras-hdf5", "a Keras model (HDF5)")
    if "layer_names" in found.values or "keras_version" in found.values or file.name.endswith(".weights.h5"):
        return _made("keras-weights", "an HDF5 file that holds no whole model")
    return _made("hdf5", "an HDF5 file", problem=found.problem)


def _zip(file: _File) -> Recognised:
    from hatch_wallaroo.formats.pickle_machine import PickleError
    from hatch_wallaroo.formats.torch_archive import ArchiveError, read_torch_file

    try:
        torch = read_torch_file(file.stream, file.size)
    except (ArchiveError, PickleError) as error:
        return Recognised("zip", "a zip archive", problem=f"it cannot be read: {error}")
    if torch.kind in _TORCH:
        kind, name = _TORCH[torch.kind]
        return Recognised(kind, name, "torch")
    return _by_members(torch.names) or _of_code(file) or Recognised("zip", "a zip archive")


def _by_members(names: Collection[str]) -> Recognised | None:
    """What an archive holds, by the names in it."""
    lasts = {name.rpartition("/")[2] for name in names}
    if set(names) >= _KERAS_ARCHIVE:
        return _made("keras-archive", "a Keras 3 model (.keras)")
    if "saved_model.pb" in lasts:
        return _saved_model("a SavedModel in a zip", names)
    if lasts & _PRETRAINED and any(name.endswith((".safetensors", ".bin", ".h5")) for name in lasts):
        return Recognised("hugging-face", "a Hugging Face model in a zip", "transformers")
    if "MANIFEST.json" in lasts and any(name.startswith("MAR-INF/") for name in names):
        return _made("torchserve", "an archive for TorchServe")
    if names and all(name.endswith(".npy") for name in names):
        return Recognised("array", "NumPy arrays (.npz)", "numpy")
    return None


def _of_code(file: _File) -> Recognised | None:
    """An archive of Python that was packed for Wallaroo before."""
    import zipfile

    from hatch_wallaroo.formats.torch_archive import BROKEN_ZIP

    try:
        with zipfile.ZipFile(file.stream) as archive:
            code = [each for each in archive.infolist() if each.filename.endswith(".py")]
            for info in [each for each in code if each.filename.count("/") <= 1][:_MOST_CODE]:
                with archive.open(info) as member:
                    text = member.read(_LARGEST_CODE)
                if _BUILDER.search(text):
                    return Recognised("byop-archive", f"an archive of inference code ({info.filename})")
                if _STEP.search(text):
                    return Recognised("step-archive", f"an archive of a Python step ({info.filename})")
    except BROKEN_ZIP:
        pass
    return None


def _pickle(file: _File) -> Recognised | None:
    """A pickle, bare or compressed as joblib does it."""
    from hatch_wallaroo.formats.pickle_nodes import class_of
    from hatch_wallaroo.formats.pickles import read_pickle_file
    from hatch_wallaroo.formats.torch_archive import MAGIC

    found = read_pickle_file(file.stream, file.size)
    if found.pickle is None:
        problem = str(found.error) if found.error and found.is_pickle else ""
        return Recognised("pickle", "a Python pickle", problem=problem, pickle=found) if problem else None
    if found.pickle.root == MAGIC:
        return _made("torch-legacy", "a file saved by torch.save")
    made_by = class_of(found.pickle.root)
    writer = made_by.module.partition(".")[0] if made_by else ""
    packed = f", compressed ({found.compression})" if found.compression else ""
    return Recognised("pickle", f"a Python pickle{packed}", writer, pickle=found)


def _compressed(file: _File) -> Recognised | None:
    """A pickle that joblib compressed, R's data, or a tar archive: by the first bytes that were packed."""
    from hatch_wallaroo.formats.pickles import compression_of, first_unpacked

    compression = compression_of(file.head)
    inside = first_unpacked(file.stream, compression, 512) if compression else None
    if inside is None:
        return None
    if inside.startswith(_R_INSIDE):
        return Recognised("r-data", "data saved by R")
    if inside[_TAR_MAGIC] == b"ustar":
        return Recognised("archive", "a compressed tar archive")
    begins = recognise_head(inside)
    if (begins and begins.kind == "pickle") or (begins is None and file.suffix in _PICKLE_NAMES):
        file.stream.seek(0)
        return _pickle(file)
    return None


def _named_pickle(file: _File) -> Recognised | None:
    """Pickles of protocols 0 and 1 have no signature, zlib's and lzma's are weak: the name has to agree."""
    if file.suffix not in _PICKLE_NAMES:
        return None
    from hatch_wallaroo.formats.pickles import compression_of

    return _compressed(file) if compression_of(file.head) else _pickle(file)


def _own_xgboost(file: _File) -> Recognised | None:
    form = own_format(file.head)
    if form is None or (form == "JSON" and b'"learner"' not in file.head):
        return None
    return _made("xgboost", f"an XGBoost model in its own {form} format")


def _safetensors(file: _File) -> Recognised | None:
    if not begins_as_safetensors(file.head, file.size):
        return None
    return Recognised("safetensors", "weights in a safetensors file")


def _document(file: _File) -> Recognised | None:
    """PMML among the XML documents."""
    return Recognised("pmml", "a PMML document") if b"<PMML" in file.head else None


def _tar(file: _File) -> Recognised | None:
    return Recognised("archive", "a tar archive") if file.head[_TAR_MAGIC] == b"ustar" else None


_Teller = Callable[[_File], "Recognised | None"]
_INSIDE: Mapping[FileKind, _Teller] = MappingProxyType(
    {
        "hdf5": _hdf5,
        "zip": _zip,
        "pickle": _pickle,
        "compressed": _compressed,
        "json": _own_xgboost,
        "document": _document,
    }
)
"""What is looked into, by what the first bytes say."""
_TELLERS: tuple[_Teller, ...] = (_onnx, _own_xgboost, _safetensors, _tar, _named_pickle)
"""What tells files without a signature, in turn."""
