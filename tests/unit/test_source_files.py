"""What no Python takes is found without running it; what some Python takes passes here."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from hatch_wallaroo.python.source_files import compiled, source_text
from support.peers import interpreter, missing

REFUSED = {
    "return outside a function": (b"x = 1\nreturn x\n", "syntax", 2),
    "return in a class": (b"class A:\n    return 1\n", "syntax", 2),
    "yield at the top": (b"yield 1\n", "syntax", 1),
    "await at the top": (b"import asyncio\nawait asyncio.sleep(1)\n", "syntax", 2),
    "await in a def": (b"def f():\n    await g()\n", "syntax", 2),
    "asynchronous comprehension in a def": (b"def f(a):\n    return [x async for x in a]\n", "syntax", 2),
    "async for in a def": (b"def f(a):\n    async for x in a:\n        pass\n", "syntax", 2),
    "late future": (b"import os\nfrom __future__ import annotations\n", "syntax", 2),
    "unknown future": (b"from __future__ import braces\n", "syntax", 1),
    "nonlocal at the top": (b"nonlocal x\n", "syntax", 1),
    "nonlocal of nothing": (b"def f():\n    nonlocal x\n", "syntax", 2),
    "global after use": (b"def f():\n    x = 1\n    global x\n", "syntax", 3),
    "break outside a loop": (b"if True:\n    break\n", "syntax", 2),
    "continue outside a loop": (b"continue\n", "syntax", 1),
    "an argument twice": (b"def f(a, a): ...\n", "syntax", 1),
    "a bare except first": (b"try:\n    pass\nexcept:\n    pass\nexcept ValueError:\n    pass\n", "syntax", None),
    "a star in an import of a function": (b"def f():\n    from os import *\n", "syntax", 2),
    "a value for __debug__": (b"__debug__ = 1\n", "syntax", 1),
    "a keyword twice": (b"f(a=1, a=2)\n", "syntax", 1),
    "no Python": (b"def (:\n", "syntax", 1),
    "an unknown encoding": (b"# coding: klingon\nx = 1\n", "encoding", None),
    "latin-1 in a string": (b"x = '\xe9'\n", "encoding", 1),
    "two encodings": (b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", "encoding", None),
    "null bytes": (b"x = 1\x00\n", "bounds", None),
}
TAKEN = {
    "empty": b"",
    "latin-1 with a cookie": b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
    "latin-1 in a comment": b"x = 1\n# caf\xe9\n",
    "a byte order mark": b"\xef\xbb\xbfx = 1\n",
    "windows lines": b"x = 1\r\ny = 2\r\n",
    "a wrong escape": b"x = '\\d'\n",
    "a comparison with a literal by is": b"x = 1\ny = x is 1\n",
    "future after the docstring": b'"""Says."""\nfrom __future__ import annotations\n',
    "asynchronous comprehension in an async def": b"async def f(a):\n    return [x async for x in a]\n",
    "return in a finally": b"def f():\n    try:\n        pass\n    finally:\n        return 1\n",
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    source, kind, line = REFUSED[name]
    tree, problem = compiled(source)
    assert tree is None
    assert problem is not None
    assert (problem.kind, problem.message != "") == (kind, True)
    assert line is None or problem.line == line


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", TAKEN)
def test_taken(name):
    tree, problem = compiled(TAKEN[name])
    assert problem is None
    assert tree is not None


_COMPILE = """
import json, sys, warnings
warnings.simplefilter("ignore")
taken = []
for name, source in json.load(sys.stdin).items():
    try:
        compile(source.encode("latin-1"), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        continue
    taken.append(name)
print(json.dumps(taken))
"""


@pytest.mark.peer
@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_the_platforms_python_says_the_same(version):
    python = shutil.which(interpreter(version)) or missing(f"Python {version}")
    sources = {name: source.decode("latin-1") for name, source in TAKEN.items()}
    sources |= {name: source.decode("latin-1") for name, (source, _, _) in REFUSED.items()}
    done = subprocess.run(
        [python, "-c", _COMPILE], input=json.dumps(sources), capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) == set(TAKEN)


def test_too_deep_is_refused_and_does_not_crash():
    _, problem = compiled(b"x = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n")
    assert problem is not None
    _, problem = compiled(b"x = " + b"-" * 100_000 + b"1\n")
    assert problem is not None
    assert problem.kind == "bounds"


def test_long_chains_of_elif_are_no_problem_of_ours():
    lines = "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(3000))
    tree, problem = compiled(f"x = 1\nif x == -1:\n    y = 0\n{lines}".encode())
    assert tree is not None or problem is not None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"# coding: latin-1\n# \xe9\n", "# coding: latin-1\n# é\n"),
        (b"\xef\xbb\xbfx\n", "x\n"),
        (b"# \xe9\n", "# \ufffd\n"),
        (b"# coding: klingon\n# \xc3\xa9\n", "# coding: klingon\n# é\n"),
    ],
)
def test_text(source, text):
    assert source_text(source) == text
