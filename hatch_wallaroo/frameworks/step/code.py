"""The code of a Python step against what the platform's loader accepts. Read as text, never executed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, nearest, rule
from hatch_wallaroo.frameworks.step.imports import check_imports
from hatch_wallaroo.frameworks.step.names import Function, Missing, Other, Path, Scope, Text, Unknown, Value
from hatch_wallaroo.frameworks.step.source import StepFile

_LOADER = "`mac` 2024.1.0, 2024.4.4 and 2026.1.3, io/custom_step_loaders.py; run on 2026.1.3"
_GUIDE = "MLOps API Essentials Guide, Python Models Requirements"

NO_FUNCTION = rule(
    "WLR441",
    "the Python step's function is not there",
    why="The platform calls one function by its name: wallaroo_json up to 2023.4, process_data from 2024.1.",
    source=f"{_GUIDE}; {_LOADER}: No pre/post-processing step found in the given files",
)
OTHER_FORM = rule(
    "WLR442",
    "the Python step is written for another release",
    why="With 2024.1 the function's name, its argument and its result changed: a DataFrame before, a dictionary of "
    "numpy arrays since.",
    source=f"{_GUIDE}; {_LOADER}",
)
SIGNATURE = rule(
    "WLR443",
    "the Python step's function has another signature than the platform's",
    why="From 2024.1 the loader compares name, argument and annotations with its own, letter by letter, and refuses "
    "the rest. Before, the engine calls the function with one argument.",
    source=f"{_GUIDE}; {_LOADER}: The `process_data` function should have the following signature",
)
SEVERAL = rule(
    "WLR444",
    "more than one Python step in the bundle",
    why="The loader executes every .py file at the top and wants one process_data over all of them, imported ones "
    "counted.",
    source=f"{_LOADER}: Multiple pre/post-processing steps found in the given files",
)
POSTPONED = rule(
    "WLR445",
    "annotations that are only text when the loader compares them",
    why="`from __future__ import annotations` and quotes leave a string in the annotation's place, which is not equal "
    "to InferenceData.",
    source=_LOADER,
)
STEP = {
    "wallaroo_json": "def wallaroo_json(data: pd.DataFrame):",
    "process_data": "def process_data(input_data: InferenceData) -> InferenceData:",
}
_WANTED = f"write\n    from mac.types import InferenceData\n    {STEP['process_data']}"
_ACCEPTED = {"mac.types.InferenceData", "typing.Dict[builtins.str, numpy.typing.NDArray]"}
_NOT_THERE = {"mac.InferenceData", "mac.inference.InferenceData"}
"""Where one would look for it."""
_TOLD = ("builtins.", "typing.", "numpy.", "pandas.", "collections.", "mac.", "pyarrow.")
"""Where a full name comes from whose meaning is known here."""
_NO_FUNCTIONS = {
    "functools.lru_cache", "functools.cache", "builtins.staticmethod", "builtins.classmethod", "builtins.property",
    "functools.singledispatch",
}  # fmt: skip


def judge(
    spec: ModelSpec, files: list[StepFile], bundled: set[str], declared: set[str] | None, *, complete: bool
) -> list[Finding]:
    """All findings over a step's files.

    `bundled`: every path beside them; `declared`: what requirements.txt names, None
    where that cannot be told; `complete`: none of the files is still to be fetched.
    """
    findings = [finding for each in files for finding in each.findings]
    read = [(each, each.scope) for each in files if each.scope is not None]
    wanted = spec.release.python_step
    hits: list[tuple[StepFile, Value]] = []
    for step, scope in read:
        findings += check_imports(spec, step, scope, bundled, declared)
        value = scope.names.get(wanted)
        if value is None:
            continue
        if isinstance(value, Other) or _is_object(value):
            what = value.what if isinstance(value, Other) else "no function, by its decorator"
            line = value.line if isinstance(value, Other) else _line(value)
            findings.append(
                NO_FUNCTION.finding(
                    f"{wanted} is {what}; the platform looks for a function", fix=STEP[wanted], place=step.at(line)
                )
            )
            hits.append((step, value))
            continue
        hits.append((step, value))
        findings += _signature(spec, step, scope, value)
    if len(hits) > 1 and wanted == "process_data":
        names = " and ".join(step.entry.name for step, _ in hits)
        findings.append(
            SEVERAL.finding(
                f"{names} each have a process_data",
                fix="keep one; make a model of its own for each step, under [tool.wallaroo.models.NAME]",
                place=hits[1][0].at(_line(hits[1][1])),
            )
        )
    if not hits and complete and len(read) == len(files):
        findings += _nothing(spec, read, wanted)
    return findings


def _nothing(spec: ModelSpec, read: list[tuple[StepFile, Scope]], wanted: str) -> Iterator[Finding]:
    """Why there is no step: the other release's function, a misspelt one, or none at all."""
    other = "process_data" if wanted == "wallaroo_json" else "wallaroo_json"
    for step, scope in read:
        if other in scope.names:
            release = spec.release.version
            fix = (
                f'set release = "2024.1" or later, or write {STEP["wallaroo_json"]}'
                if wanted == "wallaroo_json"
                else f"{_WANTED}\nwhich gets and returns a dictionary of numpy arrays, where wallaroo_json "
                "had a DataFrame"
            )
            yield OTHER_FORM.finding(
                f"{step.entry.name} has {other}; Wallaroo {release} calls {wanted}",
                fix=fix,
                place=step.at(_line(scope.names[other])),
            )
            return
    if not read:
        return
    close = [(step, name) for step, scope in read if (name := nearest(wanted, scope.names))]
    if close:
        step, name = close[0]
        said = f"{step.entry.name} has {name}, but no {wanted}"
    else:
        step = read[0][0]
        said = f"{step.entry.name} has no {wanted}" if len(read) == 1 else f"no file has a {wanted} at its top level"
    yield NO_FUNCTION.finding(said, fix=STEP[wanted], place=step.at())


def _line(value: Value) -> int | None:
    if isinstance(value, Function):
        return value.node.lineno
    return value.line if isinstance(value, Other) else None


def _is_object(value: Value) -> bool:
    return isinstance(value, Function) and any(
        isinstance(each, Path) and each.name in _NO_FUNCTIONS for each in value.decorators[:1]
    )


def _signature(spec: ModelSpec, step: StepFile, scope: Scope, value: Value) -> Iterator[Finding]:
    if spec.release.python_step == "wallaroo_json":
        if isinstance(value, Function) and not value.decorators:
            yield from _called_with_one(step, value)
        return
    if isinstance(value, Path):
        yield from _foreign(step, value)
        return
    if not isinstance(value, Function) or value.decorators:
        return  # what a decorator makes of it cannot be told
    if isinstance(value.node, ast.Lambda):
        yield SIGNATURE.finding(
            "process_data is a lambda, which has no annotations", fix=_WANTED, place=step.at(value.node.lineno)
        )
        return
    said = list(_parameters(spec, value.node))
    annotations = dict(value.annotations)
    texts = scope.postponed
    for name, found in (("input_data", annotations.get("input_data")), ("the result", value.returns)):
        what = f"{name} is not annotated" if found is None else _annotation(name, found)
        if found is None and name == "input_data" and said:
            continue
        if what:
            said.append(what)
        texts |= isinstance(found, Text)
    if scope.postponed:
        if any("not annotated" in each or "instead of" in each or "argument" in each for each in said):
            yield SIGNATURE.finding(f"process_data: {'; '.join(said)}", fix=_WANTED, place=step.at(value.node.lineno))
        yield POSTPONED.finding(
            "from __future__ import annotations makes text of InferenceData, which the loader refuses",
            fix="remove that line",
            place=step.at(value.node.lineno),
        )
    elif texts and all("quotes" in each for each in said):
        yield POSTPONED.finding(
            f"process_data: {'; '.join(said)}",
            fix="write InferenceData without quotes",
            place=step.at(value.node.lineno),
        )
    elif said:
        yield SIGNATURE.finding(f"process_data: {'; '.join(said)}", fix=_WANTED, place=step.at(value.node.lineno))
    if isinstance(value.node, ast.AsyncFunctionDef) and not spec.release.byop.asynchronous:
        yield SIGNATURE.finding(
            f"process_data is async; Wallaroo {spec.release.version} does not wait for it",
            fix='write it without async, or set release = "2024.4" or later',
            place=step.at(value.node.lineno),
        )


def _parameters(spec: ModelSpec, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every = [*plain, *(each for each in (arguments.vararg, arguments.kwarg) if each)]
    if len(every) == 1 and plain:
        if plain[0].arg != "input_data":
            yield f"the argument is called {plain[0].arg} instead of input_data"
        elif arguments.kwonlyargs:
            yield "the argument is by keyword only, and the platform does not name it"
        return
    names = ", ".join(each.arg for each in every) or "none"
    annotations_only = spec.release.python_step_signature == "annotations"
    lenient = annotations_only and len(plain) - len(arguments.defaults) <= 1 and plain[:1]
    if not (lenient and plain[0].arg == "input_data"):
        yield f"it has {len(every) or 'no'} arguments ({names}) instead of one, input_data"


def _annotation(name: str, found: Value) -> str:
    """What is wrong with an annotation, or '' where nothing is, or nothing can be told."""
    if isinstance(found, Text):
        return f"{name} is annotated in quotes"
    if isinstance(found, (Unknown, Missing)) or not isinstance(found, Path):
        return ""
    full = found.name
    if full in _ACCEPTED or (full.startswith("mac.") and full not in _NOT_THERE):
        return ""
    if not full.startswith(_TOLD):
        return ""
    return f"{name} is annotated {_short(full)} instead of InferenceData"


def _short(full: str) -> str:
    for long, short in (
        ("numpy.typing.", "npt."),
        ("numpy.", "np."),
        ("builtins.", ""),
        ("typing.", ""),
        ("mac.types.", ""),
    ):
        full = full.replace(long, short)
    return full


def _foreign(step: StepFile, value: Path) -> Iterator[Finding]:
    """A function of the standard library under the step's name."""
    root = value.name.partition(".")[0]
    if root in sys.stdlib_module_names or root == "builtins":
        yield SIGNATURE.finding(f"process_data is {value.name}, which is no step", fix=_WANTED, place=step.at())


def _called_with_one(step: StepFile, value: Function) -> Iterator[Finding]:
    arguments = value.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    keywords = [
        each.arg for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if not default
    ]
    line = value.node.lineno
    if required > 1 or keywords or not (positional or arguments.vararg):
        names = ", ".join([*(each.arg for each in positional), *keywords]) or "none"
        yield SIGNATURE.finding(
            f"wallaroo_json is called with one argument, the data; it takes {names}",
            fix=STEP["wallaroo_json"],
            place=step.at(line),
        )
    if isinstance(value.node, ast.AsyncFunctionDef):
        yield SIGNATURE.finding(
            "wallaroo_json is async, and its caller does not wait for it",
            fix=STEP["wallaroo_json"],
            place=step.at(line),
            level=Level.WARNING,
        )
