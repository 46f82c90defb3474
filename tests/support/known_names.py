"""Writes `hatch_wallaroo/python/known_names.json`: which names the standard library, NumPy and `mac` have, and when.

    python tests/support/known_names.py

Asks the interpreters of this machine, NumPy in an environment of its own a version, and the SDK's wheels as PyPI has
them. Needs uv. A name is kept with the pattern of the versions that have it (`3.9-`, `-1.23 2.0-`); of the standard
library and NumPy only names that not every version has, of `mac` all.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).parents[1]))
from hatch_wallaroo.releases.load import all_releases
from support.peers import interpreter

TARGET = Path(__file__).parents[2] / "hatch_wallaroo" / "python" / "known_names.json"
PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
PLATFORMS = tuple(dict.fromkeys(each.python for each in all_releases()))
NUMPYS = {
    "1.19": ("1.19.5", "3.8"), "1.20": ("1.20.3", "3.8"), "1.21": ("1.21.6", "3.8"), "1.22": ("1.22.3", "3.8"),
    "1.23": ("1.23.5", "3.8"), "1.24": ("1.24.4", "3.8"), "1.25": ("1.25.2", "3.10"), "1.26": ("1.26.0", "3.10"),
    "2.0": ("2.0.2", "3.10"), "2.1": ("2.1.3", "3.10"), "2.2": ("2.2.6", "3.10"), "2.3": ("2.3.5", "3.11"),
    "2.4": ("2.4.2", "3.11"),
}  # fmt: skip
"""The last version of each line of NumPy (of 1.22 and 1.26 the platform's), and a Python that runs it."""
WHEELS = tuple(".".join(wheel.split(".")[:3]) for each in all_releases() for wheel in each.runtime_set.wheels)
"""The SDK's, in three parts each: one is called 2025.2.0.0."""

_Answers: TypeAlias = Mapping[str, Mapping[str, frozenset[str] | None]]
"""Of each version the names of its modules; None for a module that is there and cannot be imported here."""
_NUMPY = (
    "numpy", "numpy.char", "numpy.ctypeslib", "numpy.dtypes", "numpy.exceptions", "numpy.fft", "numpy.lib",
    "numpy.lib.stride_tricks", "numpy.linalg", "numpy.ma", "numpy.polynomial", "numpy.random", "numpy.rec",
    "numpy.strings", "numpy.testing", "numpy.typing",
)  # fmt: skip
_SKIPPED = {
    "antigravity", "this", "idlelib", "test", "tests", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "xxlimited",
    "xxlimited_35", "xxsubtype", "setup", "conftest",
}  # fmt: skip

_ASK = r"""
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
given = json.load(sys.stdin)
answer, sys.stdout = sys.stdout, open("/dev/null", "w")
made = {}
def look(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            made[name] = None
        return None
    except BaseException:
        made[name] = None
        return None
    declared = [each for each in getattr(module, "__all__", ()) if not each.startswith("_")]
    modules = type(sys)
    made[name] = [each for each in dir(module) if not each.startswith("_")
                  and not isinstance(module.__dict__.get(each), modules)] + declared
    return module
def walk(name):
    module = look(name)
    for each in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not each.name.startswith("_") and each.name not in given["skipped"]:
            walk(name + "." + each.name)
def has(module, name):
    try:
        getattr(sys.modules[module], name)
    except Exception:
        return False
    return True
if "names" in given:
    for module in given["names"]:
        look(module)
    made = {module: names and [each for each in given["names"][module] if has(module, each)]
            for module, names in made.items()}
elif given["modules"]:
    for each in given["modules"]:
        look(each)
else:
    for root in sorted(set(sys.builtin_module_names) | {each.name for each in pkgutil.iter_modules()}):
        if not root.startswith("_") and root not in given["skipped"]:
            walk(root)
json.dump(made, answer)
"""


_GENERICS = r"""
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
answer, sys.stdout = sys.stdout, open("/dev/null", "w")
found = []
for module in json.load(sys.stdin):
    try:
        made = importlib.import_module(module)
    except BaseException:
        continue
    for name in dir(made):
        each = getattr(made, name, None)
        if name[0] != "_" and isinstance(each, type):
            for inside in (int, (int, int), ([int], int)):
                try:
                    if "GenericAlias" in [kind.__name__ for kind in type(each[inside]).__mro__]:
                        found.append(module + "." + name)
                        break
                except Exception:
                    pass
json.dump(found, answer)
"""


def generics(pythons: Mapping[str, str], modules: Iterable[str]) -> dict[str, list[str]]:
    """The classes of the standard library that `[…]` makes a type of, by the versions in which it does."""
    having = {}
    for version, python in pythons.items():
        command = [python, "-I", "-S", "-c", _GENERICS]
        given = json.dumps(list(modules))
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, cwd="/")
        having[version] = set(json.loads(done.stdout))
    made: dict[str, list[str]] = {}
    for name in sorted(set().union(*having.values())):
        versions = {version for version, names in having.items() if name in names}
        made.setdefault(pattern(pythons, versions), []).append(name)
    return made


def surveyed(pythons: Mapping[str, str], modules: Iterable[str] = ()) -> _Answers:
    """The public names of modules (of the whole standard library unless some are named) in several interpreters.

    Asked twice: `dir` does not list what a module's `__getattr__` answers for, so all are asked for what any has.
    """
    with ThreadPoolExecutor(2) as pool:
        first = list(
            pool.map(lambda each: _ask(each, {"modules": list(modules), "skipped": sorted(_SKIPPED)}), pythons.values())
        )
        every: dict[str, set[str]] = {}
        for answer in first:
            for module, names in answer.items():
                every.setdefault(module, set()).update(names or ())
        asking = {"names": {module: sorted(names) for module, names in every.items()}}
        second = pool.map(lambda each: _ask(each, asking), pythons.values())
    return {
        version: {module: None if names is None else frozenset(names) for module, names in answer.items()}
        for version, answer in zip(pythons, second, strict=True)
    }


def _ask(python: str, given: object) -> dict[str, list[str] | None]:
    site = [] if "venv" in python else ["-S"]  # other distributions would count as the standard library
    command = [python, "-I", *site, "-c", _ASK]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True, cwd="/")
    answer: dict[str, list[str] | None] = json.loads(done.stdout)
    return answer


def numpys() -> _Answers:
    """NumPy's public modules, each version in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        pythons = {}
        for version, (exact, python) in NUMPYS.items():
            home = Path(folder, "venv", version)
            _run("uv", "venv", "--quiet", "--python", interpreter(python), str(home))
            pythons[version] = str(home / "bin" / "python")
            _run("uv", "pip", "install", "--quiet", "--python", pythons[version], f"numpy=={exact}")
        return surveyed(pythons, _NUMPY)


def wheel(version: str) -> dict[str, dict[str, str]]:
    """What the modules of `mac` bind at their top, as the wheel's sources say, and where imported names come from."""
    with tempfile.TemporaryDirectory() as folder:
        python = interpreter("3.10")
        wanted = f"wallaroo=={version}"
        _run("uv", "pip", "install", "--quiet", "--no-deps", "--python", python, "--target", folder, wanted)
        home = Path(folder)
        files = {path: path.relative_to(home).with_suffix("").parts for path in sorted(home.glob("mac/**/*.py"))}
        modules = {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in files.items()}
        found = {name: dict(_bound(ast.parse(path.read_bytes()).body)) for name, path in modules.items()}
        for name in list(found):
            parent, _, last = name.rpartition(".")
            found.get(parent, {}).setdefault(last, "")
        return found


def _bound(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The public names that statements bind, each with the full name of what an import takes from outside `mac`."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name, ""
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                root = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or root, "" if root.startswith("mac") else root
        elif isinstance(statement, ast.ImportFrom):
            outside = not statement.level and not (statement.module or "").startswith("mac")
            for alias in statement.names:
                yield alias.asname or alias.name, f"{statement.module}.{alias.name}" if outside else ""
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from ((each.id, "") for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            typing_only = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)
            for field in ("orelse", "finalbody") if typing_only else ("body", "orelse", "finalbody"):
                yield from _bound(getattr(statement, field, ()))
            yield from (name for each in getattr(statement, "handlers", ()) for name in _bound(each.body))


def macs() -> dict[str, object]:
    """All names of `mac` in each wheel; `origins` are the full names of those that it has from elsewhere."""
    with ThreadPoolExecutor(2) as pool:
        wheels = dict(zip(WHEELS, pool.map(wheel, WHEELS), strict=True))
    answers = {
        version: {module: frozenset(name for name in names if name[0] != "_") for module, names in found.items()}
        for version, found in wheels.items()
    }
    origins = {
        name: home
        for found in wheels.values()
        for names in found.values()
        for name, home in names.items()
        if home and name[0] != "_"
    }
    return {**table(answers), "origins": dict(sorted(origins.items()))}


def pattern(versions: Iterable[str], having: set[str]) -> str:
    """The ranges of versions that have something: `3.9-`, `-1.23 2.0-`, `-` for all."""
    every = list(versions)
    ranges: list[list[str]] = []
    before = False
    for version in every:
        if version in having:
            ranges = ranges if before else [*ranges, [version, version]]
            ranges[-1][1] = version
        before = version in having
    ends = (("" if a == every[0] else a, "" if b == every[-1] else b) for a, b in ranges)
    return " ".join(f"{a}-{b}" for a, b in ends)


def table(answers: _Answers, telling: Iterable[str] = ()) -> dict[str, object]:
    """`versions`, `modules` and `names` by pattern.

    `telling`: the versions one of which must lack a name for it to be kept, and any a module; none of them: all are.
    """
    versions, looked = list(answers), set(telling)
    modules: dict[str, list[str]] = {}
    names: dict[str, dict[str, list[str]]] = {}
    for module in sorted({name for answer in answers.values() for name in answer}):
        having = {version for version in versions if module in answers[version]}
        if not looked or len(having) < len(versions):
            modules.setdefault(pattern(versions, having), []).append(module)
        known = [version for version in versions if answers[version].get(module) is not None]
        silent = having.difference(known)
        for name in sorted({name for version in known for name in answers[version][module] or ()}):
            inside = {version for version in known if name in (answers[version][module] or ())}
            # A version without the module lacks the name; one that cannot import it here says nothing.
            if not looked or (looked & set(known)) - inside:
                names.setdefault(module, {}).setdefault(pattern(versions, inside | silent), []).append(name)
    return {"versions": versions, "modules": modules, "names": names}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Ask all, and write the file."""
    pythons = {each: interpreter(each) for each in PYTHONS}
    library = surveyed(pythons)
    modules = sorted({module for answer in library.values() for module in answer})
    made = {
        "python": {**table(library, PLATFORMS), "generics": generics(pythons, modules)},
        "numpy": table(numpys(), NUMPYS),
        "mac": macs(),
    }
    TARGET.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
