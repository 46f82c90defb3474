"""The wire reader, on messages made by hand and on bytes that mean harm."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_wallaroo.formats.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    BudgetError,
    Message,
    MessageCutOffError,
    ProtobufError,
    message,
)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def blob(number: int, data: bytes) -> bytes:
    return varint(number << 3 | BYTES) + varint(len(data)) + data


def read(data: bytes) -> Message:
    return message(io.BytesIO(data), len(data))


def walk(found: Message) -> int:
    """Everything there is, messages within strings tried too."""
    count = 0
    for _, wire, each in found.fields():
        count += 1
        if wire == BYTES:
            each.text(64)
            with contextlib.suppress(ProtobufError):
                count += walk(each.message())
    return count


def test_fields_of_every_wire_type():
    data = (
        varint(1 << 3)
        + varint(300)
        + varint(2 << 3 | FIXED32)
        + b"\1\0\0\0"
        + varint(3 << 3 | FIXED64)
        + b"\2"
        + bytes(7)
        + blob(400, "größe".encode())
        + varint(5 << 3)
        + varint((1 << 64) - 1)
    )
    found = [(number, wire, each.size) for number, wire, each in read(data).fields()]
    assert found == [(1, VARINT, 2), (2, FIXED32, 4), (3, FIXED64, 8), (400, BYTES, 7), (5, VARINT, 10)]
    values = list(read(data).fields())
    assert values[0][2].integer() == 300
    assert values[4][2].integer() == -1
    texts = [each.text() for number, _, each in read(data).fields() if number == 400]
    assert texts == ["größe"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x0a\x05abc", MessageCutOffError),
        (b"\x0a", MessageCutOffError),
        (b"\x08\x80", MessageCutOffError),
        (b"\x0d\1\2", MessageCutOffError),
        (b"\x09\1\2", MessageCutOffError),
        (b"\x00\x01", ProtobufError),
        (b"\x0b\x0c", ProtobufError),
        (b"\x0f", ProtobufError),
        (b"\x08" + b"\xff" * 11, ProtobufError),
        (b"\x0a" + b"\xff" * 9 + b"\x01", MessageCutOffError),
    ],
)
def test_what_is_no_message(data, error):
    with pytest.raises(error):
        list(read(data).fields())


def test_how_much_is_missing():
    with pytest.raises(MessageCutOffError, match="7 bytes") as caught:
        list(read(blob(1, b"0123456789")[:-7]).fields())
    assert caught.value.missing == 7


def test_a_field_may_not_leave_its_message():
    inner = b"\x0a\x7f"
    outer = blob(1, inner) + blob(2, bytes(200))
    first = next(read(outer).fields())[2]
    with pytest.raises(MessageCutOffError):
        list(first.message().fields())


def test_wrong_kinds_are_refused():
    field = next(read(b"\x08\x01").fields())[2]
    for call in (field.message, field.text):
        with pytest.raises(ProtobufError):
            call()
    with pytest.raises(ProtobufError):
        next(read(blob(1, b"x")).fields())[2].integer()


def test_nesting_is_bounded():
    data = b""
    for _ in range(150):
        data = blob(1, data)
    found = read(data)
    for _ in range(100):
        found = next(found.fields())[2].message()
    with pytest.raises(ProtobufError, match="nest deeper"):
        next(found.fields())[2].message()


def test_the_number_of_fields_is_bounded():
    data = b"\x08\x01" * 1000
    with pytest.raises(BudgetError):
        list(message(io.BytesIO(data), len(data), most_fields=999).fields())
    assert len(list(message(io.BytesIO(data), len(data), most_fields=1000).fields())) == 1000


def test_long_fields_across_the_buffer():
    """Fields of all lengths around the buffer's size, read or skipped, in a stream that must not go backwards."""
    sizes = [0, 1, 5, 100, 16383, 16384, 16385, 40000, 3, 70000, 2]
    data = b"".join(blob(n + 1, bytes([n]) * size) + varint(50 << 3) + varint(size) for n, size in enumerate(sizes))

    class Forward(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            assert offset >= self.tell(), "it went backwards"
            return super().seek(offset, whence)

    for asked in (0, 3, 100_000):
        found = message(Forward(data), len(data))
        seen = []
        for number, _, each in found.fields():
            if number == 50:
                assert each.integer() == sizes[seen[-1][0]]
            else:
                seen.append((number - 1, each.data(asked)))
        assert seen == [(n, bytes([n]) * min(size, asked)) for n, size in enumerate(sizes)]


def test_a_member_of_a_zip_is_read_in_one_go(tmp_path):
    data = b"".join(blob(1, blob(2, b"name%d" % n) + blob(3, bytes(3000))) for n in range(300))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m", data)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("m") as stream:
        names = [
            inner.text()
            for _, _, each in message(stream, len(data)).fields()
            for number, _, inner in each.message().fields()
            if number == 2
        ]
    assert names == [f"name{n}" for n in range(300)]


def test_memory_stays_flat(tmp_path):
    path = tmp_path / "huge"
    size = 6 << 30
    with path.open("wb") as file:
        file.write(varint(1 << 3 | BYTES) + varint(size))
        at = file.tell()
        file.seek(at + size)
        file.write(blob(2, b"after"))
    tracemalloc.start()
    with path.open("rb") as stream:
        seen = [(number, each.size) for number, _, each in message(stream, path.stat().st_size).fields()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == [(1, size), (2, 5)]
    assert peak < 1 << 20


@given(st.binary(max_size=300))
def test_any_bytes_end_well(data):
    try:
        count = walk(read(data))
    except ProtobufError:
        return
    assert count <= len(data) * 101
