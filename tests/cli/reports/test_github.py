"""GitHub's annotations, read back as the runner reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hatch_wallaroo.cli.reports.github import workflow_commands
from hatch_wallaroo.findings import Level
from hatch_wallaroo.report import MOST
from support.broken_models import FOLDER, make_case
from support.findings import finding, reported
from support.mending import checked

MODELS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "pyproject.toml").is_file())


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner takes it apart: properties end at `::`, commas part them."""
    found = re.match(r"::([a-z]+) ((?:[^:]|:(?!:))*)::(.*)\Z", line, re.DOTALL)
    assert found, line
    command, properties, message = found.groups()
    pairs = dict(each.split("=", 1) for each in properties.split(","))
    return command, {name: _unescaped(each, inside=True) for name, each in pairs.items()}, _unescaped(message)


def _unescaped(text: str, *, inside: bool = False) -> str:
    codes = [("%0D", "\r"), ("%0A", "\n"), *([("%3A", ":"), ("%2C", ",")] if inside else []), ("%25", "%")]
    for code, character in codes:
        text = text.replace(code, character)
    return text


def commands(root: Path, *findings, **environ: str):
    *lines, last = workflow_commands(reported(root, *findings), environ).split("\n")
    assert last.startswith("checked ")
    return [read(line) for line in lines]


def test_an_annotation(tmp_path):
    found = finding("unknown key", fix="did you mean model?", file="pyproject.toml", line=4, column=7)
    assert commands(tmp_path, found) == [
        (
            "error",
            {"file": "pyproject.toml", "line": "4", "col": "7", "title": "WLR011 unknown key"},
            "unknown key\nfix: did you mean model?",
        )
    ]


@pytest.mark.parametrize(
    ("level", "command"), [(Level.ERROR, "error"), (Level.WARNING, "warning"), (Level.NOTE, "notice")]
)
def test_levels(level, command, tmp_path):
    assert commands(tmp_path, finding(level=level))[0][0] == command


@pytest.mark.parametrize(
    "text",
    ["50%", "%25", "%0A", "a::b", "a, b: c", "::error::x", "%3A%2C", "\N{GRINNING FACE} größe", "a=b,c=d"],
)
def test_any_text_comes_back(text, tmp_path):
    ((_, properties, message),) = commands(tmp_path, finding(text, fix=text, file=f"{text}.py", line=1))
    assert message == f"{text}\nfix: {text}"
    assert properties["file"] == f"{text}.py"
    raw = workflow_commands(reported(tmp_path, finding(text, fix=text)), {})
    assert raw.count("\n") == 1


def test_nothing_else_becomes_a_command(tmp_path):
    hostile = finding("x\r\n::set-output name=a::b\x1b[0m", fix="y\n::stop-commands::t", file="a\n::error::.py")
    text = workflow_commands(reported(tmp_path, hostile), {})
    assert [line for line in text.split("\n") if line.startswith("::")] == [text.split("\n")[0]]
    assert "\x1b" not in text
    assert "\r" not in text


def test_a_project_in_a_folder_of_the_repository(tmp_path):
    root = tmp_path / "models" / "fraud"
    root.mkdir(parents=True)
    here = finding(file="a.py", line=1)
    assert commands(root, here, GITHUB_WORKSPACE=str(tmp_path))[0][1]["file"] == "models/fraud/a.py"
    assert commands(root, here)[0][1]["file"] == "a.py"
    (tmp_path / ".git").write_text("gitdir: x")
    assert commands(root, here)[0][1]["file"] == "models/fraud/a.py"
    (tmp_path / "link").symlink_to("models")
    assert commands(tmp_path / "link" / "fraud", here)[0][1]["file"] == "models/fraud/a.py"


def test_a_member_is_at_its_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"x")
    assert commands(tmp_path, finding(file="a.zip!m/b"))[0][1]["file"] == "a.zip"


def test_without_a_place_it_is_about_the_project(tmp_path):
    assert commands(tmp_path, finding())[0][1] == {
        "file": "pyproject.toml",
        "line": "1",
        "title": "WLR011 unknown key",
    }


def test_the_heaviest_come_first_and_many_of_a_kind_are_counted(tmp_path):
    notes = [finding(str(number), level=Level.NOTE, line=number, file="a") for number in range(1, MOST + 4)]
    text = workflow_commands(reported(tmp_path, *notes, finding("last", code="WLR013", file="z")), {})
    lines = text.split("\n")
    assert lines[0].startswith("::error ")
    assert sum(line.startswith("::notice ") for line in lines) == MOST
    assert "WLR011: 3 more are not shown" in lines


@pytest.mark.parametrize("name", MODELS)
def test_every_broken_model(name, tmp_path):
    found = checked(make_case(name, tmp_path))
    *lines, _ = workflow_commands(found, {}).split("\n")
    read_back = [read(line) for line in lines if line.startswith("::")]
    assert len(read_back) == len(found.findings)
    assert {properties["title"].split()[0] for _, properties, _ in read_back} == {each.code for each in found.findings}
    assert all(int(properties["line"]) >= 1 for _, properties, _ in read_back)
