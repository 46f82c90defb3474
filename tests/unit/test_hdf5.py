"""The HDF5 reader against h5py's files, and against damaged ones."""

from __future__ import annotations

import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatch_wallaroo.formats.hdf5 import Hdf5Error, read_root_attributes

LONG = json.dumps({"class_name": "Sequential", "config": ["läyer" * 9] * 4000})
TEXTS = {"keras_version": "2.9.0", "backend": "tensorflow", "model_config": LONG, "empty": ""}


def read(path: Path):
    with path.open("rb") as stream:
        return read_root_attributes(stream, path.stat().st_size)


def write(path: Path, attributes, *, libver=None, fixed=False, **options):
    with h5py.File(path, "w", libver=libver, **options) as file:
        for name, value in attributes.items():
            text = np.bytes_(value.encode()) if fixed and isinstance(value, str) else value
            file.attrs[name] = text
        group = file.create_group("model_weights")
        group.create_dataset("kernel", data=np.arange(12.0))


@pytest.mark.parametrize("libver", [None, "earliest", "latest", ("earliest", "v110"), ("v112", "v114")])
@pytest.mark.parametrize("fixed", [False, True])
def test_texts(tmp_path, libver, fixed):
    # A string in the object header itself may have 64 KiB; HDF5 knows no fixed string of length 0.
    texts = {name: value[:20_000] for name, value in TEXTS.items() if value} if fixed else TEXTS
    path = tmp_path / "a.h5"
    write(path, texts, libver=libver, fixed=fixed)
    found = read(path)
    assert found.complete, found.problem
    assert found.values == texts


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_other_types_are_named_only(tmp_path, libver):
    write(
        tmp_path / "a.h5",
        {
            "text": "here",
            "number": 3,
            "floats": np.zeros(3),
            "names": np.array([b"one", b"two"]),
            "nothing": h5py.Empty("f"),
        },
        libver=libver,
    )
    assert read(tmp_path / "a.h5").values == {
        "text": "here",
        "number": None,
        "floats": None,
        "names": None,
        "nothing": None,
    }


def test_many_attributes_in_continuation_blocks(tmp_path):
    texts = {f"attribute-{n:03}": f"value {n}" * (n % 7) or "-" for n in range(200)}
    write(tmp_path / "a.h5", texts, libver="earliest")
    found = read(tmp_path / "a.h5")
    assert (found.values, found.complete) == (texts, True)


def test_dense_storage_is_noticed(tmp_path):
    write(tmp_path / "a.h5", {f"attribute-{n:03}": "x" for n in range(50)}, libver="latest")
    found = read(tmp_path / "a.h5")
    assert not found.complete
    assert "dense" in found.problem


@pytest.mark.parametrize("block", [512, 4096, 1 << 20])
def test_behind_a_user_block(tmp_path, block):
    write(tmp_path / "a.h5", {"keras_version": "2.9.0"}, userblock_size=block)
    assert read(tmp_path / "a.h5").values == {"keras_version": "2.9.0"}


def test_tracked_times_and_order(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", libver="latest", track_order=True) as file:
        file.attrs["b"] = "1"
        file.attrs["a"] = "2"
    assert read(tmp_path / "a.h5").values == {"b": "1", "a": "2"}


def by_hand(*messages, flags):
    """A file of superblock 2 and an object header 2 whose optional fields are as `flags` says."""
    body = b"".join(bytes((kind,)) + len(data).to_bytes(2, "little") + b"\0" + data for kind, data in messages)
    optional = (bytes(16) if flags & 0x20 else b"") + (bytes(4) if flags & 0x10 else b"")
    header = b"OHDR\x02" + bytes((flags,)) + optional + len(body).to_bytes(1 << (flags & 3), "little") + body + bytes(4)
    addresses = b"".join(each.to_bytes(8, "little") for each in (0, (1 << 64) - 1, 48 + len(header), 48))
    return b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00" + addresses + bytes(4) + header


def attribute(name, value):
    """An attribute message of version 3 that holds a string of fixed length."""
    kind = b"\x13\0\0\0" + len(value).to_bytes(4, "little")
    space = b"\x02\0\0\0"
    sizes = b"".join(len(each).to_bytes(2, "little") for each in (name + b"\0", kind, space))
    return 0x0C, b"\x03\0" + sizes + b"\0" + name + b"\0" + kind + space + value


@pytest.mark.parametrize("flags", [0x00, 0x01, 0x02, 0x20, 0x10, 0x31])
def test_optional_parts_of_a_header(flags):
    data = by_hand(attribute(b"backend", b"tensorflow"), attribute(b"n", b"1"), flags=flags)
    found = read_root_attributes(io.BytesIO(data), len(data))
    assert found.values == {"backend": "tensorflow", "n": "1"}


def test_a_header_that_continues_in_itself():
    continuation = (0x10, (0).to_bytes(8, "little") + (28).to_bytes(8, "little"))
    data = bytearray(by_hand(continuation, attribute(b"n", b"1"), flags=0))
    block = len(data)
    data += b"OCHK\x10\x10\0\0" + block.to_bytes(8, "little") + (28).to_bytes(8, "little") + bytes(4)
    at = data.index(b"\x10\x10\0\0", 48) + 4
    data[at : at + 8] = block.to_bytes(8, "little")
    with pytest.raises(Hdf5Error, match="impossibly large"):
        read_root_attributes(io.BytesIO(bytes(data)), len(data))


def test_rewritten_attributes(tmp_path):
    """Deleted messages leave gaps behind, and later ones move to other blocks."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for turn in range(6):
            for name in ("a", "b", "c"):
                file.attrs[name] = f"{name}{turn}" * 50 * turn or "-"
        del file.attrs["b"]
    assert read(tmp_path / "a.h5").values == {"a": "a5" * 250, "c": "c5" * 250}


@pytest.mark.parametrize("data", [b"", b"\x89HDF", b"PK\3\4" + bytes(600), b"<html>" * 500, bytes(5000)])
def test_what_is_no_hdf5(data):
    with pytest.raises(Hdf5Error):
        read_root_attributes(io.BytesIO(data), len(data))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_cut_anywhere(tmp_path, libver):
    write(tmp_path / "a.h5", {"keras_version": "2.9.0", "model_config": "{}" * 300}, libver=libver)
    data = (tmp_path / "a.h5").read_bytes()
    for end in range(0, len(data), 23):
        try:
            read_root_attributes(io.BytesIO(data[:end]), end)
        except Hdf5Error:
            continue


@pytest.fixture(scope="module", params=["earliest", "latest"])
def sample(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("hdf5") / "a.h5"
    write(path, {"keras_version": "2.9.0", "model_config": "{}" * 200, "n": 3}, libver=request.param)
    return path.read_bytes()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_is_told_or_harmless(sample, changes):
    data = bytearray(sample)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        found = read_root_attributes(io.BytesIO(bytes(data)), len(data))
    except Hdf5Error:
        return
    assert all(value is None or isinstance(value, str) for value in found.values.values())


def test_every_bit_of_the_header(sample):
    """Each single bit of the first two kilobytes, flipped."""
    for bit in range(min(2048, len(sample)) * 8):
        data = bytearray(sample)
        data[bit // 8] ^= 1 << bit % 8
        try:
            read_root_attributes(io.BytesIO(bytes(data)), len(data))
        except Hdf5Error:
            continue
