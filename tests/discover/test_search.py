"""Models are told by what is in them: under their own names, under others, and where they are none."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from hatch_wallaroo.discover import walk
from hatch_wallaroo.discover.search import discover, discover_at
from support.trees import EXAMPLES, FIXTURES, by_path, context, found, grow

PICKLES, TORCH, TENSORFLOW = FIXTURES / "pickles", FIXTURES / "torch", FIXTURES / "tensorflow"
ONNX = EXAMPLES / "onnx" / "models" / "pump_failure.onnx"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 1234\n"


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return stream.getvalue()


def of_folder(folder: Path, top: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, f"{top}/{path.relative_to(folder)}")
    return stream.getvalue()


# What is taken: content, the frameworks, what it is called

TAKEN = {
    "onnx": (ONNX, ["onnx"], "an ONNX model"),
    "sklearn": (EXAMPLES / "sklearn" / "wine.pkl", ["sklearn"], "a scikit-learn Pipeline"),
    "sklearn by protocol 0": (PICKLES / "logistic-1.2.2-protocol0.pkl", ["sklearn"], "a scikit-learn LogisticRegression"),
    "xgboost": (PICKLES / "classifier-2.1.4.pkl", ["xgboost"], "an XGBoost XGBClassifier"),
    "keras": (EXAMPLES / "keras" / "models" / "fruit_sorter.h5", ["keras"], "a Keras model (HDF5)"),
    "pytorch": (TORCH / "script.pt", ["pytorch"], "a TorchScript archive"),
    "tensorflow": (TENSORFLOW / "module", ["tensorflow"], "a SavedModel"),
    "tensorflow or keras": (TENSORFLOW / "keras", ["tensorflow", "keras"], "a SavedModel"),
    "keras alone": (TENSORFLOW / "no-signature", ["keras"], "a SavedModel"),
    "hugging face": (
        EXAMPLES / "hugging-face" / "models" / "reviews",
        ["hugging-face-text-classification"],
        "a Hugging Face BertForSequenceClassification",
    ),
    "step": (EXAMPLES / "three-steps" / "steps" / "scale.py", ["python"], "a Python step (process_data)"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken(case: str, tmp_path: Path) -> None:
    content, frameworks, what = TAKEN[case]
    grow(tmp_path, {f"deep/down/{content.name}": content})
    (candidate,) = found(tmp_path).candidates
    taken = [each for each in candidate.frameworks if each != "hugging-face-zero-shot-classification"]
    assert (candidate.path, taken, candidate.what) == (f"deep/down/{content.name}", frameworks, what)
    assert candidate.certain
    assert bool(candidate.why) == (len(candidate.frameworks) > 1)
    assert discover_at(context(tmp_path), candidate.path) == candidate


@pytest.mark.parametrize("name", ["model", "weights.bin", "a.b.dat", "model.txt", "best.model"])
def test_names_do_not_count(name: str, tmp_path: Path) -> None:
    grow(tmp_path, {f"1/{name}": ONNX, f"2/{name}": TORCH / "script.pt", f"3/{name}": PICKLES / "forest-1.9.1.pkl",
                    f"4/{name}": EXAMPLES / "keras" / "models" / "fruit_sorter.h5"})  # fmt: skip
    what = {path: each.what for path, each in by_path(tmp_path).items()}
    assert what == {
        f"1/{name}": "an ONNX model",
        f"2/{name}": "a TorchScript archive",
        f"3/{name}": "a scikit-learn RandomForestClassifier",
        f"4/{name}": "a Keras model (HDF5)",
    }
    advice = {path: each.advice for path, each in by_path(tmp_path).items() if each.advice}
    assert advice == {
        f"1/{name}": "rename it to end in .onnx, by which the platform tells it",
        f"4/{name}": "rename it to end in .h5, by which the platform tells it",
    }


# What is not: content, what it is called, the beginning of the advice

NOT_TAKEN = {
    "gguf.gguf": (b"GGUF" + bytes(60), "a GGUF model", 'package it with framework = "custom"'),
    "lite.tflite": (b"\x1c\0\0\0TFL3" + bytes(60), "a TensorFlow Lite model", 'package it with framework = "custom"'),
    "runtime.ort": (b"\x1c\0\0\0ORTM" + bytes(60), "an ONNX Runtime (.ort) model", 'framework = "onnx"'),
    "trees.txt": (b"tree\nversion=v4\nnum_class=1\n", "a LightGBM model", 'package it with framework = "custom"'),
    "cat.cbm": (b"CBM1" + bytes(60), "a CatBoost model", 'package it with framework = "custom"'),
    "m.pmml": (b'<?xml version="1.0"?>\n<PMML version="4.4">', "a PMML document", 'package it with framework = "custom"'),
    "state.pt": (TORCH / "state.pt", "a file saved by torch.save", "build the model, model.load_state_dict"),
    "old.pt": (TORCH / "state-legacy.pt", "a file saved by torch.save", "build the model, model.load_state_dict"),
    "export.pt2": (TORCH / "export.pt2", "a torch.export archive", "script or trace the module instead"),
    "only.weights.h5": (TENSORFLOW / "only.weights.h5", "an HDF5 file that holds no whole model", "build the model"),
    "keras3.h5": (TENSORFLOW / "keras3.h5", "a Keras model (HDF5)", "build and save the model with tensorflow=="),
    "scaler.pkl": (PICKLES / "no-arrays-1.2.2.joblib", "a scikit-learn LabelEncoder", "end the pipeline with"),
    "unfit.pkl": (PICKLES / "untrained-1.7.4.pkl", "an XGBoost XGBClassifier", "call fit before"),
    "own.json": (PICKLES / "regressor-1.7.4.json", "an XGBoost model in its own JSON format", "python -c"),
    "own.ubj": (PICKLES / "regressor-1.7.4.ubj", "an XGBoost model in its own UBJSON format", "python -c"),
    "lfs.onnx": (POINTER.encode(), "a Git LFS pointer, not the file itself", "git lfs pull --include='lfs.onnx'"),
    "empty.pkl": (b"", "an empty file", "save or copy the model again"),
    "empty.gguf": (b"", "an empty file", "save or copy the model again"),
    "page.onnx": (b"<!DOCTYPE html><html>no such file", "called as a model of onnx, and none", "export the model anew"),
    "page.h5": (b"<!DOCTYPE html><html>no such file", "called as a model of keras, and none", "copy or download it again"),
    "page.pt": (b"<!DOCTYPE html><html>no such file", "called as a model of pytorch, and none", "save the model with"),
    "page.pkl": (b"<!DOCTYPE html><html>no such file", "called as a model of sklearn, and none", ""),
    "zeros.onnx": (bytes(100), "called as a model of onnx, and none", "export the model anew"),
    "cut.pt": ((TORCH / "script.pt").read_bytes()[:900], "a zip that cannot be read: it is cut short", "copy it again"),
    "weights.safetensors": (
        b"\x40" + bytes(7) + json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).ljust(64).encode()
        + bytes(4),
        "weights in a safetensors file",
        "load them into the model",
    ),
    "serve.mar": (
        zipped(**{"MAR-INF__MANIFEST_dot_json": b"{}", "model_dot_pt": b"x"}), "an archive for TorchServe", "unpack it"
    ),
    "byop.zip": (
        zipped(b__inference_dot_py=b"class B(InferenceBuilder):\n    pass\n", b__m_dot_pkl=b"x"),
        "an archive of inference code (b/inference.py)",
        "unpack it into the project",
    ),
    "step.zip": (
        zipped(step_dot_py=b"def process_data(input_data):\n    return {}\n"),
        "an archive of a Python step (step.py)",
        "unpack it into the project",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_what_is_not_taken_as_it_is(name: str, tmp_path: Path) -> None:
    content, what, advice = NOT_TAKEN[name]
    grow(tmp_path, {name: content})
    (candidate,) = found(tmp_path).candidates
    assert candidate.what.startswith(what)
    assert (candidate.frameworks, candidate.certain) == ((), False)
    assert candidate.advice.startswith(advice)
    assert candidate.advice or any(each.fix for each in candidate.findings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"tree of life\nversion=1\n"),
        ("table.csv", b"a,b\n1,2\n"),
        ("data.json", b'{"rows": [1, 2, 3], "more": true}'),
        ("data.json", b'{"version": [1, 2, 3], "name": "x"}'),
        ("archive.zip", zipped(readme_dot_txt=b"hello, this is no model")),
        ("code.zip", zipped(main_dot_py=b"print('hello')\n")),
        ("arrays.npz", zipped(a_dot_npy=b"\x93NUMPY")),
        ("broken.zip", b"PK\x03\x04" + bytes(40)),
        ("three.bin", b"\x08\x07\x12" + bytes(40)),
        ("x.bin", os.urandom(16) + bytes(100)),
        ("tiny.pkl", b"N."),
    ],
)
def test_what_is_no_model_is_not_mentioned(name: str, content: bytes, tmp_path: Path) -> None:
    grow(tmp_path, {name: content})
    assert found(tmp_path).candidates == ()


def test_pickles_of_data_and_of_other_libraries(tmp_path: Path) -> None:
    class_of_lightgbm = b"\x80\x04clightgbm.sklearn\nLGBMClassifier\n)\x81}b."
    runs_a_program = b"\x80\x04cos\nsystem\nX\x04\x00\x00\x00true\x85R" + b"."
    holds_a_model = b"\x80\x04}X\x05\x00\x00\x00modelcsklearn.svm\nSVC\n)\x81}bs."
    grow(
        tmp_path,
        {
            "cache.pkl": pickle.dumps({"rows": [1, 2, 3], "names": ["a"]}),
            "list.pkl": pickle.dumps(list(range(50))),
            "ordered.pkl": pickle.dumps(OrderedDict(a=[1, 2, 3])),
            "gbm.pkl": class_of_lightgbm,
            "evil.pkl": runs_a_program,
            "both.pkl": holds_a_model,
        },
    )
    told = {path: (each.kind, each.what, each.frameworks) for path, each in by_path(tmp_path).items()}
    assert told == {
        "both.pkl": ("model", "a pickle of a dict that holds sklearn.svm.SVC", ()),
        "cache.pkl": ("data", "a pickle of a dict (rows, names)", ()),
        "evil.pkl": ("model", "a pickle that would call os.system", ()),
        "gbm.pkl": ("model", "a pickle of lightgbm.sklearn.LGBMClassifier", ()),
        "list.pkl": ("data", "a pickle of a list of 50", ()),
        "ordered.pkl": ("data", "a pickle of an object of collections.OrderedDict", ()),
    }
    advice = {path: each.advice for path, each in by_path(tmp_path).items()}
    assert advice["evil.pkl"] == "do not load it; find out where it comes from"
    assert "BYOP" in advice["gbm.pkl"]
    assert 'the value of "model"' in advice["both.pkl"]


def test_another_release_takes_it(tmp_path: Path) -> None:
    grow(tmp_path, {"forest.pkl": PICKLES / "forest-1.2.2.pkl", "ranker.pkl": PICKLES / "ranker-1.7.4.pkl"})
    for each in found(tmp_path).candidates:
        assert not each.certain
        assert each.advice.endswith(", or choose --release 2023.4, which takes it as it is")
    assert all(each.certain for each in found(tmp_path, "2023.4").candidates)


# Folders


def config(architecture: str, **more: object) -> str:
    return json.dumps({"architectures": [architecture], "model_type": "x", **more})


def tensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize(
    ("settings", "first", "second", "why"),
    [
        (config("MarianMTModel"), "translation", "summarization", "MarianMTModel translates"),
        (config("BartForConditionalGeneration"), "summarization", "translation", "the first that fits"),
        (config("T5ForConditionalGeneration", task_specific_params={"translation_en_to_de": {}}), "translation",
            "summarization", "settings for translation"),
        (config("BertForSequenceClassification", label2id={"entailment": 0, "neutral": 1}), "zero-shot-classification",
            "text-classification", "called entailment"),
        (config("BertForSequenceClassification", label2id={"good": 0, "bad": 1}), "text-classification", None, ""),
        (config("BertModel"), "feature-extraction", None, ""),
        (config("ViTForImageClassification"), "image-classification", None, ""),
    ],
)  # fmt: skip
def test_the_task_of_a_hugging_face_model(
    settings: str, first: str, second: str | None, why: str, tmp_path: Path
) -> None:
    grow(tmp_path, {"m/config.json": settings, "m/model.safetensors": tensors(), "m/tokenizer.json": "{}",
                    "m/preprocessor_config.json": "{}"})  # fmt: skip
    (candidate,) = found(tmp_path).candidates
    assert candidate.framework == f"hugging-face-{first}"
    assert candidate.frameworks[1:2] == ((f"hugging-face-{second}",) if second else ())
    assert why in candidate.why
    assert bool(candidate.why) == bool(why)


def test_a_language_model_may_be_served_otherwise(tmp_path: Path) -> None:
    grow(tmp_path, {"m/config.json": config("LlamaForCausalLM"), "m/model.safetensors": tensors()})
    (candidate,) = found(tmp_path).candidates
    assert candidate.frameworks == ("hugging-face-text-generation", "vllm", "sglang")
    (candidate,) = found(tmp_path, "2024.4").candidates
    assert candidate.frameworks == ("hugging-face-text-generation",)


def test_an_architecture_that_is_not_known(tmp_path: Path) -> None:
    grow(tmp_path, {"m/config.json": config("Mystery"), "m/model.safetensors": tensors()})
    (candidate,) = found(tmp_path).candidates
    assert candidate.frameworks == ()
    assert "--model m --framework hugging-face-" in candidate.advice


def test_what_is_inside_a_model_is_none_of_its_own(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "m/config.json": config("BertForSequenceClassification"),
            "m/model.safetensors": tensors(),
            "m/onnx/model.onnx": ONNX,
            "m/tokenizer.pkl": PICKLES / "forest-1.9.1.pkl",
            "saved/model": TENSORFLOW / "keras",
            "saved/model/assets/deep.onnx": ONNX,
            "saved/beside.onnx": ONNX,
        },
    )
    assert set(by_path(tmp_path)) == {"m", "saved/model", "saved/beside.onnx"}


def test_of_a_training_s_checkpoints_the_last_is_taken(tmp_path: Path) -> None:
    for number in (500, 1000, 90):
        grow(
            tmp_path,
            {
                f"out/checkpoint-{number}/config.json": config("BertForSequenceClassification", label2id={"a": 0}),
                f"out/checkpoint-{number}/model.safetensors": tensors(),
                f"out/checkpoint-{number}/tokenizer.json": "{}",
                f"out/checkpoint-{number}/optimizer.pt": TORCH / "state.pt",
            },
        )
    told = {path: (each.certain, each.advice) for path, each in by_path(tmp_path).items()}
    assert told == {
        "out/checkpoint-1000": (True, ""),
        "out/checkpoint-500": (False, "an earlier checkpoint than checkpoint-1000"),
        "out/checkpoint-90": (False, "an earlier checkpoint than checkpoint-1000"),
    }


def test_weights_that_were_never_fetched(tmp_path: Path) -> None:
    grow(tmp_path, {"m/config.json": config("BertForSequenceClassification"), "m/model.safetensors": POINTER})
    (candidate,) = found(tmp_path).candidates
    assert not candidate.certain
    assert "WLR230" in {each.code for each in candidate.findings}
    assert candidate.advice.startswith("git lfs pull")


def test_folders_that_are_not_taken_as_they_are(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "lora/adapter_config.json": "{}",
            "lora/adapter_model.safetensors": tensors(),
            "ckpt/checkpoint": 'model_checkpoint_path: "m"',
            "ckpt/m.index": b"x" * 20,
            "ckpt/m.data-00000-of-00001": b"x" * 20,
            "broken/config.json": "{",
            "broken/model.safetensors": tensors(),
            "run/MLmodel": "flavors:\n  python_function:\n    loader_module: x\n  sklearn:\n    pickled_model: model.pkl\n",
            "run/model.pkl": PICKLES / "forest-1.9.1.pkl",
            "settings/config.json": '{"database": "x"}',
        },
    )
    told = {path: (each.what, each.certain) for path, each in by_path(tmp_path).items()}
    assert told == {
        "broken": ("weights with a config.json that cannot be read", False),
        "ckpt": ("a TensorFlow checkpoint, weights without a graph", False),
        "lora": ("an adapter (PEFT), not a whole model", False),
        "run": ("an MLflow model (sklearn)", False),
    }
    run = by_path(tmp_path)["run"]
    assert run.frameworks == ("mlflow",)
    assert run.advice.startswith("run/model.pkl in it goes as it is: --model run/model.pkl; as mlflow")
    inner = discover_at(context(tmp_path), "run/model.pkl")
    assert inner is not None
    assert inner.certain


def test_a_model_that_fills_the_project_s_own_folder(tmp_path: Path) -> None:
    grow(tmp_path, {"config.json": config("BertModel"), "model.safetensors": tensors(), "other/m.onnx": ONNX})
    told = by_path(tmp_path)
    assert told["."].advice.startswith("move the model's files into a folder of their own")
    assert not told["."].frameworks
    assert told["other/m.onnx"].certain


@pytest.mark.parametrize("folder", [TENSORFLOW / "module", EXAMPLES / "tensorflow" / "models" / "energy_demand"])
def test_a_saved_model_in_a_zip(folder: Path, tmp_path: Path) -> None:
    grow(tmp_path, {"m.zip": of_folder(folder, "m")})
    (candidate,) = found(tmp_path).candidates
    assert (candidate.path, candidate.frameworks, candidate.certain) == ("m.zip", ("tensorflow",), True)


# Where is looked


def test_where_nobody_looks(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            ".venv/lib/m.onnx": ONNX,
            "env/pyvenv.cfg": "",
            "env/m.onnx": ONNX,
            "conda/conda-meta/history": "",
            "conda/m.onnx": ONNX,
            "node_modules/m.onnx": ONNX,
            "dist/m.onnx": ONNX,
            "build/m.onnx": ONNX,
            "x.egg-info/m.onnx": ONNX,
            ".git/m.onnx": ONNX,
            ".cache/m.onnx": ONNX,
            ".hidden/m.onnx": ONNX,
            "lib/site-packages/m.onnx": ONNX,
            "tests/test_it.py": "",
            "tests/m.onnx": ONNX,
            "lib/test/unit/test_it.py": "",
            "lib/test/data/m.onnx": ONNX,
            "out/m-1.0.wallaroo.json": "{}",
            "out/m-1.0.onnx": ONNX,
            "tests-data/m.onnx": ONNX,
            "src/build/m.onnx": ONNX,
        },
    )
    assert set(by_path(tmp_path)) == {"tests-data/m.onnx", "src/build/m.onnx"}


def test_projects_of_their_own(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "pyproject.toml": "[tool.wallaroo]\n",
            "m.onnx": ONNX,
            "a/pyproject.toml": "[project]\nname = 'a'\n\n  [ tool . wallaroo.models.x ]\n",
            "a/deep/m.onnx": ONNX,
            "b/pyproject.toml": "[project]\nname = 'b'\n# [tool.wallaroo]\n",
            "b/m.onnx": ONNX,
        },
    )
    assert set(by_path(tmp_path)) == {"m.onnx", "b/m.onnx"}


def test_what_git_ignores_is_looked_at(tmp_path: Path) -> None:
    grow(tmp_path, {".gitignore": "*.onnx\nmodels/\n", "models/m.onnx": ONNX})
    assert set(by_path(tmp_path)) == {"models/m.onnx"}


def test_links(tmp_path: Path) -> None:
    root, outside = tmp_path / "here", tmp_path / "there"
    grow(root, {"models/m.onnx": ONNX})
    grow(outside, {"m.onnx": ONNX, "folder/m.onnx": ONNX})
    (root / "in.onnx").symlink_to("models/m.onnx")
    (root / "out.onnx").symlink_to(outside / "m.onnx")
    (root / "loop.onnx").symlink_to("loop.onnx")
    (root / "gone.onnx").symlink_to("nowhere")
    (root / "folder").symlink_to(outside / "folder")
    (root / "models" / "up").symlink_to("..")
    told = found(root)
    assert [each.path for each in told.candidates] == ["in.onnx", "models/m.onnx"]
    assert [each.message for each in told.findings] == ["not looked at: out.onnx is a link that leaves the project"]


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(tmp_path, {f"many/{number}.dat": b"x" * 20 for number in range(30)})
    grow(tmp_path, {"/".join("d" * 1 for _ in range(20)) + "/m.onnx": ONNX, "a/m.onnx": ONNX})
    monkeypatch.setattr(walk, "MOST_IN_A_FOLDER", 10)
    told = found(tmp_path)
    assert [each.path for each in told.candidates] == ["a/m.onnx"]
    assert [each.message for each in told.findings] == ["not looked at: many holds more than 10 files: the rest of it"]
    monkeypatch.setattr(walk, "MOST", 5)
    assert "5 files were looked at" in found(tmp_path).findings[-1].message
    monkeypatch.setattr(walk, "MOST", 50_000)
    monkeypatch.setattr(walk, "SECONDS", 0.0)
    monkeypatch.setattr(walk.Deadline.__init__, "__defaults__", (0.0,))
    assert "it took too long" in found(tmp_path).findings[0].message


def test_the_same_repository_gives_the_same(tmp_path: Path) -> None:
    grow(tmp_path, {f"{letter}/m.onnx": ONNX for letter in "zyxab"})
    first = discover(context(tmp_path))
    assert [each.path for each in first.candidates] == sorted(each.path for each in first.candidates)
    assert discover(context(tmp_path)) == first
