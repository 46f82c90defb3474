"""The table of verdicts is what the real validators and loaders say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.frameworks.byop.family import check_code
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python.source_files import read_sources
from hatch_wallaroo.releases.load import resolve
from support import byop_calls, byop_cases, byop_verdicts
from support.byop_reasons import reason
from support.peers import run_in

CASES = {**byop_cases.CASES, **byop_calls.CASES}
VERDICTS = {**byop_verdicts.VERDICTS, **byop_calls.VERDICTS}
pytestmark = pytest.mark.peer

ORACLE = Path(__file__).parents[1] / "support" / "byop_oracle.py"
COLUMNS = {"mac-2023.2.1": (None, 2), "mac-2025.2.5": (0, 1), "mac-2026.1.3": (0, 1)}


@pytest.mark.parametrize("peer", COLUMNS)
def test_verdicts(peer):
    done = run_in(peer, ["-B", str(ORACLE)], input=json.dumps(CASES))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    validator, loader = COLUMNS[peer]
    different = {}
    for name, verdicts in VERDICTS.items():
        if validator is not None and reason(said[name]["validator"]) != verdicts[validator]:
            different[name, "validator"] = said[name]["validator"], verdicts[validator]
        if reason(said[name]["loader"]) != verdicts[loader]:
            different[name, "loader"] = said[name]["loader"], verdicts[loader]
    assert not different


WARNED = {"environment variable", "import not caught", "import missing in the handler", "undeclared import"}
"""What depends on the environment is a warning."""
LEFT_TO_A_RUN = {"lazy module attribute"}


def test_the_validator_of_2025_2_1():
    """What it takes we take; what it refuses we refuse, for one reason or another."""
    done = run_in("mac-2025.2.1", ["-B", str(ORACLE)], input=json.dumps(byop_cases.CASES))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    release = resolve("2025.2.1")
    environment = environment_of(release, [])
    different = {}
    for name in byop_cases.CASES.keys() - WARNED - LEFT_TO_A_RUN:
        sources = read_sources([Entry(path, TextSource(text), path) for path, text in CASES[name].items()], "")
        passed = said[name]["validator"] == "pass"
        judge = validate if passed else check_code
        found = [
            each.message
            for each in judge(sources, environment, release.byop, frozenset(CASES[name]))[1]
            if each.is_error
        ]
        if bool(found) == passed:
            different[name] = said[name]["validator"], found
    assert not different
