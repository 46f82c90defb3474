"""Makes progression.pkl and sample.json: `python make_model.py`, with Python 3.8, xgboost 1.7.4, scikit-learn 1.2.2.

Those are the versions that Wallaroo 2023.2.1 runs. The same versions make the same model.
"""

import json
import pickle
from pathlib import Path

from sklearn.datasets import load_diabetes
from xgboost import XGBRegressor

HERE = Path(__file__).parent

measurements, progression = load_diabetes(return_X_y=True)
model = XGBRegressor(n_estimators=20, max_depth=3, learning_rate=0.3, n_jobs=1, random_state=0)
model.fit(measurements, progression)

# Not model.save_model("progression.json"): Wallaroo takes pickles of XGBoost models, no other format.
with (HERE / "progression.pkl").open("wb") as file:
    pickle.dump(model, file, protocol=4)

rows = measurements[[0, 100, 400]]
sample = {
    "inputs": [{"inputs": row.tolist()} for row in rows],
    "outputs": [{"output": round(float(each), 3)} for each in model.predict(rows)],
}
(HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n")
