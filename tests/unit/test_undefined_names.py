"""Names that nothing binds: an error where the code surely runs, less where it may not, nothing where they are bound."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from hatch_wallaroo.python.undefined_names import undefined

AT_IMPORT = {
    "bound nowhere": "x = missing\n",
    "used before": "x = late\nlate = 1\n",
    "a function used before": "x = late()\ndef late(): ...\n",
    "a default": "def f(a=missing): ...\n",
    "a decorator": "@missing\ndef f(): ...\n",
    "an annotation": "def f(a: missing): ...\n",
    "a return annotation": "def f() -> missing: ...\n",
    "a variable's annotation": "x: missing = 1\n",
    "a base": "class A(missing): ...\n",
    "a class body": "class A:\n    x = missing\n",
    "its own class in an annotation": "class A:\n    def f(self) -> A: ...\n",
    "deleted": "x = 1\ndel x\nprint(x)\n",
    "a name of a handler": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    pass\nprint(error)\n",
    "a function that the import calls": "def f():\n    return missing\nf()\n",
    "by way of another": "def f():\n    return missing\ndef g():\n    f()\ng()\n",
    "a class that the import makes": "class A:\n    def __init__(self):\n        self.x = missing\nA()\n",
    "unbound in a function that the import calls": "x = 1\ndef f():\n    print(x)\n    x = 2\nf()\n",
    "for type checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B\nx = B\n",
    "first iterable": "x = [a for a in missing]\n",
    "finally": "try:\n    pass\nfinally:\n    missing\n",
    "under open": "with open(__file__) as file:\n    missing\n",
    "a comprehension's own name": "x = [a for a in (1,)]\nprint(a)\n",
    "a walrus after": "print(a)\nprint(a := 1)\n",
    "augmented": "x += 1\n",
}
NOT_SURE = {
    "a function": "def f():\n    return missing\n",
    "a lambda": "f = lambda: missing\n",
    "a condition": "import os\nif os.environ.get('NONE_SUCH'):\n    missing\n",
    "an empty loop": "for x in list():\n    missing\n",
    "a while": "n = 0\nwhile n:\n    missing\n",
    "a conditional expression": "x = 1 if True else missing\n",
    "or": "x = 1 or missing\n",
    "a handler": "try:\n    pass\nexcept ValueError:\n    missing\n",
    "a comprehension": "x = [missing for _ in ()]\n",
    "a generator": "def f():\n    yield missing\nf()\n",
    "a coroutine": "async def f():\n    missing\nf().close()\n",
    "after a return": "def f(a=1):\n    if a:\n        return\n    missing\nf()\n",
    "an assertion's message": "assert True, missing\n",
    "written into globals": "globals().update(missing=1)\nx = missing\n",
    "globals by subscript": "globals()['missing'] = 1\nx = missing\n",
    "exec": "exec('missing = 1')\nx = missing\n",
    "locals at the top": "locals()['missing'] = 1\nx = missing\n",
    "the module itself": "import sys\nsetattr(sys.modules[__name__], 'missing', 1)\nx = missing\n",
    "a decorated function": "import functools\n@functools.lru_cache\ndef f():\n    missing\n",
    "a method that a subclass has": "class A:\n    def __init__(self):\n        self.f()\n    def f(self):\n        missing\n"
    "class B(A):\n    def f(self): ...\nB()\n",
    "suppressed by somebody": "import contextlib\nwith contextlib.suppress(ValueError):\n    raise ValueError(missing) if False else ValueError\n",
}
SILENT = {
    "bound": "x = 1\nprint(x)\n",
    "builtins": "print(len, __file__, __name__, __doc__, __builtins__, __spec__)\n",
    "class magic": "class A:\n    print(__module__, __qualname__)\n    def f(self):\n        return __class__\n",
    "a function before": "def f():\n    return late\nlate = 1\nf()\n",
    "postponed": "from __future__ import annotations\nx: missing\ndef f(a: missing) -> missing: ...\n",
    "quoted": "def f(a: 'missing') -> 'missing': ...\n",
    "cast": "import typing\nx = typing.cast('missing', 1)\n",
    "a local annotation": "def f():\n    x: missing = 1\nf()\n",
    "caught": "try:\n    missing\nexcept NameError:\n    missing = 1\nprint(missing)\n",
    "caught in all": "try:\n    missing\nexcept Exception:\n    pass\n",
    "caught without a name": "try:\n    missing\nexcept:\n    pass\n",
    "suppressed": "import contextlib\nwith contextlib.suppress(NameError):\n    missing\n",
    "type checkers alone": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = missing\n",
    "bound for type checkers and others": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B\n"
    "else:\n    B = object\nx = B\n",
    "builtins written": "import builtins\nbuiltins.missing = 1\nx = missing\n",
    "builtins by setattr": "import builtins\nsetattr(builtins, 'missing', 1)\nx = missing\n",
    "builtins by subscript": "__builtins__.__dict__['missing'] = 1\nx = missing\n",
    "gettext": "import gettext\ngettext.install('x')\nx = _('text')\n",
    "gettext with more": "import gettext\ngettext.install('x', names=('ngettext',))\nx = _, ngettext\n",
    "global": "def f():\n    global made\n    made = 1\nf()\nprint(made)\n",
    "nonlocal": "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n    g()\n    return a\nf()\n",
    "match": "match 1:\n    case int(a):\n        print(a)\n",
    "after raise": "def f():\n    raise ValueError\n    missing\n",
    "a star": "from os.path import *\nprint(join)\n",
    "walrus": "if (a := 1):\n    print(a)\n",
    "walrus in a comprehension": "x = [b for a in (1, 2) if (b := a)]\nprint(b)\n",
    "comprehension in a class": "class A:\n    x = [1]\n    y = [a for a in x]\n",
    "except and else": "try:\n    import json\nexcept ImportError:\n    json = None\nprint(json)\n",
    "reading globals": "x = 1\nprint(globals()['x'])\n",
    "annotated without a value": "x: int\nx = 1\nprint(x)\n",
}


def judged(text: str, **options: object) -> list[tuple[str, bool, bool]]:
    return [(each.kind, each.sure, each.at_import) for each in undefined(ast.parse(text), **options)]


@pytest.mark.parametrize("name", AT_IMPORT)
def test_sure_at_import(name):
    said = judged(AT_IMPORT[name])
    assert any(each[1:] == (True, True) for each in said)


@pytest.mark.parametrize("name", NOT_SURE)
def test_not_sure(name):
    said = judged(NOT_SURE[name])
    assert said
    assert not [each for each in said if each[1]]


@pytest.mark.parametrize("name", SILENT)
def test_silent(name):
    assert judged(SILENT[name]) == []


def test_kinds():
    assert judged(AT_IMPORT["bound nowhere"])[0][0] == "undefined"
    assert judged(AT_IMPORT["used before"])[0][0] == "unbound"
    assert judged(AT_IMPORT["for type checkers"])[0][0] == "typing"


def test_python_says_the_same():
    """What is sure ends an import with a NameError; what is not, and what is silent, does not."""
    code = "import json, sys\nanswers = {}\nfor name, text in json.load(sys.stdin).items():\n    try:\n"
    code += "        exec(compile(text, name, 'exec'), {'__name__': 'x', '__file__': sys.executable, '__doc__': '',"
    code += " '__spec__': None, '__builtins__': __import__('builtins')})\n"
    code += "    except Exception as error:\n        answers[name] = isinstance(error, NameError)\n"
    code += "sys.stdout = sys.__stdout__\nprint(json.dumps(answers))\n"
    import json

    texts = {
        f"{kind} {name}": text
        for kind, table in (("sure", AT_IMPORT), ("not", NOT_SURE), ("silent", SILENT))
        for name, text in table.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert {name for name in texts if name.startswith("sure")} == {name for name, answer in said.items() if answer}


METHODS = """
class Builder:
    def create(self, config):
        return self._made()

    def _made(self):
        return pickle.load

    def other(self):
        return missing
"""


def test_functions_that_the_platform_calls():
    tree = ast.parse(METHODS)
    create = next(each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == "create")
    said = [(each.name, each.sure, each.at_import) for each in undefined(tree, runs=[create])]
    assert said == [("pickle", True, False), ("missing", False, False)]


def test_branches_that_the_platform_does_not_take():
    text = (
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    tomllib = missing\nx = tomllib\n"
    )
    assert judged(text, truth=lambda _: True) == []
    assert judged(text, truth=lambda _: False) == [("undefined", True, True)]
    assert judged("if __name__ == '__main__':\n    a = 1\nb = a\n", truth=lambda _: False) == [
        ("undefined", True, True)
    ]


def test_names_of_others():
    assert judged("x = missing\n", known={"missing"}) == []
    text = "from helper import *\nx = given, missing\n"
    assert judged(text) == []
    assert judged(text, starred={"given"}) == [("undefined", True, True)]


def test_places():
    (found,) = undefined(ast.parse("x = 1\ny = (x,\n     missing)\n"))
    assert (found.name, found.node.lineno, found.node.col_offset) == ("missing", 3, 5)


def test_too_deep_for_pyflakes():
    assert undefined(ast.parse("x = " + "(" * 80 + "a" + ")" * 80 + "\n")) != []
    assert undefined(ast.parse("x = " + "+".join("a" * 700) + "\n")) == []
