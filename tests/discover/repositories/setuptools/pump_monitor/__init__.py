"""Watches pumps."""

__version__ = "0.9.2"
