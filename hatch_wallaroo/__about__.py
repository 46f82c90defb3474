"""The version, read by Hatchling and written into every manifest."""

__version__ = "0.1.0.dev0"
