"""The step after the model: the logarithm that it predicts becomes dollars, and the range that it may be off."""

import numpy as np
from mac.types import InferenceData

OFF_BY = 0.18


def process_data(input_data: InferenceData) -> InferenceData:
    logarithm = np.asarray(input_data["price"], dtype=np.float64).reshape(-1)
    edges = np.stack([logarithm - OFF_BY, logarithm + OFF_BY], axis=1)
    return {"dollars": np.rint(np.exp(logarithm)).astype(np.int64), "range": np.rint(np.exp(edges)).astype(np.int64)}
