"""Real MLflow models, written by MLflow 1.30.0 in an environment of its own; and a real tracking server."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from support.peers import peer

PEER = "mac-2023.2.1"
ROWS = [[0.1, 0.9, 0.4, 0.3], [0.9, 0.8, 0.7, 0.9], [0.2, 0.1, 0.1, 0.0]]
_MAKE = """
import json, sys
import mlflow, numpy as np
from mlflow.models.signature import infer_signature
from sklearn.linear_model import LogisticRegression

values = np.random.RandomState(7).rand(60, 4)
model = LogisticRegression().fit(values, (values.sum(axis=1) > 2).astype("int64"))
signature = infer_signature(values, model.predict(values))
if sys.argv[1] == "save":
    mlflow.sklearn.save_model(model, sys.argv[2], signature=signature)
else:
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(model, "model", signature=signature, registered_model_name=sys.argv[2])
    print(run.info.run_id)
print(json.dumps(model.predict(np.array(json.loads(sys.argv[3]))).tolist()))
"""


def save_model(folder: Path) -> list[int]:
    """Write a scikit-learn model into a folder; gives its answers for ROWS."""
    return json.loads(_make("save", str(folder))[-1])


def log_model(server: str, name: str) -> tuple[str, list[int]]:
    """Log and register the same model on a tracking server; gives the run and the answers for ROWS."""
    run, answers = _make("log", name, MLFLOW_TRACKING_URI=server)[-2:]
    return run, json.loads(answers)


def _make(*arguments: str, **environment: str) -> list[str]:
    quiet = {"GIT_PYTHON_REFRESH": "quiet", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [str(peer(PEER)), "-W", "ignore", "-c", _MAKE, *arguments, json.dumps(ROWS)],
        env={**quiet, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@contextlib.contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """`mlflow server` with SQLite and its own artifact store; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    programs = peer(PEER).parent
    command = [
        str(programs / "mlflow"), "server", "--backend-store-uri", f"sqlite:///{folder}/db.sqlite",
        "--default-artifact-root", "mlflow-artifacts:/", "--artifacts-destination", str(folder / "artifacts"),
        "--serve-artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "GIT_PYTHON_REFRESH": "quiet",
    }
    log = folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"{url}/health", timeout=5).status == 200:
                    break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)
