"""New repositories for tests: made in this process, by the generator that every door calls."""

from __future__ import annotations

from pathlib import Path

from hatch_wallaroo.releases.load import known, resolve
from hatch_wallaroo.scaffold.answers import Answers, decide
from hatch_wallaroo.scaffold.repository import ScaffoldFile, repository, starter
from hatch_wallaroo.scaffold.requested import Requested
from hatch_wallaroo.scaffold.write import write

EVERY = [(release, name) for release in known() for name in resolve(release).frameworks]
"""Each framework of each release."""


def frameworks(release: str) -> list[str]:
    return [name for each, name in EVERY if each == release]


def answers(framework: str, release: str, name: str = "my-model", **more: str) -> Answers:
    return decide(name, Requested(framework=framework, release=release, **more))


def files(framework: str, release: str, name: str = "my-model", **more: str) -> tuple[ScaffoldFile, ...]:
    made = answers(framework, release, name, **more)
    return repository(made, starter(made))


def scaffold(folder: Path, framework: str, release: str, name: str = "my-model", **more: str) -> Path:
    """Write a repository; gives its folder."""
    write(files(framework, release, name, **more), folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, but for what running Python leaves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
