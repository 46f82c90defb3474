"""docs/reference/publishing.md: options, variables and exit codes of publishing, made from their tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from hatch_wallaroo.exit_codes import EXIT_CODES
from hatch_wallaroo.platform.options import OPTIONS, PublishOption
from hatch_wallaroo.platform.publish_settings import PROJECT_TABLE, USER_TABLE, Settings
from hatch_wallaroo.platform.sending import MEANINGS

_HEAD = f"""\
# Publishing: options, variables, exit codes

This page is made from the code: `python docs/make_reference.py`. How to use it all stands in
[how to publish](../how-to/publish.md).

Each option can be given as `-o NAME=VALUE` on the command line of `hatch publish -p wallaroo`, in its environment
variable if it has one, as a key of `[{PROJECT_TABLE}]` in pyproject.toml, and as a key of `[{USER_TABLE}]` in Hatch's
config.toml; the first of these that has it counts. `-o target=NAME` puts the tables `[{PROJECT_TABLE}.targets.NAME]`
and `[{USER_TABLE}.targets.NAME]` before those that hold them. An option that does not exist is an error.
"""


def markdown() -> str:
    """The page."""
    parts = [_HEAD, "## Options", "", "| option | meaning | default | variable |", "|---|---|---|---|"]
    parts += [_row(each) for each in OPTIONS]
    parts += [
        "",
        "Options marked \N{BLACK DIAMOND} are secrets: in pyproject.toml they are refused, and they are never shown.",
        "Those marked \N{WHITE DIAMOND} lead to secrets, and are refused there too.",
    ]
    parts += ["", "## Exit codes", "", "| code | name | meaning |", "|---|---|---|"]
    parts += [f"| {each.code} | {each.name} | {each.meaning} |" for each in EXIT_CODES]
    parts += [
        "",
        "With several models it is the code of the first that failed.",
        "",
        "## Statuses of a model version",
        "",
    ]
    parts += ["| status | meaning |", "|---|---|", *_statuses()]
    return "\n".join(parts) + "\n"


def _row(option: PublishOption) -> str:
    secret = " \N{BLACK DIAMOND}" if option.secret else " \N{WHITE DIAMOND}" if option.personal else ""
    variable = f"`{option.variable}`" if option.variable else ""
    return f"| `{option.name}`{secret} | {option.help} | {_default(option)} | {variable} |"


def _default(option: PublishOption) -> str:
    default = next(each.default for each in fields(Settings) if each.name == option.field)
    if isinstance(default, bool):
        return "off"
    if isinstance(default, (int, float)):
        return f"`{default:g}`"
    return f"`{default}`" if isinstance(default, str) else ""


def _statuses() -> Iterator[str]:
    yield from (f"| `{status}` | {meaning} |" for status, meaning in MEANINGS.items())
    yield "| `ready` | the model runs, and can be deployed |"
    yield "| `error` | the model could not be converted or loaded; the platform's summary says why |"
