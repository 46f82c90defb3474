"""Names are right, or refused with one that would do; nothing is made of a name that is not."""

from __future__ import annotations

import keyword
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.scaffold.answers import decide, package_name, project_name
from hatch_wallaroo.scaffold.requested import Requested, ScaffoldError

RIGHT = {
    "my-model": "my-model",
    "My Model": "my-model",
    "my_model.v2": "my-model-v2",
    "a": "a",
    "A--b__c..d": "a-b-c-d",
    "model-2024": "model-2024",
    "match": "match",
    "x" * 63: "x" * 63,
}

REFUSED = {
    "": "my-model",
    " ": "my-model",
    "a'b": "a-b",
    'a"b': "a-b",
    "模型": "",
    "Modèle d'été": "modele-d-ete",
    "model🚀": "model",
    "../x": "x",
    "a/b": "a-b",
    "a\\b": "a-b",
    "a{{b}}": "a-b",
    "{% raw %}": "raw",
    "{{ 7*7 }}": "",
    "-x": "x",
    "x-": "x",
    "x..": "x",
    ".": "",
    "..": "",
    "٣model": "model",
    "model٣": "model",
    "\u212aelvin": "kelvin",  # the sign for kelvin, which is no K
    "clas\u017f": "class",  # a long s
    "x\ny": "x-y",
    "x\x00y": "x-y",
    "x\u202ey": "xy",
    "x" * 64: "",
    "3d": "for example: d",
    "2024": "",
    "con": "con-model",
    "NUL": "nul-model",
    "com1": "com1-model",
    "numpy": "numpy-model",
    "hatch.wallaroo": "hatch-wallaroo-model",
}
"""Names, and what the suggestion has in it; empty where there is none to make."""

NO_PACKAGE = {
    "class": "a word of Python's own",
    "None": "",
    "test": "left out of bundles",
    "json": "a module of Python's own",
    "distutils": "a module of Python's own",
    "parser": "a module of Python's own",
    "mac": "a module of the platform's own",
    "typing-extensions": "a module of the platform's own",
    "tests": "left out of bundles",
    "node-modules": "left out of bundles",
    "htmlcov": "left out of bundles",
}
"""Names that do for a project, and not for its Python package: a word of the reason, empty where they do."""


@pytest.mark.parametrize(("name", "project"), RIGHT.items())
def test_a_name_in_the_projects_form(name: str, project: str) -> None:
    made = decide(name, Requested())
    assert (made.project, made.package) == (project, project.replace("-", "_"))


@pytest.mark.parametrize(("name", "suggested"), REFUSED.items())
def test_a_name_that_is_refused_and_what_would_do(name: str, suggested: str) -> None:
    with pytest.raises(ScaffoldError) as caught:
        decide(name, Requested(framework="onnx"))
    (problem,) = caught.value.problems
    assert problem.fix
    assert suggested in problem.fix
    if problem.fix.startswith("for example: "):
        decide(problem.fix.removeprefix("for example: "), Requested(framework="onnx"))


@pytest.mark.parametrize(("name", "reason"), NO_PACKAGE.items())
def test_a_name_that_no_package_can_have(name: str, reason: str) -> None:
    assert decide(name, Requested(framework="onnx")).package is None
    if not reason:
        assert decide(name, Requested()).package == package_name(project_name(name))
        return
    with pytest.raises(ScaffoldError) as caught:
        decide(name, Requested())
    (problem,) = caught.value.problems
    assert reason in problem.message
    assert decide(problem.fix.removeprefix("for example: "), Requested()).package


@given(st.text(max_size=80) | st.from_regex(r"[ -~]{0,20}", fullmatch=True))
def test_whatever_is_made_is_a_name_everywhere(name: str) -> None:
    try:
        made = decide(name, Requested())
    except ScaffoldError:
        return
    assert is_name(made.project)
    assert made.project.isascii()
    assert made.package
    assert made.package.isidentifier()
    assert not keyword.iskeyword(made.package)
    assert made.package not in sys.stdlib_module_names
