"""The configuration of a Keras model, out of the two files that hold one: .h5 and .keras."""

from __future__ import annotations

from hatch_wallaroo.files.sources import FileSource, Source
from hatch_wallaroo.files.zip_reading import open_member, read_directory
from hatch_wallaroo.formats.hdf5 import Hdf5Error, read_root_attributes

_CONFIG = "config.json"
_LARGEST = 16 << 20


def hdf5_config(source: Source) -> str | None:
    """The attribute `model_config`; None where there is none. Raises OSError."""
    with source.open() as stream:
        try:
            return read_root_attributes(stream, source.size).values.get("model_config")
        except Hdf5Error:
            return None


def archived_config(source: Source) -> str | None:
    """The member `config.json` of Keras's own zip; None where there is none. Raises OSError."""
    if not isinstance(source, FileSource):
        return None
    try:
        members = read_directory(source.path)
    except Exception:  # noqa: BLE001 - what zipfile raises for what is no zip has no common base
        return None
    at = next((at for at, each in enumerate(members) if each.filename == _CONFIG), None)
    if at is None or members[at].file_size > _LARGEST:
        return None
    with open_member(source.path, _CONFIG, at, members[at].file_size) as stream:
        return stream.read(_LARGEST).decode("utf-8", "replace")
