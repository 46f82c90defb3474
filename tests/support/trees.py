"""Folders with models in them, made of the fixtures and small files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate
from hatch_wallaroo.discover.search import Discovery, discover
from support.fronts import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures"
EXAMPLES = REPOSITORY / "example-projects"


def context(root: Path, release: str = "2026.1") -> AdoptionContext:
    return AdoptionContext(root, Project("a-project", "1.0"), release)


def grow(root: Path, files: Mapping[str, Path | bytes | str]) -> Path:
    """Files by their path: copied from another one, or a folder, or with this content."""
    for label, content in files.items():
        path = root / label
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path) and content.is_dir():
            shutil.copytree(content, path)
        elif isinstance(content, Path):
            shutil.copy(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def found(root: Path, release: str = "2026.1") -> Discovery:
    return discover(context(root, release))


def by_path(root: Path, release: str = "2026.1") -> dict[str, Candidate]:
    return {each.path: each for each in found(root, release).candidates}
