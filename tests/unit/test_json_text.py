"""JSON from outside: a value, or one kind of error that says why."""

from __future__ import annotations

import io

import pytest

from hatch_wallaroo.files.json_text import JsonError, parse_json, parse_object, read_json, read_object


@pytest.mark.parametrize("data", ['{"a": [1]}', b'{"a": [1]}', b'\xef\xbb\xbf{"a": [1]}', bytearray(b'{"a": [1]}')])
def test_text_and_bytes_with_and_without_a_mark(data: bytes | str) -> None:
    assert parse_json(data) == {"a": [1]}


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"", "is empty", None),
        (b" \n", "is empty", None),
        (b'{"a":\n1,,}', "is broken in line 2: Expecting property name", 2),
        (b'{"a": "\xff"}', "is not UTF-8 text (byte 7)", None),
        (b"[" * 200_000, "is nested too deeply", None),
        (b"[" + b"1" * 10_000 + b"]", "a number that is too long", None),
    ],
)
def test_whatever_is_no_json_is_said(data: bytes, reason: str, line: int | None) -> None:
    with pytest.raises(JsonError) as caught:
        parse_json(data)
    assert reason in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("data", [b"[]", b"null", b"1"])
def test_an_object_is_wanted(data: bytes) -> None:
    with pytest.raises(JsonError, match="does not hold an object"):
        parse_object(data)
    with pytest.raises(JsonError, match="does not hold an object"):
        read_object(io.BytesIO(data))


def test_a_stream_is_read_up_to_its_bound() -> None:
    stream = io.BytesIO(b"[1, 2]" + b" " * 100)
    with pytest.raises(JsonError, match=r"larger than 50 bytes"):
        read_json(stream, 50)
    assert stream.tell() == 51
    with pytest.raises(JsonError, match=r"larger than 1 MiB"):
        read_json(io.BytesIO(b" " * ((1 << 20) + 1)), 1 << 20)
    assert read_json(io.BytesIO(b"[1, 2]"), 6) == [1, 2]
