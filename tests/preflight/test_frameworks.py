"""Models of every framework: a preflight gives what the plain library gives, called directly in the same environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from preflight.test_run import copied

from hatch_wallaroo.findings import Level
from hatch_wallaroo.preflight import process
from hatch_wallaroo.preflight.compare import TOLERANCE, alike
from hatch_wallaroo.preflight.preparing import Options, prepare
from hatch_wallaroo.preflight.subject import Subject, of_checked
from hatch_wallaroo.preflight.verdict import Verdict
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.schema.arrow import encode
from support import starters
from support.fronts import REPOSITORY

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SUPPORT = REPOSITORY / "tests" / "support"
REAL = Path(os.environ.get("HATCH_WALLAROO_MODELS", "nowhere"))
"""A folder of the vendor's own public models, which are not ours to give on."""


def python_of(subject: Subject) -> Path:
    """The Python of a subject's environment, which a run has made already."""
    return prepare(subject, Options(), lambda _: None).environment.python


def in_environment(subject: Subject, *arguments: object) -> str:
    command = [str(python_of(subject)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def weighty(verdict: Verdict) -> list[str]:
    """The findings, without those about another Python or version of a library."""
    return [each.message for each in verdict.findings if each.code != "WLR740"]


@pytest.mark.parametrize(
    ("example", "kind", "model", "into", "out"),
    [
        ("onnx", "onnx", "models/pump_failure.onnx", "readings", "failure"),
        ("sklearn", "pickled", "wine.pkl", "inputs", "predictions"),
        ("xgboost", "pickled", "progression.pkl", "inputs", "output"),
        ("keras", "keras", "models/fruit_sorter.h5", "inputs", "scores"),
        ("tensorflow", "tensorflow", "models/energy_demand", "conditions", "demand"),
        ("pytorch", "pytorch", "battery.pt", "input", "output"),
    ],
)
def test_the_numbers_of_the_plain_library(tmp_path, ran, example, kind, model, into, out):
    project = copied(example, tmp_path)
    verdict = ran(project)
    assert (verdict.word, weighty(verdict)) == ("passed", [])
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([row[into] for row in verdict.asked]))
    told = in_environment(verdict.subject, SUPPORT / "plain_answers.py", kind, project / model, rows)
    assert alike([row[out] for row in verdict.answered], json.loads(told), TOLERANCE)
    assert len(verdict.answered) == len(verdict.asked) > 1
    parts = {each.name: each.by for each in verdict.parts}
    assert parts["loader"] == "emulation"


def test_three_steps_pass(tmp_path, all_ran):
    verdicts = all_ran(copied("three-steps", tmp_path))
    assert [(each.subject.name, each.word, weighty(each)) for each in verdicts] == [
        ("house-prices-scale", "passed", []),
        ("house-prices", "passed", []),
        ("house-prices-dollars", "passed", []),
    ]


def test_a_task_by_the_platforms_service(tmp_path, ran):
    verdict = ran(copied("hugging-face", tmp_path))
    assert (verdict.word, weighty(verdict)) == ("passed", [])
    assert [row["label"] for row in verdict.answered] == [["good", "bad"], ["bad", "good"]]
    assert (
        verdict.observed == {"label": "string[*]", "score": "float64[2]"} or verdict.observed["score"] == "float64[2]"
    )
    assert {each.level for each in verdict.findings if "is not published" in each.message} == {Level.NOTE}


def test_every_task_gives_what_its_pipeline_gives(tmp_path, all_ran):
    del all_ran  # it sets where environments are kept
    release = resolve("2026.1")
    names = [row.name for row in release.frameworks.values() if row.family == "hugging-face"]
    asked, subjects = [], {}
    for name in names:
        root = tmp_path / name
        root.mkdir()
        starter = starters.lay(root, "2026.1", name)
        (checked,) = check_repository(read_repository(root)).models
        subjects[name] = of_checked(checked, root / "m.zip", "0" * 64)
        told = {"framework": name, "model": str(root / starter.model), "row": starter.sample["inputs"][0]}
        asked.append({**told, "output_schema": encode(starter.outputs)})
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(asked))
    runtime = process.SCRIPT.parent
    # The one environment that has all of them.
    painting = subjects["hugging-face-stable-diffusion-text-2-img"]
    told = in_environment(painting, SUPPORT / "task_answers.py", runtime, listed)
    found = dict(zip(names, json.loads(told), strict=True))
    assert {name: each["error"] for name, each in found.items() if "error" in each} == {}
    for name, each in found.items():
        first, second = each["predicted"]
        assert alike(first, each["plain"], 1e-4), name
        assert set(second) == set(first), name
    assert len(found) > 14


CCFRAUD = {
    0.99300325: """
        -1.0603297501 2.3544967095 -3.5638788326 5.1387348926 -1.2308457019 -0.7687824608 -3.5881228109 1.8880837663
        -3.2789674274 -3.9563254554 4.0993439118 -5.6539176395 -0.8775733373 -9.131571192 -0.6093537873 -3.7480276773
        -5.0309125017 -0.8748149526 1.9870535692 0.7005485718 0.9204422758 -0.1041491809 0.3229564351 -0.7418141657
        0.0384120159 1.0993439146 1.2603409756 -0.1466244739 -1.4463212439""",
    0.0010916889: """
        0.5817662108 0.097881551 0.1546819424 0.4754101949 -0.1978862306 -0.4504344854 0.0166540447 -0.0256070551
        0.0920561602 -0.2783917153 0.0593299441 -0.0196585416 -0.4225083157 -0.1217538877 1.5473094894 0.2391622864
        0.3553974881 -0.7685165301 -0.7000849355 -0.1190043285 -0.3450517133 -1.1065114108 0.2523411195 0.0209441826
        0.2199267436 0.2540689265 -0.0450225094 0.1086773898 0.2547179311""",
}
"""Rows of the upload guide's fraud model, each under the number that the guide shows for it."""


@pytest.mark.parametrize("field", ["tensor", "dense_input"])
def test_the_guides_own_numbers(tmp_path, ran, field):
    """The guide calls the column `tensor`, which is not the name of the model's input."""
    if not (REAL / "ccfraud.onnx").is_file():
        pytest.skip("HATCH_WALLAROO_MODELS names no folder with ccfraud.onnx")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "ccfraud.onnx").write_bytes((REAL / "ccfraud.onnx").read_bytes())
    sample = [{field: [float(each) for each in row.split()]} for row in CCFRAUD.values()]
    files = {
        "pyproject.toml": native("onnx", "ccfraud.onnx", sample=True),
        "sample.json": json.dumps({"inputs": sample}),
    }
    verdict = ran(files)
    assert (verdict.word, weighty(verdict)) == ("passed", [])
    assert [row["dense_1"] for row in verdict.answered] == [[pytest.approx(each, rel=1e-6)] for each in CCFRAUD]


def native(framework: str, model: str, release: str = "2023.2.1", *, sample: bool = False) -> str:
    return (
        '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "m"\nversion = "1"\n[tool.hatch.build.hooks.wallaroo]\n'
        f'[tool.wallaroo]\nframework = "{framework}"\nrelease = "{release}"\nmodel = "{model}"\n'
        + ('sample = "sample.json"\n' if sample else "")
    )


def test_without_a_sample_the_header_tells_the_rows(tmp_path, ran):
    project = copied("onnx", tmp_path)
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace('sample = "sample.json"\n', ""))
    verdict = ran(project)
    assert (verdict.word, weighty(verdict)) == ("passed", [])
    assert (verdict.rows, verdict.made_rows) == ("made from the model's own header", True)
    assert [row["readings"] for row in verdict.asked] == [[0.0] * 4] * 2
    assert verdict.observed == {"failure": "float32[1]"}
