"""Make models/energy_demand: a SavedModel of a small network, and sample.json with its answers.

    python -m pip install tensorflow-cpu==2.9.3 "numpy<2" "protobuf<3.20"      # on Python 3.8 to 3.10
    python make_model.py

Trained here, in seconds, on made-up days; made with TensorFlow 2.9.3 on Python 3.10.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
FOLDER = HERE / "models" / "energy_demand"


def hours(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Temperature °C, hour of the day and whether it is a working day; demand in kW."""
    chosen = np.random.default_rng(3)
    temperature = chosen.uniform(-10, 35, number)
    hour = chosen.integers(0, 24, number)
    working = chosen.integers(0, 2, number)
    busy = working * np.exp(-(((hour - 13) / 5) ** 2))
    demand = 20 + 1.4 * np.abs(temperature - 19) + 45 * busy + chosen.normal(0, 1, number)
    return np.stack([temperature, hour, working], 1).astype(np.float32), demand.astype(np.float32)


class Demand(tf.Module):
    """Two layers; scaling is inside, so that a request holds plain numbers."""

    def __init__(self, x: np.ndarray) -> None:
        start = tf.random_normal_initializer(stddev=0.5, seed=3)
        self.mean, self.spread = tf.constant(x.mean(0)), tf.constant(x.std(0))
        self.first, self.shift = tf.Variable(start((3, 24))), tf.Variable(start((24,)))
        self.last, self.base = tf.Variable(start((24, 1))), tf.Variable([45.0])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="conditions")])
    def forecast(self, conditions: tf.Tensor) -> dict:
        hidden = tf.nn.tanh((conditions - self.mean) / self.spread @ self.first + self.shift)
        return {"demand": 10.0 * hidden @ self.last + self.base}


def train(model: Demand, x: np.ndarray, y: np.ndarray) -> None:
    optimizer = tf.optimizers.Adam(0.02)
    for _ in range(2000):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model.forecast(x)["demand"][:, 0] - y) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # noqa: B905 - Python 3.8 knows no strict
    print(f"off by {float(loss) ** 0.5:.1f} kW")


def main() -> None:
    tf.random.set_seed(3)
    x, y = hours(4000)
    model = Demand(x)
    train(model, x, y)
    shutil.rmtree(FOLDER, ignore_errors=True)
    tf.saved_model.save(model, str(FOLDER), signatures={"serving_default": model.forecast})
    rows = np.array([[-5, 13, 1], [19, 3, 0], [31, 15, 1]], np.float32)
    answers = tf.saved_model.load(str(FOLDER)).signatures["serving_default"](conditions=rows)["demand"].numpy()
    sample = {
        "inputs": [{"conditions": row.tolist()} for row in rows],
        "outputs": [{"demand": [round(float(each), 4) for each in row]} for row in answers],
    }
    (HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
