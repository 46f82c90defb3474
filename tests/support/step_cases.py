"""Python steps of 2024.1 and later, right and wrong, by what is peculiar about them."""

from __future__ import annotations

DATA = "from mac.types import InferenceData\n"
STEP = "def process_data(input_data: InferenceData) -> InferenceData:\n    return input_data\n"
NPT = "from typing import Any, Dict, Mapping\nimport numpy as np\nimport numpy.typing as npt\n"


def typed(annotation: str, result: str | None = None) -> str:
    return f"def process_data(input_data: {annotation}) -> {result or annotation}:\n    return input_data\n"


RIGHT: dict[str, str] = {
    "as documented": DATA + STEP,
    "async": DATA + "async " + STEP,
    "spelt out": NPT + typed("Dict[str, npt.NDArray]"),
    "spelt out by other names": "import typing as t\nfrom numpy.typing import NDArray as N\n" + typed("t.Dict[str, N]"),
    "spelt out in full": "import typing\nimport numpy.typing\n" + typed("typing.Dict[str, numpy.typing.NDArray]"),
    "module alias": "import mac.types as m\n" + typed("m.InferenceData"),
    "module": "import mac.types\n" + typed("mac.types.InferenceData"),
    "import as": "from mac.types import InferenceData as Data\n" + typed("Data"),
    "own alias": DATA + "Data = InferenceData\n" + typed("Data"),
    "own alias, annotated": DATA + "from typing import TypeAlias\nData: TypeAlias = InferenceData\n" + typed("Data"),
    "star import": "from mac.types import *\n" + STEP,
    "where it is used": "from mac.inference.inference import InferenceData\n" + STEP,
    "fallback": "try:\n    from mac.types import InferenceData\nexcept ImportError:\n    InferenceData = dict\n" + STEP,
    "raises where no turn of a loop breaks": DATA
    + "import os\nfor name in os.environ:\n    if name:\n        break\nelse:\n    raise RuntimeError('nothing is set')\n"
    + STEP,
    "a call that is caught": DATA
    + "def warm():\n    return missing\ntry:\n    warm()\nexcept Exception:\n    pass\n"
    + STEP,
    "position only": DATA + STEP.replace("InferenceData)", "InferenceData, /)"),
    "default": DATA + STEP.replace("InferenceData)", "InferenceData = None)"),
    "assigned": DATA + STEP.replace("process_data", "step") + "process_data = step\n",
    "defined twice": DATA + "def process_data(x):\n    return x\n" + STEP,
    "in a branch": DATA
    + "if True:\n    def process_data(input_data: InferenceData) -> InferenceData:\n        return input_data\n",
    "wrapped": DATA
    + "import functools\ndef log(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        return f(*a, **k)\n    return inner\n@log\n"
    + STEP,
    "helpers beside it": DATA + "def clean(values):\n    return values\nclass Scaler: ...\n" + STEP,
    "a main of its own": DATA + STEP + "if __name__ == '__main__':\n    import sys\n    sys.exit(1)\n",
    "static method of a class": DATA
    + "class Step:\n    @staticmethod\n    def run(input_data: InferenceData) -> InferenceData:\n        return input_data\n\n"
    "process_data = Step.run\n",
    "single dispatch": DATA + "import functools\n@functools.singledispatch\n" + STEP,
    "generator": DATA + "def process_data(input_data: InferenceData) -> InferenceData:\n    yield input_data\n",
}

WRONG: dict[str, tuple[str, str]] = {
    # what is peculiar: the code of the rule, the text
    "untyped": ("WLR443", "def process_data(input_data):\n    return input_data\n"),
    "no return annotation": ("WLR443", DATA + "def process_data(input_data: InferenceData):\n    return input_data\n"),
    "another argument": ("WLR443", DATA + "def process_data(data: InferenceData) -> InferenceData:\n    return data\n"),
    "two arguments": ("WLR443", DATA + STEP.replace("Data)", "Data, top=1)")),
    "keywords": ("WLR443", DATA + STEP.replace("Data)", "Data, **more)")),
    "self": ("WLR443", DATA + STEP.replace("(input", "(self, input")),
    "no argument": ("WLR443", DATA + "def process_data() -> InferenceData:\n    return {}\n"),
    "dict": ("WLR443", NPT + typed("dict[str, npt.NDArray]")),
    "bare dict": ("WLR443", typed("dict")),
    "np.ndarray": ("WLR443", NPT + typed("Dict[str, np.ndarray]")),
    "NDArray[Any]": ("WLR443", NPT + typed("Dict[str, npt.NDArray[Any]]")),
    "Any": ("WLR443", NPT + typed("Dict[str, Any]")),
    "Mapping": ("WLR443", NPT + typed("Mapping[str, npt.NDArray]")),
    "Optional": ("WLR443", DATA + "from typing import Optional\n" + typed("Optional[InferenceData]", "InferenceData")),
    "or None": ("WLR443", DATA + typed("InferenceData | None", "InferenceData")),
    "Annotated": ("WLR443", DATA + "from typing import Annotated\n" + typed("Annotated[InferenceData, 1]")),
    "DataFrame": ("WLR443", "import pandas as pd\n" + typed("pd.DataFrame")),
    "quotes inside": ("WLR443", NPT + typed("Dict[str, 'npt.NDArray']", "Dict[str, npt.NDArray]")),
    "lambda": ("WLR443", "process_data = lambda input_data: input_data\n"),
    "function of the standard library": ("WLR443", "from os.path import join as process_data\n"),
    "quotes": ("WLR445", DATA + typed("'InferenceData'")),
    "postponed": ("WLR445", "from __future__ import annotations\n" + DATA + STEP),
    "instance": ("WLR441", DATA + "class Step:\n    def __call__(self, x): ...\nprocess_data = Step()\n"),
    "class": ("WLR441", "class process_data: ...\n"),
    "None": ("WLR441", "process_data = None\n"),
    "cached": ("WLR441", DATA + "import functools\n@functools.lru_cache\n" + STEP),
    "partial": (
        "WLR441",
        DATA
        + "import functools\ndef run(depth, input_data: InferenceData) -> InferenceData:\n    return input_data\n\n"
        "process_data = functools.partial(run, 1)\n",
    ),
    "static": ("WLR441", DATA + "@staticmethod\n" + STEP),
    "in a class": (
        "WLR441",
        DATA + "class Step:\n    def process_data(self, input_data: InferenceData) -> InferenceData: ...\n",
    ),
    "only when run": (
        "WLR441",
        DATA + "if __name__ == '__main__':\n    def process_data(input_data: InferenceData) -> InferenceData: ...\n",
    ),
    "deleted": ("WLR441", DATA + STEP + "del process_data\n"),
    "misspelt": ("WLR441", DATA + STEP.replace("process_data", "proces_data")),
    "nothing": ("WLR441", "x = 1\n"),
    "empty": ("WLR441", ""),
    "wallaroo_json": ("WLR442", "def wallaroo_json(data):\n    return data\n"),
    "not imported": ("WLR446", STEP),
    "imported for the checker": ("WLR446", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    " + DATA + STEP),
    "relative import": ("WLR446", "from . import helper\n" + DATA + STEP),
    "from where it is not": ("WLR446", "from mac.inference import InferenceData\n" + STEP),
    "broken": ("WLR447", DATA + "def process_data(:\n"),
    "match of 3.12": ("WLR447", "type Data = dict\n" + DATA + STEP),
    "except*": ("WLR447", "try:\n    x = 1\nexcept* ValueError:\n    pass\n" + DATA + STEP),
    "tomllib": ("WLR447", "import tomllib\n" + DATA + STEP),
    "StrEnum": ("WLR446", "from enum import StrEnum\n" + DATA + STEP),
    "exits": ("WLR450", "import sys\n" + DATA + STEP + "sys.exit(0)\n"),
}

FOLDERS: dict[str, tuple[str | None, dict[str, str]]] = {
    # what is peculiar: the code of the rule (None: right), the files
    "two steps": ("WLR444", {"a.py": DATA + STEP, "b.py": DATA + STEP}),
    "a step imported by another file": (
        "WLR444",
        {
            "a.py": "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\nfrom b import process_data\n",
            "b.py": DATA + STEP,
        },
    ),
    "one right, one wrong": ("WLR443", {"a.py": DATA + STEP, "b.py": "def process_data(x): ...\n"}),
    "a helper": ("WLR446", {"a.py": "import helper\n" + DATA + STEP, "helper.py": "x = 1\n"}),
    "a package": (
        "WLR446",
        {"a.py": "from own.clean import f\n" + DATA + STEP, "own/__init__.py": "", "own/clean.py": "def f(): ...\n"},
    ),
    "a helper, with sys.path": (
        None,
        {
            "a.py": "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\nimport helper\n" + DATA + STEP,
            "helper.py": "x = 1\n",
        },
    ),
    "a helper that may be missing": (
        None,
        {
            "a.py": "try:\n    import helper\nexcept ImportError:\n    helper = None\n" + DATA + STEP,
            "helper.py": "x = 1\n",
        },
    ),
    "files beside it": (None, {"step.py": DATA + STEP, "other.py": DATA, "data/means.json": "{}", "__init__.py": ""}),
    "a broken file beside it": ("WLR447", {"step.py": DATA + STEP, "other.py": "def (\n"}),
    "a broken file below it": (None, {"step.py": DATA + STEP, "deep/other.py": "def (\n"}),
    "too deep": ("WLR440", {"deep/step.py": DATA + STEP}),
    "no Python": ("WLR440", {"readme.md": "x"}),
    "setup.py": ("WLR450", {"step.py": DATA + STEP, "setup.py": "from setuptools import setup\nsetup(name='x')\n"}),
}

LIVE: dict[str, str] = {
    # Judged by the loader when the test runs: no verdict is written down (tests/mac/test_corpus.py).
    "an alias of the type by a call": DATA + "def kind():\n    return InferenceData\n" + typed("kind()"),
    "a subclass of the type": DATA + "class Data(dict): ...\n" + typed("Data"),
    "typing.Dict bare": "from typing import Dict\n" + typed("Dict"),
    "arrays of a float": NPT + typed("Dict[str, npt.NDArray[np.float64]]"),
    "keys of any kind": NPT + typed("Dict[Any, npt.NDArray]"),
    "one side spelt out": DATA + NPT + typed("InferenceData", "Dict[str, npt.NDArray]"),
    "one side wrong": DATA + typed("InferenceData", "dict"),
    "args": DATA + STEP.replace("(input_data: InferenceData)", "(*input_data: InferenceData)"),
    "bound method": DATA
    + "class Step:\n    def run(self, input_data: InferenceData) -> InferenceData:\n        return input_data\n\n"
    "process_data = Step().run\n",
    "made by a function": DATA
    + "def make():\n    def process_data(input_data: InferenceData) -> InferenceData:\n        return input_data\n    return process_data\n\n"
    "process_data = make()\n",
    "wrapped without its signature": DATA
    + "def log(f):\n    def inner(*a, **k):\n        return f(*a, **k)\n    return inner\n\n@log\n"
    + STEP,
    "wrapped by update_wrapper": DATA
    + "import functools\ndef log(f):\n    def inner(*a, **k):\n        return f(*a, **k)\n    return functools.update_wrapper(inner, f)\n\n@log\n"
    + STEP,
    "annotations set later": DATA + "def process_data(input_data):\n    return input_data\n\n"
    "process_data.__annotations__ = {'input_data': InferenceData, 'return': InferenceData}\n",
    "annotations taken off": DATA + STEP + "process_data.__annotations__ = {}\n",
    "chosen by a condition": DATA
    + "import os\n"
    + STEP.replace("process_data", "one")
    + "process_data = one if os.sep else None\n",
    "bound by a loop": DATA + STEP.replace("process_data", "one") + "for process_data in (one,):\n    pass\n",
    "bound by globals": DATA + STEP.replace("process_data", "one") + "globals()['process_data'] = one\n",
    "global in a function": DATA
    + "def install():\n    global process_data\n    def process_data(input_data: InferenceData) -> InferenceData:\n        return input_data\n\ninstall()\n",
    "overwritten by a text": DATA + STEP + "process_data = 'done'\n",
    "raise caught": DATA + "try:\n    raise KeyError\nexcept LookupError:\n    pass\n" + STEP,
    "raises at the top": DATA + "raise RuntimeError('not yet')\n" + STEP,
    "division by nought": DATA + "RATE = 1 / 0\n" + STEP,
    "undefined at the top": DATA + "LIMIT = most\n" + STEP,
    "undefined default": DATA + STEP.replace("Data)", "Data = none)"),
    "undefined decorator": DATA + "@timed\n" + STEP,
    "undefined in a function, raised again": DATA
    + "def warm():\n    return missing\ntry:\n    warm()\nexcept NameError as error:\n    raise RuntimeError('cold') from error\n"
    + STEP,
    "bound on one branch": DATA + "import os\nif os.environ.get('LIMIT'):\n    most = 1\nLIMIT = most\n" + STEP,
    "bound by each handler": DATA
    + "try:\n    import nowhere_at_all\nexcept ImportError:\n    nowhere_at_all = None\nprint(nowhere_at_all)\n"
    + STEP,
    "missing in a loop": DATA + "for name in ('a', 'b'):\n    print(name)\n    print(missing)\n" + STEP,
    "missing behind a break": DATA
    + "for name in ('a', 'b'):\n    if name:\n        break\n    print(missing)\n"
    + STEP,
    "return outside": DATA + STEP + "return\n",
    "a parameter twice": DATA + STEP.replace("InferenceData)", "InferenceData, input_data)"),
    "a module of the standard library that went": DATA + "import binhex\nimport asyncore\n" + STEP,
    "a name that a module lacks": DATA + "from math import half\n" + STEP,
    "a helper not there, caught too narrowly": DATA
    + "try:\n    import nowhere_at_all\nexcept AttributeError:\n    nowhere_at_all = None\n"
    + STEP,
    "a file read at the top": DATA + "TEXT = open('conf.json').read()\n" + STEP,
    "a builder beside it": DATA + "from mac.inference.creation import InferenceBuilder\n" + STEP,
}
