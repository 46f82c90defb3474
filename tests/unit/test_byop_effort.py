"""Reading code takes work in proportion to its size, however it is written; counted in calls, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

import pytest

from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.frameworks.byop.family import check_code
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python import source_files
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import read_sources
from hatch_wallaroo.releases.load import resolve
from support.byop_cases import CASES

MOST_CALLS = 3_000_000
BASE = "from mac.inference import Inference\nfrom mac.inference.creation import InferenceBuilder\nimport os\n"


class TooMuchError(Exception):
    """More work than any of these files is worth."""


@cache
def around(release: str) -> PlatformEnvironment:
    """Made once: reading the lists of names is no part of the work on a file."""
    return environment_of(resolve(release), [])


def check(files: dict[str, str], release: str = "2026.1"):
    found = read_sources([Entry(path, TextSource(text), path) for path, text in files.items()], "")
    return check_code(found, around(release), resolve(release).byop, frozenset(files))[1]


def calls(work: Callable[[], object]) -> int:
    """How many functions, Python's own included, a piece of work calls."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in {"call", "c_call"}
        if count > MOST_CALLS:
            raise TooMuchError

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def repeated(text: str, start: str = ""):
    return lambda count: start + "".join(text.replace("#", str(number)) for number in range(count))


GROWING = {
    "branches": repeated("if os.name == '#':\n    x# = #\n"),
    "branches that bind one name": repeated("if os.name == '#':\n    x = #\n"),
    "optional imports": repeated("try:\n    import m#\nexcept ImportError:\n    m# = None\n"),
    "optional imports of what is missing": repeated("try:\n    import main.m#\nexcept ImportError:\n    m# = None\n"),
    "loops": repeated("for i# in range(3):\n    x# = #\n"),
    "for type checkers": repeated("if TYPE_CHECKING:\n    x# = #\n", "from typing import TYPE_CHECKING\n"),
    "functions": repeated("def f#(x: int) -> int:\n    return x\n"),
    "one function called often": lambda count: "def f():\n" + "    g()\n" * count + "f()\n" * count,
    "classes in a row": repeated("class C#(B):\n    pass\nB = C#\n", "B = Inference\n"),
    "diamonds": repeated(
        "class A(B, C):\n    pass\nclass D(B, C):\n    pass\nB, C = A, D\n", "B, C = Inference, os.X\n"
    ),
    "inference classes": repeated("class C#(Inference):\n    def f(self):\n        return self.model\n"),
    "aliases of types": repeated("t# = list[int]\n"),
    "paths that are not there": repeated("x# = config.model_path / 'a#'\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("release", ["2026.1", "2023.2.1"])
@pytest.mark.parametrize("name", GROWING)
def test_four_times_the_code_is_four_times_the_work(name, release):
    made = GROWING[name]
    small, large = (calls(lambda n=n: check({"main.py": BASE + made(n)}, release)) for n in (50, 200))
    assert large < 5.5 * small


HARD: dict[str, Callable[[int], str]] = {
    "diamonds": lambda count: (
        "class A0(Inference): pass\nclass B0(Inference): pass\n"
        + "".join(
            f"class A{n}(A{n - 1}, B{n - 1}): pass\nclass B{n}(A{n - 1}, B{n - 1}): pass\n" for n in range(1, count)
        )
    ),
    "a long chain of calls": lambda count: "x = 'a'" + ".replace('a', 'b')" * count + "\n",
    "a long chain of paths": lambda count: (
        "x = y = f()" + ".resolve()" * (count // 2) + ".parent" * (count // 4) + ".joinpath('a')" * (count // 4) + "\n"
    ),
    "names made of each other": lambda count: (
        "import os\na0 = f()\n"
        + "".join(f"a{n} = g(a{n - 1}).h(a{n - 1}) / os.path.join(a{n - 1}, a{n - 1})\n" for n in range(1, count))
    ),
    "branches of attributes": lambda count: "a = f()\n" + "if os.name:\n    a = a.b\nelse:\n    a = a.c\n" * count,
}


@pytest.mark.parametrize("name", HARD)
def test_ways_to_the_same_thing_are_gone_once(name):
    """Twice as deep is a few times the work: gone anew on each way, it were two to the thirtieth."""
    check({"main.py": BASE})  # reads what is kept for the next: the release's tables, the names of modules
    small, large = (calls(lambda n=n: check({"main.py": BASE + HARD[name](n)})) for n in (30, 60))
    assert large < 4.5 * small


def test_what_was_read_is_shown_in_a_line():
    """Classes, functions and scopes know each other: a failing assert would else write all of them, way by way."""
    text = BASE + HARD["diamonds"](9) + "".join(f"@f\n@f\ndef f(): return A1, f{n}\n" for n in range(9)) + "x = f(x)\n"
    read = read_sources([Entry("main.py", TextSource(text), "main.py")], "")
    run = ImportRun(read, around("2026.1"))
    module = run.execute(read.files["main.py"], "main")
    assert {"A8", "f", "x"} <= module.names.keys()
    shown = {name: repr(bound) for name, bound in {"module": module, **module.names}.items()}
    assert not {name: len(text) for name, text in shown.items() if len(text) > 1_000}


@pytest.mark.parametrize(
    "text",
    ["t = 'a'.lower()\nt = t.strip()\nt.split()\n", "p = f()\np = p.parent\nq = p / 'a'\n", "x = x.y = f(x)\n"],
)
def test_names_made_of_themselves_hide_nothing(text):
    assert check({"main.py": text + "import nowhere.at_all\n" + CASES["input bare dict"]["main.py"]})


def test_members_are_found_in_pythons_order():
    """In A before what A and B share: Python takes B's, which a search through A first would not."""
    text = (
        BASE
        + """
class Shared(Inference):
    def _predict(self, input_data: dict): ...
class A(Shared): pass
class B(Shared):
    async def _predict(self, input_data): ...
class Mine(A, B): pass
class Builder(InferenceBuilder):
    @property
    def inference(self): return Mine()
    def create(self, config):
        made = self.inference
        made.model = 1
        return made
"""
    )
    found = [each.message for each in check({"main.py": text}, "2023.2.1") if "Mine" in each.message]
    assert any("Mine._predict is `async def`" in each for each in found)


@pytest.mark.parametrize("bases", ["A, B", "A, A", "unknown(), A", "A, unknown()", "Later", "C"])
def test_bases_that_python_refuses_or_that_lead_nowhere_do_no_harm(bases):
    check({"main.py": f"{BASE}class A: pass\nclass B(A): pass\nclass C({bases}): pass\nclass C(C): pass\n"})


def test_a_file_too_large_is_left_unjudged_with_a_note():
    text = GROWING["branches"](source_files.LARGEST // 25)
    assert len(text) > source_files.LARGEST
    files = {"main.py": BASE + "import table\n" + CASES["input bare dict"]["main.py"], "table.py": text}
    found = {each.code: each for each in check(files)}
    assert found["WLR554"].level.value == "note"
    assert found["WLR554"].place.file == "table.py"
    assert f"{len(text):,} bytes" in found["WLR554"].message
    assert calls(lambda: check({"table.py": text})) < MOST_CALLS // 100
    assert not [each for each in check({"table.py": text}) if each.is_error]


def test_of_very_much_code_what_is_nearest_to_the_top_is_judged(monkeypatch):
    monkeypatch.setattr(source_files, "LARGEST_SUM", 3000)
    text = CASES["input bare dict"]["main.py"]
    assert len(text) < 3000
    path = "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'artifacts'))\nimport a\n"
    files = {"artifacts/a.py": "#" * 2900, "main.py": path + text}
    found = {each.code: each for each in check(files)}
    assert found["WLR554"].place.file == "artifacts/a.py"
    assert [each for each in found.values() if each.is_error and each.place.file == "main.py"]


def test_code_is_parsed_once_for_planning_and_judging():
    source_files._compiled.cache_clear()
    entries = [Entry("main.py", TextSource("x = 1\n"), "main.py")]
    assert read_sources(entries, "").files["main.py"].tree is read_sources(entries, "").files["main.py"].tree
    other = [Entry("other.py", TextSource("x = 1\n"), "other.py")]
    assert read_sources(other, "").files["other.py"].tree is not read_sources(entries, "").files["main.py"].tree


def test_an_unknown_encoding_has_no_line():
    found = [each for each in check({"main.py": "# coding: nonsense\nx = 1\n"}) if each.code == "WLR551"]
    assert {(each.place.line, each.place.column) for each in found} == {(None, None)}
    assert all("encoding" in each.fix for each in found)


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("from __future__ import annotations\n", 1),
        ('"""Text."""\nfrom __future__ import division\nfrom __future__ import annotations\n', 3),
        ("from __future__ import division\n", None),
        ("", None),
    ],
)
def test_postponed_annotations_are_looked_for_at_the_top_alone(start, line):
    text = start + "x = 1\n" * 1000
    file = read_sources([Entry("main.py", TextSource(text), "main.py")], "").files["main.py"]
    assert calls(lambda: file.postponed) < 60
    assert getattr(file.postponing, "lineno", None) == line
