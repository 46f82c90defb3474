"""Notes of what desktops, notebooks and Python left in a user's zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.check import leftovers
from support.mending import HEAD, checked, codes, planned

JUNK = {
    "__MACOSX/": b"",
    "__MACOSX/steps/._step.py": b"desktop",
    "steps/.DS_Store": b"desktop",
    "steps/__pycache__/step.cpython-310.pyc": b"cache",
    "steps/.ipynb_checkpoints/step-checkpoint.py": b"notebook",
}
STEP = b"""from mac.types import InferenceData


def process_data(input_data: InferenceData) -> InferenceData:
    return input_data
"""
KEPT = {"steps/": b"", "steps/step.py": STEP, "steps/data/weights.bin": bytes(range(256)) * 40}
CUSTOM = (
    HEAD + '[tool.wallaroo]\nframework = "custom"\nartifacts = ["{}"]\n'
    'input-schema = {{ x = "float64" }}\noutput-schema = {{ x = "float64" }}\n'
    'byop = {{ load = "prices:load", predict = "prices:predict" }}\n'
)
CODE = "def load(folder) -> object: ...\n\n\ndef predict(model, inputs): ...\n"


def packed(path: Path, content: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def project(root: Path) -> Path:
    (root / "pyproject.toml").write_text(
        f'{HEAD}[tool.wallaroo]\nframework = "python"\nrelease = "2024.1"\nmodel = "models/steps.zip"\n'
        'input-schema = { x = "float64" }\noutput-schema = { x = "float64" }\n'
    )
    return root


def test_a_model_s_zip(tmp_path):
    root = project(tmp_path)
    packed(root / "models" / "steps.zip", JUNK | KEPT)
    found = checked(root)
    (finding,) = found.findings
    assert finding.code == "WLR666"
    assert finding.message == (
        "models/steps.zip holds 4 files that are no part of prices: __MACOSX/, steps/.DS_Store, "
        "steps/.ipynb_checkpoints/ and 1 more"
    )
    assert finding.fix == "nothing needs doing: they are left out of the bundle"
    assert planned(root).fixes == ()
    (model,) = found.models
    layout = model.checked.plan.layout
    assert [each.path.rpartition("/")[2] for each in layout.entries] == ["weights.bin", "step.py"]
    assert len(layout.stripped) == 4


def test_a_zip_among_the_artifacts_goes_along_as_it_is(tmp_path):
    (tmp_path / "pyproject.toml").write_text(CUSTOM.format("data.zip"))
    (tmp_path / "prices.py").write_text(CODE)
    packed(tmp_path / "data.zip", JUNK | KEPT)
    (finding,) = [each for each in checked(tmp_path).findings if each.code == "WLR666"]
    assert finding.fix == "zip its folder again without them: they go along as they are"
    packed(tmp_path / "data.zip", KEPT)
    assert "WLR666" not in codes(tmp_path)


@pytest.mark.parametrize("name", ["m.pt", "m.npz", "m.jar", "m.zip.bak"])
def test_what_is_a_zip_inside_is_not_the_user_s_zip(name, tmp_path):
    (tmp_path / "pyproject.toml").write_text(CUSTOM.format(name))
    (tmp_path / "prices.py").write_text(CODE)
    packed(tmp_path / name, JUNK | KEPT)
    assert "WLR666" not in codes(tmp_path)


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("__MACOSX/a/b", "__MACOSX/"),
        ("__macosx/", "__macosx/"),
        ("m/__pycache__/", "m/__pycache__/"),
        ("m/a.pyc", "m/a.pyc"),
        ("m/.DS_Store", "m/.DS_Store"),
        ("m/._a", "m/._a"),
        ("m/Thumbs.db", "m/Thumbs.db"),
        ("m\\.DS_Store", "m/.DS_Store"),
        ("m/.git/config", ""),
        ("m/tests/test_a.py", ""),
        ("m/.venv/x", ""),
        ("m/a.py", ""),
        ("m/pyc", ""),
        ("m/__pycache__.bin", ""),
        ("m/DS_Store", ""),
        ("m/notes.txt~", ""),
    ],
)
def test_what_is_left_over(name, top):
    assert leftovers([name]) == ({name: top} if top else {})
