"""Trains the model."""

import pickle
import sys
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = ["months", "calls", "downtime", "price", "neighbours", "speed"]


def load(path):
    return pd.read_parquet(path)


def predict(model, frame):
    return model.predict_proba(frame[COLUMNS])[:, 1]


def main():
    customers = load(sys.argv[1])
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(customers[COLUMNS].to_numpy(), customers["left"].to_numpy())
    Path("models/churn.pkl").write_bytes(pickle.dumps(model, protocol=4))
