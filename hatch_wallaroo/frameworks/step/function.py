"""The function of a Python step: is it there, once, and with the signature that the platform's loader compares?"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Finding, Level, nearest
from hatch_wallaroo.frameworks.mac import DATA
from hatch_wallaroo.frameworks.step import rules
from hatch_wallaroo.python.definitions import accepts, required, visible
from hatch_wallaroo.python.expressions import external_name, value_of
from hatch_wallaroo.python.values import (
    Expression,
    External,
    Function,
    Instance,
    Method,
    Module,
    OwnClass,
    Scope,
    Value,
)
from hatch_wallaroo.releases.load import releases_with

STEP = {
    "wallaroo_json": "def wallaroo_json(data: pd.DataFrame):",
    "process_data": "def process_data(input_data: InferenceData) -> InferenceData:",
}
_WANTED = f"write\n    from mac.types import InferenceData\n    {STEP['process_data']}"
_TOLD = ("builtins.", "typing.", "typing_extensions.", "numpy.", "pandas.", "collections.", "mac.", "pyarrow.")
"""Where a full name comes from whose meaning is known here."""
_NO_FUNCTIONS = frozenset(
    {
        "functools.lru_cache", "functools.cache", "builtins.staticmethod", "builtins.classmethod", "builtins.property",
    }
)  # fmt: skip


@dataclass(frozen=True)
class _Hit:
    """What stands under the step's name in a file; `what` is empty for a function, and for what cannot be told."""

    module: Module
    value: Value | None
    what: str = ""

    @property
    def function(self) -> Function | None:
        return self.value if isinstance(self.value, Function) else None

    @property
    def node(self) -> ast.AST | None:
        if isinstance(self.value, (Function, OwnClass, Expression)):
            return self.value.node
        return None


def judge(spec: ModelSpec, modules: Sequence[Module]) -> list[Finding]:
    """The findings about the function, over all files that the platform executes."""
    wanted = spec.release.python_step
    hits = [hit for module in modules if (hit := _hit(module, wanted)) is not None]
    findings = [finding for hit in hits if not hit.what for finding in _signature(spec, hit)]
    functions = [hit for hit in hits if hit.function is not None and not hit.what]
    if len(functions) > 1 and wanted == "process_data":
        names = " and ".join(hit.module.file.label for hit in functions)
        findings.append(
            rules.SEVERAL.finding(
                f"{names} each have a process_data",
                fix="keep one; make a model of its own for each step, under [tool.wallaroo.models.NAME]",
                place=functions[1].module.file.place(functions[1].node),
            )
        )
    seen = all(module.done and not module.open for module in modules)
    if all(hit.what for hit in hits) and hits:
        findings += [
            rules.NO_FUNCTION.finding(
                f"{wanted} is {hit.what}; the platform looks for a function",
                fix=STEP[wanted],
                place=hit.module.file.place(hit.node),
            )
            for hit in hits
        ]
    elif not hits and seen and modules:
        findings.append(_nothing(spec, modules, wanted))
    return findings


def _nothing(spec: ModelSpec, modules: Sequence[Module], wanted: str) -> Finding:
    """Why there is no step: the other release's function, a misspelt one, or none at all."""
    other = "process_data" if wanted == "wallaroo_json" else "wallaroo_json"
    for module in modules:
        if other in module.names:
            value = module.names[other].values[0]
            since = releases_with(lambda each: each.python_step == other)[0]
            fix = (
                f'set release = "{since}" or later, or write {STEP["wallaroo_json"]}'
                if wanted == "wallaroo_json"
                else f"{_WANTED}\nwhich gets and returns a dictionary of numpy arrays, where wallaroo_json "
                "had a DataFrame"
            )
            return rules.OTHER_FORM.finding(
                f"{module.file.label} has {other}; Wallaroo {spec.release.version} calls {wanted}",
                fix=fix,
                place=module.file.place(_Hit(module, value).node),
            )
    close = [(module, name) for module in modules if (name := nearest(wanted, module.names))]
    if close:
        module, name = close[0]
        said = f"{module.file.label} has {name}, but no {wanted}"
    else:
        module = modules[0]
        single = len(modules) == 1
        said = f"{module.file.label} has no {wanted}" if single else f"no file has a {wanted} at its top level"
    return rules.NO_FUNCTION.finding(said, fix=STEP[wanted], place=module.file.place())


def _hit(module: Module, wanted: str) -> _Hit | None:
    bound = module.names.get(wanted)
    if bound is None:
        return None
    if len(bound.values) != 1 or not bound.sure:
        return _Hit(module, None)
    return _Hit(module, bound.values[0], _no_function(bound.values[0]))


def _no_function(value: Value) -> str:
    """What a value is that is certainly no function, for the user; `""` for the others."""
    if isinstance(value, OwnClass):
        return "a class"
    if isinstance(value, Module):
        return "a module"
    if isinstance(value, Function):
        outermost = value.decorators[0] if value.decorators else None
        unwrapped = value.in_class and isinstance(outermost, External) and outermost.name == "builtins.staticmethod"
        made = isinstance(outermost, OwnClass) or (isinstance(outermost, External) and outermost.name in _NO_FUNCTIONS)
        return "no function, by its decorator" if made and not unwrapped else ""
    if isinstance(value, Instance):
        return "an object"
    if isinstance(value, Method):
        return "a method of an object"
    if not isinstance(value, Expression):
        return ""
    node = value.node
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr)):
        return "a value"
    called = value_of(node.func, value.scope) if isinstance(node, ast.Call) else None
    made = isinstance(called, OwnClass) or (isinstance(called, External) and called.name == "functools.partial")
    return "an object" if made else ""


def _signature(spec: ModelSpec, hit: _Hit) -> Iterator[Finding]:
    value, place = hit.value, hit.module.file.place(hit.node)
    if spec.release.python_step == "wallaroo_json":
        if isinstance(value, Function) and not value.decorators:
            yield from _called_with_one(value)
    elif isinstance(value, External):
        root = value.name.partition(".")[0]
        if root in sys.stdlib_module_names or root == "builtins":
            said = f"process_data is {value.name}, which is no step"
            yield rules.SIGNATURE.finding(said, fix=_WANTED, place=hit.module.file.place())
    elif isinstance(value, Expression) and isinstance(value.node, ast.Lambda):
        said = "process_data is a lambda, which has no annotations"
        yield rules.SIGNATURE.finding(said, fix=_WANTED, place=place)
    elif isinstance(value, Function) and "process_data" not in hit.module.touched:
        function, certain = visible(value)
        if function is not None and certain:
            yield from _compared(spec, function)


def _compared(spec: ModelSpec, function: Function) -> Iterator[Finding]:
    """What the loader compares: one argument, input_data, and both annotations."""
    file, node = function.file, function.node
    said = list(_parameters(spec, node.args))
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg)
    annotated = {each.arg: each.annotation for each in every if each is not None}
    quoted = False
    for name, annotation in (("input_data", annotated.get("input_data")), ("the result", node.returns)):
        if annotation is None:
            said += [f"{name} is not annotated"] if name != "input_data" or not said else []
        elif isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            quoted = True
            said.append(f"{name} is annotated in quotes")
        elif is_inference_data(annotation, function.scope) is False:
            said.append(f"{name} is annotated {ast.unparse(annotation)} instead of InferenceData")
    if file.postponed:
        said = [each for each in said if not each.endswith("in quotes")]
        yield rules.POSTPONED.finding(
            "from __future__ import annotations makes text of InferenceData, which the loader refuses",
            fix="remove that line",
            place=file.place(node),
        )
    all_quoted = quoted and all(each.endswith("in quotes") for each in said)
    if said:
        yield (rules.POSTPONED if all_quoted else rules.SIGNATURE).finding(
            f"process_data: {'; '.join(said)}",
            fix="write InferenceData without quotes" if all_quoted else _WANTED,
            place=file.place(node),
        )
    if function.is_async and not spec.release.byop.asynchronous:
        since = releases_with(lambda each: each.byop.asynchronous)[0]
        yield rules.SIGNATURE.finding(
            f"process_data is async; Wallaroo {spec.release.version} does not wait for it",
            fix=f'write it without async, or set release = "{since}" or later',
            place=file.place(node),
        )


def _parameters(spec: ModelSpec, arguments: ast.arguments) -> Iterator[str]:
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every = [*plain, *(each for each in (arguments.vararg, arguments.kwarg) if each)]
    if len(every) == 1:
        if every[0].arg != "input_data":
            yield f"the argument is called {every[0].arg} instead of input_data"
        elif not accepts(arguments, 1):
            yield "the argument is by keyword only, and the platform does not name it"
        return
    names = ", ".join(each.arg for each in every) or "none"
    annotations_only = spec.release.python_step_signature == "annotations"
    lenient = annotations_only and len(plain) - len(arguments.defaults) <= 1 and plain[:1]
    if not (lenient and plain[0].arg == "input_data"):
        yield f"it has {len(every) or 'no'} arguments ({names}) instead of one, input_data"


def is_inference_data(node: ast.expr, scope: Scope) -> bool | None:
    """Whether an annotation is equal to `mac.types.InferenceData`; None where reading the code does not tell."""
    value = value_of(node, scope)
    if isinstance(value, External):
        if value.name == DATA:
            return True
        return False if value.name.startswith(_TOLD) else None
    if isinstance(value, OwnClass):
        return False
    if not isinstance(value, Expression):
        return None
    node, scope = value.node, value.scope
    if isinstance(node, ast.Constant):
        return False
    if isinstance(node, ast.Call):
        return False if external_name(node.func, scope).endswith(".NewType") else None
    if isinstance(node, ast.BinOp):
        return False
    if not isinstance(node, ast.Subscript):
        return None
    base = external_name(node.value, scope)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if base in {"typing.Union", "typing_extensions.Union"} and len(inner) == 1:
        return is_inference_data(inner[0], scope)
    if base not in {"typing.Dict", "typing_extensions.Dict"}:
        return False if base.startswith(_TOLD) else None
    written = [external_name(each, scope) for each in inner]
    if not all(written):
        untold = [each for each, name in zip(inner, written, strict=True) if not name]
        return False if all(isinstance(each, (ast.Subscript, ast.Constant)) for each in untold) else None
    return written == ["builtins.str", "numpy.typing.NDArray"]


def _called_with_one(function: Function) -> Iterator[Finding]:
    arguments, place = function.node.args, function.file.place(function.node)
    if not accepts(arguments, 1):
        names = ", ".join(required(arguments)) or "none"
        yield rules.SIGNATURE.finding(
            f"wallaroo_json is called with one argument, the data; it takes {names}",
            fix=STEP["wallaroo_json"],
            place=place,
        )
    if function.is_async:
        yield rules.SIGNATURE.finding(
            "wallaroo_json is async, and its caller does not wait for it",
            fix=STEP["wallaroo_json"],
            place=place,
            level=Level.WARNING,
        )
