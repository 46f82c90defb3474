"""The step before the model: four columns become one tensor, scaled as in training."""

import numpy as np
from mac.types import InferenceData

MEANS = np.array([3.4, 2.1, 2080.0, 43.0])
SPREADS = np.array([0.9, 0.8, 918.0, 29.0])
COLUMNS = ("bedrooms", "bathrooms", "sqft", "age")


def process_data(input_data: InferenceData) -> InferenceData:
    columns = [np.asarray(input_data[name], dtype=np.float64) for name in COLUMNS]
    rows = np.stack(columns, axis=1)
    return {"tensor": ((rows - MEANS) / SPREADS).astype(np.float32)}
