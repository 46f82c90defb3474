"""Fixes of what goes into a bundle: leftovers in a zip, files that are to stay out, a schema from pandas."""

from __future__ import annotations

from pathlib import Path

from hatch_wallaroo.files.paths import normal
from hatch_wallaroo.findings import PYPROJECT, Finding
from hatch_wallaroo.fixes.context import Context, plain_key
from hatch_wallaroo.fixes.model import Append, Drop, Fix, SetTo, WithoutMembers
from hatch_wallaroo.schema.arrow import is_pandas_index
from hatch_wallaroo.text import key_text, quoted

_SCHEMAS = frozenset({"input-schema", "output-schema"})
_MOST_BYTES = 16 << 20
_PATTERN = frozenset("*?[]!#\\ ")


def own_zip(finding: Finding, context: Context) -> Fix | None:
    """The zip without what desktops, notebooks and Python left in it."""
    from hatch_wallaroo.bundle.zip_leftovers import leftovers
    from hatch_wallaroo.files.zip_reading import member_names

    if not finding.about or context.spec is None:
        return None
    found = leftovers(member_names(context.spec.path(finding.about)))
    if not found:
        return None
    tops = tuple(sorted(set(found.values())))
    described = f"{len(found):,} leftovers go" if len(found) > 1 else "a leftover goes"
    return Fix(described, finding.about, (WithoutMembers(frozenset(found), tops),))


def excluded(finding: Finding, context: Context) -> Fix | None:
    """A setup.py that would end the platform's process stays out of the bundle."""
    spec, file = context.spec, normal(finding.place.file)
    if spec is None or file.rpartition("/")[2] != "setup.py" or _PATTERN & set(file):
        return None
    named = [*spec.artifacts, spec.model, spec.byop.module if spec.byop else None]
    if file in {normal(each) for each in named if each} or file in spec.exclude:
        return None
    key = tuple(map(str, spec.origins.get("exclude", (*spec.key, "exclude"))))
    return Fix(f"{key_text(key)} gets {quoted(file)}", PYPROJECT, (Append(key, file),))


def encoded_schema(finding: Finding, context: Context) -> Fix | None:
    """A schema as the SDK encodes it, or as a file of Arrow, in the notation of the table: without pandas' own."""
    from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode_bytes, decode_text
    from hatch_wallaroo.schema.tables import write_schema
    from hatch_wallaroo.schema.types import Schema

    key = plain_key(finding)
    written = context.at(key) if key else None
    if key is None or key[-1] not in _SCHEMAS or not isinstance(written, str):
        return None
    data = _file(written, context)
    try:
        decoded = decode_text(written) if data is None else decode_bytes(data)
        fields = tuple(each for each in decoded.schema.fields if not is_pandas_index(each.name))
        table = write_schema(Schema(fields))
    except (SchemaDecodeError, ValueError):
        return None
    if not table:
        return None
    left = [*decoded.metadata, *(each.name for each in decoded.schema.fields if is_pandas_index(each.name))]
    without = f", without {', '.join(left)}" if left else ""
    return Fix(f"{key_text(key)} as fields and types{without}", PYPROJECT, (SetTo(key, table),))


def _file(written: str, context: Context) -> bytes | None:
    """The bytes of a file of the project that a schema's key names."""
    from hatch_wallaroo.config.text_types import read_path

    path = read_path(written)
    if path.issues or len(written) > 255:  # noqa: PLR2004 - what no name of a file exceeds
        return None
    file: Path = context.repository.root / path.value
    try:
        inside = file.resolve().is_relative_to(context.repository.root.resolve())
        if not inside or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return None
        return file.read_bytes()
    except OSError:
        return None


def index_field(finding: Finding, context: Context) -> Fix | None:
    """The schema without the index of a DataFrame."""
    key = plain_key(finding)
    fields = context.at(key[:-1]) if key else None
    if key is None or not isinstance(fields, dict) or all(map(is_pandas_index, fields)):
        return None
    return Fix(f"{key_text(key)} goes", PYPROJECT, (Drop(key),))
