"""XGBoost models: pickles of every version, and XGBoost's own files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from hatch_wallaroo.formats.xgboost_model import own_format, read_model
from support.inspecting import fields, look
from support.peers import run_in
from support.pickles import Made, Name, estimator, pickled

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "pickles"
SHARED = ROOT.parent / "shared" / "models"
FOUR = fields(inputs="float64*4")
OUTPUT = fields(output="int32")


def look_at(tmp_path, value, name="model.pkl", **options):
    (tmp_path / name).write_bytes(value if isinstance(value, bytes) else pickled(value))
    return look(tmp_path / name, "xgboost", **options)


@pytest.mark.parametrize(
    ("name", "made_by", "version"),
    [
        ("classifier-1.7.4.pkl", "xgboost.sklearn.XGBClassifier", "1.7.4"),
        ("regressor-1.7.4-protocol2.pkl", "xgboost.sklearn.XGBRegressor", "1.7.4"),
        ("regressor-1.7.4-protocol5.pkl", "xgboost.sklearn.XGBRegressor", "1.7.4"),
        ("ranker-1.7.4.pkl", "xgboost.sklearn.XGBRanker", "1.7.4"),
        ("booster-1.7.4.pkl", "xgboost.core.Booster", "1.7.4"),
        ("booster-2.1.4.pkl", "xgboost.core.Booster", "2.1.4"),
        ("booster-3.2.0.pkl", "xgboost.core.Booster", "3.2.0"),
        ("classifier-2.1.4.pkl", "xgboost.sklearn.XGBClassifier", "2.1.4"),
        ("classifier-3.2.0.pkl", "xgboost.sklearn.XGBClassifier", "3.2.0"),
    ],
)
def test_class_version_and_features(name, made_by, version):
    seen = look(FOLDER / name, "xgboost", input_schema=FOUR, output_schema=OUTPUT)
    assert seen.facts["class"] == made_by
    assert seen.facts["libraries"] == {"xgboost": version}
    assert seen.facts["features"] == 4
    if version == "1.7.4":
        assert seen.findings == ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public models are not here")
def test_public_model():
    seen = look(SHARED / "xgb_classifier.pkl", "xgboost", input_schema=FOUR, output_schema=OUTPUT)
    assert seen.facts["class"] == "xgboost.sklearn.XGBClassifier"
    assert seen.facts["libraries"] == {"xgboost": "1.7.4"}
    assert seen.facts["features"] == 4
    assert seen.findings == ()


@pytest.mark.parametrize(
    ("name", "release", "said"),
    [
        ("classifier-2.1.4.pkl", "2023.2.1", {"WLR378": "error"}),
        ("classifier-3.2.0.pkl", "2023.2.1", {"WLR378": "error"}),
        ("booster-3.2.0.pkl", "2023.2.1", {"WLR377": "warning"}),
        ("classifier-2.1.4.pkl", "2024.4", {"WLR377": "note"}),
        ("classifier-3.2.0.pkl", "2024.4", {"WLR377": "warning"}),
        ("classifier-1.7.4.pkl", "2024.4", {"WLR377": "warning"}),
        ("ranker-1.7.4.pkl", "2023.2.1", {}),
        ("ranker-1.7.4.pkl", "2024.1", {"WLR376": "error"}),
    ],
)
def test_against_the_release(name, release, said):
    seen = look(FOLDER / name, "xgboost", release=release, input_schema=FOUR)
    assert seen.said == said


@pytest.mark.parametrize(
    ("name", "form"),
    [("regressor-1.7.4.json", "JSON"), ("regressor-1.7.4.ubj", "UBJSON"), ("regressor-1.7.4.model", "binary")],
)
def test_own_formats_are_refused_by_content(tmp_path, name, form):
    seen = look(FOLDER / name, "xgboost", input_schema=FOUR)
    assert seen.said == {"WLR375": "error"}
    assert f"XGBoost's {form} format" in seen.message("WLR375")
    assert "load_model" in seen.message("WLR375")
    renamed = look_at(tmp_path, (FOLDER / name).read_bytes())
    assert renamed.said == {"WLR375": "error"}


def test_what_only_its_suffix_tells(tmp_path):
    old_binary = b"\x00\x00\x00\x3f\x04\x00\x00\x00" + bytes(100)
    assert look_at(tmp_path, old_binary, "model.bin").said == {"WLR375": "error"}
    assert look_at(tmp_path, old_binary, "model.pkl").said == {"WLR350": "error"}
    assert look_at(tmp_path, b"PK\x03\x04" + bytes(60), "model.bin").said == {"WLR350": "error"}


def test_a_pickle_by_another_name(tmp_path):
    data = (FOLDER / "classifier-1.7.4.pkl").read_bytes()
    seen = look_at(tmp_path, data, "model.bin")
    assert seen.said == {"WLR359": "note"}
    assert seen.layout.entries[0].path == "model.pkl"


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (estimator(), "WLR370", 'framework = "sklearn"'),
        (estimator("sklearn.pipeline.Pipeline", steps=[("x", Made(Name("xgboost.sklearn", "XGBClassifier"), (), {}))]),
         "WLR370", "around XGBClassifier"),
        ({"model": 1}, "WLR365", "a dict (model)"),
        (Made(Name("xgboost.dask", "DaskXGBClassifier"), (), {"n": 1}), "WLR365", "get_booster"),
        (Made(Name("xgboost.sklearn", "XGBClassifier"), (), {"n_estimators": 2}), "WLR368", "before it was trained"),
    ],
)  # fmt: skip
def test_what_is_no_model_of_xgboost(tmp_path, value, code, words):
    seen = look_at(tmp_path, value)
    assert seen.said[code] == "error"
    assert words in seen.message(code)


def test_untrained():
    assert look(FOLDER / "untrained-1.7.4.pkl", "xgboost").said == {"WLR368": "error"}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (fields(inputs="float64*5"), {"WLR362": "error"}),
        (fields(input="float64*4"), {"WLR360": "error"}),
        (fields(a="float64", b="float64"), {"WLR360": "error"}),
    ],
)
def test_the_schema_rule(inputs, said):
    assert look(FOLDER / "classifier-1.7.4.pkl", "xgboost", input_schema=inputs).said == said


def test_two_versions_in_one_model_are_none():
    data = b'"version":[1,7,4] "version":[2,0,0] "num_feature":"4" "num_feature":"5"'
    assert read_model(io.BytesIO(data), 0, len(data)) == type(read_model(io.BytesIO(b""), 0, 0))(None, None)


def test_the_version_at_the_end_of_a_large_model():
    ubjson = (FOLDER / "regressor-1.7.4.ubj").read_bytes()
    data = b"x" * 10 + bytes(3 << 20) + ubjson
    found = read_model(io.BytesIO(data), 10, len(data) - 10)
    assert (found.version, found.features) == ("1.7.4", 4)


@pytest.mark.parametrize("data", [b"", b"{", b"{L", b"binary", b'{"a": 1}', b"\x80\x04."])
def test_what_is_not_xgboosts(data):
    assert own_format(data) is None


TRAIN = """
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
import numpy, xgboost
generator = numpy.random.RandomState(0)
folder, report = sys.argv[1], {}
def save(name, model):
    pickle.dump(model, open(f"{folder}/{name}.pkl", "wb"), 4)
    report[name] = [type(model).__module__ + "." + type(model).__name__, xgboost.__version__]
for features in (1, 7, 300):
    X = generator.rand(60, features)
    y = (X[:, 0] > 0.5).astype(int)
    for name in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"):
        save(f"{features}-{name}", getattr(xgboost, name)(n_estimators=2, max_depth=2, n_jobs=1).fit(X, y))
    for booster in ("gblinear", "dart"):
        save(f"{features}-{booster}", xgboost.XGBRegressor(booster=booster, n_estimators=2, n_jobs=1).fit(X, y))
    names = [f"version num_feature {each}" for each in range(features)]
    matrix = xgboost.DMatrix(X, y, feature_names=names)
    save(f"{features}-named", xgboost.train({"max_depth": 2, "nthread": 1}, matrix, 3))
print(json.dumps(report))
"""


@pytest.mark.peer
@pytest.mark.parametrize("peer", ["estimators", "estimators-current"])
def test_against_the_real_library(tmp_path, peer):
    done = run_in(peer, ["-W", "ignore", "-c", TRAIN, str(tmp_path)])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert len(report) == 21
    for name, (made_by, version) in report.items():
        seen = look(tmp_path / f"{name}.pkl", "xgboost")
        assert seen.facts["class"] == made_by
        assert seen.facts["libraries"] == {"xgboost": version}
        assert seen.facts["features"] == int(name.partition("-")[0])


PREDICT = """
import json, pathlib, pickle, sys, warnings
warnings.simplefilter("ignore")
import numpy, xgboost
fine = {}
for path in sys.argv[1:]:
    try:
        model = pickle.load(open(path, "rb"))
        X = numpy.zeros((1, 4))
        model.predict(xgboost.DMatrix(X) if isinstance(model, xgboost.Booster) else X)
        fine[path] = True
    except Exception as error:
        fine[path] = False
print(json.dumps(fine))
"""


@pytest.mark.peer
def test_newer_models_fail_in_the_platforms_version_as_told():
    names = [
        each for each in FOLDER.glob("*.pkl") if each.name.partition("-")[0] in {"classifier", "booster", "ranker"}
    ]
    done = run_in("estimators", ["-W", "ignore", "-c", PREDICT, *map(str, names)])
    assert done.returncode == 0, done.stderr
    for path, fine in json.loads(done.stdout.splitlines()[-1]).items():
        assert ("WLR378" in look(Path(path), "xgboost").said) == (not fine), path
