"""The table of verdicts is what the real validators and loaders say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
