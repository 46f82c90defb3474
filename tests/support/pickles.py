"""Pickles of classes that are not installed: what a library would write, without the library."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.formats.pickle_nodes import Collection, Value


@dataclass(frozen=True)
class Name:
    """A class or a function."""

    module: str
    name: str


@dataclass(eq=False)
class Made:
    """An object: `made_by` called with arguments, then given its state."""

    made_by: Name
    arguments: tuple[Any, ...] = ()
    state: Any = None


class _Pickler(pickle._Pickler):
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, (Name, Made)) and id(obj) in self.memo:
            self.write(self.get(self.memo[id(obj)][0]))
        elif isinstance(obj, Name):
            if self.proto >= 4:
                self.save(obj.module)
                self.save(obj.name)
                self.write(pickle.STACK_GLOBAL)
            else:
                self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            self.memoize(obj)
        elif isinstance(obj, Made):
            self.save(obj.made_by)
            self.save(obj.arguments)
            self.write(pickle.NEWOBJ if self.proto >= 2 else pickle.REDUCE)
            self.memoize(obj)
            if obj.state is not None:
                self.save(obj.state)
                self.write(pickle.BUILD)
        else:
            super().save(obj, save_persistent_id)


def pickled(value: Any, protocol: int = 4) -> bytes:
    """A pickle of a value that may hold names and made objects."""
    stream = io.BytesIO()
    _Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def estimator(name: str = "sklearn.linear_model._logistic.LogisticRegression", **state: Any) -> Made:
    """A trained estimator: `estimator("sklearn.svm._classes.SVC", n_features_in_=4)`."""
    module, _, class_name = name.rpartition(".")
    return Made(Name(module, class_name), (), {"coef_": 1.0, "_sklearn_version": "1.2.2", **state})


def rebuilt(value: Value) -> Any:
    """The plain object that a complete description is of."""
    if not isinstance(value, Collection):
        return value
    if value.kind == "dict":
        return {rebuilt(key): rebuilt(each) for key, each in value.entries}
    made = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[value.kind]
    return made(rebuilt(each) for each in value.items)
