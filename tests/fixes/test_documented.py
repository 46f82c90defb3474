"""The how-to lists every rule that can be mended, and shows the documents as they are."""

from __future__ import annotations

import json
import re

from hatch_wallaroo.cli.reports.json_report import document
from hatch_wallaroo.fixes.plan import _ALSO, PLANNERS, _planner
from reference_pages.findings import all_rules
from support.fronts import REPOSITORY
from support.mending import HEAD, checked

PAGE = (REPOSITORY / "docs" / "how-to" / "check.md").read_text(encoding="utf-8")


def test_every_rule_that_can_be_mended_is_listed():
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| WLR")]
    listed = {code for row in rows for code in re.findall(r"WLR\d{3}", row)}
    assert listed == set(PLANNERS) | set(_ALSO)
    assert set(PLANNERS) <= {rule.code for rule in all_rules()}
    assert all(callable(_planner(name)) for name in (*PLANNERS.values(), *_ALSO.values()))


def test_the_document_shown_has_the_keys_of_a_real_one(tmp_path):
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    (tmp_path / "pyproject.toml").write_text(f'{HEAD}[tool.wallaroo]\nframework = "onnx"\nmodel = "x.onnx"\n')
    made = document(checked(tmp_path))
    assert list(shown) == list(made)
    assert list(shown["models"][0]) == list(made["models"][0])
    assert list(shown["findings"][0]) == list(made["findings"][0])
    assert list(shown["counts"]) == list(made["counts"])
