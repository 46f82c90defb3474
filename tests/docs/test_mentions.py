"""What the documentation mentions is there: pages and places that it links to, commands, options, findings."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from hatch_wallaroo.cli.commands import commands
from hatch_wallaroo.platform.options import OPTIONS
from reference_pages.findings import all_rules
from support.documentation import PAGES, SITE, anchors, fences, inline, name, tokens
from support.fronts import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROGRAM = "hatch-wallaroo"
_ENDS = {"|", "&&", ";", "<", ">", ">>", "#"}
"""What ends a command in a line of a shell."""


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Those into the internet are checked by `hatch run docs:links`, where there is one."""
    assert list(broken_links(path)) == []


def broken_links(path: Path) -> Iterator[str]:
    targets = [str(each.attrs["href"]) for each in inline(path, "link_open")]
    targets += [str(each.attrs["src"]) for each in inline(path, "image")]
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = unquote(target).partition("#")
        there = path.parent / file if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield target


def test_every_page_of_the_site_can_be_found() -> None:
    """What no table of contents has, nobody reads."""
    index = REPOSITORY / "docs" / "index.md"
    blocks = [token.content for token in tokens(index) if token.type == "fence" and token.info == "{toctree}"]
    listed = [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]
    assert sorted(listed) == [
        path.relative_to(index.parent).with_suffix("").as_posix() for path in SITE if path != index
    ]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_commands_and_their_options_exist(path: Path) -> None:
    assert [mistake for line in command_lines(path) for mistake in mistakes(line)] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_findings_exist(path: Path) -> None:
    known = {rule.code for rule in all_rules()}
    assert set(re.findall(r"WLR\d{3}", path.read_text(encoding="utf-8"))) - known == set()


def command_lines(path: Path) -> Iterator[str]:
    """What a page types or mentions of `hatch` and `hatch-wallaroo`."""
    texts = [each.content for each in inline(path, "code_inline")] + fences(path)
    for text in texts:
        for line in text.replace("\\\n", " ").splitlines():
            yield from re.findall(r"(?:^|[\s\"'`(])((?:hatch-wallaroo|hatch publish|hatch -)(?:\s.*)?$)", line)
            if re.match(r"-o [a-z]", line):
                yield f"hatch publish {line}"


def mistakes(line: str) -> Iterator[str]:
    """What is wrong with a command: a name or an option that there is not."""
    words = list(_words(line))
    if words[:2] == ["hatch", "publish"]:
        names = {each.name for each in OPTIONS} | {"target", "key"}
        given = [after for word, after in pairwise(words) if word == "-o"]
        yield from (f"{line}: -o {each}" for each in given if each.partition("=")[0] not in names)
        return
    if words[:1] != [PROGRAM] or re.match(r"\d", words[1] if words[1:] else ""):  # its version, at the head of a line
        return
    command: click.Command = commands
    for number, word in enumerate(words[1:], start=1):
        if word == "--":
            yield from mistakes(" ".join(words[number + 1 :]))
            return
        if word.startswith("-") and word != "-":
            known = {spelled for each in command.params for spelled in (*each.opts, *each.secondary_opts)}
            if word.partition("=")[0] not in known | {"--help", "-h"}:
                yield f"{line}: {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            found = command.get_command(click.Context(command), word)
            if found is None:
                yield f"{line}: {word}"
                return
            command = found


def _words(line: str) -> Iterator[str]:
    """The words of a command up to its end; an open quotation ends it too."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters = True, ""
    try:
        for word in reader:
            if word in _ENDS or word.startswith("#"):
                return
            yield word.rstrip(",.:)`")
    except ValueError:
        return


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("hatch-wallaroo check --strict  # --nonsense", []),
        ("hatch-wallaroo chekc", ["chekc"]),
        ("hatch-wallaroo check --stric", ["--stric"]),
        ("hatch-wallaroo schema read a.py --write", []),
        ("hatch-wallaroo schema raed a.py", ["raed"]),
        ("hatch-wallaroo models list --al | grep x", ["--al"]),
        ("hatch-wallaroo sandbox --state x -- hatch publish -p wallaroo -o workspce=x", ["-o workspce=x"]),
        ("hatch publish -p wallaroo -o workspace=try -o create-workspace", []),
        ("hatch-wallaroo 0.1.0: flowers 1.0", []),
    ],
)
def test_what_is_not_there_is_noticed(line: str, wrong: list[str]) -> None:
    assert [each.rpartition(": ")[2] for each in mistakes(line)] == wrong


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# One & `two`\n\n## Same\n\n## Same\n")
    page = tmp_path / "a.md"
    good = "[x](b.md) [x](b.md#one--two) [x](b.md#same-1) [x](#here) [x](https://example.com/#y)"
    page.write_text(f"# Here\n\n{good} [x](c.md) [x](b.md#three) [x](b.md#same-2) ![x](d.svg)\n")
    assert list(broken_links(page)) == ["c.md", "b.md#three", "b.md#same-2", "d.svg"]


def test_every_extra_is_told_and_no_other() -> None:
    """But for two that nothing takes yet, as pyproject.toml says."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (REPOSITORY / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)
    assert sorted(told) == sorted(set(project["optional-dependencies"]) - {"preflight", "scan"})
