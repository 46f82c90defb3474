"""What a project says of itself, read without Hatchling where nothing is computed, and just as Hatchling has it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_wallaroo.config.spec import Project
from hatch_wallaroo.findings import Level
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.metadata import UNKNOWN_VERSION, from_metadata
from hatch_wallaroo.project.repository import Repository, read_repository
from hatch_wallaroo.project.rules import NO_PROJECT

SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n'
MODEL = '\n[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n[tool.hatch.build.hooks.wallaroo]\n'
BYOP = """
[tool.wallaroo]
framework = "custom"
byop = { load = "prices:load", predict = "prices:predict" }
input-schema = { x = "float64" }
output-schema = { x = "float64" }
[tool.hatch.build.hooks.wallaroo]
"""


def read(root: Path, project: str, *, system: str = SYSTEM, model: str = MODEL) -> Repository:
    (root / "pyproject.toml").write_text(system + project + model)
    (root / "step.py").write_text("def wallaroo_json(data):\n    return [{'x': 1}]\n")
    return read_repository(root)


def by_hatchling(root: Path) -> Project:
    return from_metadata(ProjectMetadata(str(root), PluginManager()))


WELL = {
    "the least": 'name = "prices"\nversion = "1.0"',
    "a name in capitals": 'name = "My.Prices_2"\nversion = "1.0"',
    "a version in another form": 'name = "prices"\nversion = "v1.0-RC1+linux.x86"',
    "a version with zeros": 'name = "prices"\nversion = "01.2.0"',
    "an epoch": 'name = "prices"\nversion = "1!2024.10"',
    "dependencies": """name = "prices"
version = "1.0"
dependencies = ["Scikit_Learn == 1.3.0", "numpy<2,>=1.22", "torch[CUDA,b]>=2; python_version >= '3.8'", "pandas"]""",
    "extras": """name = "prices"
version = "1.0"
requires-python = "<4,>=3.8"
[project.optional-dependencies]
GPU = ["torch>=2", "Numpy"]
docs = []""",
    "packages": 'name = "prices"\nversion = "1.0"\n[tool.hatch.build.targets.wheel]\npackages = ["src/prices"]',
    "urls": """name = "prices"
version = "1.0"
[project.urls]
Homepage = "https://example.com"
"Source code" = "https://example.com/prices"
""",
    "an address": """name = "prices"
version = "1.0"
dependencies = ["x @ https://example.com/x-1.0-py3-none-any.whl"]
[tool.hatch.metadata]
allow-direct-references = true""",
}


@pytest.mark.parametrize("table", WELL.values(), ids=WELL)
def test_as_hatchling_has_it(table, tmp_path):
    repository = read(tmp_path, f"[project]\n{table}\n")
    assert repository.findings == ()
    assert repository.project == by_hatchling(tmp_path)
    core = ProjectMetadata(str(tmp_path), PluginManager()).core
    assert sorted(repository.project.dependencies) == core.dependencies
    extras = {name.lower(): sorted(lines) for name, lines in repository.project.optional_dependencies.items()}
    assert extras == core.optional_dependencies


WRONG = {
    "no name": ('version = "1.0"', "project.name", "[project] has no name"),
    "an empty name": ('name = ""\nversion = "1.0"', "project.name", "[project] has no name"),
    "a name of another type": ('name = 1\nversion = "1.0"', "project.name", "must be a string, not the number 1"),
    "a name of a path": ('name = "../x"\nversion = "1.0"', "project.name", '"../x" is no name of a project'),
    "no version": ('name = "prices"', "project.version", "[project] has no version"),
    "a version of words": ('name = "prices"\nversion = "one"', "project.version", '"one" is no version'),
    "a version as a number": ('name = "prices"\nversion = 1.0', "project.version", "must be a string"),
    "dependencies as a string": (
        'name = "prices"\nversion = "1.0"\ndependencies = "numpy"',
        "project.dependencies",
        "must be a list of strings",
    ),
    "one that is no string": (
        'name = "prices"\nversion = "1.0"\ndependencies = ["numpy", 1]',
        "project.dependencies[1]",
        "must be a string, not the number 1",
    ),
    "one that is none": (
        'name = "prices"\nversion = "1.0"\ndependencies = ["numpy^1.2"]',
        "project.dependencies[0]",
        '"numpy^1.2" is not a requirement',
    ),
    "an address": (
        'name = "prices"\nversion = "1.0"\ndependencies = ["x @ https://example.com/x.whl"]',
        "project.dependencies[0]",
        "is an address",
    ),
    "an extra that is none": (
        'name = "prices"\nversion = "1.0"\n[project.optional-dependencies]\ngpu = "torch"',
        "project.optional-dependencies.gpu",
        "must be a list of strings",
    ),
    "extras as a list": (
        'name = "prices"\nversion = "1.0"\noptional-dependencies = ["x"]',
        "project.optional-dependencies",
        "must be a table of lists",
    ),
    "a Python that is none": (
        'name = "prices"\nversion = "1.0"\nrequires-python = "three"',
        "project.requires-python",
        '"three" is no range of versions',
    ),
    "a Python as a number": (
        'name = "prices"\nversion = "1.0"\nrequires-python = 3.8',
        "project.requires-python",
        "must be a string, not the number 3.8",
    ),
    "written and computed": (
        'name = "prices"\nversion = "1.0"\ndependencies = []\ndynamic = ["dependencies"]',
        "project.dependencies",
        "dependencies is written, and also listed in dynamic",
    ),
}


@pytest.mark.parametrize(("table", "key", "message"), WRONG.values(), ids=WRONG)
def test_what_hatchling_would_refuse(table, key, message, tmp_path):
    repository = read(tmp_path, f"[project]\n{table}\n")
    (finding,) = repository.findings
    assert finding.rule == NO_PROJECT
    assert message in finding.message
    assert finding.fix
    (located,) = check_repository(repository).findings
    assert located.place.line
    assert ".".join(map(str, located.place.key)).replace(".0", "[0]").replace(".1", "[1]") == key
    with pytest.raises((ValueError, TypeError, AttributeError)):
        by_hatchling(tmp_path)


def test_everything_at_once(tmp_path):
    repository = read(
        tmp_path, '[project]\nname = "a b"\nversion = "x"\nrequires-python = 3\ndependencies = [1, "^"]\n'
    )
    assert [each.place.key[1:] for each in repository.findings] == [
        ("name",),
        ("version",),
        ("dependencies", 0),
        ("dependencies", 1),
        ("requires-python",),
    ]


# What is computed

DYNAMIC = '[project]\nname = "prices"\ndynamic = ["version"]\n'


def test_a_version_from_a_file(tmp_path):
    (tmp_path / "about.py").write_text('__version__ = "3.1"\n')
    repository = read(tmp_path, f'{DYNAMIC}[tool.hatch.version]\npath = "about.py"\n')
    assert repository.findings == ()
    assert repository.project == by_hatchling(tmp_path)
    assert repository.project.version == "3.1"


def test_a_version_that_hatch_toml_tells_of(tmp_path):
    (tmp_path / "about.py").write_text('VERSION = "3.2"\n')
    (tmp_path / "hatch.toml").write_text('[version]\npath = "about.py"\n')
    repository = read(tmp_path, DYNAMIC)
    assert repository.project == by_hatchling(tmp_path)
    assert repository.project.version == "3.2"


def test_a_hatch_toml_further_up_is_another_project_s(tmp_path):
    (tmp_path / "hatch.toml").write_text('[version]\npath = "about.py"\n')
    root = tmp_path / "prices"
    root.mkdir()
    (root / "own.py").write_text('__version__ = "3.3"\n')
    repository = read(root, f'{DYNAMIC}[tool.hatch.version]\npath = "own.py"\n')
    assert repository.project.version == "3.3" == by_hatchling(root).version


@pytest.mark.parametrize(
    ("path", "said"),
    [("missing.py", "file does not exist: missing.py"), ("empty.py", "unable to parse the version from the file")],
)
def test_a_version_that_hatchling_cannot_find_either(path, said, tmp_path):
    (tmp_path / "empty.py").touch()
    repository = read(tmp_path, f'{DYNAMIC}[tool.hatch.version]\npath = "{path}"\n')
    (finding,) = repository.findings
    assert finding.is_error
    assert said in finding.message
    with pytest.raises((OSError, ValueError)):
        by_hatchling(tmp_path)


def test_a_version_of_a_plugin_that_is_not_here(tmp_path):
    repository = read(tmp_path, f'{DYNAMIC}[tool.hatch.version]\nsource = "vcs"\n')
    (finding,) = repository.findings
    assert (finding.code, finding.level) == ("WLR651", Level.NOTE)
    assert "vcs" in finding.message
    assert repository.project == Project("prices", UNKNOWN_VERSION)
    assert check_repository(repository).passed


COMPUTED = '[project]\nname = "prices"\ndynamic = ["version", "dependencies"]\n'


def test_dependencies_of_a_hook_that_is_not_here_are_not_missed(tmp_path):
    (tmp_path / "about.py").write_text('__version__ = "3.1"\n')
    (tmp_path / "prices.py").write_text("import sklearn\n\ndef load(folder): ...\n\ndef predict(model, inputs): ...\n")
    hook = '[tool.hatch.version]\npath = "about.py"\n[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["r.txt"]\n'
    repository = read(tmp_path, COMPUTED + hook, model=BYOP)
    assert repository.unknown == {"dependencies"}
    assert repository.project.version == "3.1"
    codes = {each.code for each in check_repository(repository).findings}
    assert "WLR651" in codes
    assert "WLR550" not in codes
    # The same without the hook: there the package is really missing.
    known = read(tmp_path, '[project]\nname = "prices"\nversion = "3.1"\n', model=BYOP)
    assert "WLR550" in {each.code for each in check_repository(known).findings}


HOOK = """
from hatchling.metadata.plugin.interface import MetadataHookInterface

class Own(MetadataHookInterface):
    def update(self, metadata):
        print("metadata are computed")
        {body}
"""
WITH_HOOK = (
    '[project]\nname = "prices"\nversion = "1.0"\ndynamic = ["dependencies"]\n[tool.hatch.metadata.hooks.custom]\n'
)


def test_a_hook_of_the_project_s_own_is_run_and_prints_nothing_into_ours(tmp_path, capsys):
    (tmp_path / "hatch_build.py").write_text(HOOK.format(body="metadata['dependencies'] = ['b', 'a>=1']"))
    repository = read(tmp_path, WITH_HOOK)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("metadata are computed")
    assert repository.project == by_hatchling(tmp_path)
    assert set(repository.project.dependencies) == {"b", "a>=1"}


@pytest.mark.parametrize("body", ["raise RuntimeError('no network')", "import sys; sys.exit('no network')"])
def test_a_hook_that_fails(body, tmp_path):
    (tmp_path / "hatch_build.py").write_text(HOOK.format(body=body))
    (finding,) = read(tmp_path, WITH_HOOK).findings
    assert finding.rule == NO_PROJECT
    assert "no network" in finding.message


def test_hatchling_s_fields_in_a_dependency(tmp_path):
    allow = "[tool.hatch.metadata]\nallow-direct-references = true\n"
    line = '"own @ {root:uri}/own"'
    table = f'[project]\nname = "prices"\nversion = "1.0"\ndependencies = [{line}]\n{allow}'
    repository = read(tmp_path, table)
    assert repository.project == by_hatchling(tmp_path)
    assert repository.project.dependencies[0].startswith("own@ file:") or "own @ file:" in str(repository.project)


# Others that build


def others(builder: str) -> str:
    return f'[build-system]\nrequires = ["{builder}"]\nbuild-backend = "{builder}.masonry.api"\n'


POETRY = '[tool.poetry]\nname = "prices"\nversion = "1.0.0-beta.2"\n[tool.poetry.dependencies]\nscikit-learn = "^1.3"\n'


@pytest.mark.parametrize(
    ("system", "project", "version", "codes"),
    [
        (others("poetry"), POETRY, "1.0.0b2", {"WLR665"}),
        (others("poetry"), '[project]\nname = "prices"\nversion = "1.0"\n', "1.0", {"WLR665"}),
        (others("setuptools"), DYNAMIC, UNKNOWN_VERSION, {"WLR651", "WLR665"}),
        (others("setuptools"), COMPUTED, UNKNOWN_VERSION, {"WLR651", "WLR665"}),
        (
            others("flit"),
            '[project]\nname = "prices"\ndynamic = ["version", "description"]\n',
            "0",
            {"WLR651", "WLR665"},
        ),
        ("", '[project]\nname = "prices"\nversion = "1.0"\n', "1.0", {"WLR665"}),
        ("", "", UNKNOWN_VERSION, {"WLR650", "WLR665"}),
        (others("setuptools"), "", UNKNOWN_VERSION, {"WLR650", "WLR665"}),
        ("build-system = 1\n", '[project]\nname = "prices"\nversion = "1.0"\n', "1.0", {"WLR665"}),
        (
            '[build-system]\nrequires = ["hatchling"]\n',
            '[project]\nname = "prices"\nversion = "1.0"\n',
            "1.0",
            {"WLR665"},
        ),
    ],
)
def test_projects_that_hatchling_does_not_build(system, project, version, codes, tmp_path):
    repository = read(tmp_path, project, system=system)
    report = check_repository(repository)
    assert {each.code for each in report.findings} == codes
    assert repository.project.version == version
    assert report.passed == ("WLR650" not in codes)
    assert "hatchling" not in sys.modules or repository.project.name


def test_poetry_s_dependencies_are_not_known_and_not_missed(tmp_path):
    (tmp_path / "prices.py").write_text("import sklearn\n\ndef load(folder): ...\n\ndef predict(model, inputs): ...\n")
    repository = read(tmp_path, POETRY, system=others("poetry"), model=BYOP)
    assert "WLR550" not in {each.code for each in check_repository(repository).findings}


PLAIN = '[project]\nname = "prices"\nversion = "1.0"\n'
TABLE = '[tool.wallaroo]\nframework = "python"\nmodel = "step.py"\n'


@pytest.mark.parametrize(
    ("requires", "hatch", "said"),
    [
        ('["hatchling", "hatch-wallaroo"]', "[tool.hatch.build.hooks.wallaroo]", ""),
        ('["hatchling", "Hatch_Wallaroo[lock] >= 0.2"]', "[tool.hatch.build.hooks.wallaroo]", ""),
        ('["hatchling", "hatch-wallaroo @ https://example.com/x.whl"]', "[tool.hatch.build.targets.wallaroo]", ""),
        ('["hatchling", "hatch-wallaroo"]', "[tool.hatch.build.targets.sdist.hooks.wallaroo]", ""),
        ('["hatchling"]', '[tool.hatch.build.hooks.wallaroo]\ndependencies = ["hatch-wallaroo"]', ""),
        ('["hatchling"]', '[tool.hatch.build.targets.wallaroo]\ndependencies = ["hatch-wallaroo"]', ""),
        ('["hatchling", "hatch-wallaroo"]', "", "nothing asks for the bundle"),
        (
            '["hatchling", "hatch-wallaroo"]',
            "[tool.hatch.build.hooks.wallaroo]\nenable-by-default = false",
            "nothing asks for the bundle",
        ),
        ('["hatchling"]', "[tool.hatch.build.hooks.wallaroo]", "not among the build's requirements"),
        ('["hatchling", "hatch-wallaroo-x", 1]', "[tool.hatch.build.hooks.wallaroo]", "not among the build's"),
        ('"hatch-wallaroo"', "[tool.hatch.build.hooks.wallaroo]", "not among the build's requirements"),
    ],
)
def test_whether_a_build_comes_to_the_bundle(requires, hatch, said, tmp_path):
    system = f'[build-system]\nrequires = {requires}\nbuild-backend = "hatchling.build"\n'
    repository = read(tmp_path, PLAIN, system=system, model=f"{TABLE}{hatch}\n")
    findings = check_repository(repository).findings
    assert [said in each.message for each in findings] == ([True] if said else [])
    assert all(each.code == "WLR665" and each.place.line for each in findings)


# Broken and hostile


@pytest.mark.parametrize(
    "project",
    [
        "project = 1\n",
        "[[project]]\n",
        '[project]\nname = "x"\nversion = "1"\ndynamic = "version"\n',
        '[project]\nname = "x"\nversion = "1"\ndynamic = [1]\n',
        "[tool]\nhatch = 1\n[project]\nname = 'x'\nversion = '1'\n",
        "[tool.hatch]\nbuild = 1\nmetadata = 2\nversion = 3\n[project]\nname = 'x'\nversion = '1'\n",
        "[tool.hatch.build]\nhooks = 1\ntargets = [1]\ndirectory = 5\n[project]\nname = 'x'\nversion = '1'\n",
        "[tool.hatch.build.targets]\nwheel = 1\nwallaroo = 2\n[project]\nname = 'x'\nversion = '1'\n",
        "[tool.hatch.metadata]\nhooks = ['custom']\n[project]\nname = 'x'\nversion = '1'\n",
        "[tool.poetry]\nname = 1\nversion = 'one'\n",
    ],
)
@pytest.mark.parametrize("system", [SYSTEM, "", others("setuptools"), "build-system = []\n"])
def test_whatever_stands_there_is_an_answer(project, system, tmp_path):
    model = "" if "[tool.hatch" in project or "[tool]" in project else MODEL
    repository = read(tmp_path, system + project, system="", model=model or TABLE)
    report = check_repository(repository)
    assert all(each.message and each.place.file for each in report.findings)


def test_no_table_is_told_once(tmp_path):
    repository = read(tmp_path, PLAIN, model="")
    assert not repository.has_table
    assert [each.code for each in check_repository(repository).findings] == ["WLR001"]


def test_a_broken_hatch_toml(tmp_path):
    (tmp_path / "hatch.toml").write_text("[build]\nx = \n")
    repository = read(tmp_path, PLAIN)
    (finding,) = [each for each in check_repository(repository).findings if each.is_error]
    assert (finding.code, finding.place.file, finding.place.line) == ("WLR002", "hatch.toml", 2)


def test_no_file_and_no_toml(tmp_path):
    repository = read_repository(tmp_path)
    assert repository.document is None
    assert not repository.has_table
    assert [each.code for each in check_repository(repository).findings] == ["WLR002"]
    (tmp_path / "pyproject.toml").write_text("x = \n")
    assert [each.place.line for each in check_repository(read_repository(tmp_path)).findings] == [1]


def test_a_byte_order_mark_is_what_hatchling_trips_over(tmp_path):
    read(tmp_path, PLAIN)
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "pyproject.toml").read_bytes())
    (finding,) = check_repository(read_repository(tmp_path)).findings
    assert "byte order mark" in finding.message
    with pytest.raises(ValueError, match="Invalid statement"):
        by_hatchling(tmp_path)


def test_several_models_are_all_checked(tmp_path):
    models = "".join(
        f'[tool.wallaroo.models.{name}]\nframework = "python"\nmodel = "{name}.py"\n' for name in ("one", "step")
    )
    repository = read(tmp_path, PLAIN, model=f"{models}[tool.hatch.build.hooks.wallaroo]\n")
    report = check_repository(repository)
    assert [model.spec.name for model in report.models] == ["one", "step"]
    assert [model.passed for model in report.models] == [False, True]
    assert [each.code for each in report.findings] == ["WLR201"]
