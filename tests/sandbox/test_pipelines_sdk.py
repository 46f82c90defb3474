"""Pipelines by the official SDKs, unmodified, each in its own Python, against a sandbox with the release's runtime."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hatch_wallaroo.preflight.preparing import lacking
from support import peers
from support.byop_cases import GOOD
from support.sandboxes import running, zipped

SESSION = Path(__file__).parent / "pipeline_session.py"
FAILS = '        return {"predictions": input_data["inputs"] @ self.model.w}'
SOMETIMES = f"""\
        if (input_data["inputs"] == 13).any():
            raise ValueError("thirteen is not for me")
{FAILS}"""
LINEAR = GOOD.replace(FAILS, SOMETIMES)
BROKEN = GOOD.replace(
    "        inference = self.inference\n", "        open('weights.npy')\n        inference = self.inference\n"
)
PROCESS_DATA = "from mac.types import InferenceData\nimport numpy as np\n\ndef process_data(input_data: InferenceData) -> InferenceData:\n"
STEPS = {
    "before.zip": f'{PROCESS_DATA}    return {{"inputs": np.stack([input_data[each] for each in "abcd"], axis=1)}}\n',
    "after.zip": f'{PROCESS_DATA}    return {{"label": np.where(input_data["predictions"] > 100, "large", "small")}}\n',
    "before.py": """\
def wallaroo_json(data):
    return [{"inputs": [row[each] for each in "abcd"]} for _, row in data.iterrows()]
""",
    "after.py": """\
def wallaroo_json(data):
    return [{"label": "large" if each > 100 else "small"} for each in data["predictions"]]
""",
}


@pytest.fixture(scope="module", params=[("mac-2023.2.1", "2023.2.1"), ("mac-2026.1.3", "2026.1")], ids=lambda p: p[1])
def asked(request):
    """Runs a session of a release's SDK against a sandbox with further options; what it saw, and what is left."""
    name, release = request.param
    python = peers.peer(name)
    lack = lacking("3.8" if release == "2023.2.1" else "3.10")
    if lack is not None:
        peers.missing(f"{lack}: {lack.fix}")
    made: list[Path] = []

    def run(*options: str):
        folder = Path(tempfile.mkdtemp(prefix="sdk-", dir="/tmp"))  # short, for there are sockets below it
        made.append(folder)
        (folder / "temporary").mkdir()
        changed.setenv("TMPDIR", str(folder / "temporary"))
        models = folder / "models"
        models.mkdir()
        (models / "linear.zip").write_bytes(zipped({"model.py": LINEAR, "requirements.txt": ""}, "linear"))
        (models / "broken.zip").write_bytes(zipped({"model.py": BROKEN, "requirements.txt": ""}, "broken"))
        for file, text in STEPS.items():
            path = models / file
            if path.suffix == ".zip":
                path.write_bytes(zipped({f"{path.stem}.py": text, "requirements.txt": ""}, path.stem))
            else:
                path.write_text(text)
        with running(folder / "state", release, *options, pace=0.1) as sandbox:
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), **sandbox.environment}
            done = subprocess.run(
                [str(python), str(SESSION), str(models)], env=environment, capture_output=True, text=True, timeout=540
            )
            assert done.returncode == 0, done.stderr
        return release, json.loads(done.stdout.splitlines()[-1]), folder / "state"

    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("HATCH_WALLAROO_CACHE_DIR", str(peers.folder() / "preflight"))
        yield run
    for each in made:
        shutil.rmtree(each)


@pytest.fixture(scope="module")
def session(asked):
    return asked("--runtime")


pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_without_a_runtime_the_refusal_is_one_sentence(asked) -> None:
    _, seen, _ = asked()
    assert seen["uploaded"] == "ready"
    sentence = (
        "Bad request: this sandbox runs no models, so nothing can be deployed: "
        "start it with hatch-wallaroo sandbox --runtime"
    )
    assert seen["deployed"].startswith("Exception: ")
    assert sentence in seen["deployed"]


def test_one_step(session) -> None:
    release, seen, _ = session
    assert (seen["uploaded"], seen["deployed"], seen["status"]) == ("ready", True, "Running")
    checks = "check_failures" if release == "2023.2.1" else "anomaly.count"
    both = {"in.inputs": [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]], "out.predictions": [14.0, 38.0], checks: [0, 0]}
    assert seen["frame"] == both
    assert seen["file"] == both
    first = {name: values[:1] for name, values in both.items()}
    assert seen["table"] == first
    assert seen["arrow file"] == first
    assert seen["some columns"] == sorted({"time", "out.predictions", checks} - {"anomaly.count"})


def test_errors(session) -> None:
    _, seen, _ = session
    assert seen["wrong rows"].startswith("InferenceError: ")
    assert "'inputs' does not fit" in seen["wrong rows"]
    assert seen["model's error"].startswith("InferenceError: ")
    assert "thirteen is not for me" in seen["model's error"]


def test_undeployed(session) -> None:
    _, seen, _ = session
    assert seen["undeployed"] is True
    assert seen["afterwards"].startswith(("InferenceError", "RuntimeError"))
    assert "no such deployment" in seen["afterwards"]


def test_three_steps(session) -> None:
    _, seen, _ = session
    assert isinstance(seen["three deployed"], float), seen["three deployed"]
    assert seen["three"]["out.label"] == ["small", "large"]
    assert [seen["three"][f"in.{each}"] for each in "abcd"] == [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 40.0]]
    assert seen["three, its table"]["out.label"] == ["small", "large"]
    assert seen["many"] == 1000


def test_a_model_that_does_not_load(session) -> None:
    release, seen, _ = session
    if release == "2023.2.1":
        assert seen["broken"].startswith("ModelConversionError")
    else:
        assert seen["broken"][0] == "error"
        assert "No such file or directory: 'weights.npy'" in seen["broken"][1]


def test_nothing_is_left(session) -> None:
    _, _, state = session
    assert not (state / "kept").exists()
    assert list((state / "incoming").iterdir()) == []
    assert list(state.with_name("temporary").iterdir()) == []
