"""Beside a sandbox that runs models: publish, deploy the models as a pipeline, ask it for one row, and undeploy it.

    python demo_pipeline.py SAMPLE MANIFEST... -- COMMAND THAT PUBLISHES THEM

The requests are those that Wallaroo's SDK sends for `build_pipeline(...).add_model_step(...).deploy()`, `.infer(...)`
and `.undeploy()`; the SDK itself is not needed for the demo.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

URL = os.environ.get("WALLAROO_URL", "")
API = "/v1/api"


def main(arguments: list[str]) -> int:
    ours, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    code = subprocess.run(command, check=False).returncode
    if code:
        return code
    sample, *manifests = map(Path, ours)
    models = [json.loads(path.read_bytes())["model"] for path in manifests]
    print(f"\ndeploy {' -> '.join(models)}, and ask for a row of {sample}", flush=True)
    return ask(models, json.loads(sample.read_bytes())["inputs"][0])


def ask(models: list[str], row: dict[str, Any]) -> int:
    """Deploy the newest versions of the models, ask for a row, print what went in and came out."""
    token = login()
    workspaces = post(token, f"{API}/workspaces/list")["workspaces"]
    workspace = next(each["id"] for each in workspaces if each["name"] == "demo")
    name, steps = models[0], [{"ModelInference": {"models": [newest(token, each)]}} for each in models]
    pipeline = {"pipeline_id": name, "workspace_id": workspace, "definition": {"id": name, "steps": steps}}
    version = post(token, f"{API}/pipelines/create", pipeline)["pipeline_variant_pk_id"]
    wanted = {"deploy_id": name, "pipeline_version_pk_id": version, "engine_config": {}}
    number = post(token, f"{API}/pipelines/deploy", wanted)["id"]
    status = {"status": "Starting"}
    while status["status"] == "Starting":
        time.sleep(0.1)
        status = post(token, f"{API}/status/get_deployment", {"name": f"{name}-{number}"})
    if status["status"] != "Running":
        print(f"it does not run: {' '.join(status['details'])}", file=sys.stderr)
        return 1
    (answer,) = post(token, f"{API}/pipelines/infer/{name}-{number}/{name}", [row])
    for field, value in answer.items():
        if field.startswith(("in.", "out.")):
            print(f"  {field}: {json.dumps(value, ensure_ascii=False)}")
    post(token, f"{API}/pipelines/undeploy", {"deployment_id": number})
    return 0


def newest(token: str, model: str) -> dict[str, str]:
    """A model's newest version, as a step names it."""
    found = post(token, f"{API}/models/list_versions", {"model_id": model})[0]
    return {"name": model, "version": found["model_version"], "sha": found["sha"]}


def login() -> str:
    known = {"username": os.environ["WALLAROO_USER"], "password": os.environ["WALLAROO_PASSWORD"]}
    form = urlencode({"client_id": "sdk-client", "grant_type": "password", **known}).encode()
    with urlopen(f"{URL}/auth/realms/master/protocol/openid-connect/token", form, timeout=60) as answer:
        token: str = json.load(answer)["access_token"]
        return token


def post(token: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(URL + path, json.dumps(body or {}).encode(), headers), timeout=120) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
