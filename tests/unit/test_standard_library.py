"""The reader reads what others wrote: modules of the standard library, which import, whatever their code does."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.frameworks.import_findings import explain, reached_findings
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python.import_failures import NAMES
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.source_files import read_sources
from hatch_wallaroo.releases.load import resolve

FOLDER = Path(sysconfig.get_path("stdlib"))
LARGEST = 60_000
EVERY = 3
FILLED_UNSEEN = {"ssl"}
"""Modules whose names the `enum` module writes into them."""


def modules() -> list[Path]:
    """Each third of the modules and of the packages' __init__.py, without the largest."""
    names = sorted(sys.stdlib_module_names - FILLED_UNSEEN)
    places = (place for name in names for place in (FOLDER / f"{name}.py", FOLDER / name / "__init__.py"))
    return [place for place in places if place.is_file() and 0 < place.stat().st_size < LARGEST][::EVERY]


def test_there_are_modules_to_read():
    assert len(modules()) > 30


@pytest.mark.parametrize("path", [pytest.param(each, id=str(each.relative_to(FOLDER))) for each in modules()])
def test_a_module_that_imports_uses_no_name_that_is_missing(path):
    """And nothing in it makes the reader raise."""
    (source,) = (sources := read_sources([Entry(path.name, FileSource(path), path.name)], "")).files.values()
    assert source.tree is not None
    run = ImportRun(sources, environment_of(resolve("2026.1"), None))
    run.execute(source, path.parent.name if path.stem == "__init__" else path.stem)
    run.settle()
    explain(run.failures, run.environment)
    reached_findings(run)
    newer = run.environment.absent_builtins
    missing = [each for each in run.failures if each.kind in NAMES and each.sure and each.detail not in newer]
    assert [(each.detail, each.node.lineno) for each in missing] == []
