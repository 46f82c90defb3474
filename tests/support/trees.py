"""Folders with models in them, made of the fixtures and small files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from hatch_wallaroo.adopt.candidates import Candidate, Ground
from hatch_wallaroo.adopt.discover import Discovery, discover
from hatch_wallaroo.config.spec import Project
from support.fronts import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures"
EXAMPLES = REPOSITORY / "example-projects"


def ground(root: Path, release: str = "2026.1") -> Ground:
    return Ground(root, Project("a-project", "1.0"), release)


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
    return discover(ground(root, release))


def by_path(root: Path, release: str = "2026.1") -> dict[str, Candidate]:
    return {each.path: each for each in found(root, release).candidates}
