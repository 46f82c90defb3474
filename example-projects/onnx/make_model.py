"""Make models/pump_failure.onnx: a logistic regression, and sample.json with its answers.

    python -m pip install numpy onnx
    python make_model.py

Trained here with NumPy on made-up readings, and written with onnx.helper; made with numpy 2.4 and onnx 1.23.
The file is in IR version 8 and opset 17, the newest that the platform runs.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
MEANS = np.array([3.0, 65.0, 4.5, 2000.0])  # vibration mm/s, temperature °C, pressure bar, hours since service
SPREADS = np.array([1.0, 10.0, 0.5, 900.0])
EFFECTS = np.array([1.6, 1.1, -0.7, 0.9])


def readings(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings of pumps, and whether each failed within the week after."""
    chosen = np.random.default_rng(7)
    scaled = chosen.normal(size=(number, 4))
    failed = scaled @ EFFECTS - 1.5 + chosen.logistic(size=number) > 0
    return MEANS + SPREADS * scaled, failed.astype(float)


def train(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias for unscaled readings, by Newton's method."""
    scaled = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(len(x))])
    weights = np.zeros(5)
    for _ in range(20):
        likely = 1 / (1 + np.exp(-scaled @ weights))
        gradient = scaled.T @ (likely - y) / len(x) + 1e-4 * weights
        curvature = (scaled * (likely * (1 - likely))[:, None]).T @ scaled / len(x) + 1e-4 * np.eye(5)
        weights -= np.linalg.solve(curvature, gradient)
    slopes = weights[:4] / x.std(0)
    return slopes, float(weights[4] - slopes @ x.mean(0))


def write(slopes: np.ndarray, bias: float, path: Path) -> onnx.ModelProto:
    """readings [rows, 4] → failure [rows, 1]: the first dimension of both is free, for the rows of a request."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["readings", "slopes"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["failure"]),
        ],
        "pump-failure",
        [helper.make_tensor_value_info("readings", TensorProto.FLOAT, ["rows", 4])],
        [helper.make_tensor_value_info("failure", TensorProto.FLOAT, ["rows", 1])],
        [
            # Rounded, so that the file is the same whatever the machine's arithmetic.
            numpy_helper.from_array(np.round(slopes, 4).astype(np.float32).reshape(4, 1), "slopes"),
            numpy_helper.from_array(np.round([bias], 4).astype(np.float32), "bias"),
        ],
    )
    model = helper.make_model(
        graph, producer_name="make_model.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return model


def main() -> None:
    from onnx.reference import ReferenceEvaluator

    x, y = readings(2000)
    model = write(*train(x, y), HERE / "models" / "pump_failure.onnx")
    rows = np.round(x[:4], 2).astype(np.float32)
    (answers,) = ReferenceEvaluator(model).run(None, {"readings": rows})
    sample = {
        "inputs": [{"readings": [round(float(each), 2) for each in row]} for row in rows],
        "outputs": [{"failure": [round(float(each), 6) for each in row]} for row in answers],
    }
    (HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
