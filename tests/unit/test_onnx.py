"""ONNX: our reading against the `onnx` package's, and each rule on a model that breaks it."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hatch_wallaroo.findings import Level
from hatch_wallaroo.formats.onnx import ONNX_DTYPES, read_onnx_header
from hatch_wallaroo.formats.protobuf import ProtobufError
from hatch_wallaroo.frameworks.onnx import Onnx
from support.factory import make_spec

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
NEWEST = onnx.defs.onnx_opset_version()


def value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def make(inputs=None, outputs=None, *, nodes=None, opsets=(("", 17),), ir=8, initializers=(), **options):
    """A model; its nodes need not fit its inputs, which nobody checks here."""
    graph = helper.make_graph(
        nodes if nodes is not None else [helper.make_node("Identity", ["x"], ["y"])],
        "graph",
        inputs if inputs is not None else [value("x", ["N", 4])],
        outputs if outputs is not None else [value("y", ["N", 4])],
        initializer=list(initializers),
        **options,
    )
    imports = [helper.make_opsetid(*each) for each in opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, producer_name="tests", producer_version="1")


def judge(tmp_path, model, *, release="2023.2.1", name="m.onnx", **options):
    """Facts and findings, planning first."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    (tmp_path / name).write_bytes(data)
    spec = make_spec(tmp_path, "onnx", release=release, model=name, **options)
    planned = Onnx().plan(spec)
    assert planned.layout is not None, planned.findings
    assert planned.findings == ()
    assert (planned.layout.form, planned.layout.suffix) == ("file", ".onnx")
    inspection = Onnx().inspect(spec, planned.layout)
    return inspection.facts, list(inspection.findings)


def said(findings):
    return [(each.code, each.level) for each in findings]


def header(model):
    data = model.SerializeToString()
    return read_onnx_header(io.BytesIO(data), len(data))


def linear(opset):
    """A real model: x @ w + b, with its weights as initializers and a subgraph."""
    weights = numpy_helper.from_array(np.ones((4, 2), np.float32), "w")
    then = helper.make_graph([helper.make_node("Identity", ["s"], ["t"])], "then", [], [value("t", ["N", 2])])
    other = helper.make_graph([helper.make_node("Neg", ["s"], ["u"])], "else", [], [value("u", ["N", 2])])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["s"]),
        helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]
    condition = numpy_helper.from_array(np.bool_(1), "c")
    return make(nodes=nodes, outputs=[value("y", ["N", 2])], initializers=[weights, condition], opsets=[("", opset)])


@pytest.mark.parametrize("opset", range(7, NEWEST + 1))
def test_every_opset_reads_as_onnx_reads_it(tmp_path, opset):
    model = linear(opset)
    model.ir_version = helper.find_min_ir_version_for([helper.make_opsetid("", opset)], ignore_unknown=True)
    if model.ir_version < 4:
        model.graph.input.extend([value("w", [4, 2]), value("c", [], TensorProto.BOOL)])
    onnx.checker.check_model(model)
    facts, findings = judge(tmp_path, model)
    loaded = onnx.load(tmp_path / "m.onnx")
    assert facts["ir_version"] == loaded.ir_version
    assert facts["opsets"] == {each.domain or "ai.onnx": each.version for each in loaded.opset_import}
    assert facts["nodes"] == len(loaded.graph.node)
    assert facts["producer"] == f"{loaded.producer_name} {loaded.producer_version}"
    assert facts["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["N", 4]}]
    assert facts["outputs"] == [{"name": "y", "dtype": "float32", "shape": ["N", 2]}]
    expected = [f"IR version {loaded.ir_version}"] * (loaded.ir_version > 8) + [f"opset {opset}"] * (opset > 17)
    assert [each.code for each in findings] == ["WLR302"] * len(expected)
    for finding, words in zip(findings, expected, strict=True):
        assert words in finding.message
        assert "2023.2.1" in finding.message
        assert finding.fix


def test_every_data_type_by_its_name():
    for code in TensorProto.DataType.values():
        if code == TensorProto.UNDEFINED:
            continue
        (read,) = header(make([value("x", [2], code)])).inputs
        assert read.dtype == ONNX_DTYPES[code]
        name = TensorProto.DataType.Name(code).lower()
        same = {"float": "float32", "double": "float64"}.get(name, name)
        assert read.dtype == same


@pytest.mark.parametrize(("ml", "errors"), [(1, 0), (3, 0), (4, 1), (5, 1)])
def test_the_ml_opset(tmp_path, ml, errors):
    nodes = [helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", scale=[1.0], offset=[0.0])]
    facts, findings = judge(tmp_path, make(nodes=nodes, opsets=[("ai.onnx.ml", ml), ("", 17)]))
    assert facts["opsets"] == {"ai.onnx": 17, "ai.onnx.ml": ml}
    assert said(findings) == [("WLR302", Level.ERROR)] * errors


def test_other_domains_are_warned_of_where_they_are_used(tmp_path):
    node = helper.make_node("FusedMatMul", ["x", "x"], ["y"], domain="com.microsoft")
    opsets = [("", 17), ("com.microsoft", 1)]
    assert said(judge(tmp_path, make(opsets=opsets))[1]) == []
    _, (finding,) = judge(tmp_path, make(nodes=[node], opsets=opsets))
    assert (finding.code, finding.level) == ("WLR303", Level.WARNING)
    assert "com.microsoft" in finding.message


def test_functions_bring_their_own_domain_and_opset(tmp_path):
    def with_function(opset):
        function = helper.make_function(
            "mine",
            "Double",
            ["a"],
            ["b"],
            [helper.make_node("Add", ["a", "a"], ["b"])],
            [helper.make_opsetid("", opset)],
        )
        node = helper.make_node("Double", ["x"], ["y"], domain="mine")
        model = make(nodes=[node], opsets=[("", 17), ("mine", 1)])
        model.functions.append(function)
        return model

    assert judge(tmp_path, with_function(17))[1] == []
    assert judge(tmp_path, with_function(13))[0]["opsets"]["ai.onnx"] == 17
    facts, findings = judge(tmp_path, with_function(20))
    assert facts["opsets"]["ai.onnx"] == 20
    assert said(findings) == [("WLR302", Level.ERROR)]


def test_initializers_are_no_inputs(tmp_path):
    weights = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("s", FLOAT, [1], [1.0]), helper.make_tensor("i", INT64, [1], [2]), [16]
    )
    inputs = [value("w", [4, 4]), value("x", ["N", 4]), value("s", [16])]
    for ir in (3, 8):
        facts, findings = judge(tmp_path, make(inputs, ir=ir, initializers=[weights], sparse_initializer=[sparse]))
        assert [each["name"] for each in facts["inputs"]] == ["x"]
        assert facts.get("inputs_with_defaults") == (["w", "s"] if ir > 3 else None)
        assert findings == []


# External data, wherever a tensor may stand.


def elsewhere(name="w"):
    tensor = helper.make_tensor(name, FLOAT, [2], b"\0" * 8, raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", f"{name}.bin"
    return tensor


def in_subgraph(tensor):
    inner = helper.make_graph([helper.make_node("Identity", ["w"], ["t"])], "g", [], [value("t", [2])], [tensor])
    return make(nodes=[helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)])


def in_function(tensor):
    model = make()
    constant = helper.make_node("Constant", [], ["b"], value=tensor)
    model.functions.append(helper.make_function("mine", "F", ["a"], ["b"], [constant], [helper.make_opsetid("", 17)]))
    return model


def in_function_default(tensor):
    model = in_function(helper.make_tensor("here", FLOAT, [1], [1.0]))
    model.functions[0].attribute_proto.append(helper.make_attribute("given", tensor))
    return model


def in_sparse_attribute(tensor):
    sparse = helper.make_sparse_tensor(tensor, helper.make_tensor("i", INT64, [2], [1, 2]), [16])
    return make(nodes=[helper.make_node("Constant", [], ["y"], sparse_value=sparse)])


def in_sparse(tensor):
    indices = helper.make_tensor("i", INT64, [2], [1, 2])
    return make(sparse_initializer=[helper.make_sparse_tensor(tensor, indices, [16])])


def in_training(tensor):
    model = make()
    inner = helper.make_graph([], "g", [], [], [tensor])
    model.training_info.append(onnx.TrainingInfoProto(initialization=inner))
    return model


@pytest.mark.parametrize(
    "place",
    [
        lambda tensor: make(initializers=[tensor]),
        lambda tensor: make(nodes=[helper.make_node("Constant", [], ["y"], value=tensor)]),
        in_subgraph,
        in_function,
        in_function_default,
        in_sparse,
        in_sparse_attribute,
        in_training,
    ],
    ids=["initializer", "attribute", "subgraph", "function", "default", "sparse", "sparse-attribute", "training"],
)
def test_weights_in_other_files(tmp_path, place):
    _, findings = judge(tmp_path, place(elsewhere()))
    (finding,) = [each for each in findings if each.code == "WLR304"]
    assert finding.is_error
    assert "w.bin" in finding.message
    assert 'onnx.load("m.onnx")' in finding.fix


def test_the_fix_for_external_data_works(tmp_path):
    model = linear(17)
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="w.data")
    data = (tmp_path / "m.onnx").read_bytes()
    _, findings = judge(tmp_path, data)
    (finding,) = findings
    assert finding.code == "WLR304"
    onnx.save(onnx.load(tmp_path / "m.onnx"), tmp_path / "one-file.onnx")
    assert judge(tmp_path, (tmp_path / "one-file.onnx").read_bytes())[1] == []


# Inputs and outputs.

SEQUENCE = helper.make_tensor_sequence_value_info("y", FLOAT, ["N"])
OPTIONAL = helper.make_value_info("x", helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, ["N"])))
SPARSE = helper.make_value_info("x", helper.make_sparse_tensor_type_proto(FLOAT, ["N", 4]))
ZIPMAP = helper.make_value_info(
    "y",
    helper.make_sequence_type_proto(helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))),
)


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ([OPTIONAL], None, "input x is an optional"),
        ([SPARSE], None, "input x is a sparse tensor"),
        ([onnx.ValueInfoProto(name="x")], None, "input x has no type"),
        ([value("x", ["N", 4], TensorProto.UNDEFINED)], None, "names no data type"),
        (None, [SEQUENCE], "output y is a sequence"),
        (None, [ZIPMAP], "output y is a sequence"),
    ],
)
def test_what_is_no_tensor(tmp_path, inputs, outputs, words):
    opsets = [("", 17), ("ai.onnx.ml", 3)]
    _, (finding,) = judge(tmp_path, make(inputs, outputs, opsets=opsets))
    assert (finding.code, finding.level) == ("WLR305", Level.ERROR)
    assert words in finding.message
    assert ("zipmap" in finding.fix) == (outputs is not None)


def test_an_output_without_a_type_is_inferred_by_the_runtime(tmp_path):
    assert judge(tmp_path, make(outputs=[onnx.ValueInfoProto(name="y")]))[1] == []


@pytest.mark.parametrize(
    "dtype", [TensorProto.BFLOAT16, TensorProto.COMPLEX64, TensorProto.FLOAT8E4M3FN, TensorProto.INT4]
)
def test_types_that_tables_do_not_have(tmp_path, dtype):
    _, findings = judge(tmp_path, make([value("x", ["N", 4], dtype)]))
    assert said(findings) == [("WLR310", Level.WARNING)]


W, E = Level.WARNING, Level.ERROR


@pytest.mark.parametrize(
    ("inputs", "outputs", "levels", "words"),
    [
        # What real exporters write, and nothing is wrong with.
        ([["N", 4]], [["N", 2]], [], ""),
        ([["unk__1", 4]], [["unk__7", 2]], [], ""),
        ([["batch_size", 4]], [["Concatoutput_dim_0", 2]], [], ""),
        ([[None, 4]], [[None, 2]], [], ""),
        ([[-1, 4]], [[-1, 2]], [], ""),
        ([[0, 4]], [["N", 2]], [], ""),
        ([None], [None], [], ""),
        ([["N"]], [["N"]], [], ""),
        ([["N", "N"]], [["N"]], [], ""),
        ([["N", 4]], [None], [], ""),
        ([["N", 4], ["N", "seq"]], [["N", "seq", 8], ["N"]], [], ""),
        ([["N", "seq"]], [["seq_out", "N"]], [], ""),
        # One row at a time.
        ([[1, 3, 8, 8]], [[1, 10]], [W], "x0 [1, 3, 8, 8]"),
        ([[32, 4]], [[32, 2]], [W], "32"),
        ([[1, 4], ["N", 3]], [["N", 2]], [W], "x0 [1, 4]"),
        ([[1, 4], [1, 3]], [["N", 2]], [W], "x0 [1, 4], x1 [1, 3]"),
        # What contradicts itself.
        ([[]], [["N"]], [E], "single value"),
        ([["N", 4], []], [["N"]], [E], "x1"),
        ([[1, 4], [2, 4]], [["N"]], [E], "different numbers of rows"),
        ([[1, 3, 640, 640]], [[100, 4]], [W, E], "100 rows"),
        ([["N", 4]], [[]], [W], "single value"),
        ([["N", 4]], [[1, 2]], [W], "declared with 1 rows"),
        ([["batch", "seq"]], [["seq", "batch", 8]], [W], "rows elsewhere"),
        ([[None, 4]], [[1, 2]], [W], "declared with 1 rows"),
        ([None], [[1, 2]], [], ""),
    ],
)
def test_rows(tmp_path, inputs, outputs, levels, words):
    model = make(
        [value(f"x{n}", shape) for n, shape in enumerate(inputs)],
        [value(f"y{n}", shape) for n, shape in enumerate(outputs)],
    )
    _, findings = judge(tmp_path, model)
    assert said(findings) == [("WLR306", level) for level in levels]
    assert not levels or any(words in each.message for each in findings)
    assert all(each.fix and each.place.file == "m.onnx" for each in findings)


@pytest.mark.parametrize(
    ("model", "codes"),
    [
        (make(inputs=[]), ["WLR309"]),
        (make(outputs=[]), ["WLR309"]),
        (make(nodes=[], inputs=[], outputs=[]), ["WLR309", "WLR309"]),
    ],
)
def test_graphs_without_ends(tmp_path, model, codes):
    assert [each.code for each in judge(tmp_path, model)[1]] == codes


# Files that are something else.


def a_zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("m.onnx", b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html>\n<html><head>" + b" " * 3000, "an HTML page"),
        (a_zip(), "a zip archive"),
        (pickle.dumps({"a": list(range(500))}), "a Python pickle"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "an HDF5 file"),
        (b"\x18\0\0\0ORTM" + bytes(600), "ONNX Runtime"),
        (b'{"error": "not found"}', "a JSON text"),
        (linear(17).SerializeToString()[:-40], "missing"),
        (b"\x0a\x03abc", "not an ONNX model"),
        (b"\x08\x01\x12\x03abc", "no graph"),
        (make().graph.SerializeToString(), "not an ONNX model"),
        (np.random.default_rng(0).bytes(4000), "not an ONNX model"),
    ],
)
def test_files_that_are_no_onnx(tmp_path, data, words):
    facts, (finding,) = judge(tmp_path, data)
    assert facts == {}
    assert (finding.code, finding.level) == ("WLR301", Level.ERROR)
    assert words in finding.message
    assert finding.place.file == "m.onnx"


def test_a_pointer_is_left_to_others(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456\n"
    assert judge(tmp_path, pointer) == ({}, [])


@pytest.mark.parametrize(
    ("name", "words", "fix"),
    [
        ("m.ort", "ONNX Runtime's own format", ".onnx file"),
        ("m.zip", "archive", "unpack"),
        ("m.pb", "TensorFlow", "rename"),
        ("m.onnx.data", "weights", "one-file.onnx"),
        ("m.pt", "PyTorch", "torch.onnx.export"),
        ("m.bin", "does not end in .onnx", "rename"),
    ],
)
def test_forms_that_are_refused(tmp_path, name, words, fix):
    (tmp_path / name).write_bytes(b"x")
    planned = Onnx().plan(make_spec(tmp_path, "onnx", model=name))
    (finding,) = planned.findings
    assert planned.layout is None
    assert finding.code == "WLR300"
    assert words in finding.message
    assert fix in finding.fix
    assert finding.place.key == ("tool", "wallaroo", "model")


def test_a_folder_names_what_is_in_it(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("b.onnx", "a.onnx", "c.txt"):
        (tmp_path / "out" / name).touch()
    (finding,) = Onnx().plan(make_spec(tmp_path, "onnx", model="out")).findings
    assert "folder" in finding.message
    assert finding.fix == 'model = "out/a.onnx" or model = "out/b.onnx"'


def test_a_missing_file(tmp_path):
    planned = Onnx().plan(make_spec(tmp_path, "onnx", model="none.onnx"))
    assert planned.layout is None
    assert planned.findings
    assert all("none.onnx" in each.message for each in planned.findings)


# Size and harm.


def field(number, size):
    """The head of a field of `size` bytes."""
    out = bytearray(bytes((number << 3 | 2,)))
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*out, size))


def huge(path, size):
    """A valid model with one initializer of `size` bytes, which are a hole in the file."""
    model = linear(17)
    rest = model.graph.SerializeToString()
    known = TensorProto(name="big", data_type=FLOAT, dims=[size // 4]).SerializeToString()
    raw = field(9, size)
    initializer = field(5, len(known) + len(raw) + size) + known + raw
    model.ClearField("graph")
    head = model.SerializeToString() + field(7, len(initializer) + size + len(rest)) + initializer
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + size)
        file.write(rest)


@pytest.mark.parametrize(("size", "codes"), [(1 << 30, []), (5 << 30, ["WLR308"])])
def test_gigabytes_in_constant_memory(tmp_path, size, codes):
    huge(tmp_path / "m.onnx", size)
    spec = make_spec(tmp_path, "onnx", model="m.onnx")
    layout = Onnx().plan(spec).layout
    tracemalloc.start()
    inspection = Onnx().inspect(spec, layout)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [each["name"] for each in inspection.facts["inputs"]] == ["x"]
    assert inspection.facts["nodes"] == 2
    assert [each.code for each in inspection.findings] == codes
    assert peak < 1 << 20


def test_tree_ensembles_are_skipped_quickly(tmp_path):
    """Their attributes hold a field for each number: more than would ever be read."""
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml")
    node.attribute.append(helper.make_attribute("nodes_values", [0.5] * 3_500_000))
    facts, findings = judge(tmp_path, make(nodes=[node], opsets=[("ai.onnx.ml", 3)]))
    assert facts["nodes"] == 1
    assert findings == []


def test_too_many_parts_are_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("hatch_wallaroo.formats.protobuf._MOST_FIELDS", 10_000)
    model = make()
    many = field(1, 0) * 10_000  # empty nodes
    graph = many + model.graph.SerializeToString()
    model.ClearField("graph")
    facts, findings = judge(tmp_path, model.SerializeToString() + field(7, len(graph)) + graph)
    assert facts["ir_version"] == 8
    assert said(findings) == [("WLR311", Level.WARNING)]


def test_deep_nesting_ends(tmp_path):
    data = b""
    for _ in range(300):
        data = field(6, len(data)) + data
        data = field(5, len(data)) + data
        data = field(1, len(data)) + data
    assert said(judge(tmp_path, b"\x08\x08" + field(7, len(data)) + data)[1]) == [("WLR301", Level.ERROR)]


SAMPLE = linear(17).SerializeToString()


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=8),
    end=st.integers(0, len(SAMPLE)),
)
def test_damage_is_told_or_harmless(tmp_path, changes, end):
    data = bytearray(SAMPLE)
    for at, byte in changes:
        data[at] = byte
    _, findings = judge(tmp_path, bytes(data[: end or None]))
    assert all(each.message and each.place.file for each in findings)


def test_every_bit():
    for bit in range(len(SAMPLE) * 8):
        data = bytearray(SAMPLE)
        data[bit // 8] ^= 1 << bit % 8
        try:
            read_onnx_header(io.BytesIO(bytes(data)), len(data))
        except ProtobufError:
            continue


# Real models.


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "ccfraud.onnx",
            {
                "ir_version": 4,
                "opsets": {"ai.onnx": 9},
                "inputs": [{"name": "dense_input", "dtype": "float32", "shape": ["N", 29]}],
            },
        ),
        (
            "xgboost_ccfraud.onnx",
            {
                "ir_version": 7,
                "opsets": {"ai.onnx.ml": 1},
                "inputs": [{"name": "feature_input", "dtype": "float32", "shape": [None, 29]}],
            },
        ),
    ],
)
def test_public_models_pass(shared_models, tmp_path, name, facts):
    told, findings = judge(tmp_path, (shared_models / name).read_bytes())
    assert findings == []
    assert {key: told[key] for key in facts} == facts


@pytest.mark.parametrize("model", ["", None, "../m.onnx", "x" * 5000 + ".onnx", "a\0b.onnx", "/etc/hosts"])
def test_paths_that_lead_nowhere(tmp_path, model):
    planned = Onnx().plan(make_spec(tmp_path, "onnx", model=model))
    assert planned.layout is None
    assert planned.findings


def test_newer_releases_are_asked_too(tmp_path):
    assert judge(tmp_path, make(), release="2026.1")[1] == []


def test_random_bytes_are_refused_in_plain_words(tmp_path):
    for data in (bytes([0xFF, 0x01, 0x07] * 40), bytes([0x0B, 0x0C] * 40), bytes([0x00, 0x07] * 40)):
        _, findings = judge(tmp_path, data)
        (finding,) = findings
        assert finding.code == "WLR301"
        assert "wire type" not in finding.message
