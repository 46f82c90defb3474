"""Fixes of requirements: the line that is missing, where the model's requirements come from, and no guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_wallaroo.python import distributions
from support.mending import HEAD, codes, mend, planned

MODEL = """[tool.wallaroo]
framework = "custom"
release = "2025.1"
input-schema = { x = "float64" }
output-schema = { x = "float64" }
byop = { load = "prices:load", predict = "prices:predict" }
"""
CODE = "import sklearn.cluster\n\n\ndef load(folder) -> object: ...\n\n\ndef predict(model, inputs): ...\n"


def made(root: Path, table: str = "", head: str = HEAD, code: str = CODE, **files: str) -> Path:
    (root / "pyproject.toml").write_bytes((head + MODEL + table).encode())
    (root / "prices.py").write_text(code)
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def with_dependencies(lines: str) -> str:
    return HEAD.replace('version = "1.0"\n', f'version = "1.0"\n{lines}\n')


def text(root: Path, file: str = "pyproject.toml") -> str:
    return (root / file).read_bytes().decode()


def test_into_the_project_s_dependencies(tmp_path):
    lines = 'dependencies = [ # pinned\n    "numpy==1.26.0",  # arrays\n]'
    root = made(tmp_path, head=with_dependencies(lines))
    done = mend(root)
    assert done.done == (("WLR550",),)
    assert done.said == ("project.dependencies asks for scikit-learn",)
    assert "WLR550" not in done.left
    expected = '"numpy==1.26.0",  # arrays\n    "scikit-learn",\n]'
    assert text(root) == with_dependencies(lines).replace('"numpy==1.26.0",  # arrays\n]', expected) + MODEL


def test_into_dependencies_that_are_not_there_yet(tmp_path):
    root = made(tmp_path)
    assert "WLR550" not in mend(root).left
    assert text(root) == HEAD.replace('version = "1.0"\n', 'version = "1.0"\ndependencies = ["scikit-learn"]\n') + MODEL


def test_into_the_model_s_own_list(tmp_path):
    root = made(tmp_path, 'requirements = ["numpy==1.26.0"] # own\n')
    mend(root)
    assert text(root) == f'{HEAD}{MODEL}requirements = ["numpy==1.26.0", "scikit-learn"] # own\n'


def test_into_the_list_that_models_share_once(tmp_path):
    shared = MODEL.replace("byop =", 'requirements = ["numpy==1.26.0"]\nbyop =')
    (tmp_path / "pyproject.toml").write_text(f"{HEAD}{shared}[tool.wallaroo.models]\na = {{}}\nb = {{}}\n")
    (tmp_path / "prices.py").write_text(CODE)
    done = mend(tmp_path)
    assert done.said == ("tool.wallaroo.requirements asks for scikit-learn",)
    assert 'requirements = ["numpy==1.26.0", "scikit-learn"]' in text(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("numpy==1.26.0\n", "numpy==1.26.0\nscikit-learn\n"),
        ("numpy==1.26.0", "numpy==1.26.0\nscikit-learn\n"),
        ("# none yet\r\n", "# none yet\r\nscikit-learn\r\n"),
        ("", "scikit-learn\n"),
        ("\ufeffnumpy==1.26.0\n", "\ufeffnumpy==1.26.0\nscikit-learn\n"),
    ],
)
def test_into_a_file(before, after, tmp_path):
    root = made(tmp_path, 'requirements = "reqs/model.txt"\n', reqs__model_txt=before)
    done = mend(root)
    assert done.said == ("reqs/model.txt asks for scikit-learn",)
    assert text(root, "reqs/model.txt") == after
    assert text(root) == f'{HEAD}{MODEL}requirements = "reqs/model.txt"\n'


LOCKED = "numpy==1.26.0 --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize(
    ("table", "files"),
    [
        ('requirements = "r.txt"\n', {"r_txt": LOCKED}),
        ('requirements = "r.txt"\n', {"r_txt": "numpy==1.26.0 \\\n"}),
        ('requirements = "r.txt"\n', {"r_txt": "scikit-learn==1.3.0; python_version < '3'\n"}),
        ("requirements = [\"scikit-learn; sys_platform == 'win32'\"]\n", {}),
    ],
    ids=["hashes", "a line that goes on", "there for another Python", "there for another system"],
)
def test_no_line_that_would_break_the_others(table, files, tmp_path):
    root = made(tmp_path, table, **files)
    assert "WLR550" in codes(root)
    assert planned(root).fixes == ()


def test_no_line_beside_a_lock(tmp_path):
    root = made(tmp_path, "lock = true\n")
    (root / "pylock.toml").write_text("lock-version = '1.0'\ncreated-by = 'x'\npackages = []\n")
    assert "WLR550" in codes(root)
    assert planned(root).fixes == ()


def test_no_line_where_the_dependencies_are_computed(tmp_path):
    (tmp_path / "hatch_build.py").write_text(
        "from hatchling.metadata.plugin.interface import MetadataHookInterface\n\n\n"
        "class Own(MetadataHookInterface):\n    def update(self, metadata):\n        metadata['dependencies'] = []\n"
    )
    head = HEAD.replace('version = "1.0"\n', 'version = "1.0"\ndynamic = ["dependencies"]\n')
    root = made(tmp_path, "[tool.hatch.metadata.hooks.custom]\n", head=head)
    assert "WLR550" in codes(root)
    assert planned(root).fixes == ()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.cluster", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("torch", "torch"),
        ("sentence_transformers", "sentence-transformers"),
        ("scipy.stats", "scipy"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("cv2", None),
        ("onnxruntime", None),
        ("tensorflow.keras", None),
        ("google.cloud", None),
        ("some_company", None),
        ("", None),
    ],
)
def test_which_distribution_is_certain(module, name):
    assert distributions.certain(module) == name


@pytest.mark.parametrize("module", ["cv2", "some_company"])
def test_no_line_for_a_package_that_is_not_certain(module, tmp_path):
    root = made(tmp_path, code=CODE.replace("sklearn.cluster", module))
    assert "WLR550" in codes(root)
    assert planned(root).fixes == ()


STEP = """import torch
from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return input_data
"""


def step(root: Path, table: str = "", **files: str) -> Path:
    head = f'{HEAD}[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "steps"\n'
    schemas = 'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
    (root / "pyproject.toml").write_text(head + schemas + table)
    (root / "steps").mkdir()
    (root / "steps" / "step.py").write_text(STEP)
    for name, content in files.items():
        (root / "steps" / f"{name}.txt").write_text(content)
    return root


def test_a_python_step_s_own_file(tmp_path):
    root = step(tmp_path, requirements="scipy==1.11.0\n")
    done = mend(root)
    assert done.done == (("WLR449",),)
    assert text(root, "steps/requirements.txt") == "scipy==1.11.0\ntorch\n"
    assert "WLR449" not in done.left


def test_a_python_step_s_list(tmp_path):
    root = step(tmp_path, 'requirements = ["scipy==1.11.0"]\n', requirements="x==1\n")
    assert mend(root).said == ("tool.wallaroo.requirements asks for torch",)
    assert text(root, "steps/requirements.txt") == "x==1\n"


# Names that install something else


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sklearn\n", "scikit-learn\n"),
        ("numpy==1.26.0\n  sklearn  # models\npytorch\n", "numpy==1.26.0\n  scikit-learn  # models\ntorch\n"),
        ("python\nnumpy==1.26.0\n", "numpy==1.26.0\n"),
        ("tensorflow_gpu\r\n", "tensorflow\r\n"),
    ],
)
def test_a_line_of_a_file_that_means_another_package(before, after, tmp_path):
    root = made(tmp_path, 'requirements = "r.txt"\n', code=CODE.replace("import sklearn.cluster", ""), r_txt=before)
    assert "WLR266" in codes(root)
    done = mend(root)
    assert "WLR266" not in done.left
    assert text(root, "r.txt") == after


def test_an_item_of_a_list_that_means_another_package(tmp_path):
    root = made(tmp_path, 'requirements = ["numpy==1.26.0", "sklearn"] # own\n')
    assert [fix.codes for fix in planned(root).fixes] == [("WLR266",)]
    mend(root)
    assert '"scikit-learn"' in text(root)
    assert '"sklearn"' not in text(root)
    assert text(root).count("scikit-learn") == 1


def test_a_dependency_that_is_no_package(tmp_path):
    lines = 'dependencies = ["python", "numpy==1.26.0"]'
    root = made(tmp_path, head=with_dependencies(lines), code=CODE.replace("import sklearn.cluster", ""))
    mend(root)
    assert 'dependencies = ["numpy==1.26.0"]' in text(root)


@pytest.mark.parametrize("lines", ["sklearn==0.0\n", "sklearn\nscikit-learn==1.3.0\n", "sklearn>=1\n"])
def test_a_version_or_the_right_name_beside_it_is_the_user_s(lines, tmp_path):
    root = made(tmp_path, 'requirements = "r.txt"\n', r_txt=lines)
    assert "WLR266" in codes(root)
    assert [fix for fix in planned(root).fixes if "WLR266" in fix.codes] == []


def test_a_file_outside_the_project_is_not_touched(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "shared.txt").write_text("numpy==1.26.0\n")
    made(root, 'requirements = "r.txt"\n')
    (root / "r.txt").symlink_to(tmp_path / "shared.txt")
    assert planned(root).fixes == ()
    assert (tmp_path / "shared.txt").read_text() == "numpy==1.26.0\n"


def test_a_link_inside_the_project_stays_one(tmp_path):
    (tmp_path / "real.txt").write_text("numpy==1.26.0\n")
    root = made(tmp_path, 'requirements = "r.txt"\n')
    (root / "r.txt").symlink_to("real.txt")
    mend(root)
    assert (root / "r.txt").is_symlink()
    assert (root / "real.txt").read_text() == "numpy==1.26.0\nscikit-learn\n"
