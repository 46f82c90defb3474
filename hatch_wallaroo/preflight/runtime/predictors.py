"""Our own prediction for frameworks whose loader no wheel has; it runs inside the platform's Flight service.

A prediction takes one array a column and gives one array a field, as the steps of the platform do. Where the model
tells its outputs and no schema is declared (ONNX), the function bears them as `schema`.
"""

import json
import os
import sys


def load(job, record):
    """The prediction for the job's framework; raises ValueError for one that nothing here can run."""
    framework = job["framework"]
    name = "hugging-face" if framework.startswith("hugging-face-") else framework
    if job["form"] == "wallaroo_json":
        name = "wallaroo_json"
    if name not in LOADERS:
        raise ValueError("nothing here runs the framework " + framework)
    return LOADERS[name](job)


def outputs(job):
    """The names of the declared output fields, in order; empty where nothing is declared."""
    from serve import job_schema

    schema = job_schema(job, "output_schema")
    return list(schema.names) if schema is not None else []


def onnx(job):
    """By name where the columns bear the inputs' names, else by position, as the guide's numbers show."""
    import numpy as np
    import onnxruntime
    import pyarrow as pa

    numpy_types = {
        "tensor(float)": np.float32,
        "tensor(double)": np.float64,
        "tensor(float16)": np.float16,
        "tensor(int8)": np.int8,
        "tensor(int16)": np.int16,
        "tensor(int32)": np.int32,
        "tensor(int64)": np.int64,
        "tensor(uint8)": np.uint8,
        "tensor(uint16)": np.uint16,
        "tensor(uint32)": np.uint32,
        "tensor(uint64)": np.uint64,
        "tensor(bool)": np.bool_,
        "tensor(string)": np.object_,
    }
    session = onnxruntime.InferenceSession(job["model"], providers=["CPUExecutionProvider"])
    inputs = {each.name: numpy_types.get(each.type) for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]

    def predict(data):
        given = [data[name] for name in inputs] if set(inputs) <= set(data) else list(data.values())[: len(inputs)]
        feeds = {name: np.asarray(value, dtype=kind) for (name, kind), value in zip(inputs.items(), given)}
        return dict(zip(names, session.run(None, feeds)))

    def field(output):
        numpy_type = numpy_types.get(output.type)
        made = pa.string() if output.type == "tensor(string)" else pa.from_numpy_dtype(numpy_type)
        for size in reversed(output.shape[1:]):
            made = pa.list_(made, size) if isinstance(size, int) else pa.list_(made)
        return pa.field(output.name, made)

    if all(each.type in numpy_types for each in session.get_outputs()):
        predict.schema = pa.schema([field(each) for each in session.get_outputs()])
    return predict


def estimator(job):
    """scikit-learn and XGBoost: the rows of `inputs` go to `predict`; its answer is the one output field."""
    import pickle

    import numpy as np

    with open(job["model"], "rb") as stream:
        model = pickle.load(stream)
    names = outputs(job)

    def predict(data):
        given = data["inputs"] if "inputs" in data else np.column_stack(list(data.values()))
        return {names[0] if names else "predictions": np.asarray(model.predict(given))}

    return predict


def keras(job):
    """One array a column, in the order of their names; the outputs in the order of the schema."""
    import tensorflow

    model = tensorflow.keras.models.load_model(job["model"])
    names = outputs(job)

    def predict(data):
        given = [data[name] for name in sorted(data)]
        made = model.predict(given if len(given) > 1 else given[0], verbose=0)
        many = made if isinstance(made, (list, tuple)) else [made]
        return dict(zip(names or ["output"], many))

    return predict


def tensorflow_model(job):
    """A SavedModel by its serving signature: inputs by name, outputs by their own names."""
    import numpy as np
    import tensorflow

    loaded = tensorflow.saved_model.load(job["model"])
    signature = loaded.signatures["serving_default"]
    wanted = signature.structured_input_signature[1]

    def predict(data):
        given = data if set(wanted) <= set(data) else dict(zip(wanted, data.values()))
        feeds = {name: tensorflow.constant(np.asarray(given[name]), dtype=spec.dtype) for name, spec in wanted.items()}
        return {name: value.numpy() for name, value in signature(**feeds).items()}

    predict.keep = loaded
    return predict


def pytorch(job):
    """TorchScript: float32 tensors, one a column in the order of their names; the outputs in the schema's order."""
    import numpy as np
    import torch

    model = torch.jit.load(job["model"], map_location="cpu").eval()
    names = outputs(job)

    def predict(data):
        with torch.inference_mode():
            made = model(*[torch.from_numpy(np.asarray(data[name], dtype=np.float32)) for name in sorted(data)])
        many = made if isinstance(made, (list, tuple)) else [made]
        return {name: each.numpy() for name, each in zip(names or ["output"], many)}

    return predict


def hugging_face(job):
    """A pipeline of the task, row by row: `inputs` is its argument, the other columns are its parameters."""
    import numpy as np
    from transformers import pipeline

    task = job["framework"][len("hugging-face-") :]
    pipe = pipeline(task, model=job["model"])

    def predict(data):
        rows = [
            {name: value[at].item() if hasattr(value[at], "item") else value[at] for name, value in data.items()}
            for at in range(len(data["inputs"]))
        ]
        made = []
        for row in rows:
            answer = pipe(row.pop("inputs"), **row)
            made.append(answer if isinstance(answer, list) else [answer])
        return {key: np.array([[each[key] for each in answer] for answer in made]) for key in made[0][0]}

    return predict


def wallaroo_json(job):
    """A step of the releases up to 2023.4: a DataFrame of the row's columns goes in, a list of dicts comes out."""
    import importlib.util

    import numpy as np
    import pandas as pd

    spec = importlib.util.spec_from_file_location("step", job["model"])
    module = importlib.util.module_from_spec(spec)
    sys.modules["step"] = module
    spec.loader.exec_module(module)
    function = module.wallaroo_json

    def predict(data):
        frame = pd.DataFrame({name: list(value) for name, value in data.items()})
        made = function(frame)
        json.dumps(made, default=_number)
        if not isinstance(made, list) or not all(isinstance(row, dict) for row in made):
            raise TypeError("wallaroo_json gave %s instead of a list of dicts" % type(made).__name__)
        return {name: np.asarray([row[name] for row in made]) for name in (made[0] if made else {})}

    return predict


def _number(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("wallaroo_json gave a %s, which JSON does not hold" % type(value).__name__)


LOADERS = {
    "onnx": onnx,
    "sklearn": estimator,
    "xgboost": estimator,
    "keras": keras,
    "tensorflow": tensorflow_model,
    "pytorch": pytorch,
    "hugging-face": hugging_face,
    "wallaroo_json": wallaroo_json,
}
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
