"""Models that are pickles: what holds for scikit-learn and XGBoost alike, and where their classes may come from."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.presence import is_file, is_folder
from hatch_wallaroo.files.sources import Entry, is_lfs_pointer
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.formats.pickle_nodes import Global, Value, class_of
from hatch_wallaroo.formats.pickles import PickleFile, read_pickle_file
from hatch_wallaroo.formats.recognise import recognise_head
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned, plan_file, version_numbers
from hatch_wallaroo.frameworks.other_models import other_model
from hatch_wallaroo.text import few

_LOADER = "mac 2023.2.1 and 2023.4.2, io/file_loading/pickle_loader.py: pickle.load on .pkl and .pickle"

NOT_A_PICKLE = rule(
    "WLR350",
    "not a pickle",
    why="The platform loads scikit-learn and XGBoost models with pickle.load and nothing else.",
    source=f"Upload guide, XGBoost: Supported File Types; {_LOADER}",
)
BROKEN = rule(
    "WLR351",
    "a pickle that cannot be read to its end",
    why="A file that was cut short or changed uploads well and fails when the platform loads it.",
    source="CPython: pickle.UnpicklingError, EOFError",
)
JOBLIB = rule(
    "WLR352",
    "saved by joblib in a form that pickle cannot load",
    why="joblib puts the arrays' bytes between the pickle's own, or compresses the file. Only joblib.load finds its "
    "way through that; pickle.load, which the platform uses, does not.",
    source=f"{_LOADER}; run with joblib 1.2 and 1.6 files: UnpicklingError",
)
NOT_ALONE = rule(
    "WLR353",
    "a pickle that needs more than itself",
    why="What the pickle refers to is not in the file, and only the file is uploaded.",
    source="CPython: pickle.UnpicklingError without persistent_load, buffers or a registered extension",
)
BEHIND = rule(
    "WLR354",
    "more than one pickle in the file",
    why="pickle.load takes the first object of a file and ignores the rest.",
    source="CPython documentation: pickle.load",
    level=Level.WARNING,
)
UNSAFE = rule(
    "WLR355",
    "the pickle would run code that no model needs",
    why="Loading a pickle runs what it names. Models name classes and arrays; one that names programs, files or "
    "connections was made to do something else, on whatever machine loads it.",
    source="CPython documentation: pickle, the warning at its head",
)
OWN_CODE = rule(
    "WLR356",
    "a class or function of your own code",
    why="A pickle holds the names of classes and functions, not their code. The platform has only the framework's "
    "libraries and cannot import yours.",
    source="CPython documentation: what can be pickled; upload guide: Bring Your Own Predict",
)
OTHER_LIBRARY = rule(
    "WLR357",
    "a library that the platform may not have",
    why="The environment of a framework is fixed: requirements are taken for BYOP only.",
    source="Upload guide: Supported Libraries of SKLearn and XGBoost",
    level=Level.WARNING,
)
NUMPY_2 = rule(
    "WLR358",
    "arrays pickled by NumPy 2",
    why="NumPy 2 names its arrays numpy._core, a module that older versions do not have.",
    source="Run: pickles of NumPy 2.4 give No module named 'numpy._core' in 1.22 to 1.26.0; in 1.26.4 those that "
    "hold a random generator still fail",
)
RENAMED = rule(
    "WLR359",
    "the bundle is named .pkl",
    why="The platform's loader goes by the file's suffix and takes .pkl and .pickle.",
    source=_LOADER,
    level=Level.NOTE,
)
PARTLY_READ = rule(
    "WLR372",
    "not all of the pickle could be checked",
    why="Loading a pickle runs what it names, and what was not read was not judged. Some models are that large and "
    "good: vectorizers with millions of words. A class whose name is hidden is no part of one.",
    source="CPython documentation: pickle, the warning at its head; the limits of this tool",
    level=Level.WARNING,
)

_SUFFIXES = (".pkl", ".pickle")
_SAVE = 'pickle.dump(model, open("model.pkl", "wb"), protocol=4)'
# _loss: scikit-learn 1.4 to 1.6 name their loss functions so; see sklearn_versions.
_RUNTIME = frozenset({"numpy", "scipy", "joblib", "threadpoolctl", "sklearn", "_loss"})
_RUNS_NUMPY_1_26 = (3, 9)
"""The first Python for which there is a NumPy that knows the names of NumPy 2."""


@dataclass
class OpenedPickle:
    """A pickle that was read: its `root`, the file, and what is to be said so far."""

    entry: Entry
    file: PickleFile
    place: Place
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Value:
        return self.file.pickle.root if self.file.pickle else None

    @property
    def names(self) -> list[Global]:
        return list(self.file.pickle.globals) if self.file.pickle else []


class Pickled(Family):
    """A bare `.pkl` of one trained model."""

    def plan(self, spec: ModelSpec) -> Planned:
        """One entry, the file itself, under a suffix that the platform's loader takes."""
        return plan_file(spec, _SUFFIXES)

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:
        """Class, version and features, read from the opcodes."""
        opened = open_pickle(spec, layout)
        if opened is None:
            return Inspection()
        if opened.file.pickle is None:
            return Inspection({}, tuple(self.no_pickle(spec, opened)))
        found = tuple(self.judge(spec, opened))
        return Inspection(opened.facts, (*opened.findings, *found))

    def no_pickle(self, spec: ModelSpec, opened: OpenedPickle) -> Iterable[Finding]:  # noqa: ARG002 - where the library has no files of its own
        """What to say of a file that is no pickle."""
        return opened.findings

    @abstractmethod
    def judge(self, spec: ModelSpec, opened: OpenedPickle) -> Iterable[Finding]:
        """What to say of the pickled object; what it tells of itself is added to `opened.facts`."""


def open_pickle(spec: ModelSpec, layout: Layout) -> OpenedPickle | None:
    """Read the layout's pickle and check what holds for any. None for a Git LFS pointer, which is told elsewhere.

    Where there is no pickle, `OpenedPickle.file.pickle` is None and `findings` say why.
    """
    entry = layout.entries[0]
    source = entry.source
    if is_lfs_pointer(source):
        return None
    size = source.size
    with source.open() as stream:
        file = read_pickle_file(stream, size)
    opened = OpenedPickle(entry, file, Place(file=entry.name))
    opened.findings += _form(opened)
    if file.pickle:
        opened.facts = {"format": _format(file), "protocol": file.pickle.protocol}
        opened.findings += _contents(spec, opened)
    return opened


def _format(file: PickleFile) -> str:
    if file.compression:
        return f"joblib, {file.compression}"
    return "joblib" if file.joblib_arrays or file.separate_arrays else "pickle"


def _form(opened: OpenedPickle) -> Iterator[Finding]:
    file, name, place = opened.file, opened.entry.name, opened.place
    if _something_else(file):
        other = other_model(opened.entry.source, name)
        said = f"is {other.what}, not a pickle" if other.kind not in {None, "pickle"} else "is not a pickle"
        fix = "unpack it and name the .pkl in it" if other.kind == "zip" else f"save the trained model with {_SAVE}"
        yield NOT_A_PICKLE.finding(f"{name} {said}", fix=other.fix or fix, place=place)
        return
    if file.error is not None:
        yield BROKEN.finding(
            f"{name} breaks off at byte {file.error.offset:,}: {file.error}",
            fix="copy it again, completely, or save the model anew",
            place=place,
        )
        return
    if file.compression:
        yield JOBLIB.finding(
            f"{name} is compressed ({file.compression}), as joblib does", fix=_again(name), place=place
        )
    elif file.joblib_arrays:
        yield JOBLIB.finding(
            f"{name} was saved by joblib, which puts arrays between the pickle's bytes: pickle.load stops at the first",
            fix=_again(name),
            place=place,
        )
    if file.separate_arrays:
        yield NOT_ALONE.finding(
            f"{name} was saved by a joblib before 0.10, with each array in a file of its own beside it",
            fix=_again(name),
            place=place,
        )
    yield from _whole(opened)
    if not name.endswith(_SUFFIXES) and not (file.compression or file.joblib_arrays):
        yield RENAMED.finding(
            f"{name} is a plain pickle; in the bundle it is called {opened.entry.path}, which the platform's loader "
            "goes by",
            fix=f"name it {PurePosixPath(name).with_suffix('.pkl').name}",
            place=place,
        )


def _something_else(file: PickleFile) -> bool:
    """Whether the file is no pickle at all, rather than a broken one."""
    if file.pickle is not None or (file.compression and file.error is None):
        return False
    begins = recognise_head(file.head)
    known = begins is not None and begins.kind != "pickle"
    return not file.is_pickle or (known and not file.compression)


def _again(name: str) -> str:
    target = PurePosixPath(name).with_suffix(".pkl").name
    if target == PurePosixPath(name).name:
        target = "model.pkl"
    return (
        'save it with pickle, where it was trained: python -c "import joblib, pickle; '
        f"pickle.dump(joblib.load('{name}'), open('{target}', 'wb'), protocol=4)\""
    )


def _whole(opened: OpenedPickle) -> Iterator[Finding]:
    """Whether one pickle is all there is, and all that it needs."""
    file, pickle, name = opened.file, opened.file.pickle, opened.entry.name
    if pickle is None:
        return
    extensions = any(each.module == "copyreg" and each.name.startswith("extension ") for each in pickle.globals)
    for missing, what in (
        (pickle.persistent, "objects by reference (persistent ids), which plain pickle.load refuses"),
        (pickle.buffers, "arrays in separate buffers, which are not in the file"),
        (extensions, "classes by number (extension codes), which the platform has not registered"),
    ):
        if missing:
            yield NOT_ALONE.finding(f"{name} holds {what}", fix=f"save the model with {_SAVE}", place=opened.place)
    if file.another:
        yield BEHIND.finding(
            f"{name} holds more than one pickle; the platform loads the first, {pickle.end:,} bytes, and ignores "
            f"{file.behind:,} bytes behind it",
            fix="save one object in a file: a Pipeline keeps preprocessing and model together",
            place=opened.place,
        )
    elif file.behind:
        yield BEHIND.finding(
            f"{name} goes on for {file.behind:,} bytes after the pickle's end, which the platform ignores",
            fix="save the model anew",
            place=opened.place,
        )
    if pickle.unresolved:
        yield PARTLY_READ.finding(
            f"{name} imports classes or functions ({pickle.unresolved:,}) by names that cannot be followed, as no "
            "pickler writes them",
            fix="do not load it; ask where the file comes from, and train the model again",
            place=opened.place,
            level=Level.ERROR,
        )
    if not pickle.complete:
        yield PARTLY_READ.finding(
            f"{name} has more parts than are read here: from byte {pickle.end:,} on it was not checked, neither for "
            "the platform nor for code that no model needs",
            fix="upload it only if you know who made it; a vectorizer is smaller without its stop_words_ and with "
            "max_features",
            place=opened.place,
        )


def _contents(spec: ModelSpec, opened: OpenedPickle) -> Iterator[Finding]:
    """What it would import."""
    name, place = opened.entry.name, opened.place
    evil = dangerous(opened.names)
    if evil:
        yield UNSAFE.finding(
            f"loading {name} would call {few(evil, 4, counted=True)}, which has no place in a model",
            fix="do not load it; ask where the file comes from, and train the model again",
            place=place,
        )
    made_by = class_of(opened.root)
    # A model of XGBoost's own is told to be one, with the framework that it belongs to.
    own = {"xgboost"} if made_by and made_by.module.partition(".")[0] == "xgboost" else set()
    ours = _RUNTIME | {spec.framework.name} | own
    for top, names in foreign([each for each in opened.names if each not in evil], ours).items():
        yield _from_elsewhere(spec, opened, top, names)
    if any(each.module.startswith("numpy._core") for each in opened.names):
        old = version_numbers(spec.release.python) < _RUNS_NUMPY_1_26
        yield NUMPY_2.finding(
            f"{name} was saved with NumPy 2, and Wallaroo {spec.release.version} runs Python {spec.release.python} "
            + ("with a NumPy before 2" if old else "with NumPy 1.26"),
            fix=f'save the model where "numpy<2" is installed{_with_libraries(spec)}',
            place=place,
            level=Level.ERROR if old else Level.WARNING,
        )


def _with_libraries(spec: ModelSpec) -> str:
    libraries = ", ".join(f"{library}=={version}" for library, version in spec.framework.libraries.items())
    return f", with {libraries}" if libraries else ""


def _from_elsewhere(spec: ModelSpec, opened: OpenedPickle, top: str, names: list[Global]) -> Finding:
    """A top-level module that the platform may not have."""
    place = opened.place
    if top in BY_VALUE:
        return OTHER_LIBRARY.finding(
            f"{opened.entry.name} holds functions or classes as Python bytecode, written by {top}: it loads only where "
            f"{top} is installed and Python is the same version",
            fix='keep lambdas and local functions out of the model, or package it with framework = "custom"',
            place=place,
        )
    if top in OTHER_LIBRARIES and not in_project(spec.root, top):
        return OTHER_LIBRARY.finding(
            f"{opened.entry.name} needs {OTHER_LIBRARIES[top]} ({few(names, 4, counted=True)}), which the "
            f"{spec.framework.name} environment of the platform is not known to have",
            fix='package it with framework = "custom" (BYOP), which installs requirements',
            place=place,
        )
    whose = {
        "__main__": "the script or notebook that saved it",
        "__mp_main__": "the script that saved it",
    }.get(top, f"the module {top}" + (" of this project" if in_project(spec.root, top) else ""))
    return OWN_CODE.finding(
        f"{opened.entry.name} needs {few(names, 4, counted=True)}, from {whose}, which the platform cannot import",
        fix='package it with framework = "custom" (BYOP), which takes your code along, or build the model from '
        f"{spec.framework.name}'s own classes",
        place=place,
    )


_WHOLE_MODULES = frozenset(
    {
        "_posixsubprocess", "_winapi", "asyncio", "bdb", "cmd", "code", "codeop", "commands", "ctypes", "distutils",
        "ensurepip", "fileinput", "ftplib", "glob", "http", "httplib", "idlelib", "imp", "importlib", "linecache",
        "marshal", "mmap", "multiprocessing", "nt", "os", "pdb", "pickle", "cPickle", "_pickle", "pip", "pkgutil",
        "platform", "poplib", "posix", "profile", "cProfile", "pty", "pydoc", "requests", "runpy", "shelve", "shutil",
        "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "telnetlib", "tempfile",
        "timeit", "trace", "turtle", "urllib", "urllib2", "venv", "webbrowser",
        "winreg", "xmlrpc", "zipimport",
    }
)  # fmt: skip
_FINE = frozenset({"os.path", "os.PathLike", "platform.uname_result"})
_BUILTINS = frozenset(
    {
        "eval", "exec", "execfile", "compile", "open", "file", "input", "raw_input", "__import__", "breakpoint", "exit",
        "quit", "globals", "locals", "vars", "delattr", "setattr", "apply", "reload", "help", "memoryview", "print",
    }
)  # fmt: skip
_SINGLE = frozenset(
    {
        "joblib.numpy_pickle.load", "joblib.load", "numpy.load", "numpy.core.multiarray.fromfile", "numpy.fromfile",
        "numpy.f2py.crackfortran.getlincoef", "numpy.testing._private.utils.runstring", "pandas.io.pickle.read_pickle",
        "pandas.read_pickle", "pandas.eval", "torch.load", "torch.hub.load", "torch.jit.load",
        "cloudpickle.loads", "dill.loads", "dill._dill.loads", "cloudpickle.cloudpickle.loads",
        "operator.methodcaller", "_operator.methodcaller", "functools.reduce",
    }
)  # fmt: skip

BY_VALUE = frozenset({"cloudpickle", "dill"})
"""Libraries that write functions and classes into the pickle as Python bytecode."""

OTHER_LIBRARIES: Mapping[str, str] = MappingProxyType(
    {
        **{
            name: name
            for name in (
                "autogluon", "boruta", "bokeh", "catboost", "causalml", "cloudpickle", "cuml", "dask", "dask_ml",
                "dill", "econml", "eli5", "feature_engine", "fastai", "flaml", "gensim", "h2o", "hdbscan", "hmmlearn",
                "interpret", "jax", "keras", "lifelines", "lightgbm", "mapie", "matplotlib", "mlxtend", "networkx",
                "nltk", "numba", "optuna", "pandas", "patsy", "pmdarima", "polars", "prophet", "pyarrow", "pycaret",
                "pyod", "pysurvival", "river", "sentence_transformers", "seaborn", "shap", "skops", "sktime", "spacy",
                "sparse", "statsmodels", "surprise", "tensorflow", "torch", "tpot", "transformers", "tslearn",
                "tsfresh", "umap", "xgboost",
            )
        },
        "category_encoders": "category-encoders",
        "imblearn": "imbalanced-learn",
        "lightning_fabric": "lightning",
        "ngboost": "ngboost",
        "onnxruntime": "onnxruntime",
        "scikeras": "scikeras",
        "skl2onnx": "skl2onnx",
        "sklearn_pandas": "sklearn-pandas",
        "sklearn": "scikit-learn",
        "skopt": "scikit-optimize",
        "sksurv": "scikit-survival",
        "yellowbrick": "yellowbrick",
    }
)  # fmt: skip
"""Top-level modules of libraries that models are made with, and the names they are installed by."""

_STANDARD = sys.stdlib_module_names | {"__builtin__", "copy_reg", "exceptions", "UserDict", "UserList", "itertools"}


def dangerous(names: Iterable[Global]) -> list[Global]:
    """Those that run programs, open files or connections, or execute code: no trained model needs one."""
    return [each for each in names if _is_dangerous(each)]


def _is_dangerous(name: Global) -> bool:
    full, top = str(name), name.module.partition(".")[0]
    if any(full == fine or full.startswith(f"{fine}.") for fine in _FINE):
        return False
    if top in {"builtins", "__builtin__"}:
        return name.name.partition(".")[0] in _BUILTINS
    return top in _WHOLE_MODULES or full in _SINGLE


def foreign(names: Iterable[Global], ours: frozenset[str]) -> dict[str, list[Global]]:
    """Names by top-level module that are neither Python's nor of the modules in `ours`."""
    found: dict[str, list[Global]] = {}
    for each in names:
        top = each.module.partition(".")[0]
        if top not in ours and top not in _STANDARD:
            found.setdefault(top, []).append(each)
    return found


def in_project(root: Path, module: str) -> bool:
    """Whether a top-level module is the project's own: at its top, or in `src/`."""
    if not module.isidentifier():
        return False
    return any(is_folder(folder / module) or is_file(folder / f"{module}.py") for folder in (root, root / "src"))
