"""What becomes of an upload, beside what the platform's own validator and loaders say of the same files."""

from __future__ import annotations

import zipfile

import pytest

from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.sandbox.judging import is_zip, judge
from support import step_cases
from support.byop_cases import CASES, GOOD
from support.byop_verdicts import VERDICTS
from support.sandboxes import bomb, zipped

UNSURE = {
    "chat only",
    "environment variable",
    "import missing in the handler",
    "import not caught",
    "tests that do not import",
    "undeclared import",
}
"""Cases that fail for what is not installed: nobody here knows all that the platform has, so they are only logged."""

OLD, NEW = resolve("2023.2.1"), resolve("2026.1")


def judged(folder, content, framework="custom", release=NEW, route="upload_and_convert", file_name="model.zip"):
    file = folder / "upload-1"
    file.write_bytes(content)
    return judge(release, release.frameworks[framework], route, file, file_name)


SURE = sorted((CASES.keys() & VERDICTS.keys()) - UNSURE)


@pytest.mark.parametrize(
    ("name", "release", "top"),
    [(name, NEW, "model") for name in SURE] + [(name, OLD, "") for name in SURE if name != "no inference"],
    ids=lambda each: getattr(each, "version", each),
)
def test_as_the_real_ones(tmp_path, name, release, top) -> None:
    validator, newer, older = VERDICTS[name]
    said = {older} if release is OLD else {validator, newer}
    verdict = judged(tmp_path, zipped({"requirements.txt": "", **CASES[name]}, top), release=release)
    assert verdict.failed == (said != {"pass"}), (verdict, said)
    assert bool(verdict.summary) == verdict.failed


def test_more_than_one_builder_in_the_platforms_words(tmp_path) -> None:
    both = zipped({"requirements.txt": "", "a.py": GOOD, "b.py": GOOD})
    assert judged(tmp_path, both).summary == (
        "Multiple Inference-inherited classes found: ['TinyInference', 'TinyInference']. Only one is allowed."
    )
    assert judged(tmp_path, both, release=OLD).summary == (
        "Multiple InferenceBuilder subclasses found in the given files."
    )


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("sibling without path", "Failed to load python module from main.py: module 'helper' is not found."),
        ("second folder level", "No matching files found inside `model_path`."),
        ("no builder", "No InferenceBuilder-inherited class found in the model directory"),
        ("no return annotation", "The Inference class's _predict method may only return a dictionary of numpy arrays."),
        ("input called otherwise", "'_predict' method must have an 'input_data' parameter"),
        ("input untyped", "'_predict' method's 'input_data' parameter is missing type annotation"),
        ("postponed", "The Inference class's predict method may only accept a dictionary of numpy arrays."),
        ("no model setter", "Inference class is missing the recommended model method"),
    ],
)
def test_the_platforms_words(tmp_path, name, summary) -> None:
    verdict = judged(tmp_path, zipped({"requirements.txt": "", **CASES[name]}))
    assert (verdict.failed, verdict.summary) == (True, summary)
    assert verdict.logs[0] == summary


def test_a_doubt_is_only_logged(tmp_path) -> None:
    verdict = judged(tmp_path, zipped({"requirements.txt": "", **CASES["undeclared import"]}))
    assert not verdict.failed
    assert any("WLR550" in line for line in verdict.logs)


@pytest.mark.parametrize(
    ("files", "release", "fails"),
    [
        ({}, NEW, True),
        ({}, OLD, False),
        ({"inner/requirements.txt": ""}, NEW, True),
        ({"requirements.txt": "numpy==1.26.0\n"}, NEW, False),
        ({"requirements.txt": "numpy=1.26.0\n"}, NEW, True),
        ({"requirements.txt": "-e .\n"}, OLD, True),
        ({"requirements.txt": "-r /etc/passwd\n"}, NEW, True),
        ({"requirements.txt": "\0\xff"}, NEW, True),
    ],
)
def test_requirements(tmp_path, files, release, fails) -> None:
    verdict = judged(tmp_path, zipped({"main.py": GOOD, **files}), release=release)
    assert verdict.failed == fails, verdict
    assert sorted(each.name for each in tmp_path.iterdir()) == ["upload-1"]
    if fails:
        assert "requirements.txt" in verdict.summary
        assert "upload-1" not in " ".join(verdict.logs)


@pytest.mark.parametrize("name", step_cases.RIGHT)
def test_a_right_step(tmp_path, name) -> None:
    assert not judged(tmp_path, zipped({"step.py": step_cases.RIGHT[name]}, "top"), "python").failed


def test_steps_that_fail(tmp_path) -> None:
    def said(files):
        return judged(tmp_path, zipped(files), "python").summary

    assert said({"step.py": "x = 1\n"}) == "No pre/post-processing step found in the given files."
    assert said({"a/step.py": "", "readme.txt": ""}) == "No pre/post-processing step found in the given files."
    step = "from mac.types import InferenceData\ndef process_data(input_data: InferenceData) -> InferenceData:\n    return input_data\n"
    assert said({"a.py": step, "b.py": step}) == "Multiple pre/post-processing steps found in the given files."
    assert said({"a.py": step.replace("input_data", "data")}).startswith("The `process_data` function should have")


def test_an_old_step(tmp_path) -> None:
    def verdict(text):
        return judged(tmp_path, text.encode(), "python", OLD, "upload", "step.py")

    assert not verdict("def wallaroo_json(data):\n    return data\n").failed
    assert verdict("def process_data(data):\n    return data\n").failed


@pytest.mark.parametrize("file_name", ["/home/jane/model.zip", "..\\model.zip", "../model.zip"])
def test_a_path_as_file_name_fails_without_a_word(tmp_path, file_name) -> None:
    verdict = judged(tmp_path, zipped({"main.py": GOOD, "requirements.txt": ""}), file_name=file_name)
    assert (verdict.failed, verdict.summary) == (True, "")


def test_the_wrong_route(tmp_path) -> None:
    assert judged(tmp_path, b"", "sklearn", route="upload").failed
    assert not judged(tmp_path, b"", "onnx", route="upload_and_convert").failed


def test_a_zip_bomb(tmp_path) -> None:
    verdict = judged(tmp_path, bomb())
    assert verdict.failed
    assert "1,342,177,280" in verdict.summary


@pytest.mark.parametrize("name", ["../main.py", "/main.py", "C:/main.py"])
def test_members_that_leave(tmp_path, name) -> None:
    assert judged(tmp_path, zipped({name: GOOD, "main.py": GOOD, "requirements.txt": ""})).failed


def test_a_damaged_member(tmp_path) -> None:
    file = tmp_path / "made.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", GOOD * 3)
        archive.writestr("requirements.txt", "")
    data = bytearray(file.read_bytes())
    data[60:200] = bytes(140)
    verdict = judged(tmp_path, bytes(data))
    assert verdict.failed
    assert "damaged" in verdict.summary


def test_what_is_a_zip(tmp_path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"PK\x03\x04 and no more")
    assert not is_zip(file)
    file.write_bytes(zipped({"a": ""}))
    assert is_zip(file)
