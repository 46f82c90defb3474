"""Makes models/weights.npz and sample.json:

uv run --python 3.8 --with numpy==1.22.3 make_model.py
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "src"))

from bike_rentals.model import features, predict  # noqa: E402

random = np.random.RandomState(7)
known = {
    "temperature": random.uniform(-5, 32, 2000),
    "windspeed": random.uniform(0, 50, 2000),
    "hour": random.randint(0, 24, 2000),
    "workday": random.rand(2000) < 5 / 7,
}
truth = np.array([120.0, 6.5, -1.4, -40.0, -55.0, 180.0])
rented = features(**known) @ truth + random.normal(0, 8, 2000)
weights = np.linalg.lstsq(features(**known), rented, rcond=None)[0].round(6)

(HERE / "models").mkdir(exist_ok=True)
np.savez(HERE / "models" / "weights.npz", weights=weights)

rows = [
    {"temperature": 21.5, "windspeed": 8.0, "hour": 8, "workday": True},
    {"temperature": 12.0, "windspeed": 22.5, "hour": 15, "workday": False},
    {"temperature": -3.0, "windspeed": 40.0, "hour": 2, "workday": True},
]
answers = predict(weights, {name: np.array([row[name] for row in rows]) for name in rows[0]})
sample = {"inputs": rows, "outputs": [{"rentals": round(float(each), 6)} for each in answers["rentals"]]}
(HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n")
