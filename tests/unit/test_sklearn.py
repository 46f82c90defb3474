"""scikit-learn models: what is accepted, what is refused, and whether the platform's versions agree."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from hatch_wallaroo.findings import Place
from hatch_wallaroo.formats import pickles as pickled_files
from hatch_wallaroo.formats.pickle_nodes import class_of
from hatch_wallaroo.formats.pickles import read_pickle, read_pickle_file
from hatch_wallaroo.frameworks.base import version_numbers
from hatch_wallaroo.frameworks.pickled import estimators as sklearn_estimators
from hatch_wallaroo.frameworks.pickled.checks import dangerous
from hatch_wallaroo.frameworks.pickled.estimators import broken_between
from hatch_wallaroo.schema.types import ListOf, Scalar
from support.inspecting import fields, look
from support.peers import run_in
from support.pickles import Made, Name, estimator, pickled

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "pickles"
SHARED = ROOT.parent / "shared" / "models"
FOUR = fields(inputs="float64*4")


def look_at(tmp_path, data, name="model.pkl", **options):
    (tmp_path / name).write_bytes(data if isinstance(data, bytes) else pickled(data))
    return look(tmp_path / name, "sklearn", **options)


@pytest.mark.parametrize("protocol", ["", "-protocol0", "-protocol2", "-protocol5"])
def test_a_model_of_the_platforms_version_has_nothing_to_complain_of(protocol):
    seen = look(
        FOLDER / f"logistic-1.2.2{protocol}.pkl",
        "sklearn",
        input_schema=FOUR,
        output_schema=fields(predictions="int32"),
    )
    assert seen.findings == ()
    assert seen.facts["class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert seen.facts["libraries"] == {"scikit-learn": "1.2.2"}
    assert seen.facts["features"] == 4
    assert (seen.layout.form, seen.layout.suffix) == ("file", ".pkl")


def test_steps_of_a_pipeline():
    seen = look(FOLDER / "pipeline-1.2.2.pkl", "sklearn", input_schema=FOUR)
    assert seen.findings == ()
    assert [each["name"] for each in seen.facts["steps"]] == ["scale", "reduce", "classify"]
    assert seen.facts["steps"][1]["class"] == "sklearn.decomposition._pca.PCA"
    assert seen.facts["features"] == 4


def test_a_search_predicts_with_its_best():
    seen = look(FOLDER / "search-1.2.2.pkl", "sklearn", input_schema=fields(inputs="float64*5"))
    assert seen.facts["features"] == 4
    assert seen.said == {"WLR362": "error"}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public models are not here")
@pytest.mark.parametrize(
    ("name", "made_by", "version"),
    [
        ("sklearn_kmeans.pkl", "sklearn.cluster._kmeans.KMeans", "1.1.3"),
        ("sklearn_logreg.pkl", "sklearn.linear_model._logistic.LogisticRegression", "1.1.2"),
    ],
)
def test_public_models(name, made_by, version):
    seen = look(SHARED / name, "sklearn", input_schema=FOUR)
    assert seen.facts["class"] == made_by
    assert seen.said == {"WLR366": "warning"}
    assert version in seen.message("WLR366")
    assert "1.2.2" in seen.message("WLR366")


# What a file may be


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("pipeline-1.2.2.joblib", "WLR352", "pickle.dump(joblib.load('pipeline-1.2.2.joblib')"),
        ("logistic-1.2.2-zlib.joblib", "WLR352", "compressed (zlib)"),
        ("logistic-1.2.2-lzma.joblib", "WLR352", "compressed (lzma)"),
        ("objects-1.2.2.joblib", "WLR352", "stops at the first"),
    ],
)
def test_joblib_is_told_what_it_means(name, code, words):
    seen = look(FOLDER / name, "sklearn")
    assert seen.said[code] == "error"
    assert words in seen.message(code)


def test_joblib_without_arrays_is_taken_and_renamed():
    seen = look(FOLDER / "no-arrays-1.2.2.joblib", "sklearn")
    assert seen.said["WLR359"] == "note"
    assert "WLR352" not in seen.said
    assert seen.layout.entries[0].path == "no-arrays-1.2.2.pkl"


NOT_PICKLES = {
    "empty": (b"", "an empty file"),
    "zip": (b"PK\x03\x04" + bytes(60), "a zip archive"),
    "page": (b"<!doctype html><html>", "an HTML page"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file"),
    "text": (b"hello world, this is a text", "is not a pickle"),
    "json": (b'{"a": 1}', "a JSON text"),
    "npy": (b"\x93NUMPY\x01\x00v\x00" + bytes(60), "a NumPy array"),
    "tar.gz": (__import__("gzip").compress(b"not a pickle" * 9), "gzip-compressed data"),
}


@pytest.mark.parametrize("kind", NOT_PICKLES)
def test_what_is_no_pickle(tmp_path, kind):
    data, words = NOT_PICKLES[kind]
    seen = look_at(tmp_path, data)
    assert seen.said == {"WLR350": "error"}
    assert words in seen.message("WLR350")


def test_a_pickle_that_was_cut(tmp_path):
    data = (FOLDER / "logistic-1.2.2.pkl").read_bytes()
    seen = look_at(tmp_path, data[:-100])
    assert seen.said == {"WLR351": "error"}
    assert "bytes" in seen.message("WLR351")


def test_an_lfs_pointer_is_left_to_others(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
    assert look_at(tmp_path, pointer).findings == ()


def test_no_model_named(tmp_path):
    from hatch_wallaroo.frameworks.pickled.sklearn import Sklearn
    from support.factory import make_spec

    planned = Sklearn().plan(make_spec(tmp_path, "sklearn"))
    assert planned.layout is None
    assert [each.code for each in planned.findings] == ["WLR200"]


def test_more_than_one_pickle(tmp_path):
    one = (FOLDER / "logistic-1.2.2.pkl").read_bytes()
    assert look_at(tmp_path, one + one).said == {"WLR354": "warning"}
    assert "more than one pickle" in look_at(tmp_path, one + one).message("WLR354")
    assert "goes on for 5 bytes" in look_at(tmp_path, one + b"hello").message("WLR354")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Phere\n.", "persistent ids"),
        (b"\x80\x05\x97.", "separate buffers"),
        (b"\x80\x02\x82\x05.", "extension codes"),
        (pickled(estimator(a=Made(Name("joblib.numpy_pickle_compat", "NDArrayWrapper"), (), {"filename": "m_01.npy"}))),
         "before 0.10"),
    ],
)  # fmt: skip
def test_pickles_that_need_more_than_themselves(tmp_path, data, words):
    seen = look_at(tmp_path, data)
    assert seen.said["WLR353"] == "error"
    assert words in seen.message("WLR353")


# What it may hold


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"model": estimator(), "scaler": 1}, 'a dict (model, scaler), not a model with predict | save the estimator alone (the value of "model"?)'),
        ([1, 2, 3], "a list of 3"),
        (np.zeros((3, 4)), "a NumPy array of shape (3, 4)"),
        (3.5, "the number 3.5"),
        ("text", "a text"),
        (None, "None"),
        (b"x" * 500, "bytes"),
        (Name("sklearn.linear_model", "LogisticRegression"), "a class or function"),
        (Made(Name("pandas.core.frame", "DataFrame"), (), {"x": 1}), "pandas.core.frame.DataFrame"),
        (Made(Name("sklearn.utils._bunch", "Bunch"), (), {"data": 1}), "sklearn.utils._bunch.Bunch"),
    ],
)  # fmt: skip
def test_what_is_no_model(tmp_path, value, words):
    data = pickle.dumps(value) if isinstance(value, np.ndarray) else pickled(value)
    seen = look_at(tmp_path, data, release="2025.2")
    assert seen.said["WLR365"] == "error"
    assert words in seen.message("WLR365")


OWN = estimator("sklearn.pipeline.Pipeline", steps=[("mine", Made(Name("mine.steps", "Step"), (), {"a_": 1}))])


@pytest.mark.parametrize(
    ("value", "code", "level", "words"),
    [
        (estimator("__main__.Mine"), "WLR356", "error", "the script or notebook"),
        (OWN, "WLR356", "error", "mine.steps.Step"),
        (estimator("imblearn.pipeline.Pipeline"), "WLR357", "warning", "imbalanced-learn"),
        (estimator("lightgbm.sklearn.LGBMClassifier"), "WLR357", "warning", "lightgbm"),
        (estimator(f=Made(Name("cloudpickle.cloudpickle", "_make_function"))), "WLR357", "warning", "bytecode"),
        (estimator("xgboost.sklearn.XGBClassifier"), "WLR370", "error", 'framework = "xgboost"'),
    ],
)
def test_classes_from_elsewhere(tmp_path, value, code, level, words):
    seen = look_at(tmp_path, value)
    assert seen.said[code] == level
    assert words in seen.message(code)


def test_a_module_of_the_project_is_its_own_even_with_a_librarys_name(tmp_path):
    (tmp_path / "src" / "prophet").mkdir(parents=True)
    seen = look_at(tmp_path, estimator("prophet.Model"))
    assert seen.said["WLR356"] == "error"
    assert "of this project" in seen.message("WLR356")


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "name",
    ["os.system", "posix.system", "builtins.eval", "__builtin__.eval", "subprocess.Popen", "socket.socket",
     "importlib.import_module", "builtins.exec", "shutil.rmtree", "builtins.open", "runpy.run_path", "pickle.loads",
     "numpy.load", "urllib.request.urlopen", "webbrowser.open", "ctypes.CDLL"],
)  # fmt: skip
def test_unsafe_pickles(tmp_path, name, protocol):
    module, _, function = name.rpartition(".")
    seen = look_at(tmp_path, pickled(estimator(x=Made(Name(module, function), ("true",))), protocol))
    assert seen.said == {"WLR355": "error"}
    assert name in seen.message("WLR355")


@pytest.mark.parametrize(
    "name", ["builtins.bytearray", "builtins.getattr", "os.PathLike", "posixpath.join", "copyreg._reconstructor"]
)
def test_harmless_names(tmp_path, name):
    module, _, function = name.rpartition(".")
    assert look_at(tmp_path, pickled(estimator(x=Name(module, function)))).findings == ()


def test_no_fixture_is_dangerous():
    for path in FOLDER.glob("*.pkl"):
        with path.open("rb") as stream:
            assert dangerous(read_pickle_file(stream, path.stat().st_size).pickle.globals) == []


def test_untrained(tmp_path):
    untrained = Made(Name("sklearn.svm._classes", "SVC"), (), {"C": 1.0, "_sklearn_version": "1.2.2"})
    assert look_at(tmp_path, untrained).said == {"WLR368": "error"}
    pipeline = estimator("sklearn.pipeline.Pipeline", steps=[("a", estimator("sklearn.x.Scale")), ("b", untrained)])
    assert "Pipeline ends in SVC" in look_at(tmp_path, pipeline).message("WLR368")


def test_no_predict(tmp_path):
    seen = look_at(tmp_path, estimator("sklearn.preprocessing._data.StandardScaler"))
    assert seen.said == {"WLR369": "warning"}


def test_columns_by_name():
    seen = look(FOLDER / "columns-1.2.2.pkl", "sklearn")
    assert seen.said["WLR371"] == "warning"
    assert "length, width" in seen.message("WLR371")


def test_texts_go_in_and_labels_come_out():
    seen = look(
        FOLDER / "texts-1.2.2.pkl", "sklearn", input_schema=fields(inputs="string"), output_schema=fields(out="int64")
    )
    assert seen.said == {"WLR364": "warning"}
    assert "text labels" in seen.message("WLR364")
    accepted = look(FOLDER / "texts-1.2.2.pkl", "sklearn", output_schema=fields(out="string"))
    assert accepted.findings == ()


# Versions


@pytest.mark.parametrize(
    ("written", "release", "said"),
    [
        ("1.2.2", "2023.2.1", {}),
        ("1.2.1", "2023.2.1", {"WLR366": "note"}),
        ("1.1.3", "2023.2.1", {"WLR366": "warning"}),
        ("1.9.1", "2023.2.1", {"WLR366": "warning"}),
        ("1.2.2", "2024.1", {"WLR366": "warning"}),
        ("1.3.0", "2025.2", {}),
    ],
)
def test_versions(tmp_path, written, release, said):
    seen = look_at(tmp_path, estimator(_sklearn_version=written), release=release)
    assert seen.said == said


@pytest.mark.parametrize(("release", "numpy"), [("2023.2.1", "error"), ("2025.2", "warning")])
def test_numpy_2(release, numpy):
    seen = look(FOLDER / "forest-1.9.1.pkl", "sklearn", release=release)
    assert seen.said["WLR358"] == numpy
    assert seen.said.get("WLR367", "no") == ("error" if release == "2023.2.1" else "no")


def test_a_version_that_is_none():
    assert version_numbers("1.3.dev0") == (1, 3)
    assert version_numbers("") == ()
    assert broken_between([], "dev", "1.2.2") == []


# Schemas


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (FOUR, {}),
        (fields(inputs="float32*4"), {}),
        (fields(inputs="int64*4"), {}),
        (fields(inputs="float64*5"), {"WLR362": "error"}),
        (fields(inputs="float64*"), {"WLR363": "warning"}),
        (fields(inputs="float64"), {"WLR363": "warning"}),
        (fields(inputs="float64*2*2"), {"WLR363": "warning"}),
        (fields(inputs="string*4"), {"WLR361": "warning"}),
        (fields(inputs="date32*4"), {"WLR361": "error"}),
        (fields(tensor="float64*4"), {"WLR360": "error"}),
        (fields(a="float64", b="float64", c="float64", d="float64"), {"WLR360": "error"}),
        (fields(a="float64*2", b="string"), {"WLR360": "error"}),
    ],
)
def test_input_schemas(inputs, said):
    assert look(FOLDER / "logistic-1.2.2.pkl", "sklearn", input_schema=inputs).said == said


def test_separate_columns_are_shown_as_one_field():
    seen = look(FOLDER / "logistic-1.2.2.pkl", "sklearn", input_schema=fields(a="float64", b="float64"))
    assert 'inputs = "float64[4]"' in seen.message("WLR360")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (fields(predictions="int32"), {}),
        (fields(predictions="int64", probabilities="float64*3"), {}),
        (fields(predictions="string"), {}),
        (fields(predictions="timestamp[us]"), {"WLR364": "warning"}),
        (fields(predictions=ListOf(Scalar("binary"))), {"WLR364": "warning"}),
    ],
)
def test_output_schemas(outputs, said):
    assert look(FOLDER / "logistic-1.2.2.pkl", "sklearn", output_schema=outputs).said == said


# Against the real thing

TRAIN_ALL = """
import os
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
import numpy, sklearn
from sklearn.datasets import load_iris
from sklearn.utils import all_estimators
X, y = [each[::3] for each in load_iris(return_X_y=True)]
report = {}
for name, made_by in all_estimators():
    try:
        model = made_by()
    except TypeError:
        report[name] = {"predict": hasattr(made_by, "predict"), "file": False}
        continue
    report[name] = {"predict": hasattr(model, "predict") or hasattr(made_by, "predict"), "file": False}
    pickle.dump(model, open(f"{sys.argv[1]}/{name}.untrained", "wb"), 4)
    try:
        model.fit(X, y)
    except Exception:
        continue
    with open(f"{sys.argv[1]}/{name}.pkl", "wb") as file:
        pickle.dump(model, file, 4)
    report[name].update(file=True, made_by=made_by.__module__ + "." + made_by.__name__, features=getattr(model, "n_features_in_", None))
print(json.dumps({"version": sklearn.__version__, "models": report}))
"""
LOAD_ALL = """
import os
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import json, pathlib, pickle, sys, warnings
warnings.simplefilter("ignore")
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
fine = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.pkl")):
    try:
        model = pickle.load(path.open("rb"))
        if hasattr(model, "predict"):
            model.predict(X)
        fine[path.stem] = True
    except Exception as error:
        fine[path.stem] = False
print(json.dumps(fine))
"""
OLD, NEWER, NEWEST = "estimators", "mac-2026.1.3", "estimators-current"


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """All estimators of a peer's scikit-learn, trained and not, made once a session: `zoo(peer) -> (folder, report)`."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            done = run_in(name, ["-W", "ignore", "-c", TRAIN_ALL, str(folder)])
            assert done.returncode == 0, done.stderr
            made[name] = (folder, json.loads(done.stdout.splitlines()[-1]))
        return made[name]

    return get


@pytest.mark.peer
@pytest.mark.parametrize("name", [OLD, NEWEST])
def test_every_estimator_is_read_as_it_is(zoo, name):
    folder, report = zoo(name)
    trained = {each: facts for each, facts in report["models"].items() if facts["file"]}
    assert len(trained) > 140
    for each, facts in trained.items():
        seen = look(folder / f"{each}.pkl", "sklearn")
        assert seen.facts["class"] == facts["made_by"]
        assert seen.facts["libraries"] == {"scikit-learn": report["version"]}
        assert facts["features"] == seen.facts.get("features")
        assert set(seen.said) <= {"WLR358", "WLR366", "WLR367", "WLR369"}, each
        if name == OLD:
            assert set(seen.said) <= {"WLR369"}, each


@pytest.mark.peer
@pytest.mark.parametrize("name", [OLD, NEWEST])
def test_who_cannot_predict(zoo, name):
    _, report = zoo(name)
    # FrozenEstimator predicts if what it holds does.
    really = {each for each, facts in report["models"].items() if not facts["predict"]} - {"FrozenEstimator"}
    assert really - sklearn_estimators.NO_PREDICT == set()
    assert {each for each in sklearn_estimators.NO_PREDICT if each in report["models"]} <= really


@pytest.mark.peer
def test_untrained_ones_are_told(zoo):
    folder, _ = zoo(OLD)
    told = 0
    for path in sorted(folder.glob("*.untrained")):
        with path.open("rb") as stream:
            root = read_pickle_file(stream, path.stat().st_size).pickle.root
        assert class_of(root).name == path.stem
        told += sklearn_estimators.unfitted(root)
    assert told == len(list(folder.glob("*.untrained")))
    for path in sorted(folder.glob("*.pkl")):
        assert "WLR368" not in look(path, "sklearn").said


@pytest.mark.peer
@pytest.mark.parametrize(("made", "runs", "release"), [(NEWER, OLD, "2023.2.1"), (OLD, NEWER, "2024.1")])
def test_what_does_not_load_in_another_version_is_told(zoo, made, runs, release):
    """Each estimator of 1.3.0 in 1.2.2 and the other way round: an error exactly where loading or predict fails."""
    folder, _ = zoo(made)
    done = run_in(runs, ["-W", "ignore", "-c", LOAD_ALL, str(folder)])
    assert done.returncode == 0, done.stderr
    really = {name for name, fine in json.loads(done.stdout.splitlines()[-1]).items() if not fine}
    told = {path.stem for path in folder.glob("*.pkl") if "WLR367" in look(path, "sklearn", release=release).said}
    assert told == really


def test_what_was_not_read_to_its_end_is_never_a_mere_note(tmp_path):
    for opcode in (b"(", b"N"):
        seen = look_at(tmp_path, b"\x80\x04" + opcode * 5_000_000 + b"cposix\nsystem\n.")
        assert seen.said["WLR351"] == "error"
        assert "no pickler" in seen.message("WLR351")


def test_a_model_with_more_parts_than_are_read_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(pickled_files, "read_pickle", partial(read_pickle, opcodes=10_000))
    words = {f"word{each}": each for each in range(10_000)}
    seen = look_at(tmp_path, estimator("sklearn.linear_model._base.LinearRegression", vocabulary_=words))
    assert seen.said["WLR372"] == "warning"
    assert "not checked" in seen.message("WLR372")


def test_a_class_whose_name_cannot_be_followed_is_an_error(tmp_path):
    texts = b"".join(b"\x8c\x06%06d\x94" % each + b"0" for each in range(30_000))
    hidden = b"\x80\x04" + texts.replace(b"020500", b"posix\x20") + b"j" + (20_500).to_bytes(4, "little")
    seen = look_at(tmp_path, hidden + b"\x8c\x06system\x93.")
    assert seen.said["WLR372"] == "error"


@pytest.mark.parametrize(
    ("source", "name", "said", "fix"),
    [
        ("onnx", "m.onnx", "an ONNX model", 'framework = "onnx"'),
        ("onnx", "m.pkl", "an ONNX model", 'framework = "onnx"'),
        ("torch/script.pt", "m.pt", "a TorchScript archive", 'framework = "pytorch"'),
        ("torch/state.pt", "m.pkl", "saved by torch.save", 'framework = "pytorch"'),
        ("tensorflow/sequential.h5", "m.h5", "a Keras model (HDF5)", 'framework = "keras"'),
        ("zip", "m.zip", "a zip archive", "unpack it"),
    ],
)
@pytest.mark.parametrize("framework", ["sklearn", "xgboost"])
def test_a_file_of_another_framework_is_named(source, name, said, fix, framework, tmp_path):
    if source == "onnx":
        data = onnx.helper.make_model(
            onnx.helper.make_graph([], "empty", [], []), ir_version=8, producer_name="tests"
        ).SerializeToString()
    elif source == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("model.pkl", pickled(estimator()))
        data = stream.getvalue()
    else:
        data = (ROOT / "tests" / "fixtures" / source).read_bytes()
    (tmp_path / name).write_bytes(data)
    message = look(tmp_path / name, framework).message("WLR350")
    assert said in message
    assert fix in message


def test_an_xgboost_model_is_sent_to_its_framework_and_nowhere_else(tmp_path):
    (tmp_path / "m.pkl").write_bytes((FOLDER / "classifier-1.7.4.pkl").read_bytes())
    seen = look(tmp_path / "m.pkl", "sklearn")
    assert "WLR357" not in seen.said
    assert 'framework = "xgboost"' in seen.message("WLR370")


def test_what_is_said_of_a_file_is_placed_in_the_file(tmp_path):
    seen = look_at(tmp_path, {"model": 1})
    assert [each.place for each in seen.findings if each.code == "WLR365"] == [Place(file="model.pkl")]
