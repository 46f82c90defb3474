"""Our own prediction for frameworks whose loader no wheel has; it runs inside the platform's Flight service.

A prediction takes one array a column and gives one array a field, as the steps of the platform do. Where the model
tells its outputs and no schema is declared (ONNX), the function bears them as `schema`.
"""

import json
import os
import re
import sys
import warnings

LONGEST_WARNING = 1000
PICTURE = 3
"""Dimensions of a picture: its lines, their points, their colours."""


def load(job, record):
    """The prediction for the job's framework; raises ValueError for one that nothing here can run."""
    framework = job["framework"]
    name = "hugging-face" if framework.startswith("hugging-face-") else framework
    if job["form"] == "wallaroo_json":
        name = "wallaroo_json"
    if name not in LOADERS:
        raise ValueError("nothing here runs the framework " + framework)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        predict = LOADERS[name](job)
    for each in said:
        record("warned", category=each.category.__name__, message=str(each.message)[:LONGEST_WARNING])
        sys.stderr.write("%s: %s\n" % (each.category.__name__, each.message))
    return predict


def outputs(job):
    """The names of the output fields, in order, as a schema or the job tells them; empty where neither does."""
    from serve import job_schema

    schema = job_schema(job, "output_schema")
    return list(schema.names) if schema is not None else job["output_names"]


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
    by_guide = "output" if job["framework"] == "xgboost" else "predictions"

    def predict(data):
        given = data["inputs"] if "inputs" in data else np.column_stack(list(data.values()))
        return {names[0] if names else by_guide: np.asarray(model.predict(given))}

    return predict


def by_number(names):
    """Names in order: `input_2` before `input_10`."""
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])


def named(made, names):
    """What a model gives as one array a field: by the names that it gives itself, else in the order of the schema."""
    if isinstance(made, dict):
        if set(made) == set(names) or len(made) != len(names):
            return made
        made = list(made.values())
    many = made if isinstance(made, (list, tuple)) else [made]
    numbered = ["output"] if len(many) == 1 else ["output_%d" % at for at in range(1, len(many) + 1)]
    return dict(zip(names or numbered, many))


def keras(job):
    """By name where the columns bear the input layers' names, else in the order of their own; so the outputs."""
    import tensorflow

    model = tensorflow.keras.models.load_model(job["model"])
    if not hasattr(model, "predict"):
        return tensorflow_model(job)
    names = outputs(job)
    own = list(getattr(model, "output_names", None) or [])
    layers = list(getattr(model, "input_names", None) or [])

    def predict(data):
        if len(data) > 1 and set(layers) == set(data):
            given = [data[name] for name in layers]
        else:
            given = [data[name] for name in by_number(data)]
        made = model.predict(given if len(given) > 1 else given[0], verbose=0)
        if isinstance(made, (list, tuple)) and set(own) == set(names):
            made = dict(zip(own, made))
        return named(made, names)

    return predict


def tensorflow_model(job):
    """A SavedModel by its serving signature: inputs by name, else in its order; outputs by their own names."""
    import numpy as np
    import pyarrow as pa
    import tensorflow

    loaded = tensorflow.saved_model.load(job["model"])
    signatures = loaded.signatures
    signature = signatures["serving_default"] if "serving_default" in signatures else signatures[min(signatures)]
    wanted = signature.structured_input_signature[1]
    names = outputs(job)

    def predict(data):
        given = data if set(wanted) <= set(data) else dict(zip(wanted, data.values()))
        feeds = {name: tensorflow.constant(np.asarray(given[name]), dtype=spec.dtype) for name, spec in wanted.items()}
        made = {name: value.numpy() for name, value in signature(**feeds).items()}
        return named(made, names) if names else made

    def field(name, spec):
        made = pa.string() if spec.dtype == tensorflow.string else pa.from_numpy_dtype(spec.dtype.as_numpy_dtype)
        for size in reversed((spec.shape.as_list() if spec.shape.rank is not None else [None])[1:]):
            made = pa.list_(made, size) if size is not None else pa.list_(made)
        return pa.field(name, made)

    given = signature.structured_outputs
    if all(spec.shape.rank is not None for spec in given.values()):
        predict.schema = pa.schema([field(name, spec) for name, spec in given.items()])
    predict.keep = loaded
    return predict


def pytorch(job):
    """TorchScript: float32 tensors, one a column in the order of their numbers; the outputs in the schema's order."""
    import numpy as np
    import torch

    model = torch.jit.load(job["model"], map_location="cpu").eval()
    names = outputs(job)

    def predict(data):
        with torch.inference_mode():
            made = model(*[torch.from_numpy(np.asarray(data[name], dtype=np.float32)) for name in by_number(data)])
        return {name: each.numpy() for name, each in named(made, names).items()}

    return predict


def hugging_face(job):
    """A pipeline of the task, row by row: `inputs` is its argument, the other columns are its parameters.

    A row's answer is a column a key; where the pipeline gives several, each column holds a list.
    """
    task = job["framework"][len("hugging-face-") :]
    names = outputs(job)
    if task == "stable-diffusion-text-2-img":
        ask = painter(job["model"])
    else:
        from transformers import pipeline

        pipe = pipeline(task, model=job["model"], device=-1)

        def ask(row):
            first = next((name for name in ("inputs", "images") if name in row), None)
            return pipe(row.pop(first), **row) if first else pipe(**row)

    def predict(data):
        made = []
        for at in range(len(next(iter(data.values())))):
            row = {name: pythonic(task, name, value[at]) for name, value in data.items()}
            given = ask({name: value for name, value in row.items() if value is not None})
            made.append(answered(task, given, names))
        return {key: stacked([each[key] for each in made]) for key in made[0]} if made else {}

    return predict


def painter(folder):
    """The picture that a diffusion pipeline makes of a row."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(folder, low_cpu_mem_usage=False)
    pipe.set_progress_bar_config(disable=True)
    return lambda row: {"images": pipe(**row).images[0]}


def pythonic(task, name, value):
    """A cell as the pipeline takes it: a picture, a sound, or what it is."""
    import numpy as np

    if name in ("inputs", "images") and np.ndim(value) == PICTURE:
        from PIL import Image

        return Image.fromarray(np.asarray(value).astype(np.uint8))
    if name == "inputs" and task == "automatic-speech-recognition":
        return np.asarray(value, dtype=np.float32)
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if hasattr(value, "item") else value


def answered(task, said, names):
    """A row's answer by column."""
    if task == "feature-extraction":
        return {names[0] if names else "output": plain(said[0])}
    if task in ("summarization", "translation") and isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, dict):
        return {key: plain(value) for key, value in said.items()}
    keys = list(said[0]) if said else names
    return {key: [plain(each[key]) for each in said] for key in keys}


def plain(value):
    """A pipeline's value as lists, numbers and texts: of a picture its points, of a box its four sides."""
    import numpy as np

    if isinstance(value, dict):
        sides = ("xmin", "ymin", "xmax", "ymax")
        return [value[key] for key in sides] if set(sides) == set(value) else {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "getbands"):
        return np.asarray(value).astype(np.int64).tolist()
    return value.tolist() if hasattr(value, "tolist") else value


def stacked(values):
    """Rows as one array; those of different lengths as they are."""
    import numpy as np

    try:
        made = np.asarray(values)
    except ValueError:
        return values
    return values if made.dtype == object else made


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
