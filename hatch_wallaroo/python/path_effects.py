"""What calls do to the process, and ask of the files around it: `sys.path`, the working folder, variables, its end."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable
from functools import lru_cache

from hatch_wallaroo.python.expressions import OUTSIDE, external_name, folder_of, text_of, value_of
from hatch_wallaroo.python.imports import Importer
from hatch_wallaroo.python.values import Expression, External, Function, Instance, OwnClass, Scope

LEAVING = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit"})
_SETUP = frozenset({"setuptools.setup", "distutils.core.setup"})
_ANY_VARIABLE = "*"
_PATH_CALLS = frozenset({"sys.path.insert", "sys.path.append", "site.addsitedir", "sys.path.extend"})
_METADATA = frozenset({"importlib.metadata.version", "importlib.metadata.metadata", "importlib.metadata.distribution"})
_PATH_HOLDERS = frozenset({"sys.path", "site.addsitedir"})
_ADDING = frozenset({"builtins.exec", "builtins.globals", "builtins.vars", "builtins.locals"})
_REQUIRING = frozenset({"os.environ.pop", "os.environ.__getitem__"})

READERS = frozenset(
    {
        "builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.listdir", "os.scandir",
        "os.stat", "shutil.copy", "shutil.copyfile", "numpy.load", "numpy.loadtxt", "numpy.genfromtxt",
        "numpy.fromfile", "joblib.load", "pandas.read_csv", "pandas.read_json", "pandas.read_parquet",
        "pandas.read_pickle", "pandas.read_excel", "pandas.read_feather", "zipfile.ZipFile", "tarfile.open",
        "logging.config.fileConfig", "runpy.run_path",
    }
)  # fmt: skip
"""Functions that fail where the file, or the folder, that they are given is not there. Of those of other packages this
is only likely: some take names of models in the same place.
"""
_READING_METHODS = frozenset({"read_text", "read_bytes", "open", "stat"})
_ASKING = frozenset(
    {
        "exists", "is_file", "is_dir", "mkdir", "touch", "write_text", "write_bytes", "relative_to", "with_suffix",
        "glob", "rglob", "iterdir", "joinpath", "resolve", "absolute", "as_posix", "unlink", "makedirs", "isfile",
        "isdir", "dirname", "join", "abspath", "realpath", "normpath", "basename", "str", "Path", "PurePath", "fspath",
        "PosixPath", "PurePosixPath", "print", "format", "insert", "append", "addsitedir", "extend", "chdir",
        "expanduser", "isinstance", "with_name", "splitext",
    }
)  # fmt: skip
"""Calls that take a path without needing what lies there."""
_LOOKING = frozenset({"exists", "is_file", "is_dir", "isfile", "isdir"})
"""Calls after which code knows whether something lies at a path."""
_PREPARED = _LOOKING | {"mkdir", "makedirs", "touch", "write_text"}
"""Calls after which code knows it, or has seen to it."""
_WRITING = re.compile(
    r"(?:^|_)(?:to|save|savez|savetxt|dump|write|export|extract|extractall|unpack|download|urlretrieve|copy|copyfile"
    r"|copytree|move|rename|replace|symlink|link)(?:_|$)"
)
"""Names of functions that write what they are given a path for."""
_SUFFIX = re.compile(r"[^/]\.[A-Za-z]\w{0,9}$")
"""How the name of a file ends: what else begins with a slash may be a route, or a key."""
_ONLY_TOLD = re.compile(
    r"^(?:logging|builtins|warnings)\.|(?:^|\.)(?:debug|info|warning|error|exception|critical|log)$"
)
"""Calls that do nothing with a path but show it."""


def call(run: Importer, node: ast.Call, scope: Scope) -> None:
    """A call of something outside the bundle, for its effects and for what it needs."""
    called = value_of(node.func, scope)
    name = called.name if isinstance(called, External) else ""
    if name in LEAVING or name in _SETUP:
        run.note("exit", scope.module.file, node, name)
    elif name in _PATH_CALLS:
        _path_extended(run, name, node, scope)
    elif name in {"importlib.import_module", "builtins.__import__"} and node.args:
        _imported_by_call(run, node, scope)
    elif name in _ADDING:
        scope.module.open = True
    elif name == "builtins.setattr":
        _attribute_set(run, node, scope)
    elif name in {"builtins.int", "builtins.float", "builtins.len"} and len(node.args) == 1:
        unset(run, node.args[0], scope, node)
    elif name in _METADATA and node.args:
        _metadata(run, node, scope)
    elif name == "gettext.install":
        run.builtins.add("_")
    elif name == "os.chdir":
        run.cwd = folder_of(node.args[0], scope) if node.args else None
        run.path_open = True
    elif name.startswith(("os.environ.", "os.putenv", "os.getenv", "dotenv.")):
        _variables(run, name, node, scope)
    elif not node.args and _is_parser(node.func, scope):
        with run.branch():
            run.note("exit", scope.module.file, node, "parse_args")
    else:
        if name == "runpy.run_path":
            run.path_open = True
        _files(run, name, node, scope)


def _is_parser(called: ast.expr, scope: Scope) -> bool:
    """`argparse.ArgumentParser(…).parse_args`, which reads what the platform's own process was started with."""
    if not isinstance(called, ast.Attribute) or called.attr != "parse_args":
        return False
    parser = value_of(called.value, scope)
    made = parser.node if isinstance(parser, Expression) else None
    return isinstance(made, ast.Call) and external_name(made.func, scope) == "argparse.ArgumentParser"


def _attribute_set(run: Importer, node: ast.Call, scope: Scope) -> None:
    if len(node.args) != 3:  # noqa: PLR2004 - an object, a name, a value
        return
    target, attribute = value_of(node.args[0], scope), text_of(node.args[1], scope)
    if attribute is None:
        scope.module.open = True
        if isinstance(target, (Instance, OwnClass)):
            target.open = True
    else:
        run.set_attribute(target, attribute, (value_of(node.args[2], scope),), scope, node)
    if isinstance(node.args[0], ast.Name):
        scope.module.touched.add(node.args[0].id)


def _metadata(run: Importer, node: ast.Call, scope: Scope) -> None:
    """The version of a distribution, where none of that name is installed beside the code."""
    name = text_of(node.args[0], scope)
    if name is not None and not run.environment.provides(name.replace("-", "_")):
        run.note("metadata", scope.module.file, node, name)


def _imported_by_call(run: Importer, node: ast.Call, scope: Scope) -> None:
    module = text_of(node.args[0], scope)
    if module and not module.startswith(".") and run.find(module) is None:
        run.outside(module, node, scope)


def _path_extended(run: Importer, name: str, node: ast.Call, scope: Scope) -> None:
    arguments = node.args[1:] if name == "sys.path.insert" else node.args
    if name == "sys.path.extend" and node.args and isinstance(node.args[0], (ast.List, ast.Tuple)):
        arguments = node.args[0].elts
    for argument in arguments:
        folder = located(run, argument, scope)
        if folder is None:
            run.path_open = True
        elif folder not in run.path:
            run.path.insert(0 if name == "sys.path.insert" else len(run.path), folder)


def path_assigned(run: Importer, targets: Iterable[ast.expr], scope: Scope) -> None:
    """An assignment to `sys.path`: from then on it may hold anything."""
    for target in targets:
        inner = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(inner, ast.Attribute) and external_name(inner, scope) == "sys.path":
            run.path_open = True


@lru_cache(1024)
def changes_path(function: Function) -> bool:
    """Whether a function may change `sys.path`."""
    return any(
        isinstance(each, ast.Attribute) and external_name(each, function.scope) in _PATH_HOLDERS
        for each in ast.walk(function.node)
    )


def variable(run: Importer, node: ast.Subscript, scope: Scope) -> None:
    """`os.environ[…]`: an environment variable that is required, unless the code has set it itself."""
    owner = external_name(node.value, scope)
    itself = isinstance(node.slice, ast.Name) and node.slice.id == "__name__"
    if owner == "sys.modules" and itself and scope.module.name not in run.modules:
        run.note("unregistered", scope.module.file, node, "sys.modules[__name__]")
    if owner != "os.environ":
        return
    key = text_of(node.slice, scope) or ""
    if isinstance(node.ctx, ast.Store):
        run.variables.add(key)
    else:
        _required(run, key, node, scope)


def unset(run: Importer, node: ast.expr, scope: Scope, used: ast.AST) -> None:
    """A value that is used as if it were there: `os.getenv(…)` without a default gives None on the platform."""
    value = value_of(node, scope)
    if not isinstance(value, Expression) or not isinstance(value.node, ast.Call) or value.node.keywords:
        return
    asked = external_name(value.node.func, value.scope)
    if asked in {"os.getenv", "os.environ.get"} and len(value.node.args) == 1:
        _required(run, text_of(value.node.args[0], value.scope) or "", used, scope)


def _required(run: Importer, key: str, node: ast.AST, scope: Scope) -> None:
    if key not in run.environment.variables and key not in run.variables and _ANY_VARIABLE not in run.variables:
        run.note("variable", scope.module.file, node, key)


def _variables(run: Importer, name: str, node: ast.Call, scope: Scope) -> None:
    key = text_of(node.args[0], scope) if node.args else None
    if name in {"os.environ.setdefault", "os.putenv"} and key is not None:
        run.variables.add(key)
    elif name in {"os.environ.update", "dotenv.load_dotenv"}:
        run.variables.add(_ANY_VARIABLE)
    elif name in _REQUIRING and len(node.args) == 1:
        _required(run, key or "", node, scope)


def located(run: Importer, node: ast.expr, scope: Scope) -> str | None:
    """The path inside the bundle, or OUTSIDE, that an expression stands for; None for what cannot be told."""
    folder = folder_of(node, scope)
    return folder if folder is not None else _from_working_folder(run, text_of(node, scope))


def _from_working_folder(run: Importer, text: str | None) -> str | None:
    if text is None or run.cwd is None or "://" in text or text.startswith(("/", "~")):
        return None
    return OUTSIDE if run.cwd == OUTSIDE else posixpath.normpath(posixpath.join(run.cwd, text)).removeprefix("./")


def _files(run: Importer, name: str, node: ast.Call, scope: Scope) -> None:
    """A file that a call reads, where it certainly is not there."""
    if run.paths is None:
        return
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in READERS:
        wanted, reads = (
            node.args[:1] or [each.value for each in node.keywords if each.arg in {"file", "model_file"}],
            True,
        )
    elif method in _READING_METHODS and not name:
        assert isinstance(node.func, ast.Attribute)  # noqa: S101 - it has an attribute's name
        wanted, reads = [node.func.value], True
    elif (name.rpartition(".")[2] or method) in _ASKING or isinstance(value_of(node.func, scope), Function):
        asked = name.rpartition(".")[2] or method
        for each in _asked_about(node) if asked in _PREPARED else ():
            folder = folder_of(each, scope)
            path = folder or text_of(each, scope)
            # Of a folder that is in the bundle, looking for it tells nothing about what lies in it.
            if path is not None and not (folder and asked in _LOOKING and _is_there(run, folder)):
                run.created.add(path)
        if isinstance(value_of(node.func, scope), Function):
            _handed_over(run, node, scope, written=False)
        return
    else:
        wanted, reads = [*node.args, *(each.value for each in node.keywords)], False
    writing = _WRITING.search(name.rpartition(".")[2] or method) is not None
    told = _ONLY_TOLD.search(name or method) is not None
    if writing and not reads:
        wanted = []
    writes = name.endswith("open") or method == "open" or name == "zipfile.ZipFile"
    mode = _mode(node, 0 if method == "open" and not name else 1, scope) if writes else "r"
    for each in wanted:
        path, text = folder_of(each, scope), ""
        if path is None:
            text = text_of(each, scope) or ""
            path = _from_working_folder(run, text or None)
        if path is None:
            if text:
                if set(mode) & set("wax"):
                    run.created.add(text)
                elif reads or (_SUFFIX.search(text) and not told):
                    _absolute(run, text, each, scope)
            elif set(mode) & set("wax"):
                run.handed.add("")  # nobody can tell where
            continue
        relative = path == OUTSIDE and bool(text)
        if set(mode) & set("wax") or (relative and not reads):
            run.created.add(text if relative else path)
        elif relative and text not in run.created and posixpath.dirname(text) not in run.created:
            run.note("relative_file", scope.module.file, each, text)
        elif path != OUTSIDE and not text and not _is_there(run, path):
            sure = reads and not _may_be_made(run, path)
            run.note("file" if sure else "mentioned_file", scope.module.file, each, path)
    if not told and (writing or not reads):
        _handed_over(run, node, scope, written=writing)


def _absolute(run: Importer, text: str, node: ast.expr, scope: Scope) -> None:
    """A file by its place on the machine that the code was written on."""
    if {text, posixpath.dirname(text)} & run.created or not run.environment.is_elsewhere(text):
        return
    run.note("absolute_file", scope.module.file, node, text)


def _handed_over(run: Importer, node: ast.Call, scope: Scope, *, written: bool) -> None:
    """What a function is given: it writes there, or may; from then on nobody can be sure that nothing lies there.

    Another program may write anywhere.
    """
    name = external_name(node.func, scope)
    if name == "os.system" or name.startswith("subprocess."):
        run.handed.add("")
    given = [*_asked_about(node), *node.args[1:], *(each.value for each in node.keywords)]
    while given:
        each = given.pop()
        if isinstance(each, (ast.List, ast.Tuple)):
            given += each.elts
            continue
        path, text = folder_of(each, scope), text_of(each, scope)
        if path is not None and path != OUTSIDE:
            run.handed.add(path)
        if written:
            run.created |= {found for found in (path, text) if found}
            if path is None and text is None and isinstance(each, ast.BinOp):
                run.handed.add("")


def _may_be_made(run: Importer, path: str) -> bool:
    """Whether a function that was given the path, or a folder around it, may have written there."""
    return any(not each or path == each or path.startswith(f"{each}/") for each in run.handed)


def mentioned(run: Importer, node: ast.expr, scope: Scope) -> None:
    """A path below the bundle's folder that is given a name, where there is nothing at it."""
    path = folder_of(node, scope)
    if run.paths is not None and path is not None and path != OUTSIDE and not _is_there(run, path):
        run.note("mentioned_file", scope.module.file, node, path)


def _asked_about(node: ast.Call) -> list[ast.expr]:
    return [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args[:1]]


def _mode(node: ast.Call, index: int, scope: Scope) -> str:
    given = [each.value for each in node.keywords if each.arg == "mode"] or node.args[index : index + 1]
    return (text_of(given[0], scope) or "wax").partition(":")[0] if given else "r"


def _is_there(run: Importer, path: str) -> bool:
    assert run.paths is not None  # noqa: S101 - _files has looked
    return (
        path in run.paths
        or path in run.created
        or not path
        or any(each.startswith(f"{path}/") for each in run.paths)
        or any(posixpath.dirname(path) == each for each in run.created)
    )
