"""The opcodes of protocols 0 to 5, as operations on :class:`hatch_wallaroo.formats.pickle_machine.Machine`.

The meaning of each is that of CPython's `pickletools`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeAlias

from hatch_wallaroo.formats.pickle_machine import NEWEST_PROTOCOL, TEXT, Machine
from hatch_wallaroo.formats.pickle_nodes import OPAQUE, Blob, Node, Value

Operation: TypeAlias = Callable[[Machine], None]

_LONGEST_NUMBER = 64
_LONGEST_NAME = 1_000


def _little(machine: Machine, size: int) -> int:
    return int.from_bytes(machine.reader.take(size), "little")


def _payload(machine: Machine, kind: str, size: int) -> Value:
    """A counted text or byte string: whole when short, else its head."""
    reader = machine.reader
    offset = reader.offset
    if size <= TEXT:
        data = reader.take(size)
        if kind == "text":
            return data.decode("utf-8", "surrogatepass" if _is_utf8(data) else "replace")
        return data if kind == "bytes" else Blob(kind, size, offset, data)
    head = reader.take(TEXT)
    reader.skip(size - TEXT)
    return Blob(kind, size, offset, head)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _counted(kind: str, width: int) -> Operation:
    def operation(machine: Machine) -> None:
        machine.push(_payload(machine, kind, _little(machine, width)))

    return operation


def _old_string(width: int) -> Operation:
    """Python 2's str: bytes, most often a name."""

    def operation(machine: Machine) -> None:
        size = _little(machine, width)
        if width > 1 and size >= 1 << 31:
            raise machine.fail("a string of negative length")
        value = _payload(machine, "bytes", size)
        machine.push(value.decode("latin-1") if isinstance(value, bytes) else value)

    return operation


def _line(machine: Machine, longest: int = TEXT) -> tuple[bytes, Blob | None]:
    """A line of protocol 0, and a blob in its stead when it is long."""
    offset = machine.reader.offset
    head, length = machine.reader.line(longest)
    return head, Blob("text", length, offset, head) if length > longest else None


def _name_line(machine: Machine) -> str:
    data, blob = _line(machine, _LONGEST_NAME)
    if blob:
        raise machine.fail("the name of a class is longer than any")
    return data.decode("utf-8", "replace").rstrip("\r")


def _quoted(machine: Machine) -> None:
    data, blob = _line(machine)
    if blob:
        machine.push(blob)
        return
    data = data.strip()
    if len(data) < 2 or data[:1] != data[-1:] or data[:1] not in {b"'", b'"'}:  # noqa: PLR2004 -- two quotes
        raise machine.fail("a string without its quotes")
    machine.push(data[1:-1].decode("latin-1"))


def _unicode_line(machine: Machine) -> None:
    data, blob = _line(machine)
    machine.push(blob or data.decode("raw-unicode-escape", "replace"))


def _int_line(machine: Machine) -> None:
    data, blob = _line(machine, _LONGEST_NUMBER)
    if blob:
        machine.push(Blob("int", blob.size, blob.offset, b""))
        return
    text = data.strip().removesuffix(b"L")
    if data in {b"00", b"01"}:
        machine.push(data == b"01")
        return
    try:
        machine.push(int(text))
    except ValueError:
        raise machine.fail(f"{text[:20]!r} is no number") from None


def _float_line(machine: Machine) -> None:
    data, blob = _line(machine, _LONGEST_NUMBER)
    try:
        machine.push(OPAQUE if blob else float(data))
    except ValueError:
        raise machine.fail(f"{data[:20]!r} is no number") from None


def _number(layout: str) -> Operation:
    size = struct.calcsize(layout)
    unpack = struct.Struct(layout).unpack

    def operation(machine: Machine) -> None:
        machine.push(unpack(machine.reader.take(size))[0])

    return operation


def _long(width: int) -> Operation:
    def operation(machine: Machine) -> None:
        size = _little(machine, width)
        if width > 1 and size >= 1 << 31:
            raise machine.fail("a number of negative length")
        offset = machine.reader.offset
        if size <= _LONGEST_NUMBER:
            machine.push(int.from_bytes(machine.reader.take(size), "little", signed=True))
            return
        machine.reader.skip(size)
        machine.push(Blob("int", size, offset, b""))

    return operation


def _constant(value: Value) -> Operation:
    return lambda machine: machine.push(value)


def _empty(kind: str) -> Operation:
    return lambda machine: machine.push(machine.collection(kind, []))


def _from_mark(kind: str) -> Operation:
    return lambda machine: machine.push(machine.collection(kind, machine.pop_mark()))


def _tuple_of(size: int) -> Operation:
    def operation(machine: Machine) -> None:
        values = [machine.pop() for _ in range(size)]
        machine.push(machine.collection("tuple", values[::-1]))

    return operation


def _dict_from_mark(machine: Machine) -> None:
    values = machine.pop_mark()
    made = machine.collection("dict", [])
    machine.update(made, values)
    machine.push(made)


def _append(machine: Machine) -> None:
    value = machine.pop()
    machine.extend(machine.top(), [value])


def _appends(machine: Machine) -> None:
    values = machine.pop_mark()
    machine.extend(machine.top(), values)


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.update(machine.top(), [key, value])


def _set_items(machine: Machine) -> None:
    values = machine.pop_mark()
    machine.update(machine.top(), values)


def _reduce(machine: Machine) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.push(machine.call(function, arguments))


def _new_object_with_keywords(machine: Machine) -> None:
    keywords, arguments, function = machine.pop(), machine.pop(), machine.pop()
    made = machine.call(function, arguments)
    machine.extend(made, [keywords])
    machine.push(made)


def _object(machine: Machine) -> None:
    values = machine.pop_mark()
    if not values:
        raise machine.fail("an object without a class")
    machine.push(machine.call(values[0], machine.collection("tuple", values[1:])))


def _instance(machine: Machine) -> None:
    module, name = _name_line(machine), _name_line(machine)
    values = machine.pop_mark()
    function = machine.add_global(module, name)
    machine.pop()
    machine.push(machine.call(function, machine.collection("tuple", values)))


def _global(machine: Machine) -> None:
    module = _name_line(machine)
    machine.add_global(module, _name_line(machine))


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.add_global(module, name)


def _extension(width: int) -> Operation:
    def operation(machine: Machine) -> None:
        machine.add_global("copyreg", f"extension {_little(machine, width)}")

    return operation


def _persistent(machine: Machine, identity: Value) -> None:
    machine.found.persistent = True
    machine.push(machine.reference(identity))


def _persistent_line(machine: Machine) -> None:
    data, blob = _line(machine)
    _persistent(machine, blob or data.decode("utf-8", "replace"))


def _protocol(machine: Machine) -> None:
    protocol = _little(machine, 1)
    if protocol > NEWEST_PROTOCOL:
        raise machine.fail(f"protocol {protocol} is none that Python knows")
    machine.found.protocol = protocol


def _frame(machine: Machine) -> None:
    length, reader = _little(machine, 8), machine.reader
    if reader.size is not None and reader.offset + length > reader.size:
        raise machine.fail(f"the file ends {reader.offset + length - reader.size:,} bytes before the pickle does")


def _next_buffer(machine: Machine) -> None:
    machine.found.buffers = True
    machine.push(OPAQUE)


def _read_only(machine: Machine) -> None:
    machine.top()


def _duplicate(machine: Machine) -> None:
    value = machine.top()
    if isinstance(value, Node):
        value.kept = True
    machine.push(value)


def _memo_line(machine: Machine) -> int:
    data, blob = _line(machine, _LONGEST_NUMBER)
    if blob or not data.strip().isdigit():
        raise machine.fail("a memo entry that is no number")
    return int(data)


_TABLE: dict[bytes, Operation] = {
    b"(": Machine.mark,
    b"0": Machine.pop_any,
    b"1": lambda machine: machine.extend(OPAQUE, machine.pop_mark()),
    b"2": _duplicate,
    b"F": _float_line,
    b"I": _int_line,
    b"J": _number("<i"),
    b"K": _number("<B"),
    b"L": _int_line,
    b"M": _number("<H"),
    b"N": _constant(None),
    b"P": _persistent_line,
    b"Q": lambda machine: _persistent(machine, machine.pop()),
    b"R": _reduce,
    b"S": _quoted,
    b"T": _old_string(4),
    b"U": _old_string(1),
    b"V": _unicode_line,
    b"X": _counted("text", 4),
    b"a": _append,
    b"b": Machine.build,
    b"c": _global,
    b"d": _dict_from_mark,
    b"}": _empty("dict"),
    b"e": _appends,
    b"g": lambda machine: machine.get(_memo_line(machine)),
    b"h": lambda machine: machine.get(_little(machine, 1)),
    b"i": _instance,
    b"j": lambda machine: machine.get(_little(machine, 4)),
    b"l": _from_mark("list"),
    b"]": _empty("list"),
    b"o": _object,
    b"p": lambda machine: machine.put(_memo_line(machine)),
    b"q": lambda machine: machine.put(_little(machine, 1)),
    b"r": lambda machine: machine.put(_little(machine, 4)),
    b"s": _set_item,
    b"t": _from_mark("tuple"),
    b")": _empty("tuple"),
    b"u": _set_items,
    b"G": _number(">d"),
    b"\x80": _protocol,
    b"\x81": _reduce,
    b"\x82": _extension(1),
    b"\x83": _extension(2),
    b"\x84": _extension(4),
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"\x88": _constant(value=True),
    b"\x89": _constant(value=False),
    b"\x8a": _long(1),
    b"\x8b": _long(4),
    b"B": _counted("bytes", 4),
    b"C": _counted("bytes", 1),
    b"\x8c": _counted("text", 1),
    b"\x8d": _counted("text", 8),
    b"\x8e": _counted("bytes", 8),
    b"\x8f": _empty("set"),
    b"\x90": _appends,
    b"\x91": _from_mark("frozenset"),
    b"\x92": _new_object_with_keywords,
    b"\x93": _stack_global,
    b"\x94": Machine.memoize,
    b"\x95": _frame,
    b"\x96": _counted("bytearray", 8),
    b"\x97": _next_buffer,
    b"\x98": _read_only,
}

OPERATIONS: tuple[Operation | None, ...] = tuple(_TABLE.get(bytes([code])) for code in range(256))
"""By opcode; None where there is none. STOP is the loop's own."""
