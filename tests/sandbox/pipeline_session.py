"""Pipelines by the official SDK, unmodified, run by the Python of its own environment; prints what it saw as JSON.

Arguments: the folder of models. The address and the credentials stand in the SDK's own variables.
"""

import io
import json
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pyarrow as pa
import wallaroo
from wallaroo.framework import Framework

FOUR = [pa.field(name, pa.float64()) for name in ("a", "b", "c", "d")]
INPUTS = [pa.field("inputs", pa.list_(pa.float64(), list_size=4))]
PREDICTIONS = [pa.field("predictions", pa.float64())]
LABEL = [pa.field("label", pa.string())]
OLD = wallaroo.version._user_agent.endswith("2023.2.1")


def quietly(work):
    """What a call gives, or its exception as text; the SDK's own prints are left out."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            return work()
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def rows(answer):
    """An answer's columns with their values, without the time."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, pa.Table):
        answer = answer.to_pandas()
    made = json.loads(answer.to_json(orient="split"))
    return {name: [row[at] for row in made["data"]] for at, name in enumerate(made["columns"]) if name != "time"}


def main():
    models = Path(sys.argv[1])
    client = wallaroo.Client(
        api_endpoint=os.environ["WALLAROO_URL"],
        **({"auth_endpoint": os.environ["WALLAROO_URL"]} if OLD else {}),
        auth_type="user_password",
        request_timeout=300,
    )

    def upload(name, file, framework, given, made):
        schemas = {"input_schema": pa.schema(given), "output_schema": pa.schema(made)}
        return quietly(lambda: client.upload_model(name, str(models / file), framework=framework, **schemas))

    seen = {"agent": wallaroo.version._user_agent}
    linear = upload("linear", "linear.zip", Framework.CUSTOM, INPUTS, PREDICTIONS)
    seen["uploaded"] = linear.status() if hasattr(linear, "status") else linear
    pipeline = quietly(lambda: client.build_pipeline("one").add_model_step(linear))
    deployed = quietly(pipeline.deploy)
    seen["deployed"] = deployed if isinstance(deployed, str) else True
    if isinstance(deployed, str):
        print(json.dumps(seen))
        return
    seen["status"] = pipeline.status()["status"]
    frame = pd.DataFrame({"inputs": [[0.0, 1, 2, 3], [4.0, 5, 6, 7]]})
    seen["frame"] = rows(quietly(lambda: pipeline.infer(frame)))
    table = pa.table({"inputs": pa.array([[0.0, 1, 2, 3]], pa.list_(pa.float64(), 4))})
    seen["table"] = rows(quietly(lambda: pipeline.infer(table)))
    file = models / "rows.json"
    frame.to_json(file, orient="records")
    seen["file"] = rows(quietly(lambda: pipeline.infer_from_file(str(file))))
    with pa.ipc.new_file(models / "rows.arrow", table.schema) as writer:
        writer.write_table(table)
    seen["arrow file"] = rows(quietly(lambda: pipeline.infer_from_file(str(models / "rows.arrow"))))
    seen["some columns"] = sorted(quietly(lambda: pipeline.infer(frame, dataset=["time", "out", "check_failures"])))
    texts = pd.DataFrame({"inputs": [["a", "b", "c", "d"]]})
    seen["wrong rows"] = quietly(lambda: rows(pipeline.infer(texts)))
    large = pd.DataFrame({"inputs": [[13.0, 1, 2, 3]]})
    seen["model's error"] = quietly(lambda: rows(pipeline.infer(large)))
    ended = quietly(pipeline.undeploy)
    seen["undeployed"] = ended if isinstance(ended, str) else True
    seen["afterwards"] = quietly(lambda: rows(pipeline.infer(frame)))

    before = upload("before", "before" + (".py" if OLD else ".zip"), Framework.PYTHON, FOUR, INPUTS)
    after = upload("after", "after" + (".py" if OLD else ".zip"), Framework.PYTHON, PREDICTIONS, LABEL)
    three = client.build_pipeline("three").add_model_step(before).add_model_step(linear).add_model_step(after)
    begun = time.perf_counter()
    deployed = quietly(three.deploy)
    seen["three deployed"] = deployed if isinstance(deployed, str) else time.perf_counter() - begun
    numbers = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0], "c": [2.0, 3.0], "d": [3.0, 40.0]})
    seen["three"] = rows(quietly(lambda: three.infer(numbers)))
    seen["three, its table"] = rows(quietly(lambda: three.infer(pa.Table.from_pandas(numbers))))
    many = pd.concat([numbers] * 500, ignore_index=True)
    seen["many"] = len(quietly(lambda: three.infer(many)))
    quietly(three.undeploy)

    broken = upload("broken", "broken.zip", Framework.CUSTOM, INPUTS, PREDICTIONS)
    seen["broken"] = broken if isinstance(broken, str) else [broken.status(), broken.error_summary()]
    print(json.dumps(seen))


main()
