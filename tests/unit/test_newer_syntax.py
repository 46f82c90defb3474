"""What needs a newer Python than the platform's: each construct judged as the real Python 3.8 and 3.10 judge it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Level
from hatch_wallaroo.frameworks.import_findings import explain, reached_findings
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.source_files import read_sources
from hatch_wallaroo.releases.load import resolve
from support.peers import interpreter, missing

RELEASES = {"3.8": "2023.2.1", "3.10": "2026.1"}
DATACLASS = "import dataclasses\n@dataclasses.dataclass({})\nclass A:\n    x: int\n"
ALWAYS, FROM_39, FROM_310, FROM_311 = "3.8 3.10", "3.10", "3.10", ""

IMPORTED: dict[str, tuple[str, str]] = {
    # text, and the platform's Pythons that import it
    "a module of 3.9": ("import zoneinfo\n", FROM_39),
    "a module of 3.11": ("import tomllib\n", FROM_311),
    "a module of 3.11, caught": ("try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\n", ALWAYS),
    "a name of 3.9": ("from typing import Annotated\n", FROM_39),
    "a function of 3.9": ("from functools import cache\n", FROM_39),
    "a name of 3.10": ("from itertools import pairwise\n", FROM_310),
    "a name of 3.11": ("from typing import Self\n", FROM_311),
    "a name that has gone": ("from collections import Mapping\n", "3.8"),
    "a builtin of 3.10": ("x = anext\n", FROM_310),
    "a builtin of 3.11": ("x = ExceptionGroup\n", FROM_311),
    "zip strict": ("x = list(zip([1], [2], strict=True))\n", FROM_310),
    "zip": ("x = list(zip([1], [2]))\n", ALWAYS),
    "a dataclass with slots": (DATACLASS.format("slots=True"), FROM_310),
    "a dataclass by keyword": (DATACLASS.format("kw_only=True"), FROM_310),
    "a frozen dataclass": (DATACLASS.format("frozen=True"), ALWAYS),
    "a keyword in a class": ("class A:\n    x = list(zip([1], [2], strict=True))\n", FROM_310),
    "logging with an encoding": ("import logging\nlogging.basicConfig(encoding='utf-8')\n", FROM_39),
    "an alias list[int]": ("Row = list[int]\n", FROM_39),
    "an alias typing.List[int]": ("import typing\nRow = typing.List[int]\n", ALWAYS),
    "an alias int | None": ("Row = int | None\n", FROM_310),
    "an alias of aliases": ("Row = int\nMore = Row | None\n", FROM_310),
    "an alias of own classes": ("class A: ...\nclass B: ...\nC = A | B\n", FROM_310),
    "a sum of flags": ("import re\nx = re.I | re.M\n", ALWAYS),
    "a sum of sets": ("x = {1} | {2}\n", ALWAYS),
    "a sum of numbers": ("a = 1\nb = 2\nc = a | b\n", ALWAYS),
    "an attribute of a class": ("class A:\n    x: list[int] = []\n", FROM_39),
    "an annotation": ("def f(x: dict[str, int]): ...\n", FROM_39),
    "a quoted annotation": ("def f(x: 'dict[str, int]'): ...\n", ALWAYS),
    "a postponed annotation": ("from __future__ import annotations\ndef f(x: dict[str, int | None]): ...\n", ALWAYS),
    "a postponed alias": ("from __future__ import annotations\nRow = dict[str, int]\n", FROM_39),
    "an annotation of a variable": ("x: list[int] = []\n", FROM_39),
    "a local annotation": ("def f():\n    x: list[int] = []\nf()\n", ALWAYS),
    "a union in an annotation": ("def f(x: int | None = None): ...\n", FROM_310),
    "a union in what is returned": ("def f() -> int | str: ...\n", FROM_310),
    "a base": ("class A(list[int]): ...\n", FROM_39),
    "a default": ("def f(x=list[int]): ...\n", FROM_39),
    "in a branch that is taken": ("import sys\nif sys.platform:\n    Row = list[int]\n", FROM_39),
    "in an else": ("import sys\nif sys.platform == '':\n    pass\nelse:\n    def f(x: list[int]): ...\n", FROM_39),
    "for newer Pythons alone": ("import sys\nif sys.version_info >= (3, 9):\n    Row = list[int]\n", ALWAYS),
    "for type checkers alone": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    Row = list[int]\n", ALWAYS),
    "caught": ("try:\n    Row = list[int]\nexcept TypeError:\n    Row = list\n", ALWAYS),
    "in a try that catches another": ("try:\n    Row = list[int]\nexcept ImportError:\n    Row = list\n", FROM_39),
    "in a with": ("with open('/dev/null'):\n    Row = list[int]\n", FROM_39),
    "a deque": ("from collections import deque\ndef f(x: deque[int]): ...\n", FROM_39),
    "a callable of collections": ("from collections.abc import Callable\nF = Callable[[int], str]\n", FROM_39),
    "a path": ("import os\ndef f(x: os.PathLike[str]): ...\n", FROM_39),
    "a queue": ("import queue\ndef f(x: queue.Queue[int]): ...\n", FROM_39),
    "a future": ("import asyncio\ndef f(x: asyncio.Future[int]): ...\n", FROM_39),
    "a process": ("import subprocess\nRun = subprocess.CompletedProcess[str]\n", FROM_39),
    "a pattern": ("import re\nP = re.Pattern[str]\n", FROM_39),
    "a partial": ("import functools\nP = functools.partial[int]\n", FROM_39),
    "a class of one's own": (
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass A(Generic[T]): ...\nB = A[int]\n",
        ALWAYS,
    ),
    "an instance that is subscripted": ("list = [1]\nx = list[0]\n", ALWAYS),
    "a lambda that is not called": ("f = lambda: list[int]\n", ALWAYS),
    "dictionaries merged": ("a = {}\nb = {}\nc = a | b\n", FROM_39),
    "dictionaries merged, one written": ("b = {}\nc = {'x': 1} | b\n", FROM_39),
    "dictionaries merged, both written": ("c = {'x': 1} | {'y': 2}\n", FROM_39),
    "dictionaries merged, the right one written": ("b = {}\nc = b | {'x': 1}\n", FROM_39),
    "with in parentheses, one": ("with (open('/dev/null') as x):\n    pass\n", FROM_39),
    "with in parentheses, two": ("with (open('/dev/null') as x, open('/dev/null') as y):\n    pass\n", FROM_39),
    "with in parentheses, no names": ("with (open('/dev/null'), open('/dev/null')):\n    pass\n", FROM_39),
    "with a value in parentheses": ("with (open('/dev/null')) as x:\n    pass\n", ALWAYS),
    "with a value alone": ("with (open('/dev/null')):\n    pass\n", ALWAYS),
    "with none": ("with open('/dev/null') as x, open('/dev/null') as y:\n    pass\n", ALWAYS),
    "with a conditional in parentheses": ("with (open('/dev/null') if True else None) as x:\n    pass\n", ALWAYS),
    "match": ("def f(x):\n    match x:\n        case 1: pass\n", FROM_310),
    "match as a name": ("match = 1\ncase = match\nprint(match, case)\n", ALWAYS),
    "except*": ("def f():\n    try:\n        pass\n    except* ValueError:\n        pass\n", FROM_311),
    "a decorator that is a subscript": ("f = [lambda g: g]\n@f[0]\ndef g(): ...\n", FROM_39),
    "a decorator by a call's attribute": ("def f():\n    return f\nf.g = lambda h: h\n@f().g\ndef g(): ...\n", FROM_39),
    "a decorator that is called": ("import functools\n@functools.lru_cache(maxsize=1)\ndef g(): ...\n", ALWAYS),
    "a star in an index": ("def f(x, a):\n    return x[*a]\n", FROM_311),
    "a star in an index, in parentheses": ("def f(x, a):\n    return x[(*a, 1)]\n", ALWAYS),
    "a star in an annotation": ("def f(*a: *int): ...\n", FROM_311),
    "a type statement": ("type A = int\n", FROM_311),
    "type parameters": ("def f[T](x: T) -> T:\n    return x\n", FROM_311),
    "a class with type parameters": ("class A[T]: ...\n", FROM_311),
    "an asynchronous comprehension inside": (
        "async def f(a):\n    return [[x async for x in y] for y in a]\n",
        FROM_311,
    ),
    "a walrus": ("x = (y := 1)\n", ALWAYS),
    "a walrus in an index": ("x = [1, 2]\nprint(x[y := 0])\n", FROM_310),
    "a walrus in a set": ("x = {y := 1}\n", FROM_310),
    "positional alone": ("def f(a, /): ...\n", ALWAYS),
    "an equals sign in an f-string": ("y = 1\nx = f'{y=}'\n", ALWAYS),
    "a star in a return": ("def f(a):\n    return 1, *a\n", ALWAYS),
    "a comment in an f-string": ("x = 1\ny = f'''{x # why\n}'''\n", FROM_311),
    "a backslash in an f-string": ("x = []\ny = f\"{chr(10).join(x) + '\\n'}\"\n", FROM_311),
    "its own quotes in an f-string": ("d = {'a': 1}\ny = f'{d['a']}'\n", FROM_311),
    "other quotes in an f-string": ("d = {'a': 1}\ny = f'{d[\"a\"]}'\n", ALWAYS),
    "quotes in three quotes": ('d = {"a": 1}\ny = f"""{d["a"]}"""\n', ALWAYS),
    "an f-string in an f-string": ("a = 1\ny = f'{f'{a}'}'\n", FROM_311),
    "braces and a format": ("a = 1\nw = 2\ny = f'{{literal}} {a:{w}}' 'next'\n", ALWAYS),
    "words in a text": ("x = '''\nmatch this:\n'''\n", ALWAYS),
    "an attribute of 3.11": ("import datetime\nx = datetime.UTC\n", FROM_311),
}
CALLED: dict[str, tuple[str, str]] = {
    "isinstance of a union": ("def f(x):\n    return isinstance(x, int | str)\nf(1)\n", FROM_310),
    "zip strict": ("def f():\n    return list(zip([1], [2], strict=True))\nf()\n", FROM_310),
    "dictionaries merged in place": ("a = {}\na |= {'x': 1}\n", FROM_39),
    "a generic in a function": ("def f():\n    return list[int]\nf()\n", FROM_39),
}
"""Functions, which may not run, and values that may be others: warned of at least."""


def judged(text: str, release: str) -> set[Level]:
    sources = read_sources([Entry("step.py", TextSource(text), "step.py")], "")
    run = ImportRun(sources, environment_of(resolve(release), []))
    run.execute(sources.files["step.py"], "step")
    run.settle()
    return {each.level for each in (*explain(run.events, run.environment), *reached_findings(run))}


@pytest.mark.parametrize("python", RELEASES)
@pytest.mark.parametrize("name", IMPORTED)
def test_imported(name, python):
    text, taken = IMPORTED[name]
    levels = judged(text, RELEASES[python])
    assert (Level.ERROR in levels) == (python not in taken.split()), levels
    assert Level.WARNING not in levels


@pytest.mark.parametrize("python", RELEASES)
@pytest.mark.parametrize("name", CALLED)
def test_called(name, python):
    text, taken = CALLED[name]
    assert bool(judged(text, RELEASES[python])) == (python not in taken.split())


@pytest.mark.peer
@pytest.mark.parametrize("python", RELEASES)
def test_the_real_pythons_say_so(python):
    found = shutil.which(interpreter(python)) or missing(f"Python {python}")
    table = {f"{kind} {name}": row for kind, rows in (("i", IMPORTED), ("c", CALLED)) for name, row in rows.items()}
    code = (
        "import json, os, sys, warnings\nwarnings.simplefilter('ignore')\nsaid, out = {}, sys.stdout\n"
        "sys.stdout = open(os.devnull, 'w')\nfor name, text in json.load(sys.stdin).items():\n    try:\n"
        "        exec(compile(text, name, 'exec', dont_inherit=True), {'__name__': 'x'})\n"
        "    except Exception as error:\n        said[name] = repr(error)\njson.dump(said, out)\n"
    )
    given = json.dumps({name: text for name, (text, _) in table.items()})
    done = subprocess.run([found, "-c", code], input=given, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert {name: python in taken.split() for name, (_, taken) in table.items()} == {
        name: name not in said for name in table
    }, said


def test_the_python_that_reads_may_be_newer_or_not():
    assert sys.version_info >= (3, 10)
