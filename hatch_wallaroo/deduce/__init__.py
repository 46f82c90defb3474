"""Schemas that are told by something else: a model's header, rows of a sample, MLflow's signature, a task."""
