"""A check says exactly what a build says: of every broken project, every example, and each way to configure Hatch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_wallaroo.plugin.build_hook import WallarooBuildHook
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.project.rules import NO_BUNDLE, NO_PROJECT
from hatch_wallaroo.report import render
from support.broken_models import EXPECTED, FOLDER, make_case
from support.fronts import REPOSITORY
from support.told import Terminal, build

MODELS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "pyproject.toml").is_file())
TABLES = sorted((REPOSITORY / "tests" / "broken" / "tables").glob("*.toml"))
EXAMPLES = sorted(path.parent for path in (REPOSITORY / "example-projects").glob("*/pyproject.toml"))
WHOLE = '\n[project]\nname = "credit-card-fraud"\nversion = "1.0"\n'
"""What makes a project of a table, where it does not move a line."""


def checked(root: Path) -> str:
    """What a check says, but for whether the project's own build would ask for a bundle at all."""
    findings = check_repository(read_repository(root)).findings
    return render([each for each in findings if each.rule != NO_BUNDLE], color=False)


@pytest.mark.parametrize("name", MODELS)
def test_of_every_broken_model(name, tmp_path):
    root = make_case(name, tmp_path)
    text = checked(root)
    assert text + "\n" == (FOLDER / name / EXPECTED).read_bytes().decode()
    assert "built" not in text


@pytest.mark.parametrize("name", MODELS[::9])
def test_and_that_is_what_a_build_says_here(name, tmp_path, monkeypatch):
    # The texts that the test above compares with are those of builds; here once more, without them between.
    root = make_case(name, tmp_path)
    assert checked(root) == build(root, root / "dist", monkeypatch).text


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_of_every_broken_table(table, tmp_path, monkeypatch):
    data = table.read_bytes()
    if b"[project]" not in data:
        data += WHOLE.encode()
    (tmp_path / "pyproject.toml").write_bytes(data)
    try:
        said = build(tmp_path, tmp_path / "dist", monkeypatch).text
    except ValueError:
        # Hatchling gives up on such a file before it comes to us; these are the texts for whoever reads it.
        expected = table.with_suffix(".txt").read_bytes().decode()
        found = check_repository(read_repository(tmp_path)).findings
        assert any(each.code in {"WLR002", "WLR650"} for each in found)
        ours = [each for each in found if each.rule not in {NO_BUNDLE, NO_PROJECT} and each.code < "WLR1"]
        assert render(ours, color=False) + "\n" == expected
    else:
        assert checked(tmp_path) == said != ""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda folder: folder.name)
def test_of_every_example(example, tmp_path, monkeypatch):
    root = tmp_path / example.name
    shutil.copytree(example, root, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    repository = read_repository(root)
    report = check_repository(repository)
    assert report.passed
    assert not any(each.rule == NO_BUNDLE for each in report.findings)
    said = checked(root)
    told = build(root, root / "dist", monkeypatch)
    assert said == told.text
    assert [model.plan.filename for model in report.models if model.plan] == [each.path.name for each in told.bundles]


# With the hook, through Hatchling's own builders

PYPROJECT = """\
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "prices"
version = "1.0"

[tool.wallaroo]
framework = "python"
model = "{model}"

{tables}
"""
STEP = "def wallaroo_json(data):\n    return [{'x': 1}]\n"


def project(root: Path, tables: str = "", hatch_toml: str = "", model: str = "step.py") -> Path:
    (root / "pyproject.toml").write_text(PYPROJECT.format(tables=tables, model=model))
    (root / "step.py").write_text(STEP)
    if hatch_toml:
        (root / "hatch.toml").write_text(hatch_toml)
    return root


def built(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the hook says when Hatchling builds sdist and wheel, as configured, each finding once."""
    monkeypatch.setenv("NO_COLOR", "1")
    blocks: dict[str, None] = {}
    for builder in (SdistBuilder(str(root)), WheelBuilder(str(root))):
        options = builder.config.hook_config.get("wallaroo")
        if options is None:
            continue
        terminal = Terminal()
        metadata = ProjectMetadata(str(root), PluginManager())
        hook = WallarooBuildHook(
            str(root), options, builder.config, metadata, builder.config.directory, builder.PLUGIN_NAME, terminal
        )
        try:
            hook.initialize("standard", {"force_include": {}})
        except SystemExit:
            assert terminal.aborted
        blocks |= dict.fromkeys(found for text in terminal.findings for found in text.split("\n")[:-1])
    return "\n".join(blocks)


HOOK = "[tool.hatch.build.hooks.wallaroo]"
CONFIGURED = {
    "no mistake": (HOOK, ""),
    "no hook": ("", ""),
    "an unknown option": (f"{HOOK}\nsdits = true", ""),
    "an option far from all": (f"{HOOK}\ncolour = true", ""),
    "a wrong type": (f'{HOOK}\nsdist = "no"', ""),
    "Hatchling's own options": (
        f"{HOOK}\ndependencies = []\nenable-by-default = true\nrequire-runtime-features = []",
        "",
    ),
    "switched off": (f'{HOOK}\nenable-by-default = false\nsdist = "no"', ""),
    "for one target": ("[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdits = true", ""),
    "for one target, and for all": (
        f'{HOOK}\nsdits = true\n[tool.hatch.build.targets.wheel.hooks.wallaroo]\nsdist = "no"',
        "",
    ),
    "in hatch.toml": ("", "# of Hatch\n[build.hooks.wallaroo]\nsdits = true\n"),
    "hatch.toml wins": (f"{HOOK}\nsdits = true", "[build.hooks.wallaroo]\nsdist = 1\n"),
    "hatch.toml takes the hook away": (f"{HOOK}\nsdits = true", "[build.targets.wheel]\npackages = ['src/x']\n"),
    "hatch.toml of something else": (f"{HOOK}\nsdits = true", "[envs.default]\n"),
}


@pytest.mark.parametrize(("tables", "hatch_toml"), CONFIGURED.values(), ids=CONFIGURED)
def test_of_the_hook_s_options(tables, hatch_toml, tmp_path, monkeypatch):
    root = project(tmp_path, tables, hatch_toml)
    assert "\n".join(checked(root).split("\n")[:-1]) == built(root, monkeypatch)


@pytest.mark.parametrize("hook", [HOOK, "[tool.hatch.build.targets.wheel.hooks.wallaroo]"])
def test_of_an_unpacked_sdist_that_lacks_the_model(hook, tmp_path, monkeypatch):
    root = project(tmp_path, hook, model="other.py")
    (root / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: prices\nVersion: 1.0\n")
    text = checked(root)
    assert ("WLR642" in text) == ("targets" in hook)
    assert "\n".join(text.split("\n")[:-1]) == built(root, monkeypatch)


OUTPUTS = {
    "for all": "[tool.hatch.build]\ndirectory = 'models/out'",
    "for the wheel": "[tool.hatch.build]\ndirectory = 'x'\n[tool.hatch.build.targets.wheel]\ndirectory = 'models/out'",
    "in hatch.toml": "",
}


@pytest.mark.parametrize("where", OUTPUTS)
def test_the_project_s_own_wheel_is_no_part_of_the_model(where, tmp_path):
    # The folder of the model holds what an earlier build left: the bundle must not depend on it.
    hatch_toml = "[build]\ndirectory = 'models/out'\n" if where == "in hatch.toml" else ""
    project(tmp_path, OUTPUTS[where], hatch_toml)
    text = (tmp_path / "pyproject.toml").read_text().replace('framework = "python"', BYOP)
    (tmp_path / "pyproject.toml").write_text(text.replace('model = "step.py"\n', ""))
    out = tmp_path / "models" / "out"
    out.mkdir(parents=True)
    (tmp_path / "models" / "weights.bin").write_bytes(b"1")
    (out / "prices-1.0-py3-none-any.whl").write_bytes(b"2")
    (model,) = check_repository(read_repository(tmp_path)).models
    assert model.plan is not None
    listed = {entry.path.rpartition("/")[2] for entry in model.plan.layout.entries}
    assert "weights.bin" in listed
    assert "prices-1.0-py3-none-any.whl" not in listed


BYOP = 'framework = "custom"\nartifacts = ["models"]\nbyop.load = "prices:load"\nbyop.predict = "prices:predict"'
