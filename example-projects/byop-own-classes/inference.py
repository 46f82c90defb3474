"""Guesses how many bikes are rented in an hour: Wallaroo's classes, written by hand."""

import sys
from pathlib import Path
from typing import Any, Dict, Set

import numpy as np
from mac.config.inference import CustomInferenceConfig
from mac.inference import Inference
from mac.inference.creation import InferenceBuilder

# The platform executes this file alone. Packages lie in artifacts/ beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent / "artifacts"))

from bike_features import columns


class Regression:
    """A linear model: five weights."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights


class BikeInference(Inference):
    @property
    def expected_model_types(self) -> Set[Any]:
        return {Regression}

    @Inference.model.setter
    def model(self, model: Regression) -> None:
        self._raise_error_if_model_is_wrong_type(model)
        self._model = model

    def _predict(self, input_data: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        features = columns(input_data["hour"], np.stack(input_data["weather"]))
        return {"bikes": np.maximum(features @ self.model.weights, 0.0)}


class BikeInferenceBuilder(InferenceBuilder):
    @property
    def inference(self) -> BikeInference:
        return BikeInference()

    def create(self, config: CustomInferenceConfig) -> BikeInference:
        with np.load(config.model_path / "artifacts" / "weights.npz") as arrays:
            weights = arrays["weights"]
        inference = self.inference
        inference.model = Regression(weights)
        return inference
