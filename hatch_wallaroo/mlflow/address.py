"""Models on a tracking server: `runs:/RUN/PATH` and `models:/NAME/VERSION`, brought here by MLflow's own client."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.text import one_line

NOT_FETCHED = rule(
    "WLR461",
    "the model could not be fetched from the tracking server",
    why="The model's folder is read when the bundle is planned: its files are the build context.",
    source="MLflow's client, mlflow.artifacts.download_artifacts",
)

_SERVER = "MLFLOW_TRACKING_URI"
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LOGIN = re.compile(r"://[^/\s]*@")
_ADDRESS = re.compile(r"(?:runs|models):/")
_RETRIES = "2"
"""MLflow's client would try for minutes to reach a server that is not there."""


def is_address(model: str) -> bool:
    return _ADDRESS.match(model) is not None


def fetch(spec: ModelSpec, address: str) -> tuple[Path | None, tuple[Finding, ...]]:
    """The folder that the address names, downloaded once a process and gone at its end; None with the reason."""
    folder, message, fix = _fetched(address, os.environ.get(_SERVER, ""))
    if folder is not None:
        return folder, ()
    return None, (NOT_FETCHED.finding(f"{one_line(address)}: {message}", fix=fix, place=spec.at("model")),)


@cache
def _fetched(address: str, server: str) -> tuple[Path | None, str, str]:
    """The folder, or None with what the client answered and what to do. Asked once: a server is not asked again."""
    try:
        import mlflow
    except ImportError:
        fix = 'install hatch-wallaroo[mlflow] where hatch builds: [build-system] requires = ["hatchling", '
        return None, "MLflow's client is not installed", fix + '"hatch-wallaroo[mlflow]"]'
    if not server:
        return None, "no tracking server is named", f"set {_SERVER}, as for MLflow itself"
    folder = Path(tempfile.mkdtemp(prefix="hatch-wallaroo-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", _RETRIES)
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(folder))), "", ""
    except Exception as error:  # noqa: BLE001 - the client raises what its own libraries do
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        fix = f"check the address, {_SERVER}, and the login that the server asks for"
        return None, without_secrets(one_line(said)), fix


def without_secrets(text: str) -> str:
    """What a client said, without the logins that it was given: in addresses, and by themselves."""
    given = [os.environ.get(name) for name in _SECRETS]
    with contextlib.suppress(ValueError):
        given.append(urlsplit(os.environ.get(_SERVER, "")).password)
    for secret in given:
        if secret:
            text = text.replace(secret, "***")
    return _LOGIN.sub("://***@", text)
