"""Make models/fruit_sorter.h5: a small Keras classifier, and sample.json with its answers.

    python -m pip install tensorflow-cpu==2.8.0 "numpy<2" "protobuf<3.20"      # on Python 3.8 to 3.10
    python make_model.py

Trained here, in seconds, on made-up fruit; made with TensorFlow 2.8.0, the platform's, on Python 3.10.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
KINDS = {  # length cm, width cm, weight g, colour (0 green to 1 red)
    "apple": ([7.5, 7.8, 180, 0.6], [0.6, 0.6, 25, 0.2]),
    "lemon": ([8.5, 6.0, 120, 0.3], [0.7, 0.4, 15, 0.05]),
    "plum": ([4.5, 4.0, 45, 0.8], [0.5, 0.4, 9, 0.1]),
}


def fruit(number: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.random.default_rng(5)
    rows = [chosen.normal(mean, spread, (number, 4)) for mean, spread in KINDS.values()]
    return np.concatenate(rows).astype(np.float32), np.repeat(np.arange(len(KINDS)), number)


def main() -> None:
    tf.keras.utils.set_random_seed(5)
    x, y = fruit(300)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Input((4,), name="measures"),
            tf.keras.layers.Rescaling([0.1, 0.1, 0.005, 1.0]),
            tf.keras.layers.Dense(12, activation="relu"),
            tf.keras.layers.Dense(len(KINDS), activation="softmax", name="scores"),
        ],
        name="fruit_sorter",
    )
    model.compile(tf.keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=60, batch_size=64, verbose=0)
    print("right for", f"{model.evaluate(x, y, verbose=0)[1]:.1%}")
    path = HERE / "models" / "fruit_sorter.h5"
    model.save(path, include_optimizer=False)
    rows = np.array([mean for mean, _ in KINDS.values()], np.float32)
    answers = tf.keras.models.load_model(path, compile=False).predict(rows)
    sample = {
        "inputs": [{"inputs": [round(float(each), 2) for each in row]} for row in rows],
        "outputs": [{"scores": [round(float(each), 6) for each in row]} for row in answers],
    }
    (HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
