"""Our verdict of each case beside the platform's: the same cases refused, for the same reason, and no others."""

from __future__ import annotations

import pytest

from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop.loader import load
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.frameworks.import_findings import reached_findings
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python.source_files import Sources, read_sources
from hatch_wallaroo.releases.load import resolve
from support import byop_calls, byop_cases, byop_verdicts
from support.byop_reasons import codes

CASES = {**byop_cases.CASES, **byop_calls.CASES}
VERDICTS = {**byop_verdicts.VERDICTS, **byop_calls.VERDICTS}
NEW, OLD = resolve("2026.1"), resolve("2023.2.1")


def sources(files: dict[str, str]) -> Sources:
    return read_sources([Entry(path, TextSource(text), path) for path, text in files.items()], "")


def agree(verdict: str, findings: list[Finding]) -> None:
    said = [(each.code, each.level.value, each.message) for each in findings]
    if verdict == "pass":
        assert not [each for each in findings if each.is_error], said
    else:
        assert codes(verdict) & {each.code for each in findings}, (verdict, said)


def test_every_case_has_a_verdict():
    assert set(CASES) == set(VERDICTS)
    assert len(CASES) > 200


@pytest.mark.parametrize("name", CASES)
def test_validator(name):
    run, findings = validate(sources(CASES[name]), environment_of(NEW, []), NEW.byop, CASES[name].keys())
    agree(VERDICTS[name][0], [*findings, *reached_findings(run)])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("release", "column"), [(NEW, 1), (OLD, 2)], ids=["2026.1", "2023.2.1"])
def test_loader(name, release, column):
    run, findings = load(sources(CASES[name]), environment_of(release, []), release.byop, CASES[name].keys())
    agree(VERDICTS[name][column], [*findings, *reached_findings(run)])


ALLOWED = {
    "sibling imported lazily",
    "tests that do not import",
    "undefined in a function",
    "name from globals",
}


@pytest.mark.parametrize("name", [name for name, verdicts in VERDICTS.items() if set(verdicts) == {"pass"}])
def test_code_that_passes_everywhere_is_not_even_warned_of(name):
    found = sources(CASES[name])
    for release in (NEW, OLD):
        environment = environment_of(release, [])
        for run, findings in (
            load(found, environment, release.byop, CASES[name].keys()),
            validate(found, environment, release.byop, CASES[name].keys()),
        ):
            said = [each.message for each in (*findings, *reached_findings(run))]
            assert not said or name in ALLOWED


@pytest.mark.parametrize("name", ["_custom_config", "custom_config", "_other"])
def test_what_mac_keeps_in_a_builder_can_be_read(name):
    builder = byop_cases.BUILDER.replace(
        "        inference = self", f"        print(self.{name})\n        inference = self"
    )
    code = byop_cases.GOOD.replace(byop_cases.BUILDER, builder)
    _, findings = load(sources({"main.py": code}), environment_of(NEW, []), NEW.byop, {"main.py"})
    assert [each.code for each in findings] == (["WLR542"] if name == "_other" else [])


def test_places_are_lines_of_the_file():
    _, findings = validate(sources(CASES["input bare dict"]), environment_of(NEW, []), NEW.byop)
    (only,) = findings
    text = CASES["input bare dict"]["main.py"].splitlines()
    assert only.place.file == "main.py"
    assert "input_data: dict" in text[only.place.line - 1]
    assert text[only.place.line - 1][only.place.column - 1 :].startswith("dict)")
