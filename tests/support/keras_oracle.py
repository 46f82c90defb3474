"""Run by the peer `keras`: saves models of many layers, and says what shape and dtype Keras gives their outputs.

`python keras_oracle.py FOLDER` leaves an `.h5` and a `.keras` of each in FOLDER, and prints the outputs as JSON. Those
whose name begins with `unknown` hold what cannot be followed.
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
    yield "dense", [Input((10,)), of.Dense(4, "relu"), of.Dropout(0.1), of.Dense(3, "softmax")]
    yield "double", [Input((10,)), of.Dense(3, dtype="float64")]
    yield (
        "pictures",
        [
            Input((28, 28, 1)),
            of.Conv2D(8, 3, strides=2, padding="same"),
            of.BatchNormalization(),
            of.MaxPooling2D(),
            of.Conv2D(4, (3, 2), dilation_rate=2),
            of.Flatten(),
            of.Dense(5),
        ],
    )
    yield "maps", [Input((28, 30, 1)), of.Conv2D(8, 3), of.AveragePooling2D((2, 3)), of.ReLU()]
    yield "padded", [Input((9, 9, 1)), of.MaxPooling2D(2, padding="same"), of.GlobalAveragePooling2D()]
    yield "volumes", [Input((8, 8, 8, 2)), of.Conv3D(4, 3), of.MaxPooling3D(), of.GlobalMaxPooling3D()]
    yield "series", [Input((None, 3)), of.Conv1D(8, 3, padding="causal"), of.GlobalMaxPooling1D(), of.Dense(2)]
    yield "steps", [Input((None, 3)), of.Conv1D(8, 3), of.Dense(2)]
    yield (
        "words",
        [
            Input((12,)),
            of.Embedding(100, 8),
            of.Bidirectional(of.LSTM(6, return_sequences=True)),
            of.GRU(5),
            of.Dense(1, "sigmoid"),
        ],
    )
    yield "both ways", [Input((12, 3)), of.Bidirectional(of.GRU(6))]
    yield "causal", [Input((20, 3)), of.Conv1D(8, 3, padding="causal", dilation_rate=2), of.Conv1D(4, 5, strides=3)]
    yield "sums", [Input((12, 3)), of.Bidirectional(of.LSTM(6), merge_mode="sum")]
    yield "sequences", [Input((7, 3)), of.SimpleRNN(4, return_sequences=True), of.Dense(2)]
    yield "shaped", [Input((12,)), of.Reshape((3, -1)), of.LayerNormalization(), of.LeakyReLU()]
    yield "repeated", [Input((12,)), of.RepeatVector(4), of.Flatten()]
    yield "open", [Input((None, 3)), of.Flatten()]
    yield "unknown-transposed", [Input((8, 8, 1)), of.Conv2DTranspose(4, 3)]
    yield "unknown-kept-places", [Input((8, 8, 1)), of.GlobalAveragePooling2D(keepdims=True)]
    yield "unknown-states", [Input((8, 2)), of.TimeDistributed(of.Dense(3))]


def functional():
    a, b, c, d = Input((4,), name="a"), Input((2, 3), name="b"), Input((5, 4), name="c"), Input((6, 4), name="d")
    joined = of.Concatenate()([a, of.Flatten()(b)])
    yield "two", keras.Model([a, b], [of.Dense(1, name="x")(joined), of.Dense(2, name="y")(joined)])
    yield "residual", keras.Model(a, of.Activation("softmax")(of.Add()([of.Dense(4)(a), a])))
    yield "rows", keras.Model([c, d], of.Concatenate(axis=1)([c, d]))
    yield "middle", keras.Model(c, of.Concatenate(axis=-2)([c, c]))
    yield "product", keras.Model(c, of.Multiply()([c, c]))
    twice = of.Dense(4)
    yield "unknown-shared", keras.Model(a, of.Add()([twice(a), twice(twice(a))]))
    yield "unknown-attention", keras.Model(c, of.MultiHeadAttention(2, 2)(c, c))
    inner = keras.Sequential([Input((4,)), of.Dense(3)])
    yield "unknown-nested", keras.Model(a, of.Dense(2)(inner(a)))


def main(folder):
    told = {}
    for name, model in [*((name, keras.Sequential(layers)) for name, layers in sequential()), *functional()]:
        for suffix in ("h5", "keras"):
            model.save(f"{folder}/{name}.{suffix}")
        told[name] = [[str(each.dtype), list(each.shape[1:])] for each in model.outputs]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main(sys.argv[1])
