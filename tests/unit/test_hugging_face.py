"""Folders of `save_pretrained`: what goes into the bundle, and what is told about it. Nothing here is loaded."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.formats.safetensors import SafetensorsError, read_safetensors_header
from hatch_wallaroo.frameworks.pretrained.folder import unused_files
from hatch_wallaroo.frameworks.pretrained.hugging_face import HuggingFace
from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX, fitting, tasks
from support.factory import make_spec
from support.fronts import REPOSITORY
from support.peers import run_in

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 123456789\n".format("a" * 64)
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "transformers_version": "4.27.0",
    "label2id": {"bad": 0, "good": 1},
}


def safetensors(*, format_: str | None = "pt", values: int = 6, cut: int = 0, more: int = 0) -> bytes:
    header: dict[str, object] = {"w": {"dtype": "F32", "shape": [values // 2, 2], "data_offsets": [0, values * 4]}}
    if format_:
        header["__metadata__"] = {"format": format_}
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(values * 4 + more)
    return data[: len(data) - cut]


def torch_zip() -> bytes:
    import io

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
        archive.writestr("archive/version", b"3\n")
    return target.getvalue()


MODEL: dict[str, object] = {
    "config.json": CONFIG,
    "pytorch_model.bin": torch_zip(),
    "tokenizer.json": {"version": "1.0"},
    "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"},
    "vocab.txt": "[PAD]\n[UNK]\n",
}


def write(folder: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def inspected(tmp_path: Path, files: dict[str, object], task: str = "text-classification", release: str = "2023.2.1"):
    """Plan and inspect a folder that holds these files: the layout, the facts, all findings."""
    write(tmp_path / "models" / "bert", files)
    return inspect_declared(tmp_path, "models/bert", task, release)


def inspect_declared(tmp_path: Path, model: str, task: str = "text-classification", release: str = "2023.2.1"):
    spec = make_spec(tmp_path, PREFIX + task, release=release, model=model)
    planned = HuggingFace().plan(spec)
    if planned.layout is None:
        return None, {}, list(planned.findings)
    inspection = HuggingFace().inspect(spec, planned.layout)
    return planned.layout, inspection.facts, [*planned.findings, *inspection.findings]


def codes(findings: list[Finding]) -> list[str]:
    return [f"{each.code} {each.level.value}" for each in findings]


def test_a_folder_as_save_pretrained_writes_it(tmp_path) -> None:
    layout, facts, findings = inspected(tmp_path, MODEL)
    assert findings == []
    assert layout is not None
    assert (layout.form, layout.suffix) == ("zip", ".zip")
    assert [entry.path for entry in layout.entries] == [f"a-model/{name}" for name in sorted(MODEL)]
    assert facts["architectures"] == ["BertForSequenceClassification"]
    assert facts["task"] == "text-classification"
    assert facts["weights"]["format"] == "pickle"


def test_the_example_is_a_real_one() -> None:
    project = REPOSITORY / "example-projects" / "hugging-face"
    layout, facts, findings = inspect_declared(project, "models/reviews", release="2025.2")
    assert findings == []
    assert facts["weights"] == {
        "format": "safetensors",
        "files": 1,
        "bytes": (project / "models/reviews/model.safetensors").stat().st_size,
        "parameters": 4610,
        "dtypes": ["F32"],
    }
    assert layout is not None


ADAPTER = {"adapter_config.json": {"peft_type": "LORA"}, "adapter_model.safetensors": safetensors()}
INDEX = {
    "metadata": {"total_size": 48},
    "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"},
}
BROKEN = [
    # what is changed in the folder (None: not there), what is told, what the message says, release
    ({"config.json": "{"}, ["WLR401 error"], "line 1", "2023.2.1"),
    ({"config.json": ""}, ["WLR401 error"], "is empty", "2023.2.1"),
    ({"config.json": "[]"}, ["WLR401 error"], "an object", "2023.2.1"),
    ({"config.json": b"\xff\xfe{}"}, ["WLR401 error"], "UTF-8", "2023.2.1"),
    ({"config.json": "[" * 100_000}, ["WLR401 error"], "deep", "2023.2.1"),
    ({"tokenizer.json": '{"version": "1.0", "model": {"voc'}, ["WLR401 error"], "cut off", "2023.2.1"),
    ({"tokenizer_config.json": "{,}"}, ["WLR401 error"], "tokenizer_config.json", "2023.2.1"),
    ({"config.json": {**CONFIG, "architectures": ["BertForMaskedLM"]}}, ["WLR402 error"], "feature-extraction", "2023.2.1"),
    ({"config.json": {**CONFIG, "architectures": ["T5ForConditionalGeneration"]}}, ["WLR402 error"], "hugging-face-summarization", "2023.2.1"),
    ({"config.json": {**CONFIG, "architectures": ["GPT2LMHeadModel"]}}, ["WLR402 error"], "hugging-face-text-generation", "2023.2.1"),
    ({"config.json": {**CONFIG, "architectures": ["OurOwnNet"]}}, ["WLR403 note"], "OurOwnNet", "2023.2.1"),
    ({"config.json": {**CONFIG, "architectures": None}}, ["WLR403 note"], "no architectures", "2023.2.1"),
    ({"config.json": {**CONFIG, "transformers_version": "4.57.6"}}, ["WLR412 warning"], "4.57.6", "2023.2.1"),
    ({"config.json": {**CONFIG, "transformers_version": "4.57.6"}}, [], "", "2025.2"),
    ({"config.json": {**CONFIG, "transformers_version": "4.27.4"}}, [], "", "2023.2.1"),
    ({"config.json": {**CONFIG, "transformers_version": "4.28.0.dev0"}}, ["WLR412 warning"], "4.28.0.dev0", "2023.2.1"),
    ({"config.json": {**CONFIG, "transformers_version": 5}}, [], "", "2023.2.1"),
    ({"config.json": {**CONFIG, "auto_map": {"AutoModel": "modeling_own.OwnModel"}}}, ["WLR411 error"], "modeling_own.py", "2023.2.1"),
    ({"config.json": {**CONFIG, "auto_map": {"AutoModel": "a/b--modeling_own.OwnModel"}}}, ["WLR411 warning"], "modeling_own.py", "2025.2"),
    ({"config.json": {**CONFIG, "quantization_config": {"load_in_8bit": True}}}, ["WLR414 warning"], "bitsandbytes", "2023.2.1"),
    ({"pytorch_model.bin": None}, ["WLR404 error"], "both missing", "2023.2.1"),
    ({"pytorch_model.bin": None, "tf_model.h5": b"\x89HDF"}, ["WLR404 error"], "TensorFlow", "2023.2.1"),
    ({"pytorch_model.bin": None, "flax_model.msgpack": b"\x80"}, ["WLR404 error"], "Flax", "2023.2.1"),
    ({"pytorch_model.bin": None, "model.gguf": b"GGUF"}, ["WLR404 error"], "GGUF", "2023.2.1"),
    ({"pytorch_model.bin": None, **ADAPTER}, ["WLR408 error"], "adapter", "2023.2.1"),
    ({"pytorch_model.bin": b""}, ["WLR406 error"], "is empty", "2023.2.1"),
    ({"pytorch_model.bin": b"<html>"}, ["WLR406 error"], "torch.save", "2023.2.1"),
    ({"pytorch_model.bin": torch_zip()[:-30]}, ["WLR406 error"], "cut off", "2023.2.1"),
    ({"pytorch_model.bin": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."}, [], "", "2023.2.1"),
    ({"pytorch_model.bin": None, "model.safetensors": safetensors()}, ["WLR407 warning"], "safetensors only", "2023.2.1"),
    ({"pytorch_model.bin": None, "model.safetensors": safetensors()}, [], "", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors": safetensors(format_=None)}, ["WLR407 warning", "WLR407 warning"], "", "2023.2.1"),
    ({"pytorch_model.bin": None, "model.safetensors": safetensors(cut=1)}, ["WLR406 error"], "cut off", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors": safetensors(more=8)}, ["WLR406 error"], "8 bytes more", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors": b"\xff" * 64}, ["WLR406 error"], "not in the safetensors format", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors": b"ab"}, ["WLR406 error"], "cut off", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors.index.json": INDEX, "model-00001-of-00002.safetensors": safetensors()}, ["WLR405 error"], "model-00002-of-00002.safetensors", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors.index.json": INDEX}, ["WLR405 error"], "2 of them", "2025.2"),
    ({"pytorch_model.bin": None, "model-00001-of-00001.safetensors": safetensors()}, ["WLR405 error"], "no index", "2025.2"),
    ({"pytorch_model.bin": None, "model.safetensors.index.json": {"weight_map": [1]}, "model-00001-of-00001.safetensors": safetensors()}, ["WLR406 error"], "weight_map", "2025.2"),
    ({"tokenizer.json": None, "vocab.txt": None}, ["WLR409 error"], "its settings", "2023.2.1"),
    ({"tokenizer.json": None, "vocab.txt": None, "tokenizer_config.json": None}, ["WLR409 error"], "tokenizer.json", "2023.2.1"),
    ({"tokenizer.json": None}, [], "", "2023.2.1"),
    ({"tokenizer.json": None, "vocab.txt": None, "vocab.json": {}, "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer"}}, ["WLR409 error"], "merges.txt", "2023.2.1"),
    ({"tokenizer.json": None, "vocab.txt": None, "spiece.model": b"\x0a"}, [], "", "2023.2.1"),
    ({"tokenizer.json": None, "vocab.txt": None, "tokenizer_config.json": {"tokenizer_class": "ByT5Tokenizer"}}, [], "", "2023.2.1"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "told", "says", "release"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_with_a_folder(tmp_path, changed, told, says, release) -> None:
    _, _, findings = inspected(tmp_path, {**MODEL, **changed}, release=release)
    assert codes(findings) == told, findings
    assert all(each.fix for each in findings)
    assert not says or any(says in each.message for each in findings), findings


@pytest.mark.parametrize("name", ["config.json", "pytorch_model.bin", "tokenizer.json", "tokenizer_config.json"])
def test_a_git_lfs_pointer_is_left_to_the_bundles_check(tmp_path, name) -> None:
    layout, _, findings = inspected(tmp_path, {**MODEL, name: POINTER})
    assert layout is not None
    assert findings == []


def test_all_findings_in_one_go(tmp_path) -> None:
    files = {"config.json": {**CONFIG, "architectures": ["BertModel"], "auto_map": {"AutoModel": "m.M"}}}
    _, _, findings = inspected(tmp_path, files)
    assert codes(findings) == ["WLR402 error", "WLR411 error", "WLR404 error", "WLR409 error"]


PROCESSOR = {"preprocessor_config.json": {"size": 224}}
TASKS = [
    ("image-classification", "ViTForImageClassification", {}, ["WLR410 error"]),
    ("image-classification", "ViTForImageClassification", PROCESSOR, []),
    ("image-classification", "ViTForImageClassification", {"processor_config.json": {}}, ["WLR410 warning"]),
    ("image-to-text", "VisionEncoderDecoderModel", PROCESSOR, ["WLR409 error"]),
    ("image-to-text", "VisionEncoderDecoderModel", {**PROCESSOR, "tokenizer.json": {}}, []),
    ("zero-shot-image-classification", "CLIPModel", {**PROCESSOR, "tokenizer.json": {}}, []),
    ("object-detection", "OwlViTForObjectDetection", PROCESSOR, ["WLR402 error"]),
    ("object-detection", "DetrForObjectDetection", PROCESSOR, []),
    ("feature-extraction", "BertForMaskedLM", {"vocab.txt": "a"}, []),
    ("feature-extraction", "Whatever", {"vocab.txt": "a"}, []),
    ("text-generation", "T5ForConditionalGeneration", {"spiece.model": "a"}, ["WLR402 error"]),
    ("text-generation", "Gemma3ForConditionalGeneration", {"tokenizer.json": {}}, []),
    ("translation", "MarianMTModel", {"source.spm": "a", "target.spm": "b", "vocab.json": {}}, []),
    ("translation", "LlamaForCausalLM", {"tokenizer.model": "a"}, ["WLR402 error"]),
    ("zero-shot-classification", "BartForSequenceClassification", {"tokenizer.json": {}}, ["WLR415 warning"]),
    ("question-answering", "BertForQuestionAnswering", {"vocab.txt": "a"}, []),
]


@pytest.mark.parametrize(("task", "architecture", "beside", "told"), TASKS)
def test_what_a_task_wants(tmp_path, task, architecture, beside, told) -> None:
    config = {**CONFIG, "architectures": [architecture]}
    _, _, findings = inspected(tmp_path, {"config.json": config, "pytorch_model.bin": torch_zip(), **beside}, task)
    assert codes(findings) == told, findings


def test_entailment_is_found_by_its_name(tmp_path) -> None:
    config = {**CONFIG, "label2id": {"CONTRADICTION": 0, "NEUTRAL": 1, "ENTAILMENT": 2}}
    _, _, findings = inspected(tmp_path, {**MODEL, "config.json": config}, "zero-shot-classification")
    assert findings == []


DIFFUSION: dict[str, object] = {
    "model_index.json": {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.14.0",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": [None, None],
        "requires_safety_checker": False,
    },
    "unet/config.json": {},
    "unet/diffusion_pytorch_model.bin": torch_zip(),
    "text_encoder/config.json": {},
    "text_encoder/pytorch_model.bin": torch_zip(),
    "tokenizer/vocab.json": {},
    "tokenizer/merges.txt": "a b",
    "scheduler/scheduler_config.json": {},
}
PIPELINES = [
    ({}, []),
    ({"unet/diffusion_pytorch_model.bin": None}, ["WLR404 error"]),
    ({"unet/diffusion_pytorch_model.bin": None, "unet/config.json": None}, ["WLR413 error"]),
    ({"scheduler/scheduler_config.json": None}, ["WLR413 error"]),
    ({"tokenizer/vocab.json": None}, ["WLR409 error"]),
    ({"model_index.json": None}, ["WLR400 error"]),
    ({"model_index.json": {"_class_name": "FluxPipeline"}}, ["WLR413 warning"]),
    ({"model_index.json": {"_class_name": "StableDiffusionInpaintPipeline"}}, ["WLR413 warning"]),
    ({"model_index.json": "{"}, ["WLR401 error"]),
]


@pytest.mark.parametrize(("changed", "told"), PIPELINES)
def test_a_diffusion_pipeline(tmp_path, changed, told) -> None:
    _, _, findings = inspected(tmp_path, {**DIFFUSION, **changed}, "stable-diffusion-text-2-img")
    assert codes(findings) == told, findings


def test_a_diffusion_pipeline_for_another_task(tmp_path) -> None:
    _, _, findings = inspected(tmp_path, DIFFUSION, "image-to-text")
    assert codes(findings) == ["WLR402 error"]
    assert "stable-diffusion-text-2-img" in findings[0].fix


class TestForms:
    def zipped(self, tmp_path: Path, top: str, files: dict[str, object] = MODEL, more: tuple[str, ...] = ()) -> Path:
        folder = write(tmp_path / "unzipped", files)
        path = tmp_path / "model.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in files:
                archive.write(folder / name, f"{top}{name}")
            for name in more:
                archive.writestr(name, "{}")
        return path

    @pytest.mark.parametrize("top", ["", "bert/", "out/bert/"])
    def test_a_users_zip_is_seen_from_the_models_folder(self, tmp_path, top) -> None:
        self.zipped(tmp_path, top)
        layout, _, findings = inspect_declared(tmp_path, "model.zip")
        assert findings == []
        assert [entry.path for entry in layout.entries] == [f"a-model/{name}" for name in sorted(MODEL)]

    def test_what_lies_outside_in_a_zip_stays_out(self, tmp_path) -> None:
        self.zipped(tmp_path, "bert/", more=("notes/readme.md",))
        layout, _, findings = inspect_declared(tmp_path, "model.zip")
        assert findings == []
        assert [reason for name, reason in layout.stripped if "readme" in name] == ["outside the model's folder"]

    def test_two_models_in_a_zip(self, tmp_path) -> None:
        self.zipped(tmp_path, "bert/", more=("other/config.json",))
        layout, _, findings = inspect_declared(tmp_path, "model.zip")
        assert layout is None
        assert codes(findings) == ["WLR400 error"]
        assert "bert" in findings[0].message
        assert "other" in findings[0].message

    def test_a_file_of_the_folder(self, tmp_path) -> None:
        write(tmp_path / "bert", MODEL)
        layout, _, findings = inspect_declared(tmp_path, "bert/pytorch_model.bin")
        assert layout is None
        assert codes(findings) == ["WLR400 error"]
        assert findings[0].fix == 'model = "bert"'

    def test_a_file_of_another_framework(self, tmp_path) -> None:
        write(tmp_path / "models", {"model.onnx": "x"})
        _, _, findings = inspect_declared(tmp_path, "models/model.onnx")
        assert codes(findings) == ["WLR400 error"]
        assert "save_pretrained(folder)" in findings[0].fix

    def test_the_folder_above(self, tmp_path) -> None:
        for step in (500, 1000):
            write(tmp_path / "out" / f"checkpoint-{step}", MODEL)
        layout, _, findings = inspect_declared(tmp_path, "out")
        assert layout is None
        assert codes(findings) == ["WLR400 error"]
        assert findings[0].fix == 'model = "out/checkpoint-1000"'

    def test_a_checkpoint_itself(self, tmp_path) -> None:
        write(tmp_path / "out" / "checkpoint-500", {**MODEL, "optimizer.pt": b"x" * 2000})
        layout, _, findings = inspect_declared(tmp_path, "out/checkpoint-500")
        assert findings == []
        assert len(layout.entries) == len(MODEL)

    def test_nothing_declared_or_nothing_there(self, tmp_path) -> None:
        spec = make_spec(tmp_path, PREFIX + "text-classification")
        assert codes(list(HuggingFace().plan(spec).findings)) == ["WLR200 error"]
        layout, _, findings = inspect_declared(tmp_path, "models/nowhere")
        assert layout is None
        assert findings
        write(tmp_path / "models" / "other", {"readme.md": "x"})
        _, _, findings = inspect_declared(tmp_path, "models/other")
        assert codes(findings) == ["WLR400 error"]


LEFT = [
    (["config.json", "pytorch_model.bin", "model.safetensors"], True, ["pytorch_model.bin"]),
    (["config.json", "pytorch_model.bin", "model.safetensors"], False, ["model.safetensors"]),
    (["config.json", "model.safetensors", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx"], True, ["flax_model.msgpack", "onnx/model.onnx", "tf_model.h5"]),
    (["config.json", "tf_model.h5"], True, []),
    (["config.json", "onnx/model.onnx"], True, []),
    (["config.json", "model.safetensors", "optimizer.pt", "training_args.bin", "runs/a/b", "checkpoint-5/model.safetensors"], True, ["checkpoint-5/model.safetensors", "optimizer.pt", "runs/a/b", "training_args.bin"]),
    (["model.safetensors.index.json", "model-00001-of-00001.safetensors", "pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"], True, ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"]),
    (["model.safetensors", "model.fp16.safetensors"], True, ["model.fp16.safetensors"]),
    (["model.fp16.safetensors"], True, []),
    (["model_index.json", "v1-5-pruned.ckpt", "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.safetensors"], True, ["unet/diffusion_pytorch_model.bin", "v1-5-pruned.ckpt"]),
]  # fmt: skip


@pytest.mark.parametrize(("paths", "prefer", "left"), LEFT)
def test_what_stays_out(paths, prefer, left) -> None:
    assert sorted(unused_files(paths, prefer_safetensors=prefer)) == left


def test_what_stays_out_is_in_the_summary(tmp_path) -> None:
    layout, _, findings = inspected(tmp_path, {**MODEL, "optimizer.pt": b"x", "model.safetensors": safetensors()})
    assert findings == []
    assert {name.rpartition("/")[2] for name, _ in layout.stripped} == {"optimizer.pt", "model.safetensors"}
    assert "a-model/pytorch_model.bin" in {entry.path for entry in layout.entries}


@pytest.mark.parametrize(
    "header",
    [
        {"w": 1},
        {"w": {"shape": [1], "data_offsets": [0]}},
        {"w": {"shape": [-1], "data_offsets": [0, 4]}},
        {"w": {"shape": [True], "data_offsets": [0, 4]}},
        {"w": {"shape": [1], "data_offsets": [4, 0]}},
        {"w": {"shape": [1], "data_offsets": [0, 1 << 80]}},
        [],
    ],
)
def test_a_hostile_safetensors_header(header) -> None:
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(4)
    with pytest.raises(SafetensorsError):
        read_safetensors_header(io.BytesIO(data), len(data))


def test_a_header_of_terabytes_is_not_read(tmp_path) -> None:
    path = tmp_path / "x.safetensors"
    with path.open("wb") as stream:
        stream.write((90_000_000).to_bytes(8, "little") + b"{")
        stream.truncate(200_000_000)
    with path.open("rb") as stream:
        assert read_safetensors_header(stream, 200_000_000).parameters is None


@pytest.fixture(scope="module", params=["4.27.0", "4.57.6"])
def auto_classes(request) -> dict[str, list[str]]:
    """For each task, the classes that transformers itself gives to its pipeline."""
    done: subprocess.CompletedProcess[str] = run_in(
        f"transformers-{request.param}", [str(Path(__file__).parents[1] / "support" / "transformers_tasks.py")]
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, list[str]] = json.loads(done.stdout)
    return read


@pytest.mark.peer
def test_no_class_of_transformers_is_held_against_its_task(auto_classes) -> None:
    assert len(auto_classes["text-classification"]) > 40
    for name, classes in auto_classes.items():
        task = tasks()[name]
        for each in classes:
            listed = any(other.names(each) for other in fitting(each))
            assert task.takes(each) or (task.may_take(each) and (not listed or task.may_take("*"))), (name, each)
