"""Names of models in the platform's form."""

from __future__ import annotations

import re

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.rules import Issue
from hatch_wallaroo.text import quoted

LONGEST = 63
PATTERN = "^[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?$"
_NAME = re.compile(PATTERN.removesuffix("$") + r"\Z", re.ASCII)
_SEPARATORS = re.compile(r"[\s_./-]+")


def in_platforms_form(name: str) -> str:
    """A name as the platform would take it, as far as that goes: lower case, hyphens between words."""
    return _SEPARATORS.sub("-", name.lower()).strip("-")


def is_name(name: str) -> bool:
    return len(name) <= LONGEST and _NAME.match(name) is not None


def judge_name(name: str) -> Issue | None:
    """What is wrong with a name that the user wrote."""
    if not is_name(name):
        close = in_platforms_form(name)
        fix = f"name = {quoted(close)}" if is_name(close) else _advice(name)
        return Issue(rules.NAME, f"{quoted(name)} {_reason(name)}", fix)
    if name != name.lower():
        return Issue(rules.NAME_CASE, f"{quoted(name)} has capitals in it", f"name = {quoted(name.lower())}")
    return None


def judge_default(source: str) -> Issue | None:
    """What is wrong with the name made from a project's or a table's, `source`."""
    name = in_platforms_form(source)
    if is_name(name):
        return None
    message = f"no name for the platform can be made from {quoted(source)}: it {_reason(name)}"
    return Issue(rules.NAME, message, 'give the model a name of its own, for example: name = "my-model"')


def _advice(name: str) -> str:
    return "write a shorter one" if len(name) > LONGEST else "write letters, digits and hyphens, a letter first"


def _reason(name: str) -> str:
    if len(name) > LONGEST:
        return f"is {len(name):,} characters long; the platform takes {LONGEST} at most"
    odd = sorted({character for character in name if not re.match(r"[A-Za-z0-9-]", character)})
    if odd:
        return f"has {', '.join(map(quoted, odd[:5]))} in it; the platform takes letters, digits and hyphens"
    if name.endswith("-"):
        return "ends with a hyphen"
    return "does not start with a letter"
