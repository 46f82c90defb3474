"""What Wallaroo's loader (every release) will do with a bundle: find the builder, call it, serve its model."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding, Level, Place, Rule
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.frameworks.byop.model_assignment import assigned, check_model_type, class_of, is_none
from hatch_wallaroo.frameworks.byop.validator import no_builder, several, taken_for_classes
from hatch_wallaroo.frameworks.import_findings import explain
from hatch_wallaroo.python.definitions import (
    Counted,
    Member,
    accepts,
    derives,
    hides_classes,
    member,
    missing_members,
    named_classes,
    own_nodes,
    required,
)
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import (
    ASYNC_INFERENCE,
    BUILDER,
    INFERENCE,
    PlatformEnvironment,
    builder_is_abstract,
    counts_by_member_name,
)
from hatch_wallaroo.python.source_files import Sources
from hatch_wallaroo.python.values import (
    UNKNOWN,
    Binding,
    External,
    Folder,
    Function,
    Instance,
    Method,
    Module,
    Names,
    OwnClass,
    Scope,
    Value,
)

_NAME_OF_LOADED = "custom_inference"


def load(
    sources: Sources, environment: PlatformEnvironment, paths: AbstractSet[str] | None = None
) -> tuple[ImportRun, list[Finding]]:
    """The run of the loader over the .py files at the top level, and findings of what would fail in it.

    `paths` are all files of the bundle, without its top folder.
    """
    run = ImportRun(sources, environment, paths=paths, methods=_KNOWN_METHODS)
    top = [each for path, each in sorted(sources.files.items()) if "/" not in path]
    if not top:
        return run, [_nothing()]
    modules = [run.execute(each, _NAME_OF_LOADED) for each in top]
    findings = list(taken_for_classes(modules, environment.python))
    counted = _counted(modules, environment)
    sure = [each for each in counted if each.sure]
    unseen = any(hides_classes(module) for module in modules) or any(not module.done for module in modules)
    if len(sure) > 1:
        findings.append(several(rules.SEVERAL_BUILDERS, "InferenceBuilder", sure))
    elif not counted and not unseen:
        findings.append(_chat_or_nothing(modules))
    served: Value = UNKNOWN
    for each in sure if len(counted) == 1 else ():
        if isinstance(each.value, OwnClass):
            findings += _builder(each.value, environment)
            served = _created(run, each.value)
            findings += _returned(each.value, served)
    built = list(_inferences(modules))
    if isinstance(served, Instance):
        findings += _served(run, served)
    else:
        for made in built if len(built) == 1 else ():
            findings += _inference(made)
    if not built and not isinstance(served, Instance) and len(sure) == 1 and not unseen:
        findings += _no_inference(modules)
    run.settle()
    return run, [*explain(run.failures, environment), *findings]


def _created(run: ImportRun, made: OwnClass) -> Value:
    """What `Builder().create(config)` gives."""
    run.during = f"the platform calls {made.name}()"
    builder = run.instantiate(made, ())
    found = member(made, "create")
    function = found.function if isinstance(found, Member) else None
    if not isinstance(builder, Instance) or function is None or not accepts(function.node.args, 2) or function.is_async:
        return UNKNOWN
    run.during = "the platform calls create"
    names = Names()
    names.put({"model_path": Binding((Folder(""),)), **dict.fromkeys(_OF_CONFIG, Binding((UNKNOWN,)))})
    return run.call(Method(function, made, builder), (Instance("the config", names),))


_OF_CONFIG = ("framework", "modules_to_include", "matching_files", "dict", "json", "copy", "model_dump", "model_copy")
"""Attributes of what `create` is given, beside model_path, in all releases."""


def _returned(made: OwnClass, served: Value) -> Iterator[Finding]:
    """Whether `create` returns an object with a `predict`."""
    found = member(made, "create")
    function = found.function if isinstance(found, Member) else None
    kind = class_of(served)
    what = ""
    if is_none(served):
        what = "nothing"
    elif isinstance(served, OwnClass):
        what = f"the class {served.name} itself"
    elif isinstance(kind, External):
        what = f"a {kind.last}"
    if what and function is not None:
        yield rules.CANNOT_CALL.finding(
            f"{function.file.label}: {made.name}.create returns {what}",
            fix="return the Inference object at the end of create",
            place=function.file.place(function.node),
        )


def _served(run: ImportRun, served: Instance) -> Iterator[Finding]:
    """The object that answers requests: its class, its model, and the first request."""
    made = served.made
    if not isinstance(made, OwnClass):
        return
    scope = Scope(made.scope.module)
    if any(derives(made, base) for base in (INFERENCE, ASYNC_INFERENCE)):
        yield from _inference(made)
    elif member(made, "predict") is None and not served.open:
        yield rules.NO_INFERENCE.finding(
            f"{made.file.label}: create returns a {made.name}, which does not inherit from mac.inference.Inference and "
            "has no predict method",
            fix="write `class MyInference(Inference)` with expected_model_types, model and _predict",
            place=made.file.place(),
            level=Level.WARNING if run.environment.release.byop.validator else Level.ERROR,
        )
    run.during = "a request comes"
    yield from assigned(run, served, scope)
    found = member(made, "_predict")
    function = found.function if isinstance(found, Member) else None
    if function is None or not isinstance(found, Member) or not isinstance(found.owner, OwnClass):
        return
    given = run.call(Method(function, found.owner, served), (UNKNOWN,))
    what = "nothing" if is_none(given) else ""
    if what and not function.decorators:
        yield rules.CANNOT_CALL.finding(
            f"{function.file.label}: {made.name}._predict returns {what}",
            fix="return a dictionary of arrays by the names of the output schema",
            place=function.file.place(function.node),
        )


_KNOWN_METHODS = {"_raise_error_if_model_is_wrong_type": check_model_type}


def _no_inference(modules: list[Module]) -> Iterator[Finding]:
    """A builder, but nothing that it could build: whatever it returns needs a `predict`."""
    seen = [value for module in modules for bound in module.names.values() for value in bound.values]
    if any(isinstance(each, OwnClass) and "predict" in each.members for each in seen):
        return
    yield rules.NO_INFERENCE.finding(
        f"{modules[0].file.label}: no class inherits from mac.inference.Inference, and none has a predict method",
        fix="write `class MyInference(Inference)` with expected_model_types, model and _predict",
        place=modules[0].file.place(),
        level=Level.WARNING,
    )


def _nothing() -> Finding:
    return rules.NO_MODULE.finding(
        "there is no .py file at the bundle's top level, where the platform looks for inference code",
        fix='set byop.module = "your_inference.py", or byop.load and byop.predict',
        place=Place(),
    )


def _counted(modules: list[Module], environment: PlatformEnvironment) -> list[Counted]:
    """Builders as the loader counts them: every name that stands for one, imported or not."""
    found = []
    by_member = counts_by_member_name(environment.release)
    for module in modules:
        for each in named_classes(module, BUILDER):
            # named_classes gives own classes and external ones; the latter have `last`
            own_name = each.value.name if isinstance(each.value, OwnClass) else each.value.last  # type: ignore[union-attr]
            if (each.name if by_member else own_name) != "InferenceBuilder":
                found.append(each)
    return found


def _chat_or_nothing(modules: list[Module]) -> Finding:
    for module in modules:
        for name in ("handle_completion", "handle_chat_completion"):
            if name in module.names:
                return rules.CHAT_ONLY.finding(
                    f"{module.file.label} has {name} but no InferenceBuilder, which mac's loader asks for",
                    fix="add an Inference and an InferenceBuilder, unless your platform serves such handlers",
                    place=module.file.place(),
                    level=Level.WARNING,
                )
    return no_builder(modules)


def _builder(made: OwnClass, environment: PlatformEnvironment) -> Iterator[Finding]:
    """Builder() and create(config)."""
    missing = missing_members(made)
    if not builder_is_abstract(environment.release):
        missing = [each for each in missing if each != "inference"]
    named = {"inference": rules.NO_INFERENCE_METHOD, "create": rules.NO_CREATE}
    yield from _undone(made, missing, named)
    yield from _callable(made, "__init__", 0, f"{made.name}()")
    yield from _callable(made, "create", 1, "create(config)")
    found = member(made, "create")
    function = found.function if isinstance(found, Member) else None
    if function is None or function.decorators:
        return
    if function.is_async:
        yield rules.CANNOT_CALL.finding(
            f"{function.file.label}: {made.name}.create is `async def`, but the platform calls it without awaiting",
            fix="write `def create`",
            place=function.file.place(function.node),
        )


def _undone(made: OwnClass, missing: list[str], named: Mapping[str, Rule]) -> Iterator[Finding]:
    """Abstract members that nobody defines: Python refuses to make such an object."""
    for name in missing:
        yield named.get(name, rules.ABSTRACT).finding(
            f"{made.file.label}: {made.name} does not define {name}",
            fix=f"define {name} in {made.name}",
            place=made.file.place(made.node),
        )


def _callable(made: OwnClass, name: str, given: int, call: str) -> Iterator[Finding]:
    """Whether a method takes the positional arguments that the platform gives it, beside self."""
    found = member(made, name)
    function = found.function if isinstance(found, Member) else None
    if function is None or function.decorators:
        return
    arguments = function.node.args
    if accepts(arguments, given + 1):
        return
    needed = required(arguments)
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    shown = ", ".join(dict.fromkeys([*positional, *needed])) or "nothing"
    spare = len(needed) > given + 1
    yield rules.CANNOT_CALL.finding(
        f"{function.file.label}: {made.name}.{name} takes ({shown or 'nothing'}), but the platform calls {call}",
        fix="give the other parameters defaults" if spare else f"let it take what is given: {call}, and self",
        place=function.file.place(function.node),
    )


def _inferences(modules: list[Module]) -> Iterator[OwnClass]:
    """Inference classes that nothing else of the bundle inherits from."""
    found: dict[int, OwnClass] = {}
    for module in modules:
        for base in (INFERENCE, ASYNC_INFERENCE):
            for each in named_classes(module, base):
                if isinstance(each.value, OwnClass) and each.sure:
                    found[id(each.value)] = each.value
    parents = {id(base) for made in found.values() for group in made.bases for base in group}
    return (made for key, made in found.items() if key not in parents)


def _inference(made: OwnClass) -> Iterator[Finding]:
    missing = missing_members(made)
    named = {"_predict": rules.NO_PREDICT, "expected_model_types": rules.NO_TYPES}
    yield from _undone(made, missing, named)
    yield from _callable(made, "_predict", 1, "_predict(input_data)")
    yield from _awaiting(made)
    yield from _model_types(made)


def _awaiting(made: OwnClass) -> Iterator[Finding]:
    found, outer = member(made, "_predict"), member(made, "predict")
    function = found.function if isinstance(found, Member) else None
    if function is None or not isinstance(outer, Member) or not isinstance(outer.owner, str) or function.decorators:
        return
    if outer.owner == INFERENCE and function.is_async:
        yield rules.AWAITED.finding(
            f"{function.file.label}: {made.name}._predict is `async def`, but Inference.predict does not await it",
            fix="write `def _predict`, or add `async def predict(self, input_data)` that returns "
            "`await self._predict(input_data)`",
            place=function.file.place(function.node),
        )
    elif outer.owner == ASYNC_INFERENCE and not function.is_async and not _may_be_awaitable(function):
        yield rules.AWAITED.finding(
            f"{function.file.label}: {made.name}._predict is a plain `def`, but AsyncInference.predict awaits "
            "what it returns",
            fix="write `async def _predict`, or inherit from Inference",
            place=function.file.place(function.node),
        )


def _may_be_awaitable(function: Function) -> bool:
    """A plain function can return a coroutine; only dictionaries written out are certain not to be one."""
    returned = [each.value for each in own_nodes(function.node) if isinstance(each, ast.Return)]
    return not returned or not all(isinstance(each, (ast.Dict, ast.DictComp)) for each in returned)


def _model_types(made: OwnClass) -> Iterator[Finding]:
    found = member(made, "expected_model_types")
    function = found.function if isinstance(found, Member) else None
    if function is None or function.node.decorator_list:
        return
    checked = any(
        isinstance(each, ast.Attribute) and each.attr == "_raise_error_if_model_is_wrong_type"
        for each in ast.walk(function.file.tree or function.node)
    )
    yield rules.TYPES_METHOD.finding(
        f"{function.file.label}: {made.name}.expected_model_types is a method, and Wallaroo reads it as a property",
        fix="write `@property` above it",
        place=function.file.place(function.node),
        level=Level.ERROR if checked else Level.WARNING,
    )
