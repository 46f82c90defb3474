"""What models tell of their schemas by their headers: fixtures, models made here, and the frameworks as judges."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hatch_wallaroo.discover import estimators
from hatch_wallaroo.discover.candidates import spec_of_file
from hatch_wallaroo.discover.infer import infer, read_header
from hatch_wallaroo.discover.models import frameworks_at
from hatch_wallaroo.discover.sample import Sample
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.formats.onnx import ONNX_DTYPES
from hatch_wallaroo.formats.pickles import read_pickle_file
from hatch_wallaroo.frameworks.pickled import estimators as sklearn_estimators
from hatch_wallaroo.frameworks.pretrained.tasks import tasks
from hatch_wallaroo.schema.scalars import split
from hatch_wallaroo.schema.tables import read_schema, write_schema
from support.factory import make_spec
from support.guide_schemas import SCHEMAS
from support.peers import run_in
from support.samples import rows_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
SUPPORT = Path(__file__).parents[1] / "support"


def told(path, framework, inputs=None, outputs=None, release="2025.2"):
    """Both tables as they are inferred for a file, and what is said besides."""
    spec = make_spec(path.parent, framework, release=release, model=path.name)
    rows = Sample("s", rows_of(inputs), rows_of(outputs or [])) if inputs else None
    made = infer(spec, rows=rows)
    tables = [None if each is None else write_schema(each) for each in (made.input_schema, made.output_schema)]
    return tables[0], tables[1], made


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save_onnx(path, inputs, outputs, initializers=()):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "graph", inputs, outputs, initializer=list(initializers)
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class TestOnnx:
    def test_inputs_and_outputs_by_name(self, tmp_path):
        inputs = [value("a", ["N", 3, "H", None]), value("b", [None], TensorProto.STRING), value("w", [4])]
        outputs = [value("y", ["N"], TensorProto.INT64), value("z", ["N", 2, 2], TensorProto.DOUBLE)]
        save_onnx(tmp_path / "m.onnx", inputs, outputs, [numpy_helper.from_array(np.zeros(4, np.float32), "w")])
        into, out, made = told(tmp_path / "m.onnx", "onnx")
        assert into == {"a": "float32[3, *, *]", "b": "string"}
        assert out == {"y": "int64", "z": "float64[2, 2]"}
        assert (made.findings, made.guesses) == ((), ())
        assert made.based_on == ("the header of m.onnx",)

    def test_what_no_column_holds(self, tmp_path):
        sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
        save_onnx(tmp_path / "m.onnx", [value("x", ["N"], TensorProto.BFLOAT16)], [sequence])
        into, out, made = told(tmp_path / "m.onnx", "onnx")
        assert (into, out) == (None, None)
        assert [each.message for each in made.findings] == [
            "the input field x is bfloat16, which no column of a table can hold",
            "the output field s is a sequence, which no column of a table can hold",
        ]

    def test_a_shape_that_is_not_told_is_the_samples(self, tmp_path):
        save_onnx(tmp_path / "m.onnx", [value("x", None)], [value("y", None)])
        into, out, made = told(tmp_path / "m.onnx", "onnx", [{"x": [1, 2]}], [{"y": 0.5}])
        assert (into, out) == ({"x": "float32[2]"}, {"y": "float32"})
        assert made.findings == ()

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([each for each in ONNX_DTYPES if each <= 16]),
                st.lists(st.one_of(st.none(), st.text("abN", max_size=2), st.integers(-2, 9)), max_size=4),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_any_graph(self, tmp_path, declared):
        """The `onnx` package writes what we read; a dimension that is no positive number varies."""
        values = [value(f"x{at}", ["N", *shape], dtype) for at, (dtype, shape) in enumerate(declared)]
        save_onnx(tmp_path / "m.onnx", values, [value("y", ["N"])])
        into, _, made = told(tmp_path / "m.onnx", "onnx")
        unknown = [name for name, (dtype, _) in enumerate(declared) if split(ONNX_DTYPES[dtype]) is None]
        assert len([each for each in made.findings if "no column" in each.message]) == len(unknown)
        if not unknown:
            for at, (dtype, shape) in enumerate(declared):
                sizes = ["*" if not isinstance(each, int) or each <= 0 else str(each) for each in shape]
                assert into[f"x{at}"] == ONNX_DTYPES[dtype] + (f"[{', '.join(sizes)}]" if sizes else "")

    def test_a_pointer_is_told_to_be_one(self, tmp_path):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1234567\n"
        (tmp_path / "m.onnx").write_text(pointer)
        _, _, made = told(tmp_path / "m.onnx", "onnx")
        assert ["Git LFS" in each.message for each in made.findings] == [True]

    def test_what_is_no_model_is_told(self, tmp_path):
        (tmp_path / "m.onnx").write_bytes(b"<html>")
        assert [each.code for each in told(tmp_path / "m.onnx", "onnx")[2].findings] == ["WLR301"]
        assert [each.code for each in told(tmp_path / "none.onnx", "onnx")[2].findings] == ["WLR201"]


TENSORFLOW = {
    "module": ({"features": "float32[4]"}, {"scores": "float32[2]"}),
    "other-signature": ({"features": "float32[4]"}, {"scores": "float32[2]"}),
    "tensorflow1": ({"x": "float32[4]"}, {"y": "float32[1]"}),
    "keras": ({"inputs": "float32[4]"}, {"scores": "float32[3]"}),
}
KERAS = {
    "keras": ({"inputs": "float32[4]"}, {"scores": "float32[3]"}),
    "sequential.h5": ({"inputs": "float32[4]"}, None),
    "keras3.h5": ({"a": "float32[4]", "b": "float32[2, 3]"}, None),
    "functional.h5": ({"a": "float32[4]", "b": "float32[2, 3]"}, None),
}


class TestTensorFlow:
    @pytest.mark.parametrize("name", TENSORFLOW)
    def test_saved_models(self, name):
        into, out, made = told(FIXTURES / "tensorflow" / name, "tensorflow")
        assert (into, out) == TENSORFLOW[name]
        assert made.findings == ()
        noted = ("the signature score is read, as there is no serving_default",) if name == "other-signature" else ()
        assert made.notes == noted

    def test_a_rank_that_is_not_told_is_the_samples(self):
        path = FIXTURES / "tensorflow" / "python-function"
        into, out, made = told(path, "tensorflow")
        assert (into, out) == ({"text": "string"}, None)
        assert [each.message for each in made.findings] == ["nothing tells the shape of the output field lengths"]
        into, out, made = told(path, "tensorflow", [{"text": "a"}], [{"lengths": 1}])
        assert (into, out, made.findings) == ({"text": "string"}, {"lengths": "int32"}, ())

    @pytest.mark.parametrize("name", KERAS)
    def test_keras(self, name):
        into, out, made = told(FIXTURES / "tensorflow" / name, "keras")
        assert (into, out) == KERAS[name]
        assert made.findings == ()
        assert any("write output-schema by hand" in each for each in made.notes) == (out is None)

    @pytest.mark.parametrize("name", ["sequential.h5", "keras"])
    def test_one_input_takes_the_samples_name(self, name):
        into, out, made = told(FIXTURES / "tensorflow" / name, "keras", [{"row": [1] * 4}], [{"kind": [0.5] * 3}])
        # Layers do not tell what comes out of a .h5: the sample does, in the width that its values have.
        gives = "float32[3]" if name == "keras" else "float64[3]"
        assert (into, out) == ({"row": "float32[4]"}, {"kind": gives})
        assert (made.findings, made.notes) == ((), ())

    def test_of_several_inputs_the_names_are_the_models(self):
        """One alone may have any name, which no SavedModel here has two of."""
        from hatch_wallaroo.discover.infer import _named

        one = {"name": "a", "dtype": "float32", "shape": [None, 2]}
        assert [each.free for each in _named([one], free=True)] == [True]
        assert [each.free for each in _named([one, {**one, "name": "b"}], free=True)] == [False, False]
        assert [each.free for each in _named([one], free=False)] == [False]

    @pytest.mark.parametrize(("name", "framework"), [("no-signature", "tensorflow"), ("only.weights.h5", "keras")])
    def test_without_a_signature_the_check_says_why(self, name, framework):
        into, _, made = told(FIXTURES / "tensorflow" / name, framework)
        assert into is None
        assert made.findings[-1].code == {"tensorflow": "WLR326", "keras": "WLR332"}[framework]

    @pytest.mark.peer
    def test_keras_itself(self, tmp_path):
        """The inputs that Keras says its own models have, in both of its files."""
        done = run_in("keras", [str(SUPPORT / "keras_oracle.py"), str(tmp_path)])
        assert done.returncode == 0, done.stderr
        models = json.loads(done.stdout)
        assert len(models) > 5
        for name, expected in models.items():
            for suffix in ("h5", "keras"):
                spec = make_spec(tmp_path, "keras", release="2025.2", model=f"{name}.{suffix}")
                header = read_header(spec)
                assert [[each.name, each.dtype, list(each.sizes)] for each in header.inputs] == expected, name
                assert (header.outputs, [each.free for each in header.inputs]) == (
                    None,
                    [len(expected) == 1] * len(expected),
                )
                refused = [each.level.value for each in header.findings if each.code == "WLR330"]
                assert refused == (["warning"] if suffix == "keras" else [])

    def test_what_is_no_keras_archive(self, tmp_path):
        path = tmp_path / "m.keras"
        path.write_bytes(b"PK\5\6")
        spec = make_spec(tmp_path, "keras", release="2025.2", model=path.name)
        assert read_header(spec).inputs is None


class TestPyTorch:
    @pytest.mark.parametrize("name", ["script", "trace", "frozen"])
    def test_names_are_the_platforms_and_floats_are_the_weights(self, name):
        rows, answers = [{"x": [0.5] * 4}], [{"y": [1.5]}]
        into, out, made = told(FIXTURES / "torch" / f"{name}.pt", "pytorch", rows, answers)
        # A frozen archive has its weights among the constants, where their type is not looked for.
        dtype = "float64" if name == "frozen" else "float32"
        assert (into, out) == ({"input": f"{dtype}[4]"}, {"output": f"{dtype}[1]"})
        assert [each.message for each in made.findings] == [
            "the input rows have x, and the model's field is called input",
            "the output rows have y, and the model's field is called output",
        ]

    def test_weights_of_64_bits(self):
        into, _, _ = told(FIXTURES / "torch" / "double.pt", "pytorch", [{"input": [0.5] * 4}])
        assert into == {"input": "float64[4]"}

    def test_several_arguments_in_their_order(self):
        into, out, made = told(FIXTURES / "torch" / "two.pt", "pytorch", [{"input_1": [0.5], "input_2": [1, 2]}])
        assert into == {"input_1": "float64[1]", "input_2": "int64[2]"}
        assert out is None  # a dict: nothing tells what is in it
        assert made.findings == ()

    @pytest.mark.parametrize("rows", [[{"input": [0.5]}], [{"input_1": [0.5], "input_2": [0.5]}]])
    def test_arguments_that_may_be_left_out(self, rows):
        into, _, made = told(FIXTURES / "torch" / "maybe.pt", "pytorch", rows)
        assert into == dict.fromkeys(rows[0], "float64[1]")
        assert made.findings == ()

    def test_a_list_may_hold_any_number(self):
        _, _, made = told(FIXTURES / "torch" / "listed.pt", "pytorch")
        assert made.findings[0].message == (
            "the input field input is a List[Tensor], of which the number of tensors is not told"
        )

    def test_without_a_sample_no_shape_is_told(self):
        into, out, made = told(FIXTURES / "torch" / "script.pt", "pytorch")
        assert (into, out) == (None, None)
        assert [each.message for each in made.findings] == [
            "nothing tells the type and shape of the input field input",
            "nothing tells the type and shape of the output field output",
        ]
        assert made.based_on == ("forward(x: Tensor) in script.pt, float32 weights",)

    def test_what_is_no_torchscript_is_told(self):
        assert [each.code for each in told(FIXTURES / "torch" / "state.pt", "pytorch")[2].findings] == ["WLR380"]


PICKLES = {
    "logistic-1.2.2.pkl": ("sklearn", {"inputs": "float64[4]"}, {"predictions": "int64"}),
    "logistic-1.2.2-zlib.joblib": ("sklearn", {"inputs": "float64[4]"}, {"predictions": "int64"}),
    "forest-1.9.1.pkl": ("sklearn", {"inputs": "float64[4]"}, {"predictions": "int64"}),
    "pipeline-1.9.1.joblib": ("sklearn", {"inputs": "float64[4]"}, {"predictions": "int64"}),
    "search-1.2.2.pkl": ("sklearn", {"inputs": "float64[4]"}, {"predictions": "int64"}),
    "texts-1.2.2.pkl": ("sklearn", {"inputs": "string"}, {"predictions": "string"}),
    "classifier-2.1.4.pkl": ("xgboost", {"inputs": "float64[4]"}, {"output": "int64"}),
    "regressor-1.7.4-protocol5.pkl": ("xgboost", {"inputs": "float64[4]"}, {"output": "float32"}),
    "booster-3.2.0.pkl": ("xgboost", {"inputs": "float64[4]"}, {"output": "float32"}),
}


class TestEstimators:
    @pytest.mark.parametrize("name", PICKLES)
    def test_fixtures(self, name):
        framework, *tables = PICKLES[name]
        into, out, made = told(FIXTURES / "pickles" / name, framework)
        assert [into, out] == tables
        assert made.findings == ()

    @pytest.mark.peer
    def test_what_scikit_learn_and_xgboost_predict(self, tmp_path):
        """Every estimator that can predict, trained on whole numbers, texts, truth values, numbers, and several."""
        done = run_in("estimators", [str(SUPPORT / "estimators_oracle.py"), str(tmp_path)])
        assert done.returncode == 0, done.stderr
        models = json.loads(done.stdout)
        assert len(models) > 250
        assert len({key.partition("-")[0] for key in models}) > 100
        wrong = {}
        for key, (dtype, shape, text) in models.items():
            path = tmp_path / f"{key}.pkl"
            with path.open("rb") as stream:
                root = read_pickle_file(stream, path.stat().st_size).pickle.root
            entry = Entry(path.name, FileSource(path), path.name)
            if key.startswith("XGB"):
                if key.endswith(("reals", "wholes")):
                    continue  # a Booster does not say how many targets it has
                header = estimators.xgboost(entry, key.partition("-")[0], 4)
            else:
                header = estimators.sklearn(entry, root, sklearn_estimators.features_of(root))
            (output,) = header.outputs
            if (output.dtype, list(output.sizes)) != ("string" if text else dtype, shape):
                wrong[key] = (dtype, shape, output)
            if header.inputs[0].sizes != (4,) and not key.startswith(("Dummy", "Isotonic")):
                wrong[key] = header.inputs
        assert wrong == {}

    def test_a_class_of_ones_own_tells_no_output(self):
        """Only scikit-learn's own estimators are known to give what they give."""
        from hatch_wallaroo.formats.pickle_nodes import Call, Collection, Global

        state = Collection(kind="dict", entries=[("n_features_in_", 4)], count=1)
        model = Call(function=Global("my_package.model", "Mine"), state=state)
        header = estimators.sklearn(Entry("m.pkl", FileSource(Path("m.pkl")), "m.pkl"), model, 4)
        assert (header.inputs[0].sizes, header.outputs) == ((4,), None)

    @pytest.mark.parametrize(("name", "code"), [("objects-1.2.2.joblib", "WLR365"), ("ranker-1.7.4.pkl", "WLR370")])
    def test_what_is_no_such_model_is_told(self, name, code):
        into, _, made = told(FIXTURES / "pickles" / name, "sklearn")
        assert into is None
        assert code in {each.code for each in made.findings}

    def test_columns_in_the_sample_are_told_to_go_together(self):
        rows = [{"a": 5.1, "b": 3.5, "c": 1.4, "d": 0.2}]
        into, _, made = told(FIXTURES / "pickles" / "logistic-1.2.2.pkl", "sklearn", rows)
        assert into == {"inputs": "float64[4]"}
        assert [(each.code, each.message) for each in made.findings] == [
            ("WLR674", "the rows have the columns a, b, c, d, and the model takes one list, inputs")
        ]


class TestTasks:
    @pytest.mark.parametrize("task", tasks().values(), ids=lambda each: each.name)
    def test_the_guides_schemas(self, task, tmp_path):
        """Where the guide has schemas for the task, those that are inferred with all fields used take its rows."""
        framework = f"hugging-face-{task.name}"
        spec = make_spec(tmp_path, framework, release="2025.2", model="m")
        names = (tuple(task.input), tuple(task.output))
        header = read_header(spec, names)
        assert tuple(each.name for each in header.inputs) == names[0]
        guide = {each.name: each.table for each in SCHEMAS}.get(f"{task.name}, input")
        if guide is None:
            return
        for hint in header.inputs:
            if hint.name in guide:
                theirs = read_schema({"x": guide[hint.name]})[0].fields[0].type
                ours = hint.type
                while hasattr(ours, "item"):
                    assert ours.size in {None, theirs.size}
                    ours, theirs = ours.item, theirs.item
                assert ours == theirs

    def test_fields_that_may_be_left_out(self, tmp_path):
        spec = make_spec(tmp_path, "hugging-face-text-classification", model="m")
        made = infer(spec)
        assert write_schema(made.input_schema) == {"inputs": "string"}
        assert made.notes[0] == "the task also takes top_k, function_to_apply; add those that requests will have"
        made = infer(spec, rows=Sample("s", rows_of([{"inputs": "a", "top_k": 2, "mine": 0.5}])))
        assert write_schema(made.input_schema) == {
            "inputs": "string",
            "top_k": {"type": "int64", "optional": True},
            "mine": "float64",
        }
        assert write_schema(made.output_schema) == {"label": "string[*]", "score": "float64[*]"}
        assert made.findings == ()

    def test_a_task_that_takes_no_further_fields(self, tmp_path):
        spec = make_spec(tmp_path, "hugging-face-object-detection", model="m")
        made = infer(spec, rows=Sample("s", rows_of([{"inputs": [[[1, 2, 3]]], "mine": 1}])))
        assert [each.code for each in made.findings] == ["WLR674"]
        assert "mine" not in write_schema(made.input_schema)


class TestLooseFiles:
    @pytest.mark.parametrize(
        ("path", "frameworks"),
        [
            ("tensorflow/module", ("tensorflow",)),
            ("tensorflow/keras", ("keras",)),
            ("tensorflow/sequential.h5", ("keras",)),
            ("torch/script.pt", ("pytorch",)),
            ("pickles/logistic-1.2.2.pkl", ("sklearn",)),
            ("pickles/logistic-1.2.2-xz.joblib", ("sklearn",)),
            ("pickles/booster-1.7.4.pkl", ("xgboost",)),
            ("mlflow/mlflow-1.30.0/numbers", ("mlflow",)),
            ("mlflow/mlflow-1.30.0/numbers/MLmodel", ("mlflow",)),
            ("torch/make.py", ()),
            ("mlflow", ()),
        ],
    )
    def test_what_they_are(self, path, frameworks):
        assert frameworks_at(FIXTURES / path, "2026.1")[1] == frameworks

    def test_by_their_bytes_where_the_name_says_nothing(self, tmp_path):
        save_onnx(tmp_path / "model", [value("x", ["N"])], [value("y", ["N"])])
        shutil.copy(FIXTURES / "torch" / "script.pt", tmp_path / "archive")
        shutil.copy(FIXTURES / "pickles" / "classifier-1.7.4.pkl", tmp_path / "pickle.bin")
        (tmp_path / "rows.json").write_text("[]")
        assert frameworks_at(tmp_path / "model", "2026.1")[1] == ("onnx",)
        assert frameworks_at(tmp_path / "archive", "2026.1")[1] == ("pytorch",)
        assert frameworks_at(tmp_path / "pickle.bin", "2026.1")[1] == ("xgboost",)
        assert frameworks_at(tmp_path / "rows.json", "2026.1")[1] == ()

    @pytest.mark.parametrize(
        ("config", "count"),
        [
            ('{"architectures": ["BertForQuestionAnswering"]}', 1),
            ('{"architectures": ["BertForSequenceClassification"]}', 2),
            ('{"architectures": "x"}', 0),
            ('{"architectures": [5]}', 0),
            ("[]", 0),
            ("{", 0),
            ("[" * 100_000, 0),
        ],
    )
    def test_folders_of_transformers(self, tmp_path, config, count):
        (tmp_path / "config.json").write_text(config)
        assert len(frameworks_at(tmp_path, "2026.1")[1]) == count

    def test_specs_are_as_a_project_would_declare_them(self, tmp_path):
        made, wrong = spec_of_file(tmp_path / "m.pkl", "sklearn", "2024.1")
        assert (made.model, made.root, made.framework.name, wrong) == ("m.pkl", tmp_path, "sklearn", ())
        assert [each.place.key[-1] for each in spec_of_file(tmp_path / "m", "sclearn", "2024.1")[1]] == ["framework"]
        assert [each.place.key[-1] for each in spec_of_file(tmp_path / "m", "sklearn", "1999.1")[1]] == ["release"]
