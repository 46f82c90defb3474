"""Python code that is a model, or goes around one: steps, inference classes, a pair of load and predict. Never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import Deadline, RepositoryFile, Tree
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.findings import errors
from hatch_wallaroo.frameworks.mac import ASYNC_INFERENCE, BUILDER, INFERENCE, environment_of
from hatch_wallaroo.python.definitions import accepts, derives, named_classes, required
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.source_files import LARGEST, SourceFile, Sources, read_sources
from hatch_wallaroo.python.values import Function, FunctionNode, Module, OwnClass
from hatch_wallaroo.releases.load import known, releases_with, resolve

MOST = 2_000
_TELLTALE = re.compile(
    rb"\b(?:process_data|wallaroo_json|InferenceBuilder)\b|^(?:async )?def (?:load_model|load|predict)\(", re.MULTILINE
)
_NOT_OURS = re.compile(r"(?:test_.*|.*_test|conftest|setup|noxfile|tasks)\.py")
_STEPS = ("process_data", "wallaroo_json")
_LONGEST_PATH = 500
_LOADS = ("load", "load_model")
_INPUTS = ("inputs", "input_data", "input")
_ABOUT_CODE = tuple(f"WLR5{number}" for number in range(19, 36))
"""What is wrong with inference classes themselves, requirements apart."""


def code_models(tree: Tree, context: AdoptionContext, deadline: Deadline) -> Iterator[Candidate]:
    """The candidates among a repository's Python files."""
    files = [each for each in tree.files.values() if each.suffix == ".py" and not _NOT_OURS.fullmatch(each.name)]
    for file in files[:MOST]:
        if deadline.passed:
            return
        found = code_model(file, context)
        if found is not None:
            yield found


def code_model(file: RepositoryFile, context: AdoptionContext) -> Candidate | None:
    """What a file of Python is: inference classes, a step, or a pair of functions; None for other code."""
    if not _tells(file):
        return None
    source = _source(file)
    if source is None:
        return None
    environment = environment_of(resolve(context.release), None)
    run = ImportRun(Sources({source.path: source}, frozenset({""})), environment)
    try:
        module = run.execute(source, source.stem)
        return _classes(module, context) or _step(module, context) or _pair(module, context)
    except RecursionError:
        return None


def named_in(file: RepositoryFile) -> frozenset[str]:
    """The last parts of all texts in a file that may be paths: `"models/kmeans.pkl"` names kmeans.pkl."""
    source = _source(file)
    nodes = ast.walk(source.tree) if source and source.tree else ()
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return frozenset(each.rpartition("/")[2] for each in texts if isinstance(each, str) and len(each) < _LONGEST_PATH)


def _tells(file: RepositoryFile) -> bool:
    """Whether there is something in a file that makes it worth following."""
    if not 0 < file.size <= LARGEST:
        return False
    try:
        return _TELLTALE.search(file.path.read_bytes()) is not None
    except OSError:
        return False


def _source(file: RepositoryFile) -> SourceFile | None:
    """The parsed file; None for what is no Python."""
    (source,) = read_sources([Entry(file.label, FileSource(file.path), file.label)], "").files.values()
    return source if source.tree is not None else None


def _functions(module: Module) -> dict[str, FunctionNode]:
    """The functions that the names of a module stand for."""
    values = ((name, bound.values[-1]) for name, bound in module.names.items() if bound.values)
    return {name: value.node for name, value in values if isinstance(value, Function)}


def _classes(module: Module, context: AdoptionContext) -> Candidate | None:
    """A module with an Inference and an InferenceBuilder of its own."""
    if not (_derives(module, BUILDER) and (_derives(module, INFERENCE) or _derives(module, ASYNC_INFERENCE))):
        return None
    label = module.file.label
    packages = _local_imports(module.file, context)
    table = {"byop": {"module": label, **({"packages": packages} if packages else {})}}
    candidate = Candidate(label, "inference classes (BYOP)", ("custom",), certain=True, kind="code", table=table)
    found = judged(candidate, context)
    wrong = [each for each in errors(found.findings) if each.code in _ABOUT_CODE]
    return replace(found, certain=not wrong, advice=wrong[0].fix if wrong else "")


def _derives(module: Module, base: str) -> bool:
    """Whether a module has a class of its own that is made of a class of the platform's."""
    found = (each.value for each in named_classes(module, base))
    return any(isinstance(each, OwnClass) and derives(each, base, module.library) for each in found)


def _local_imports(source: SourceFile, context: AdoptionContext) -> list[str]:
    """The project's own packages and modules that a file imports; they have to go along."""
    names: dict[str, None] = {}
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.Import):
            names.update((each.name.partition(".")[0], None) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module.partition(".")[0]] = None
    places = (f"{folder}{name}" for name in names for folder in ("", "src/"))
    found = [_importable(each, context) for each in places]
    return [each for each in found if each is not None and each != source.label]


def _importable(place: str, context: AdoptionContext) -> str | None:
    if is_file(context.root / place / "__init__.py"):
        return place
    return f"{place}.py" if is_file(context.root / f"{place}.py") else None


def _step(module: Module, context: AdoptionContext) -> Candidate | None:
    """A file with the function that Wallaroo calls between models."""
    name = next((each for each in _STEPS if each in _functions(module)), None)
    if name is None:
        return None
    candidate = Candidate(module.file.label, f"a Python step ({name})", ("python",), certain=True, kind="code")
    spec = context.spec("python", module.file.label)
    if spec is not None and spec.release.python_step != name:
        fitting = releases_with(lambda each: each.python_step == name)
        era = f"{fitting[0]} or later" if fitting[-1] == known()[-1] else f"{fitting[-1]} or earlier"
        advice = (
            f"it is written for Wallaroo {era}: choose --release {fitting[-1]}, or write {spec.release.python_step}"
        )
        return replace(candidate, certain=False, advice=advice)
    return judged(candidate, context)


def _pair(module: Module, context: AdoptionContext) -> Candidate | None:
    """Two functions that look like `load(folder)` and `predict(model, inputs)`; certain where little else is meant."""
    functions = _functions(module)
    load = next((functions[each] for each in _LOADS if each in functions), None)
    predict = functions.get("predict")
    name = _module_name(module.file.label)
    if load is None or predict is None or name is None or isinstance(load, ast.AsyncFunctionDef):
        return None
    if not (_takes(load, 1) and _takes(predict, 2)):
        return None
    byop: dict[str, Any] = {"load": f"{name}:{load.name}", "predict": f"{name}:{predict.name}"}
    package = _package(module.file.label, name, context)
    table: Mapping[str, Any] = {"byop": {**byop, **({"packages": [package]} if package else {})}}
    sure = _takes_inputs(predict) and _gives_dict(predict)
    return Candidate(
        module.file.label,
        f"two functions, {load.name} and {predict.name} (BYOP)",
        ("custom",),
        certain=sure,
        kind="code",
        table=table,
        advice="" if sure else "predict must take a dict of arrays by field name, and return one",
    )


def _takes(function: FunctionNode, count: int) -> bool:
    """Whether a function wants so many arguments by position, and no more than these."""
    return accepts(function.args, count) and len(required(function.args)) == count


def _takes_inputs(predict: FunctionNode) -> bool:
    second = [*predict.args.posonlyargs, *predict.args.args][1]
    written = ast.unparse(second.annotation).lower() if second.annotation else ""
    return second.arg in _INPUTS or "dict[" in written or written in {"dict", "inferencedata"} or "mapping" in written


def _gives_dict(predict: FunctionNode) -> bool:
    written = ast.unparse(predict.returns).lower() if predict.returns else ""
    if "dict" in written or "mapping" in written or written == "inferencedata":
        return True
    returned = [node.value for node in ast.walk(predict) if isinstance(node, ast.Return)]
    return bool(returned) and all(isinstance(each, (ast.Dict, ast.DictComp)) or _calls_dict(each) for each in returned)


def _calls_dict(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict"


def _module_name(label: str) -> str | None:
    """The module that a file is imported as: its path below `src`, or below the project; None where it cannot be."""
    parts = label.removeprefix("src/").removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def _package(label: str, module: str, context: AdoptionContext) -> str | None:
    """The folder to name in byop.packages: one at the project's top that is no package by itself."""
    top = label.partition("/")[0]
    if "." not in module or top != module.partition(".")[0] or is_file(context.root / top / "__init__.py"):
        return None
    return top
