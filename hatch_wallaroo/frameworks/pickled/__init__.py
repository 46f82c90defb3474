"""scikit-learn and XGBoost: models that the platform loads with `pickle.load`."""
