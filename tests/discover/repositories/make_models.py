"""Makes the models of the repositories beside it: `make_models.py sklearn` where scikit-learn 1.3.0 is, then `onnx`."""

import pickle
import sys
from pathlib import Path

HERE = Path(__file__).parent


def sklearn_models() -> None:
    import numpy as np
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(7)
    rows = random.normal(size=(200, 6))
    churn = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, (rows[:, 0] + rows[:, 3] > 0).astype("int64"))
    save(churn, HERE / "poetry" / "models" / "churn.pkl")
    save(churn[0], HERE / "setuptools" / "models" / "scaler.pkl")
    rents = GradientBoostingRegressor(n_estimators=3, max_depth=2).fit(rows[:, :4], rows[:, 0] * 3)
    save(rents, HERE / "bare" / "model.pkl")


def save(model: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(model, protocol=4))


def onnx_models() -> None:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    for path, inputs, outputs in (
        (HERE / "setuptools" / "models" / "pump_failure.onnx", 4, 1),
        (HERE / "declared" / "models" / "price.onnx", 3, 1),
    ):
        weights = np.linspace(-1, 1, inputs * outputs, dtype="float32").reshape(inputs, outputs)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "linear",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, inputs])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, outputs])],
            [numpy_helper.from_array(weights, "w")],
        )
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7), path)


if __name__ == "__main__":
    {"sklearn": sklearn_models, "onnx": onnx_models}[sys.argv[1]]()
