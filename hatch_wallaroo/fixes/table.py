"""Fixes of `[tool.wallaroo]` and of the build hook's options: names, keys and values that can mean one thing only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.declared import OPTIONS
from hatch_wallaroo.config.model_name import in_platforms_form, is_name
from hatch_wallaroo.config.release_values import SYNONYMS
from hatch_wallaroo.config.table import options
from hatch_wallaroo.config.text_types import read_path
from hatch_wallaroo.config.value_types import ChoiceValue, FlagValue, ListValue
from hatch_wallaroo.files.paths import normal
from hatch_wallaroo.files.presence import exists
from hatch_wallaroo.findings import PYPROJECT, Finding
from hatch_wallaroo.fixes.model import (
    Append,
    Change,
    Context,
    Drop,
    Fix,
    Key,
    NoByteOrderMark,
    Rename,
    Replace,
    SetTo,
    item,
    model_table,
    one_near,
    option_at,
    plain_key,
)
from hatch_wallaroo.project.hatch_config import HATCH_TOML, value
from hatch_wallaroo.project.hatch_config import OPTIONS as HOOK_OPTIONS
from hatch_wallaroo.releases.load import all_releases, framework_names
from hatch_wallaroo.schema.arrow import is_pandas_index
from hatch_wallaroo.text import key_text, quoted

_SCHEMAS = frozenset({"input-schema", "output-schema"})
_MOST_BYTES = 16 << 20
_PATTERN = frozenset("*?[]!#\\ ")


def model_name(finding: Finding, context: Context) -> Fix | None:
    """A name in the platform's form."""
    key = plain_key(finding)
    written = context.at(key) if key is not None else None
    if key is None or key[-1] != "name" or not isinstance(written, str):
        return None
    name = written.lower() if is_name(written) else in_platforms_form(written)
    return _set(key, name) if is_name(name) and name != written else None


def unknown_key(finding: Finding, context: Context) -> Fix | None:
    """A misspelt key by its right name, if that is not there yet and takes the value."""
    key = plain_key(finding)
    depth = model_table(key) if key is not None else None
    if key is None or depth is None:
        return None
    *before, name = key[depth:] or ("",)
    table = OPTIONS[before[0]].table if len(before) == 1 and before[0] in OPTIONS else None
    if before and table is None:
        return None
    homes = [each for each, option in OPTIONS.items() if option.table and name in options(option.table)]
    if not before and homes:
        return _rename(key, (*key[:-1], homes[0], name), context) if len(homes) == 1 else None
    near = one_near(name, options(table) if table else OPTIONS)
    return _rename(key, (*key[:-1], near), context) if near else None


def _rename(old: Key, new: Key, context: Context) -> Fix | None:
    option = option_at(new)
    if option is None:
        return None
    written = context.at(old)
    fits = (
        isinstance(written, Mapping)
        if option.value_type is None
        else not option.value_type.read(written, new[-1]).issues
    )
    shown = key_text(new[-2:]) if len(new) > len(old) else new[-1]
    return _fix(f"{key_text(old)} becomes {shown}", Rename(old, new)) if fits else None


def wrong_type(finding: Finding, context: Context) -> Fix | None:
    """A list around a single string, `true` without its quotes."""
    key = plain_key(finding)
    option = option_at(key) if key is not None else None
    if key is None or option is None or option.value_type is None:
        return None
    written = context.at(key)
    if not isinstance(written, str) or not written.strip():
        return None
    meant: Any = None
    if isinstance(option.value_type, ListValue):
        meant = [written]
    elif isinstance(option.value_type, FlagValue):
        meant = {"true": True, "false": False}.get(written.lower())
    return None if meant is None or option.value_type.read(meant, key[-1]).issues else _set(key, meant)


def unknown_value(finding: Finding, context: Context) -> Fix | None:
    """A misspelt word by the known one that it can only mean."""
    key = plain_key(finding)
    option = option_at(key) if key is not None else None
    written = context.at(key) if key is not None else None
    if key is None or option is None or not isinstance(written, str):
        return None
    if isinstance(option.value_type, ChoiceValue):
        return _near_value(key, written, option.value_type.values)
    release = context.spec.release if context.spec else None
    if release and key[-1] == "arch":
        return _near_value(key, written, release.architectures)
    if release and key[-1] == "accel":
        return _near_value(key, written, release.accelerators)
    return None


def unknown_framework(finding: Finding, context: Context) -> Fix | None:
    """A framework by Wallaroo's name for it. Those whose models run as `custom` need more than another name."""
    key = plain_key(finding)
    written = context.at(key) if key is not None else None
    if key is None or not isinstance(written, str):
        return None
    meant = SYNONYMS.get(written[:60].lower().replace("_", "-").replace(" ", "-"))
    if meant is None:
        return _near_value(key, written, framework_names(all_releases()))
    return _set(key, meant) if meant != "custom" else None


def _near_value(key: Key, written: str, values: Iterable[str]) -> Fix | None:
    near = one_near(written, values)
    return _set(key, near) if near and near != written else None


def path_form(finding: Finding, context: Context) -> Fix | None:
    """Forward slashes, where they name something that is there."""
    key, listed = plain_key(finding), item(finding)
    written = context.at(key) if key else None
    if listed is not None:
        items = context.at(listed[0])
        written = items[listed[1]] if isinstance(items, list) and listed[1] < len(items) else None
    if not isinstance(written, str) or "\\" not in written:
        return None
    path = read_path(written.replace("\\", "/"))
    if path.issues or not exists(context.repository.root / path.value):
        return None
    if listed is not None:
        return _fix(f"{quoted(written)} becomes {quoted(path.value)}", Replace(listed[0], written, path.value))
    return _set(key, path.value) if key else None


def misfit(finding: Finding, context: Context) -> Fix | None:
    """A `custom` model's files are its artifacts."""
    key = plain_key(finding)
    depth = model_table(key) if key is not None else None
    if key is None or depth is None or key[depth:] != ("model",):
        return None
    written, artifacts = context.at(key), (*key[:-1], "artifacts")
    framework = context.at((*key[:-1], "framework")) or context.at(("tool", "wallaroo", "framework"))
    if framework != "custom" or not isinstance(written, str) or context.at(artifacts) is not None:
        return None
    described = f"model becomes artifacts = [{quoted(written)}]"
    return _fix(described, Rename(key, artifacts), SetTo(artifacts, [written]))


def input_field(finding: Finding, context: Context) -> Fix | None:
    """The one field of an input, as scikit-learn and XGBoost have it."""
    key = plain_key(finding)
    fields = context.at(key[:-1]) if key else None
    if key is None or key[-2] != "input-schema" or not isinstance(fields, Mapping) or list(fields) != [key[-1]]:
        return None
    return _fix(f"{key_text(key)} becomes inputs", Rename(key, (*key[:-1], "inputs")))


def needless_admission(finding: Finding, context: Context) -> Fix | None:
    """A file that needs no admission is no longer admitted."""
    listed = item(finding)
    items = context.at(listed[0]) if listed else None
    if listed is None or not isinstance(items, list) or listed[1] >= len(items):
        return None
    path = items[listed[1]]
    key = listed[0]
    change = Drop(key, path) if len(items) > 1 else Drop(key)
    return _fix(f"{quoted(path)} leaves {key_text(key)}", change)


def hook_option(finding: Finding, context: Context) -> Fix | None:
    """An option of the build hook by its right name, or true and false without quotes."""
    key = tuple(part for part in finding.place.key if isinstance(part, str))
    file = HATCH_TOML if finding.place.file == HATCH_TOML else PYPROJECT
    document = context.repository.hatch.own if file == HATCH_TOML else context.document
    written = value(document, key)
    meant = {"true": True, "false": False}.get(written.lower()) if isinstance(written, str) else written
    near = key[-1] if key[-1] in HOOK_OPTIONS else one_near(key[-1], HOOK_OPTIONS)
    if not isinstance(meant, bool) or near is None:
        return None
    new = (*key[:-1], near)
    if new == key:
        return _fix(f"{key_text(key)} = {str(meant).lower()}", SetTo(key, meant), file=file)
    if value(document, new) is not None or meant is not written:
        return None
    return _fix(f"{key_text(key)} becomes {near}", Rename(key, new), file=file)


def byte_order_mark(finding: Finding, context: Context) -> Fix | None:
    """The file without the mark that Hatchling does not take."""
    del context
    return _fix("the byte order mark goes", NoByteOrderMark()) if finding.about == "byte order mark" else None


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
    from hatch_wallaroo.schema.reading import read
    from hatch_wallaroo.schema.tables import write_schema

    key = plain_key(finding)
    written = context.at(key) if key else None
    if key is None or key[-1] not in _SCHEMAS or not isinstance(written, str):
        return None
    data = _file(written, context)
    stream = BytesIO(written.encode() if data is None else data)
    (found,) = read(stream, PYPROJECT, "base64" if data is None else "arrow")
    if found.schema is None:
        return None
    without = "".join(f"; {each}" for each in found.notes)
    return Fix(f"{key_text(key)} as fields and types{without}", PYPROJECT, (SetTo(key, write_schema(found.schema)),))


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


def _set(key: Key, new: Any) -> Fix:
    shown = quoted(new) if isinstance(new, str) else str(new).lower() if isinstance(new, bool) else None
    if shown is None:
        shown = f"[{', '.join(map(quoted, new))}]"
    return _fix(f"{key_text(key)} = {shown}", SetTo(key, new))


def _fix(description: str, *changes: Change, file: str = PYPROJECT) -> Fix:
    return Fix(description, file, changes)
