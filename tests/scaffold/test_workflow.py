"""The workflow for GitHub: a workflow by GitHub's own schema, with the least rights, that shows no secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.releases.load import known
from hatch_wallaroo.scaffold.repository import WORKFLOW
from support.peers import RECIPES, Recipe, run_in
from support.scaffolds import files

# Brings GitHub's schema along, so that nothing is asked for at the time of the test.
RECIPES["workflows"] = Recipe("3.11", ("check-jsonschema>=0.33", "ruamel.yaml>=0.18"))
READ = "import json, sys, ruamel.yaml; print(json.dumps(ruamel.yaml.YAML(typ='safe').load(open(sys.argv[1]))))"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (data,) = [file.data for file in files("custom", known()[-1]) if file.path == WORKFLOW]
    path = tmp_path / "wallaroo.yml"
    path.write_bytes(data)
    return path


def validated(path: Path) -> tuple[int, str]:
    done = run_in("workflows", ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)])
    return done.returncode, done.stdout + done.stderr


@pytest.mark.peer
def test_githubs_own_schema_takes_it(path: Path) -> None:
    assert validated(path)[0] == 0, validated(path)[1]
    path.write_text(path.read_text().replace("runs-on:", "run-on:"))
    assert validated(path)[0] == 1


@pytest.mark.peer
def test_what_it_does_and_what_it_may(path: Path) -> None:
    done = run_in("workflows", ["-c", READ, str(path)])
    workflow: dict[str, Any] = json.loads(done.stdout)
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow["on"]) == {"push", "pull_request"}  # never pull_request_target: that has the secrets
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    steps = job["steps"]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    checkout = steps[0]
    assert checkout["uses"].startswith("actions/checkout@")
    assert checkout["with"] == {"lfs": True, "persist-credentials": False}
    commands = [step["run"] for step in steps if "run" in step]
    assert commands[1:] == [
        "hatch test",
        "hatch-wallaroo check --format github",
        "hatch build",
        "hatch publish -p wallaroo",
    ]
    assert "hatch-wallaroo[publish]" in commands[0]
    assert not any("${{" in command for command in commands)
    *others, publish = steps
    assert "secrets." not in json.dumps(others)
    assert publish["if"] == "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')"
    names = ("WALLAROO_URL", "WALLAROO_USER", "WALLAROO_PASSWORD")
    assert publish["env"] == {
        **{name: f"${{{{ secrets.{name} }}}}" for name in names},
        "WALLAROO_WORKSPACE": "${{ vars.WALLAROO_WORKSPACE }}",
    }
