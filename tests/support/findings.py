"""Results made by hand, for tests of how findings are reported."""

from __future__ import annotations

from pathlib import Path

from hatch_wallaroo.config.reader import Reading
from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Finding, Level, Place, declared_rules
from hatch_wallaroo.project.checking import Report, Result, result
from hatch_wallaroo.project.repository import Repository


def finding(message="m", *, code="WLR011", fix="", level=Level.ERROR, **place) -> Finding:
    """A finding of a rule that exists, at a place."""
    rule = next(each for each in declared_rules() if each.code == code)
    return Finding(rule, message, fix, Place(**place), level)


def reported(root: Path, *findings: Finding) -> Result:
    """A result that holds these findings."""
    repository = Repository(root, {}, Project("prices", "1.0"), Reading((), ()), findings)
    return result(repository, Report((), findings))
