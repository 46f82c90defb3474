"""The pictures show what the commands print today: they are run once more, and the texts compared."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from support.fronts import REPOSITORY, FrontEnds

pytest.importorskip("pty")

from make_pictures import FOLDER, PICTURES, Picture, draw, texts, write
from make_screenshot import PICTURE, SIZE
from screens import newcomer, settled


def committed(picture: Picture) -> str:
    return (FOLDER / f"{picture.name}.svg").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_is_printed(picture: Picture, fronts: FrontEnds, tmp_path: Path) -> None:
    """Mend with: hatch run docs:pictures"""
    (tmp_path / "home").mkdir()
    (tmp_path / "copy").mkdir()
    environment = newcomer(tmp_path / "home", fronts.wheels) | {"UV_CACHE_DIR": fronts.environment["UV_CACHE_DIR"]}
    rows = picture.take(tmp_path / "copy", environment)
    shown, printed = texts(committed(picture)), [row.plain.rstrip() for row in rows]
    assert settled("\n".join(shown)) == settled("\n".join(printed))
    assert texts(draw(picture, rows)) == printed, "the drawing says something else than its rows"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_asks_nobody_for_anything(picture: Picture) -> None:
    svg = committed(picture)
    assert len(svg) < 40_000
    ET.fromstring(svg)
    addresses = set(re.findall(r"[a-z]+://[^\s\"'<)]+", svg)) - {"http://www.w3.org/2000/svg"}
    assert not [each for each in addresses if not each.startswith("http://127.0.0.1:")]
    assert "@font-face" not in svg
    assert "@import" not in svg


def test_there_are_no_pictures_besides_and_all_are_shown() -> None:
    names = {each.name for each in PICTURES}
    drawn = {path.stem for path in FOLDER.glob("*.dot")}
    assert {path.name for path in FOLDER.glob("*.svg")} == {f"{name}.svg" for name in (*names, *drawn)}
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    shown = {
        name for page in pages for name in re.findall(r"!\[.+\]\(.*pictures/([\w-]+)\.svg\)", page.read_text("utf-8"))
    }
    assert shown == names | drawn


def test_the_screenshot_is_small_and_shown() -> None:
    """Made by: hatch run screenshot:take"""
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(data) < 150_000
    assert int.from_bytes(data[16:20], "big") == SIZE["width"]
    assert list(FOLDER.glob("*.png")) == [PICTURE]
    assert f"](../pictures/{PICTURE.name})" in (REPOSITORY / "docs" / "how-to" / "sandbox.md").read_text("utf-8")


def test_a_picture_is_written_when_it_shows_something_else(tmp_path: Path) -> None:
    picture = PICTURES[0]
    path = tmp_path / "check.svg"
    first = committed(picture)
    write(path, first)
    assert path.read_text(encoding="utf-8") == first
    later = re.sub(r"\d\.\d\d&#160;s", "9.99&#160;s", first)
    assert later != first
    write(path, later)
    assert path.read_text(encoding="utf-8") == first
    write(path, first.replace("WLR011", "WLR012"))
    assert "WLR012" in path.read_text(encoding="utf-8")
