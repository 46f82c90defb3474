"""Python code that goes around a model, and what it takes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.trees import EXAMPLES, FIXTURES, by_path, found, grow

STATE = FIXTURES / "torch" / "state.pt"
FOREST = FIXTURES / "pickles" / "forest-1.9.1.pkl"
CLASSES = (EXAMPLES / "byop-own-classes" / "inference.py").read_text()
LOAD = "def load(folder):\n    return open(folder / 'models' / 'weights.pt')\n\n\n"
STEP = "from mac.types import InferenceData\n\n\ndef process_data(input_data: InferenceData) -> InferenceData:\n    return {}\n"

# How predict is written, and whether it is taken for one that Wallaroo can call

PREDICTS = {
    "a dict of inputs": ("def predict(model, inputs):\n    return {'y': 1}\n", True),
    "typed": ("def predict(m, x: dict[str, np.ndarray]) -> dict[str, np.ndarray]:\n    return m(x)\n", True),
    "async": ("async def predict(model, inputs):\n    return dict(y=1)\n", True),
    "input_data": ("def predict(model, input_data, *, fast=True):\n    return {k: 1 for k in input_data}\n", True),
    "with an option": ("def predict(model, inputs, fast=True):\n    return {'y': 1}\n", True),
    "rows": ("def predict(model, frame):\n    return {'y': 1}\n", False),
    "an array comes back": ("def predict(model, inputs):\n    return model(inputs)\n", False),
    "one of two returns": (
        "def predict(model, inputs):\n    if model:\n        return 1\n    return {'y': 1}\n",
        False,
    ),
    "nothing comes back": ("def predict(model, inputs):\n    print(inputs)\n", False),
    "one argument": ("def predict(inputs):\n    return {'y': 1}\n", None),
    "three arguments": ("def predict(model, inputs, more):\n    return {'y': 1}\n", None),
    "one by name": ("def predict(model, inputs, *, more):\n    return {'y': 1}\n", None),
    "a class of it": ("class A:\n    def predict(self, model, inputs):\n        return {'y': 1}\n", None),
}


@pytest.mark.parametrize("case", PREDICTS)
def test_a_pair_of_functions(case: str, tmp_path: Path) -> None:
    predict, certain = PREDICTS[case]
    grow(tmp_path, {"src/pkg/__init__.py": "", "src/pkg/serve.py": LOAD + predict, "models/weights.pt": STATE})
    told = by_path(tmp_path)
    if certain is None:
        assert set(told) == {"models/weights.pt"}
        return
    pair = told["src/pkg/serve.py"]
    assert (pair.frameworks, pair.certain) == (("custom",), certain)
    assert pair.table == {
        "artifacts": ["models/weights.pt"],
        "byop": {"load": "pkg.serve:load", "predict": "pkg.serve:predict"},
    }
    assert ("models/weights.pt" in told) == (not certain), "what uncertain code names stays a candidate of its own"


@pytest.mark.parametrize(
    "load",
    ["def load():\n    pass\n", "def load(a, b):\n    pass\n", "def load(path='x'):\n    pass\n",
     "async def load(folder):\n    pass\n", "load = 1\n"],
)  # fmt: skip
def test_what_is_no_load(load: str, tmp_path: Path) -> None:
    grow(tmp_path, {"serve.py": load + PREDICTS["typed"][0], "weights.pt": STATE})
    assert set(by_path(tmp_path)) == {"weights.pt"}


@pytest.mark.parametrize(
    ("path", "module", "packages"),
    [
        ("serve.py", "serve", None),
        ("src/serve.py", "serve", None),
        ("src/a/b/serve.py", "a.b.serve", None),
        ("app/serve.py", "app.serve", ["app"]),
        ("pkg/serve.py", "pkg.serve", None),
        ("my-app/serve.py", None, None),
        ("class/serve.py", "class.serve", ["class"]),
    ],
)
def test_how_functions_are_named(path: str, module: str | None, packages: list[str] | None, tmp_path: Path) -> None:
    grow(tmp_path, {"pkg/__init__.py": "", path: LOAD + PREDICTS["typed"][0], "models/weights.pt": STATE})
    told = by_path(tmp_path).get(path)
    if module is None:
        assert told is None
        return
    assert told is not None
    byop = {"load": f"{module}:load", "predict": f"{module}:predict"}
    assert told.table["byop"] == (byop if packages is None else {**byop, "packages": packages})


def test_artifacts_are_what_the_package_names(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/serve.py": LOAD + PREDICTS["typed"][0],
            "pkg/words.py": "PATH = 'models/words.json'\nOTHER = 'requirements.txt'\n",
            "models/weights.pt": STATE,
            "models/words.json": "{}",
            "models/other.json": "{}",
            "requirements.txt": "numpy\n",
            "forest.pkl": FOREST,
        },
    )
    told = by_path(tmp_path)
    assert told["pkg/serve.py"].table["artifacts"] == ["models/weights.pt", "models/words.json"]
    assert told["pkg/serve.py"].why == "models/weights.pt, models/words.json go along, as the code names them"
    assert told["forest.pkl"].certain, "what nobody names is taken natively"


def test_artifacts_that_nobody_names(tmp_path: Path) -> None:
    code = "def load(folder):\n    return [each for each in folder.iterdir()]\n\n\n" + PREDICTS["typed"][0]
    grow(tmp_path, {"serve.py": code, "a/weights.pt": STATE})
    (pair,) = found(tmp_path).candidates
    assert (pair.certain, pair.table["artifacts"]) == (True, ["a/weights.pt"])
    assert pair.why == "a/weights.pt goes along, as nothing else takes it"


def test_a_pair_without_a_model_is_not_certain(tmp_path: Path) -> None:
    code = "def load(folder):\n    return 1\n\n\n" + PREDICTS["typed"][0]
    grow(tmp_path, {"serve.py": code, "forest.pkl": FOREST})
    told = by_path(tmp_path)
    assert not told["serve.py"].certain
    assert "name it in artifacts" in told["serve.py"].advice
    assert told["forest.pkl"].certain


def test_inference_classes(tmp_path: Path) -> None:
    grow(tmp_path, {"inference.py": CLASSES, "bike_features/__init__.py": "", "artifacts/weights.npz": b"x" * 20})
    (classes,) = found(tmp_path).candidates
    assert (classes.what, classes.certain) == ("inference classes (BYOP)", True)
    assert classes.table == {
        "artifacts": ["artifacts/weights.npz"],
        "byop": {"module": "inference.py", "packages": ["bike_features"]},
    }


def test_inference_classes_that_the_platform_refuses(tmp_path: Path) -> None:
    grow(tmp_path, {"inference.py": CLASSES.replace("def create", "def make"), "bike_features/__init__.py": ""})
    (classes,) = found(tmp_path).candidates
    assert not classes.certain
    assert "create" in classes.advice


@pytest.mark.parametrize(
    ("text", "release", "certain", "advice"),
    [
        (STEP, "2026.1", True, ""),
        (STEP, "2023.4", False, "it is written for Wallaroo 2024.1 or later: choose --release 2026.1, or write"),
        ("def wallaroo_json(data):\n    return [{}]\n", "2023.2.1", True, ""),
        (
            "def wallaroo_json(data):\n    return [{}]\n",
            "2026.1",
            False,
            "it is written for Wallaroo 2023.4 or earlier",
        ),
        (STEP.replace("InferenceData)", "dict)"), "2026.1", False, "write"),
    ],
)
def test_steps(text: str, release: str, certain: bool, advice: str, tmp_path: Path) -> None:
    grow(tmp_path, {"steps/clean.py": text})
    (step,) = found(tmp_path, release).candidates
    assert (step.frameworks, step.certain) == (("python",), certain)
    assert step.advice.startswith(advice)
    assert bool(step.advice) != certain


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test_step.py", STEP),
        ("conftest.py", STEP),
        ("step.py", "# process_data\n"),
        ("step.py", "def process_data(:\n"),
        ("step.py", "def process_data(x):\n    '\udcff'\n"),
        ("step.py", f"process_data = {'(' * 5000}1{')' * 5000}\n"),
        ("step.py", "process_data = " + "-" * 100_000 + "1\n"),
        ("step.py", "process_data\0\n"),
        ("step.py", STEP + "#" * (2 << 20)),
        ("step.txt", STEP),
    ],
)  # fmt: skip
def test_what_is_no_code_of_ours(name: str, text: str, tmp_path: Path) -> None:
    grow(tmp_path, {name: text.encode("utf-8", "surrogateescape")})
    assert found(tmp_path).candidates == ()
