"""Bring Your Own Predict: inference code generated around two functions, or checked without running it."""
