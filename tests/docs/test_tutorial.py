"""The tutorial, word by word: typed into a shell that has nothing but Python, in an empty folder and an empty home."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from platformdirs import user_cache_dir

from support.fronts import REPOSITORY, FrontEnds

pytest.importorskip("pty")

from screens import newcomer
from support.pages import PageError, Shell, Step, alike, changed, commands, steps

PAGES = [REPOSITORY / "docs" / "tutorial" / name for name in ("first-model.md", "your-repository.md")]


@pytest.fixture
def shell(fronts: FrontEnds, tmp_path: Path) -> Shell:
    """A shell whose PATH has `python3` and the system's commands; pip and uv keep what they have downloaded before."""
    for name in ("home", "bin", "empty"):
        (tmp_path / name).mkdir()
    python3 = tmp_path / "bin" / "python3"
    python3.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python3.chmod(python3.stat().st_mode | stat.S_IXUSR)
    environment = newcomer(tmp_path / "home", fronts.wheels) | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}",
        "UV_CACHE_DIR": fronts.environment["UV_CACHE_DIR"],
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or user_cache_dir("pip", appauthor=False),
    }
    return Shell(tmp_path / "empty", environment, tmp_path / "notes.json")


@pytest.mark.slow
def test_the_tutorial_word_by_word(shell: Shell) -> None:
    for page in PAGES:
        for step in steps(page.read_text(encoding="utf-8")):
            try:
                shell.do(step)
            except PageError as error:
                pytest.fail(f"{page.relative_to(REPOSITORY)}: {error}", pytrace=False)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("", "", True),
        ("", "something", False),
        ("a", "", False),
        ("a\nb", "a\nb", True),
        ("a\nb", "a\nb\nc", False),
        ("a\nc", "a\nb\nc", False),
        ("a\n…\nc", "a\nb\nb\nc", True),
        ("a\n…\nc", "a\nc", True),
        ("…\nc", "a\nb", False),
        ("…", "", True),
        ("sent … KB", "sent 1.8 KB", True),
        ("sent … KB", "sent 1.8\nKB", False),
        ("a.c", "abc", False),
        ("  indented", "indented", False),
        ("took 0.5 s", "took 12.34 s", True),
        ("took 5 files", "took 6 files", False),
        ("at http://127.0.0.1:1", "at http://127.0.0.1:65535", True),
        ("at http://127.0.0.1:1/a", "at http://127.0.0.1:65535/b", False),
        ("hatch-wallaroo 0.1.0: x 0.1.0", "hatch-wallaroo 0.2.0.dev3: x 0.1.0", True),
        ("hatch-wallaroo 0.1.0: x 0.1.0", "hatch-wallaroo 0.1.0: x 0.2.0", False),
        ("made 2026-11-25 20:20", "made 2027-01-02 03:04", True),
        ("sha256:1089e6d4ca5b3e9f", "sha256:1089e6d4ca5b3e90", False),
    ],
)
def test_what_is_shown_is_what_is_printed(shown: str, printed: str, same: bool) -> None:
    assert alike(shown, printed) is same


def test_a_console_is_read_line_by_line() -> None:
    (step,) = steps("<!-- ends with: 1 -->\n\n```console\n$ cd a\n$ ask\nsure? [y/N]: y\nno\n```\n")
    first, second = commands(step)
    assert (first.line, first.shown, first.code, first.answers) == ("cd a", "", 0, [])
    assert (second.line, second.code) == ("ask", 1)
    assert [(each.prompt, each.text) for each in second.answers] == [("sure? [y/N]:", "y")]


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nrm -r x\n```\n",
        "<!-- fiel: x -->\n\n```text\nx\n```\n",
        "<!-- file: x -->\n",
        "```console\noutput of nothing\n```\n",
    ],
)
def test_a_block_that_nobody_runs_is_a_mistake(page: str) -> None:
    with pytest.raises(PageError):
        [commands(step) for step in steps(page)]


def test_a_change_must_fit() -> None:
    step = Step(1, "change", "x.toml", "-a = 1\n+a = 2\n+b = 3\n\n-z = 1\n")
    assert changed("a = 1\nz = 1\nc = 1\n", step) == "a = 2\nb = 3\nc = 1\n"
    for text in ("a = 2\nz = 1\n", "a = 1\na = 1\nz = 1\n", "aa = 1\nz = 1\n"):
        with pytest.raises(PageError):
            changed(text, step)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_that_is_not_run_says_why(page: Path) -> None:
    """Nearly everything is run: two blocks of all pages need what a test has not got."""
    found = list(steps(page.read_text(encoding="utf-8")))
    assert len(found) > 5
    assert all(each.argument.startswith("it needs ") for each in found if each.kind == "not run")


@pytest.mark.slow
def test_a_shell_goes_on_where_it_was(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"PATH": os.defpath}, tmp_path.parent / f"{tmp_path.name}.json")
    page = """\
```console
$ mkdir deep
$ cd deep
$ export WORD=kept
$ printf 'a\\rb\\n\\033[31mred\\033[0m %s\\n' "$WORD"
b
red kept
```

<!-- file: sub/letter.txt -->

```text
one
two
```

<!-- part of: sub/letter.txt -->

```text
two
```

<!-- ends with: 3 -->

```console
$ read -p 'sure? [y/N]: ' answer; cat "sub/$answer.txt"; exit 3
sure? [y/N]: letter
one
two
```
"""
    for step in steps(page):
        shell.do(step)
    assert (tmp_path / "deep" / "sub" / "letter.txt").read_text() == "one\ntwo\n"
    for wrong in (
        Step(1, "console", "", "$ echo a\nb\n"),
        Step(1, "console", "", "$ false\n"),
        Step(1, "ends with", "1", "$ true\n"),
        Step(1, "part of", "sub/letter.txt", "three\n"),
        Step(1, "change", "sub/letter.txt", "-three\n+four\n"),
    ):
        with pytest.raises(PageError):
            shell.do(wrong)
