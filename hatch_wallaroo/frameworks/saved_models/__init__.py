"""Keras and TensorFlow: SavedModels, and Keras's files."""
