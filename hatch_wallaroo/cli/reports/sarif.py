"""For code scanners: SARIF 2.1.0, as OASIS has it and GitHub takes it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.manifest import GENERATOR
from hatch_wallaroo.cli.reports.github import artifact, prefix
from hatch_wallaroo.findings import PYPROJECT, Finding, Place, Rule, declared_rules
from hatch_wallaroo.project.checking import Result
from hatch_wallaroo.report import in_order, shown_fix
from hatch_wallaroo.text import key_text, one_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "SRCROOT"
FINGERPRINT = "hatchWallarooFinding/v1"

_ARTICLES = frozenset({"a", "an", "the"})


def log(result: Result, environ: Mapping[str, str]) -> dict[str, Any]:
    """The report as a SARIF log, ready for JSON. Paths are relative to the repository's root."""
    root, before = result.repository.root, prefix(result.repository.root, environ)
    findings = in_order(result.findings, heaviest_first=True)
    used = {each.code for each in findings}
    rules = [each for each in declared_rules() if each.code in used]
    index = {each.code: position for position, each in enumerate(rules)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": _driver(rules)},
        # Projects of one repository are told apart by this; without it one's report takes the place of another's.
        "automationDetails": {"id": f"{GENERATOR}/{before}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(each, index[each.code], root, before, seen) for each in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver(rules: list[Rule]) -> dict[str, Any]:
    documentation = _documentation()
    home = {"informationUri": documentation} if documentation else {}
    return {
        "name": GENERATOR,
        "version": __version__,
        **home,
        "rules": [_rule(each, documentation) for each in rules],
    }


def _rule(rule: Rule, documentation: str) -> dict[str, Any]:
    words = [each for each in re.findall(r"[A-Za-z0-9]+", rule.title.replace("'", "")) if each not in _ARTICLES]
    page = f"{documentation.rstrip('/')}/reference/findings.html#{_anchor(rule)}"
    return {
        "id": rule.code,
        "name": "".join(word[0].upper() + word[1:] for word in words),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\nSource: {rule.source}",
            "markdown": f"{rule.why}\n\nSource: {rule.source}",
        },
        **({"helpUri": page} if documentation else {}),
        "defaultConfiguration": {"level": rule.level.value},
    }


def _result(finding: Finding, rule: int, root: Path, before: str, seen: Counter[str]) -> dict[str, Any]:
    fix = shown_fix(finding)
    message = one_line(finding.message)
    file, member = artifact(root, finding.place.file or PYPROJECT)
    identity = "\0".join((finding.code, before + finding.place.file, key_text(finding.place.key), _still(message)))
    seen[identity] += 1
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.level.value,
        "message": {"text": f"{message}\nfix: {fix}" if fix else message},
        "locations": [_location(finding.place, before + file, member)],
        "partialFingerprints": {FINGERPRINT: _digest(f"{identity}\0{seen[identity]}")},
    }


def _location(place: Place, file: str, member: str) -> dict[str, Any]:
    # GitHub shows nothing that has no line.
    region = {"startLine": place.line or 1, **({"startColumn": place.column} if place.column else {})}
    physical = {"artifactLocation": {"uri": _uri(file), "uriBaseId": BASE}, "region": region}
    logical = []
    if place.key:
        logical.append({"fullyQualifiedName": one_line(key_text(place.key)), "kind": "property"})
    if member:
        logical.append({"fullyQualifiedName": one_line(member), "kind": "resource"})
    return {"physicalLocation": physical, **({"logicalLocations": logical} if logical else {})}


def _uri(file: str) -> str:
    """A relative path as a URI reference; names are bytes, and need not be UTF-8."""
    return quote(file, errors="surrogateescape")


def _still(message: str) -> str:
    """A message without its numbers: lines and sizes come and go, and it is the same finding."""
    return re.sub(r"\d+", "#", message)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _anchor(rule: Rule) -> str:
    """The anchor of a rule's heading in the reference, as Markdown's readers make them."""
    heading = f"{rule.code}: {rule.title}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _documentation() -> str:
    """Where the documentation is, if this package's own metadata say it."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata(GENERATOR).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    labelled = dict(str(each).split(", ", 1) for each in urls if ", " in str(each))
    return labelled.get("Documentation", "")
