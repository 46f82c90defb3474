"""The lists of names: what they say of an environment, and that the real interpreters and the real `mac` say the same."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from hatch_wallaroo.frameworks.mac import environment_of
from hatch_wallaroo.python import known_names
from hatch_wallaroo.python.known_names import Lifetime, module_lifetime, names_of, nearest_version, parsed
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.releases.load import resolve
from support.peers import interpreter, missing, run_in


def environment(release: str, *lines: str) -> PlatformEnvironment:
    return environment_of(resolve(release), lines)


NAMES = [
    ("typing", "Self", False, False, "3.11"),
    ("typing", "ParamSpec", False, True, ""),
    ("typing", "List", None, None, ""),
    ("datetime", "UTC", False, False, "3.11"),
    ("hashlib", "file_digest", False, False, "3.11"),
    ("builtins", "ExceptionGroup", False, False, "3.11"),
    ("collections", "Mapping", True, False, ""),
    ("fractions", "gcd", True, False, ""),
    ("time", "clock", False, False, ""),
    ("warnings", "deprecated", False, False, "3.13"),
    ("numpy", "float", True, False, ""),
    ("numpy", "bool", True, False, "2.0"),
    ("numpy", "NaN", True, True, ""),
    ("numpy", "concat", False, False, "2.0"),
    ("numpy", "array", None, None, ""),
    ("pandas", "NoSuchThing", None, None, ""),
]


@pytest.mark.parametrize(("module", "name", "old", "new", "brought"), NAMES)
def test_names_of_python_and_numpy(module, name, old, new, brought):
    assert environment("2023.2.1").offers(module, name) is old
    assert environment("2026.1").offers(module, name) is new
    assert environment("2026.1").brought_by(module, name) == brought


@pytest.mark.parametrize(
    ("release", "module", "name", "offered"),
    [
        ("2026.1", "mac.types", "InferenceData", True),
        ("2026.1", "mac.types", "npt", True),
        ("2026.1", "mac.types", "SupportedFrameworks", False),
        ("2024.4", "mac.types", "SupportedFrameworks", True),
        ("2026.1", "mac.inference", "InferenceBuilder", False),
        ("2026.1", "mac.inference", "creation", True),
        ("2026.1", "mac.inference", "AsyncInference", True),
        ("2024.3", "mac.inference", "AsyncInference", False),
        ("2023.2.1", "mac.config", "CustomInferenceConfig", False),
        ("2026.1", "mac.inferance", "Inference", None),
        ("2026.1", "mac.inference", "__doc__", True),
    ],
)
def test_names_of_mac(release, module, name, offered):
    assert environment(release).offers(module, name) is offered


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("json", None, None),
        ("tomllib", "python", "python"),
        ("zoneinfo", "python", None),
        ("zoneinfo.nothing", "python", None),
        ("importlib.resources.abc", "python", "python"),
        ("formatter", None, "python"),
        ("mac.types", None, None),
        ("mac.inferance", "mac", "mac"),
        ("mac.inference.async_inference", "mac", None),
        ("mac.utils", None, "mac"),
        ("numpy", None, None),
    ],
)
def test_modules(module, old, new):
    assert environment("2023.2.1").lacks(module) == old
    assert environment("2026.1").lacks(module) == new


def test_a_backport_stands_for_a_module():
    assert environment("2023.2.1", "zoneinfo").lacks("zoneinfo") is None


def test_the_standard_library_is_the_platforms():
    assert environment("2023.2.1").is_stdlib("distutils")
    assert environment("2026.1").is_stdlib("imp")
    assert environment("2023.2.1").is_stdlib("formatter")
    assert not environment("2026.1").is_stdlib("formatter")
    assert not environment("2026.1").is_stdlib("tomllib")
    assert environment("2026.1").is_stdlib("json")


@pytest.mark.parametrize(
    ("release", "lines", "lines_of_numpy"),
    [
        ("2023.2.1", [], ["1.22"]),
        ("2026.1", [], ["1.26"]),
        ("2026.1", ["# nothing", "", "numpy  # any"], ["1.26"]),
        ("2026.1", ["numpy>=1.20"], ["1.26"]),
        ("2026.1", ["scipy"], ["1.26", "2.0", "2.1", "2.2"]),
        ("2023.2.1", ["scipy==1.10.0"], ["1.22", "1.23", "1.24"]),
        ("2023.2.1", ["numpy==1.24.4"], ["1.24"]),
        ("2026.1", ["numpy>=2,<2.2"], ["2.0", "2.1"]),
        ("2026.1", ["numpy~=1.24.0"], ["1.24"]),
        ("2026.1", ["numpy; python_version < '3.9'"], []),
        ("2026.1", ["numpy @ https://example.com/numpy.whl"], []),
        ("2026.1", ["-r other.txt"], []),
    ],
)
def test_numpys(release, lines, lines_of_numpy):
    assert environment(release, *lines).numpy == tuple(parsed(each) for each in lines_of_numpy)


def test_what_nobody_can_tell():
    assert environment_of(resolve("2026.1"), None).offers("numpy", "concat") is None
    assert environment("2026.1", "scipy").offers("numpy", "concat") is None
    assert environment("2026.1", "scipy").offers("numpy", "float") is False


def test_stars_of_mac_bring_what_they_import():
    brought = environment("2026.1").library.exports("mac.types")
    assert brought["InferenceData"] == "mac.types.InferenceData"
    assert brought["Dict"] == "typing.Dict"
    assert brought["npt"] == "numpy.typing"
    assert environment("2026.1").library.exports("mac.nothing") is None
    assert environment("2026.1").library.exports("numpy") is None


@pytest.mark.parametrize(
    ("asked", "wheel"),
    [
        ("2023.2.1", "2023.2.1"), ("2023.2", "2023.2.1"), ("2023.3", "2023.2.1"), ("2024.3", "2024.3.3"),
        ("2025.2", "2025.2.5"), ("2025.2.1", "2025.2.1"), ("2025.2.17", "2025.2.5"), ("2026.1", "2026.1.3"),
    ],
)  # fmt: skip
def test_the_wheel_that_speaks_for_a_release(asked, wheel):
    assert nearest_version("mac", parsed(asked)) == parsed(wheel)


def test_patterns():
    assert Lifetime((((3, 9), None),)) == known_names._lifetime("3.9-")
    both = known_names._lifetime("-1.23 2.0-")
    assert [both.has(parsed(each)) for each in ("1.19", "1.23", "1.24", "1.26", "2.0", "2.4")] == [
        True, True, False, False, True, True,
    ]  # fmt: skip
    assert (both.brought_by((1, 24)), both.brought_by((2, 4))) == ("2.0", "")


@pytest.mark.peer
@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_the_platforms_pythons_say_the_same(version):
    python = shutil.which(interpreter(version)) or missing(f"Python {version}")
    table = known_names._names("python")
    here = parsed(version)
    said = {
        module: {name: lifetime.has(here) for name, lifetime in names.items()}
        for module, names in table.names.items()
        if (module_lifetime("python", module) or known_names._lifetime("-")).has(here)
        and module.partition(".")[0] != "distutils"  # setuptools puts its own in its place
    }
    code = (
        "import importlib, json, sys, warnings\nwarnings.simplefilter('ignore')\nwrong = []\n"
        "for module, names in json.load(sys.stdin).items():\n    try:\n        made = importlib.import_module(module)\n"
        "    except Exception:\n        continue\n"
        "    wrong += [(module, name) for name, there in names.items() if hasattr(made, name) != there]\n"
        "print(json.dumps(wrong))\n"
    )
    done = subprocess.run([python, "-c", code], input=json.dumps(said), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.peer
@pytest.mark.parametrize("peer", ["mac-2023.2.1", "mac-2026.1.3"])
def test_the_real_mac_has_the_same_names(peer):
    wheel = parsed(peer.partition("-")[2])
    code = (
        "import importlib, json, logging\nimport mac.inference\nmade = {}\n"
        "for name in ('mac.inference', 'mac.inference.creation', 'mac.types', 'mac.config.inference', 'mac.config'):\n"
        "    made[name] = [each for each in dir(importlib.import_module(name)) if not each.startswith('_')]\n"
        "print(json.dumps(made))\n"
    )
    done = run_in(peer, ["-W", "ignore", "-c", code])
    assert done.returncode == 0, done.stderr
    for module, names in json.loads(done.stdout.splitlines()[-1]).items():
        assert set(names) <= names_of("mac", module, wheel), module
