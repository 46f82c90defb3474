"""Keras: files that Keras 2.9 and 3.15 wrote (fixtures/tensorflow), and h5py's where a rule needs another."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import pytest

from hatch_wallaroo.findings import Level
from hatch_wallaroo.formats.hdf5 import read_root_attributes
from hatch_wallaroo.frameworks.saved_models.keras import Keras, read_model_config
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema
from support.factory import make_spec

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tensorflow"
EXPECTED = json.loads((FIXTURES / "expected.json").read_text())
FILES = sorted(name for name in EXPECTED if name.endswith(".h5"))
E, W = Level.ERROR, Level.WARNING


def judge(root, model, **options):
    spec = make_spec(root, "keras", model=model, **options)
    planned = Keras().plan(spec)
    assert planned.layout is not None, planned.findings
    inspection = Keras().inspect(spec, planned.layout)
    return inspection.facts, [*planned.findings, *inspection.findings]


def said(findings):
    return [(each.code, each.level) for each in findings]


def write(path, config=None, version="2.8.0", **attributes):
    with h5py.File(path, "w") as file:
        file.attrs.update({"backend": "tensorflow", "keras_version": version, **attributes})
        if config is not None:
            file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)


def sequential(*layers, **config):
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers), **config}}


INPUT = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "x"}}


@pytest.mark.parametrize("name", FILES)
def test_what_h5py_reads(name):
    with (FIXTURES / name).open("rb") as stream:
        found = read_root_attributes(stream, (FIXTURES / name).stat().st_size)
    assert found.complete
    assert found.values == EXPECTED[name]


TWO = [{"name": "a", "dtype": "float32", "shape": [None, 4]}, {"name": "b", "dtype": "float32", "shape": [None, 2, 3]}]


@pytest.mark.parametrize(
    ("name", "facts", "findings"),
    [
        ("sequential.h5", {"keras": "2.9.0", "model": "Sequential",
                           "inputs": [{"name": "inputs", "dtype": "float32", "shape": [None, 4]}]}, [("WLR333", W)]),
        ("functional.h5", {"keras": "2.9.0", "model": "Functional", "inputs": TWO}, [("WLR333", W), ("WLR334", W)]),
        ("keras3.h5", {"keras": "3.15.1", "backend": "jax", "inputs": TWO}, [("WLR333", E)]),
        ("only.weights.h5", {"keras": "2.9.0"}, [("WLR333", W), ("WLR332", E)]),
        ("keras", {"tensorflow": "2.9.3", "object": "_tf_keras_sequential"}, [("WLR324", W)]),
        ("keras-without-metadata", {"tensorflow": "2.9.3"}, [("WLR324", W), ("WLR336", E)]),
        ("module", {"object": "_generic_user_object"}, [("WLR324", W), ("WLR336", W)]),
        ("tensorflow1", {"tensorflow": "2.9.3"}, [("WLR324", W), ("WLR336", W)]),
    ],
)  # fmt: skip
def test_fixtures(name, facts, findings):
    told, found = judge(FIXTURES, name)
    assert {key: told.get(key) for key in facts} == facts
    assert said(found) == findings
    assert all(each.fix for each in found)


def test_an_h5_file_goes_up_bare():
    planned = Keras().plan(make_spec(FIXTURES, "keras", model="sequential.h5"))
    (entry,) = planned.layout.entries
    assert (planned.layout.form, planned.layout.suffix, entry.path) == ("file", ".h5", "sequential.h5")
    assert planned.findings == ()


def test_a_saved_model_goes_up_as_a_zip():
    planned = Keras().plan(make_spec(FIXTURES, "keras", model="keras"))
    assert (planned.layout.form, planned.layout.suffix) == ("zip", ".zip")
    assert min(each.path for each in planned.layout.entries) == "keras/keras_metadata.pb"


@pytest.mark.parametrize(
    ("name", "code", "words", "fix"),
    [
        ("m.keras", "WLR330", ".keras format", "load_model"),
        ("m.tflite", "WLR330", "Lite", "model.save("),
        ("m.onnx", "WLR330", "ONNX", 'framework = "onnx"'),
        ("m.pb", "WLR330", "frozen graph", "saved_model.pb"),
        ("m.bin", "WLR330", "one file", "model.save("),
    ],
)
def test_files_that_are_refused(tmp_path, name, code, words, fix):
    (tmp_path / name).write_bytes(b"x")
    planned = Keras().plan(make_spec(tmp_path, "keras", model=name))
    (finding,) = planned.findings
    assert planned.layout is None
    assert finding.code == code
    assert words in finding.message
    assert fix in finding.fix


@pytest.mark.parametrize("model", ["none.h5", "none.zip", "none", "", None, "../none.h5", "x" * 5000 + ".h5", "a\0b"])
def test_nothing_there(tmp_path, model):
    planned = Keras().plan(make_spec(tmp_path, "keras", model=model))
    assert planned.layout is None
    assert planned.findings


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"<html>not found</html>", "an HTML"),
        (b"PK\3\4" + bytes(1000), "a zip archive"),
        (b"\x80\x04\x95" + bytes(1000), "a Python pickle"),
        (bytes(1000), "not readable"),
        ((FIXTURES / "sequential.h5").read_bytes()[:900], "cut short"),
    ],
)
def test_files_that_are_no_hdf5(tmp_path, data, words):
    (tmp_path / "m.h5").write_bytes(data)
    facts, findings = judge(tmp_path, "m.h5")
    assert facts == {}
    assert said(findings) == [("WLR331", E)]
    assert words in findings[0].message


def test_a_pointer_is_left_to_others(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n"
    (tmp_path / "m.h5").write_text(pointer)
    assert judge(tmp_path, "m.h5") == ({}, [])


@pytest.mark.parametrize(
    ("version", "findings"),
    [
        ("2.8.0", []),
        ("2.2.4-tf", []),
        ("2.3.0-tf", []),
        ("1.2.2", []),
        ("", []),
        ("strange", []),
        ("2.8.4", []),
        ("2.15.0", [("WLR333", W)]),
        ("3.0.0", [("WLR333", E)]),
        ("3.15.1", [("WLR333", E)]),
    ],
)
def test_versions(tmp_path, version, findings):
    write(tmp_path / "m.h5", sequential(INPUT), version)
    assert said(judge(tmp_path, "m.h5")[1]) == findings


def test_a_platform_with_keras_3(tmp_path):
    """None has it yet; the rule follows the release's data."""
    write(tmp_path / "m.h5", sequential(INPUT), "3.0.0")
    spec = make_spec(tmp_path, "keras", model="m.h5")
    spec = replace(spec, framework=replace(spec.framework, libraries={"tensorflow": "2.16.1"}))
    assert Keras().inspect(spec, Keras().plan(spec).layout).findings == ()


def test_metadata_was_inside_the_graph_before_tensorflow_2_5(tmp_path):
    shutil.copytree(FIXTURES / "keras-without-metadata", tmp_path / "m")
    file = tmp_path / "m" / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"2.9.3", b"2.4.4"))
    assert judge(tmp_path, "m")[1] == []


def test_dense_attributes_are_not_judged(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        file.attrs.update({f"a{n}": "x" for n in range(40)})
        file.attrs["model_config"] = "{}"
    assert said(judge(tmp_path, "m.h5")[1]) == [("WLR337", W)]


def test_another_programs_data(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = [1, 2]
    _, (finding,) = judge(tmp_path, "m.h5")
    assert finding.code == "WLR332"
    assert "no Keras model" in finding.message


@pytest.mark.parametrize("config", ["{", "[]", '{"class_name": 3}', "[" * 100_000, '{"config": {}}'])
def test_configurations_that_are_none(tmp_path, config):
    assert read_model_config(config) is None
    write(tmp_path / "m.h5", config)
    assert said(judge(tmp_path, "m.h5")[1]) == [("WLR337", W)]


@pytest.mark.parametrize(
    ("document", "inputs"),
    [
        (sequential(INPUT), [("x", (None, 4))]),
        (
            sequential({"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 7]}}),
            [("d", (None, 7))],
        ),
        (sequential({"class_name": "Dense", "config": {"name": "d"}}, build_input_shape=[None, 3]), [("d", (None, 3))]),
        (sequential({"class_name": "Dense", "config": {"name": "d"}}), []),
        (sequential(), []),
        ({"class_name": "Sequential", "config": [INPUT]}, [("x", (None, 4))]),
        ({"class_name": "Functional", "config": {"layers": [INPUT], "input_layers": ["x", 0, 0]}}, [("x", (None, 4))]),
        (
            {"class_name": "Functional", "config": {"layers": [INPUT], "input_layers": {"q": ["x", 0, 0]}}},
            [("x", (None, 4))],
        ),
        ({"class_name": "Functional", "config": {"layers": [INPUT], "input_layers": [["z", 0, 0]]}}, []),
        ({"class_name": "Functional", "config": {"layers": "no", "input_layers": [[[], [["x"]]]]}}, []),
        ({"class_name": "Functional", "config": 7}, []),
        ({"class_name": "Functional", "config": {"layers": [3, None, {"config": 3}]}}, []),
        (
            sequential(
                {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": {"items": [None, "a", True, 5]}}}
            ),
            [("x", (None, None, None, 5))],
        ),
    ],
)
def test_inputs_by_configuration(document, inputs):
    model = read_model_config(json.dumps(document))
    assert [(each.name, each.shape) for each in model.inputs] == inputs


def listed(*sizes, dtype="float64"):
    type_ = Scalar(dtype)
    for size in reversed(sizes):
        type_ = ListOf(type_, size)
    return type_


@pytest.mark.parametrize(
    ("model", "types", "words"),
    [
        ("sequential.h5", {"inputs": listed(4)}, []),
        ("sequential.h5", {"anything": listed(4, dtype="float32")}, []),
        ("sequential.h5", {"anything": listed(5)}, ["takes [4]"]),
        ("sequential.h5", {"inputs": listed(2, 2)}, []),
        ("sequential.h5", {"inputs": listed(None)}, []),
        ("sequential.h5", {"inputs": listed(5)}, ["takes [4]"]),
        ("sequential.h5", {"a": listed(4), "b": listed(4)}, ["has 2 fields, the model 1 input ("]),
        ("functional.h5", {"a": listed(4), "b": listed(2, 3)}, []),
        ("functional.h5", {"b": listed(6), "a": listed(4)}, []),
        ("functional.h5", {"a": listed(6), "b": listed(2, 3)}, ["a is [6]"]),
        ("functional.h5", {"p": listed(9), "q": listed(9)}, []),
        ("functional.h5", {"a": listed(4)}, ["has 1 field, the model 2 inputs ("]),
        ("keras", {"inputs": listed(4)}, []),
        ("keras", {"inputs": listed(3)}, ["takes [4]"]),
    ],
)
def test_input_schemas(model, types, words):
    schema = Schema(tuple(Field(name, type_) for name, type_ in types.items()))
    _, findings = judge(FIXTURES, model, input_schema=schema)
    told = [each for each in findings if each.code == "WLR335"]
    assert len(told) == len(words)
    for finding, part in zip(told, words, strict=True):
        assert finding.level is W
        assert part in finding.message
        assert finding.place.key[:3] == ("tool", "wallaroo", "input-schema")


def test_the_public_models(shared_models, tmp_path):
    for name in ("keras_single_io_sequential_model.h5", "alohacnnlstm.zip"):
        shutil.copy(shared_models / name, tmp_path / name)
    facts, findings = judge(tmp_path, "keras_single_io_sequential_model.h5")
    assert findings == []
    assert facts == {
        "keras": "2.8.0",
        "backend": "tensorflow",
        "model": "Sequential",
        "inputs": [{"name": "dense_input", "dtype": "float32", "shape": [None, 10]}],
    }
    assert judge(tmp_path, "alohacnnlstm.zip")[1] == []
