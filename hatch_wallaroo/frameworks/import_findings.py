"""What the import of a user's code would trip over, and what it needs and nobody declares, said to the user."""

from __future__ import annotations

import ast
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.files.walk import within
from hatch_wallaroo.findings import Finding, Level, Place, Rule, nearest, rule
from hatch_wallaroo.frameworks.base import ARTIFACTS
from hatch_wallaroo.frameworks.file_fixes import OWN_CLASSES, mend
from hatch_wallaroo.python import distributions
from hatch_wallaroo.python.import_failures import FailureKind, ImportFailure, ImportUse
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.newer_syntax import newer
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import UNJUDGED
from hatch_wallaroo.text import few

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
    "an undefined name is used",
    why="The platform imports the code when it converts the model, and calls it: a NameError ends the upload, or every "
    "inference.",
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
NOT_THERE = rule(
    "WLR560",
    "the code names a file below model_path that the bundle does not have there",
    why="config.model_path is the bundle's top folder; model files lie below its artifacts/ folder.",
    source="Upload guide, InferenceBuilder: create; the layout of BYOP bundles",
)
RELATIVE_FILE = rule(
    "WLR561",
    "a file is read by a path from the working folder",
    why="The platform's process does not work in the bundle's folder: such a file is not found, wherever it lies.",
    source="mac 2023.2.1 to 2026.1.3, loader and server run: FileNotFoundError",
)
ABSOLUTE_FILE = rule(
    "WLR565",
    "a file is read by an absolute path of the machine that the code was written on",
    why="The platform has what the bundle brings, and its own files: a home folder or a disk of yours is not there.",
    source="mac 2023.2.1 to 2026.1.3, loader run: FileNotFoundError",
    level=Level.WARNING,
)
NO_SETTER = rule(
    "WLR562",
    "an attribute is assigned that the class lets nobody assign",
    why="Inference defines `model` as a property that can be read only; a setter has to be defined by the class.",
    source="mac 2023.2.1 to 2026.1.3, loader run: AttributeError: can't set attribute",
)
WRONG_TYPE = rule(
    "WLR535",
    "the model is not of an expected type",
    why="Assigning it raises TypeError when the platform loads the model.",
    source="mac 2023.2.1 to 2026.1.3, Inference._raise_error_if_model_is_wrong_type",
)
ARGUMENTS = rule(
    "WLR563",
    "a call gives other arguments than the function takes",
    why="Python raises TypeError when the platform imports the code, loads the model or predicts.",
    source="Python's language reference, Calls; mac 2023.2.1 to 2026.1.3, loader run",
)
NOT_INSTALLED = rule(
    "WLR564",
    "the code looks itself up where the platform does not register it",
    why="The platform executes the file without an entry in sys.modules, and installs no distribution of the project.",
    source="mac 2023.2.1 to 2026.1.3, loader run: KeyError, PackageNotFoundError",
)
UNDECLARED = rule(
    "WLR550",
    "a package is imported that the requirements do not name",
    why="The platform installs what requirements.txt names into a fresh environment, and nothing else.",
    source="Upload guide, Arbitrary Python File Requirements: requirements.txt; failures seen at conversion",
    level=Level.WARNING,
)

_SHOWN = 6
Said: TypeAlias = tuple[Rule, str, str]
"""The rule, what is wrong behind the file's name, and the way to mend it."""
Fix: TypeAlias = Callable[[ImportFailure], str]


def explain(
    failures: Iterable[ImportFailure],
    environment: PlatformEnvironment,
    fixes: Mapping[FailureKind, Fix] = MappingProxyType({}),
) -> list[Finding]:
    """Findings for failures: errors for what is sure, warnings for what happens on some way or later only.

    `fixes` say how to mend a kind of failure where the bundle is laid out in another way than inference code's.
    """
    found = []
    for each in failures:
        if each.kind == "syntax" and each.file.problem is not None:
            found.append(each.file.problem)
        if each.kind == "syntax" or (each.kind == "raise" and not each.sure):
            continue
        rule_, said, fix = _SAYING[each.kind](each, environment)
        if each.kind in fixes:
            fix = fixes[each.kind](each)
        found.append(
            rule_.finding(
                f"{each.file.label} {said}",
                fix=fix,
                place=each.file.place(each.node),
                level=rule_.level if each.sure and each.kind not in {"mentioned_file", "metadata"} else Level.WARNING,
                about=each.detail if each.kind == "read_only" else "",
            )
        )
    return found


def reached_findings(run: ImportRun) -> list[Finding]:
    """Of the files that a run imports: what the platform's Python cannot do, and what nobody declares."""
    environment = run.environment
    found = [
        finding
        for module in run.reached.values()
        for finding in newer(module, environment.python, environment.python_text)
    ]
    return [*found, *undeclared(run.imports, environment)]


def undeclared(uses: Iterable[ImportUse], environment: PlatformEnvironment) -> list[Finding]:
    """One finding a package, at the first import of it; imports that the code can do without are left out."""
    found: dict[str, Finding] = {}
    for use in uses:
        root = use.module.partition(".")[0]
        if use.optional or root in found or not root or environment.provides(use.module):
            continue
        name = distributions.distribution(use.module)
        as_name = f" (the package {name})" if name.lower() != root.lower() else ""
        found[root] = UNDECLARED.finding(
            f"{use.file.label} imports {root}{as_name}, which the requirements do not name",
            fix=f'add "{name}" to project.dependencies, or to `requirements`',
            place=use.file.place(use.node),
            about=use.module,
        )
    return list(found.values())


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The validator and the loader often say the same: once is enough, as an error where one of them says so."""
    found = list({(each.code, each.place, each.message, each.level): each for each in findings}.values())
    worst = {(each.code, each.place) for each in found if each.is_error}
    return tuple(each for each in found if each.is_error or (each.code, each.place) not in worst)


def too_deep(what: str, place: Place) -> Finding:
    """Code that cannot be followed to its end; the platform may well run it."""
    return UNJUDGED.finding(
        f"{what} was not judged: it is nested too deeply to be followed",
        fix="write a very long if … elif …, or a very long expression, as a dictionary or a list",
        place=place,
    )


def own_modules(spec: ModelSpec, folder: str) -> Callable[[str], bool]:
    """Whether the project has a module of a name: in a folder, at its top, or in src."""
    folders = dict.fromkeys((folder, "", "src"))

    @cache
    def own(root: str) -> bool:
        places = [f"{each}/{root}" if each else root for each in folders]
        return any(is_file(spec.path(f"{each}.py")) or is_file(spec.path(f"{each}/__init__.py")) for each in places)

    return own


def own_paths(spec: ModelSpec) -> Callable[[str], bool]:
    """Whether an absolute path is one of the machine that the project lies on: it is there, in or above the project."""
    here = [str(each) for each in (spec.root, *spec.root.parents) if each.parent != each]

    def own(path: str) -> bool:
        if within(path, here[0]):
            return True
        return not _SYSTEM.match(path) and any(within(path, each) for each in here) and os.path.lexists(path)

    return own


_SYSTEM = re.compile(r"/(?:bin|boot|dev|etc|lib|lib64|opt|proc|run|sbin|sys|tmp|usr|var)(?:/|$)")
"""Folders that every Linux has, with files that the platform may have as well."""


def _module(failure: ImportFailure, environment: PlatformEnvironment) -> Said:
    name = failure.detail
    root = name.partition(".")[0]
    lacking = environment.lacks(name)
    if lacking == "mac":
        return NO_SUCH_NAME, f"imports {name}, which {environment.name} does not have", _OTHER_MAC
    if lacking == "python":
        brought = environment.brought_by(name)
        said = f"which Python {brought} brought" if brought else "which has gone from Python by then"
        said = f"imports {name}, {said}; the platform runs {environment.python_text}"
        backport = _BACKPORTS.get(root)
        fix = f"declare {backport} in the requirements and import that instead" if backport else "leave the import out"
        return NEWER_MODULE, said, fix
    advice = f"put {root} into byop.packages, which places it in the bundle's artifacts/, and write"
    return _not_found(failure, advice)


_OTHER_MAC = "use what mac offers in this release, or set another release"
_BACKPORTS = {"tomllib": "tomli", "zoneinfo": "backports.zoneinfo", "graphlib": "graphlib-backport"}


def _not_found(failure: ImportFailure, advice: str) -> Said:
    return (
        NOT_FOUND,
        f"imports {failure.detail}, but Python will not find it on the platform",
        f'{advice} above the import: sys.path.insert(0, str(Path(__file__).parent / "artifacts"))',
    )


def _path(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    return _not_found(failure, "write")


def _absent(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    """A module that its package, which is in the bundle, does not have."""
    package = failure.known[0].rpartition(".")[0] if failure.known else ""
    missing = failure.detail.removeprefix(f"{package}.").partition(".")[0] if package else ""
    names = [each.rpartition(".")[2] for each in failure.known]
    close = nearest(missing, names)
    if not failure.known:
        owner, _, missing = failure.detail.rpartition(".")
        said, fix = f"{owner} has no module {missing}", f"correct the name; {owner} is a single file, or holds no other"
    else:
        said = f"{package} has no module {missing}"
        shown = few(names, _SHOWN)
        fix = f"did you mean {close}?" if close else f"write the module, or correct the name; it has {shown}"
    return NOT_FOUND, f"imports {failure.detail}, but {said}", fix


def _relative(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    name = failure.detail.lstrip(".")
    folder, top = failure.file.folder, ARTIFACTS
    said = "the platform executes the file outside any package"
    if folder == top:
        said = "it lies at the top of artifacts/ and belongs to no package"
        fix = f"write it without the dot: {_without_dots(failure, name)}"
    elif folder.startswith(f"{top}/"):
        package = folder.removeprefix(f"{top}/").replace("/", ".")
        said = f"it goes above its package {package}"
        fix = f"import by the full name: {_without_dots(failure, name)}"
    elif folder:
        fix = f"keep this file below artifacts/, which the validator leaves alone: {posixpath.join(top, folder)}"
    else:
        fix = f"import by the full name (from yourpackage.{name or '…'} import …) after putting artifacts/ on sys.path"
    return RELATIVE, f"has a relative import ({failure.detail}), but {said}", fix


def _without_dots(failure: ImportFailure, name: str) -> str:
    """The import statement with the dots left out."""
    imported = failure.node.names if isinstance(failure.node, ast.ImportFrom) else []
    names = ", ".join(f"{each.name} as {each.asname}" if each.asname else each.name for each in imported)
    return f"from {name} import {names}" if name else f"import {names}"


def _name(failure: ImportFailure, environment: PlatformEnvironment) -> Said:
    module, _, name = failure.detail.partition(":")
    if module.partition(".")[0] == "mac":
        where, fix = f"{environment.name} does not have it", _OTHER_MAC
    elif environment.offers(module, name) is False:
        where = _whereabouts(environment, module, name)
        fix = f"import {name} from typing_extensions" if module == "typing" else f"do without {name}"
    else:
        where, fix = f"{module} does not define it", "correct the name"
    return NO_SUCH_NAME, f"imports {name} from {module}: {where}", fix


def _whereabouts(environment: PlatformEnvironment, module: str, name: str) -> str:
    """Why a name of the standard library or of NumPy is missing."""
    brought = environment.brought_by(module, name)
    library, runs = "Python", environment.python_text
    if module.partition(".")[0] == "numpy":
        library, runs = "NumPy", ".".join(map(str, environment.numpy[0]))
    if brought:
        return f"{library} {brought} brought it, the platform runs {runs}"
    return f"it has gone from {library} by {runs}, which the platform runs"


def _undefined(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    name, when = failure.detail, _while(failure)
    if failure.kind == "typing":
        fix = f"import {name} outside `if TYPE_CHECKING:`, or quote the annotation"
        return UNDEFINED, f"uses {name} {when}, but imports it for type checkers only", fix
    if failure.kind == "unbound":
        return UNDEFINED, f"uses {name} {when}, and has not defined it by then", f"define {name} above this line"
    if failure.kind == "perhaps_unbound":
        return UNDEFINED, f"uses {name} {when}, and defines it on some ways only", f"define {name} on the others, too"
    return UNDEFINED, f"uses {name} {when}, and defines it nowhere", f"define or import {name} above this line"


def _while(failure: ImportFailure) -> str:
    """When it happens: the one phrase of every message."""
    if failure.lazy:
        return "when it runs"
    return f"when {failure.during}" if failure.during else "while it is imported"


def _attribute(failure: ImportFailure, environment: PlatformEnvironment) -> Said:
    owner, _, name = failure.detail.partition(":")
    said = f"uses {owner}.{name} {_while(failure)}"
    if "." not in owner and owner[:1].isupper():
        return NO_SUCH_NAME, f"{said}, which {owner} does not have", f"define {name} in {owner}, or correct the name"
    _, missing, fix = _name(failure, environment)
    return NO_SUCH_NAME, f"{said}: {missing.partition(': ')[2]}", fix


def _read_only(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    owner, _, name = failure.detail.partition(":")
    said = f"assigns {name} of {owner} {_while(failure)}, which is a property without a setter"
    return NO_SETTER, said, f"add to the class: `@Inference.{name}.setter` above `def {name}(self, {name}) -> None`"


def _file(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"names {failure.detail} {_while(failure)}, where the bundle has no such file"
    return NOT_THERE, said, mend(OWN_CLASSES, failure)


def _relative_file(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    what = "by a path from the working folder, which is not the bundle there"
    if _WINDOWS.match(failure.detail):
        what = "by a path of Windows; the platform runs Linux"
    return RELATIVE_FILE, f"reads {failure.detail} {_while(failure)}, {what}", mend(OWN_CLASSES, failure)


_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
"""How a path begins that names a drive, or a machine."""


def _absolute_file(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"reads {failure.detail} {_while(failure)}, an absolute path of your machine, which the platform hardly has"
    return ABSOLUTE_FILE, said, mend(OWN_CLASSES, failure)


def _arguments(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"calls {failure.detail} {_while(failure)} with other arguments than it takes"
    return ARGUMENTS, said, f"give {failure.detail} what it takes, or change its parameters"


def _unregistered(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"reads {failure.detail} {_while(failure)}, and the platform does not register the file"
    return NOT_INSTALLED, said, "use globals(), or the names themselves"


def _metadata(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"asks for the version of {failure.detail} {_while(failure)}, and nobody declares such a package"
    return NOT_INSTALLED, said, "write the version into the code, or catch PackageNotFoundError"


def _model_type(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    return WRONG_TYPE, failure.detail, "return a set of the model's classes from expected_model_types"


def _exit(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    setup = failure.detail.endswith(".setup")
    called = "setup()" if setup else f"{failure.detail.removeprefix('builtins.')}()"
    fix = "leave the file out of the bundle" if setup else 'put the call under `if __name__ == "__main__":`'
    return LEAVES, f"calls {called} {_while(failure)}, which ends the platform's process", fix


def _raise(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    said = f"raises {failure.detail or 'an exception'} {_while(failure)}"
    return LEAVES, said, "raise it where the check is needed, or remove the line"


def _variable(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    what = f"the environment variable {failure.detail}" if failure.detail else "an environment variable"
    return (
        VARIABLE,
        f"needs {what} {_while(failure)}, which the platform does not set",
        f'use os.environ.get("{failure.detail}", …) with a default, or put the value into the code or a file',
    )


def _dataclass(failure: ImportFailure, _environment: PlatformEnvironment) -> Said:
    return (
        DATACLASS,
        f"has the dataclass {failure.detail}, which cannot be made on the platform, because its annotations are text",
        "remove `from __future__ import annotations`, or move the class into a package that the module imports",
    )


_SAYING: Mapping[FailureKind, Callable[[ImportFailure, PlatformEnvironment], Said]] = {
    "module": _module,
    "absent": _absent,
    "path": _path,
    "relative": _relative,
    "name": _name,
    "undefined": _undefined,
    "typing": _undefined,
    "unbound": _undefined,
    "perhaps_unbound": _undefined,
    "exit": _exit,
    "raise": _raise,
    "variable": _variable,
    "dataclass": _dataclass,
    "attribute": _attribute,
    "read_only": _read_only,
    "file": _file,
    "mentioned_file": _file,
    "relative_file": _relative_file,
    "absolute_file": _absolute_file,
    "model_type": _model_type,
    "arguments": _arguments,
    "unregistered": _unregistered,
    "metadata": _metadata,
}
