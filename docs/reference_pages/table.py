"""docs/reference/table.md: the reference of `[tool.wallaroo]`, made from the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hatch_wallaroo.config.settings import ACCELERATORS, FRAMEWORKS, Setting
from hatch_wallaroo.config.table import ByopTable, ImageTable, ModelTable, Option, field_docs, options, table_doc
from hatch_wallaroo.config.value_types import ChoiceValue

_HEAD = """\
# The table `[tool.wallaroo]`

This page is made from the code: `python docs/make_reference.py`.

A model is described in pyproject.toml:

```toml
[tool.wallaroo]
framework = "sklearn"
model = "models/classifier.pkl"

[tool.wallaroo.input-schema]
inputs = "float64[4]"

[tool.wallaroo.output-schema]
predictions = "int64"
```

Paths are relative to the folder of pyproject.toml, with forward slashes, and stay inside it. A key that is not
listed here is an error, and so is one that the model's framework has no use for.

## Several models

Each table below `[tool.wallaroo.models]` describes a model, and `[tool.wallaroo]` holds what they share. What a model
says itself replaces what is shared, key by key; in `byop` and `image` that holds for each of their keys. A shared key
that does not go with a model's framework is left aside for that model.

```toml
[tool.wallaroo]
release = "2024.1"

[tool.wallaroo.models.house-price]
framework = "onnx"
model = "models/house-price.onnx"

[tool.wallaroo.models.house-price-gpu]
framework = "onnx"
model = "models/house-price.onnx"
accel = "cuda"
```
"""


def markdown() -> str:
    """The page."""
    parts = [_HEAD, "## Keys", "", *_keys(ModelTable, "")]
    for name, table in (("byop", ByopTable), ("image", ImageTable)):
        parts += ["", f"## `{name}`", "", table_doc(table), "", *_keys(table, f"{name}.")]
    parts += ["", "## `framework-config`", ""]
    parts += ["Which of these keys a release takes is part of its data; others are refused, except for `custom`."]
    for name, settings in FRAMEWORKS.items():
        parts += ["", f"### `{name}`", "", *_settings(settings)]
    for name, settings in ACCELERATORS.items():
        parts += ["", f"## `accel = {{ {name} = {{ … }} }}`", "", *_settings(settings)]
    return "\n".join(parts) + "\n"


def _keys(table: type, prefix: str) -> Iterator[str]:
    """A section a key: its type, default and frameworks, then its text."""
    docs = field_docs(table)
    for index, (key, option) in enumerate(options(table).items()):
        if index:
            yield ""
        yield f"### `{prefix}{key}`"
        yield ""
        yield ". ".join(_facts(option)) + "."
        yield ""
        yield docs[option.name]


def _facts(option: Option) -> Iterator[str]:
    if option.table:
        yield "A table, see below"
    elif isinstance(option.value_type, ChoiceValue):
        yield "One of " + ", ".join(f'`"{value}"`' for value in option.value_type.values)
    elif option.value_type:
        words = option.value_type.words
        yield words[:1].upper() + words[1:]
    if option.families:
        yield "For " + ", ".join(f"`{family}`" for family in option.families)
    if option.default:
        yield (
            "Required" + option.default.removeprefix("required")
            if option.default.startswith("required")
            else f"Default: {option.default}"
        )


def _settings(settings: Mapping[str, Setting]) -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, setting in settings.items():
        words = ", ".join(f"`{each}`" for each in setting.choices) or setting.words
        yield f"| `{key}` | {words} | {setting.about} |"
