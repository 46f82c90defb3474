"""Names that nothing binds: an error where the code surely runs, less where it may not, nothing where they are bound."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Level
from hatch_wallaroo.frameworks.import_findings import explain
from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python.import_failures import NAMES
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.source_files import read_sources
from hatch_wallaroo.python.values import UNKNOWN, Function, Instance, Method, OwnClass
from hatch_wallaroo.releases.load import resolve

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
    "in a function, raised again": "def f():\n    return missing\ntry:\n    f()\nexcept NameError:\n    raise\n",
    "the first turn of a loop": "for x in (1, 2):\n    missing\n",
    "a loop that is entered": "while True:\n    x = 1\n    missing\n",
    "called on a condition, and again": "def f():\n    return missing\nif not __name__:\n    f()\nf()\n",
    "a class in a function": "def f():\n    class A:\n        x: missing\nf()\n",
}
NOT_SURE = {
    "a function": "def f():\n    return missing\n",
    "a lambda": "f = lambda: missing\n",
    "a condition": "import os\nif os.environ.get('NONE_SUCH'):\n    missing\n",
    "an empty loop": "for x in list():\n    missing\n",
    "a while": "n = 0\nwhile n:\n    missing\n",
    "a conditional expression": "x = 1 if len('a') else missing\n",
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
    "after what a handler swallows": "try:\n    int('a')\n    missing\nexcept ValueError:\n    pass\n",
    "called where a handler swallows": "def f():\n    int('a')\n    missing\ntry:\n    f()\nexcept ValueError:\n    pass\n",
    "after what is suppressed": "import contextlib\nwith contextlib.suppress(ValueError):\n    int('a')\n    missing\n",
    "behind a return that is tried": "def f():\n    try:\n        return 1\n    except ValueError:\n        pass\n    missing\nf()\n",
    "after a continue": "for x in (1,):\n    if x:\n        continue\n    missing\n",
    "under the else of a loop that is left": "for x in (1,):\n    break\nelse:\n    missing\n",
    "under the else of a while": "while True:\n    break\nelse:\n    missing\n",
    "a guard": "match 1:\n    case 2 if missing:\n        pass\n",
    "a handler's kind": "try:\n    pass\nexcept missing:\n    pass\n",
    "a chain of comparisons": "x = 2 < 1 < missing\n",
    "suppressed by somebody": "import contextlib\nwith contextlib.suppress(ValueError):\n    raise ValueError(missing) if len('') else ValueError\n",
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
    "deleted after its use": "def f():\n    return 1\ndef g():\n    return f()\ng()\ndel f\n",
    "caught around a call": "def f():\n    return missing\ntry:\n    f()\nexcept Exception:\n    pass\n",
    "a constant's other side": "x = 1 if True else missing\n",
    "annotated without a value": "x: int\nx = 1\nprint(x)\n",
}


ON_SOME_WAYS = {
    "if": "import os\nif os.environ.get('A'):\n    x = 1\nprint(x)\n",
    "elif": "import os\nif os.name == 'a':\n    x = 1\nelif os.name == 'b':\n    x = 2\nprint(x)\n",
    "match": "import os\nmatch os.name:\n    case 'a':\n        x = 1\nprint(x)\n",
    "an optional import": "try:\n    import nonesuch\nexcept ImportError:\n    pass\nprint(nonesuch)\n",
    "taken away": "import os\nx = 1\nif os.environ.get('A'):\n    del x\nprint(x)\n",
    "a class": "import os\nif os.environ.get('A'):\n    class A: ...\nclass B(A): ...\n",
    "a class's own": "import os\nclass A:\n    if os.environ.get('A'):\n        x = 1\n    y = x\n",
}
ON_EACH_WAY = {
    "else": "import os\nif os.environ.get('A'):\n    x = 1\nelse:\n    x = 2\nprint(x)\n",
    "before": "import os\nx = 0\nif os.environ.get('A'):\n    x = 1\nprint(x)\n",
    "except": "try:\n    import nonesuch\nexcept ImportError:\n    nonesuch = None\nprint(nonesuch)\n",
    "except that leaves": "import sys\ntry:\n    import nonesuch\nexcept ImportError:\n    sys.exit(1)\nprint(nonesuch)\n",
    "the rest raises": "import os\nif os.environ.get('A'):\n    x = 1\nelse:\n    raise ValueError\nprint(x)\n",
    "the rest ends": "import os\nif os.environ.get('A'):\n    x = 1\nelse:\n    os._exit(1)\nprint(x)\n",
    "a case for all": "import os\nmatch os.name:\n    case 'a':\n        x = 1\n    case _:\n        x = 2\nprint(x)\n",
    "for type checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1\nelse:\n    x = 2\nprint(x)\n",
    "both of two": "import os\na = os.environ.get('A')\nif a:\n    x = 1\nif not a:\n    x = 2\nprint(x)\n",
    "asked for": "import os\na = os.environ.get('A')\nif a:\n    x = 1\nif a:\n    print(x)\n",
    "asked for in an expression": "import os\na = os.environ.get('A')\nif a:\n    x = 1\ny = x if a else a and x\n",
    "in a function": "import os\nif os.environ.get('A'):\n    x = 1\ndef f():\n    return x\n",
    "a builtin": "import os\nif os.environ.get('A'):\n    input = print\ninput()\n",
    "a loop": "import os\nfor a in os.environ:\n    x = a\nprint(x)\n",
    "the module's, in a class": "import os\nx = 0\nclass A:\n    if os.environ.get('A'):\n        x = 1\n    y = x\n",
    "asked of globals": "import os\nif 'x' not in globals():\n    x = 1\nprint(x)\n",
}
RELEASE = "2026.1"
"""Its Python is 3.10."""


def executed(files: dict[str, str], release: str = RELEASE) -> ImportRun:
    sources = read_sources([Entry(path, TextSource(text), path) for path, text in files.items()], "")
    run = ImportRun(sources, environment_of(resolve(release), []), path=[""])
    run.execute(sources.files["step.py"], "step")
    return run


def told(run: ImportRun) -> list[tuple[str, bool, bool]]:
    found = [each for each in run.failures if each.kind in NAMES]
    return [(each.kind, each.sure, not each.lazy and not each.during) for each in found]


def judged(text: str, release: str = RELEASE, **others: str) -> list[tuple[str, bool, bool]]:
    """Kind, whether it is sure, whether the import meets it."""
    run = executed({"step.py": text, **{f"{name}.py": other for name, other in others.items()}}, release)
    run.settle()
    return told(run)


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


@pytest.mark.parametrize("name", ON_SOME_WAYS)
def test_bound_on_some_ways_only(name):
    run = executed({"step.py": ON_SOME_WAYS[name]})
    assert told(run) == [("perhaps_unbound", False, True)]
    said = [each for each in explain(run.failures, run.environment) if each.code == "WLR543"]
    assert [each.level for each in said] == [Level.WARNING]
    assert "on some ways only" in said[0].message


@pytest.mark.parametrize("name", ON_EACH_WAY)
def test_bound_on_each_way(name):
    assert judged(ON_EACH_WAY[name]) == []


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
    run = executed({"step.py": METHODS})
    (made,) = run.reached["step.py"].names["Builder"].values
    assert isinstance(made, OwnClass)
    (create,) = made.members["create"].values
    builder = run.instantiate(made, ())
    assert isinstance(builder, Instance)
    assert isinstance(create, Function)
    run.during = "the platform calls create"
    run.call(Method(create, made, builder), (UNKNOWN,))
    assert told(run) == [("undefined", True, False)]
    run.settle()
    assert told(run) == [("undefined", True, False), ("undefined", False, False)]
    assert [each.detail for each in run.failures] == ["pickle", "missing"]
    said = [each.message for each in explain(run.failures, run.environment)]
    assert said == [
        "step.py uses pickle when the platform calls create, and defines it nowhere",
        "step.py uses missing when it runs, and defines it nowhere",
    ]


def test_a_name_counts_once():
    text = "def f():\n    return missing\nif not __name__:\n    f()\nf()\nf()\n"
    assert judged(text) == [("undefined", True, True)]


def test_branches_that_the_platform_does_not_take():
    text = (
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    tomllib = missing\nx = tomllib\n"
    )
    assert judged(text) == [("undefined", True, True)]
    assert judged(text.replace("(3, 11)", "(3, 10)").replace("tomllib", "zoneinfo")) == []
    bound = "import sys\nif sys.version_info >= (3, 11):\n    x = 1\ny = x\n"
    assert judged(bound) == [("undefined", True, True)]
    assert judged("if __name__ == '__main__':\n    a = 1\nb = a\n") == [("undefined", True, True)]


def test_names_of_others():
    assert judged("import helper\nx = missing\n", helper="import builtins\nbuiltins.missing = 1\n") == []
    text = "from helper import *\nx = given, missing\n"
    assert judged(text, helper="from nonesuch import *\n") == []
    assert judged(text, helper="given = 1\n") == [("undefined", True, True)]


def test_places():
    (found,) = executed({"step.py": "x = 1\ny = (x,\n     missing)\n"}).failures
    assert (found.detail, found.node.lineno, found.node.col_offset) == ("missing", 3, 5)


def test_too_deep_for_pyflakes():
    assert judged("x = " + "(" * 80 + "a" + ")" * 80 + "\n") != []
    assert judged("x = " + "+".join("a" * 700) + "\n") == []
