"""Pages that tell what to type and what comes of it: taken apart into steps, and done in a shell, one after the other.

A page says by a comment before a block what to do with it, which a reader does not see:

    <!-- file: PATH -->        write the block into the file
    <!-- change: PATH -->      a diff: each group of lines with - stands in the file once, and is replaced by those with +
    <!-- part of: PATH -->     the block stands in the file
    <!-- ends with: CODE -->   the last command of the block ends with this code; all others end with 0
    <!-- not run: WHY -->      nothing
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from screens import Answer, Screen, run, settled

COLUMNS = 200
"""Wide enough that no line breaks: a page shows each on one line."""

_COMMENT = re.compile(r"<!-- (file|change|part of|ends with|not run): (.+?) -->\s*")
_QUESTION = re.compile(r"(.*\? \[[Yy]/[Nn]\]:) (.*)")
_IN_A_SHELL = """\
eval "$1"; code=$?
"$2" -I -S -c 'import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))' >"$3" && exit "$code"
"""


class PageError(AssertionError):
    """A page that says something else than what is; or that cannot be done at all."""


@dataclass(frozen=True)
class Step:
    """A block of a page, at its line. `kind` is `console`, or what the comment before it says about `argument`."""

    line: int
    kind: str
    argument: str
    text: str


@dataclass(frozen=True)
class Command:
    """A line to type, what is shown below it, and the code that it ends with."""

    line: str
    shown: str
    code: int

    @property
    def answers(self) -> list[Answer]:
        """What a person types in between, where the page shows a question with its answer."""
        found = (_QUESTION.fullmatch(line) for line in self.shown.split("\n"))
        return [Answer(each[1], each[2]) for each in found if each]


def steps(text: str) -> Iterator[Step]:
    """The blocks of a page. Each is a console's, or is preceded by a comment that says what it is for."""
    comment: re.Match[str] | None = None
    for token in MarkdownIt().parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            comment = _COMMENT.fullmatch(token.content)
            if comment is None:
                raise PageError(f"line {line}: nothing is known about a comment {token.content.strip()!r}")
        elif token.type == "fence":
            kind, argument = (comment[1], comment[2]) if comment else ("console", "")
            if kind in {"console", "ends with"} and token.info.strip() != "console":
                raise PageError(f"line {line}: nothing says what to do with this {token.info.strip()} block")
            yield Step(line, kind, argument, token.content)
            comment = None
    if comment is not None:
        raise PageError(f"nothing comes after the comment {comment[0].strip()}")


def commands(step: Step) -> list[Command]:
    """What to type in a console's block: each line after `$ `, with the lines up to the next one as what is shown."""
    found: list[list[str]] = []
    for line in step.text.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append([line[2:]])
        elif found:
            found[-1].append(line)
        else:
            raise PageError(f"line {step.line}: the block does not begin with a command")
    last = int(step.argument) if step.kind == "ends with" else 0
    codes = [0] * (len(found) - 1) + [last]
    return [
        Command(line, "\n".join(shown).rstrip("\n"), code) for (line, *shown), code in zip(found, codes, strict=True)
    ]


class Shell:
    """A shell in which one command runs after the other, each on a terminal: folder and variables are handed on."""

    def __init__(self, folder: Path, environment: Mapping[str, str], notes: Path) -> None:
        self.folder, self.environment = folder, dict(environment)
        self._notes = notes
        """A file outside of the folder."""

    def type(self, command: Command) -> Screen:
        screen = run(
            ["bash", "--norc", "-c", _IN_A_SHELL, "bash", command.line, sys.executable, str(self._notes)],
            cwd=self.folder,
            environment=self.environment,
            columns=COLUMNS,
            answers=command.answers,
        )
        cwd, self.environment = json.loads(self._notes.read_text(encoding="utf-8"))
        self.folder = Path(cwd)
        return screen

    def do(self, step: Step) -> None:
        """Do what a step says; raises PageError where something else comes of it."""
        path = self.folder / step.argument
        if step.kind in {"console", "ends with"}:
            for command in commands(step):
                self._compare(command, self.type(command), step.line)
        elif step.kind == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif step.kind == "change":
            path.write_text(changed(path.read_text(encoding="utf-8"), step), encoding="utf-8")
        elif step.kind == "part of" and step.text not in path.read_text(encoding="utf-8"):
            raise PageError(f"line {step.line}: this is not in {step.argument}, which is:\n\n{path.read_text()}")

    @staticmethod
    def _compare(command: Command, screen: Screen, line: int) -> None:
        printed = "\n".join(screen.lines)
        if screen.code != command.code:
            ends = f"ends with {screen.code}, not {command.code}"
            raise PageError(f"block at line {line}: {command.line} {ends}, and prints:\n\n{printed}")
        if not alike(command.shown, printed):
            raise PageError(
                f"block at line {line}: $ {command.line}\n\nThe page shows:\n\n{command.shown}\n\nIt prints:\n\n{printed}"
            )


def changed(text: str, step: Step) -> str:
    """A file's text after a diff: groups of lines apart from each other, without lines for context."""
    for group in re.findall(r"(?:^-.*\n)+(?:^\+.*\n)*", step.text, re.MULTILINE):
        lines = group.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line.startswith("-"))
        new = "".join(line[1:] for line in lines if line.startswith("+"))
        found = list(re.finditer(f"^{re.escape(old)}", text, re.MULTILINE))
        if len(found) != 1:
            many = f"{len(found)} times, not once"
            raise PageError(f"line {step.line}: {step.argument} has this {many}:\n\n{old}\n\n{text}")
        text = text[: found[0].start()] + new + text[found[0].end() :]
    return text


def alike(shown: str, printed: str) -> bool:
    """Whether a command prints what a page shows: `…` alone stands for any lines, in a line for anything in it."""
    pattern = ""
    for line in settled(shown).split("\n"):
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*?") + r" *\n"
    return re.fullmatch(pattern, f"{settled(printed)}\n" if printed or shown else "\n") is not None
