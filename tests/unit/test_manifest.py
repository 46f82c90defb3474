"""What files say of themselves lands in the manifest: cleaned, and in bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.bundle.manifest import MOST_ITEMS, load
from hatch_wallaroo.bundle.pack import pack
from hatch_wallaroo.bundle.plan import BundlePlan
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.frameworks.base import Layout
from hatch_wallaroo.text import LONGEST
from support.factory import make_spec, safetensors
from support.inspecting import fields
from support.manifests import SCHEMA
from support.packages import write_package


def checked(root: Path, facts=None, requirements=(), stripped=()) -> Checked:
    spec = make_spec(root, "custom")
    layout = Layout("zip", ".zip", (Entry("a-model/main.py", TextSource("x = 1\n")),), stripped)
    return Checked(spec, BundlePlan(spec, "a-model-1.0.zip", layout), facts or {}, requirements, ())


def packed(made: Checked, root: Path):
    (bundle,) = pack([made], root / "dist")
    return load(bundle.manifest)


def nested(depth):
    return {"a": nested(depth - 1)} if depth else "deep"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("\ud800", "\\ud800"),
        ("a\x1b[31mb\u202e", "a\\x1b[31mb\\u202e"),
        ("Größe 2 µm 日本", "Größe 2 µm 日本"),
        ("x" * 3_000_000, "x" * LONGEST + f"… ({3_000_000 - LONGEST:,} more characters)"),
        (["\ud800", 1, 2.5, True, None], ["\\ud800", 1, 2.5, True, None]),
        (("a", "b"), ["a", "b"]),
        ({"\udfff": {"\x00": "v"}}, {"\\udfff": {"\\x00": "v"}}),
        ({3: "v"}, {"3": "v"}),
        (float("nan"), None),
        (float("-inf"), None),
        (2**63 - 1, 2**63 - 1),
        pytest.param(10**5000, None, id="huge"),
        (b"raw", None),
        (list(range(MOST_ITEMS + 5)), list(range(MOST_ITEMS))),
        ({str(each): each for each in range(MOST_ITEMS + 5)}, {str(each): each for each in range(MOST_ITEMS)}),
    ],
)  # fmt: skip
def test_facts_are_clean_and_bounded(tmp_path, told, kept):
    assert packed(checked(tmp_path, {"fact": told}), tmp_path)["facts"] == {"fact": kept}


def test_facts_that_are_nested_without_end(tmp_path):
    circle: list = []
    circle.append(circle)
    made = packed(checked(tmp_path, {"deep": nested(500), "circle": circle}), tmp_path)
    assert len(json.dumps(made["facts"])) < 1000


def test_the_other_texts_of_a_manifest(tmp_path):
    made = packed(
        checked(tmp_path, requirements=("a==1\x1b", "b\ud800"), stripped=(("n\ud800\n", "why\x07"),)), tmp_path
    )
    assert made["requirements"] == ["a==1\\x1b", "b\\ud800"]
    assert made["left_out"] == [{"path": "n\\ud800\\n", "reason": "why\\x07"}]


FILES = {
    "config.json": {"architectures": ["LlamaForCausalLM"], "model_type": "\ud800"},
    "tokenizer.json": {"version": "1.0"},
    "tokenizer_config.json": {},
}


@pytest.mark.parametrize(
    ("framework", "architecture"),
    [("vllm", "LlamaForCausalLM"), ("hugging-face-text-classification", "BertForSequenceClassification")],
)
@pytest.mark.parametrize("model_type", ["\ud800", "x" * 3_000_000])
def test_a_model_type_that_cannot_be_written(tmp_path, framework, architecture, model_type):
    folder = tmp_path / "m"
    folder.mkdir()
    files = {**FILES, "config.json": {"architectures": [architecture], "model_type": model_type}}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "model.safetensors").write_bytes(safetensors())
    inputs, outputs = fields(inputs="string"), fields(label="string", score="float64")
    made = check(make_spec(tmp_path, framework, release="2026.1", model="m", accel="cuda"))
    assert made.passed, made.findings
    made = replace(made, spec=replace(made.spec, input_schema=inputs, output_schema=outputs))
    (bundle,) = pack([made], tmp_path / "dist")
    assert bundle.manifest.stat().st_size < 20_000
    assert len(load(bundle.manifest)["facts"]["model_type"]) < 2 * LONGEST


IMAGE = "registry.example/clusters@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"upload": {"image_path": IMAGE}}, True),
        ({"upload": {}}, False),
        ({"upload": {"image_path": IMAGE}, "framework": "onnx"}, False),
        ({"upload": {"image_path": IMAGE}, "route": "upload_and_convert"}, False),
    ],
    ids=["image", "neither", "of another framework", "by another route"],
)
def test_a_manifest_names_an_image_or_a_file(tmp_path, changes, fits):
    path = write_package(tmp_path, framework="mlflow")
    made = json.loads(path.read_text())
    del made["file"]
    upload = {**made["upload"], **changes["upload"]}
    jsonschema_accepts = Draft7Validator(SCHEMA).is_valid({**made, **changes, "upload": upload})
    assert jsonschema_accepts is fits


def test_a_file_is_not_registered_as_an_image(tmp_path):
    made = json.loads(write_package(tmp_path).read_text())
    assert Draft7Validator(SCHEMA).is_valid(made)
    assert not Draft7Validator(SCHEMA).is_valid({**made, "upload": {**made["upload"], "image_path": IMAGE}})
