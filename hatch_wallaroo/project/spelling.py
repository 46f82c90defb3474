"""Requirements in Hatchling's spelling."""

from __future__ import annotations


def spelt(line: str) -> str:
    """A requirement as Hatchling writes it into the metadata. Raises packaging's InvalidRequirement."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    requirement = Requirement(line)
    requirement.name = canonicalize_name(requirement.name)
    if requirement.specifier:
        clauses = sorted(map(str, requirement.specifier))
        requirement.specifier = type(requirement.specifier)(",".join(clauses))
    requirement.extras = {str(canonicalize_name(extra)) for extra in requirement.extras}
    # TOML is written with double quotes: so the text can be put between them.
    return str(requirement).replace('"', "'")
