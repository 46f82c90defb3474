"""Loading the clusters, and finding the nearest for each flower."""

import pickle
from pathlib import Path
from typing import Dict

import numpy as np
from sklearn.cluster import KMeans


def load(folder: Path) -> KMeans:
    """Load the fitted model; `folder` holds the files that `artifacts` names, under the paths they have here."""
    with (folder / "models" / "kmeans.pkl").open("rb") as file:
        return pickle.load(file)


def predict(model: KMeans, inputs: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """For each row of `inputs` (four lengths in centimetres), the nearest cluster and how far its centre is."""
    distances = model.transform(inputs["inputs"])
    return {"cluster": distances.argmin(axis=1), "distance": distances.min(axis=1)}
