"""What a file is, told from its first bytes: for messages about files that are something else."""

from __future__ import annotations

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_STARTS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ\x00", "xz-compressed data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF model"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"version https://git-lfs", "a Git LFS pointer"),
)
_TEXTS = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"<", "an HTML or XML page"),
    (b"{", "a JSON text"),
    (b"[", "a JSON text"),
)
_HEADER = 3
_IR_VERSION, _NEWEST_IR = 0x08, 20
_AFTER_IR = frozenset((0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42))
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in (2, 3, 4, 5))


def is_onnx(head: bytes) -> bool:
    """Whether a file that begins so is most likely an ONNX model: an IR version, then one of the other fields.

    A protocol buffer has no signature; source of the fields' numbers: onnx.proto, ModelProto.
    """
    return len(head) >= _HEADER and head[0] == _IR_VERSION and 0 < head[1] <= _NEWEST_IR and head[2] in _AFTER_IR


def recognise(head: bytes) -> str | None:
    """Say what a file is that begins with `head` (64 bytes are plenty), or None where nothing is known.

    The answer is a phrase that a message can hold: `a zip archive`, `an HTML page`.
    """
    if not head:
        return "an empty file"
    if head.startswith(_ZIPS):
        return "a zip archive"
    for start, what in _STARTS:
        if head.startswith(start):
            return what
    if head[4:8] == b"ORTM":
        return "an ONNX Runtime (.ort) model"
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    if head.startswith(_PICKLES):
        return "a Python pickle"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((what for start, what in _TEXTS if text.startswith(start)), None)
