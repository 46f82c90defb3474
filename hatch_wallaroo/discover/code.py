"""Python code that is a model, or goes around one: steps, inference classes, a pair of load and predict. Never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import Deadline, RepositoryFile, Tree
from hatch_wallaroo.findings import errors
from hatch_wallaroo.parsing import parse
from hatch_wallaroo.releases.load import known, resolve

MOST = 2_000
_LARGEST = 1 << 20
_TELLTALE = re.compile(
    rb"\b(?:process_data|wallaroo_json|InferenceBuilder)\b|^(?:async )?def (?:load_model|load|predict)\(", re.MULTILINE
)
_NOT_OURS = re.compile(r"(?:test_.*|.*_test|conftest|setup|noxfile|tasks)\.py")
_STEPS = {"process_data": "2024.1 or later", "wallaroo_json": "2023.4 or earlier"}
_LONGEST_PATH = 500
_LOADS = ("load", "load_model")
_INPUTS = ("inputs", "input_data", "input")
_ABOUT_CODE = tuple(f"WLR5{number}" for number in range(19, 36))
"""What is wrong with inference classes themselves, requirements apart."""


@dataclass(frozen=True)
class Source:
    """A Python file that may be of use: parsed, with its text."""

    seen: RepositoryFile
    text: str
    tree: ast.Module

    @property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions at its top level, by name."""
        body = self.tree.body
        return {each.name: each for each in body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}


def code_models(tree: Tree, context: AdoptionContext, deadline: Deadline) -> Iterator[Candidate]:
    """The candidates among a repository's Python files."""
    files = [each for each in tree.files.values() if each.suffix == ".py" and not _NOT_OURS.fullmatch(each.name)]
    for seen in files[:MOST]:
        if deadline.passed:
            return
        found = code_model(seen, context)
        if found is not None:
            yield found


def code_model(seen: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """What a file of Python is: inference classes, a step, or a pair of functions; None for other code."""
    source = read(seen)
    if source is None:
        return None
    try:
        return _classes(source, context) or _step(source, context) or _pair(source, context)
    except RecursionError:
        return None


def read(seen: RepositoryFile, *, telling: bool = True) -> Source | None:
    """A file, `telling` those with something in it that tells; None for all others, and for what is no Python."""
    if not 0 < seen.size <= _LARGEST:
        return None
    try:
        data = seen.path.read_bytes()
        if telling and not _TELLTALE.search(data):
            return None
        text = data.decode("utf-8-sig")
        return Source(seen, text, parse(text))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def named_in(seen: RepositoryFile) -> frozenset[str]:
    """The last parts of all texts in a file that may be paths: `"models/kmeans.pkl"` names kmeans.pkl."""
    source = read(seen, telling=False)
    texts = (node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)) if source else ()
    return frozenset(each.rpartition("/")[2] for each in texts if isinstance(each, str) and len(each) < _LONGEST_PATH)


def _classes(source: Source, context: AdoptionContext) -> Candidate | None:
    """A module with an Inference and an InferenceBuilder of its own."""
    bases = {_last(base) for node in source.tree.body if isinstance(node, ast.ClassDef) for base in node.bases}
    if "InferenceBuilder" not in bases or not bases & {"Inference", "AsyncInference"}:
        return None
    label = source.seen.label
    packages = _local_imports(source, context)
    table = {"byop": {"module": label, **({"packages": packages} if packages else {})}}
    candidate = Candidate(label, "inference classes (BYOP)", ("custom",), certain=True, kind="code", table=table)
    found = judged(candidate, context)
    wrong = [each for each in errors(found.findings) if each.code in _ABOUT_CODE]
    return replace(found, certain=not wrong, advice=wrong[0].fix if wrong else "")


def _local_imports(source: Source, context: AdoptionContext) -> list[str]:
    """The project's own packages and modules that a file imports; they have to go along."""
    names: dict[str, None] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names.update((each.name.partition(".")[0], None) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module.partition(".")[0]] = None
    places = (f"{folder}{name}" for name in names for folder in ("", "src/"))
    found = [_importable(each, context) for each in places]
    return [each for each in found if each is not None and each != source.seen.label]


def _importable(place: str, context: AdoptionContext) -> str | None:
    if (context.root / place / "__init__.py").is_file():
        return place
    return f"{place}.py" if (context.root / f"{place}.py").is_file() else None


def _last(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _step(source: Source, context: AdoptionContext) -> Candidate | None:
    """A file with the function that Wallaroo calls between models."""
    name = next((each for each in _STEPS if each in source.functions), None)
    if name is None:
        return None
    candidate = Candidate(source.seen.label, f"a Python step ({name})", ("python",), certain=True, kind="code")
    spec = context.spec("python", source.seen.label)
    if spec is not None and spec.release.python_step != name:
        other = next(each for each in reversed(known()) if resolve(each).python_step == name)
        written = f"it is written for Wallaroo {_STEPS[name]}"
        advice = f"{written}: choose --release {other}, or write {spec.release.python_step}"
        return replace(candidate, certain=False, advice=advice)
    return judged(candidate, context)


def _pair(source: Source, context: AdoptionContext) -> Candidate | None:
    """Two functions that look like `load(folder)` and `predict(model, inputs)`; certain where little else is meant."""
    functions = source.functions
    load = next((functions[each] for each in _LOADS if each in functions), None)
    predict = functions.get("predict")
    module = _module(source.seen.label)
    if load is None or predict is None or module is None or isinstance(load, ast.AsyncFunctionDef):
        return None
    if _required(load) != 1 or _required(predict) != 2:  # noqa: PLR2004 - the model and the inputs
        return None
    byop: dict[str, Any] = {"load": f"{module}:{load.name}", "predict": f"{module}:{predict.name}"}
    package = _package(source.seen.label, module, context)
    table: Mapping[str, Any] = {"byop": {**byop, **({"packages": [package]} if package else {})}}
    sure = _takes_inputs(predict) and _gives_dict(predict)
    return Candidate(
        source.seen.label,
        f"two functions, {load.name} and {predict.name} (BYOP)",
        ("custom",),
        certain=sure,
        kind="code",
        table=table,
        advice="" if sure else "predict must take a dict of arrays by field name, and return one",
    )


def _required(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many arguments must be given; more than can be for a function that asks for one by name."""
    arguments = function.args
    if any(default is None for default in arguments.kw_defaults):
        return 99
    return len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)


def _takes_inputs(predict: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    second = [*predict.args.posonlyargs, *predict.args.args][1]
    written = ast.unparse(second.annotation).lower() if second.annotation else ""
    return second.arg in _INPUTS or "dict[" in written or written in {"dict", "inferencedata"} or "mapping" in written


def _gives_dict(predict: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    written = ast.unparse(predict.returns).lower() if predict.returns else ""
    if "dict" in written or "mapping" in written or written == "inferencedata":
        return True
    returned = [node.value for node in ast.walk(predict) if isinstance(node, ast.Return)]
    return bool(returned) and all(isinstance(each, (ast.Dict, ast.DictComp)) or _calls_dict(each) for each in returned)


def _calls_dict(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict"


def _module(label: str) -> str | None:
    """The module that a file is imported as: its path below `src`, or below the project; None where it cannot be."""
    parts = label.removeprefix("src/").removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def _package(label: str, module: str, context: AdoptionContext) -> str | None:
    """The folder to name in byop.packages: one at the project's top that is no package by itself."""
    top = label.partition("/")[0]
    if "." not in module or top != module.partition(".")[0] or (context.root / top / "__init__.py").is_file():
        return None
    return top
