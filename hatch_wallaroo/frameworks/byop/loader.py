"""What Wallaroo's loader (every release) will do with a bundle: find the builder, call it, serve its model."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.frameworks.byop import classes, rules
from hatch_wallaroo.frameworks.byop.platform_calls import (
    PlatformCall,
    check_model_type,
    given_arrays,
    never_assigned,
    said,
)
from hatch_wallaroo.frameworks.import_findings import explain
from hatch_wallaroo.frameworks.mac import ASYNC_INFERENCE, BUILDER, INFERENCE
from hatch_wallaroo.python.definitions import (
    Counted,
    Member,
    derives,
    member,
    missing_members,
    named_classes,
    own_nodes,
)
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import Sources
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Binding,
    Folder,
    Function,
    Instance,
    Method,
    Module,
    Names,
    OwnClass,
    Value,
)
from hatch_wallaroo.releases.model import ByopSupport

_NAME_OF_LOADED = "custom_inference"
_WRONG_TYPE = "_raise_error_if_model_is_wrong_type"
_OF_CONFIG = ("framework", "modules_to_include", "matching_files", "dict", "json", "copy", "model_dump", "model_copy")
"""Attributes of what `create` is given, beside model_path, in all releases."""


def load(
    sources: Sources, environment: PlatformEnvironment, byop: ByopSupport, paths: AbstractSet[str] | None = None
) -> tuple[ImportRun, list[Finding]]:
    """The run of the loader over the .py files at the top level, and findings of what would fail in it.

    `paths` are all files of the bundle, without its top folder.
    """
    run = ImportRun(sources, environment, paths=paths, methods={_WRONG_TYPE: check_model_type})
    top = [each for path, each in sorted(sources.files.items()) if "/" not in path]
    if not top:
        return run, [_nothing()]
    modules = [run.execute(each, _NAME_OF_LOADED) for each in top]
    findings = [*classes.taken_for_classes(modules, environment.python), *_loaded(run, modules, byop)]
    run.settle()
    return run, [*explain(run.failures, environment), *findings]


def _nothing() -> Finding:
    return rules.NO_MODULE.finding(
        "there is no .py file at the bundle's top level, where the platform looks for inference code",
        fix='set byop.module = "your_inference.py", or byop.load and byop.predict',
        place=Place(),
    )


def _loaded(run: ImportRun, modules: Sequence[Module], byop: ByopSupport) -> Iterator[Finding]:
    """Find the builder, build, and answer a request."""
    counted = _counted(modules, byop)
    sure = [each for each in counted if each.sure]
    if len(sure) > 1:
        yield classes.several(rules.SEVERAL_BUILDERS, "InferenceBuilder", sure)
    elif not counted and not classes.hidden(modules):
        yield _chat_or_nothing(modules)
    served: Value = UNKNOWN
    for each in sure if len(counted) == 1 else ():
        if isinstance(each.value, OwnClass):
            yield from _builder(each.value, byop)
            served, findings = _created(run, each.value)
            yield from findings
    if isinstance(served, Instance):
        yield from _served(run, served, byop)
        return
    built = list(_inferences(modules))
    if len(built) == 1:
        yield from _inference(built[0])
    seen = [value for module in modules for bound in module.names.values() for value in bound.values]
    predicts = any(isinstance(each, OwnClass) and "predict" in each.members for each in seen)
    if not built and len(sure) == 1 and not predicts and not classes.hidden(modules):
        yield classes.no_inference(
            modules[:1],
            "no class inherits from mac.inference.Inference, and none has a predict method",
            Level.WARNING,
        )


# The builder


def _counted(modules: Sequence[Module], byop: ByopSupport) -> list[Counted]:
    """Builders as the loader counts them: every name that stands for one, imported or not."""
    found = []
    for module in modules:
        for each in named_classes(module, BUILDER):
            # named_classes gives own classes and external ones; the latter have `last`
            own_name = each.value.name if isinstance(each.value, OwnClass) else each.value.last  # type: ignore[union-attr]
            if (each.name if byop.member_names else own_name) != "InferenceBuilder":
                found.append(each)
    return found


def _chat_or_nothing(modules: Sequence[Module]) -> Finding:
    handler = classes.chat_handler(modules)
    if handler is None:
        return classes.no_builder(modules)
    module, name = handler
    return rules.CHAT_ONLY.finding(
        f"{module.file.label} has {name} but no InferenceBuilder, which mac's loader asks for",
        fix="add an Inference and an InferenceBuilder, unless your platform serves such handlers",
        place=module.file.place(),
        level=Level.WARNING,
    )


def _builder(made: OwnClass, byop: ByopSupport) -> Iterator[Finding]:
    """Builder() and create(config)."""
    missing = [each for each in missing_members(made) if byop.abstract_builder or each != "inference"]
    yield from classes.undone(made, missing)
    for call in (_call(made, "__init__"), _call(made, "create", "config")):
        yield from call.refused() if call is not None else ()
    if call is not None and call.plain and call.function.is_async:
        yield call.finding(
            rules.CANNOT_CALL, "is `async def`, but the platform calls it without awaiting", "write `def create`"
        )


def _call(made: OwnClass, name: str, *given: str) -> PlatformCall | None:
    """The call of a method that the bundle defines."""
    function = classes.method(made, name)
    if function is None:
        return None
    return PlatformCall(function, f"{function.file.label}: {made.name}.{name}", ("self", *given), rules.CANNOT_CALL)


def _created(run: ImportRun, made: OwnClass) -> tuple[Value, Iterable[Finding]]:
    """What `Builder().create(config)` gives."""
    run.during = f"the platform calls {made.name}()"
    builder = run.instantiate(made, ())
    create = _call(made, "create", "config")
    if create is None or not isinstance(builder, Instance) or not create.accepted or create.function.is_async:
        return UNKNOWN, ()
    run.during = "the platform calls create"
    names = Names()
    names.put({"model_path": Binding((Folder(""),)), **dict.fromkeys(_OF_CONFIG, Binding((UNKNOWN,)))})
    served = run.call(Method(create.function, made, builder), (Instance("the config", names),))
    fix = "return the Inference object at the end of create"
    return served, [create.finding(rules.CANNOT_CALL, f"returns {what}", fix)] if (what := said(served)) else []


# The inference


def _served(run: ImportRun, served: Instance, byop: ByopSupport) -> Iterator[Finding]:
    """The object that answers requests: its class, its model, and the first request."""
    made = served.made
    if not isinstance(made, OwnClass):
        return
    if any(derives(made, base, made.scope.module.library) for base in (INFERENCE, ASYNC_INFERENCE)):
        yield from _inference(made)
    elif member(made, "predict") is None and not served.open:
        yield classes.no_inference(
            [made.scope.module],
            f"create returns a {made.name}, which does not inherit from mac.inference.Inference and has no predict "
            "method",
            Level.WARNING if byop.validator else Level.ERROR,
        )
    run.during = "a request comes"
    if classes.owner_in_mac(made, "predict"):
        yield from never_assigned(run, served, made)
    found = member(made, "_predict")
    predict = _call(made, "_predict", "input_data")
    if predict is None or not isinstance(found, Member) or not isinstance(found.owner, OwnClass) or not _asked(made):
        return
    result = run.call(Method(predict.function, found.owner, served), (given_arrays(predict.function, 1),))
    if classes.owner_in_mac(made, "predict"):
        yield from predict.gives_no_arrays(rules.CANNOT_CALL, result)


def _asked(made: OwnClass) -> bool:
    """Whether a request comes to `_predict`: a `predict` of the bundle's own may answer by itself."""
    own = classes.method(made, "predict")
    return own is None or any(
        (isinstance(each, ast.Attribute) and each.attr == "_predict")
        or (isinstance(each, ast.Name) and each.id == "super")
        for each in _nodes(own)
    )


def _inferences(modules: Iterable[Module]) -> list[OwnClass]:
    """Inference classes that nothing else of the bundle inherits from."""
    found = {
        each.value: None
        for module in modules
        for base in (INFERENCE, ASYNC_INFERENCE)
        for each in named_classes(module, base)
        if isinstance(each.value, OwnClass) and each.sure
    }
    parents = {base for made in found for group in made.bases for base in group}
    return [made for made in found if made not in parents]


def _inference(made: OwnClass) -> Iterator[Finding]:
    yield from classes.undone(made, missing_members(made))
    predict, base = _call(made, "_predict", "input_data"), classes.owner_in_mac(made, "predict")
    if predict is not None and base:
        yield from predict.refused()
        yield from _awaited(predict, base) if predict.plain else ()
    types = _call(made, "expected_model_types")
    if types is not None and types.plain:
        checked = any(isinstance(each, ast.Attribute) and each.attr == _WRONG_TYPE for each in _nodes(types.function))
        yield types.finding(
            rules.TYPES_METHOD,
            "is a method, and Wallaroo reads it as a property",
            "write `@property` above it",
            Level.ERROR if checked else Level.WARNING,
        )


def _nodes(function: Function) -> Iterator[ast.AST]:
    return ast.walk(function.file.tree or function.node)


def _awaited(predict: PlatformCall, base: str) -> Iterator[Finding]:
    """`_predict` and the `predict` of mac's that calls it have to be of one kind."""
    function = predict.function
    if base == INFERENCE and function.is_async:
        yield predict.finding(
            rules.AWAITED,
            "is `async def`, but Inference.predict does not await it",
            "write `def _predict`, or add `async def predict(self, input_data)` that returns "
            "`await self._predict(input_data)`",
        )
    elif base == ASYNC_INFERENCE and not function.is_async and not _may_be_awaitable(function):
        yield predict.finding(
            rules.AWAITED,
            "is a plain `def`, but AsyncInference.predict awaits what it returns",
            "write `async def _predict`, or inherit from Inference",
        )


def _may_be_awaitable(function: Function) -> bool:
    """A plain function can return a coroutine; only dictionaries written out are certain not to be one."""
    returned = [each.value for each in own_nodes(function.node) if isinstance(each, ast.Return)]
    return not returned or not all(isinstance(each, (ast.Dict, ast.DictComp)) for each in returned)
