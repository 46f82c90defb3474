"""One file: which model it holds, told from its first bytes and headers; by its name only what is said of a mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.keras_files import hdf5_config
from hatch_wallaroo.discover.pickled import BY_CODE, pickled
from hatch_wallaroo.discover.walk import SUFFIXES, RepositoryFile
from hatch_wallaroo.discover.zipped import zipped
from hatch_wallaroo.files.sources import FileSource, lfs_pointer
from hatch_wallaroo.formats.onnx import read_header
from hatch_wallaroo.formats.protobuf import ProtobufError
from hatch_wallaroo.formats.signatures import is_onnx, recognise
from hatch_wallaroo.formats.xgboost_model import own_format
from hatch_wallaroo.frameworks.other_models import other_model

_HEAD = 1024
_SMALLEST = 16
_NO_MODELS = frozenset((
    ".py", ".pyi", ".pyc", ".md", ".rst", ".csv", ".tsv", ".jsonl", ".yaml", ".yml", ".toml", ".cfg", ".ini",
    ".lock", ".log", ".ipynb", ".html", ".js", ".css", ".ts", ".svg", ".sh", ".c", ".h", ".cpp", ".java", ".go",
    ".rs", ".sql", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ico", ".wav", ".mp3",
    ".flac", ".ogg", ".mp4", ".avi", ".mov", ".pdf", ".parquet", ".feather", ".arrow", ".npy", ".npz", ".docx",
    ".xlsx", ".pptx", ".whl", ".jar", ".ttf", ".woff", ".woff2", ".so", ".dll", ".exe",
))  # fmt: skip
"""Files that are never opened, by what their names end in."""
_BY_NAME: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys((".onnx",), "onnx"),
        **dict.fromkeys((".h5", ".hdf5", ".keras"), "keras"),
        **dict.fromkeys((".pt", ".pth"), "pytorch"),
        **dict.fromkeys((".pkl", ".pickle", ".joblib", ".sav"), "sklearn"),
    }
)
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"tree\nversion=", "a LightGBM model"),
    (b"CBM1", "a CatBoost model"),
)


def recognised(seen: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """The model in a file; None where it is none. Never raises for what is in it."""
    if seen.suffix in _NO_MODELS or 0 < seen.size < _SMALLEST:
        return None
    try:
        with seen.path.open("rb") as stream:
            head = stream.read(_HEAD)
        pointer = lfs_pointer(FileSource(seen.path))
    except OSError as error:
        return _unreadable(seen, error)
    if pointer:
        return _pointer(seen)
    try:
        found = next((each for tell in _TELLERS if (each := tell(seen, head, context)) is not None), None)
    except OSError as error:
        return _unreadable(seen, error)
    return found or _by_name(seen, context)


def _unreadable(seen: RepositoryFile, error: OSError) -> Candidate | None:
    if seen.suffix not in SUFFIXES:
        return None
    what = f"a file that cannot be read: {error.strerror or error}"
    return Candidate(seen.label, what, advice="make it readable")


def _pointer(seen: RepositoryFile) -> Candidate | None:
    if seen.suffix not in {*SUFFIXES, ".bin", ".zip", ".model"}:
        return None
    advice = f"git lfs pull --include={seen.label!r}"
    return Candidate(seen.label, "a Git LFS pointer, not the file itself", advice=advice)


def _other(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:  # noqa: ARG001 - as all of them are called
    """What Wallaroo has no framework for."""
    for begin, what in _TEXTS:
        if head.startswith(begin):
            return Candidate(seen.label, what, advice=BY_CODE)
    if head.lstrip()[:5] == b"<?xml" and b"<PMML" in head:
        return Candidate(seen.label, "a PMML document", advice=BY_CODE)
    if recognise(head) in {"a GGUF model", "a TensorFlow Lite model", "an ONNX Runtime (.ort) model"}:
        told = other_model(FileSource(seen.path), seen.name)
        return Candidate(seen.label, told.what, advice=told.fix)
    return None


def _onnx(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    if recognise(head) is not None or not is_onnx(head):
        return None
    if seen.suffix == ".onnx":
        return judged(Candidate(seen.label, "an ONNX model", ("onnx",), certain=True), context)
    # Three bytes prove little: without the name, only what is an ONNX model to its end counts.
    try:
        with seen.path.open("rb") as stream:
            header = read_header(stream, seen.size)
    except (ProtobufError, OSError):
        return None
    return _misnamed(seen, "an ONNX model", ".onnx") if header.has_graph and header.opsets else None


def _hdf5(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    if recognise(head) != "an HDF5 file":
        return None
    if seen.suffix not in {".h5", ".hdf5", ".hdf", ".he5"}:
        config = hdf5_config(FileSource(seen.path))
        return _misnamed(seen, "a Keras model (HDF5)", ".h5") if config else _no_keras(seen)
    found = judged(Candidate(seen.label, "a Keras model (HDF5)", ("keras",), certain=True), context)
    if found.certain:
        return found
    if found.facts.get("model"):
        return _not_whole(found, found.what)
    if found.facts.get("keras") or seen.name.endswith(".weights.h5") or not found.facts:
        return _not_whole(found, "an HDF5 file that holds no whole model")
    return _no_keras(seen)


def _no_keras(seen: RepositoryFile) -> Candidate:
    return Candidate(seen.label, "an HDF5 file without a Keras model", kind="data")


def _misnamed(seen: RepositoryFile, what: str, suffix: str) -> Candidate:
    return Candidate(seen.label, what, advice=f"rename it to end in {suffix}, by which the platform tells it")


def _not_whole(found: Candidate, what: str) -> Candidate:
    return replace(found, what=what, frameworks=())


def _xgboost(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    form = own_format(head)
    if form is None or (form == "JSON" and b'"learner"' not in head):
        return None
    found = judged(Candidate(seen.label, f"an XGBoost model in its own {form} format", ("xgboost",)), context)
    return _not_whole(found, found.what)


def _safetensors(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    length = int.from_bytes(head[:8], "little")
    if head[8:10] != b'{"' or not 2 <= length <= seen.size - 8 or length > 100 << 20:  # noqa: PLR2004 - its header's size
        return None
    found = judged(Candidate(seen.label, "weights in a safetensors file", ("pytorch",)), context)
    return _not_whole(found, found.what)


def _by_name(seen: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """A file that is called as a model and is none: what it is instead."""
    framework = _BY_NAME.get(seen.suffix)
    if framework is None or (framework == "sklearn" and seen.size == 0):
        what = "an empty file" if seen.size == 0 and seen.suffix in SUFFIXES else None
        return Candidate(seen.label, what, advice="save or copy the model again") if what else None
    found = judged(Candidate(seen.label, f"called as a model of {framework}, and none", (framework,)), context)
    return _not_whole(found, found.what)


_TELLERS: tuple[Callable[[RepositoryFile, bytes, AdoptionContext], Candidate | None], ...] = (
    _other, _hdf5, zipped, pickled, _onnx, _xgboost, _safetensors,
)  # fmt: skip
