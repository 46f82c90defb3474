"""Bundles run by the real runtime of each release: what passes, and whose code it was."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support.fronts import REPOSITORY

pytestmark = [pytest.mark.peer, pytest.mark.slow]

EXAMPLES = REPOSITORY / "example-projects"
SKLEARN = {"3.8": "1.2.2", "3.10": "1.3.0"}


def copied(name: str, folder: Path, release: str | None = None) -> Path:
    """An example, for another release where one is named."""
    shutil.copytree(EXAMPLES / name, folder / name)
    path = folder / name / "pyproject.toml"
    text = path.read_text()
    if release is not None:
        text = re.sub(r'release = "[^"]*"', f'release = "{release}"', text)
        if release >= "2024.4":
            text = text.replace("scikit-learn==1.2.2", "scikit-learn==1.3.0")
        path.write_text(text)
    return folder / name


@pytest.mark.parametrize("release", ["2023.2.1", "2023.4", "2024.1", "2024.4", "2025.1", "2025.2", "2026.1"])
def test_one_byop_on_every_release(tmp_path, ran, release):
    verdict = ran(copied("byop-generated", tmp_path, release))
    # scikit-learn's own: it takes no batch without rows. 2023.4 does not ask a model for none.
    assert (verdict.word, {each.code for each in verdict.findings} - {"WLR731"}) == ("passed", set())
    assert [row["cluster"] for row in verdict.answered] == [0, 1, 2]
    assert [row["distance"] for row in verdict.answered] == pytest.approx([0.16325746, 0.33232412, 0.73022320])
    parts = {each.name: each.by for each in verdict.parts}
    assert parts["loader"] == "platform"
    assert parts["service"] == ("emulation" if release == "2023.2.1" else "platform")
    assert ("validator" in parts) is (release >= "2025.2")
    assert verdict.subject.wheel.startswith(release)
    assert verdict.times.load > 0 < verdict.times.row
    assert verdict.times.peak > 50 << 20


@pytest.mark.parametrize("name", ["byop-own-classes", "python-step", "sklearn"])
def test_examples_pass(tmp_path, ran, name):
    verdict = ran(copied(name, tmp_path))
    said = [each.message for each in verdict.findings if each.code != "WLR731"]
    assert (verdict.word, said) == ("passed", [])
    assert len(verdict.answered) == len(verdict.asked) > 0
