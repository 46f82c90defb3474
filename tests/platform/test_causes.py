"""From a platform's words to what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.platform.causes import CAUSES, advice
from hatch_wallaroo.platform.packages import read
from hatch_wallaroo.sandbox import judging
from reference_pages.findings import all_rules
from support.packages import write_package

MESSAGES = {
    "imports": "inference.py imports pandas, which is not there",
    "undefined": "inference.py uses torch while it is loaded",
    "classes": "there are several: One (a.py), Two (b.py)",
    "no parameter": "there is no parameter input_data",
    "no annotation": "there is no annotation",
}
FIXED = (judging.NOT_A_ZIP, judging.NO_REQUIREMENTS, judging.PIP, judging.NO_STEP)


def said() -> set[str]:
    """Everything that a sandbox may give as the reason of a failed conversion, in the platform's words."""
    made = set(FIXED)
    for rule in all_rules():
        for message in MESSAGES.values():
            finding = Finding(rule, message, "", Place(file="inference.py", line=1), Level.ERROR)
            made |= {judging.platform_text(finding, validator=validator) for validator in (False, True)}
    return made - set(MESSAGES.values())


@pytest.mark.parametrize("summary", sorted(said()))
def test_every_reason_leads_somewhere(summary: str, tmp_path: Path) -> None:
    package = read(write_package(tmp_path, framework="custom"))
    found = advice(package, summary, [])
    assert found, summary
    assert not any(each.startswith("pyproject.toml tool.wallaroo.models.clusters.:") for each in found)


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("The Inference class's predict method may only accept a dictionary of numpy arrays.", "[WLR528]"),
        ("The Inference class's _predict method may only return a dictionary of numpy arrays.", "[WLR529]"),
        ("'_predict' method's 'input_data' parameter is missing type annotation", "[WLR528]"),
        ("The Inference class must contain the predict method.", "[WLR526]"),
        ("No pre/post-processing step found in the given files.", "pyproject.toml tool.wallaroo.models.clusters.model"),
        ("module 'torch' is not found.", "add the package that brings torch"),
    ],
)
def test_the_first_advice_is_the_one(summary: str, told: str, tmp_path: Path) -> None:
    assert told in advice(read(write_package(tmp_path, framework="custom")), summary, [])[0]


def test_a_line_of_the_bundles_own_comes_first(tmp_path: Path) -> None:
    path = write_package(tmp_path, framework="custom", contents=[{"path": "clusters/inference.py"}])
    log = [
        'File "/home/jovyan/clusters/inference.py", line 3, in <module>',
        'File "/usr/lib/python3.10/json.py", line 9',
        "No module named 'torch'",
    ]
    first, second = advice(read(path), "", log)
    assert first == "clusters/inference.py, line 3, of the bundle: the platform's log points there"
    assert "brings torch" in second


def test_each_rule_that_is_named_is_one() -> None:
    known = {each.code for each in all_rules()}
    assert [each.code for each in CAUSES if each.code and each.code not in known] == []


def test_what_nobody_knows_gives_no_advice(tmp_path: Path) -> None:
    assert advice(read(write_package(tmp_path)), "the moon is full", ["x" * 100_000]) == ()
