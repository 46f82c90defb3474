"""A model that becomes an MLflow container."""
