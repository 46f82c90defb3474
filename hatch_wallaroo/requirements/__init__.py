"""The packages that a model needs on the platform: requirements.txt for its Python, not the laptop's."""
