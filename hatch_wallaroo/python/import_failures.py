"""What an import of the bundle's files would trip over: the record of it, and how it is said to the user."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hatch_wallaroo.findings import Finding, Level, nearest, rule
from hatch_wallaroo.frameworks.byop.layout import ARTIFACTS
from hatch_wallaroo.python import distributions
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import SourceFile

FailureKind = Literal[
    "module",
    "absent",
    "path",
    "relative",
    "name",
    "undefined",
    "exit",
    "raise",
    "variable",
    "syntax",
    "typing",
    "dataclass",
]
CATCHING: Mapping[FailureKind, frozenset[str]] = {
    "module": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "absent": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "path": frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}),
    "relative": frozenset({"ImportError", "Exception", "BaseException"}),
    "name": frozenset({"ImportError", "Exception", "BaseException"}),
    "undefined": frozenset({"NameError", "Exception", "BaseException"}),
    "typing": frozenset({"NameError", "Exception", "BaseException"}),
    "exit": frozenset({"SystemExit", "BaseException"}),
    "raise": frozenset({"Exception", "BaseException"}),
    "variable": frozenset({"KeyError", "LookupError", "Exception", "BaseException"}),
    "syntax": frozenset({"SyntaxError", "Exception", "BaseException"}),
    "dataclass": frozenset({"AttributeError", "Exception", "BaseException"}),
}
"""The exceptions whose handlers catch what each kind of event stands for."""


@dataclass(frozen=True, eq=False)
class ImportFailure:
    """One thing that an import would trip over. `sure`: it happens on every way; `lazy`: only when a function runs.

    `known`: where a module of the bundle is missing, those that are there.
    """

    kind: FailureKind
    file: SourceFile
    node: ast.AST
    detail: str
    sure: bool
    lazy: bool = False
    known: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ImportUse:
    """A module outside the bundle that a file imports. `optional`: the code is ready for its absence."""

    module: str
    file: SourceFile
    node: ast.AST
    optional: bool
    lazy: bool


NOT_FOUND = rule(
    "WLR540",
    "a module of the bundle is imported, but not from a place where Python looks",
    why="The platform executes the inference module by its path: neither its folder nor artifacts/ is on sys.path "
    "until the module itself puts it there.",
    source="mac 2023.2.1 to 2026.1.3, loader and validator run with a sibling import",
)
RELATIVE = rule(
    "WLR541",
    "a relative import in a file that the platform executes by its path",
    why="Such a file belongs to no package, so `from . import x` fails at once.",
    source="mac 2025.2.5 and 2026.1.3, validator run on a package; loader likewise",
)
NO_SUCH_NAME = rule(
    "WLR542",
    "a name is imported that the module does not have there",
    why="The import fails on the platform, even where it works with the Python or the SDK on this machine.",
    source="mac's own modules 2023.2.1 to 2026.1.3; Python's documentation of what is new",
)
UNDEFINED = rule(
    "WLR543",
    "an undefined name is used while the module is imported",
    why="The platform imports the code when it converts the model: a NameError ends the upload.",
    source="mac 2025.2.5 and 2026.1.3, ModuleLoadError: name … is not defined",
)
LEAVES = rule(
    "WLR544",
    "importing the file ends the process or raises",
    why="The platform's validator executes the file; a call such as setup() or sys.exit() ends the validator itself.",
    source="mac 2025.2.5 and 2026.1.3, validator run on a setup.py",
)
VARIABLE = rule(
    "WLR545",
    "an environment variable is required while the module is imported",
    why="The platform imports the code without your variables: os.environ[…] raises KeyError, and the upload ends.",
    source="mac 2025.2.5 and 2026.1.3, validator run; failures seen at conversion",
    level=Level.WARNING,
)
DATACLASS = rule(
    "WLR548",
    "a dataclass with postponed annotations in a file that is executed by its path",
    why="dataclasses looks such annotations up in sys.modules, where the platform does not register the file.",
    source="mac 2023.2.1 to 2026.1.3, loader run: 'NoneType' object has no attribute '__dict__'",
)
NEWER_MODULE = rule(
    "WLR553",
    "a module of the standard library that the platform's Python does not have",
    why="The code runs on the platform's Python, whatever Python builds the bundle.",
    source="Python's documentation of what is new; the release's data",
)

_SHOWN = 6
_Explain: TypeAlias = Callable[[ImportFailure, PlatformEnvironment], Finding | None]


def explain(events: Iterable[ImportFailure], environment: PlatformEnvironment) -> list[Finding]:
    """Findings for events: errors for what is sure, warnings for what happens on some way or later only."""
    found = []
    for event in events:
        finding = _EXPLAIN[event.kind](event, environment)
        if finding is not None:
            found.append(finding)
    return found


def _level(event: ImportFailure) -> Level:
    return Level.ERROR if event.sure else Level.WARNING


def _module(event: ImportFailure, environment: PlatformEnvironment) -> Finding | None:
    name, file = event.detail, event.file
    root = name.partition(".")[0]
    if environment.is_missing(name):
        since = ".".join(str(part) for part in distributions.STDLIB_SINCE[root])
        return NEWER_MODULE.finding(
            f"{file.label} imports {name}, which Python {since} brought; "
            f"the platform runs {environment.release.python}",
            fix=_backport(root),
            place=file.place(event.node),
            level=_level(event),
        )
    return _not_found(event, f"put {root} into byop.packages, which places it in the bundle's artifacts/, and write")


def _absent(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    """A module that its package, which is in the bundle, does not have."""
    package = event.known[0].rpartition(".")[0] if event.known else ""
    missing = event.detail.removeprefix(f"{package}.").partition(".")[0] if package else ""
    names = [each.rpartition(".")[2] for each in event.known]
    close = nearest(missing, names)
    if not event.known:
        owner, _, missing = event.detail.rpartition(".")
        said, fix = f"{owner} has no module {missing}", f"correct the name; {owner} is a single file, or holds no other"
    else:
        said = f"{package} has no module {missing}"
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        fix = f"did you mean {close}?" if close else f"write the module, or correct the name; it has {shown}"
    return NOT_FOUND.finding(
        f"{event.file.label} imports {event.detail}, but {said}",
        fix=fix,
        place=event.file.place(event.node),
        level=_level(event),
    )


def _path(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    return _not_found(event, "write")


def _not_found(event: ImportFailure, advice: str) -> Finding:
    return NOT_FOUND.finding(
        f"{event.file.label} imports {event.detail}, but Python will not find it on the platform",
        fix=f'{advice} above the import: sys.path.insert(0, str(Path(__file__).parent / "artifacts"))',
        place=event.file.place(event.node),
        level=_level(event),
    )


def _backport(root: str) -> str:
    known = {"tomllib": "tomli", "zoneinfo": "backports.zoneinfo", "graphlib": "graphlib-backport"}
    if root not in known:
        return "leave the import out"
    return f"declare {known[root]} in the requirements and import that instead"


def _relative(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    name = event.detail.lstrip(".")
    folder, top = event.file.folder, ARTIFACTS
    said = "the platform executes the file outside any package"
    if folder == top:
        said = "it lies at the top of artifacts/ and belongs to no package"
        advice = f"write it without the dot: {_without_dots(event, name)}"
    elif folder.startswith(f"{top}/"):
        package = folder.removeprefix(f"{top}/").replace("/", ".")
        said = f"it goes above its package {package}"
        advice = f"import by the full name: {_without_dots(event, name)}"
    elif folder:
        advice = f"keep this file below artifacts/, which the validator leaves alone: {posixpath.join(top, folder)}"
    else:
        advice = (
            f"import by the full name (from yourpackage.{name or '…'} import …) after putting artifacts/ on sys.path"
        )
    return RELATIVE.finding(
        f"{event.file.label} has a relative import ({event.detail}), but {said}",
        fix=advice,
        place=event.file.place(event.node),
        level=_level(event),
    )


def _without_dots(event: ImportFailure, name: str) -> str:
    """The import statement with the dots left out."""
    imported = event.node.names if isinstance(event.node, ast.ImportFrom) else []
    names = ", ".join(f"{each.name} as {each.asname}" if each.asname else each.name for each in imported)
    return f"from {name} import {names}" if name else f"import {names}"


def _name(event: ImportFailure, environment: PlatformEnvironment) -> Finding:
    module, _, name = event.detail.partition(":")
    python, release = environment.release.python, environment.release.version
    since = distributions.NAMES_SINCE.get(module, {}).get(name)
    if since is not None:
        where = f"Python {'.'.join(map(str, since))} brought it, the platform runs {python}"
        fix = f"import {name} from typing_extensions" if module == "typing" else f"do without {name}"
    elif module.startswith("mac."):
        where, fix = (
            f"Wallaroo {release} does not have it",
            f"use what mac offers in {release}, or set another release",
        )
    else:
        where, fix = f"{module} does not define it", "correct the name"
    return NO_SUCH_NAME.finding(
        f"{event.file.label} imports {name} from {module}: {where}",
        fix=fix,
        place=event.file.place(event.node),
        level=_level(event),
    )


def _undefined(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    return UNDEFINED.finding(
        f"{event.file.label} uses {event.detail} while it is imported, and defines it nowhere",
        fix=f"define or import {event.detail} above this line",
        place=event.file.place(event.node),
        level=_level(event),
    )


def _typing(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    return UNDEFINED.finding(
        f"{event.file.label} uses {event.detail} while it is imported, but imports it for type checkers only",
        fix=f"import {event.detail} outside `if TYPE_CHECKING:`, or quote the annotation",
        place=event.file.place(event.node),
        level=_level(event),
    )


def _exit(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    setup = event.detail.endswith(".setup")
    said = "calls setup()" if setup else f"calls {event.detail.removeprefix('builtins.')}()"
    return LEAVES.finding(
        f"importing {event.file.label} {said}, which ends the platform's process",
        fix="leave the file out of the bundle" if setup else 'put the call under `if __name__ == "__main__":`',
        place=event.file.place(event.node),
        level=_level(event),
    )


def _raise(event: ImportFailure, _environment: PlatformEnvironment) -> Finding | None:
    if not event.sure:
        return None
    return LEAVES.finding(
        f"importing {event.file.label} raises {event.detail or 'an exception'}",
        fix="raise it from the function that needs the check, or remove the line",
        place=event.file.place(event.node),
    )


def _variable(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    what = f"the environment variable {event.detail}" if event.detail else "an environment variable"
    return VARIABLE.finding(
        f"{event.file.label} needs {what} while it is imported, which the platform does not set",
        fix=f'use os.environ.get("{event.detail}", …) with a default, or put the value into the code or a file',
        place=event.file.place(event.node),
    )


def _syntax(event: ImportFailure, _environment: PlatformEnvironment) -> Finding | None:
    return event.file.problem


def _dataclass(event: ImportFailure, _environment: PlatformEnvironment) -> Finding:
    return DATACLASS.finding(
        f"{event.file.label}: the dataclass {event.detail} cannot be made on the platform, because its "
        "annotations are text",
        fix="remove `from __future__ import annotations`, or move the class into a package that the module imports",
        place=event.file.place(event.node),
        level=_level(event),
    )


_EXPLAIN: Mapping[str, _Explain] = {
    "module": _module,
    "absent": _absent,
    "path": _path,
    "relative": _relative,
    "name": _name,
    "undefined": _undefined,
    "typing": _typing,
    "exit": _exit,
    "raise": _raise,
    "variable": _variable,
    "syntax": _syntax,
    "dataclass": _dataclass,
}
