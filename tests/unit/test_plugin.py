"""The build hook, called as Hatchling calls it, without the processes around it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.bundle.pack import pack
from hatch_wallaroo.bundle.plan import BundlePlan
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.frameworks.base import Layout
from hatch_wallaroo.plugin.build_hook import WallarooBuildHook
from hatch_wallaroo.plugin.session import summary
from support.factory import make_spec

PYPROJECT = """\
[project]
name = "prices"
version = "1.0"

[tool.wallaroo]
framework = "python"
model = "step.py"
{table}
"""
SCHEMAS = """framework = "custom"
input-schema = { x = "float64" }
output-schema = { x = "float64" }"""
STEP = "def wallaroo_json(data):\n    return [{'x': 1}]\n"


@dataclass
class Told:
    """Hatchling's application, which remembers what was said at which level."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def display_info(self, message: str = "") -> None:
        self.lines.append(("info", message))

    def display_warning(self, message: str = "") -> None:
        self.lines.append(("warning", message))

    def display_error(self, message: str = "") -> None:
        self.lines.append(("error", message))

    def abort(self, message: str = "") -> None:
        self.lines.append(("abort", message))
        raise SystemExit(1)

    @property
    def text(self) -> str:
        return "\n".join(message for _, message in self.lines)


@pytest.fixture(autouse=True)
def _no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_BUILD_TRACKER", raising=False)


def project(root: Path, table: str = "", hatch_toml: str = "") -> Path:
    (root / "pyproject.toml").write_text(PYPROJECT.format(table=table))
    (root / "step.py").write_text(STEP)
    if hatch_toml:
        (root / "hatch.toml").write_text(hatch_toml)
    return root


def run(root: Path, target: str, directory: str = "dist", **options: Any) -> tuple[Told, dict[str, Any]]:
    """Initialize the hook for a target; a build that was ended shows in what was told."""
    told = Told()
    build_data: dict[str, Any] = {"force_include": {}}
    hook = WallarooBuildHook(
        str(root),
        options,
        SimpleNamespace(target_config={}),
        ProjectMetadata(str(root), PluginManager()),
        str(root / directory),
        target,
        told,
    )
    try:
        hook.initialize("standard", build_data)
    except SystemExit:
        assert told.lines[-1][0] == "abort"
    return told, build_data


def ended(told: Told) -> bool:
    return any(level == "abort" for level, _ in told.lines)


def test_the_sdist_takes_the_model_along_and_says_nothing(tmp_path: Path) -> None:
    told, build_data = run(project(tmp_path), "sdist")
    assert build_data["force_include"] == {str(tmp_path / "step.py"): "step.py"}
    assert told.lines == []


def test_what_ends_the_wheel_ends_the_sdist_before_it(tmp_path: Path) -> None:
    # `hatch build` makes the sdist first: it would be new, and the bundle beside it old.
    project(tmp_path)
    (tmp_path / "step.py").unlink()
    told, _ = run(tmp_path, "sdist")
    assert ended(told)
    assert "'step.py' does not exist" in told.text


def test_an_sdist_without_the_model_needs_no_model(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "step.py").unlink()
    told, build_data = run(tmp_path, "sdist", sdist=False)
    assert not ended(told)
    assert build_data["force_include"] == {}


@pytest.mark.parametrize("target", ["sdist", "wheel"])
def test_an_option_and_the_table_are_judged_in_one_go(target: str, tmp_path: Path) -> None:
    project(tmp_path, 'colour = "red"\n[tool.hatch.build.hooks.wallaroo]\nsdist = "no"\nsdits = true')
    told, _ = run(tmp_path, target, sdist="no", sdits=True)
    assert "pyproject.toml:8:1 tool.wallaroo.colour" in told.text
    assert "pyproject.toml:10:1 tool.hatch.build.hooks.wallaroo.sdist: sdist must be true or false" in told.text
    assert "pyproject.toml:11:1 tool.hatch.build.hooks.wallaroo.sdits" in told.text


def test_an_option_is_found_below_its_target(tmp_path: Path) -> None:
    project(tmp_path, "[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdits = true")
    told, _ = run(tmp_path, "wheel", sdits=True)
    assert "pyproject.toml:9:1 tool.hatch.build.targets.wheel.hooks.wallaroo.sdits" in told.text


def test_an_option_is_found_in_hatch_toml(tmp_path: Path) -> None:
    project(tmp_path, hatch_toml="# settings of Hatch\n[build.hooks.wallaroo]\nsdits = true\n")
    told, _ = run(tmp_path, "wheel", sdits=True)
    assert "hatch.toml:3:1" in told.text
    assert "pyproject.toml" not in told.text


def test_a_folder_below_the_project_is_not_the_project(tmp_path: Path) -> None:
    # Hatchling looks upwards for pyproject.toml, and takes the folder that it was started in for the project's.
    below = project(tmp_path) / "notebooks"
    below.mkdir()
    told, _ = run(below, "wheel")
    assert ended(told)
    assert "there is no pyproject.toml in this folder" in told.text
    assert "does not exist" not in told.text


def test_a_hook_of_the_wheel_alone_leaves_an_unpacked_sdist_without_model(tmp_path: Path) -> None:
    project(tmp_path, "[tool.hatch.build.targets.wheel.hooks.wallaroo]")
    (tmp_path / "step.py").unlink()
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: prices\nVersion: 1.0\n")
    told, _ = run(tmp_path, "wheel")
    assert "'step.py' does not exist" in told.text
    assert "write [tool.hatch.build.hooks.wallaroo]" in told.text


def test_a_complete_sdist_says_nothing_of_where_the_hook_is(tmp_path: Path) -> None:
    project(tmp_path, "[tool.hatch.build.targets.wheel.hooks.wallaroo]")
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: prices\nVersion: 1.0\n")
    told, _ = run(tmp_path, "wheel")
    assert not ended(told)
    assert "hooks" not in told.text


def test_notes_are_no_warnings(tmp_path: Path) -> None:
    told, _ = run(project(tmp_path, 'release = "2023.3"'), "wheel")
    assert "rules of 2023.2.1" in told.text
    assert {level for level, _ in told.lines} == {"info"}


@pytest.mark.parametrize("inside", [True, False])
def test_the_summary_names_the_folder_that_was_asked_for(inside: bool, tmp_path: Path) -> None:
    root = tmp_path / "project"
    real = (root if inside else tmp_path) / "real"
    root.mkdir()
    real.mkdir()
    (root / "dist").symlink_to(real)
    spec = make_spec(root, "custom")
    layout = Layout("zip", ".zip", (Entry("a-model/main.py", TextSource("x = 1\n")),))
    plan = BundlePlan(spec, "a-model-1.0.zip", layout)
    (bundle,) = pack([Checked(spec, plan, {}, (), ())], root / "dist")
    assert " -> dist/a-model-1.0.zip " in summary(bundle, root)


def test_findings_name_dependencies_by_their_place_in_the_table(tmp_path: Path) -> None:
    # Hatchling sorts them: pandas, 2nd of the table, is its 1st.
    project(tmp_path, '[tool.wallaroo.byop]\nmodule = "step.py"')
    text = (
        (tmp_path / "pyproject.toml")
        .read_text()
        .replace('framework = "python"\nmodel = "step.py"', 'framework = "custom"')
    )
    lines = 'version = "1.0"\ndependencies = [\n  "zipp==3",\n  "pandas @ https://example.org/pandas.zip",\n]'
    allow = "[tool.hatch.metadata]\nallow-direct-references = true\n"
    (tmp_path / "pyproject.toml").write_text(text.replace('version = "1.0"', lines) + allow)
    told, _ = run(tmp_path, "wheel")
    assert "pyproject.toml:6:3 project.dependencies[1]" in told.text


def test_a_sample_that_is_not_there_is_told(tmp_path: Path) -> None:
    told, _ = run(project(tmp_path, 'sample = "sampel.json"'), "wheel")
    assert not ended(told)
    assert "pyproject.toml:8:1 tool.wallaroo.sample: 'sampel.json' is not a file" in told.text
    (tmp_path / "sampel.json").write_text("[]")
    told, _ = run(tmp_path, "wheel")
    assert "sampel" not in told.text


@pytest.mark.parametrize("folder", ["dist", "out", "my [1] out", "."])
def test_the_sdist_made_a_moment_ago_is_no_artifact(folder: str, tmp_path: Path) -> None:
    project(tmp_path, "artifacts = ['.']\n[tool.wallaroo.byop]\nload = 'step:load'\npredict = 'step:predict'")
    text = (tmp_path / "pyproject.toml").read_text().replace('framework = "python"\nmodel = "step.py"', SCHEMAS)
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "step.py").write_text(
        "def load(folder) -> dict:\n    return {}\n\n\ndef predict(model, inputs):\n    return inputs\n"
    )
    (tmp_path / folder).mkdir(exist_ok=True)
    for name in ("prices-1.0.tar.gz", "prices-1.0-py3-none-any.whl", "prices-1.0-data.bin"):
        (tmp_path / folder / name).write_bytes(b"x" * 100)
    told, _ = run(tmp_path, "wheel", directory=folder)
    assert not ended(told), told.text
    manifest = json.loads((tmp_path / folder / "prices-1.0.wallaroo.json").read_text())
    packed = {entry["path"].rpartition("/")[2] for entry in manifest["contents"]}
    assert "prices-1.0.tar.gz" not in packed
    assert "prices-1.0-py3-none-any.whl" not in packed
    assert ("prices-1.0-data.bin" in packed) == (folder != "dist")


@pytest.mark.parametrize(
    ("folder", "tagged", "skipped"),
    [
        ("cache/builds-v0/.tmpX", True, True),
        ("cache/sdists-v11/x/y", True, True),
        ("cache/builds-v0/.tmpX", False, False),
        ("cache/builds-vision/out", True, False),
        ("cache/dist", True, False),
    ],
)
def test_only_uvs_own_folders_count_as_an_installation(
    folder: str, tagged: bool, skipped: bool, tmp_path: Path
) -> None:
    project(tmp_path)
    (tmp_path / "cache").mkdir()
    if tagged:
        (tmp_path / "cache" / "CACHEDIR.TAG").touch()
    told, _ = run(tmp_path, "wheel", directory=folder)
    assert not ended(told)
    assert (tmp_path / folder / "prices-1.0.wallaroo.json").is_file() != skipped


MLFLOW = """\
[tool.wallaroo.models.churn]
framework = "mlflow"
model = "models/churn"
image = {{ build = {build} }}
[tool.wallaroo.models.prices]
framework = "python"
model = "step.py"
"""
MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.sklearn
mlflow_version: 1.30.0
"""


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a container image beside another model, and no engine anywhere."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    project(tmp_path)
    (tmp_path / "models" / "churn").mkdir(parents=True)
    (tmp_path / "models" / "churn" / "MLmodel").write_text(MLMODEL)
    (tmp_path / "models" / "churn" / "requirements.txt").write_text("mlflow\nscikit-learn==1.2.2\n")
    return tmp_path


def declare(root: Path, build: str) -> None:
    text = (root / "pyproject.toml").read_text()
    start = text.index("[tool.wallaroo")
    end = text.find("[tool.hatch", start)
    (root / "pyproject.toml").write_text(text[:start] + MLFLOW.format(build=build) + text[end:] * (end > 0))


def test_an_mlflow_model_has_a_build_context_beside_the_others(both: Path) -> None:
    declare(both, "false")
    told, _ = run(both, "wheel")
    assert not ended(told), told.text
    assert "WLR466" in told.text  # it has neither schemas nor a signature
    manifest = json.loads((both / "dist" / "churn-1.0.wallaroo.json").read_text())
    assert manifest["file"]["name"] == "churn-1.0.tar"
    assert manifest["upload"]["image_path"] == manifest["image"]["reference"] == "churn:1.0"
    assert manifest["requirements"] == ["mlflow==1.30.0", "scikit-learn==1.2.2"]
    assert (both / "dist" / "prices-1.0.wallaroo.json").is_file()


def test_an_image_that_cannot_be_built_leaves_nothing_of_the_others(both: Path) -> None:
    declare(both, "true")
    told, _ = run(both, "wheel")
    assert ended(told)
    assert "WLR626" in told.text
    assert "docker build --label" in told.text
    assert "< dist/churn-1.0.tar" in told.text
    assert list((both / "dist").iterdir()) == []
