"""`framework = "mlflow"`: the build context of a container that serves an MLflow model."""
