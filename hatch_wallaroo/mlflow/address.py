"""Models on a tracking server: `runs:/RUN/PATH` and `models:/NAME/VERSION`, brought here by MLflow's own client."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.report import one_line

NOT_FETCHED = rule(
    "WLR461",
    "the model could not be fetched from the tracking server",
    why="The model's folder is read when the bundle is planned: its files are the build context.",
    source="MLflow's client, mlflow.artifacts.download_artifacts",
)

_LOGIN = re.compile(r"://[^/@\s]+@")
_ADDRESS = re.compile(r"(?:runs|models):/")


class _FetchError(Exception):
    """What the client answered, and what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def is_address(model: str) -> bool:
    return _ADDRESS.match(model) is not None


def fetch(spec: ModelSpec, address: str) -> tuple[Path | None, tuple[Finding, ...]]:
    """The folder that the address names, downloaded once a process and gone at its end; None with the reason."""
    try:
        return _fetched(address, os.environ.get("MLFLOW_TRACKING_URI", "")), ()
    except _FetchError as error:
        finding = NOT_FETCHED.finding(f"{address}: {error}", fix=error.fix, place=spec.at("model"))
        return None, (finding,)


@cache
def _fetched(address: str, server: str) -> Path:
    try:
        import mlflow
    except ImportError as error:
        fix = 'install hatch-wallaroo[mlflow] where hatch builds: [build-system] requires = ["hatchling", '
        raise _FetchError("MLflow's client is not installed", fix + '"hatch-wallaroo[mlflow]"]') from error
    if not server:
        raise _FetchError("no tracking server is named", "set MLFLOW_TRACKING_URI, as for MLflow itself")
    folder = Path(tempfile.mkdtemp(prefix="hatch-wallaroo-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # MLflow's client would try for two minutes to reach a server that is not there.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(folder)))
    except Exception as error:
        said = _LOGIN.sub("://***@", one_line((str(error).strip().splitlines() or [type(error).__name__])[0]))
        fix = "check the address, MLFLOW_TRACKING_URI, and the login that the server asks for"
        raise _FetchError(said, fix) from error
