"""Where the classes of a pickle come from: the model's library, the user's own code, or what no model needs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from hatch_wallaroo.formats.pickle_nodes import Global

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
    return any((folder / module).is_dir() or (folder / f"{module}.py").is_file() for folder in (root, root / "src"))
