import pickle
from pathlib import Path

from sklearn.cluster import KMeans


def load(folder: Path) -> KMeans:
    with (folder / "models" / "kmeans.pkl").open("rb") as file:
        return pickle.load(file)


def predict(model, inputs):
    return {"cluster": model.predict(inputs["inputs"])}
