"""Projects of two functions that inference code is generated around, each with one thing peculiar about it.

What the platform says of the generated code is asked when the test runs (tests/mac/test_corpus.py).
"""

from __future__ import annotations

TOP = "from __future__ import annotations\n\nfrom pathlib import Path\n\nimport numpy as np\n"
NET = "\n\nclass Net:\n    def __init__(self, w=2.0):\n        self.w = w\n"
LOAD = "\n\ndef load(folder: Path) -> Net:\n    return Net()\n"
PREDICT = "\n\ndef predict(model, inputs):\n    return {'out': model.w * inputs['inputs']}\n"
WHOLE = TOP + NET + LOAD + PREDICT


def package(model: str = WHOLE, **more: str) -> dict[str, str]:
    """The files of a package `shop` with a module `model`, and more by their paths."""
    return {"shop/__init__.py": "", "shop/model.py": model, **more}


def swapped(old: str, new: str, **more: str) -> dict[str, str]:
    assert old in WHOLE, old
    return package(WHOLE.replace(old, new), **more)


# What is peculiar: the files. The functions are `shop.model:load` and `shop.model:predict`; the artifact `w.txt`.
CASES: dict[str, dict[str, str]] = {
    "plain": package(),
    "below src": {f"src/{path}": text for path, text in package().items()},
    "no __init__": {"shop/model.py": WHOLE},
    "class kept in a sibling": package(
        "from .nets import Net\n" + TOP.partition("\n")[2] + LOAD + PREDICT, **{"shop/nets.py": NET.strip() + "\n"}
    ),
    "sibling not there": package("from .nets import Net\n" + TOP.partition("\n")[2] + LOAD + PREDICT),
    "sibling not there, predicting": swapped("    return {'out'", "    from . import nets\n    return {'out'"),
    "sibling without the name": package(
        "from .nets import Net\n" + TOP.partition("\n")[2] + LOAD + PREDICT, **{"shop/nets.py": "Nett = 1\n"}
    ),
    "loads a number": package(
        TOP + "\n\ndef load(folder) -> int:\n    return 3\n\n\ndef predict(model, inputs):\n    return inputs\n"
    ),
    "loads another class": swapped("    return Net()", "    return [1.0]"),
    "loads nothing": swapped("    return Net()", "    Net()"),
    "loads a subclass": swapped("    return Net()", "    return type('Deep', (Net,), {})()"),
    "loads one of two": swapped("-> Net:", "-> Net | dict:"),
    "the loader takes nothing": swapped("load(folder: Path)", "load()"),
    "the loader takes two": swapped("load(folder: Path)", "load(folder: Path, name)"),
    "the loader takes a default besides": swapped("load(folder: Path)", "load(folder: Path, name='w')"),
    "the loader takes a keyword": swapped("load(folder: Path)", "load(*, folder: Path)"),
    "the loader is async": swapped("def load", "async def load"),
    "predict takes one": swapped("predict(model, inputs)", "predict(inputs)"),
    "predict takes three": swapped("predict(model, inputs)", "predict(model, inputs, config)"),
    "predict takes anything": swapped("def predict(model, inputs):", "def predict(*given):\n    model, inputs = given"),
    "predict by keyword": swapped("predict(model, inputs)", "predict(model, *, inputs)"),
    "predict is async": swapped("def predict", "async def predict"),
    "predict yields": swapped("    return {'out': model.w * inputs['inputs']}", "    yield inputs"),
    "predict gives an array": swapped("{'out': model.w * inputs['inputs']}", "model.w * inputs['inputs']"),
    "predict gives nothing": swapped("    return {'out'", "    {'out'"),
    "predict gives a pair": swapped("return {'out': model.w * inputs['inputs']}", "return inputs, model"),
    "predict gives lists": swapped("model.w * inputs['inputs']", "[model.w for _ in inputs['inputs']]"),
    "predict raises": swapped("return {'out': model.w * inputs['inputs']}", "raise NotImplementedError"),
    "predict misspells": swapped("inputs['inputs']", "input_data['inputs']"),
    "predict asks for what is not there": swapped("model.w *", "model.weight *"),
    "an artifact read": swapped("Net()", "Net(float((folder / 'w.txt').read_text()))", **{"w.txt": "3"}),
    "an artifact not there": swapped("Net()", "Net(float((folder / 'v.txt').read_text()))", **{"w.txt": "3"}),
    "an artifact by the working folder": swapped("Net()", "Net(float(open('w.txt').read()))", **{"w.txt": "3"}),
    "an artifact one folder up": swapped(
        "Net()", "Net(float((folder.parent / 'w.txt').read_text()))", **{"w.txt": "3"}
    ),
    "an artifact by a helper": swapped(
        "\n\ndef load",
        "\n\ndef read(folder):\n    return float(folder.joinpath('w.txt').read_text())\n\n\ndef load",
        **{"w.txt": "3"},
    ),
    "an artifact asked for": swapped(
        "    return Net()", "    return Net(1.0 if (folder / 'v.txt').exists() else 2.0)", **{"w.txt": "3"}
    ),
    "an artifact whose folder was asked for": swapped(
        "    return Net()",
        "    if (folder / 'shop').exists():\n        (folder / 'shop' / 'v.txt').read_text()\n    return Net()",
    ),
    "a table by the working folder, at the top": package(
        WHOLE + "\n\nRATE = float(open('shop/rate.txt').read())\n", **{"shop/rate.txt": "3"}
    ),
    "a table by the working folder, at a sibling's top": package(
        "from .rates import RATE\n" + WHOLE.partition("\n")[2],
        **{"shop/rate.txt": "3", "shop/rates.py": "import pathlib\nRATE = pathlib.Path('shop/rate.txt').read_text()\n"},
    ),
    "a table by the working folder, asked for": package(
        WHOLE + "\n\nimport os\nRATE = open('rate.txt').read() if os.path.exists('rate.txt') else 3\n"
    ),
    "a table beside the module": swapped(
        "Net()", "Net(float((Path(__file__).parent / 'rate.txt').read_text()))", **{"shop/rate.txt": "3"}
    ),
    "a variable needed": swapped("    return Net()", "    import os\n    return Net(os.environ['SOME_KEY'])"),
    "a variable that every process has": swapped(
        "    return Net()", "    import os\n    return Net(float(len(os.environ['PATH'])))"
    ),
    "a variable with a default": swapped(
        "    return Net()", "    import os\n    return Net(float(os.getenv('SOME_KEY', '1')))"
    ),
    "raises at the top": package("raise RuntimeError('no')\n" + WHOLE.partition("\n")[2]),
    "broken": package(WHOLE + "def (:\n"),
    "of NumPy 1.19": swapped("    return Net()", "    return Net(np.float(1))"),
    "of a newer Python": package(WHOLE + "\n\nimport tomllib\n"),
    "functions assigned": package(
        TOP
        + NET
        + LOAD.replace("load", "_load")
        + PREDICT.replace("predict", "_predict")
        + "\n\nload, predict = _load, _predict\n"
    ),
    "functions from elsewhere": package("from shop.inner import load, predict\n", **{"shop/inner.py": WHOLE}),
    "predict replaced by a text": package(WHOLE + "\n\npredict = 'later'\n"),
    "predict wrapped": swapped(
        "\n\ndef predict",
        "\n\nimport functools\n\n\ndef log(f):\n    @functools.wraps(f)\n    def inner(*a):\n        return f(*a)\n    return inner\n\n\n@log\ndef predict",
    ),
    "a class made by a factory": package(
        TOP
        + "\nimport collections\n\nNet = collections.namedtuple('Net', 'w')\n"
        + LOAD.replace("Net()", "Net(2.0)")
        + PREDICT
    ),
    "a circle of two modules": package(
        "from shop import other\n" + WHOLE.partition("\n")[2], **{"shop/other.py": "from shop.model import Net\n"}
    ),
    "the package fails": package(**{"shop/__init__.py": "from .gone import x\n"}),
}
