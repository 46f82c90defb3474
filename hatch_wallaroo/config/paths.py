"""Paths as the table writes them: relative to the project's folder, forward slashes, never out of it.

Only the writing is judged here; whether a file exists is found out when bundles are planned.
"""

from __future__ import annotations

import re

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.issues import Issue, Read
from hatch_wallaroo.config.wording import quoted

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 4096


def read_path(text: str) -> Read:
    """A path without `.` parts and doubled slashes; refused where it is absolute or leads upwards."""
    for judge in (_refuse_address, _refuse_absolute, _refuse_backslash, _refuse_upwards, _refuse_long):
        issue = judge(text)
        if issue:
            return Read(None, (issue,))
    return Read("/".join(part for part in text.split("/") if part not in {"", "."}) or ".")


def _refuse_address(text: str) -> Issue | None:
    if not _URL.match(text):
        return None
    fix = "download it into the project's folder, and write its path there"
    return Issue(rules.OUTSIDE, f"{quoted(text)} is an address, not a file of the project", fix)


def _refuse_absolute(text: str) -> Issue | None:
    if text.startswith("~"):
        message = f"{quoted(text)} starts with ~, which stands for a folder outside the project"
    elif text.startswith(("/", "\\")) or _DRIVE.match(text):
        message = f"{quoted(text)} is an absolute path, which exists on one machine only"
    else:
        return None
    last = text.replace("\\", "/").rstrip("/").rpartition("/")[2] or "models"
    fix = f"put the file into the project, and write its path from there, for example {quoted(f'models/{last}')}"
    return Issue(rules.OUTSIDE, message, fix)


def _refuse_backslash(text: str) -> Issue | None:
    if "\\" not in text:
        return None
    fix = f"write forward slashes: {quoted(text.replace(chr(92), '/'))}"
    return Issue(rules.PATH_FORM, f"{quoted(text)} has backslashes in it", fix)


def _refuse_upwards(text: str) -> Issue | None:
    if ".." not in text.split("/"):
        return None
    fix = "move the file into the project, and write its path without .."
    return Issue(rules.OUTSIDE, f"{quoted(text)} leads upwards with ..", fix)


def _refuse_long(text: str) -> Issue | None:
    if len(text) <= _LONGEST:
        return None
    return Issue(rules.PATH_FORM, f"is {len(text):,} characters long; no system has such paths", "write a shorter one")
