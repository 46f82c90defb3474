from typing import Any, Dict, Set

import numpy as np
import features
from mac.config.inference import CustomInferenceConfig
from mac.inference import Inference
from mac.inference.creation import InferenceBuilder


class Centers:
    def __init__(self, centers: np.ndarray) -> None:
        self.centers = centers


class ClusterInference(Inference):
    def expected_model_types(self) -> Set[Any]:
        return {Centers}

    def _predict(self, data):
        distances = ((data["inputs"][:, None] - self.model.centers) ** 2).sum(axis=2)
        return {"cluster": distances.argmin(axis=1)}


class ClusterInferenceBuilder(InferenceBuilder):
    @property
    def inference(self) -> ClusterInference:
        return ClusterInference()

    def create(self, config: CustomInferenceConfig) -> ClusterInference:
        inference = self.inference
        inference.model = Centers(np.load(config.model_path / "artifacts" / "models" / "centers.npy"))
        return inference
