"""The form of a version's page, with the runtime of 2026.1: what is typed is asked, and what comes back is shown."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from support.asked import EVIL, GRADER, grader, number_step
from support.browsing import Visitor
from support.sandboxes import descendants, metadata, running, schemas, zipped

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def sandbox(runtime_cache, tmp_path_factory):
    with running(tmp_path_factory.mktemp("asking"), "2026.1", "--runtime") as made:
        yield made


@pytest.fixture(scope="module")
def version(sandbox) -> int:
    return grader(sandbox)


@pytest.fixture
def visitor(sandbox):
    made = Visitor(sandbox)
    made.sign_in()
    return made


def asked(visitor, version, **typed):
    """The page after its form was filled in, by the labels of its fields."""
    page = visitor.get(f"/versions/{version}")
    keys = {each["for"]: name for each, name in zip(page.names("label"), page.labels, strict=True)}
    fields = {**page.fields, **page.areas, "field4": "false"}
    assert {name.split()[0] for name in keys.values()} == set(GRADER.names)
    for name, value in typed.items():
        (key,) = [key for key, label in keys.items() if label.split()[0] == name]
        fields[key] = value
    return visitor.send(f"/versions/{version}", fields)


def test_the_form_has_the_fields_of_the_schema(visitor, version) -> None:
    page = visitor.get(f"/versions/{version}")
    assert page.labels == ["x float64", "times int64", "name string", "measures float64[3]", "ok bool"]
    assert page.fields["field0"] == "0.0"
    assert page.fields["field1"] == "0"
    assert page.areas == {"field2": "text", "field3": "[0.0, 0.0, 0.0]"}
    assert {each["value"] for each in page.names("option")} == {"false", "true", ""}


def test_an_answer(visitor, version) -> None:
    page = asked(visitor, version, x="2.5", times="4", name="an iris", measures="1, 2, 3", ok="true")
    assert page.status == 200
    assert "out.total 16.0" in page.text
    assert "out.label an iris: good" in page.text
    assert "out.halves [0.5, 1.0, 1.5]" in page.text
    assert re.search(r"Answered in [\d.]+ ms", page.text)
    assert page.fields["field0"] == "2.5"
    assert page.areas == {"field2": "an iris", "field3": "1, 2, 3"}


def test_an_answer_is_text(visitor, version) -> None:
    page = asked(visitor, version, name=EVIL)
    assert f"out.label {EVIL}: bad" in page.text
    assert not page.names("script")
    assert page.areas["field2"] == EVIL


def test_what_cannot_be_sent_is_told_at_its_field(visitor, version) -> None:
    page = asked(visitor, version, x="much", measures="[1", times="7")
    assert page.status == 422
    wrong = [each for tag in ("input", "textarea") for each in page.names(tag) if each.get("aria-invalid")]
    assert [each["name"] for each in wrong] == ["field0", "field3"]
    assert ["autofocus" in each for each in wrong] == [True, False]
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {each["aria-describedby"] for each in wrong} <= ids
    assert "a number is expected" in page.text
    assert page.fields["field1"] == "7"
    assert "out." not in page.text


def test_what_does_not_fit_is_told(visitor, version) -> None:
    page = asked(visitor, version, measures="1, 2")
    assert "'measures' does not fit fixed_size_list" in page.text
    assert "out." not in page.text


def test_what_the_model_says_of_a_row(visitor, version) -> None:
    page = asked(visitor, version, x="-1")
    assert page.status == 200
    assert "x is negative" in page.text
    assert [each for each in page.tags if each[1].get("role") == "alert"]
    assert "out.total" in asked(visitor, version, x="1").text


def test_a_model_that_ends_is_started_again(visitor, version) -> None:
    assert "ended" in asked(visitor, version, x="13").text
    assert "out.total" in asked(visitor, version, x="1").text


def test_one_model_runs_at_a_time(sandbox, visitor, version) -> None:
    assert "out.total" in asked(visitor, version).text
    one = processes(sandbox)
    other = number_step(sandbox, "doubles")
    page = visitor.get(f"/versions/{other}")
    assert "out.x 8.0" in visitor.send(f"/versions/{other}", {**page.fields, "field0": "4"}).text
    after = processes(sandbox)
    assert len(after) <= len(one)
    assert after.isdisjoint(one)


def processes(sandbox) -> set[int]:
    """The processes of models that a sandbox runs."""
    return set(descendants(sandbox.pid))


def test_nothing_is_asked_by_a_form_that_is_not_of_the_page(visitor, version) -> None:
    page = visitor.get(f"/versions/{version}")
    fields = {**page.fields, **page.areas, "field4": "false", "token": "0" * 64}
    assert visitor.send(f"/versions/{version}", fields).status == 403
    visitor.cookies.clear()
    assert visitor.send(f"/versions/{version}", fields, follow=False).headers["Location"] == "/login"


def test_versions_that_cannot_be_asked(sandbox, visitor) -> None:
    described = metadata(sandbox.workspace("flowers"), "custom", "broken", **schemas())
    _, _, made = sandbox.upload(described, zipped({"a.py": "1"}), "b.zip", "upload_and_convert")
    version = made["insert_models"]["returning"][0]["models"][0]["id"]
    while sandbox.version(version)["status"] != "error":
        time.sleep(0.1)
    assert visitor.get(f"/versions/{version}").labels == []
    page = visitor.get("/")
    assert visitor.send(f"/versions/{version}", page.fields).status == 409
    assert visitor.send("/versions/999", page.fields).status == 404


def test_nothing_runs_after_the_end(runtime_cache, tmp_path) -> None:
    with running(tmp_path, "2026.1", "--runtime") as made:
        version = number_step(made, "doubles")
        somebody = Visitor(made)
        somebody.sign_in()
        page = somebody.get(f"/versions/{version}")
        assert "out.x 2.0" in somebody.send(f"/versions/{version}", {**page.fields, "field0": "1"}).text
        left = descendants(made.pid)
        assert left
    assert [each for each in left if Path(f"/proc/{each}/stat").exists()] == []
