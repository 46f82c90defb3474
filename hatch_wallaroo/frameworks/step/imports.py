"""What ends the import of a Python step on the platform, though it imports here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, rule
from hatch_wallaroo.frameworks.step.names import Scope
from hatch_wallaroo.frameworks.step.source import StepFile

_LOADER = "`mac` 2024.1.0, 2024.4.4 and 2026.1.3, io/custom_step_loaders.py; run on 2026.1.3"
_GUIDE = "MLOps API Essentials Guide, Python Models Requirements"

NO_IMPORT = rule(
    "WLR446",
    "the Python step cannot be imported on the platform",
    why="The file is executed by its path: it is in no package, and its folder is not searched for modules.",
    source=f"{_LOADER}: import_py_module_from_path",
)
UNDECLARED = rule(
    "WLR449",
    "a package that the Python step imports and nobody declares",
    why="The environment of a Python step holds what Wallaroo brings, and what requirements.txt asks for.",
    source=f'{_GUIDE}: "the python libraries natively supported by the Wallaroo platform"; `mac` 2026.1.3: its imports',
    level=Level.WARNING,
)
EXITS = rule(
    "WLR450",
    "a file that ends the platform's process when it is imported",
    why="Every .py file at the top is executed, a setup.py too.",
    source=f"{_LOADER}: SystemExit",
)

_PACKAGES = {
    "torch": "torch", "tensorflow": "tensorflow", "keras": "keras", "sklearn": "scikit-learn", "xgboost": "xgboost",
    "lightgbm": "lightgbm", "catboost": "catboost", "cv2": "opencv-python-headless", "transformers": "transformers",
    "onnxruntime": "onnxruntime", "statsmodels": "statsmodels", "nltk": "nltk", "spacy": "spacy", "joblib": "joblib",
    "torchvision": "torchvision", "skimage": "scikit-image",
}  # fmt: skip
"""Packages that the platform's own step environment does not hold, by the name they are imported under."""
_KNOWN = {"numpy", "pandas", "pyarrow", "mac", "pydantic", "typing_extensions", "scipy", "statsmodels"} | set(_PACKAGES)


def check_imports(
    spec: ModelSpec, step: StepFile, scope: Scope, bundled: set[str], declared: set[str] | None
) -> Iterator[Finding]:
    """What a file imports that is not there. `bundled`: every path of the bundle; `declared`: what its
    requirements.txt names, None where that cannot be told.
    """
    for name, line in dict.fromkeys(scope.missing):
        known = {"InferenceData": "from mac.types import InferenceData", "npt": "import numpy.typing as npt"}
        yield NO_IMPORT.finding(
            f"{name} is used in an annotation and not defined: the import ends there",
            fix=known.get(name, f"import {name}, or correct the name"),
            place=step.at(line),
        )
    for line in scope.exits:
        yield EXITS.finding(
            f"{step.entry.name} ends the process when it is imported",
            fix=f'exclude = ["{step.entry.name}"]' if step.path == "setup.py" else "remove the call",
            place=step.at(line),
        )
    siblings = _siblings(spec, step, bundled)
    for each in scope.imports:
        root = each.module.partition(".")[0]
        if each.guarded:
            continue
        if each.level:
            yield NO_IMPORT.finding(
                "a relative import: the platform executes the file by itself, outside any package",
                fix="put the code into this file",
                place=step.at(each.line),
            )
        elif root in siblings and root not in _KNOWN and root not in sys.stdlib_module_names and not step.moves_path:
            yield NO_IMPORT.finding(
                f"{each.module} lies beside {step.path}, and the platform does not look there",
                fix=_sibling_fix(spec, root),
                place=step.at(each.line),
            )
    yield from _undeclared(spec, step, scope, declared)


def _sibling_fix(spec: ModelSpec, root: str) -> str:
    if spec.release.python_step == "wallaroo_json":
        return f'put the code of {root} into this file, or use framework = "custom"'
    return (
        f"put the code of {root} into this file, or before it: "
        "import os, sys; sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))"
    )


def _siblings(spec: ModelSpec, step: StepFile, bundled: set[str]) -> set[str]:
    """The modules and packages beside a file: in the bundle, or in the project where only the file goes."""
    if spec.release.python_step == "process_data":
        return {path.partition("/")[0].removesuffix(".py") for path in bundled if path.endswith(".py")} - {
            step.path.removesuffix(".py")
        }
    folder = (spec.root / step.entry.name).parent
    found = set()
    for each in step.scope.imports if step.scope else ():
        root = each.module.partition(".")[0]
        if root and any(
            (base / f"{root}.py").is_file() or (base / root / "__init__.py").is_file()
            for base in (folder, spec.root, spec.root / "src")
        ):
            found.add(root)
    return found


def _undeclared(spec: ModelSpec, step: StepFile, scope: Scope, declared: set[str] | None) -> Iterator[Finding]:
    """Only well-known packages that Wallaroo's own runtime does not import."""
    if declared is None:
        return
    seen: set[str] = set()
    for each in scope.imports:
        root = each.module.partition(".")[0]
        package = _PACKAGES.get(root)
        if each.guarded or each.level or package is None or root in seen or _covered(package, declared):
            continue
        if spec.release.python_step == "wallaroo_json" and root == "statsmodels":
            continue  # the guide's own example of what is there
        seen.add(root)
        fix = (
            f'requirements = ["{package}"]'
            if spec.release.python_step == "process_data"
            else 'use framework = "custom", which has requirements'
        )
        yield UNDECLARED.finding(
            f"{step.entry.name} imports {root}, which the platform's environment for Python steps may not have",
            fix=fix,
            place=step.at(each.line),
            about=root if spec.release.python_step == "process_data" else "",
        )


def declared_names(text: str) -> set[str] | None:
    """The packages that a requirements.txt names, in their plain form; None where it refers to other files."""
    lines = [line.strip() for line in text.splitlines()]
    if any(line.startswith(("-", "http", "git+", ".", "/")) for line in lines):
        return None
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines)
    return {re.sub(r"[-_.]+", "-", each.group()).lower() for each in found if each}


def _covered(package: str, declared: set[str]) -> bool:
    return any(each == package or each.startswith(package.partition("-")[0]) for each in declared)
