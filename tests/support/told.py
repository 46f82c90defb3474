"""What a user is told, and texts of it that are kept in files.

`HATCH_WALLAROO_WRITE_TEXTS=1 pytest tests/unit/test_config_texts.py tests/build/test_broken_models.py` writes the
texts anew; read each of them as a user would before committing it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_wallaroo.bundle.pack import Bundle
from hatch_wallaroo.plugin.session import Session

WRITE = os.environ.get("HATCH_WALLAROO_WRITE_TEXTS") == "1"


def same_text(text: str, file: Path) -> None:
    """Compare with the text in a file, or write it there."""
    if WRITE:
        file.write_bytes(text.encode())
    assert text == file.read_bytes().decode()


@dataclass
class Terminal:
    """Keeps what a build says, in place of Hatchling's application; aborting leaves as that does."""

    infos: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    aborted: str = ""

    def display_info(self, message: str = "") -> None:
        self.infos.append(message)

    def display_warning(self, message: str = "") -> None:
        self.findings.append(message)

    def display_error(self, message: str = "") -> None:
        self.findings.append(message)

    def abort(self, message: str = "") -> None:
        self.aborted = message
        raise SystemExit(1)


@dataclass(frozen=True)
class Told:
    """A build as a user sees it: the findings' text, the summary lines, and what was made (empty where it failed)."""

    text: str
    summaries: tuple[str, ...]
    bundles: tuple[Bundle, ...]
    aborted: str


def build(root: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Build a project as the hook and the target do, in this process, without colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    bundles: tuple[Bundle, ...] = ()
    session = Session(str(root), ProjectMetadata(str(root), PluginManager()), terminal)
    try:
        bundles = session.build(str(output))
    except SystemExit:
        assert terminal.aborted
    return Told("\n".join(terminal.findings), tuple(terminal.infos), bundles, terminal.aborted)
