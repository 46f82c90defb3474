"""TensorFlow: models that TensorFlow 2.9.3 wrote (fixtures/tensorflow), its own reading of them as the oracle."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatch_wallaroo.findings import Level
from hatch_wallaroo.formats.protobuf import ProtobufError
from hatch_wallaroo.formats.saved_model import read_saved_model
from hatch_wallaroo.frameworks.saved_models.tensorflow import TensorFlow
from support.factory import make_spec

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tensorflow"
EXPECTED = json.loads((FIXTURES / "expected.json").read_text())
FOLDERS = sorted(each.parent.name for each in FIXTURES.glob("*/saved_model.pb"))
E, W = Level.ERROR, Level.WARNING


@pytest.fixture
def project(tmp_path):
    """A project with a SavedModel in the folder `module`."""
    shutil.copytree(FIXTURES / "module", tmp_path / "module")
    return tmp_path


def plan(root, model, **options):
    return TensorFlow().plan(make_spec(root, "tensorflow", model=model, **options))


def judge(root, model, **options):
    spec = make_spec(root, "tensorflow", model=model, **options)
    planned = TensorFlow().plan(spec)
    assert planned.layout is not None, planned.findings
    inspection = TensorFlow().inspect(spec, planned.layout)
    return inspection.facts, [*planned.findings, *inspection.findings]


def refused(root, model):
    planned = plan(root, model)
    assert planned.layout is None
    (finding,) = planned.findings
    assert finding.is_error
    assert finding.fix
    assert finding.place.key == ("tool", "wallaroo", "model")
    return finding


def said(findings):
    return [(each.code, each.level) for each in findings]


def paths(planned):
    return sorted(each.path for each in planned.layout.entries)


def tree(top):
    return [
        f"{top}/saved_model.pb",
        f"{top}/variables/variables.data-00000-of-00001",
        f"{top}/variables/variables.index",
    ]


@pytest.mark.parametrize("name", FOLDERS)
def test_what_tensorflow_reads(name):
    data = (FIXTURES / name / "saved_model.pb").read_bytes()
    (graph,) = read_saved_model(io.BytesIO(data), len(data)).graphs
    expected = EXPECTED[name]
    told = {
        key: {
            side: [{"name": each.name, "dtype": each.dtype, "shape": each.shape and list(each.shape)} for each in parts]
            for side, parts in (("inputs", signature.inputs), ("outputs", signature.outputs))
        }
        for key, signature in graph.signatures.items()
    }
    assert told == expected["signatures"]
    assert (graph.tags, graph.version, graph.root_object) == (
        expected["tags"],
        expected["tensorflow"],
        expected["object"],
    )
    assert sorted(graph.ops) == expected["ops"]


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("module", []),
        ("keras", []),
        ("keras-without-metadata", []),
        ("tensorflow1", []),
        ("other-signature", [("WLR326", W)]),
        ("no-signature", [("WLR326", E)]),
        ("for-training", [("WLR325", E), ("WLR326", E)]),
        ("python-function", [("WLR327", W)]),
    ],
)
def test_findings(name, findings):
    facts, found = judge(FIXTURES, name)
    assert said(found) == findings
    assert facts["tensorflow"] == "2.9.3"
    assert facts["signatures"] == EXPECTED[name]["signatures"]
    assert all(each.fix and each.place.file == f"{name}/saved_model.pb" for each in found)


@pytest.mark.parametrize("declared", ["module", "module/", "./module"])
def test_a_folder(project, declared):
    planned = plan(project, declared)
    assert planned.findings == ()
    assert (planned.layout.form, planned.layout.suffix) == ("zip", ".zip")
    assert paths(planned) == tree("module")
    assert {each.label for each in planned.layout.entries} == set(tree("module"))


def test_the_project_itself_as_the_folder():
    planned = TensorFlow().plan(make_spec(FIXTURES / "module", "tensorflow", model="."))
    assert paths(planned) == tree("a-model")


def test_everything_in_the_folder_goes_along(project):
    folder = project / "module"
    for extra in ("assets/vocabulary.txt", "assets.extra/info.json", "fingerprint.pb", "keras_metadata.pb"):
        (folder / extra).parent.mkdir(exist_ok=True)
        (folder / extra).write_text("x")
    (folder / ".DS_Store").write_text("x")
    planned = plan(project, "module")
    extras = ["assets/vocabulary.txt", "assets.extra/info.json", "fingerprint.pb", "keras_metadata.pb"]
    assert paths(planned) == sorted([*tree("module"), *(f"module/{each}" for each in extras)])
    assert [label for label, _ in planned.layout.stripped] == ["module/.DS_Store"]


def test_a_nested_folder_is_moved_to_the_top(project):
    (project / "export" / "1").parent.mkdir()
    shutil.move(project / "module", project / "export" / "1")
    (project / "export" / "README.md").write_text("x")
    planned = plan(project, "export")
    assert paths(planned) == tree("export")
    assert planned.layout.stripped == (("export/README.md", "not part of the SavedModel"),)
    assert judge(project, "export")[1] == []


def pack(project, prefix, name="mine.zip"):
    with zipfile.ZipFile(project / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((project / "module").rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(project / "module").as_posix())
        archive.writestr("__MACOSX/._module", b"x")


@pytest.mark.parametrize(("prefix", "top"), [("", "mine"), ("aloha/", "aloha"), ("a/b/c/", "a"), ("mine/1/", "mine")])
def test_zips_get_one_top_folder(project, prefix, top):
    pack(project, prefix)
    facts, findings = judge(project, "mine.zip")
    planned = plan(project, "mine.zip")
    assert findings == []
    assert len({path.split("/")[0] for path in paths(planned)}) == 1
    assert paths(planned) == tree(top)
    assert facts["signatures"] == EXPECTED["module"]["signatures"]
    assert planned.layout.entries[0].label.startswith("mine.zip!")


def test_several_saved_models(project):
    for version in ("1", "2"):
        shutil.copytree(project / "module", project / "serving" / version)
    finding = refused(project, "serving")
    assert finding.code == "WLR321"
    assert finding.fix == 'model = "serving/1" or model = "serving/2"'
    with zipfile.ZipFile(project / "both.zip", "w") as archive:
        for version in ("1", "2"):
            archive.write(project / "module" / "saved_model.pb", f"{version}/saved_model.pb")
    assert "unpack" in refused(project, "both.zip").fix


@pytest.mark.parametrize(
    ("files", "words", "fix"),
    [
        (["saved_model.pbtxt"], "text form", "tf.saved_model.save"),
        (["checkpoint", "x-1.index", "x-1.data-00000-of-00001"], "checkpoint", "load the checkpoint"),
        (["frozen.pb"], "a frozen graph", "simple_save"),
        (["model.h5"], "Keras HDF5", 'framework = "keras"'),
        (["model.keras"], ".keras file", "load_model"),
        (["model.tflite"], "TensorFlow Lite", "converted from"),
        (["model.onnx"], "ONNX", 'framework = "onnx"'),
        (["pytorch_model.bin", "config.json"], "PyTorch", 'framework = "pytorch"'),
        (["weights.txt"], "no saved_model.pb in other", "tf.saved_model.save"),
    ],
)
def test_folders_that_hold_something_else(tmp_path, files, words, fix):
    (tmp_path / "other").mkdir()
    for name in files:
        (tmp_path / "other" / name).write_text("x")
    finding = refused(tmp_path, "other")
    assert finding.code == "WLR320"
    assert words in finding.message
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("name", "words", "fix"),
    [
        ("frozen.pb", "frozen graph", "simple_save"),
        ("graph.pbtxt", "text form", "tf.saved_model.save"),
        ("model.h5", "Keras HDF5", 'framework = "keras"'),
        ("model.keras", ".keras format", "load_model"),
        ("model.tflite", "Lite", "converted from"),
        ("model.ckpt", "checkpoint", "load the checkpoint"),
        ("model.tar.gz", "gzip", "unpack"),
        ("model.bin", "one file", "tf.saved_model.save"),
    ],
)
def test_files_that_are_refused(tmp_path, name, words, fix):
    (tmp_path / name).write_bytes(b"x")
    finding = refused(tmp_path, name)
    assert finding.code == "WLR320"
    assert words in finding.message
    assert fix in finding.fix


def test_the_file_inside_is_not_the_model(project):
    assert refused(project, "module/saved_model.pb").fix == 'model = "module"'


@pytest.mark.parametrize("model", ["none", "none.zip", "none.pb", "", None, "../none", "x" * 5000, "a\0b"])
def test_nothing_there(tmp_path, model):
    planned = plan(tmp_path, model)
    assert planned.layout is None
    assert planned.findings


@pytest.mark.parametrize(
    ("remove", "add", "words"),
    [
        (["variables.index"], [], ["variables.index is missing"]),
        (["variables.data-00000-of-00001"], [], ["data-00000-of-00001 is missing"]),
        (["variables.data-00000-of-00001", "variables.index"], [], ["folder variables is missing"]),
        ([], ["variables.data-00000-of-00002"], []),
        (["variables.data-00000-of-00001"], ["variables.data-00001-of-00003"], ["2 of 3 shards", "00002-of-00003"]),
        (["variables.data-00000-of-00001"], [f"variables.data-0000{n}-of-00003" for n in range(3)], []),
        (["variables.data-00000-of-00001"], ["variables.data-00000-of-00000"], ["data-00000-of-00001 is missing"]),
    ],
)
def test_shards(project, remove, add, words):
    for name in remove:
        (project / "module" / "variables" / name).unlink()
    for name in add:
        (project / "module" / "variables" / name).write_text("x")
    _, findings = judge(project, "module")
    assert said(findings) == [("WLR322", E)] * bool(words)
    for part in words:
        assert part in findings[0].message


def test_no_variables_where_the_graph_has_none(project):
    """A frozen function has constants only, and TensorFlow 1 writes no folder for it."""
    shutil.rmtree(project / "module" / "variables")
    file = project / "module" / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"VarHandleOp", b"VarHandleXX"))
    assert judge(project, "module")[1] == []


@pytest.mark.parametrize(
    ("version", "release", "count"),
    [("2.9.3", "2023.2.1", 0), ("2.7.0", "2023.2.1", 0), ("1.9.3", "2023.2.1", 0), ("3.0.0", "2023.2.1", 1),
     ("2.9.9", "2026.1", 0), ("9.1.1", "2026.1", 1)],
)  # fmt: skip
def test_versions(project, version, release, count):
    file = project / "module" / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"2.9.3", version.encode()))
    facts, findings = judge(project, "module", release=release)
    assert facts["tensorflow"] == version
    assert said(findings) == [("WLR324", W)] * count
    assert all(version in each.message and release in each.message for each in findings)


def test_tags_must_match_exactly(project):
    file = project / "module" / "saved_model.pb"
    data = file.read_bytes()
    start = data.index(b"\x22\x05serve")
    # One more tag in MetaInfoDef, and its length and its parent's grow: both are two-byte varints here.
    grown = bytearray(data[:start] + b"\x22\x03gpu" + data[start:])
    for at in _length_positions(data, start):
        value = (grown[at] & 0x7F | grown[at + 1] << 7) + 5
        grown[at : at + 2] = bytes((value & 0x7F | 0x80, value >> 7))
    file.write_bytes(bytes(grown))
    facts, findings = judge(project, "module")
    assert facts["tags"] == ["gpu", "serve"]
    assert said(findings) == [("WLR325", W)]


def _length_positions(data, inside):
    """Where the lengths of SavedModel.meta_graphs and MetaGraphDef.meta_info_def stand."""
    assert data[:3] == b"\x08\x01\x12"
    first = 3
    second = first + 3
    assert data[second - 1] == 0x0A
    assert inside > second
    return first, second


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"PK\3\4" + bytes(100), "a zip archive"),
        (b"\x08\x01", "no graph"),
        (b"\x08\x01\x12\x7f" + bytes(20), "missing"),
        (b"\x08\x08\x3a\x02ab", "not a SavedModel"),
        (bytes(range(1, 200)), "not a SavedModel"),
    ],
)
def test_files_that_are_no_saved_model(project, data, words):
    (project / "module" / "saved_model.pb").write_bytes(data)
    facts, findings = judge(project, "module")
    assert facts == {}
    assert said(findings) == [("WLR323", E)]
    assert words in findings[0].message


def test_a_damaged_zip(project):
    pack(project, "")
    data = bytearray((project / "mine.zip").read_bytes())
    middle = data.index(b"saved_model.pb") + 1500
    data[middle : middle + 200] = b"\xff" * 200
    (project / "mine.zip").write_bytes(data)
    _, findings = judge(project, "mine.zip")
    assert [each.code for each in findings] == ["WLR323"]


def test_a_pointer_is_left_to_others(project):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n"
    (project / "module" / "saved_model.pb").write_text(pointer)
    assert judge(project, "module") == ({}, [])


SAMPLE = (FIXTURES / "module" / "saved_model.pb").read_bytes()


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=8),
    end=st.integers(1, len(SAMPLE)),
)
def test_damage_is_told_or_harmless(project, changes, end):
    data = bytearray(SAMPLE)
    for at, byte in changes:
        data[at] = byte
    (project / "module" / "saved_model.pb").write_bytes(bytes(data[:end]))
    facts, findings = judge(project, "module")
    assert json.dumps(facts) is not None
    assert all(each.message for each in findings)


@pytest.mark.slow
def test_every_bit_of_the_small_parts():
    """Flips in the head of the file: version, tags, operators."""
    for bit in range(1200 * 8):
        data = bytearray(SAMPLE)
        data[bit // 8] ^= 1 << bit % 8
        try:
            read_saved_model(io.BytesIO(bytes(data)), len(data))
        except ProtobufError:
            continue


def test_the_public_model(shared_models, tmp_path):
    shutil.copy(shared_models / "alohacnnlstm.zip", tmp_path / "alohacnnlstm.zip")
    facts, findings = judge(tmp_path, "alohacnnlstm.zip")
    planned = plan(tmp_path, "alohacnnlstm.zip")
    assert findings == []
    assert paths(planned) == [
        "alohacnnlstm/saved_model.pb",
        "alohacnnlstm/variables/variables.data-00000-of-00002",
        "alohacnnlstm/variables/variables.data-00001-of-00002",
        "alohacnnlstm/variables/variables.index",
    ]
    serving = facts["signatures"]["serving_default"]
    assert facts["tensorflow"] == "1.15.0"
    assert serving["inputs"] == [{"name": "text_input", "dtype": "float32", "shape": [None, 50]}]
    assert len(serving["outputs"]) == 15
