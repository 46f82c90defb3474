"""Own inference classes: the bundle's layout and the findings of all checks together."""

from __future__ import annotations

import pytest

from hatch_wallaroo.findings import Level, errors
from hatch_wallaroo.frameworks.byop.family import Custom
from support.byop_cases import CASES, GOOD
from support.byop_projects import byop_spec, checked, own_example, planned, write

PATH = 'import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent / "artifacts"))\n'


def codes(findings):
    return sorted({each.code for each in findings})


def test_example_has_nothing_to_say():
    for release in ("2023.2.1", "2024.1", "2025.2", "2026.1"):
        assert checked(own_example(release=release)) == []


def test_layout_and_facts():
    spec = own_example()
    layout, _ = planned(spec)
    assert [each.path for each in layout.entries] == [
        "a-model/inference.py",
        "a-model/requirements.txt",
        "a-model/artifacts/bike_features/__init__.py",
        "a-model/artifacts/weights.npz",
    ]
    assert Custom().inspect(spec, layout).facts == {
        "code": "own",
        "module": "inference.py",
        "inference": "BikeInference",
        "builder": "BikeInferenceBuilder",
        "packages": ["bike_features"],
    }


def test_only_the_module_lies_where_the_platform_executes_code(tmp_path):
    """setup.py, tests and notebooks' checkpoints of the project never reach the levels that are executed."""
    write(
        tmp_path,
        {
            "inference.py": GOOD,
            "setup.py": "from setuptools import setup\nsetup()\n",
            "tests/test_x.py": "import pytest\n",
            "a_model/__init__.py": "",
            "a_model/.ipynb_checkpoints/x-checkpoint.py": GOOD,
            "lib/helper.py": GOOD,
        },
    )
    spec = byop_spec(tmp_path, module="inference.py", artifacts=("lib",), release="2026.1")
    layout, findings = planned(spec)
    assert not findings
    python = [each.path for each in layout.entries if each.path.endswith(".py")]
    assert python == [
        "a-model/inference.py",
        "a-model/artifacts/a_model/__init__.py",
        "a-model/artifacts/lib/helper.py",
    ]
    assert checked(spec) == []


def test_the_module_does_not_go_along_twice(tmp_path):
    write(tmp_path, {"a_model.py": GOOD})
    layout, _ = planned(byop_spec(tmp_path, module="a_model.py", artifacts=("a_model.py",)))
    assert [each.path for each in layout.entries] == ["a-model/a_model.py", "a-model/requirements.txt"]


@pytest.mark.parametrize(
    ("module", "said"), [("nothing.py", "nothing.py"), ("notes.txt", "no .py file"), ("folder", "folder")]
)
def test_modules_that_are_none(tmp_path, module, said):
    write(tmp_path, {"notes.txt": "", "folder/x.py": ""})
    result = Custom().plan(byop_spec(tmp_path, module=module))
    assert result.layout is None
    assert any(said in each.message and each.place.key for each in result.findings)


RESULT = 'return {"predictions": input_data["inputs"] @ self.model.w}'
OWN = f"\n    def predict(self, input_data):\n        {RESULT}\n"
BY_TURNS = OWN.replace(RESULT, "for each in self._predict(input_data):\n            return each")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("pass", "returns nothing"),
        ("return [input_data]", "returns a list"),
        ("return input_data['inputs'] * 2", "returns an array"),
        ("return np.asarray(self.model.w)", "returns an array"),
        ("yield input_data", "yields, so calling it gives a generator"),
        ("return input_data", ""),
        ("return self.model.w * input_data['inputs']", ""),
        ("pass" + OWN, ""),
        ("raise NotImplementedError" + OWN, ""),
        ("yield input_data" + BY_TURNS, ""),
        ("raise NotImplementedError" + BY_TURNS, "raises NotImplementedError"),
    ],
)
@pytest.mark.parametrize("release", ["2023.2.1", "2026.1"])
def test_what_a_prediction_returns(tmp_path, body, said, release):
    write(tmp_path, {"inference.py": GOOD.replace(RESULT, body)})
    found = checked(byop_spec(tmp_path, module="inference.py", release=release))
    assert [each.is_error for each in found] == ([True] if said else [])
    assert all(said in each.message for each in found)


@pytest.mark.parametrize(
    ("model", "types", "refused"),
    [
        ("dict(w=1)", "{Linear}", True),
        ("np.zeros(3)", "{Linear}", True),
        ("np.zeros(3)", "{np.ndarray}", False),
        ("[1.0]", "{np.ndarray}", True),
        ("True", "{int}", False),
        ("np.zeros(3) * 2", "{float}", False),
        ("np.load('x')", "{Linear}", False),
    ],
)
def test_the_class_of_the_model(tmp_path, model, types, refused):
    text = GOOD.replace("inference.model = Linear()", f"inference.model = {model}").replace("{Linear}", types)
    write(tmp_path, {"inference.py": text})
    found = [each.code for each in checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))]
    assert ("WLR535" in found) == refused


def test_a_member_that_is_missing_is_told_with_what_to_write(tmp_path):
    write(tmp_path, {"inference.py": CASES["no create"]["main.py"]})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))
    assert "def create(self, config)" in finding.fix


def test_the_validators_rules_hold_only_where_there_is_a_validator(tmp_path):
    write(tmp_path, {"inference.py": CASES["postponed"]["main.py"]})
    assert checked(byop_spec(tmp_path, module="inference.py", release="2025.1")) == []
    (finding, *others) = checked(byop_spec(tmp_path, module="inference.py", release="2025.2"))
    assert finding.code == "WLR530"
    assert finding.place.line == 1
    assert codes(others) in ([], ["WLR530"])


def test_everything_is_said_at_once(tmp_path):
    text = (
        GOOD.replace("@Inference.model.setter\n    def model", "def set_model")
        .replace("input_data: InferenceData", "data")
        .replace('input_data["inputs"]', 'data["inputs"]')
        .replace(" -> InferenceData", "")
        .replace("    def create", "    def make")
        + "\n\nX = UNDEFINED\nimport cv2\n"
    )
    write(tmp_path, {"inference.py": text})
    found = checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))
    assert set(codes(found)) >= {"WLR525", "WLR527", "WLR528", "WLR529", "WLR543", "WLR550"}
    assert all(each.fix and each.message for each in found)


@pytest.mark.parametrize("where", ["", "code/"])
def test_a_sibling_that_is_not_in_the_bundle(tmp_path, where):
    write(tmp_path, {f"{where}inference.py": "import helper\n" + GOOD, f"{where}helper.py": ""})
    found = checked(byop_spec(tmp_path, module=f"{where}inference.py", release="2026.1"))
    (finding,) = found
    assert finding.code == "WLR540"
    assert finding.is_error
    assert "byop.packages" in finding.fix
    assert "sys.path" in finding.fix


def test_a_declared_package_of_the_same_name_as_a_folder_is_no_sibling(tmp_path):
    write(tmp_path, {"inference.py": "import torch\n" + GOOD, "torch/notes.txt": ""})
    assert checked(byop_spec(tmp_path, module="inference.py", dependencies=("torch==2.0",))) == []


@pytest.mark.parametrize(
    ("expression", "fix"),
    [
        ('config.model_path / "w.npy"', 'config.model_path / "artifacts" / "data" / "w.npy"'),
        ('config.model_path / "data" / "w.npy"', 'config.model_path / "artifacts" / "data" / "w.npy"'),
        ('config.model_path.joinpath("artifacts", "x.npy")', "Declare the file"),
        ('os.path.join(config.model_path, "data/w.npy")', 'config.model_path / "artifacts" / "data" / "w.npy"'),
        ('str(config.model_path / "w.npy")', 'config.model_path / "artifacts" / "data" / "w.npy"'),
        ('config.model_path / "artifacts" / "data" / "w.npy"', None),
        ('config.model_path / "artifacts/data"', None),
        ('config.model_path / "artifacts"', None),
        ('Path(config.model_path) / "artifacts" / "data" / "w.npy"', None),
        ('config.model_path / "artifacts" / name', None),
        ("config.model_path / name", None),
        ("config.model_path", None),
        ('os.path.join(config.model_path, "artifacts", "data", "w.npy")', None),
        ('f"{config.model_path}/data/w.npy"', 'config.model_path / "artifacts" / "data" / "w.npy"'),
        ('f"{config.model_path}/artifacts/data/w.npy"', None),
        ('f"{config.model_path}/{name}"', None),
        ('other.path / "w.npy"', None),
    ],
)
def test_files_below_model_path(tmp_path, expression, fix):
    text = "import os\nfrom pathlib import Path\nname = 'x'.lower()\nother = None\n" + GOOD.replace(
        "        inference.model = Linear()", f"        path = {expression}\n        inference.model = Linear()"
    )
    write(tmp_path, {"inference.py": text, "data/w.npy": "1"})
    found = checked(byop_spec(tmp_path, module="inference.py", artifacts=("data",), release="2026.1"))
    if fix is None:
        assert found == []
    else:
        (finding,) = found
        assert finding.code == "WLR560"
        assert finding.level is Level.WARNING
        assert fix.lower() in finding.fix.lower()


MADE = {
    "saved": "np.save(root / 'x.npy', np.arange(4.0))",
    "saved by another name": "for name in ('x.npy', 'y.npy'):\n            np.save(root / name, np.arange(4.0))",
    "opened by another name": "for name in ('x.npy', 'y.npy'):\n            open(root / name, 'wb').close()",
    "copied": "shutil.copy(root / 'artifacts' / 'w.npy', root / 'x.npy')",
    "linked": "os.symlink(root / 'artifacts' / 'w.npy', root / 'x.npy')",
    "unpacked": "zipfile.ZipFile(root / 'artifacts' / 'w.npy').extractall(root)",
    "packed first": "zipfile.ZipFile(root / 'x.npy', 'w').close()",
    "made by another program": "os.system(f'cp {root}/artifacts/w.npy {root}/x.npy')",
    "given to what nobody knows": "somewhere.fetch(root)",
    "decorated": "prepare(root)",
}
HELPERS = "import os, shutil, zipfile\nsomewhere = zipfile\n@somewhere.retried\ndef prepare(root):\n    pass\n"


@pytest.mark.parametrize("making", MADE.values(), ids=MADE.keys())
def test_a_file_that_the_code_may_have_made_is_no_error(tmp_path, making):
    body = f"root = config.model_path\n        {making}\n        np.load(root / 'x.npy')\n        "
    write(
        tmp_path,
        {"inference.py": HELPERS + GOOD.replace("inference.model = L", f"{body}inference.model = L"), "w.npy": "1"},
    )
    found = checked(byop_spec(tmp_path, module="inference.py", artifacts=("w.npy",), release="2026.1"))
    assert [each for each in found if each.is_error] == []


@pytest.mark.parametrize(
    "reading",
    [
        "np.load(root / 'x.npy')",
        "print(root)\n        np.load(root / 'x.npy')",
        "shutil.copy(root / 'x.npy', root / 'y.npy')",
        "np.load(Path(__file__).with_name('x.npy'))",
    ],
)
def test_a_file_that_nothing_makes_is_an_error(tmp_path, reading):
    body = f"root = config.model_path\n        {reading}\n        "
    helpers = f"from pathlib import Path\n{HELPERS}"
    write(
        tmp_path,
        {"inference.py": helpers + GOOD.replace("inference.model = L", f"{body}inference.model = L"), "w.npy": "1"},
    )
    found = checked(byop_spec(tmp_path, module="inference.py", artifacts=("w.npy",), release="2026.1"))
    assert [each.code for each in found if each.is_error] == ["WLR560"]


@pytest.mark.parametrize(
    ("where", "reading", "fix"),
    [
        ("create", "np.load('data/w.npy')", 'write config.model_path / "artifacts" / "data" / "w.npy"'),
        ("create", "np.load('/home/jo/w.npy')", 'write config.model_path / "artifacts" / "data" / "w.npy"'),
        ("create", "np.load(config.model_path / 'W.npy')", 'write config.model_path / "artifacts" / "data" / "w.npy"'),
        (
            "create",
            "np.load('data/v.npy')",
            'declare the file in `artifacts`, and write config.model_path / "artifacts" /',
        ),
        (
            "create",
            "np.load(config.model_path / 'v.npy')",
            "declare the file in `artifacts`; it will lie below config.mod",
        ),
        ("top", "np.load('data/w.npy')", "read it in create, which is given the config: config.model_path / "),
        (
            "top",
            "np.load('/home/jo/v.npy')",
            "copy the file into the project and declare it in `artifacts`, and read it",
        ),
    ],
)
def test_the_fix_of_a_path_begins_at_the_config(tmp_path, where, reading, fix):
    inside = GOOD.replace("        inference.model", f"        {reading}\n        inference.model")
    text = inside if where == "create" else f"import numpy as np\n{reading}\n{GOOD}"
    write(tmp_path, {"inference.py": text, "data/w.npy": "1"})
    (found,) = checked(byop_spec(tmp_path, module="inference.py", artifacts=("data",), release="2026.1"))
    assert found.fix.startswith(fix)


def test_an_artifact_that_is_not_there_is_told_once(tmp_path):
    path = 'path = config.model_path / "artifacts" / "data" / "w.npy"'
    text = GOOD.replace("        inference.model = Linear()", f"        {path}\n        inference.model = Linear()")
    write(tmp_path, {"inference.py": text, "data/v.npy": "1"})
    found = checked(byop_spec(tmp_path, module="inference.py", artifacts=("data/w.npy",), release="2026.1"))
    assert [each.code for each in found] == ["WLR201"]


@pytest.mark.parametrize(
    ("imported", "declared", "named"),
    [
        ("import sklearn", ("scikit-learn==1.2.2",), None),
        ("import sklearn", ("Scikit_Learn",), None),
        ("import sklearn", (), "scikit-learn"),
        ("import scipy", ("scikit-learn",), None),
        ("import cv2", ("opencv-python-headless",), None),
        ("from PIL import Image", ("Pillow>=9",), None),
        ("from PIL import Image", (), "pillow"),
        ("import yaml", ("pyyaml",), None),
        ("import bs4", (), "beautifulsoup4"),
        ("import numpy, pandas, pyarrow, json, distutils", (), None),
        ("from google.cloud import storage", (), None),
        ("import some_thing.inner", ("some-thing[extra]>=1 ; python_version > '3.7'",), None),
        ("import some_thing", (), "some-thing"),
        ("try:\n    import cupy\nexcept ImportError:\n    cupy = None", (), None),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", (), None),
        ("def f():\n    import torch", (), "torch"),
    ],
)
def test_undeclared_imports(tmp_path, imported, declared, named):
    write(tmp_path, {"inference.py": imported + "\n" + GOOD})
    found = [
        each
        for each in checked(byop_spec(tmp_path, module="inference.py", dependencies=declared))
        if each.code[:5] == "WLR55"
    ]
    if named is None:
        assert found == []
    else:
        (finding,) = found
        assert finding.code == "WLR550"
        assert finding.level is Level.WARNING
        assert named in finding.fix


def test_a_package_is_named_once(tmp_path):
    write(tmp_path, {"inference.py": "import cv2\nimport cv2.aruco\nfrom cv2 import imread\n" + GOOD})
    assert codes(checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))) == ["WLR550"]
    assert len(checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))) == 1


@pytest.mark.parametrize(
    ("code", "since"),
    [
        ("def f():\n    try:\n        pass\n    except* ValueError:\n        pass", (3, 11)),
        ("def f():\n    return zip([], [], strict=True)", (3, 10)),
        ("def f(x):\n    return isinstance(x, int | str)", (3, 10)),
        ("def f(x, a):\n    return x[*a]", (3, 11)),
        ('X = f"{\'a\'}{"b"}"', (3, 12)),
        ("X = f\"{'\\n'.join('ab')}\"", (3, 12)),
        ("def f[T](x: T) -> T:\n    return x", (3, 12)),
        ("type X = int", (3, 12)),
        ("from datetime import UTC", (3, 11)),
        ("from enum import StrEnum", (3, 11)),
        ("from typing import Annotated", (3, 9)),
        ("import graphlib", (3, 9)),
    ],
)
def test_newer_python(tmp_path, code, since):
    write(tmp_path, {"inference.py": GOOD + "\n\n" + code + "\n"})
    for release, python in (("2023.2.1", (3, 8)), ("2026.1", (3, 10))):
        found = checked(byop_spec(tmp_path, module="inference.py", release=release))
        assert bool(found) == (since > python), [(each.code, each.message) for each in found]


def test_names_that_the_python_of_the_platform_lacks_may_come_from_a_backport(tmp_path):
    text = (
        "try:\n    from functools import cache\nexcept ImportError:\n    from functools import lru_cache as cache\n"
        + GOOD
    )
    write(tmp_path, {"inference.py": text})
    assert not errors(checked(byop_spec(tmp_path, module="inference.py")))


def test_lfs_pointer_in_place_of_the_module_is_left_to_others(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 10\n"
    write(tmp_path, {"inference.py": pointer})
    spec = byop_spec(tmp_path, module="inference.py", release="2026.1")
    assert Custom().inspect(spec, planned(spec)[0]).findings == ()


@pytest.mark.parametrize(
    "case", ["no inference", "no create", "no inference property", "no _predict", "no expected types", "no builder"]
)
def test_what_validator_and_loader_both_say_is_said_once(tmp_path, case):
    write(tmp_path, {"inference.py": CASES[case]["main.py"]})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", release="2026.1"))
    assert finding.is_error


def test_a_package_that_is_in_the_bundle_but_not_on_the_path(tmp_path):
    text = "import os, sys\nsys.path.append(os.path.dirname(__file__))\nfrom parts.inner import x\n" + GOOD
    write(tmp_path, {"inference.py": text, "parts/__init__.py": "", "parts/inner.py": "x = 1\n"})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", packages=("parts",)))
    assert finding.code == "WLR540"
    assert "byop.packages" not in finding.fix
    assert finding.fix.endswith('sys.path.insert(0, str(Path(__file__).parent / "artifacts"))')


@pytest.mark.parametrize(
    ("statement", "missing", "fix"),
    [
        ("from .iner import x", "iner", "did you mean inner?"),
        ("import parts.zzz", "zzz", "it has inner, model"),
        ("from parts.inner.deep import x", "deep", "a single file"),
    ],
)
def test_a_module_that_its_package_does_not_have(tmp_path, statement, missing, fix):
    text = PATH + "from parts.model import x\n" + GOOD
    files = {"parts/__init__.py": "", "parts/inner.py": "x = 1\n", "parts/model.py": f"{statement}\nx = 1\n"}
    write(tmp_path, {"inference.py": text, **files})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", packages=("parts",)))
    assert (finding.code, finding.is_error) == ("WLR540", True)
    assert f"no module {missing}" in finding.message
    assert fix in finding.fix
    assert "byop.packages" not in finding.fix
    assert "sys.path" not in finding.fix


def test_a_relative_import_at_the_top_of_artifacts(tmp_path):
    write(tmp_path, {"inference.py": PATH + "import m\n" + GOOD, "m.py": "from . import helper\n", "helper.py": ""})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", packages=("m.py", "helper.py")))
    assert finding.code == "WLR541"
    assert "belongs to no package" in finding.message
    assert finding.fix == "write it without the dot: import helper"


def test_a_relative_import_that_goes_above_its_package(tmp_path):
    text = PATH + "import parts.model\n" + GOOD
    write(tmp_path, {"inference.py": text, "parts/__init__.py": "", "parts/model.py": "from ..other import x\n"})
    (finding,) = checked(byop_spec(tmp_path, module="inference.py", packages=("parts",)))
    assert finding.code == "WLR541"
    assert "goes above its package parts" in finding.message
    assert "artifacts/artifacts" not in finding.fix


def test_code_nested_too_deeply_is_left_unjudged_with_a_note(tmp_path):
    chain = "import os\nif os.name == 'a':\n    x = 0\n" + "".join(
        f"elif os.name == 'a{number}':\n    x = {number}\n" for number in range(600)
    )
    write(
        tmp_path, {"inference.py": chain + GOOD, "shop.py": chain + "def load(folder): ...\ndef predict(a, b): ...\n"}
    )
    for options in ({"module": "inference.py"}, {"load": "shop:load", "predict": "shop:predict"}):
        found = checked(byop_spec(tmp_path, **options))
        assert {(each.code, each.level) for each in found} == {("WLR554", Level.NOTE)}


@pytest.mark.parametrize(
    ("asserted", "level"),
    [
        ("sys.version_info >= (3, 11)", Level.ERROR),
        ("sys.version_info < (3, 10)", Level.ERROR),
        ("False, 'to be written'", Level.ERROR),
        ("sys.version_info >= (3, 10)", None),
        ("sys.version_info[0] == 3", None),
        ("np.pi < 3", None),
    ],
)
def test_an_assertion_that_is_false_there_raises(tmp_path, asserted, level):
    text = f"import sys\nimport numpy as np\nassert {asserted}\n{GOOD}"
    write(tmp_path, {"inference.py": text})
    spec = byop_spec(tmp_path, module="inference.py", release="2026.1")
    assert [(each.code, each.level, each.place.line) for each in checked(spec)] == (
        [("WLR544", level, 3)] if level else []
    )
    for caught in ("AssertionError", "Exception"):
        guarded = text.replace(f"assert {asserted}", f"try:\n    assert {asserted}\nexcept {caught}:\n    pass")
        write(tmp_path, {"inference.py": guarded})
        assert checked(spec) == []
    write(tmp_path, {"inference.py": text.replace("assert ", "if len(sys.argv) > 9:\n    assert ")})
    assert checked(spec) == []
