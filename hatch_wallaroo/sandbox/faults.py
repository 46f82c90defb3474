"""What can be made to go wrong on demand, to see what a publisher does then."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hatch_wallaroo.findings import nearest

ALWAYS = None
_LARGEST = 1 << 50


@dataclass(frozen=True)
class FaultKind:
    """A fault by its name: what it does, what its value means, and how often it strikes if nothing is said."""

    name: str
    effect: str
    value: float
    times: int | None


KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {
        each.name: each
        for each in (
            FaultKind("slow", "every answer of the API waits VALUE seconds", 2, ALWAYS),
            FaultKind(
                "reset",
                "an upload's connection is reset after VALUE bytes of its body, at the latest at its end",
                65536,
                1,
            ),
            FaultKind("503", "an upload is answered 503, with Retry-After: VALUE seconds", 1, 1),
            FaultKind("lost-answer", "an upload is taken completely, and its connection cut before the answer", 0, 1),
            FaultKind("token-expiry", "the token of a request has expired: it is answered 401", 0, 1),
            FaultKind("disk-full", "an upload is answered 507 after VALUE bytes of its file", 0, ALWAYS),
            FaultKind("stuck", "a conversion never ends", 0, ALWAYS),
            FaultKind("conversion-error", "a conversion ends in error, whatever was uploaded", 0, 1),
        )
    }
)
"""All faults. `times` 1: the first occasion only, so that a second attempt gets through."""


class UnknownFaultError(ValueError):
    """What was asked for is no fault; the message says what is."""


@dataclass
class Fault:
    """One fault that is set; `left` counts down, None for one that stays."""

    name: str
    value: float
    left: int | None


def parse(text: str) -> Fault:
    """A fault as written on the command line: `NAME`, `NAME=VALUE`, `NAME=VALUE*TIMES` or `NAME*TIMES`.

    Raises UnknownFaultError.
    """
    rest, star, times = text.partition("*")
    name, equals, value = rest.partition("=")
    return make(name.strip(), value.strip() if equals else None, times.strip() if star else None)


def make(name: str, value: object = None, times: object = None) -> Fault:
    """A fault from its parts, the kind's own value and times where none is given. Raises UnknownFaultError."""
    kind = KINDS.get(name)
    if kind is None:
        close = nearest(name, KINDS)
        hint = f"; did you mean {close}?" if close else f"; there are {', '.join(KINDS)}"
        raise UnknownFaultError(f"{name[:40]!r} is no fault{hint}")
    number = kind.value if value is None else _number(name, "value", value)
    count = kind.times if times is None else int(_number(name, "number of times", times))
    return Fault(name, number, count)


def _number(name: str, what: str, given: object) -> float:
    try:
        number = float(str(given))
    except ValueError:
        number = -1.0
    if not 0 <= number <= _LARGEST:
        raise UnknownFaultError(f"{name}: the {what} is {str(given)[:40]!r}, which is no number from 0 upwards")
    return number


class Faults:
    """The faults that are set at the moment. Safe to use from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._set: dict[str, Fault] = {}
        for fault in faults:
            self.set(fault)

    def set(self, fault: Fault) -> None:
        """Set a fault; one of the same name is replaced."""
        with self._lock:
            self._set[fault.name] = fault

    def clear(self) -> None:
        with self._lock:
            self._set.clear()

    def listed(self) -> list[dict[str, object]]:
        """The faults that will still strike."""
        with self._lock:
            return [{"name": each.name, "value": each.value, "times": each.left} for each in self._set.values()]

    def take(self, name: str) -> float | None:
        """The value of a fault if it strikes now, which uses up one of its times; None where it does not."""
        with self._lock:
            fault = self._set.get(name)
            if fault is None or fault.left == 0:
                return None
            if fault.left is not None:
                fault.left -= 1
                if fault.left == 0:
                    del self._set[name]
            return fault.value
