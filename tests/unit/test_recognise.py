"""What a file or folder is: by its bytes, by its name only where they say nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

import onnx
import pytest

from hatch_wallaroo.formats.recognise import Recognised, is_onnx, recognise, recognise_folder, recognise_head

FIXTURES = Path(__file__).parent.parent / "fixtures"


def told(data: bytes, name: str = "") -> Recognised | None:
    return recognise(io.BytesIO(data), len(data), name)


def kind_of(data: bytes, name: str = "") -> str | None:
    found = told(data, name)
    return found.kind if found else None


def a_zip(*members: str, **texts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each in members:
            archive.writestr(each, b"-")
        for name, text in texts.items():
            archive.writestr(f"{name}.py", text)
    return file.getvalue()


def a_model() -> bytes:
    def float_value(name: str) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1])

    nodes = [onnx.helper.make_node("Relu", ["x"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "g", [float_value("x")], [float_value("y")])
    return onnx.helper.make_model(graph).SerializeToString()


def a_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


SAFE = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
SAFETENSORS = len(SAFE).to_bytes(8, "little") + SAFE + bytes(4)
UBJSON = b"{L\0\0\0\0\0\0\0\x07learner{" + bytes(64)
XGBOOST_JSON = b'{"learner": {"attributes": {}}, "version": [2, 0, 3]}'
PICKLE = pickle.dumps({"a": 1})
OLD_PICKLE = pickle.dumps([1, "two"], protocol=0)
KERAS = a_zip("config.json", "metadata.json", "model.weights.h5")
BUILDER = a_zip(load="class Builder(InferenceBuilder):\n    pass\n")
STEP = a_zip(step="def process_data(data):\n    return data\n")

BYTES = {
    "empty": (b"", "empty", ""),
    "a web page": (b"\n<!DOCTYPE html><html>", "document", ""),
    "JSON": (b'{"version": [1, 2]}', "json", ""),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(60), "hdf5", ""),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs", ""),
    "GGUF": (b"GGUF\3\0\0\0" + bytes(64), "gguf", ""),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(64), "tflite", "tensorflow"),
    "ONNX Runtime": (b"\x1c\0\0\0ORTM" + bytes(64), "onnx-runtime", ""),
    "ONNX": (a_model(), "onnx", ""),
    "safetensors": (SAFETENSORS, "safetensors", ""),
    "XGBoost, UBJSON": (UBJSON, "xgboost", "xgboost"),
    "XGBoost, JSON": (XGBOOST_JSON, "xgboost", "xgboost"),
    "LightGBM": (b"tree\nversion=v3\nnum_class=1\n", "lightgbm", "lightgbm"),
    "CatBoost": (b"CBM1" + bytes(60), "catboost", "catboost"),
    "PMML": (b'<?xml version="1.0"?><PMML version="4.4">', "pmml", ""),
    "R": (gzip.compress(b"RDX3\nX\n" + bytes(60)), "r-data", ""),
    "R, one object": (gzip.compress(b"X\n\0\0\0\3" + bytes(60)), "r-data", ""),
    "a pickle": (PICKLE, "pickle", ""),
    "a pickle in gzip": (gzip.compress(PICKLE), "pickle", ""),
    "a pickle in bzip2": (bz2.compress(PICKLE), "pickle", ""),
    "a pickle in xz": (lzma.compress(PICKLE), "pickle", ""),
    "a table in gzip": (gzip.compress(b"a,b\n1,2\n"), "compressed", ""),
    "gzip that is cut": (gzip.compress(PICKLE)[:12], "compressed", ""),
    "tar": (a_tar(), "archive", ""),
    "tar in gzip": (gzip.compress(a_tar()), "archive", ""),
    "a zip": (a_zip("a.txt"), "zip", ""),
    "Keras 3": (KERAS, "keras-archive", "keras"),
    "a SavedModel": (a_zip("m/saved_model.pb"), "saved-model", "tensorflow"),
    "a SavedModel of Keras": (a_zip("m/saved_model.pb", "m/keras_metadata.pb"), "saved-model", "keras"),
    "Hugging Face": (a_zip("m/config.json", "m/model.safetensors"), "hugging-face", "transformers"),
    "TorchServe": (a_zip("MAR-INF/MANIFEST.json", "model.pt"), "torchserve", "torch"),
    "arrays": (a_zip("a.npy", "b.npy"), "array", "numpy"),
    "inference code": (BUILDER, "byop-archive", ""),
    "a Python step": (STEP, "step-archive", ""),
}
NAMED = {
    "c.h5": (b"\1\2\3\4" * 20, "hdf5"),
    "model.onnx": (b"\1\2\3\4" * 20, "onnx"),
    "model.keras": (b"\1\2\3\4" * 20, "keras-archive"),
    "model.pt": (b"\1\2\3\4" * 20, "torch-saved"),
    "model.sav": (b"\1\2\3\4" * 20, "pickle"),
    "model.bst": (b"\1\2\3\4" * 20, "xgboost"),
}
FILES = {
    "torch/script.pt": ("torchscript", "torch"),
    "torch/state.pt": ("torch-saved", "torch"),
    "torch/eager-legacy.pt": ("torch-legacy", "torch"),
    "torch/export.pt2": ("torch-export", "torch"),
    "tensorflow/sequential.h5": ("keras-hdf5", "keras"),
    "tensorflow/only.weights.h5": ("keras-weights", "keras"),
    "pickles/logistic-1.2.2.pkl": ("pickle", "sklearn"),
    "pickles/logistic-1.2.2-gzip.joblib": ("pickle", "sklearn"),
    "pickles/logistic-1.2.2-zlib.joblib": ("pickle", "sklearn"),
    "pickles/logistic-1.2.2-lzma.joblib": ("pickle", "sklearn"),
    "pickles/logistic-1.2.2-protocol0.pkl": ("pickle", "sklearn"),
    "pickles/pipeline-1.2.2.joblib": ("pickle", "sklearn"),
    "pickles/classifier-1.7.4.pkl": ("pickle", "xgboost"),
    "pickles/regressor-1.7.4.json": ("xgboost", "xgboost"),
    "pickles/regressor-1.7.4.ubj": ("xgboost", "xgboost"),
    "pickles/regressor-1.7.4.model": ("xgboost", "xgboost"),
}
FOLDERS = {
    "saved_model.pb": ("saved-model", "tensorflow"),
    "saved_model.pb keras_metadata.pb": ("saved-model", "keras"),
    "MLmodel model.pkl": ("mlflow", "mlflow"),
    "model_index.json": ("diffusers", "diffusers"),
    "adapter_config.json adapter_model.safetensors": ("adapter", "peft"),
    "config.json model-00001-of-00002.safetensors": ("hugging-face", "transformers"),
    "config.json pytorch_model.bin": ("hugging-face", "transformers"),
    "checkpoint model.ckpt-1.index": ("tensorflow-checkpoint", "tensorflow"),
}


class TestFiles:
    @pytest.mark.parametrize("case", BYTES)
    @pytest.mark.parametrize("name", ["", "model.bin", "model.onnx", "model.h5", "model.pt"])
    def test_bytes_tell_whatever_the_name_is(self, case: str, name: str) -> None:
        data, kind, writer = BYTES[case]
        found = told(data, name)
        assert found is not None
        assert (found.kind, found.writer, found.by_name) == (kind, writer, False)

    @pytest.mark.parametrize("name", NAMED)
    def test_the_name_tells_where_the_bytes_do_not(self, name: str) -> None:
        data, kind = NAMED[name]
        found = told(data, name)
        assert found is not None
        assert (found.kind, found.by_name) == (kind, True)
        assert told(data, "noise.bin") is None

    @pytest.mark.parametrize("path", FILES)
    @pytest.mark.parametrize("renamed", [False, True])
    def test_what_the_libraries_wrote(self, path: str, renamed: bool, tmp_path: Path) -> None:
        weak = path.endswith(("zlib.joblib", "lzma.joblib", "protocol0.pkl"))
        file = Path(shutil.copy(FIXTURES / path, tmp_path / "model.bin"))
        with file.open("rb") as stream:
            found = recognise(stream, file.stat().st_size, "model.dat" if renamed else path)
        if renamed and weak:
            assert found is None
        else:
            assert found is not None
            assert (found.kind, found.writer) == FILES[path]

    def test_what_was_read_of_a_pickle_comes_along(self) -> None:
        found = told(zlib.compress(PICKLE), "a.joblib")
        assert found is not None
        assert found.pickle is not None
        assert (found.pickle.compression, found.name) == ("zlib", "a Python pickle, compressed (zlib)")

    @pytest.mark.parametrize("data", [PICKLE[:-2], a_zip("a.txt")[:-30]], ids=["a pickle", "a zip"])
    def test_what_cannot_be_read_to_its_end_says_why(self, data: bytes) -> None:
        found = told(data)
        assert found is not None
        assert found.problem

    def test_three_bytes_of_onnx_are_not_enough_without_the_name(self) -> None:
        data = b"\x08\x07\x12" + bytes(60)
        assert is_onnx(data)
        assert told(data, "noise.bin") is None
        assert kind_of(data, "model.onnx") == "onnx"

    def test_old_pickles_are_told_by_name_and_content(self) -> None:
        assert kind_of(OLD_PICKLE, "a.pkl") == "pickle"
        assert told(OLD_PICKLE, "a.dat") is None

    @pytest.mark.parametrize("case", BYTES)
    def test_no_beginning_of_a_file_makes_it_fail(self, case: str) -> None:
        data = BYTES[case][0]
        for length in {*range(0, min(len(data), 64), 7), len(data) // 2, max(len(data) - 1, 0)}:
            told(data[:length], "model.pkl")


class TestFolders:
    @pytest.mark.parametrize("names", FOLDERS)
    def test_by_the_names_in_them(self, names: str) -> None:
        found = recognise_folder(names.split())
        assert found is not None
        assert (found.kind, found.writer, found.by_name) == (*FOLDERS[names], False)

    def test_a_config_alone_is_a_guess(self) -> None:
        found = recognise_folder(["config.json"])
        assert found is not None
        assert found.by_name

    def test_others_are_none(self) -> None:
        assert recognise_folder(["README.md", "model.onnx"]) is None


class TestHeads:
    @pytest.mark.parametrize(
        ("head", "said"),
        [
            (b"PK\3\4", "a zip archive"),
            (b"\x80\x04\x95", "a Python pickle"),
            (b"\xef\xbb\xbf  <HTML>", "an HTML page"),
            (b"", "an empty file"),
        ],
    )
    def test_are_named_as_messages_name_them(self, head: bytes, said: str) -> None:
        found = recognise_head(head)
        assert found is not None
        assert found.name == said

    def test_nothing_is_looked_into(self) -> None:
        found = recognise_head(KERAS[:64])
        assert found is not None
        assert found.kind == "zip"

    def test_unknown_ones_are_none(self) -> None:
        assert recognise_head(b"?") is None
