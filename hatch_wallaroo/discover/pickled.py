"""A pickle: a model that Wallaroo runs as it is, one for code of the user's own, or mere data. Read, never loaded."""

from __future__ import annotations

from dataclasses import replace

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate, judged
from hatch_wallaroo.discover.walk import RepositoryFile
from hatch_wallaroo.formats.pickle_nodes import Collection, Global, Value, class_of
from hatch_wallaroo.formats.pickles import PickleFile, compression_of, read_pickle_file
from hatch_wallaroo.formats.signatures import recognise
from hatch_wallaroo.formats.torch_archive import MAGIC
from hatch_wallaroo.frameworks.pickled.safety import OTHER_LIBRARIES, dangerous

BY_CODE = 'package it with framework = "custom" (BYOP): two functions, load and predict, around it'
_SUFFIXES = frozenset((".pkl", ".pickle", ".joblib", ".sav", ".dill", ".p", ".gz", ".z", ".bz2", ".xz", ".lzma"))
_DATA = frozenset(("numpy", "pandas", "scipy", "collections", "builtins", "__builtin__", "datetime", "pathlib"))
_MODELS = frozenset(OTHER_LIBRARIES) | {"sklearn"} - {"pandas", "numpy", "matplotlib", "networkx", "pyarrow", "polars"}


def pickled(seen: RepositoryFile, head: bytes, context: AdoptionContext) -> Candidate | None:
    """What a pickle, bare or compressed as joblib does it, holds; None for what is none."""
    named = seen.suffix in _SUFFIXES
    if recognise(head) != "a Python pickle" and not (named and (compression_of(head) or recognise(head) is None)):
        return None
    with seen.path.open("rb") as stream:
        file = read_pickle_file(stream, seen.size)
    if file.pickle is None:
        return None
    root = file.pickle.root
    if root == MAGIC:
        return _by_torch(seen, context)
    if bad := dangerous(file.pickle.globals):
        what = f"a pickle that would call {bad[0]}"
        return Candidate(seen.label, what, advice="do not load it; find out where it comes from")
    return _of_class(seen, file, class_of(root), context)


def _by_torch(seen: RepositoryFile, context: AdoptionContext) -> Candidate:
    found = judged(Candidate(seen.label, "a file saved by torch.save", ("pytorch",)), context)
    return replace(found, frameworks=())


def _of_class(seen: RepositoryFile, file: PickleFile, made_by: Global | None, context: AdoptionContext) -> Candidate:
    top = made_by.module.partition(".")[0] if made_by else ""
    if made_by and top in {"sklearn", "xgboost"}:
        library = {"sklearn": "a scikit-learn", "xgboost": "an XGBoost"}[top]
        found = judged(Candidate(seen.label, f"{library} {made_by.name}", (top,), certain=True), context)
        return _with_predict(found)
    root = file.pickle.root if file.pickle else None
    if isinstance(root, Collection) and (inner := _model_in(root)):
        found = judged(Candidate(seen.label, f"a pickle of a {root.kind} that holds {inner}", ("sklearn",)), context)
        return replace(found, frameworks=(), advice=found.advice or BY_CODE)
    if made_by is None or top in _DATA:
        from hatch_wallaroo.frameworks.pickled.sklearn import describe

        return Candidate(seen.label, f"a pickle of {describe(root)}", kind="data")
    return Candidate(seen.label, f"a pickle of {made_by}", advice=BY_CODE)


def _with_predict(found: Candidate) -> Candidate:
    """What only transforms is no model that answers; it may be part of one."""
    from hatch_wallaroo.frameworks.pickled.sklearn import NO_ESTIMATOR, NO_PREDICT

    wrong = next((each for each in found.findings if each.rule in {NO_PREDICT, NO_ESTIMATOR}), None)
    if wrong is not None:
        return replace(found, certain=False, frameworks=(), advice=wrong.fix)
    return found if found.certain else replace(found, frameworks=())


def _model_in(root: Collection) -> str | None:
    """The class of a model among the values of a dict or list."""
    values: list[Value] = [*root.items, *(value for _, value in root.entries)]
    names = [each for each in map(class_of, values) if each]
    return next((str(each) for each in names if each.module.partition(".")[0] in _MODELS), None)
