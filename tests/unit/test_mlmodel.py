"""MLmodel files: what MLflow 1.30.0 and 2.14.3 wrote, what MLflow itself reads in them, and what nobody should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_wallaroo.discover.infer import infer_from, of_signature
from hatch_wallaroo.formats.mlmodel import LARGEST, MLflowSignature, MLmodelError, SignatureField, read_mlmodel
from hatch_wallaroo.frameworks.mlflow.signature import hints, read_signature
from hatch_wallaroo.schema.tables import write_schema
from support.peers import run_in

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mlflow"
FILES = sorted(FIXTURES.glob("*/*/MLmodel"))
COLUMNS = {
    "sepal length (cm)": "float64",
    "it's": "int64",
    "text": "string",
    "flag": "bool",
    "when": "timestamp[ns]",
    "i32": "int32",
    "f32": "float32",
    "bytes": "binary",
    "ä\n": "float64",
}
NUMBERS = {"sepal length (cm)": "float64", "it's": "int64", "i32": "int32"}
EXPECTED = {
    "columns": (COLUMNS, {"predictions": "int64"}),
    "numbers": (NUMBERS, {"predictions": "float64"}),
    "inputs-only": (NUMBERS, None),
    "unnamed": ({"inputs_1": "float64", "inputs_2": "int64"}, {"predictions": "string"}),
    "image": ({"inputs": "float32[28, 28, 1]"}, {"predictions": "float64[10]"}),
    "named-tensors": ({"image": "uint8[28, *]", "text": "string"}, {"p": "float64[10]", "label": "int64"}),
    "wide": ({f"column number {n}": "float64" for n in range(300)}, None),
    "nested": (
        {
            "a": "int64[*]",
            "b": {"type": "struct", "fields": {"x": "float64", "y": {"type": "string[*]", "optional": True}}},
        },
        {"predictions": "string"},
    ),
    "may-be-missing": ({"x": "float64", "y": {"type": "int64", "optional": True}}, None),
}
NO_SCHEMA = {"none": "the model has no signature", "complex": "the input field z is complex64, which no column"}


def written(schema):
    return None if schema is None else write_schema(schema)


def test_every_fixture_is_judged():
    assert {path.parent.name for path in FILES} == EXPECTED.keys() | NO_SCHEMA.keys()
    assert {path.parts[-3] for path in FILES} == {"mlflow-1.30.0", "mlflow-2.14.3"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_the_schemas(path):
    told = infer_from(read_signature(path, "MLmodel"), None)
    name = path.parent.name
    if name in NO_SCHEMA:
        assert NO_SCHEMA[name] in told.findings[0].message
        assert told.input_schema is None
        return
    assert (written(told.input_schema), written(told.output_schema)) == EXPECTED[name]
    assert told.findings == ()
    assert told.based_on == (f"the signature in MLmodel, by MLflow {path.parts[-3].removeprefix('mlflow-')}",)


@pytest.mark.parametrize("version", ["1.30.0", "2.14.3"])
def test_flavors_and_version(version):
    model = read_mlmodel((FIXTURES / f"mlflow-{version}" / "columns" / "MLmodel").read_bytes())
    assert model.mlflow_version == version
    assert model.flavors["sklearn"] == {"code": None, "pickled_model": "model.pkl", "sklearn_version": "1.2.2"}


def test_a_folder_is_its_mlmodel():
    folder = FIXTURES / "mlflow-1.30.0" / "numbers"
    assert read_signature(folder, "numbers/").source == "the signature in numbers/MLmodel, by MLflow 1.30.0"
    (finding,) = read_signature(folder.parent, "models").findings
    assert finding.message == "models/MLmodel: cannot be read: No such file or directory"


class TestOneList:
    def test_columns_of_numbers_go_together(self):
        header = of_signature(FIXTURES / "mlflow-1.30.0" / "numbers", "sklearn")
        told = infer_from(header, None)
        assert written(told.input_schema) == {"inputs": "float64[3]"}
        assert told.guesses[0] == ("input inputs: all columns in one list, in this order: sepal length (cm), it's, i32")

    def test_others_do_not(self):
        header = of_signature(FIXTURES / "mlflow-1.30.0" / "columns", "xgboost")
        assert written(infer_from(header, None).input_schema) == COLUMNS
        assert header.notes == ("xgboost takes one list of numbers, inputs, and not all of these columns are numbers",)

    def test_an_array_is_one_already(self):
        assert of_signature(FIXTURES / "mlflow-1.30.0" / "image", "sklearn").inputs[0].sizes == (28, 28, 1)


MLFLOW_READS = """
import json, sys, types, warnings
warnings.simplefilter("ignore")
if sys.version_info >= (3, 10):
    sys.modules.setdefault("pkg_resources", types.ModuleType("pkg_resources"))
from mlflow.models import Model

def told(schema):
    return None if schema is None else [each.to_dict() for each in schema.inputs]

found = {}
for path in json.load(sys.stdin):
    signature = Model.load(path).signature
    found[path] = None if signature is None else [told(signature.inputs), told(signature.outputs)]
json.dump(found, sys.stdout)
"""


def as_mlflow(spec, version):
    """A spec as MLflow's own `to_dict` has it."""
    made = {"name": spec.name, "type": spec.type} if spec.name else {"type": spec.type}
    if spec.type == "tensor":
        return {**made, "tensor-spec": {"dtype": spec.dtype, "shape": list(spec.shape)}}
    if spec.item:
        made[{"array": "items", "map": "values"}[spec.type]] = inner(spec.item)
    if spec.properties:
        made["properties"] = {each.name: {**inner(each), "required": each.required} for each in spec.properties}
    return {**made, "required": spec.required} if version >= "2" else made


def inner(spec):
    made = {"type": spec.type}
    return {**made, "items": inner(spec.item)} if spec.item else made


@pytest.mark.peer
@pytest.mark.parametrize(("peer", "version"), [("mac-2023.2.1", "1.30.0"), ("mac-2026.1.3", "2.14.3")])
def test_mlflow_itself_reads_the_same(peer, version):
    files = [path for path in FILES if path.parts[-3] == f"mlflow-{version}"]
    done = run_in(peer, ["-c", MLFLOW_READS], input=json.dumps([str(path) for path in files]))
    assert done.returncode == 0, done.stderr
    for path, theirs in json.loads(done.stdout).items():
        ours = read_mlmodel(Path(path).read_bytes()).signature
        if theirs is None:
            assert ours is None
            continue
        for side, told in zip((ours.inputs, ours.outputs), theirs, strict=True):
            assert (None if side is None else [as_mlflow(each, version) for each in side]) == told


SIGNED = "flavors: {}\nmlflow_version: 2.9.2\nsignature:\n  inputs: %s\n"


def signed(text):
    return (SIGNED % json.dumps(text)).encode()


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("data", "line", "column", "message"),
        [
            (b"", None, None, "there are no flavors in it"),
            (b"flavour: {}", None, None, "there are no flavors in it"),
            (b"just a text", None, None, "there are no flavors in it"),
            (b"- a list", None, None, "there are no flavors in it"),
            (b"flavors: [", 1, 11, "this is no YAML: expected the node content"),
            (b"flavors: {}\n\tx: 1", 2, 1, "this is no YAML: found character '\\t'"),
            (b"flavors: {}\n---\nb: 1", 2, 1, "this is no YAML: but found another document"),
            (b"\xff\xfe\x00", None, None, "this is no YAML"),
            (b"flavors: \x00", None, None, "this is no YAML"),
            (b"flavors: " + b"[" * 5000, None, None, "this is no YAML: maximum recursion depth"),
            (b" " * (LARGEST + 1), None, None, "bytes are too many for an MLmodel file"),
            (signed("[{]"), 4, None, "the inputs of the signature are no JSON"),
            (signed("{}"), 4, None, "the inputs of the signature are no list of columns or tensors"),
            (signed("[]"), 4, None, "the inputs of the signature are no list"),
            (signed("5"), 4, None, "the inputs of the signature are no list"),
            (signed('[{"name": "x"}]'), 4, None, "'x' of the inputs has no type"),
            (signed('[{"type": 5}]'), 4, None, "one of the inputs has no type"),
            (signed('[{"type": "tensor"}]'), 4, None, "one of the inputs is a tensor without dtype and shape"),
            (
                signed('[{"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": [2.5]}}]'),
                4,
                None,
                "a tensor without",
            ),
            (
                signed('[{"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": [true]}}]'),
                4,
                None,
                "a tensor without",
            ),
            (signed("[" * 100_000), 4, None, "the inputs of the signature are no JSON"),
        ],
        ids=lambda each: str(each)[:30],
    )
    def test_with_its_place(self, data, line, column, message):
        with pytest.raises(MLmodelError) as caught:
            read_mlmodel(data)
        assert (caught.value.line, caught.value.column) == (line, column)
        assert message in caught.value.message

    @pytest.mark.parametrize(
        "data",
        [
            b"flavors: !!python/object/apply:os.system ['touch run']",
            b"flavors: !!python/name:os.system",
            b"a: &a [*a]\nflavors: *a",
            b"flavors: &a {b: *a}",
            b"flavors: {<<: [{a: 1}, {b: 2}]}",
            b"flavors: {? [a, b] : c}",
        ],
    )
    def test_tags_aliases_and_odd_keys_do_nothing(self, data, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert read_mlmodel(data).signature is None
        assert list(tmp_path.iterdir()) == []

    def test_aliases_do_not_explode(self):
        lines = [b"a0: &a0 [x, x]", *(b"a%d: &a%d [*a%d, *a%d]" % (n, n, n - 1, n - 1) for n in range(1, 60))]
        model = read_mlmodel(b"\n".join([*lines, b"flavors: {f: *a59}"]))
        assert len(str(model.flavors)) < 1_000_000

    def test_types_that_arrow_has_not(self):
        for kind in ("any", "sparkml_vector", "array", "object", "map"):
            model = read_mlmodel(signed(json.dumps([{"type": kind, "name": "x"}])))
            told = infer_from(of(model), None)
            assert told.input_schema is None
            assert told.findings[0].message == f"the input field x is of MLflow's type {kind}, which Arrow has not"

    def test_without_pyyaml_it_is_said_how_to_get_it(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "yaml", None)
        (finding,) = read_signature(FILES[0], "MLmodel").findings
        assert finding.message == "MLmodel: reading it needs what is not installed: yaml"
        assert finding.fix == "pip install 'hatch-wallaroo[mlflow]'"

    @settings(max_examples=150)
    @given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6))
    def test_changed_bytes_raise_nothing_else(self, changes):
        data = bytearray((FIXTURES / "mlflow-1.30.0" / "columns" / "MLmodel").read_bytes())
        for at, value in changes:
            data[at % len(data)] = value
        try:
            model = read_mlmodel(bytes(data))
        except MLmodelError:
            return
        for side in ("inputs", "outputs"):
            specs = getattr(model.signature or MLflowSignature(), side)
            assert specs is None or len(hints(specs, side)) == len(specs)


def of(model):
    from hatch_wallaroo.schema.hints import Header

    return Header("test", hints(model.signature.inputs, "inputs"))


def test_older_versions_said_optional():
    assert read_mlmodel(signed('[{"type": "long", "name": "x", "optional": true}]')).signature.inputs == (
        SignatureField("x", "long", required=False),
    )
