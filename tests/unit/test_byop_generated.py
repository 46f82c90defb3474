"""Inference code generated around two functions: what is found, refused, rendered."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_wallaroo.config.spec import Project, Reference
from hatch_wallaroo.findings import Level, errors
from hatch_wallaroo.frameworks.byop.family import Custom
from hatch_wallaroo.frameworks.byop.generated import inference_module, module_name
from hatch_wallaroo.frameworks.byop.model_types import Kind
from hatch_wallaroo.frameworks.import_findings import own_paths
from support.byop_projects import byop_spec, checked, generated_example, planned, write

LOAD, PREDICT = Reference("shop.model", "load"), Reference("shop.model", "predict")
MODEL = "def load(folder) -> dict:\n    return {}\n\n\ndef predict(model, inputs):\n    return inputs\n"


def project(tmp_path, text=MODEL, **files):
    write(tmp_path, {"shop/__init__.py": "", "shop/model.py": text, **files})
    return tmp_path


def spec_of(root, **options):
    return byop_spec(root, **{"load": "shop.model:load", "predict": "shop.model:predict", **options})


def one(findings, code):
    found = [each for each in findings if each.code == code]
    assert len(found) == 1, [(each.code, each.message) for each in findings]
    return found[0]


def rendered(spec) -> str:
    layout, _ = planned(spec)
    return layout.entries[0].source.text


def test_example_has_nothing_to_say():
    assert checked(generated_example()) == []
    for release in ("2024.4", "2025.2", "2026.1"):
        assert checked(generated_example(release=release)) == []


def test_layout():
    layout, _ = planned(generated_example())
    assert [each.path for each in layout.entries] == [
        "a-model/inference_flower_clusters.py",
        "a-model/requirements.txt",
        "a-model/artifacts/flower_clusters/__init__.py",
        "a-model/artifacts/flower_clusters/model.py",
        "a-model/artifacts/models/kmeans.pkl",
    ]
    assert layout.entries[1].source.text.strip().splitlines()[-1].startswith("scikit-learn==1.2.2")
    assert [each.label for each in layout.entries][2:] == [
        "src/flower_clusters/__init__.py",
        "src/flower_clusters/model.py",
        "models/kmeans.pkl",
    ]


def test_requirements_are_written_even_if_empty(tmp_path):
    layout, _ = planned(spec_of(project(tmp_path)))
    assert layout.entries[1].path == "a-model/requirements.txt"


def test_facts():
    spec = generated_example()
    assert Custom().inspect(spec, planned(spec)[0]).facts == {
        "code": "generated",
        "module": "inference_flower_clusters.py",
        "load": "flower_clusters.model:load",
        "predict": "flower_clusters.model:predict",
        "asynchronous": False,
        "model_types": ["sklearn.cluster:KMeans"],
        "packages": ["flower_clusters"],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def load(f) -> dict: ...", ["builtins:dict"]),
        ("from sklearn.cluster import KMeans\ndef load(f) -> KMeans: ...", ["sklearn.cluster:KMeans"]),
        ("from sklearn.cluster import KMeans as K\ndef load(f) -> 'K': ...", ["sklearn.cluster:KMeans"]),
        ("import sklearn.cluster as c\ndef load(f) -> c.KMeans: ...", ["sklearn.cluster:KMeans"]),
        ("import sklearn.cluster\ndef load(f) -> sklearn.cluster.KMeans: ...", ["sklearn.cluster:KMeans"]),
        ("import torch\ndef load(f) -> torch.nn.Module: ...", ["torch:nn.Module"]),
        ("class Net: ...\ndef load(f) -> Net: ...", ["shop.model:Net"]),
        ("from shop.nets import Net\ndef load(f) -> Net: ...", ["shop.nets:Net"]),
        ("from .nets import Net as N\ndef load(f) -> N: ...", ["shop.nets:Net"]),
        ("from . import nets\ndef load(f) -> nets.Net: ...", ["shop.nets:Net"]),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.b import C\ndef load(f) -> 'C': ...",
            ["a.b:C"],
        ),
        ("from __future__ import annotations\nfrom a import B\ndef load(f) -> B | None: ...", ["a:B"]),
        ("from typing import Optional\nfrom a import B\ndef load(f) -> Optional[B]: ...", ["a:B"]),
        ("from typing import Union\nfrom a import B, C\ndef load(f) -> Union[B, 'C']: ...", ["a:B", "a:C"]),
        ("from typing import Dict, Any\ndef load(f) -> Dict[str, Any]: ...", ["builtins:dict"]),
        ("def load(f) -> 'tuple[int, str]': ...", ["builtins:tuple"]),
        ("import numpy as np\ndef load(f) -> np.ndarray: ...", ["numpy:ndarray"]),
        ("import numpy.typing as npt\ndef load(f) -> npt.NDArray: ...", ["numpy:ndarray"]),
        ("from typing import Callable\ndef load(f) -> Callable[[int], int]: ...", ["collections.abc:Callable"]),
        ("from a import B\nModel = B\ndef load(f) -> Model: ...", ["a:B"]),
        ("from typing import Any\ndef load(f) -> Any: ...", ["builtins:object"]),
        ("from typing import TypedDict\nclass T(TypedDict):\n    x: int\ndef load(f) -> T: ...", ["builtins:dict"]),
        ("from shop.again import load", ["shop.nets:Net"]),
    ],
)
def test_model_types_from_the_annotation(tmp_path, text, expected):
    root = project(
        tmp_path,
        text + "\n\ndef predict(model, inputs): ...\n",
        **{
            "shop/nets.py": "class Net: ...\n",
            "shop/again.py": "from shop.nets import Net\ndef load(f) -> Net: ...\n",
        },
    )
    spec = spec_of(root)
    types = Custom().inspect(spec, planned(spec)[0]).facts["model_types"]
    assert [each if ":" in each else f"builtins:{each}" for each in types] == expected
    assert not [each for each in checked(spec) if each.code == "WLR506"]
    ast.parse(rendered(spec), feature_version=(3, 8))


@pytest.mark.parametrize(
    "text",
    [
        "def load(f): ...",
        "def load(f) -> whatever: ...",
        "from typing import TypeVar\nT = TypeVar('T')\ndef load(f) -> T: ...",
    ],
)
def test_model_types_that_cannot_be_told(tmp_path, text):
    spec = spec_of(project(tmp_path, "from __future__ import annotations\n" + text + "\ndef predict(m, i): ...\n"))
    finding = one(checked(spec), "WLR506")
    assert finding.level is Level.WARNING
    assert finding.place.file == "shop/model.py"
    assert "byop.model-types" in finding.fix
    assert "return {object}" in rendered(spec)


def test_load_that_returns_none(tmp_path):
    finding = one(checked(spec_of(project(tmp_path, MODEL.replace("-> dict", "-> None")))), "WLR508")
    assert finding.is_error


@pytest.mark.parametrize(
    ("declared", "line", "types"),
    [
        ("sklearn.cluster:KMeans", "from sklearn.cluster import KMeans", "{KMeans}"),
        ("sklearn.cluster.KMeans", "from sklearn.cluster import KMeans", "{KMeans}"),
        ("torch:nn.Module", "from torch import nn", "{nn.Module}"),
        ("dict", None, "{dict}"),
        ("builtins:dict", None, "{dict}"),
        ("shop.model:Net", "from shop.model import Net", "{Net}"),
    ],
)
def test_declared_model_types(tmp_path, declared, line, types):
    spec = spec_of(
        project(tmp_path, MODEL.replace("    return {}", "    return type('Any', (), {})()") + "\nclass Net: ...\n"),
        model_types=(declared,),
    )
    assert not errors(checked(spec))
    text = rendered(spec)
    assert f"return {types}" in text
    assert line is None or line in text


NET = "import functools\nimport numpy as np\n\n\nclass Net:\n    w = 2.0\n\n\nclass Deep(Net): ...\n\n\n"


@pytest.mark.parametrize(
    ("wanted", "given", "refused"),
    [
        ("Net", "[1.0]", "returns a list, but the model is to be of Net"),
        ("Net", "Net", "returns a type, but"),
        ("Net", "np.zeros(3)", "returns an array, but"),
        ("dict", "np.zeros(3)", "returns an array, but"),
        ("dict", "Net()", "returns a Net, but the model is to be of dict"),
        ("Deep", "Net()", "returns a Net, but"),
        ("'Deep | dict'", "Net()", "but the model is to be of Deep or dict"),
        ("int", "2.0", "returns a float, but"),
        ("Net", "Net()", ""),
        ("Net", "Deep()", ""),
        ("'Net | dict'", "{}", ""),
        ("int", "True", ""),
        ("object", "3", ""),
        ("'np.generic'", "np.zeros(3)", ""),
        ("float", "np.zeros(3) @ np.zeros(3)", ""),
        ("dict", "np.load(folder)", ""),
        ("Net", "type('Any', (Net,), {})()", ""),
        ("Net", "folder or Net()", ""),
    ],
)
def test_the_loader_returns_the_class_that_it_is_annotated_with(tmp_path, wanted, given, refused):
    text = (
        f"{NET}def load(folder) -> {wanted}:\n    return {given}\n\n\ndef predict(model, inputs):\n    return inputs\n"
    )
    found = [each for each in checked(spec_of(project(tmp_path, text))) if each.code == "WLR535"]
    assert [each.is_error for each in found] == ([True] if refused else [])
    assert all(refused in each.message and each.place.file == "shop/model.py" for each in found)


@pytest.mark.parametrize(("declared", "refused"), [("dict", False), ("list", True), ("shop.model:Net", True)])
def test_the_loader_returns_a_class_that_is_declared(tmp_path, declared, refused):
    spec = spec_of(project(tmp_path, MODEL + "\nclass Net: ...\n"), model_types=(declared,))
    assert [each.code for each in errors(checked(spec))] == (["WLR535"] if refused else [])


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("return inputs['inputs']", "an array"),
        ("return 2 * inputs['inputs'] + 1", "an array"),
        ("return model.w * inputs['inputs']", "an array"),
        ("return inputs['inputs'] @ inputs['others']", "an array"),
        ("return np.asarray(model.predict(inputs))", "an array"),
        ("return list(inputs)", "a list"),
        ("return [inputs]", "a list"),
        ("return model", ""),
        ("return inputs", ""),
        ("return dict(inputs)", ""),
        ("return inputs['inputs'] @ model.other", ""),
        ("return model * inputs['inputs']", ""),
        ("inputs['inputs'] = {'out': 1}\n    return inputs['inputs']", ""),
        ("prepare(inputs)\n    return inputs['inputs']", ""),
        ("return inputs.get('inputs')", ""),
        ("inputs = prepare(inputs)\n    return inputs['inputs']", ""),
        ("if model:\n        return inputs['inputs']\n    return {'out': inputs['inputs']}", ""),
    ],
)
def test_predict_returns_no_dictionary(tmp_path, body, refused):
    text = (
        f"{NET}def prepare(inputs):\n    inputs['inputs'] = {{}}\n    return inputs\n\n\n"
        f"def load(folder) -> Net:\n    return Net()\n\n\ndef predict(model, inputs):\n    {body}\n"
    )
    found = [each for each in checked(spec_of(project(tmp_path, text))) if each.code == "WLR513"]
    assert [each.message.rpartition(" returns ")[2] for each in found] == ([refused] if refused else [])


def test_a_decorator_may_make_a_dictionary_of_what_predict_yields(tmp_path):
    text = "def whole(f):\n    return lambda *given: dict(f(*given))\n\n\n" + MODEL.replace(
        "def predict(model, inputs):\n    return inputs",
        "@whole\ndef predict(model, inputs):\n    yield 'out', inputs['in']",
    )
    assert checked(spec_of(project(tmp_path, text))) == []


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("shop.model:Nett", 'Did you mean "shop.model:Net"?'),
        ("a:b'c", "package.module:Class"),
        ("class", "package.module:Class"),
        ("import os; os.x", "package.module:Class"),
        ("print", "package.module:Class"),
        ("", "package.module:Class"),
        (":", "package.module:Class"),
    ],
)
def test_bad_model_types(tmp_path, declared, said):
    spec = spec_of(project(tmp_path, MODEL + "\nclass Net: ...\n"), model_types=("dict", declared))
    finding = one(checked(spec), "WLR507")
    assert finding.is_error
    assert said.lower() in finding.fix.lower()
    assert finding.place.key[-2:] == ("model-types", 1)
    ast.parse(rendered(spec))


HOSTILE = [
    "a'b", 'a"b', "a\nb", "a;b", "class", "None", "import", "ä", "ﬁ", "a b", "1a", "", "a-b", "a\\", "__import__('os')", "{{ x }}", "a\0",
]  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("where", ["module", "function", "inner"])
def test_hostile_names_are_refused_before_anything_is_rendered(tmp_path, word, where):
    module, function = {"module": (word, "f"), "function": ("shop.model", word), "inner": (f"shop.{word}.x", "f")}[
        where
    ]
    spec = spec_of(project(tmp_path))
    spec = byop_spec(tmp_path, load=f"{module}:{function}", predict="shop.model:predict")
    result = Custom().plan(spec)
    assert result.layout is None
    assert one(result.findings, "WLR500").place.key[-1] == "load"
    with pytest.raises(ValueError, match="cannot be imported"):
        inference_module(Reference(module, function), PREDICT, [], asynchronous=False)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_rendered_code_is_python_38(asynchronous):
    kinds = [Kind("a", "Net"), Kind("b", "Net"), Kind("b", "Net.Inner"), Kind("builtins", "dict"), Kind("c", "object")]
    text = inference_module(Reference("match", "case"), PREDICT, kinds, asynchronous=asynchronous)
    tree = ast.parse(text, feature_version=(3, 8))
    compile(text, "x", "exec")
    imported = {
        alias.name for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
    }
    assert imported == {"sys", "Path", "Any", "Callable", "Dict", "Set", "np", "Inference", "InferenceBuilder"} - {
        "np"
    } | {"numpy"}
    assert "from b import Net as Net_2" in text
    assert "from c import object as object_2" in text
    assert "return {Net, Net_2, Net_2.Inner, dict, object_2}" in text
    assert ("await" in text) == asynchronous
    assert max(len(line) for line in text.splitlines()) <= 120


def test_names_that_are_names_elsewhere_do_no_harm(tmp_path):
    """Packages and functions called as the names of the generated code."""
    for name in ("config", "self", "Path", "inference", "np_", "load", "predict"):
        text = inference_module(Reference(f"{name}.{name}", name), Reference(name, name), [], asynchronous=False)
        tree = ast.parse(text)
        top = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        assert top == {"_loader", "_predictor", "_model_types", "_arrays", "ModelInference", "ModelInferenceBuilder"}


def test_module_name_does_not_collide():
    assert module_name(Reference("shop.model", "predict")) == "inference_shop.py"


@pytest.mark.parametrize(
    ("load", "predict", "code", "said"),
    [
        ("shop.modle:load", "shop.model:predict", "WLR501", 'Did you mean "shop.model:load"?'),
        ("nowhere:load", "shop.model:predict", "WLR501", "shop"),
        ("shop.model:laod", "shop.model:predict", "WLR502", 'Did you mean "shop.model:load"?'),
        ("shop.model:Net", "shop.model:predict", "WLR502", "load(folder)"),
        ("shop.model:LIMIT", "shop.model:predict", "WLR502", "load(folder)"),
        ("shop.model:load", "shop:model", "WLR502", "predict(model, inputs)"),
    ],
)
def test_references_that_lead_nowhere(tmp_path, load, predict, code, said):
    spec = byop_spec(
        project(tmp_path, MODEL + "\nclass Net: ...\nLIMIT = 3\n", **{"shop/__init__.py": "from . import model\n"}),
        load=load,
        predict=predict,
    )
    finding = one(checked(spec), code)
    assert finding.is_error
    assert said.lower() in finding.fix.lower()


@pytest.mark.parametrize(
    ("definition", "fine"),
    [
        ("def predict(model, inputs): ...", True),
        ("def predict(m, i, threshold=0.5): ...", True),
        ("def predict(*args): ...", True),
        ("def predict(model, inputs, /, *, verbose=False): ...", True),
        ("def predict(model, inputs=None): ...", True),
        ("import functools\n@functools.lru_cache\ndef predict(x): ...", True),
        ("from elsewhere import predict", True),
        ("from functools import partial\npredict = partial(print, 1)", True),
        ("predict = lambda m, i: i", True),
        ("def predict(inputs): ...", False),
        ("def predict(model, inputs, extra): ...", False),
        ("def predict(model, *, inputs): ...", False),
        ("def predict(model, inputs, *, verbose): ...", False),
        ("def predict(): ...", False),
        ("def predict(model, inputs):\n    yield inputs", False),
    ],
)
def test_arguments(tmp_path, definition, fine):
    spec = spec_of(
        project(tmp_path, "def load(folder) -> dict: ...\n" + definition + "\n"), dependencies=("elsewhere",)
    )
    found = [each for each in checked(spec) if each.code == "WLR503"]
    assert bool(found) != fine
    for each in found:
        assert each.is_error
        assert each.place.file == "shop/model.py"


@pytest.mark.parametrize(
    ("release", "fine"), [("2023.2.1", False), ("2024.1", False), ("2024.4", True), ("2026.1", True)]
)
def test_asynchronous_predict(tmp_path, release, fine):
    spec = spec_of(project(tmp_path, MODEL.replace("def predict", "async def predict")), release=release)
    found = checked(spec)
    assert bool(errors(found)) != fine
    if fine:
        assert "async def predict" in rendered(spec)
    else:
        assert "2024.4" in one(found, "WLR504").fix


def test_asynchronous_load(tmp_path):
    spec = spec_of(project(tmp_path, MODEL.replace("def load", "async def load")), release="2026.1")
    assert one(checked(spec), "WLR504").is_error


def test_user_code_is_judged_where_it_is_imported_from(tmp_path):
    text = "import os\nKEY = os.environ['KEY']\nimport cv2, yaml, json, numpy\nfrom .nothing import x\n" + MODEL
    unused = {"shop/train.py": "import matplotlib\nmatch = 1\nimport nowhere.at.all\n", "shop/old.py": "def (:\n"}
    found = checked(spec_of(project(tmp_path, text, **unused), dependencies=("PyYAML==6.0",)))
    assert {each.code for each in found} == {"WLR545", "WLR550", "WLR540"}
    assert "opencv-python" in one(found, "WLR550").fix
    assert all(each.place.file == "shop/model.py" for each in found)


def test_lazy_imports_are_followed(tmp_path):
    text = MODEL.replace("    return inputs", "    from shop import late\n    return inputs")
    found = checked(spec_of(project(tmp_path, text, **{"shop/late.py": "import cv2\n"})))
    assert one(found, "WLR550").place.file == "shop/late.py"


def test_newer_python_in_user_code(tmp_path):
    text = MODEL.replace("def predict(model, inputs)", "def predict(model: dict, inputs: dict[str, int | None])")
    assert {each.code for each in checked(spec_of(project(tmp_path, text)))} == {"WLR552"}
    assert checked(spec_of(project(tmp_path, text), release="2026.1")) == []


@pytest.mark.parametrize("name", ["json", "numpy", "mac", "typing"])
def test_packages_that_hide_others(tmp_path, name):
    write(tmp_path, {f"{name}/__init__.py": MODEL})
    spec = byop_spec(tmp_path, load=f"{name}:load", predict=f"{name}:predict")
    assert one(checked(spec), "WLR505").is_error


@pytest.mark.parametrize("place", ["", "src/"])
@pytest.mark.parametrize("form", ["shop/__init__.py", "shop.py"])
def test_packages_are_found_as_hatchling_finds_them(tmp_path, place, form):
    write(tmp_path, {f"{place}{form}": MODEL})
    layout, findings = planned(byop_spec(tmp_path, load="shop:load", predict="shop:predict"))
    assert not findings
    assert f"a-model/artifacts/{form}" in [each.path for each in layout.entries]


def test_packages_override_what_is_found(tmp_path):
    write(tmp_path, {"lib/shop/__init__.py": MODEL, "a_model/__init__.py": "", "tool.py": ""})
    spec = byop_spec(tmp_path, load="shop:load", predict="shop:predict", packages=("lib/shop", "tool.py"))
    layout, findings = planned(spec)
    assert not findings
    assert [each.path for each in layout.entries][2:] == [
        "a-model/artifacts/shop/__init__.py",
        "a-model/artifacts/tool.py",
    ]


@pytest.mark.parametrize("told", ["src", "./src/", "src/shop/sub"])
def test_the_folder_around_a_package_is_no_package(tmp_path, told):
    write(tmp_path, {"src/shop/__init__.py": "", "src/shop/model.py": MODEL, "src/shop/sub/__init__.py": ""})
    found = checked(spec_of(tmp_path, packages=(told,)))
    assert {each.code for each in found if each.is_error} == {"WLR501"}
    assert {each.fix for each in found if each.is_error} == {'name the package itself in byop.packages: "src/shop"'}


@pytest.mark.parametrize(("place", "named"), [("", "shop"), ("src/", "src/shop")])
@pytest.mark.parametrize("told", [".", "./"])
def test_the_whole_project_is_no_package(tmp_path, place, named, told):
    write(tmp_path, {"pyproject.toml": "", f"{place}shop/__init__.py": "", f"{place}shop/model.py": MODEL})
    (only,) = Custom().plan(spec_of(tmp_path, packages=(told,))).findings
    assert only.code == "WLR512"
    assert only.fix == f'name the package itself in byop.packages: "{named}"'
    assert only.place.key == ("tool", "wallaroo", "byop", "packages", 0)


def test_the_wheels_own_packages_are_taken(tmp_path):
    write(tmp_path, {"lib/shop/__init__.py": MODEL, "lib/extra/__init__.py": "", "a_model/__init__.py": ""})
    told = Project("a-model", "1.0", packages=("lib/shop", "lib/extra"))
    layout, findings = planned(replace(byop_spec(tmp_path, load="shop:load", predict="shop:predict"), project=told))
    assert not findings
    assert [each.path for each in layout.entries][2:] == [
        "a-model/artifacts/extra/__init__.py",
        "a-model/artifacts/shop/__init__.py",
    ]


def test_nothing_to_generate_from(tmp_path):
    result = Custom().plan(byop_spec(tmp_path))
    assert result.layout is None
    assert one(result.findings, "WLR509")


def test_own_requirements_file_does_not_go_along_twice(tmp_path):
    root = project(tmp_path, **{"shop/requirements.txt": "x\n", "data/requirements.txt": "y\n", "data/m.bin": "z"})
    layout, _ = planned(spec_of(root, artifacts=("data",)))
    names = [each.path for each in layout.entries if each.path.endswith("requirements.txt")]
    assert names == ["a-model/requirements.txt"]
    assert {label for label, _ in layout.stripped} >= {"shop/requirements.txt", "data/requirements.txt"}


def test_collisions(tmp_path):
    root = project(tmp_path, **{"m.bin": "1", "artifacts/m.bin": "2"})
    assert one(checked(spec_of(root, artifacts=("m.bin", "artifacts/m.bin"))), "WLR510").is_error
    assert not checked(spec_of(root, artifacts=("m.bin", "shop/model.py")))


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 500 + ")" * 500,
        "x = " + "-" * 5000 + "1",
        "x = " + "+".join(["1"] * 20000),
        "x = " + "f(" * 90 + ")" * 90,
        "if a:\n    b\n" + "elif a:\n    b\n" * 3000,
        "a." * 5000 + "b",
        "def f(:\n",
        "\0",
        "x = '\\N{nothing}'",
        "class A(A): ...\nclass B(C): ...\nclass C(B): ...",
        "A = B\nB = A\ndef load(f) -> A: ...",
        "from shop.model import load\nfrom shop.model import *",
        "import shop.model as m\nload = m.load",
        "# -*- coding: nonsense -*-",
        "\ufeff" + MODEL,
    ],
)
def test_hostile_code_gives_findings_and_no_traceback(tmp_path, text):
    spec = spec_of(project(tmp_path, text))
    checked(spec)
    write(tmp_path, {"own.py": text})
    for release in ("2023.2.1", "2026.1"):
        checked(byop_spec(tmp_path, module="own.py", release=release))


def test_bytes_that_are_no_text(tmp_path):
    root = project(tmp_path)
    (root / "shop" / "model.py").write_bytes(b"\xff\xfe\x00")
    assert errors(checked(spec_of(root)))


def test_a_chain_of_imports_is_followed_to_its_end_or_left(tmp_path):
    files = {f"shop/m{index}.py": f"from shop.m{index + 1} import x\n" for index in range(300)}
    spec = spec_of(project(tmp_path, "import shop.m0\n" + MODEL, **files, **{"shop/m300.py": "x = 1\n"}))
    assert not errors(checked(spec))


def test_environment_variables_of_a_module_that_is_imported_later(tmp_path):
    text = MODEL.replace("    return inputs", "    from shop import late\n    return inputs")
    found = checked(spec_of(project(tmp_path, text, **{"shop/late.py": "import os\nKEY = os.environ['KEY']\n"})))
    assert one(found, "WLR545").place.file == "shop/late.py"


READ_AT_THE_TOP = ("open('models/w.npy', 'rb').read()", "Path('models/w.npy').read_bytes()", "np.load('models/w.npy')")


@pytest.mark.parametrize("reading", READ_AT_THE_TOP)
@pytest.mark.parametrize("module", ["shop/model.py", "shop/tables.py"])
def test_a_file_of_the_working_folder_is_told_where_the_import_reads_it(tmp_path, reading, module):
    tables = f"from pathlib import Path\nimport numpy as np\nTABLE = {reading}\n"
    files = {"shop/tables.py": tables, "models/w.npy": "1"}
    text = tables + MODEL if module == "shop/model.py" else "from shop import tables\n" + MODEL
    finding = one(checked(spec_of(project(tmp_path, text, **files), artifacts=("models",))), "WLR561")
    assert finding.is_error
    assert (finding.place.file, finding.place.line) == (module, 3)
    assert "while it is imported" in finding.message


def test_a_file_that_the_import_does_not_find_beside_it(tmp_path):
    text = "from pathlib import Path\nTABLE = (Path(__file__).parent / 'TABLE').read_text()\n" + MODEL
    root = project(tmp_path, text.replace("TABLE'", "rates.csv'"), **{"shop/rates.csv": "1"})
    assert checked(spec_of(root)) == []
    (root / "shop" / "rates.csv").unlink()
    assert one(checked(spec_of(root)), "WLR560").is_error


def loading(statements: str) -> str:
    """MODEL with statements in load."""
    inside = "".join(f"    {each}\n" for each in statements.splitlines())
    return "import os\nimport numpy as np\nimport elsewhere\n" + MODEL.replace(
        "    return {}", f"{inside}    return {{}}"
    )


@pytest.mark.parametrize("asked", ["exists()", "is_dir()"])
def test_a_folder_that_is_there_tells_nothing_of_what_lies_in_it(tmp_path, asked):
    text = loading(f"sub = folder / 'models'\nif sub.{asked}:\n    np.load(sub / 'v.npy')")
    options = {"artifacts": ("models",), "dependencies": ("elsewhere==1",)}
    root = project(tmp_path, text, **{"models/w.npy": "1"})
    assert one(checked(spec_of(root, **options)), "WLR560").place.line == text[: text.index("np.load")].count("\n") + 1
    write(root, {"shop/model.py": text.replace("models", "extras")})
    assert checked(spec_of(root, **options)) == []


def test_a_path_that_is_handed_on_and_read_later_is_told_once(tmp_path):
    text = loading("path = folder / 'v.npy'\nelsewhere.look(path)\nnp.load(path)\nnp.load(folder / 'u.npy')")
    found = checked(spec_of(project(tmp_path, text), dependencies=("elsewhere==1",)))
    assert [(each.code, each.level, each.place.line) for each in found] == [
        ("WLR560", Level.WARNING, 5),
        ("WLR560", Level.ERROR, 8),
    ]


@pytest.mark.parametrize(
    ("name", "there"),
    [("HOME", True), ("PATH", True), ("LC_CTYPE", True), ("LOG_LEVEL", True), ("USER", False), ("MODEL_HOME", False)],
)
def test_variables_that_the_platform_sets(tmp_path, name, there):
    found = checked(spec_of(project(tmp_path, loading(f"os.environ['{name}']")), dependencies=("elsewhere==1",)))
    assert [each.code for each in found] == ([] if there else ["WLR545"])


def fix_of(root, statements: str, release: str = "2026.1") -> str:
    """The fix of the one thing that is said of statements in load, in a bundle with models/w.npy."""
    spec = spec_of(
        project(root, loading(statements), **{"models/w.npy": "1"}),
        artifacts=("models",),
        dependencies=("elsewhere==1",),
        release=release,
    )
    (found,) = checked(spec)
    return found.fix


@pytest.mark.parametrize(
    ("statements", "fix"),
    [
        ("np.load('models/w.npy')", 'write folder / "models" / "w.npy"'),
        ("np.load('w.npy')", 'write folder / "models" / "w.npy"'),
        ("np.load(folder / 'w.npy')", 'write folder / "models" / "w.npy"'),
        ("np.load(folder / 'models' / 'W.npy')", 'write folder / "models" / "w.npy"'),
        ("os.listdir('models')", 'write folder / "models"'),
        ("open('requirements.txt')", 'write folder.parent / "requirements.txt"'),
        ("np.load('models/v.npy')", 'declare the file in `artifacts`, and write folder / "models" / "v.npy"'),
        (
            "np.load('../v.npy')",
            "copy the file into the project and declare it in `artifacts`; it will lie below folder",
        ),
        ("np.load(folder / 'v.npy')", "declare the file in `artifacts`; it will lie below folder, under its path"),
        (
            "elsewhere.Log(folder / 'log.txt')",
            "declare the file in `artifacts`, unless the code makes it itself; it will",
        ),
    ],
)
def test_the_fix_of_a_path_begins_at_the_folder_that_load_is_given(tmp_path, statements, fix):
    assert fix_of(tmp_path, statements).startswith(fix)


def test_the_fix_of_a_path_names_load_and_its_argument_as_the_code_does(tmp_path):
    text = MODEL.replace("def load(folder)", "def fetch(root)")
    there = {"artifacts": ("models",), "load": "shop.model:fetch"}
    for wrong, fix in {
        text.replace("return {}", "return {1: open('w.npy')}"): 'write root / "models" / "w.npy"',
        text.replace(
            "return inputs", "open('w.npy')\n    return inputs"
        ): 'read it in fetch, which is given the folder: root / "models" / "w.npy"',
    }.items():
        found = checked(spec_of(project(tmp_path, wrong, **{"models/w.npy": "1"}), **there))
        assert one(found, "WLR561").fix == fix
    text = MODEL.replace("def load(folder) -> dict:\n    return {}\n", CLASS)
    found = checked(spec_of(project(tmp_path, text), artifacts=("models",), load="shop.model:Net"))
    assert one(found, "WLR561").fix == 'write below / "models" / "w.npy"'


CLASS = "class Net:\n    def __init__(self, below):\n        self.w = open('w.npy')\n"


@pytest.mark.parametrize(
    "path", ["/home/jo/w.npy", "/Users/jo/models/w.npy", "/root/w.npy", "/mnt/disk/w.npy", "/data/w.npy", "~/w.npy"]
)
@pytest.mark.parametrize(
    "read", ["np.load('{}')", "open('{}', 'rb')", "elsewhere.load('{}')", "elsewhere.Net(path='{}')"]
)
def test_an_absolute_path_of_the_authors_machine(tmp_path, path, read):
    spec = spec_of(
        project(tmp_path, loading(read.format(path)), **{"models/w.npy": "1"}),
        artifacts=("models",),
        dependencies=("elsewhere==1",),
    )
    (finding,) = checked(spec)
    assert (finding.code, finding.level) == ("WLR565", Level.WARNING)
    assert f"{path} when the platform calls load(folder), an absolute path of your machine" in finding.message
    assert finding.fix == 'write folder / "models" / "w.npy"'


@pytest.mark.parametrize(
    "statements",
    [
        "np.load('/tmp/w.npy')",
        "open('/proc/cpuinfo')",
        "open('/dev/null')",
        "open('/etc/hosts')",
        "elsewhere.load('/usr/share/w.npy')",
        "np.load('/models/w.npy')",
        "open('/home/jo/log.txt', 'w')",
        "print('/home/jo/w.npy')",
        "elsewhere.log('/home/jo/w.npy')",
        "elsewhere.save('/home/jo/w.npy')\nnp.load('/home/jo/w.npy')",
        "if os.path.exists('/data/w.npy'):\n    np.load('/data/w.npy')",
        "try:\n    np.load('/data/w.npy')\nexcept OSError:\n    pass",
        "elsewhere.route('/data/items')",
        "os.getenv('DATA', '/data/w.npy')",
    ],
)
def test_absolute_paths_that_the_platform_may_have(tmp_path, statements):
    spec = spec_of(project(tmp_path, loading(statements)), dependencies=("elsewhere==1",))
    assert checked(spec) == []


def test_an_absolute_path_into_the_project_wherever_that_lies(tmp_path):
    text = loading(f"np.load('{tmp_path}/models/w.npy')")
    found = checked(spec_of(project(tmp_path, text), dependencies=("elsewhere==1",)))
    assert one(found, "WLR565").place.line == 5


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/srv/team/shop/models/w.npy", True),
        ("/srv/team/models/w.npy", True),
        ("/srv/w.npy", True),
        ("/other/w.npy", False),
        ("/tmp/w.npy", False),
        ("/usr/share/w.npy", False),
    ],
)
def test_paths_in_and_above_a_project_are_of_its_machine_where_they_are_there(monkeypatch, path, own):
    machine = own_paths(spec_of(Path("/srv/team/shop")))
    assert machine(path) == path.startswith("/srv/team/shop/")
    monkeypatch.setattr("os.path.lexists", lambda _: True)
    assert machine(path) == own


@pytest.mark.parametrize("path", ["C:/Users/jo/w.npy", r"C:\\Users\\jo\\w.npy", r"\\\\disk\\models\\w.npy"])
def test_a_path_of_windows(tmp_path, path):
    found = checked(spec_of(project(tmp_path, loading(f"np.load('{path}')")), dependencies=("elsewhere==1",)))
    finding = one(found, "WLR561")
    assert finding.is_error
    assert "by a path of Windows" in finding.message
    assert "working folder" not in finding.message
