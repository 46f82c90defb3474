"""`hatch-wallaroo frameworks`: the releases' data as tables and as JSON."""

from __future__ import annotations

import json

import pytest

from hatch_wallaroo import console
from hatch_wallaroo.cli.frameworks import changes
from hatch_wallaroo.releases.load import known, resolve
from support.command_line import Run, run

__all__ = ["run"]


def cells(text: str) -> list[list[list[str]]]:
    """The tables of an output: rows of cells, headers first."""
    return [[row.split("\t") for row in part.splitlines()] for part in text.strip("\n").split("\n\n")]


def test_all_releases_at_a_glance(run: Run) -> None:
    said = run("frameworks")
    assert (said.code, said.err) == (0, "")
    frameworks, releases = cells(said.out)
    assert frameworks[0] == ["framework", "runtime", "endpoint", "schemas", "releases"]
    assert {row[0] for row in frameworks[1:]} == {name for each in known() for name in resolve(each).frameworks}
    rows = {(row[0], row[4]): row[1:4] for row in frameworks[1:]}
    assert rows["onnx", "all"] == ["native", "upload", "none"]
    assert rows["python", "until 2023.4"] == ["native", "upload", "none"]
    assert rows["python", "from 2024.1"] == ["containerized", "upload_and_convert", "required"]
    assert ("vllm", "from 2025.1") in rows
    assert [row[0] for row in releases[1:]] == list(known())
    first = dict(zip(releases[0], releases[1], strict=True))
    assert (first["python"], first["arch"], first["onnx opset"]) == ("3.8", "-", "17")
    last = dict(zip(releases[0], releases[-1], strict=True))
    assert last["accel"] == "none, cuda, jetson (arm), openvino (x86), qaic (x86), rocm (x86)"
    assert (last["byop checked"], last["async byop"]) == ("by the platform", "yes")


def test_each_cell_holds_something_and_no_tab(run: Run) -> None:
    for command in (["frameworks"], ["frameworks", "--release", "2026.1"], ["frameworks", "--framework", "keras"]):
        for table in cells(run(*command).out):
            assert len({len(row) for row in table}) == 1
            assert all(cell.strip() for row in table for cell in row)


def test_one_release_in_full(run: Run) -> None:
    facts, frameworks = cells(run("frameworks", "--release", "2023.2.1").out)
    told = dict(facts[1:])
    assert told["python"] == "3.8"
    assert told["onnx"] == "1.12.1, IR 8, opset 17, ai.onnx.ml 3"
    assert told["python step"] == "wallaroo_json"
    assert "arch" not in told
    rows = {row[0]: row[1:] for row in frameworks[1:]}
    assert rows["sklearn"] == ["containerized", "upload_and_convert", "required", "no", "scikit-learn 1.2.2"]
    assert rows["custom"][3] == "yes"
    assert set(rows) == set(resolve("2023.2.1").frameworks)


def test_one_framework_over_the_releases(run: Run) -> None:
    (table,) = cells(run("frameworks", "--framework", "sglang").out)
    assert [row[0] for row in table[1:]] == ["2026.1"]
    (table,) = cells(run("frameworks", "--framework", "sklearn").out)
    assert [row[0] for row in table[1:]] == list(known())
    assert (table[1][-1], table[-1][-1]) == ("scikit-learn 1.2.2", "scikit-learn 1.3.0")


def test_one_framework_of_one_release(run: Run) -> None:
    (table,) = cells(run("frameworks", "--release", "2026.1", "--framework", "vllm").out)
    told = dict(table[1:])
    assert "gpu_memory_utilization = 0.9" in told["framework-config"]
    assert "max_model_len" in told["also taken"]
    (table,) = cells(run("frameworks", "--release", "2024.1", "--framework", "xgboost").out)
    assert dict(table[1:])["not taken"].startswith("XGBRanker: ")


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (["--release", "2030.1"], "Wallaroo release 2030.1 is not known", "the nearest known one is 2026.1"),
        (["--release", "latest"], "Wallaroo release latest is not known", "known are 2023.2.1, 2023.4"),
        (["--framework", "tensrflow"], "there is no framework tensrflow", "did you mean tensorflow?"),
        (["--framework", "vllm", "--release", "2023.4"], "Wallaroo 2023.4 does not know", "it is known from 2025.1"),
        (["--framework", "zzzz"], "there is no framework zzzz", "`hatch-wallaroo frameworks` lists them"),
        (["--release", "9" * 5000], "Wallaroo release 9999", "known are"),
    ],
)
def test_what_is_not_known_is_answered_with_what_is(arguments: list[str], message: str, fix: str, run: Run) -> None:
    for way in ([], ["--json"]):
        said = run("frameworks", *arguments, *way)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"error: {message}")
        assert f"fix: {fix}" in said.err
        assert len(said.err) < 500


def test_a_release_between_two_says_who_answers(run: Run) -> None:
    said = run("frameworks", "--release", "2024.3")
    assert said.code == 0
    assert said.err == "2024.3 has no data of its own; that of 2024.2 answers for it.\n"
    assert run("frameworks", "--release", "2025.2.4").err == ""


def test_the_document_for_programs(run: Run) -> None:
    document = json.loads(run("frameworks", "--json").out)
    assert document["format"] == 1
    assert [each["release"] for each in document["releases"]] == list(known())
    for each in document["releases"]:
        assert set(each["frameworks"]) == set(resolve(each["release"]).frameworks)
    (release,) = json.loads(run("frameworks", "--json", "--release", "2025.2.4", "--framework", "onnx").out)["releases"]
    assert (release["release"], release["rules"]) == ("2025.2.4", "2025.2")
    assert set(release) == {
        "release", "rules", "python", "python_versions", "python_version", "frameworks", "architectures",
        "accelerators", "conversion_keys", "onnx", "byop", "python_step", "python_step_signature", "sdk",
        "default_arch", "default_accel", "accelerator_configs", "last_numpy", "api", "runtime_set",
    }  # fmt: skip
    assert release["frameworks"] == {
        "onnx": {
            "family": "onnx", "runtime": "native", "route": "upload", "schemas": "none",
            "libraries": {"onnx": "1.12.1"}, "task": None, "default_config": None, "config_keys": None,
            "conversion_keys": None, "refused_classes": {}, "zipped": False, "requirements": False,
            "file_forms": [],
        }
    }  # fmt: skip


def test_a_framework_that_was_gone_for_a_release_has_two_rows() -> None:
    releases = [resolve(each) for each in ("2023.4", "2023.2.1", "2024.1", "2024.2")]
    name = "hugging-face-automatic-speech-recognition"
    assert [row.releases for row in changes(releases, name)] == ["2023.4", "from 2024.1"]
    assert [row.releases for row in changes(releases[:2], name)] == ["2023.4"]
    assert [row.releases for row in changes(releases, "python")] == ["until 2023.2.1", "from 2024.1"]
    middle = [releases[1], releases[0], releases[1]]
    assert [row.releases for row in changes(middle, name)] == ["2023.4"]


def test_columns_stand_below_each_other_whatever_is_in_them() -> None:
    lines = console.aligned([["name", "size"], ["モデル", "1"], ["e\u0301te\u0301", "20"], ["-", "300"]])
    assert lines == ["name    size", "モデル  1", "e\u0301te\u0301     20", "-       300"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("", "-"), (None, "-"), (0, "0"), ("  ", "-"), ("a\tb\nc", "a\\tb\\nc"), ("\x1b[2J\u202e", "\\x1b[2J\\u202e")],
)
def test_a_cell_is_one_line_that_steers_nothing(value: str | int | None, shown: str) -> None:
    assert console.cell(value) == shown
