"""The stream that a pickle is read from, and the unpickler's machine over descriptions, which builds nothing.

Its stack, its marks and its memo import nothing either. Memory is bounded by :data:`LIVE` descriptions: long
collections keep their first items and a count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from hatch_wallaroo.formats.pickle_nodes import (
    OPAQUE,
    Blob,
    Call,
    Collection,
    Global,
    Memo,
    Node,
    Opaque,
    Persistent,
    Value,
    class_of,
)

_CHUNK = 1 << 16


class TruncatedError(ValueError):
    """The stream ends inside of what is being read, at `offset`."""

    def __init__(self, offset: int, wanted: int) -> None:
        super().__init__(f"the file ends at byte {offset:,}, {wanted:,} bytes too early")
        self.offset = offset


class LimitError(Exception):
    """The stream goes on beyond what is read of it."""


class ByteReader:
    """Reads a stream front to back; `size` is its length where it can seek, None where it can only be read.

    Not more than `limit` bytes are read, where it is given; LimitError says so.
    """

    def __init__(self, stream: BinaryIO, size: int | None = None, *, limit: int | None = None) -> None:
        self._stream = stream
        self.size = size
        self._limit = limit
        self._buffer = b""
        self._position = 0
        self._start = 0

    @property
    def offset(self) -> int:
        """Bytes from the beginning of the stream."""
        return self._start + self._position

    def byte(self) -> int:
        """The next byte, or -1 at the end."""
        if self._position >= len(self._buffer) and not self._fill():
            return -1
        self._position += 1
        return self._buffer[self._position - 1]

    def take(self, count: int) -> bytes:
        """Just so many bytes; for small counts. Raises TruncatedError."""
        end = self._position + count
        if end <= len(self._buffer):
            data = self._buffer[self._position : end]
            self._position = end
            return data
        parts, missing = [], count
        while missing:
            if self._position >= len(self._buffer) and not self._fill():
                raise TruncatedError(self.offset, missing)
            part = self._buffer[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, count: int) -> None:
        """Go on by so many bytes without keeping them. Raises TruncatedError."""
        if self.size is not None and self.offset + count > self.size:
            raise TruncatedError(self.size, self.offset + count - self.size)
        inside = min(count, len(self._buffer) - self._position)
        self._position += inside
        count -= inside
        if self.size is not None and count > _CHUNK:
            target = self.offset + count
            self._stream.seek(target)
            self._buffer, self._position, self._start = b"", 0, target
            return
        while count:
            if not self._fill():
                raise TruncatedError(self.offset, count)
            self._position = min(count, len(self._buffer))
            count -= self._position

    def line(self, head: int) -> tuple[bytes, int]:
        """Up to the next newline: its first `head` bytes and its whole length, newline not counted."""
        kept, length = b"", 0
        while True:
            if self._position >= len(self._buffer) and not self._fill():
                raise TruncatedError(self.offset, 1)
            end = self._buffer.find(b"\n", self._position)
            stop = len(self._buffer) if end < 0 else end
            if len(kept) < head:
                kept += self._buffer[self._position : min(stop, self._position + head - len(kept))]
            length += stop - self._position
            self._position = stop
            if end >= 0:
                self._position += 1
                return kept, length

    def _fill(self) -> bool:
        self._start += len(self._buffer)
        if self._limit is not None and self._start >= self._limit:
            self._buffer, self._position = b"", 0
            raise LimitError
        self._buffer, self._position = self._stream.read(_CHUNK), 0
        return bool(self._buffer)


OPCODES = 5_000_000
"""Opcodes that are read of one file; what follows is left unread, and said so."""
LIVE = 60_000
"""Parts of descriptions that are kept at a time; twice as many at the very most."""

TEXT = 128
"""Bytes of a text or a byte string that is kept in full; of a longer one, the head."""
_NUMBER = 64
_ITEMS = 64
_ENTRIES = 256
_STACK = 2_000_000
_MARKS = 100_000
_SHALLOW = 4_096
_GLOBALS = 5_000
NEWEST_PROTOCOL = 5
STOP = ord(".")


class PickleError(ValueError):
    """No pickle, or a broken one; `offset` is where it shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class ExhaustedError(Exception):
    """The budget is used up: nothing is wrong with what was read."""


@dataclass
class Pickle:
    """What one pickle would build.

    `globals` are all that it would import, in order of appearance. `called` are those
    among them that it would call. `end` is the offset behind its last byte; `complete`
    is False when the file is longer than what is read of one, then `root` is what stood
    undermost. `unresolved` counts imports whose name could not be followed.
    """

    root: Value = OPAQUE
    protocol: int = 0
    start: int = 0
    end: int = 0
    complete: bool = True
    persistent: bool = False
    buffers: bool = False
    unresolved: int = 0
    globals: dict[Global, int] = field(default_factory=dict)
    called: set[Global] = field(default_factory=set)


Hook: TypeAlias = "Callable[[Machine, Call], Value]"
"""Called when an object was given its state; what it returns takes the object's place."""


class Machine:
    """The unpickler's stack, marks and memo, over descriptions."""

    def __init__(self, reader: ByteReader, hooks: Mapping[Global, Hook], opcodes: int) -> None:
        self.reader = reader
        self.stack: list[Value] = []
        self.found = Pickle(start=reader.offset)
        self.hooks = hooks
        self.opcodes = opcodes
        self.depth = 0
        self._marks: list[int] = []
        self._floor = 0
        self._memo = Memo()
        self._live = 0

    def fail(self, message: str) -> PickleError:
        return PickleError(message, self.reader.offset)

    # The stack

    def push(self, value: Value) -> None:
        if len(self.stack) > _SHALLOW:
            if len(self.stack) > _STACK:
                if self._marks:
                    # A tuple of millions: all its items stand on the stack until it is made.
                    raise ExhaustedError
                raise self.fail("values pile up as no pickler leaves them")
            if not isinstance(value, (Node, Global)):
                value = OPAQUE
        self.stack.append(value)

    def pop(self) -> Value:
        if len(self.stack) <= self._floor:
            raise self.fail("an opcode takes more than there is on the stack")
        return self.stack.pop()

    def top(self) -> Value:
        if len(self.stack) <= self._floor:
            raise self.fail("an opcode takes more than there is on the stack")
        return self.stack[-1]

    def mark(self) -> None:
        if len(self._marks) > _MARKS:
            raise self.fail(f"more than {_MARKS:,} objects are begun inside of each other, as no pickler does")
        self._marks.append(self._floor)
        self._floor = len(self.stack)

    def pop_mark(self) -> list[Value]:
        """Everything above the last mark, and the mark."""
        if not self._marks:
            raise self.fail("an opcode looks for a mark that was never set")
        values = self.stack[self._floor :]
        del self.stack[self._floor :]
        self._floor = self._marks.pop()
        return values

    def pop_any(self) -> None:
        """POP: a value, or the mark where it is on top."""
        if self._marks and len(self.stack) == self._floor:
            self.pop_mark()
        else:
            self._drop(self.pop())

    # The memo

    def put(self, index: int) -> None:
        if not self._memo.put(index, self.top()):
            raise self.fail("the memo's numbers are in disorder")

    def memoize(self) -> None:
        self.put(self._memo.size)

    def get(self, index: int) -> None:
        if not self._memo.knows(index):
            raise self.fail(f"memo entry {index} is used before it is stored")
        self.push(self._memo.get(index))

    # Making things

    def add_global(self, module: Value, name: Value) -> Value:
        """Push what an import gives."""
        if not (isinstance(module, str) and isinstance(name, str)):
            if not all(isinstance(each, (str, Opaque, Blob)) for each in (module, name)):
                raise self.fail("an import whose module or name is no text")
            self.found.unresolved += 1
            self.push(OPAQUE)
            return OPAQUE
        self._memo.pin(module, name)
        made = Global(module, name)
        if made not in self.found.globals:
            if len(self.found.globals) >= _GLOBALS:
                raise self.fail(f"more than {_GLOBALS:,} different classes are imported")
            self.found.globals[made] = self.reader.offset
        self.push(made)
        return made

    def collection(self, kind: str, values: list[Value]) -> Value:
        """A list, tuple or set of values."""
        if self._full():
            return OPAQUE
        node = Collection(kind=kind)
        self._live += 1
        self.extend(node, values)
        return node

    def call(self, function: Value, arguments: Value) -> Value:
        """An object made by a call."""
        if isinstance(function, Global):
            self.found.called.add(function)
        if self._full():
            self._drop(arguments)
            return OPAQUE
        node = Call()
        self._live += 1
        node.function = function
        node.arguments = self._attach(node, arguments)
        return node

    def reference(self, identity: Value) -> Value:
        """An object outside of the pickle."""
        if self._full():
            self._drop(identity)
            return OPAQUE
        node = Persistent()
        self._live += 1
        node.identity = self._attach(node, identity)
        return node

    def build(self) -> None:
        """BUILD: give the object below its state."""
        state, target = self.pop(), self.top()
        if not isinstance(target, Call):
            self._drop(state)
            return
        target.state = self._attach(target, state)
        made_by = class_of(target)
        hook = self.hooks.get(made_by) if made_by else None
        if hook:
            self.stack[-1] = hook(self, target)

    def extend(self, target: Value, values: list[Value]) -> None:
        """Add items to a collection or an object; the first ones are kept."""
        if not isinstance(target, Node):
            for value in values:
                self._drop(value)
            return
        target.count += len(values)
        room = 0 if self._full() else max(_ITEMS - len(target.items), 0)
        target.items += [self._attach(target, value) for value in values[:room]]
        for value in values[room:]:
            if isinstance(value, Node):
                self._drop(value)

    def update(self, target: Value, values: list[Value]) -> None:
        """Set keys to values; the first ones are kept."""
        if len(values) % 2:
            raise self.fail("a key without a value")
        if not isinstance(target, Node):
            for value in values:
                self._drop(value)
            return
        target.count += len(values) // 2
        for key, value in zip(values[::2], values[1::2], strict=True):
            if len(target.entries) < _ENTRIES and not self._full():
                target.entries.append((self._attach(target, key), self._attach(target, value)))
            else:
                self._drop(key)
                self._drop(value)

    def _full(self) -> bool:
        return self._live > 2 * LIVE

    def _attach(self, parent: Node, child: Value) -> Value:
        """Make a value part of another, or a stub of it when too much is kept already."""
        if not isinstance(child, Node):
            parent.weight += 1
            self._live += 1
            return child
        if self._live > LIVE:
            self._drop(child)
            return child.function if isinstance(child, Call) and isinstance(child.function, Global) else OPAQUE
        if not child.kept:
            parent.weight += child.weight
        return child

    def _drop(self, value: Value) -> None:
        """Account for something that nothing refers to any more; what the memo keeps stays on the books."""
        if isinstance(value, Node) and not value.kept:
            self._live -= value.weight
