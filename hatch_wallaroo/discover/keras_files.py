"""The configuration of a Keras model, out of an .h5."""

from __future__ import annotations

from hatch_wallaroo.files.sources import Source
from hatch_wallaroo.formats.hdf5 import Hdf5Error, read_root_attributes


def hdf5_config(source: Source) -> str | None:
    """The attribute `model_config`; None where there is none. Raises OSError."""
    with source.open() as stream:
        try:
            return read_root_attributes(stream, source.size).values.get("model_config")
        except Hdf5Error:
            return None
