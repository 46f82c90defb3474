"""Run by the peer `keras`: saves models, and says what their inputs are called, of which dtype and shape.

`python keras_oracle.py FOLDER` leaves an `.h5` and a `.keras` of each in FOLDER, and prints the inputs as JSON.
"""

import json
import logging
import os
import sys
import warnings

os.environ["KERAS_BACKEND"] = "numpy"

import keras
from keras import Input
from keras import layers as of


def sequential():
    yield "dense", [Input((10,), name="x"), of.Dense(4, "relu"), of.Dropout(0.1), of.Dense(3, "softmax")]
    yield "double", [Input((10,), name="x", dtype="float64"), of.Dense(3, dtype="float64")]
    yield "pictures", [Input((28, 28, 1), name="picture"), of.Conv2D(8, 3, strides=2), of.Flatten(), of.Dense(5)]
    yield (
        "series",
        [Input((None, 3), name="series"), of.Conv1D(8, 3, padding="causal"), of.GlobalMaxPooling1D(), of.Dense(2)],
    )
    yield "words", [Input((12,), name="words", dtype="int32"), of.Embedding(100, 8), of.Bidirectional(of.LSTM(6))]


def functional():
    a, b, c = Input((4,), name="a"), Input((2, 3), name="b"), Input((5, 4), name="c", dtype="int64")
    joined = of.Concatenate()([a, of.Flatten()(b)])
    yield "two", keras.Model([a, b], [of.Dense(1, name="x")(joined), of.Dense(2, name="y")(joined)])
    yield "whole", keras.Model(c, of.Rescaling(0.5)(c))
    inner = keras.Sequential([Input((4,)), of.Dense(3)])
    yield "nested", keras.Model(a, of.Dense(2)(inner(a)))


def main(folder):
    told = {}
    for name, model in [*((name, keras.Sequential(layers)) for name, layers in sequential()), *functional()]:
        for suffix in ("h5", "keras"):
            model.save(f"{folder}/{name}.{suffix}")
        told[name] = [[each.name, str(each.dtype), list(each.shape[1:])] for each in model.inputs]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main(sys.argv[1])
