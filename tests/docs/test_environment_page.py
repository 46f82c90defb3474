"""docs/reference/environment.md: made from its table, which has every variable that the code reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from reference_pages.environment import SUBJECTS
from support.fronts import REPOSITORY

PACKAGE = REPOSITORY / "hatch_wallaroo"
OURS = {"UV_PYTHON_DOWNLOADS", "TF_CPP_MIN_LOG_LEVEL"}
"""What is set for a program that we start, and read by nobody here."""
_NAME = re.compile(r"[A-Z][A-Z0-9_]+")
_ENVIRONMENTS = {"environ", "environment", "getenv"}


def test_every_variable_is_there_once() -> None:
    names = [each.name for variables in SUBJECTS.values() for each in variables]
    assert len(names) == len(set(names))
    assert all(each.meaning.endswith(".") for variables in SUBJECTS.values() for each in variables)


def test_the_table_has_what_the_code_reads() -> None:
    told = {each.name for variables in SUBJECTS.values() for each in variables}
    found = {name for path in PACKAGE.rglob("*.py") for name in read_in(path.read_text(encoding="utf-8"))}
    assert {"NO_COLOR", "MLFLOW_TRACKING_URI", "HATCH_WALLAROO_RELEASE", "DOCKER_HOST"} <= found
    assert found - told - OURS == set()


def test_the_code_reads_what_the_table_has() -> None:
    """But for what a library reads; its name then stands in the row."""
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    names = {name for text in texts for name in re.findall(r'"([A-Z][A-Z0-9_]+)"', text)}
    assert {each.name for variables in SUBJECTS.values() for each in variables if not each.by} - names == set()


def test_reading_is_seen() -> None:
    source = """
import os
WHERE = "A_NAME"
os.environ["AA"], os.environ.get("BB", ""), environ.get(WHERE), os.getenv("CC"), "DD" in os.environ
environment.get("lower"), config.get("EE"), os.environ.setdefault("FF", "1")
"""
    assert set(read_in(source)) == {"AA", "BB", "A_NAME", "CC", "DD", "FF"}


def read_in(source: str) -> Iterator[str]:
    """The names of variables that a module asks the environment for; a constant's name stands for its text."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        asked: ast.expr | None = None
        if isinstance(node, ast.Subscript) and _is_environment(node.value):
            asked = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            asked = node.args[0] if _is_environment(node.func.value) or node.func.attr == "getenv" else None
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In) and _is_environment(node.comparators[0]):
            asked = node.left
        if isinstance(asked, ast.Name):
            asked = ast.Constant(constants.get(asked.id, ""))
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str) and _NAME.fullmatch(asked.value):
            yield asked.value


def _is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in _ENVIRONMENTS
