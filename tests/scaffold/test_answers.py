"""What was asked for is judged at once; what was not has a default that is said."""

from __future__ import annotations

import pytest

from hatch_wallaroo.releases.load import known
from hatch_wallaroo.scaffold.answers import decide, identify
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
