"""Sources that no tree can be made of: refused on every Python, where 3.10 would end with a crash."""

from __future__ import annotations

import subprocess

import pytest

from hatch_wallaroo.parsing import parse
from hatch_wallaroo.python.source_files import compiled
from support.fronts import REPOSITORY
from support.peers import interpreter, missing

DEEP = {
    "sums": "x = 1" + "+1" * 250_000,
    "attributes": "x = a" + ".b" * 100_000,
    "calls": "x = f" + "()" * 100_000,
    "brackets": "x = " + "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deeply(text: str) -> None:
    with pytest.raises((RecursionError, SyntaxError, MemoryError)):
        parse(text)
    tree, problem = compiled(text.encode())
    assert tree is None
    assert problem is not None


@pytest.mark.slow
def test_what_is_only_long() -> None:
    table = "x = [\n" + "".join(f"    ({number}, 'a' + 'b'),\n" for number in range(20_000)) + "]\n"
    assert len(parse(table).body) == 1
    assert len(parse(("x = 1 + 2\n" * 20_000).encode()).body) == 20_000


@pytest.mark.peer
@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_other_pythons_survive(version: str) -> None:
    python = interpreter(version)
    if python == version:
        missing(f"there is no Python {version}")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from hatch_wallaroo.parsing import parse\n"
        "try:\n    parse('x = 1' + '+1' * 250_000)\n"
        "except (RecursionError, MemoryError):\n    print('refused')\n"
    )
    done = subprocess.run([python, "-c", code, str(REPOSITORY)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
