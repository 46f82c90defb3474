"""The pictures of terminals in docs/pictures, made of what commands really print: `hatch run docs:pictures`.

Each command runs on a pseudo terminal in a temporary copy of an example; rich draws the rows that it left. A picture
that would show the same but for times, ports and dates stays as it is. tests/docs/test_pictures.py runs the same
commands and compares the texts, so that a picture cannot show what no command prints any more.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.text import Text

from screens import Answer, newcomer, run, settled

REPOSITORY = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "pictures"

_FORM = """\
<svg class="rich-terminal" role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own form but for the fonts, which would be fetched from elsewhere by whoever looks at a page."""


@dataclass(frozen=True)
class Picture:
    """Commands that are typed one after the other in a copy of an example that was made for it.

    `only`: the files of the example that are copied; all where none are named. `edits`: texts of its pyproject.toml that
    stand there once, and what takes their place.
    """

    name: str
    example: str
    commands: tuple[str, ...]
    only: tuple[str, ...] = ()
    edits: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    columns: int = 132

    def prepare(self, folder: Path) -> Path:
        """The copy, below `folder`, under the name of the project."""
        source = REPOSITORY / "example-projects" / self.example
        table = (source / "pyproject.toml").read_text(encoding="utf-8")
        made = folder / re.findall(r'(?m)^name = "(.+)"', table)[0]
        if self.only:
            made.mkdir()
            for each in self.only:
                shutil.copy2(source / each, made / each)
            return made
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("dist", "__pycache__"))
        for old, new in self.edits.items():
            if table.count(old) != 1:
                raise ValueError(f"{old!r} is in the table of {self.example} {table.count(old)} times")
            table = table.replace(old, new)
        (made / "pyproject.toml").write_text(table, encoding="utf-8")
        return made

    def take(self, folder: Path, environment: Mapping[str, str]) -> list[Text]:
        """Run the commands below `folder`; the rows of the terminal, with the lines that are typed."""
        project = self.prepare(folder)
        rows: list[Text] = []
        for command in self.commands:
            screen = run(
                shlex.split(command), cwd=project, environment=environment, columns=self.columns, answers=self.answers
            )
            typed = Text.assemble(("$ ", "green"), (command, "bold"))
            rows += [*([Text()] if rows else []), *typed.wrap(Console(width=self.columns), self.columns), *screen.rows]
        return rows


PICTURES = (
    Picture(
        "check",
        "sklearn",
        ("hatch-wallaroo check",),
        edits={"sample =": "sampel =", '"float64[13]"': '"float64[12]"', '"int64"': '"int46"'},
    ),
    Picture(
        "publish",
        "sklearn",
        (
            "hatch build",
            "hatch-wallaroo sandbox -- hatch publish -p wallaroo -o workspace=try -o create-workspace",
        ),
    ),
    Picture(
        "init",
        "sklearn",
        ("hatch-wallaroo init",),
        only=("wine.pkl", "sample.json"),
        answers=(Answer("[Y/n]:", "y"),),
        columns=108,
    ),
    Picture("frameworks", "sklearn", ("hatch-wallaroo frameworks --framework sklearn",), columns=90),
)


def draw(picture: Picture, rows: list[Text]) -> str:
    """The SVG of the rows."""
    console = Console(
        width=picture.columns, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for row in rows:
        console.print(row, no_wrap=True, crop=False, overflow="ignore", soft_wrap=True)
    return console.export_svg(title="", code_format=_FORM, unique_id=picture.name)


def texts(svg: str) -> list[str]:
    """The rows of text that a picture shows."""
    rows: dict[int, str] = {}
    for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        line = re.search(r"-line-(\d+)\)", each.get("clip-path", ""))
        if line is None:
            continue
        column = round(float(each.get("x", "0")) / 12.2)
        row = rows.get(int(line[1]), "").ljust(column)
        rows[int(line[1])] = row + (each.text or "").replace("\N{NO-BREAK SPACE}", " ")
    return [rows.get(number, "").rstrip() for number in range(max(rows, default=-1) + 1)]


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        home, wheels = Path(temporary, "home"), Path(temporary, "wheels")
        home.mkdir()
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        for picture in PICTURES:
            with tempfile.TemporaryDirectory() as folder:
                made = draw(picture, picture.take(Path(folder), newcomer(home, wheels)))
            write(FOLDER / f"{picture.name}.svg", made)
    return 0


def write(path: Path, made: str) -> None:
    """Write a picture, if it shows something else than the one that is there."""
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    same = bool(there) and settled("\n".join(texts(there))) == settled("\n".join(texts(made)))
    if not same:
        path.write_text(made, encoding="utf-8")
    print(f"{path.name}: {'the same' if same else f'{len(made):,} bytes'}")


if __name__ == "__main__":
    sys.exit(main())
