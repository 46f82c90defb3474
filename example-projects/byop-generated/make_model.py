"""Makes models/kmeans.pkl and sample.json, with Python 3.8 and scikit-learn 1.2.2, as the platform runs them:

uv run --python 3.8 --with scikit-learn==1.2.2 --with numpy==1.22.3 make_model.py
"""

import json
import pickle
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

HERE = Path(__file__).parent
CENTRES = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.1]])
SAMPLE = [[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 4.5, 1.5], [6.3, 3.3, 6.0, 2.5]]

flowers = np.concatenate([np.random.RandomState(7).normal(centre, 0.3, size=(50, 4)) for centre in CENTRES])
model = KMeans(n_clusters=3, init=CENTRES, n_init=1, random_state=7).fit(flowers)

(HERE / "models").mkdir(exist_ok=True)
with (HERE / "models" / "kmeans.pkl").open("wb") as file:
    pickle.dump(model, file, protocol=4)

distances = model.transform(SAMPLE)
sample = {
    "inputs": [{"inputs": row} for row in SAMPLE],
    "outputs": [
        {"cluster": int(cluster), "distance": float(distance)}
        for cluster, distance in zip(distances.argmin(axis=1), distances.min(axis=1))
    ],
}
(HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n")
