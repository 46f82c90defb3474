"""A session of the official SDK, unmodified, run by the Python of its own environment; prints what it saw as JSON.

Arguments: the folder of models. The address and the credentials stand in the SDK's own variables.
"""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pyarrow as pa
import wallaroo
from wallaroo.framework import Framework

INPUT = pa.schema([pa.field("inputs", pa.list_(pa.float64(), list_size=4))])
OUTPUT = pa.schema([pa.field("predictions", pa.float64())])
SCHEMAS = {"input_schema": INPUT, "output_schema": OUTPUT}


def upload(client, name, path, framework, **options):
    said = io.StringIO()
    seen = {}
    with redirect_stdout(said), redirect_stderr(said):
        try:
            version = client.upload_model(name, str(path), framework=framework, **options)
            seen["id"] = version.id()
            seen["status"] = version.status()
            seen["name"] = version.name()
            seen["sha"] = version.sha()
            seen["file_name"] = version.file_name()
            seen["runtime"] = version._config.runtime()
            if hasattr(version, "error_summary"):
                seen["error_summary"] = version.error_summary()
                seen["wait_error"] = repr(version._wait_error)
                seen["logs"] = list(version.get_upload_logs())
                seen["workspace"] = version.workspace().name()
                seen["arch"] = version.arch()
        except Exception as error:
            seen["raised"] = f"{type(error).__name__}: {error}"
    seen["said"] = said.getvalue()
    return seen


def main():
    models = Path(sys.argv[1])
    client = wallaroo.Client(
        api_endpoint=os.environ["WALLAROO_URL"],
        **({"auth_endpoint": os.environ["WALLAROO_URL"]} if wallaroo.version._user_agent.endswith("2023.2.1") else {}),
        auth_type="user_password",
        request_timeout=30,
    )
    default = client.get_current_workspace()
    workspace = client.create_workspace("my-ws")
    client.set_current_workspace(workspace)
    seen = {
        "agent": wallaroo.version._user_agent,
        "default": default.name() if hasattr(default, "name") else None,
        "workspaces": [each.name() for each in client.list_workspaces()],
        "native": upload(client, "native", models / "model.onnx", Framework.ONNX),
        "converted": upload(client, "converted", models / "model.pkl", Framework.SKLEARN, **SCHEMAS),
        "byop": upload(client, "byop", models / "byop.zip", Framework.CUSTOM, **SCHEMAS),
        "broken": upload(client, "broken", models / "broken.zip", Framework.CUSTOM, **SCHEMAS),
        "no zip": upload(client, "no-zip", models / "model.onnx", Framework.CUSTOM, **SCHEMAS),
    }
    image = client.register_model_image("image", "registry.example/image:1")
    seen["image"] = {"status": image.status(), "image_path": image.image_path()}
    seen["models"] = sorted(each.name() for each in client.get_current_workspace().models())
    if hasattr(client, "list_models"):
        seen["listed"] = sorted(each.name() for each in client.list_models())
    again = upload(client, "native", models / "model.onnx", Framework.ONNX)
    seen["again"] = {"same": again.get("sha") == seen["native"].get("sha"), "new": again["id"] != seen["native"]["id"]}
    print(json.dumps(seen))


main()
