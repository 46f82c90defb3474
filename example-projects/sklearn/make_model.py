"""Makes wine.pkl and sample.json: `python make_model.py`, with Python 3.8 and scikit-learn 1.2.2.

Those are the versions that Wallaroo 2023.2.1 runs. The same versions make the same model.
"""

import json
import pickle
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent

measurements, cultivars = load_wine(return_X_y=True)
model = Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())])
model.fit(measurements, cultivars)

# Protocol 4 loads in every Python that Wallaroo runs. Not joblib.dump: the platform loads with pickle.load.
with (HERE / "wine.pkl").open("wb") as file:
    pickle.dump(model, file, protocol=4)

rows = measurements[[0, 70, 150]]
sample = {
    "inputs": [{"inputs": row.tolist()} for row in rows],
    "outputs": [{"predictions": int(each)} for each in model.predict(rows)],
}
(HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n")
