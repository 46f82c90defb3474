"""Make models/house_prices.onnx: a linear model of the logarithm of a house's price.

python -m pip install onnx
python make_model.py
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model

FILE = Path(__file__).parent / "models" / "house_prices.onnx"
WEIGHTS = np.array([[-0.03], [0.06], [0.36], [0.05]], dtype=np.float32)
BIAS = np.array([13.05], dtype=np.float32)


def main() -> None:
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["tensor", "weights", "bias"], ["price"])],
        "house_prices",
        [helper.make_tensor_value_info("tensor", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("price", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(WEIGHTS, "weights"), numpy_helper.from_array(BIAS, "bias")],
    )
    # The versions that Wallaroo runs: ONNX 1.12.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="house-prices")
    model.ir_version = 8
    checker.check_model(model)
    FILE.parent.mkdir(exist_ok=True)
    save_model(model, FILE)


if __name__ == "__main__":
    main()
