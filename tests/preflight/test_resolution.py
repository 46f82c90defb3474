"""Requirements asked of a real uv, on a shelf of tiny packages: what each kind of fault is called, and where."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hatch_wallaroo.findings import Level, Place
from hatch_wallaroo.preflight import resolution
from hatch_wallaroo.preflight.preparing import Options, PreflightError, prepare
from hatch_wallaroo.preflight.resolution import NoAnswerError, for_environment, on_platform
from hatch_wallaroo.preflight.subject import Subject, of_checked
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.requirements.uv import Compiled, find_uv
from support import shelf as shelves
from support.shelf import source, wheel

RUNTIME = {
    "numpy": "1.26.0",
    "pandas": "2.2.0",
    "pyarrow": "14.0.1",
    "pydantic": "2.11.7",
    "pydantic_settings": "2.0",
    "pyyaml": "6.0.1",
    "rich": "13.7.1",
}
PLACES = {"": Place(key=("project", "dependencies"))}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    shelves.only(folder, monkeypatch)
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))
    for name, version in RUNTIME.items():
        wheel(folder, name, version)
    wheel(folder, "numpy", "2.0.2")
    wheel(folder, "wants_new", "1.0", requires=["numpy>=2"])
    wheel(folder, "late", "2.0", python=">=3.11")
    wheel(folder, "early", "1.0", tag="cp38-cp38-manylinux2014_x86_64")
    wheel(folder, "arm", "1.0", tag="cp310-cp310-manylinux2014_aarch64")
    wheel(folder, "newer_linux", "1.0", tag="cp310-cp310-manylinux_2_28_x86_64")
    wheel(folder, "old_base", "1.0")
    wheel(folder, "old_base", "2.0")
    wheel(folder, "wants_old", "1.0", requires=["old_base<2"])
    ran = f"open({str(tmp_path / 'ran')!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
    source(folder, "sourced", "1.0", ran)
    source(folder, "sourced_too", "1.0", ran)
    wheel(folder, "wants_source", "1.0", requires=["sourced"])
    source(folder, "arm_and_source", "1.0", ran)
    wheel(folder, "arm_and_source", "1.0", tag="cp310-cp310-manylinux2014_aarch64")
    return folder


def subject(*lines: str, machine: str = "x86_64") -> Subject:
    release = resolve("2026.1")
    places = {name: Place(file="r.txt", line=number) for number, name in enumerate(map(named, lines), 1) if name}
    return Subject(
        name="m",
        version="1",
        file=Path("m.zip"),
        sha256="0" * 64,
        release=release,
        framework=release.frameworks["custom"],
        framework_config=None,
        requirements=lines,
        machine=machine,
        input_schema=None,
        output_schema=None,
        requirement_places={**PLACES, **places},
    )


def named(line: str) -> str:
    return resolution.requirement_name(line)


@pytest.mark.parametrize(
    ("lines", "machine", "code", "line", "words"),
    [
        (("old_base", "late==2.0"), "x86_64", "WLR700", 2, "late==2.0 requires Python >=3.11"),
        (("old_base==7",), "x86_64", "WLR700", 1, "there is no version of old-base==7"),
        (("old_base", "no-such-thing"), "x86_64", "WLR700", 2, "no-such-thing was not found"),
        (("early",), "x86_64", "WLR700", 1, "no wheels with a matching Python ABI tag"),
        (("arm",), "x86_64", "WLR700", 1, "no wheels with a matching platform tag"),
        (("newer_linux",), "aarch64", "WLR700", 1, "no wheels with a matching platform tag"),
        (("rich", "wants_old", "old_base>=2"), "x86_64", "WLR700", 2, "wants-old depend on old-base<2"),
        (("rich", "numpy==2.0.2"), "x86_64", "WLR702", 2, "you require numpy==1.26.0"),
        (("wants_new",), "x86_64", "WLR702", 1, "wants-new depend on numpy>=2"),
        (("rich", "sourced"), "x86_64", "WLR701", 2, "sourced has no wheel for Python 3.10 on Linux x86_64"),
        (("sourced>=1",), "aarch64", "WLR701", 1, "sourced has no wheel for Python 3.10 on Linux aarch64"),
        (("rich", "Arm_and.Source"), "x86_64", "WLR701", 2, "arm-and-source has no wheel"),
        (("wants_source",), "x86_64", "WLR701", None, "sourced has no wheel"),
    ],
)
def test_each_fault_has_its_words_and_its_line(shelf, tmp_path, lines, machine, code, line, words):
    found = on_platform(find_uv(), subject(*lines, machine=machine))
    assert [each.code for each in found] == [code]
    assert words in found[0].message
    assert found[0].place == (Place(file="r.txt", line=line) if line else PLACES[""])
    assert found[0].level is (Level.ERROR if code == "WLR700" else Level.WARNING)
    assert "\n" not in found[0].message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("lines", "machine"),
    [
        ((), "x86_64"),
        (("old_base",), "x86_64"),
        (("numpy==1.26.0", "rich"), "x86_64"),
        (("arm==1.0",), "aarch64"),
        # Which Linux the platform has is not known: a wheel for a newer one may do.
        (("newer_linux",), "x86_64"),
        (("numpy==9",), "ppc64le"),
        (("rich==13.7.1 \\", "--hash=sha256:" + "0" * 64), "x86_64"),
    ],
)
def test_what_can_be_installed_is_left_alone(shelf, lines, machine):
    assert on_platform(find_uv(), subject(*lines, machine=machine)) == ()


def test_beside_what_has_to_be_compiled_the_others_are_looked_at(shelf, tmp_path):
    asked = subject("sourced==1.0 \\", f"--hash=sha256:{'0' * 64}", "sourced_too", "old_base==7")
    found = on_platform(find_uv(), asked)
    assert {each.code for each in found} - {"WLR701"} == {"WLR700"}
    assert "there is no version of old-base==7" in found[-1].message
    found = on_platform(find_uv(), subject("sourced", "sourced_too", "rich"))
    assert [(each.code, each.about) for each in found] == [("WLR701", "sourced"), ("WLR701", "sourced-too")]
    assert not (tmp_path / "ran").exists()


def test_an_index_that_is_not_reached_is_no_fault_of_the_requirements(shelf, monkeypatch):
    # Nothing listens on the first port.
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(NoAnswerError, match="Failed to fetch"):
        on_platform(find_uv(), subject("elsewhere"))


@pytest.mark.parametrize("line", ["-e {}", "-e{}", "  --editable={}", "rich\r-e {}", "-r {}/more.txt"])
def test_a_manifest_runs_nothing_by_its_requirements(shelf, tmp_path, line):
    """uv runs the setup.py of an editable project even where it is told to take wheels alone."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    (stranger / "more.txt").write_text(f"-e {stranger}\n")
    with pytest.raises(PreflightError, match="names what lies outside the bundle"):
        prepare(subject(line.format(stranger)), Options(), lambda _: None)
    assert not (tmp_path / "ran").exists()


def test_an_address_comes_whole_from_the_kept_answers(shelf, tmp_path, monkeypatch):
    line = f"old-base @ {(shelf / 'old_base-1.0-py3-none-any.whl').as_uri()}"
    first = resolution.ask(find_uv(), "3.10", [line], binary=True).pins
    monkeypatch.setattr(resolution, "compile_lines", None)  # it is not asked again
    assert resolution.ask(find_uv(), "3.10", [line], binary=True).pins == first == (line,)


def test_an_answer_with_a_login_is_not_kept(shelf, tmp_path, monkeypatch):
    pin = "m @ https://user:secret@example.com/m-1.0-py3-none-any.whl"
    monkeypatch.setattr(resolution, "compile_lines", lambda *_, **__: Compiled((pin,)))
    assert resolution.ask("uv", "3.10", [pin]).pins == (pin,)
    assert not list(tmp_path.glob("cache/resolutions/*"))


def made(lines, runtimes=None, **options):
    runtime = resolve("2026.1").runtime_set.requirements
    return for_environment(find_uv(), subject(*lines), "3.10", runtimes or [runtime], **options)


def test_an_environment_has_the_runtimes_versions(shelf):
    pins = made(["old_base<2"]).pins
    assert {"numpy==1.26.0", "pyarrow==14.0.1", "old-base==1.0"} <= set(pins)


def test_versions_of_the_bundle_go_before_those_of_the_runtime(shelf):
    """What a warning has told (WLR702): only the package that is in the way gives way, as far as that is known."""
    assert {"numpy==2.0.2", "pyarrow==14.0.1"} <= set(made(["numpy==2.0.2"]).pins)
    assert {"numpy==2.0.2", "wants-new==1.0"} <= set(made(["wants_new"]).pins)


def test_the_first_set_that_fits_is_taken(shelf):
    assert "numpy==2.0.2" in made([], [["numpy==1.0"], ["numpy"], ["numpy==1.26.0"]]).pins


def test_a_library_gives_way_to_the_bundles_own_line(shelf):
    pins = made(["old_base==1.0"], more=["old-base==2.0", "wants-old"]).pins
    assert {"old-base==1.0", "wants-old==1.0"} <= set(pins)


def test_nothing_is_built_unless_that_is_asked_for(shelf, tmp_path):
    refused = made(["sourced"])
    assert (refused.pins, refused.unbuilt) == (None, ("sourced",))
    assert not (tmp_path / "ran").exists()


def test_an_answer_is_kept_for_its_index_alone(shelf, tmp_path, monkeypatch):
    uv = find_uv()
    asked = []

    def compiled(*arguments, **options):
        asked.append(arguments)
        return Compiled(("rich==13.7.1",))

    monkeypatch.setattr(resolution, "compile_lines", compiled)
    for _ in range(2):
        assert resolution.ask(uv, "3.10", ["rich"]).pins == ("rich==13.7.1",)
    assert len(asked) == 1
    monkeypatch.setenv("UV_INDEX", "https://user:password@index.example/simple")
    resolution.ask(uv, "3.10", ["rich"])
    assert len(asked) == 2
    kept = [path.read_text() for path in (tmp_path / "cache" / "resolutions").iterdir()]
    assert kept == ["rich==13.7.1"] * 2


def test_lines_that_name_indexes_go_along(shelf):
    one = subject("--extra-index-url https://a.example", "rich", "--find-links=wheels", "--pre", "-i x")
    assert resolution.indexes(one) == ("--extra-index-url https://a.example", "--find-links=wheels", "-i x")
    assert resolution.indexes(dataclasses.replace(one, requirements=())) == ()


# uv 0.13: the reason, and a hint. uv 0.5: the reason alone, broken into lines.
NEWER = """error: No solution found when resolving dependencies
  cause: Because all versions of mixed have no usable wheels and you require mixed

hint: Wheels are required for `mixed` because building from source is disabled for all packages
"""
OLDER = """  × No solution found when resolving dependencies:
  ╰─▶ Because pycocotools==2.0.0 has no usable wheels and building from source
      is disabled and you require pycocotools==2.0.0, we can
      conclude that your requirements are unsatisfiable.
"""


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (NEWER, ("mixed",)),
        (OLDER, ("pycocotools",)),
        ("  ╰─▶ Because all versions of\n  │   zope.thing have no usable wheels and\n", ("zope.thing",)),
        ("Because arm==1.0 has no wheels with a matching platform tag", ()),
    ],
)
def test_what_has_its_source_alone_is_known_by_the_words_of_old_and_new_uv(error, names):
    assert Compiled(None, error).without_wheels == names


PROJECT = """
[project]
name = "m"
version = "1"
dependencies = ["Rich==13.7.1", "scikit_learn>=1"]
[tool.wallaroo]
framework = "custom"
release = "2026.1"
input-schema = { x = "float64" }
output-schema = { y = "float64" }
"""
HOOK = "[tool.hatch.build.hooks.wallaroo]\n"
GENERATED = '[tool.wallaroo.byop]\nload = "guesses:load"\npredict = "guesses:predict"\n'
CODE = "def load(path) -> int:\n    return 1\n\n\ndef predict(model, x):\n    return {'y': x}\n"
STEP = (
    "from typing import Dict\nimport numpy as np\nfrom mac.types import InferenceData\n\n\n"
    "def process_data(input_data: InferenceData) -> InferenceData:\n    return {'y': input_data['x']}\n"
)


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (
            {"pyproject.toml": PROJECT + GENERATED, "guesses.py": CODE},
            {
                "": Place(key=("project", "dependencies")),
                "rich": Place(key=("project", "dependencies", 0)),
                "scikit-learn": Place(key=("project", "dependencies", 1)),
            },
        ),
        (
            {
                "pyproject.toml": f'{PROJECT}requirements = "r.txt"\n{GENERATED}',
                "guesses.py": CODE,
                "r.txt": "# what it needs\n\nnumpy==1.26.0  # as there\n-r more.txt\n",
                "more.txt": "Rich==13.7.1\n",
            },
            {
                "": Place(key=("tool", "wallaroo", "requirements")),
                "numpy": Place(file="r.txt", line=3),
                "rich": Place(file="more.txt", line=1),
            },
        ),
        (
            {
                "pyproject.toml": PROJECT.replace('"custom"', '"python"') + 'model = "own"\n',
                "own/main.py": STEP,
                "own/requirements.txt": "# mine\nnumpy==1.26.0\n",
            },
            {
                "": Place(file="own/requirements.txt"),
                "numpy": Place(file="own/requirements.txt", line=2),
            },
        ),
    ],
    ids=["dependencies", "files", "own"],
)
def test_every_requirement_knows_its_line(tmp_path, files, places):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + (HOOK if name == "pyproject.toml" else ""))
    (checked,) = check_repository(read_repository(tmp_path)).models
    assert checked.passed, [each.message for each in checked.findings]
    assert of_checked(checked, tmp_path / "m.zip", "0" * 64).requirement_places == places
