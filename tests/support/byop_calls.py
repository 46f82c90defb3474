"""Inference code by what happens when the platform calls it: create, the setter, the first request, the files it opens.

Each case with the verdicts of the validator and the loader of 2026.1 and of the loader of 2023.2.1, by reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from support.byop_cases import BUILDER, GOOD, HERE, INFERENCE, LINEAR, PREDICT, SETTER, TYPES, predict


def made(
    before: str = "", create: str = "inference.model = Linear()", swap: Sequence[tuple[str, str]] = ()
) -> dict[str, str]:
    """GOOD with more code `before` the builder, other statements in `create`, and texts swapped."""
    text = GOOD.replace("class TinyBuilder", before + "\nclass TinyBuilder") if before else GOOD
    text = text.replace("inference.model = Linear()", create.replace("\n", "\n        "))
    for old, new in swap:
        assert old in text, old
        text = text.replace(old, new)
    return {"main.py": text}


CASES: dict[str, dict[str, str]] = {
    "another object's model is a dict": made(
        create="other = type('Other', (), {})()\nother.model = {}\ninference.model = Linear()"
    ),
    "another class keeps a dict as model": made(
        "class Holder:\n    def __init__(self):\n        self.model = {}\n\n",
        create="Holder()\ninference.model = Linear()",
    ),
    "wrong model in a try": made(
        create="try:\n    inference.model = [1]\nexcept TypeError:\n    inference.model = Linear()"
    ),
    "wrong model by a helper": made(
        "def attach(inference, model):\n    inference.model = model\n\n", create="attach(inference, 'text')"
    ),
    "wrong model by a keyword": made(
        "def attach(model, to):\n    to.model = model\n\n", create="attach(to=inference, model=Linear)"
    ),
    "registered with an abstract class": made(
        swap=[
            (
                "\nclass TinyInference",
                "\nimport abc\nclass Scorer(abc.ABC): ...\nScorer.register(Linear)\n\nclass TinyInference",
            ),
            ("return {Linear}", "return {Scorer}"),
        ]
    ),
    "a structural type": made(
        swap=[
            (
                "\nclass TinyInference",
                "\nimport typing\n@typing.runtime_checkable\nclass HasW(typing.Protocol):\n    w: Any\n\nclass TinyInference",
            ),
            ("return {Linear}", "return {HasW}"),
        ]
    ),
    "a setter that keeps nothing": made(swap=[("        self._model = model\n", "        model = self._model\n")]),
    "a fresh inference at each look": made(create="self.inference.model = Linear()\ninference = self.inference"),
    "the model under another name": made(create="inference._models = Linear()"),
    "create gives a pair": made(swap=[("        return inference\n", "        return inference, config\n")]),
    "create gives the class": made(swap=[("        return inference\n", "        return TinyInference\n")]),
    "create asks the config for more": made(create="print(config.weights_path)\ninference.model = Linear()"),
    "create calls a method that is not there": made(create="inference.model = self.read_model(config)"),
    "create calls a method of its own": made(
        swap=[
            ("inference.model = Linear()", "inference.model = self.read(config)"),
            ("    def create", "    def read(self, config):\n        return Linear()\n\n    def create"),
        ]
    ),
    "expects one class": made(swap=[("return {Linear}", "return Linear")]),
    "expects nothing": made(swap=[("return {Linear}", "return None")]),
    "expects names": made(swap=[("return {Linear}", "return {'Linear'}")]),
    "raise caught by its own try": {
        "main.py": "try:\n    raise OSError('none')\nexcept EnvironmentError:\n    pass\n" + GOOD
    },
    "own error caught by its base": {
        "main.py": "class Missing(LookupError): ...\ntry:\n    raise Missing()\nexcept LookupError:\n    pass\n" + GOOD
    },
    "raise and caught by a tuple": {
        "main.py": "KINDS = (KeyError, OSError)\ntry:\n    raise FileNotFoundError('x')\nexcept KINDS:\n    pass\n"
        + GOOD
    },
    "raise caught by another kind": {
        "main.py": "try:\n    raise RuntimeError('no')\nexcept ValueError:\n    pass\n" + GOOD
    },
    "a name put among the builtins": {"main.py": "import builtins\nbuiltins.trace = print\ntrace('up')\n" + GOOD},
    "a name put there by setattr": {
        "main.py": "import builtins\nsetattr(builtins, 'trace', print)\ntrace('up')\n" + GOOD
    },
    "predict set after the class": made(
        "def answer(self, input_data: InferenceData) -> InferenceData:\n    return {}\nTinyInference._predict = answer\n\n",
        swap=[(INFERENCE[INFERENCE.index("    def _predict") :], "\n")],
    ),
    "an own base that is imported and not built": {
        "main.py": HERE.format("") + "from base import Base\n" + GOOD,
        "artifacts/x.txt": "",
        "base.py": "from mac.inference import Inference\nclass Base(Inference): ...\n",
    },
    "variable needed by create": made(create="import os\nprint(os.environ['SOME_KEY'])\ninference.model = Linear()"),
    "variable needed by what an import calls": {
        "main.py": "import os\ndef level():\n    return os.environ['SOME_KEY']\nLEVEL = level()\n" + GOOD
    },
    "text opened from the working folder": {
        "main.py": "NAME = 'settings' + '.txt'\nTEXT = open(NAME).read()\n" + GOOD,
        "settings.txt": "x",
    },
    "array loaded from the working folder": made(create="np.load('artifacts/w.npy')\ninference.model = Linear()"),
    "path of the working folder, caught": {
        "main.py": "try:\n    TEXT = open('settings.txt').read()\nexcept OSError:\n    TEXT = ''\n" + GOOD
    },
    "path beside the file": {
        "main.py": "from pathlib import Path\nTEXT = (Path(__file__).parent / 'settings.txt').read_text()\n" + GOOD,
        "settings.txt": "x",
    },
    "path beside the file, not there": {
        "main.py": "from pathlib import Path\nTEXT = (Path(__file__).parent / 'settings.txt').read_text()\n" + GOOD
    },
    "working folder changed first": {
        "main.py": "import os\nos.chdir(os.path.dirname(os.path.abspath(__file__)))\nTEXT = open('settings.txt').read()\n"
        + GOOD,
        "settings.txt": "x",
    },
    "file below model_path by a variable": made(
        create="folder = config.model_path\npath = folder / 'w.txt'\nopen(path)\ninference.model = Linear()"
    ),
    "file below model_path by a constant": {
        "main.py": GOOD.replace("class Linear", "FILE = 'w.txt'\n\n\nclass Linear").replace(
            "inference.model = Linear()", "open(config.model_path / FILE)\n        inference.model = Linear()"
        )
    },
    "file below model_path by plus": made(create="open(str(config.model_path) + '/w.txt')\ninference.model = Linear()"),
    "file below model_path by format": made(
        create="open('{}/w.txt'.format(config.model_path))\ninference.model = Linear()"
    ),
    "file below model_path by percent": made(create="open('%s/w.txt' % config.model_path)\ninference.model = Linear()"),
    "file below model_path by a helper": made(
        "def weights(folder):\n    return folder / 'w.txt'\n\n",
        create="open(weights(config.model_path))\ninference.model = Linear()",
    ),
    "file below model_path that is there": made(
        "def weights(folder):\n    return folder / 'artifacts' / 'w.txt'\n\n",
        create="open(weights(config.model_path))\ninference.model = Linear()",
    )
    | {"artifacts/w.txt": "1"},
    "file below model_path written first": made(
        create="path = config.model_path / 'cache.txt'\npath.write_text('1')\nopen(path)\ninference.model = Linear()"
    ),
    "relative entry of sys.path": {
        "main.py": "import sys\nsys.path.insert(0, 'artifacts')\nimport helper\n" + GOOD,
        "artifacts/helper.py": "",
    },
    "the dot on sys.path": {
        "main.py": "import sys\nsys.path.append('.')\nimport helper\n" + GOOD,
        "artifacts/helper.py": "",
        "helper.py": "",
    },
    "sys.path by a context manager": {
        "main.py": "import contextlib, sys\nfrom pathlib import Path\n@contextlib.contextmanager\ndef below(folder):\n    sys.path.insert(0, str(folder))\n    try:\n        yield\n    finally:\n        sys.path.remove(str(folder))\nwith below(Path(__file__).parent / 'artifacts'):\n    import helper\n"
        + GOOD,
        "artifacts/helper.py": "",
    },
    "model in slots": made(
        swap=[("class TinyInference(Inference):\n", "class TinyInference(Inference):\n    __slots__ = ('_model',)\n")]
    ),
    "model in slots without a setter": made(
        swap=[
            ("class TinyInference(Inference):\n", "class TinyInference(Inference):\n    __slots__ = ('_model',)\n"),
            (SETTER, ""),
        ]
    ),
    "predict raises": made(
        swap=[
            (
                '        return {"predictions": input_data["inputs"] @ self.model.w}\n',
                "        raise NotImplementedError\n",
            )
        ]
    ),
    "predict gives nothing": made(
        swap=[('        return {"predictions": input_data["inputs"] @ self.model.w}\n', "        self.model.w\n")]
    ),
    "recarray in the annotation": {
        "main.py": GOOD.replace("input_data: InferenceData", "input_data: Dict[str, np.recarray]")
    },
    "a new type in the annotation": {
        "main.py": GOOD.replace(
            "\nclass TinyInference",
            "\nimport typing\nColumn = typing.NewType('Column', np.ndarray)\n\nclass TinyInference",
        ).replace("input_data: InferenceData", "input_data: Dict[str, Column]")
    },
    "a new type called like an array": {
        "main.py": GOOD.replace(
            "\nclass TinyInference",
            "\nimport typing\nColumn = typing.NewType('my_ndarray', np.ndarray)\n\nclass TinyInference",
        ).replace("input_data: InferenceData", "input_data: Dict[str, Column]")
    },
    "an inference made with arguments": made(swap=[("return TinyInference()", "return TinyInference(1)")]),
    "a helper called with too little": made(
        "def read(folder, name):\n    return Linear()\n\n", create="inference.model = read(config.model_path)"
    ),
    "a helper called by name": made(
        "def read(folder, name='w', *, deep=False):\n    return Linear()\n\n",
        create="inference.model = read(folder=config.model_path, deep=True)",
    ),
    "a method used like a property": made(swap=[("    @property\n    def inference(self)", "    def inference(self)")]),
    "the module looked up in sys.modules": {"main.py": "import sys\nHERE = sys.modules[__name__]\n" + GOOD},
    "a variable that is not set, used": {
        "main.py": "import os\nKEY = os.getenv('SOME_KEY')\nPARTS = KEY.split(',')\n" + GOOD
    },
    "a variable that is not set, with a default": {
        "main.py": "import os\nPARTS = os.getenv('SOME_KEY', '').split(',')\n" + GOOD
    },
    "star import of a name that is not there": {
        "main.py": HERE.format(" / 'artifacts'") + "from helper import *\n" + GOOD,
        "artifacts/helper.py": "__all__ = ['one', 'two']\none = 1\n",
    },
    "star import of what is there": {
        "main.py": HERE.format(" / 'artifacts'") + "from helper import *\nprint(one)\n" + GOOD,
        "artifacts/helper.py": "__all__ = ['one']\none = two = 1\n",
    },
    "attributes by setattr in a loop": made(
        "class Options:\n    def __init__(self, **given):\n        for name, value in given.items():\n            setattr(self, name, value)\n\n",
        create="options = Options(depth=3)\nprint(options.depth)\ninference.model = Linear()",
    ),
    "attributes by __dict__": made(
        "class Options:\n    def __init__(self, **given):\n        self.__dict__.update(given)\n\n",
        create="options = Options(depth=3)\nprint(options.depth)\ninference.model = Linear()",
    ),
    "attributes by __getattribute__": made(
        "class Options:\n    def __getattribute__(self, name):\n        return 3\n\n",
        create="print(Options().depth)\ninference.model = Linear()",
    ),
    "a metaclass of a base takes the arguments": made(
        "class Meta(type):\n    def __call__(cls, *given):\n        return super().__call__()\nclass Made(metaclass=Meta): ...\nclass Child(Made): ...\n\n",
        create="Child(1, 2)\ninference.model = Linear()",
    ),
    "working folder written first": made(
        create="import os, tempfile\nos.chdir(tempfile.mkdtemp())\nopen('cache.txt', 'w').close()\nopen('cache.txt').close()\ninference.model = Linear()"
    ),
    "working folder made first": {
        "main.py": "import os\nos.makedirs('made-by-a-case', exist_ok=True)\nprint(os.listdir('made-by-a-case'))\nos.rmdir('made-by-a-case')\n"
        + GOOD
    },
    "an own error with a text": {
        "main.py": "class Bad(ValueError): ...\ntry:\n    raise Bad('text')\nexcept Exception as error:\n    print(error.args)\n"
        + GOOD
    },
    "a chat handler that is a lambda": {
        "main.py": GOOD.replace(
            "class TinyBuilder(", "handle_chat_completion = lambda request: request\n\n\nclass TinyBuilder("
        ).replace("input_data: InferenceData", "input_data")
    },
}

# Judged by the platform when the test runs: no verdict is written down (tests/mac/test_corpus.py).
LIVE: dict[str, dict[str, str]] = {
    "bytes for arrays": predict("def _predict(self, input_data: Dict[str, bytes]) -> InferenceData:"),
    "arrays of a masked kind": predict(
        "def _predict(self, input_data: Dict[str, np.ma.MaskedArray]) -> InferenceData:"
    ),
    "matrix": predict("def _predict(self, input_data: Dict[str, np.matrix]) -> InferenceData:"),
    "an optional result": predict("def _predict(self, input_data: InferenceData) -> Optional[InferenceData]:"),
    "annotation by a call": made(
        "",
        swap=[
            ("\nclass TinyInference", "\ndef shape():\n    return InferenceData\n\nclass TinyInference"),
            ("input_data: InferenceData", "input_data: shape()"),
        ],
    ),
    "a generic type of its own": made(
        swap=[
            (
                "\nclass TinyInference",
                "\nimport typing\nV = typing.TypeVar('V')\nTable = Dict[str, V]\n\nclass TinyInference",
            ),
            ("input_data: InferenceData", "input_data: Table[np.ndarray]"),
        ]
    ),
    "a generic type of its own, wrong": made(
        swap=[
            (
                "\nclass TinyInference",
                "\nimport typing\nV = typing.TypeVar('V')\nTable = Dict[str, V]\n\nclass TinyInference",
            ),
            ("input_data: InferenceData", "input_data: Table[int]"),
        ]
    ),
    "annotations set after the class": made(
        "TinyInference._predict.__annotations__ = {'input_data': dict, 'return': InferenceData}\n"
    ),
    "signature hidden by partialmethod": made(
        swap=[
            ("    def _predict(self,", "    def answer(self, depth,"),
            (
                "\nclass TinyBuilder",
                "\nimport functools\nTinyInference._predict = functools.partialmethod(TinyInference.answer, 1)\n\nclass TinyBuilder",
            ),
        ]
    ),
    "builders made by a loop": made(
        "for name in ('One', 'Two'):\n    globals()[name] = type(name, (InferenceBuilder,), {})\n"
    ),
    "a builder made by type()": {
        "main.py": GOOD.replace(BUILDER, "")
        + "def create(self, config):\n    inference = TinyInference()\n    inference.model = Linear()\n    return inference\n\n\n"
        "TinyBuilder = type('TinyBuilder', (InferenceBuilder,), "
        "{'inference': property(lambda self: TinyInference()), 'create': create})\n"
    },
    "a builder replaced by its instance": {"main.py": GOOD + "TinyBuilder = TinyBuilder()\n"},
    "a base class chosen by a condition": made(
        swap=[
            (
                "\nclass TinyInference(Inference)",
                "\nBase = Inference if np.__version__ else object\nclass TinyInference(Base)",
            )
        ]
    ),
    "a class whose base is no class": {"main.py": "class Odd(3.5): ...\n" + GOOD},
    "a class that is final for Python": {"main.py": "class Odd(bool): ...\n" + GOOD},
    "bases in an order Python refuses": {"main.py": "class A: ...\nclass B(A): ...\nclass C(A, B): ...\n" + GOOD},
    "two metaclasses at odds": {
        "main.py": "import abc\nclass M(type): ...\nclass A(metaclass=M): ...\nclass B(abc.ABC, A): ...\n" + GOOD
    },
    "enumeration with a name twice": {
        "main.py": "import enum\nclass Colour(enum.Enum):\n    RED = 1\n    RED = 2\n" + GOOD
    },
    "dataclass with a list as default": {
        "main.py": "import dataclasses\n@dataclasses.dataclass\nclass Row:\n    names: list = []\n" + GOOD
    },
    "dataclass with a field without default last": {
        "main.py": "import dataclasses\n@dataclasses.dataclass\nclass Row:\n    a: int = 1\n    b: int\n" + GOOD
    },
    "a class that asks for a keyword": {
        "main.py": "class Plugin:\n    def __init_subclass__(cls, *, tag): ...\nclass Mine(Plugin): ...\n" + GOOD
    },
    "await outside a function": {"main.py": "import asyncio\nawait asyncio.sleep(0)\n" + GOOD},
    "break outside a loop": {"main.py": "if True:\n    break\n" + GOOD},
    "nonlocal at the top": {"main.py": "nonlocal x\n" + GOOD},
    "a parameter twice": {"main.py": "def f(a, a): ...\n" + GOOD},
    "tabs and blanks mixed": {"main.py": "if True:\n\tx = 1\n        y = 2\n" + GOOD},
    "a name global after its use": {"main.py": "def f():\n    x = 1\n    global x\n" + GOOD},
    "translations installed": {"main.py": "import gettext\ngettext.install('x')\nTITLE = _('Hello')\n" + GOOD},
    "exit as a name": {"main.py": "LEAVE = exit\n" + GOOD},
    "a name used before its line": {"main.py": "LIMIT = most\nmost = 3\n" + GOOD},
    "a loop over nothing binds nothing": {"main.py": "for each in ():\n    pass\nprint(each)\n" + GOOD},
    "the error's name after its handler": {
        "main.py": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    pass\nprint(error)\n" + GOOD
    },
    "division by nought": {"main.py": "RATE = 1 / 0\n" + GOOD},
    "assertion of what is true": {"main.py": "assert np.pi > 3\n" + GOOD},
    "assertion of what is false": {"main.py": "assert False, 'unfinished'\n" + GOOD},
    "assertion of a newer Python": {"main.py": "import sys\nassert sys.version_info >= (3, 12), 'too old'\n" + GOOD},
    "assertion of an older Python": {"main.py": "import sys\nassert sys.version_info >= (3, 6), 'too old'\n" + GOOD},
    "assertion that is caught": {
        "main.py": "import sys\ntry:\n    assert sys.version_info >= (3, 12)\nexcept AssertionError:\n    pass\n" + GOOD
    },
    "module without such a function": {"main.py": "import math\nHALF = math.half(2)\n" + GOOD},
    "an attribute NumPy has no longer": {"main.py": "KIND = np.bool\n" + GOOD},
    "an attribute NumPy has no longer, in create": made(create="print(np.object)\ninference.model = Linear()"),
    "an attribute asked for first": {"main.py": "KIND = np.bool if hasattr(np, 'bool') else np.bool_\n" + GOOD},
    "a standard module that went": {"main.py": "import asynchat, imp\n" + GOOD},
    "a module of a newer Python, by version": {
        "main.py": "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    tomllib = None\n" + GOOD
    },
    "a name of mac that is elsewhere": {"main.py": "from mac.types import InferenceBuilder as Other\n" + GOOD},
    "settings read from the working folder by a helper": {
        "main.py": "import json\ndef settings(path='conf.json'):\n    with open(path) as stream:\n        return json.load(stream)\nCONF = settings()\n"
        + GOOD,
        "conf.json": "{}",
    },
    "settings asked for before they are read": {
        "main.py": "import os\nTEXT = open('conf.json').read() if os.path.exists('conf.json') else '{}'\n" + GOOD
    },
    "weights by joinpath": made(
        create="config.model_path.joinpath('no', 'w.bin').read_bytes()\ninference.model = Linear()"
    ),
    "weights by os.path.join": made(
        create="import os\nopen(os.path.join(config.model_path, 'w.bin'))\ninference.model = Linear()"
    ),
    "weights by a pattern that finds none": made(
        create="next(iter(config.model_path.glob('*.bin')), None)\ninference.model = Linear()"
    ),
    "model_path used as text": made(create="open(config.model_path + '/w.bin')\ninference.model = Linear()"),
    "the config's own fields": made(create="print(config.model_path, config.framework)\ninference.model = Linear()"),
    "a model of slots": made(swap=[("class Linear:\n", "class Linear:\n    __slots__ = ('w',)\n")]),
    "a model of slots that lacks one": made(swap=[("class Linear:\n", "class Linear:\n    __slots__ = ('v',)\n")]),
    "a setter by another name": made(swap=[("    def model(self, model)", "    def set_model(self, model)")]),
    "a setter that calls its base": made(
        swap=[("        self._model = model\n", "        Inference.model.fset(self, model)\n")]
    ),
    "types as a tuple": made(swap=[("return {Linear}", "return (Linear,)")]),
    "types as a frozen set": made(swap=[("return {Linear}", "return frozenset({Linear})")]),
    "types of everything": made(swap=[("return {Linear}", "return {object}")]),
    "types made by type()": made(swap=[("return {Linear}", "return {type(Linear())}")]),
    "types by a class variable": made(
        swap=[
            (
                TYPES,
                "KINDS = {Linear}\n\n    @property\n    def expected_model_types(self):\n        return self.KINDS\n",
            )
        ]
    ),
    "types of what is not defined": made(swap=[("return {Linear}", "return {Linnear}")]),
    "a model by a class method": made(
        create="inference.model = Linear.read()",
        swap=[(LINEAR, LINEAR + "\n    @classmethod\n    def read(cls):\n        return cls()\n")],
    ),
    "a model by a class method that gives another": made(
        create="inference.model = Linear.read()",
        swap=[(LINEAR, LINEAR + "\n    @classmethod\n    def read(cls):\n        return 'linear'\n")],
    ),
    "raise in finally's try": {"main.py": "try:\n    raise LookupError('x')\nfinally:\n    x = 1\n" + GOOD},
    "a class decorator that gives nothing": made(
        swap=[("\nclass TinyInference", "\ndef seen(cls): ...\n\n@seen\nclass TinyInference")]
    ),
    "unpacking too few": {"main.py": "a, b = (1,)\n" + GOOD},
    "predict misspells its input": made(swap=[('input_data["inputs"]', 'input["inputs"]')]),
    "predict names nothing known": made(swap=[('input_data["inputs"]', 'inputs["inputs"]')]),
    "predict calls what the model lacks": made(swap=[("@ self.model.w", "@ self.model.weights")]),
    "predict gives a list": made(
        swap=[('return {"predictions": input_data["inputs"] @ self.model.w}', 'return [input_data["inputs"]]')]
    ),
    "star import brings the bases": {
        "main.py": HERE.format(" / 'artifacts'") + "from bases import *\n" + GOOD[GOOD.index("\n\nclass Linear") :],
        "artifacts/bases.py": GOOD[: GOOD.index("\n\nclass Linear")],
    },
    "star import without the private": {
        "main.py": HERE.format(" / 'artifacts'") + "from helper import *\nprint(_depth)\n" + GOOD,
        "artifacts/helper.py": "_depth = 1\n",
    },
    "a signature read off": {"main.py": GOOD + "import inspect\nprint(inspect.signature(TinyInference._predict))\n"},
    "first request alone": made(swap=[(PREDICT, PREDICT + "\n        self.count = getattr(self, 'count', 0) + 1")]),
}

VERDICTS: dict[str, tuple[str, str, str]] = {
    "another object's model is a dict": ("pass", "pass", "pass"),
    "another class keeps a dict as model": ("pass", "pass", "pass"),
    "wrong model in a try": ("pass", "pass", "pass"),
    "wrong model by a helper": ("pass", "wrong type", "wrong type"),
    "wrong model by a keyword": ("pass", "wrong type", "wrong type"),
    "registered with an abstract class": ("pass", "pass", "pass"),
    "a structural type": ("pass", "pass", "pass"),
    "a setter that keeps nothing": ("pass", "never assigned", "never assigned"),
    "a fresh inference at each look": ("pass", "never assigned", "never assigned"),
    "the model under another name": ("pass", "never assigned", "never assigned"),
    "create gives a pair": ("pass", "no predict", "no predict"),
    "create gives the class": ("pass", "call", "call"),
    "create asks the config for more": ("pass", "no attribute", "no attribute"),
    "create calls a method that is not there": ("pass", "no attribute", "no attribute"),
    "create calls a method of its own": ("pass", "pass", "pass"),
    "expects one class": ("pass", "no set of classes", "no set of classes"),
    "expects nothing": ("pass", "no set of classes", "no set of classes"),
    "expects names": ("pass", "no set of classes", "no set of classes"),
    "raise caught by its own try": ("pass", "pass", "pass"),
    "own error caught by its base": ("pass", "pass", "pass"),
    "raise and caught by a tuple": ("pass", "pass", "pass"),
    "raise caught by another kind": ("raises", "raises", "raises"),
    "a name put among the builtins": ("pass", "pass", "pass"),
    "a name put there by setattr": ("pass", "pass", "pass"),
    "predict set after the class": ("pass", "no _predict", "no _predict"),
    "an own base that is imported and not built": ("several inferences", "pass", "pass"),
    "variable needed by create": ("pass", "variable", "variable"),
    "variable needed by what an import calls": ("variable", "variable", "variable"),
    "text opened from the working folder": ("file not found", "file not found", "file not found"),
    "array loaded from the working folder": ("pass", "file not found", "file not found"),
    "path of the working folder, caught": ("pass", "pass", "pass"),
    "path beside the file": ("pass", "pass", "pass"),
    "path beside the file, not there": ("file not found", "file not found", "file not found"),
    "working folder changed first": ("pass", "pass", "pass"),
    "file below model_path by a variable": ("pass", "file not found", "file not found"),
    "file below model_path by a constant": ("pass", "file not found", "file not found"),
    "file below model_path by plus": ("pass", "file not found", "file not found"),
    "file below model_path by format": ("pass", "file not found", "file not found"),
    "file below model_path by percent": ("pass", "file not found", "file not found"),
    "file below model_path by a helper": ("pass", "file not found", "file not found"),
    "file below model_path that is there": ("pass", "pass", "pass"),
    "file below model_path written first": ("pass", "pass", "pass"),
    "relative entry of sys.path": ("no module", "no module", "no module"),
    "the dot on sys.path": ("no module", "no module", "no module"),
    "sys.path by a context manager": ("pass", "pass", "pass"),
    "model in slots": ("pass", "pass", "pass"),
    "model in slots without a setter": ("pass", "no setter", "no setter"),
    "predict raises": ("pass", "not implemented", "not implemented"),
    "predict gives nothing": ("pass", "nothing returned", "nothing returned"),
    "recarray in the annotation": ("input_data", "pass", "pass"),
    "a new type in the annotation": ("input_data", "pass", "pass"),
    "a new type called like an array": ("pass", "pass", "pass"),
    "an inference made with arguments": ("pass", "call", "call"),
    "a helper called with too little": ("pass", "call", "call"),
    "a helper called by name": ("pass", "pass", "pass"),
    "a method used like a property": ("pass", "no attribute", "no attribute"),
    "the module looked up in sys.modules": ("not registered", "not registered", "not registered"),
    "a variable that is not set, used": ("variable", "variable", "variable"),
    "a variable that is not set, with a default": ("pass", "pass", "pass"),
    "star import of a name that is not there": ("no such name", "no such name", "no such name"),
    "star import of what is there": ("pass", "pass", "pass"),
    "attributes by setattr in a loop": ("pass", "pass", "pass"),
    "attributes by __dict__": ("pass", "pass", "pass"),
    "attributes by __getattribute__": ("pass", "pass", "pass"),
    "a metaclass of a base takes the arguments": ("pass", "pass", "pass"),
    "working folder written first": ("pass", "pass", "pass"),
    "working folder made first": ("pass", "pass", "pass"),
    "an own error with a text": ("pass", "pass", "pass"),
    "a chat handler that is a lambda": ("pass", "pass", "pass"),
}
