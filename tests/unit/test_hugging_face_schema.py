"""Schemas of the Hugging Face tasks: the guide's own pass, and what deviates from them is told."""

from __future__ import annotations

import pytest

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, check_schemas, tasks
from hatch_wallaroo.schema.notation import parse_type
from hatch_wallaroo.schema.types import Field, ListOf, Scalar, Schema, Struct, Type
from support.factory import make_spec
from support.guide_schemas import SCHEMAS

PICTURE = "int64[100, 100, 3]"
_BY_NAME = {each.name: each.table for each in SCHEMAS}
GUIDE = {
    name.removesuffix(", input"): (table, _BY_NAME[name.replace(", input", ", output")])
    for name, table in _BY_NAME.items()
    if name.endswith(", input") and name.removesuffix(", input") in tasks()
}
# The guide has only a link for the first. The second is not of its release: the vendor's public tutorial for Whisper.
GUIDE["sentiment-analysis"] = GUIDE["text-classification"]
GUIDE["automatic-speech-recognition"] = (
    {"inputs": "float32[*]", "return_timestamps": "string"},
    {"text": "string", "chunks": "chunks"},
)

CHUNKS = ListOf(Struct((Field("text", Scalar("string")), Field("timestamp", ListOf(Scalar("float32"))))))


def type_of(text: str) -> Type:
    return CHUNKS if text == "chunks" else parse_type(text)


def schema(fields: dict[str, str]) -> Schema:
    return Schema(tuple(Field(name, type_of(text)) for name, text in fields.items()))


def findings(tmp_path, task: str, inputs: dict[str, str], outputs: dict[str, str]) -> list[Finding]:
    release = "2023.4" if task == "automatic-speech-recognition" else "2023.2.1"
    spec = make_spec(
        tmp_path, PREFIX + task, release=release, input_schema=schema(inputs), output_schema=schema(outputs)
    )
    return check_schemas(spec, tasks()[task])


def test_every_task_of_the_releases_is_here() -> None:
    from hatch_wallaroo.releases.load import known, resolve

    named = {name for version in known() for name in resolve(version).frameworks if name.startswith(PREFIX)}
    assert named == {task.framework for task in tasks().values()}
    assert set(GUIDE) == set(tasks())


@pytest.mark.parametrize("task", GUIDE)
def test_the_guides_schemas_pass(tmp_path, task) -> None:
    inputs, outputs = GUIDE[task]
    assert findings(tmp_path, task, inputs, outputs) == []


@pytest.mark.parametrize("task", GUIDE)
def test_only_the_needed_fields_pass(tmp_path, task) -> None:
    inputs, outputs = GUIDE[task]
    rules = {**tasks()[task].input, **tasks()[task].output}
    needed = [
        {name: text for name, text in each.items() if rules[name].need != "optional"} for each in (inputs, outputs)
    ]
    assert findings(tmp_path, task, *needed) == []


@pytest.mark.parametrize(
    "task", ["image-to-text", "text-classification", "summarization", "translation", "text-generation"]
)
def test_extra_inputs_pass_where_the_guide_allows_them(tmp_path, task) -> None:
    inputs, outputs = GUIDE[task]
    assert findings(tmp_path, task, {**inputs, "num_beams": "int64", "top_p": "float64"}, outputs) == []


IN, OUT = 0, 1
DEVIATIONS = [
    # task, where, what is changed (None: left out), code, level, what the message names
    ("feature-extraction", IN, {"inputs": None}, "WLR420", "error", "'inputs'"),
    ("feature-extraction", IN, {"inputs": "int64"}, "WLR422", "error", "int64"),
    ("feature-extraction", IN, {"inputs": "string[1]"}, "WLR422", "error", "one dimension"),
    ("feature-extraction", OUT, {"output": "float64[128]"}, "WLR422", "error", "one dimension"),
    ("feature-extraction", OUT, {"output": "float32[*, 128]"}, "WLR422", "warning", "float32"),
    ("feature-extraction", OUT, {"output": None, "outputs": "float64[*, 128]"}, "WLR421", "error", "'output'"),
    ("feature-extraction", IN, {"text": "string"}, "WLR421", "error", "'text'"),
    ("image-classification", IN, {"inputs": "int64[100, 100]"}, "WLR422", "error", "2 dimensions"),
    ("image-classification", IN, {"inputs": "float32[100, 100, 3]"}, "WLR422", "error", "float32"),
    ("image-classification", IN, {"inputs": "uint8[100, 100, 3]"}, "WLR422", "warning", "uint8"),
    ("image-classification", IN, {"inputs": "int64[3, 100, 100]"}, "WLR422", "error", "size of 100"),
    ("image-classification", IN, {"top_k": "float64"}, "WLR422", "error", "float64"),
    ("image-classification", IN, {"topk": "int64", "top_k": None}, "WLR421", "error", "'top_k'"),
    ("image-classification", IN, {"threshold": "float64"}, "WLR421", "error", "'threshold'"),
    ("image-classification", OUT, {"label": "string[3]"}, "WLR423", "error", "3"),
    ("image-classification", OUT, {"score": None}, "WLR420", "error", "'score'"),
    ("image-segmentation", OUT, {"mask": "int64[100, 100]"}, "WLR422", "error", "2 dimensions"),
    ("image-segmentation", OUT, {"score": "float64[5]"}, "WLR424", "warning", "5"),
    (
        "image-segmentation",
        IN,
        {"mask_treshold": "float64", "mask_threshold": None},
        "WLR421",
        "error",
        "'mask_threshold'",
    ),
    ("image-to-text", OUT, {"generated_text": "string"}, "WLR422", "error", "no dimensions"),
    ("image-to-text", IN, {"inputs": None, "image": PICTURE}, "WLR420", "error", "'inputs'"),
    ("object-detection", OUT, {"box": "int64[*, 5]"}, "WLR422", "error", "size of 5"),
    ("object-detection", OUT, {"box": "int64[10, 4]"}, "WLR424", "warning", "10"),
    ("object-detection", OUT, {"boxes": "int64[*, 4]", "box": None}, "WLR421", "error", "'box'"),
    ("object-detection", IN, {"threshold": "string"}, "WLR422", "error", "string"),
    ("question-answering", IN, {"context": None}, "WLR420", "error", "'context'"),
    ("question-answering", IN, {"handle_impossible_answer": "int64"}, "WLR422", "error", "int64"),
    ("question-answering", OUT, {"answer": "string[1]"}, "WLR422", "error", "one dimension"),
    ("question-answering", OUT, {"confidence": "float64"}, "WLR421", "warning", "'confidence'"),
    ("stable-diffusion-text-2-img", IN, {"prompt": "string[2]"}, "WLR422", "error", "one dimension"),
    ("stable-diffusion-text-2-img", IN, {"height": None}, "WLR420", "warning", "'height'"),
    ("stable-diffusion-text-2-img", IN, {"seed": "int64"}, "WLR421", "error", "'seed'"),
    ("stable-diffusion-text-2-img", OUT, {"images": "int64[128, 128]"}, "WLR422", "error", "2 dimensions"),
    ("summarization", IN, {"input": "string", "inputs": None}, "WLR421", "error", "'inputs'"),
    ("summarization", OUT, {"summary_text": None, "summary": "string"}, "WLR421", "error", "'summary_text'"),
    ("text-classification", OUT, {"score": "float64[3]"}, "WLR423", "error", "3"),
    ("text-classification", OUT, {"label": "int64[2]"}, "WLR422", "error", "int64"),
    ("text-classification", IN, {"top_k": "string"}, "WLR422", "error", "string"),
    ("translation", IN, {"src_lang": "int64"}, "WLR422", "error", "int64"),
    ("translation", OUT, {"translation_text": "chunks"}, "WLR422", "error", "struct"),
    ("zero-shot-classification", OUT, {"scores": "float64[3]"}, "WLR423", "error", "'candidate_labels'"),
    ("zero-shot-classification", IN, {"candidate_labels": "string"}, "WLR422", "error", "no dimensions"),
    ("zero-shot-classification", OUT, {"score": "float64[2]", "scores": None}, "WLR421", "error", "'scores'"),
    ("zero-shot-image-classification", IN, {"multi_label": "bool"}, "WLR421", "error", "'multi_label'"),
    ("zero-shot-object-detection", IN, {"images": None, "inputs": PICTURE}, "WLR420", "error", "'images'"),
    ("sentiment-analysis", OUT, {"score": "string[2]"}, "WLR422", "warning", "string"),
    ("sentiment-analysis", IN, {"inputs": None}, "WLR420", "warning", "'inputs'"),
    ("text-generation", OUT, {"generated_text": "string"}, "WLR422", "error", "no dimensions"),
    (
        "text-generation",
        OUT,
        {"generated_texts": "string[1]", "generated_text": None},
        "WLR421",
        "error",
        "'generated_text'",
    ),
    ("automatic-speech-recognition", IN, {"inputs": "string"}, "WLR422", "warning", "no dimensions"),
]


@pytest.mark.parametrize(("task", "where", "changed", "code", "level", "names"), DEVIATIONS)
def test_a_deviation_is_told(tmp_path, task, where, changed, code, level, names) -> None:
    both = [dict(each) for each in GUIDE[task]]
    both[where] = {name: text for name, text in {**both[where], **changed}.items() if text is not None}
    found = findings(tmp_path, task, *both)
    mine = [each for each in found if (each.code, each.level.value) == (code, level)]
    assert mine, found
    assert any(names in each.message for each in mine), found
    assert all(each.fix and each.place.key for each in found)
    assert mine[0].place.key[:3] == ("tool", "wallaroo", ["input-schema", "output-schema"][where])
    # One thing is wrong, and it is said once; a misnamed field that is needed may be said from both ends.
    assert len(found) == 1 or {each.code for each in found} == {"WLR420", "WLR421"}, found


def test_everything_is_told_at_once(tmp_path) -> None:
    found = findings(
        tmp_path,
        "zero-shot-classification",
        {"input": "string", "candidate_labels": "int64[2]", "seed": "int64"},
        {"sequence": "string", "scores": "float64[4]", "labels": "string[3]"},
    )
    assert [each.code for each in found] == ["WLR421", "WLR422", "WLR421", "WLR423", "WLR423"]
