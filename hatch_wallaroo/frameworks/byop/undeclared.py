"""Packages that inference code imports and nobody declares."""

from __future__ import annotations

from collections.abc import Iterable

from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.python import distributions
from hatch_wallaroo.python.import_failures import ImportUse
from hatch_wallaroo.python.platform_environment import PlatformEnvironment

UNDECLARED = rule(
    "WLR550",
    "a package is imported that the requirements do not name",
    why="The platform installs what requirements.txt names into a fresh environment, and nothing else.",
    source="Upload guide, Arbitrary Python File Requirements: requirements.txt; failures seen at conversion",
    level=Level.WARNING,
)


def undeclared(uses: Iterable[ImportUse], environment: PlatformEnvironment) -> list[Finding]:
    """One finding a package, at the first import of it; imports that the code can do without are left out."""
    found: dict[str, Finding] = {}
    for use in uses:
        root = use.module.partition(".")[0]
        if use.optional or root in found or not root or environment.provides(use.module):
            continue
        name = distributions.distribution(use.module)
        as_name = f" (the package {name})" if name.lower() != root.lower() else ""
        found[root] = UNDECLARED.finding(
            f"{use.file.label} imports {root}{as_name}, which the requirements do not name",
            fix=f'add "{name}" to project.dependencies, or to `requirements`',
            place=use.file.place(use.node),
            about=use.module,
        )
    return list(found.values())
