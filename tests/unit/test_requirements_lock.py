"""Exact versions: by uv for the platform's Python and processor, or from the project's pylock.toml."""

from __future__ import annotations

import os
import subprocess
import textwrap

import pytest

from hatch_wallaroo.config.spec import Project, RequirementsFrom
from hatch_wallaroo.findings import Level
from hatch_wallaroo.requirements import lock, uv
from hatch_wallaroo.requirements.resolve import requirements_text
from support import shelf as shelves
from support.factory import make_spec
from support.peers import missing
from support.shelf import wheel


@pytest.fixture
def shelf(tmp_path_factory, monkeypatch):
    """A folder of wheels that is the only index."""
    folder = shelves.only(tmp_path_factory.mktemp("shelf"), monkeypatch)
    wheel(folder, "alpha", "1.0", python=">=3.7,<3.9", requires=["beta>=1", "delta; python_version<'3.9'"])
    wheel(folder, "alpha", "2.0", python=">=3.9", requires=["beta>=1"])
    wheel(folder, "beta", "1.0")
    wheel(folder, "beta", "1.1")
    wheel(folder, "delta", "4")
    wheel(folder, "onlyx86", "1.0", tag="cp38-cp38-manylinux2014_x86_64")
    return folder


def locked(root, *lines, **options):
    return requirements_text(
        make_spec(root, "custom", lock=True, requirements=RequirementsFrom("list", lines=lines), **options)
    )


@pytest.mark.parametrize(
    ("release", "lines"),
    [("2023.2.1", ("alpha==1.0", "beta==1.1", "delta==4")), ("2026.1", ("alpha==2.0", "beta==1.1"))],
)
def test_versions_are_those_for_the_platforms_python(tmp_path, shelf, release, lines):
    made = locked(tmp_path, "alpha", release=release)
    assert made.findings == ()
    assert made.lines == lines
    assert made.text == "".join(f"{line}\n" for line in lines)


def test_wheels_are_those_for_the_models_processor(tmp_path, shelf):
    assert locked(tmp_path, "onlyx86", release="2024.1", arch="x86").lines == ("onlyx86==1.0",)
    (finding,) = locked(tmp_path, "onlyx86", release="2024.1", arch="arm").findings
    assert finding.code == "WLR271"
    assert "aarch64" in finding.message


def test_constraints_on_other_packages_count(tmp_path, shelf):
    (tmp_path / "r.txt").write_text("-c c.txt\nalpha\n")
    (tmp_path / "c.txt").write_text("beta<1.1\n")
    made = requirements_text(
        make_spec(tmp_path, "custom", lock=True, requirements=RequirementsFrom("file", file="r.txt"))
    )
    assert made.findings == ()
    assert made.lines == ("alpha==1.0", "beta==1.0", "delta==4")


def test_what_cannot_be_resolved_is_told_in_short(tmp_path, shelf):
    made = locked(tmp_path, "alpha==2.0")
    (finding,) = made.findings
    assert finding.code == "WLR271"
    assert finding.message.startswith("no versions found for Python 3.8 on Linux x86_64: Because ")
    assert "alpha==2.0" in finding.message
    assert "hint" not in finding.message
    assert "\n" not in finding.message
    assert finding.place.key == ("tool", "wallaroo", "lock")
    assert made.lines == ("alpha==2.0",)


def test_a_package_that_does_not_exist_is_told(tmp_path, shelf):
    (finding,) = locked(tmp_path, "nosuchpackage").findings
    assert "nosuchpackage was not found" in finding.message


def test_one_process_asks_uv_once(tmp_path, shelf, monkeypatch):
    locked(tmp_path, "beta")
    monkeypatch.setattr(subprocess, "run", None)
    assert locked(tmp_path, "beta").lines == ("beta==1.1",)


def test_broken_requirements_are_not_resolved(tmp_path, monkeypatch):
    monkeypatch.setattr(uv, "_compiled", None)
    assert [each.code for each in locked(tmp_path, "beta=1", "alpha").findings] == ["WLR250"]


def test_nothing_to_lock_needs_no_resolution(tmp_path, monkeypatch):
    monkeypatch.setattr(uv, "_compiled", None)
    monkeypatch.setattr(lock, "find_uv", lambda: "uv")
    made = locked(tmp_path)
    assert (made.text, made.findings) == ("", ())


def test_without_uv_the_fix_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "find_uv", lambda: None)
    (finding,) = locked(tmp_path, "beta").findings
    assert (finding.code, finding.level) == ("WLR270", Level.ERROR)
    assert "hatch-wallaroo[lock]" in finding.fix


def test_uv_is_found_without_the_path(monkeypatch):
    if lock.find_uv() is None:
        missing("uv is not installed")
    monkeypatch.setenv("PATH", "")
    found = lock.find_uv()
    assert found is None or os.access(found, os.X_OK)


def test_power_is_no_platform_of_uv(tmp_path):
    (finding,) = locked(tmp_path, "beta", release="2024.4", arch="power10").findings
    assert (finding.code, "ppc64le" in finding.message) == ("WLR271", True)


@pytest.mark.parametrize("error", [OSError(8, "Exec format error"), subprocess.TimeoutExpired("uv", 1)])
def test_uv_that_does_not_run_is_a_finding(tmp_path, monkeypatch, error):
    def run(*_args, **_options):
        raise error

    monkeypatch.setattr(lock, "find_uv", lambda: "uv")
    monkeypatch.setattr(subprocess, "run", run)
    uv._compiled.cache_clear()
    assert [each.code for each in locked(tmp_path, "gamma").findings] == ["WLR271"]


def test_logins_in_what_uv_says_are_not_told():
    told = uv.Compiled(
        None, "error: Failed to fetch: `https://jane:s3cret@pypi.internal/simple/x/`\n  cause: 401\n"
    ).reason
    assert told == "Failed to fetch: `https://…@pypi.internal/simple/x/` 401"
    assert uv.Compiled(None).reason == "uv gave no reason"


def test_uvs_hints_and_frames_are_left_out():
    said = (
        "warning: Python 3.8 is not available\n  × No solution found when resolving dependencies:\n"
        "  ╰─▶ Because there is no version of x==9 and you require x==9, we can conclude that your requirements are\n"
        "      unsatisfiable.\n\nhint: Consider something else\n"
    )
    assert uv.Compiled(None, said).reason == "Because there is no version of x==9 and you require x==9"


@pytest.mark.peer
def test_the_real_index(tmp_path, monkeypatch):
    program = lock.find_uv()
    if program is None:
        missing("uv is not installed")
    uv._compiled.cache_clear()
    made = locked(tmp_path, "idna>=3", "colorama; sys_platform == 'win32'", "attrs<23")
    if any("fetch" in each.message for each in made.findings):
        missing(f"the index cannot be reached: {made.findings[0].message}")
    assert [each.code for each in made.findings] == ["WLR261"]
    assert made.lines[0] == "attrs==22.2.0"
    assert made.lines[1].startswith("idna==3.")
    assert len(made.lines) == 2
    (finding,) = locked(tmp_path, "numpy==1.26.0").findings[-1:]
    assert finding.code == "WLR271"
    assert "Python>=3.9,<3.13" in finding.message


LOCK = """
lock-version = "1.0"
created-by = "a test"
requires-python = ">=3.8"

[[packages]]
name = "beta"
version = "1.1"
wheels = [{ name = "beta-1.1-py3-none-any.whl", url = "https://x.org/beta-1.1-py3-none-any.whl", hashes = { sha256 = "00" } }]

[[packages]]
name = "alpha"
version = "1.0"
sdist = { name = "alpha-1.0.tar.gz", url = "https://x.org/alpha-1.0.tar.gz", hashes = { sha256 = "00" } }

[[packages]]
name = "colorama"
version = "0.4.6"
marker = "sys_platform == 'win32'"
sdist = { name = "colorama-0.4.6.tar.gz", url = "https://x.org/colorama-0.4.6.tar.gz", hashes = { sha256 = "00" } }

[[packages]]
name = "pytest"
version = "8.0"
marker = "'dev' in dependency_groups"
sdist = { name = "pytest-8.0.tar.gz", url = "https://x.org/pytest-8.0.tar.gz", hashes = { sha256 = "00" } }

[[packages]]
name = "a-model"
directory = { path = ".", editable = true }
"""


def with_lock(root, *lines, text=LOCK, **options):
    (root / "pylock.toml").write_text(textwrap.dedent(text), encoding="utf-8")
    return locked(root, *lines, **options)


@pytest.fixture
def _without_uv(monkeypatch):
    monkeypatch.setattr(uv, "_compiled", None)


@pytest.mark.usefixtures("_without_uv")
def test_pylock_gives_the_versions_that_apply(tmp_path):
    made = with_lock(tmp_path, "alpha>=1", "beta")
    assert made.findings == ()
    assert made.text == "alpha==1.0\nbeta==1.1\n"


@pytest.mark.usefixtures("_without_uv")
def test_pylock_needs_a_packaging_that_knows_it(tmp_path, monkeypatch):
    monkeypatch.setattr("packaging.__version__", "26.0")
    (finding,) = with_lock(tmp_path, "alpha>=1").findings
    assert (finding.code, finding.message) == (
        "WLR272",
        "pylock.toml is read by packaging 26.1 or later, which is not installed",
    )
    assert "hatch-wallaroo[lock]" in finding.fix


def test_pylock_is_left_alone_without_lock(tmp_path):
    (tmp_path / "pylock.toml").write_text("broken")
    spec = make_spec(tmp_path, "custom", project=Project("a-model", "1", ("alpha==1.0",)))
    assert requirements_text(spec).findings == ()


HEAD = 'lock-version = "1.0"\ncreated-by = "a test"\n'


def sdist(name="alpha", version="1.0"):
    file = f"{name}-{version}.tar.gz"
    return f'sdist = {{ name = "{file}", url = "https://x.org/{file}", hashes = {{ sha256 = "00" }} }}'


def wheels(file, key="name"):
    url = "url = 'https://x.org/w', " if key == "name" else ""
    return f"wheels = [{{ {key} = '{file}', {url}hashes = {{ sha256 = '00' }} }}]"


def package(name="alpha", version="1.0", more="", source=None):
    source = sdist(name, version) if source is None else source
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}\n{source}\n'


BROKEN = [
    ("no table = ", "WLR272", "cannot be used"),
    ("", "WLR272", "lock-version"),
    ('lock-version = "2.0"\ncreated-by = "a test"\npackages = []', "WLR272", "version 2.0 is not supported"),
    (HEAD, "WLR272", "packages"),
    (HEAD + "packages = 3", "WLR272", "packages"),
    (HEAD + "packages = [3]", "WLR272", "packages[0]"),
    (HEAD + "[[packages]]\nversion = '1'", "WLR272", "packages[0].name"),
    (HEAD + package(version="one"), "WLR272", "packages[0].version"),
    (HEAD + package(more="marker = 'python > 3'"), "WLR272", "packages[0].marker"),
    (HEAD + package(more="marker = '" + "(" * 3_000 + "'"), "WLR272", "packages[0].marker"),
    (HEAD + package() + package(version="2.0"), "WLR272", "twice"),
    (HEAD + package(more="requires-python = 'x'"), "WLR272", "requires-python"),
    (HEAD + package(source=wheels("strange")), "WLR272", "Invalid wheel filename 'strange'"),
    (HEAD + package(source="wheels = []"), "WLR272", "packages[0]"),
    (HEAD + package(version="0.9"), "WLR273", "alpha 0.9, and alpha>=1 is required"),
    (HEAD + package("beta"), "WLR273", "does not have alpha"),
    (HEAD + package(more="marker = 'os_name == \"nt\"'"), "WLR273", "does not have alpha"),
    (HEAD + "requires-python = '>=3.9'\n" + package(), "WLR274", "Python >=3.9"),
    (HEAD + "environments = [\"sys_platform == 'win32'\"]\n" + package(), "WLR274", "environments"),
    (HEAD + package(more="requires-python = '>=3.9'"), "WLR274", "alpha 1.0 cannot be installed on Python 3.8"),
    (HEAD + package(source=wheels("alpha-1.0-cp311-cp311-manylinux2014_x86_64.whl")), "WLR274", "alpha 1.0"),
    (HEAD + package(source=wheels("https://x/alpha-1.0-cp38-cp38-win_amd64.whl", "url")), "WLR274", "alpha 1.0"),
    (HEAD + package(source=wheels("alpha-1.0-cp38-cp38-manylinux2014_aarch64.whl")), "WLR274", "alpha 1.0"),
    (
        HEAD + package(source="vcs = {type = 'git', url = 'https://x.org/y', commit-id = '0'}"),
        "WLR251",
        "comes from no index",
    ),
]


@pytest.mark.usefixtures("_without_uv")
@pytest.mark.parametrize(("text", "code", "told"), BROKEN, ids=range(len(BROKEN)))
def test_pylock_that_cannot_be_used_is_told(tmp_path, text, code, told):
    made = with_lock(tmp_path, "alpha>=1", text=text)
    assert code in [each.code for each in made.findings]
    assert any(told in each.message for each in made.findings)
    assert all(each.place.file == "pylock.toml" and each.fix for each in made.findings if each.is_error)


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ("", wheels("alpha-1.0-cp38-cp38-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")),
        ("", wheels("w/alpha-1.0-cp36-abi3-manylinux1_x86_64.whl", "path")),
        ("", wheels("alpha-1.0-py2.py3-none-any.whl")),
        ("", wheels("alpha-1.0-cp38-cp38-win_amd64.whl") + "\n" + sdist()),
        ("requires-python = '>=3.8'", None),
        ("marker = \"'gpu' not in extras and python_version == '3.8'\"", None),
        ("marker = \"'main' in dependency_groups or 'x' in extras\"", None),
        ("marker = \"platform_machine == 'x86_64' and python_version == '3.8'\"", None),
    ],
)
def test_pylock_for_the_platform_passes(tmp_path, more, source):
    made = with_lock(
        tmp_path, "alpha>=1", text=HEAD + "default-groups = ['main']\n" + package(more=more, source=source)
    )
    assert made.findings == ()
    assert made.lines == ("alpha==1.0",)


def test_pylock_that_uv_makes_is_read(tmp_path, shelf):
    done = subprocess.run(
        [lock.find_uv(), "pip", "compile", "-q", "-", "--format", "pylock.toml", "--python-version", "3.8"],
        input="alpha\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made = with_lock(tmp_path, "alpha", text=done.stdout)
    assert made.findings == ()
    assert made.lines == ("alpha==1.0", "beta==1.1", "delta==4")
