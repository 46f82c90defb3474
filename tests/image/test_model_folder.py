"""The folder that is made of two functions, loaded and served by MLflow 1.30.0 itself, without a container."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.pack import pack
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from support.fronts import REPOSITORY
from support.mlflow_models import PEER
from support.peers import peer

pytestmark = pytest.mark.peer

EXAMPLE = REPOSITORY / "example-projects" / "mlflow"
ASK = """
import json, sys
from mlflow.pyfunc import load_model, scoring_server
client = scoring_server.init(load_model(sys.argv[1])).test_client()
told = []
for kind, body in json.loads(sys.argv[2]):
    answer = client.post("/invocations", data=json.dumps(body), content_type=kind)
    told.append([answer.status_code, json.loads(answer.data)])
print(json.dumps(told))
"""
RECORDS = "application/json; format=pandas-records"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder, as it lies in the build context."""
    there = tmp_path_factory.mktemp("example")
    report = check_repository(read_repository(EXAMPLE))
    assert report.passed
    (bundle,) = pack(list(report.models), there / "dist")
    with tarfile.open(bundle.path) as tar:
        tar.extractall(there, filter="data")
    return there / "model"


def asked(folder: Path, *bodies: tuple[str, object]) -> list[list[object]]:
    done = subprocess.run(
        [str(peer(PEER)), "-W", "ignore", "-c", ASK, str(folder), json.dumps(bodies)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_form_of_a_request(folder: Path) -> None:
    sample = json.loads((EXAMPLE / "sample.json").read_bytes())
    rows, wanted = sample["inputs"], [row["rentals"] for row in sample["outputs"]]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    split = {"columns": list(columns), "data": [list(row.values()) for row in rows]}
    answers = asked(
        folder,
        (RECORDS, rows),
        ("application/json", split),
        ("application/json", {"instances": rows}),
        ("application/json", {"inputs": columns}),
        ("application/json", {"instances": [[1.0, 2.0]]}),
    )
    for status, rentals in answers[:4]:
        assert status == 200, rentals
        assert [row["rentals"] for row in rentals] == pytest.approx(wanted)
    assert answers[4][0] == 400


def test_files_do_not_depend_on_where_the_folder_is(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "with space" / "model"
    moved.parent.mkdir()
    folder.rename(moved)
    sample = json.loads((EXAMPLE / "sample.json").read_bytes())
    ((status, answer),) = asked(moved, (RECORDS, sample["inputs"][:1]))
    assert (status, len(answer)) == (200, 1)
