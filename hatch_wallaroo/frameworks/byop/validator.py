"""What Wallaroo's own validator (releases that have one) will say about a bundle, in its order."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hatch_wallaroo.findings import Finding, Level, Rule
from hatch_wallaroo.frameworks.byop import classes, rules
from hatch_wallaroo.frameworks.byop.annotations import is_arrays
from hatch_wallaroo.frameworks.import_findings import explain
from hatch_wallaroo.frameworks.mac import ASYNC_INFERENCE, BUILDER, INFERENCE
from hatch_wallaroo.python.definitions import Counted, Member, is_property, member, named_classes, visible
from hatch_wallaroo.python.expressions import external_name
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import SourceFile, Sources
from hatch_wallaroo.python.values import Function, Module, OwnClass
from hatch_wallaroo.releases.model import ByopSupport

_BARE = frozenset({"typing.Dict", "typing_extensions.Dict"})


def validate(
    sources: Sources, environment: PlatformEnvironment, byop: ByopSupport, paths: AbstractSet[str] | None = None
) -> tuple[ImportRun, list[Finding]]:
    """The validator's run over the .py files that it executes, and findings of everything it would refuse."""
    lenient = byop.lenient_validator
    run = ImportRun(sources, environment, paths=paths)
    modules = [run.execute(each, each.stem) for each in _executed(sources, artifacts=lenient)]
    failures = [each for each in run.failures if not each.lazy]
    if lenient:
        # A file that does not import is logged and left out; only what ends the process ends the validator.
        broken = {id(each.file) for each in failures if each.kind != "exit" and each.sure}
        modules = [each for each in modules if id(each.file) not in broken]
        failures = [each for each in failures if each.kind == "exit" or not modules]
    findings = [*explain(failures, environment), *classes.taken_for_classes(modules, environment.python)]
    if modules and (lenient or classes.chat_handler(modules) is None):
        findings += _classes(modules, lenient=lenient)
    return run, findings


def _executed(sources: Sources, *, artifacts: bool) -> list[SourceFile]:
    """The files that the validator executes, the top level first, as `glob("**/*.py")` gives them."""
    files = [
        each
        for path, each in sources.files.items()
        if "__pycache__" not in path and (artifacts or "artifacts" not in path.split("/"))
    ]
    return sorted(files, key=lambda each: (each.path.count("/"), each.path))


def _classes(modules: Sequence[Module], *, lenient: bool) -> Iterator[Finding]:
    """One Inference and one InferenceBuilder over all files, and what each has to define."""
    inferences, builders = _own_classes(modules, INFERENCE), _own_classes(modules, BUILDER)
    unseen = classes.hidden(modules)
    for found, rule, base in (
        (inferences, rules.SEVERAL_INFERENCES, "Inference"),
        (builders, rules.SEVERAL_BUILDERS, "InferenceBuilder"),
    ):
        sure = [each for each in found.values() if each.sure]
        if len(sure) > 1:
            yield classes.several(rule, base, sure)
        elif not found and not unseen:
            yield classes.no_builder(modules) if found is builders else _no_inference(modules)
    for made in _judged(builders):
        yield from classes.undone(made, _abstract(made, "inference", "create"))
    for made in _judged(inferences):
        yield from _inference(made, lenient=lenient)


def _own_classes(modules: Iterable[Module], base: str) -> dict[OwnClass, Counted]:
    """Classes that a file itself defines: the validator leaves imported ones out."""
    found: dict[OwnClass, Counted] = {}
    for module in modules:
        for each in named_classes(module, base):
            made = each.value
            if isinstance(made, OwnClass) and made.module == module.name and (made not in found or each.sure):
                found[made] = each
    return found


def _judged(found: dict[OwnClass, Counted]) -> Iterator[OwnClass]:
    """The class that the validator goes on with, where there is just one."""
    return (made for made, each in found.items() if len(found) == 1 and each.sure)


def _no_inference(modules: Sequence[Module]) -> Finding:
    for made in _own_classes(modules, ASYNC_INFERENCE):
        return rules.ASYNCHRONOUS.finding(
            f"{made.file.label}: {made.name} inherits from AsyncInference, which the platform's validator does "
            "not know",
            fix="inherit from Inference, write `async def _predict`, and add `async def predict(self, input_data)` "
            "that returns `await self._predict(input_data)`",
            place=made.file.place(made.node),
        )
    return classes.no_inference(modules)


def _abstract(made: OwnClass, *names: str) -> list[str]:
    return [each for each in names if isinstance(found := member(made, each), Member) and found.abstract]


def _inference(made: OwnClass, *, lenient: bool) -> Iterator[Finding]:
    yield from classes.undone(made, _abstract(made, "_predict", "expected_model_types"))
    if "model" not in made.members and "_model" not in made.members:
        yield rules.NO_MODEL.finding(
            f"{made.file.label}: {made.name} does not define model itself",
            fix="add to the class: `@Inference.model.setter` above `def model(self, model) -> None`, which assigns "
            "self._model",
            place=made.file.place(made.node),
            about=f"{made.name}:model",
        )
    function = classes.method(made, "_predict")
    seen, certain = visible(function) if function is not None else (None, False)
    if seen is not None and function is not None and not is_property(function):
        signature = _Signature(seen, f"{made.name}._predict", Level.ERROR if certain else Level.WARNING)
        yield from signature.parameter(lenient=lenient)
        yield from signature.returns() if not lenient else ()


@dataclass(frozen=True)
class _Signature:
    """The annotations of `_predict`, as `inspect.signature` gives them."""

    function: Function
    name: str
    level: Level

    def parameter(self, *, lenient: bool) -> Iterator[Finding]:
        arguments = self.function.node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        given = next((each for each in every if each is not None and each.arg == "input_data"), None)
        if given is None:
            yield self._wrong(rules.PARAMETER, " has no parameter named input_data", self.function.node)
        elif given.annotation is None:
            yield self._wrong(rules.PARAMETER, ": input_data has no annotation", given)
        elif not (lenient and external_name(given.annotation, self.function.scope) in _BARE):
            yield from self._annotation(given.annotation, rules.PARAMETER, "input_data")

    def returns(self) -> Iterator[Finding]:
        returned = self.function.node.returns
        if returned is None:
            yield self._wrong(rules.RETURNS, " has no return annotation", self.function.node)
        else:
            yield from self._annotation(returned, rules.RETURNS, "what it returns")

    def _wrong(self, rule: Rule, said: str, node: ast.AST, fix: str = "") -> Finding:
        file = self.function.file
        return rule.finding(
            f"{file.label}: {self.name}{said}",
            fix=fix or f"write `def _predict(self, input_data: {classes.ARRAYS}) -> {classes.ARRAYS}:`",
            place=file.place(node),
            level=self.level,
        )

    def _annotation(self, node: ast.expr, rule: Rule, part: str) -> Iterator[Finding]:
        file = self.function.file
        if file.postponing is not None:
            yield rules.POSTPONED.finding(
                f"`from __future__ import annotations` turns the annotations of {self.name} into text, "
                "which the platform does not read",
                fix="remove `from __future__ import annotations` from this file",
                place=file.place(file.postponing),
                level=self.level,
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = f': {part} is annotated with text, "{node.value}"'
            yield self._wrong(rules.POSTPONED, said, node, "take the quotes away")
        elif is_arrays(node, self.function.scope) is False:
            what = f": {part} is annotated {ast.unparse(node)}"
            said = f"{what}, which the platform does not take for a dictionary of arrays"
            yield self._wrong(rule, said, node, f"write {classes.ARRAYS}, or InferenceData from mac.types")
