"""The memo of a pickle: what was stored for later use, in bounded memory."""

from __future__ import annotations

from hatch_wallaroo.formats.pickle_nodes import OPAQUE, Call, Global, Node, Value

_NODES = 2_000
_VALUES = 20_000
_RECENT = 256
_DTYPE = Global("numpy", "dtype")


class Memo:
    """What was stored for later: the first nodes and texts, and the latest texts.

    Pickles memoize every text and every object, millions of them; later uses are
    of classes and of the parts of their names, which :meth:`pin` keeps.
    """

    def __init__(self) -> None:
        self._values: dict[int, Value] = {}
        self._nodes = 0
        self._recent: dict[int, Value] = {}
        self._first = -1
        self._next = -1
        self._odd: set[int] = set()

    @property
    def size(self) -> int:
        return self._next - self._first + len(self._odd)

    def knows(self, index: int) -> bool:
        return self._first <= index < self._next or index in self._odd

    def get(self, index: int) -> Value:
        value = self._values.get(index, OPAQUE)
        return self._recent.get(index, OPAQUE) if value is OPAQUE else value

    def put(self, index: int, value: Value) -> bool:
        """Store a value; False where the numbering is no pickler's."""
        if index < 0:
            return False
        if self._first < 0:
            self._first = self._next = index
        if index == self._next:
            self._next += 1
        elif not self.knows(index):
            if len(self._odd) >= _VALUES:
                return False
            self._odd.add(index)
        self._values.pop(index, None)
        self._recent.pop(index, None)
        if isinstance(value, Node):
            if self._nodes < (_VALUES if _is_dtype(value) else _NODES):
                self._nodes += 1
                value.kept = True
                self._values[index] = value
        elif isinstance(value, Global) or len(self._values) < _VALUES:
            self._values[index] = value
        elif isinstance(value, (str, bytes)):
            self._recent[index] = value
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        return True

    def pin(self, *values: Value) -> None:
        """Keep recent texts for good: they name a class."""
        for index, recent in list(self._recent.items())[-4:]:
            if any(recent is value for value in values):
                self._values[index] = recent


def _is_dtype(value: Node) -> bool:
    """Arrays share their dtypes, and joblib's arrays cannot be passed over without them."""
    return isinstance(value, Call) and value.function == _DTYPE
