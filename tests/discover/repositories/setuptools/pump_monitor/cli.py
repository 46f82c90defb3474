"""The command."""

import sys

import numpy as np


def main():
    import onnxruntime

    session = onnxruntime.InferenceSession("models/pump_failure.onnx")
    readings = np.array([[float(each) for each in sys.argv[1:5]]], dtype="float32")
    print(session.run(None, {"x": readings})[0])
