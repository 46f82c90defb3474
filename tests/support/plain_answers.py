"""Runs inside an environment of a preflight: what a library gives when it is called directly, as its own guide says.

    python tests/support/plain_answers.py KIND MODEL ROWS

ROWS is a JSON file, a list of values each: one a row. Prints the answers as JSON, the same way.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3")
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402


def onnx(model, rows):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return session.run(None, {given.name: np.asarray(rows, dtype=np.float32)})[0]


def pickled(model, rows):
    import pickle

    return pickle.loads(Path(model).read_bytes()).predict(np.asarray(rows))


def keras(model, rows):
    import tensorflow as tf

    return tf.keras.models.load_model(model)(tf.constant(rows, dtype=tf.float32)).numpy()


def tensorflow(model, rows):
    import tensorflow as tf

    signature = tf.saved_model.load(model).signatures["serving_default"]
    ((name, spec),) = signature.structured_input_signature[1].items()
    (made,) = signature(**{name: tf.constant(rows, dtype=spec.dtype)}).values()
    return made.numpy()


def pytorch(model, rows):
    import torch

    with torch.inference_mode():
        return torch.jit.load(model)(torch.tensor(rows, dtype=torch.float32)).numpy()


if __name__ == "__main__":
    kind, path, file = sys.argv[1:]
    asked = json.loads(Path(file).read_text())
    print(json.dumps(globals()[kind](path, asked).tolist()))
