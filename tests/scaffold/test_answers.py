"""What was asked for is judged at once; what was not has a default that is said. Names are right, or refused.

Nothing is made of a name that is not right: another one that would do is told.
"""

from __future__ import annotations

import keyword
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.releases.load import known
from hatch_wallaroo.scaffold.answers import decide, identify, package_name, project_name
from hatch_wallaroo.scaffold.requested import Requested, ScaffoldError


def refused(name: str, wishes: Requested) -> list[str]:
    with pytest.raises(ScaffoldError) as caught:
        decide(name, wishes)
    assert caught.value.misused
    return [f"{problem.message} | {problem.fix}" for problem in caught.value.problems]


def test_the_defaults_are_byop_and_the_newest_release() -> None:
    made = decide("my-model", Requested())
    assert (made.framework.name, made.release.asked, made.assumed) == ("custom", known()[-1], ("framework", "release"))
    assert decide("my-model", Requested(framework="onnx", release="2024.1")).assumed == ()


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        (Requested(framework="skleran"), "did you mean sklearn?"),
        (Requested(framework="byop"), "did you mean custom?"),
        (Requested(framework="torch"), "did you mean pytorch?"),
        (Requested(framework="vllm", release="2023.2.1"), "release 2023.2.1 has no framework"),
        (Requested(release="2025"), "did you mean 2025.1?"),
        (Requested(release="yesterday"), "known are 2023.2.1"),
        (Requested(description="two\nlines"), "the description has a line break"),
        (Requested(author="a\x1b[31m"), "the author has a line break or another control character"),
        (Requested(email="nobody"), '"nobody" is no email address'),
        (Requested(email='a"@b>'), "is no email address"),
        (Requested(license="my own"), "is no SPDX license expression"),
    ],
)
def test_one_mistake(wishes: Requested, told: str) -> None:
    (said,) = refused("my-model", wishes)
    assert told in said


def test_all_mistakes_at_once() -> None:
    said = refused("a/b", Requested(framework="skleran", release="1999", email="x", license="y"))
    assert len(said) == 5
    assert [word for word in ('"a/b"', "skleran", "1999", '"x"', '"y"') if not any(word in line for line in said)] == []


def test_a_release_without_data_of_its_own_keeps_its_name() -> None:
    assert decide("my-model", Requested(release="2024.3")).release.asked == "2024.3"


def test_a_project_that_is_there_needs_no_framework() -> None:
    assert identify("class", Requested(framework="nonsense")).project == "class"
    with pytest.raises(ScaffoldError):
        identify("a/b", Requested())


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
