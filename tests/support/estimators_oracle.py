"""Run by the peer `estimators`: fits every estimator of scikit-learn and XGBoost that can predict, and says what it gives.

`python estimators_oracle.py FOLDER` leaves pickles in FOLDER, and prints for each its dtype, the shape of one row, and
whether its labels are texts, as JSON.
"""

import json
import os
import pickle
import sys
import warnings
from pathlib import Path

# Threads cost more than they bring with twenty rows.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import xgboost
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

LOGISTIC, RIDGE = LogisticRegression(), Ridge()
NEEDS = {
    **{
        name: {"estimator": LOGISTIC} for name in ("MultiOutputClassifier", "OneVsRestClassifier", "OneVsOneClassifier")
    },
    **{name: {"base_estimator": LOGISTIC} for name in ("ClassifierChain", "SelfTrainingClassifier")},
    **{name: {"estimator": LOGISTIC} for name in ("OutputCodeClassifier", "RFE", "RFECV")},
    "MultiOutputRegressor": {"estimator": RIDGE},
    "RegressorChain": {"base_estimator": RIDGE},
    "TransformedTargetRegressor": {"regressor": RIDGE},
    **{name: {"estimators": [("a", LOGISTIC), ("b", LOGISTIC)]} for name in ("VotingClassifier", "StackingClassifier")},
    **{name: {"estimators": [("a", RIDGE), ("b", RIDGE)]} for name in ("VotingRegressor", "StackingRegressor")},
    "GridSearchCV": {"estimator": LOGISTIC, "param_grid": {"C": [1, 2]}},
    "RandomizedSearchCV": {"estimator": LOGISTIC, "param_distributions": {"C": [1, 2]}, "n_iter": 2},
    "HistGradientBoostingClassifier": {"max_bins": 8},
    "HistGradientBoostingRegressor": {"max_bins": 8},
    "LocalOutlierFactor": {"novelty": True},
    "Pipeline": {"steps": [("scale", StandardScaler()), ("model", LOGISTIC)]},
}
KINDS = {
    "classifier": {"whole", "narrow", "bool", "text", "wholes"},
    "regressor": {"whole", "real", "reals"},
}
"""The targets that tell estimators of a kind apart; clusterings look at none."""
QUICK = {"n_estimators": 3, "max_iter": 9, "cv": 2, "max_subpopulation": 20, "Cs": 2, "n_alphas": 3, "n_init": 1}


def targets(rows):
    whole, real = np.arange(rows) % 3, np.linspace(0.0, 1.0, rows)
    return {
        "whole": whole,
        "narrow": whole.astype("int32"),
        "bool": whole > 0,
        "text": np.array(["a", "b", "c"])[whole],
        "real": real,
        "reals": np.stack([real, real * 2], axis=1),
        "wholes": np.stack([whole, whole[::-1]], axis=1),
    }


def estimators():
    for name, made in all_estimators():
        if not hasattr(made, "predict"):
            continue
        try:
            estimator = made(**NEEDS.get(name, {}))
        except TypeError:
            continue
        known = estimator.get_params(deep=False)
        yield name, estimator.set_params(**{key: value for key, value in QUICK.items() if key in known})
    yield "Nested", make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), Ridge()))
    yield "XGBClassifier", xgboost.XGBClassifier(n_estimators=2)
    yield "XGBRFClassifier", xgboost.XGBRFClassifier(n_estimators=2)
    yield "XGBRegressor", xgboost.XGBRegressor(n_estimators=2)
    yield "XGBRFRegressor", xgboost.XGBRFRegressor(n_estimators=2)


def main(folder):
    features = np.random.RandomState(0).rand(24, 4)
    told = {}
    for name, estimator in estimators():
        for kind, target in targets(len(features)).items():
            if kind not in KINDS.get(getattr(estimator, "_estimator_type", ""), {"whole"}):
                continue
            rows = features[:, 0] if name == "IsotonicRegression" else features
            try:
                model = clone(estimator).fit(rows, target)
                answer = model.predict(rows)
            except Exception:
                continue  # most take some of the targets only
            if isinstance(answer, np.ndarray):
                key = f"{name}-{kind}"
                (folder / f"{key}.pkl").write_bytes(pickle.dumps(model, protocol=4))
                told[key] = [str(answer.dtype), list(answer.shape[1:]), answer.dtype.kind in "UO"]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
