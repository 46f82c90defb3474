"""PyTorch's files: TorchScript archives, and what `torch.save` and `torch.export` write.

Only the zip's directory and a few small members are read, each to a limit.
"""

from __future__ import annotations

import ast
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from hatch_wallaroo.files.zip_reading import ZipEndError, read_end
from hatch_wallaroo.formats.pickle_machine import ByteReader, Pickle, PickleError
from hatch_wallaroo.formats.pickle_nodes import Value, class_of
from hatch_wallaroo.formats.pickles import read_pickle
from hatch_wallaroo.formats.safetensors import begins_as_safetensors
from hatch_wallaroo.parsing import parse

TorchKind = Literal["torchscript", "mobile", "export", "saved", "legacy", "old-torchscript", "safetensors", "other"]

MAGIC = 0x1950A86A20F9469CFC6C
"""The first object of what torch.save wrote before 1.6."""

_DIRECTORY = 16 << 20
_PICKLE = 64 << 20
_CODE = 1 << 20
_SMALL = 256
_LEGACY_OBJECTS = 4
BROKEN_ZIP = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error, ValueError, KeyError)
"""What zipfile raises for what is no whole zip, or for what it cannot unpack."""
_LONGEST = 20_000
_OPERATOR = re.compile(r"\btorch\.([A-Za-z_]\w*)\(|\bops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)\(")


class ArchiveError(ValueError):
    """The zip cannot be read."""


@dataclass(frozen=True)
class TorchFile:
    """What a file turned out to be.

    `kind`: `torchscript`; `mobile` (for the lite interpreter); `export` (torch.export,
    `.pt2`); `saved` (torch.save) and `legacy` (torch.save before 1.6); `old-torchscript`
    (before 1.4); `safetensors`; `other`: none of them.

    `pickle` is what was saved, `version` the archive's format, `byte_order` what the
    archive says of it (PyTorch 2.1 and later do), `signature` that of `forward`;
    `traced` says that example inputs are stored along. `names` are all in a zip that is
    none of PyTorch's.
    """

    kind: TorchKind
    pickle: Pickle | None = None
    version: int | None = None
    byte_order: str | None = None
    signature: ForwardSignature | None = None
    traced: bool = False
    operators: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def root(self) -> Value:
        return self.pickle.root if self.pickle else None


def read_torch_file(stream: BinaryIO, size: int) -> TorchFile:
    """Tell what a seekable stream of `size` bytes holds.

    Raises ArchiveError for a zip that cannot be read, PickleError for a PyTorch pickle
    that breaks off, OSError.
    """
    head = stream.read(16)
    stream.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _read_zip(stream)
    if begins_as_safetensors(head, size):
        return TorchFile("safetensors")
    if head[:1] == b"\x80":
        return _read_legacy(stream, size)
    return TorchFile("other")


def _read_legacy(stream: BinaryIO, size: int) -> TorchFile:
    """Several pickles in a row: a magic number, the protocol, the machine, the object, the storages' keys."""
    reader = ByteReader(stream, size, limit=_PICKLE)
    first = read_pickle(reader)
    if first.root != MAGIC:
        return TorchFile("other", first)
    last = first
    for _ in range(_LEGACY_OBJECTS - 1):
        last = read_pickle(reader)
    return TorchFile("legacy", last)


def _read_zip(stream: BinaryIO) -> TorchFile:
    _check_directory(stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            return _Archive(archive).read()
    except BROKEN_ZIP as error:
        if isinstance(error, PickleError):
            raise
        raise ArchiveError(str(error) or type(error).__name__) from None


def _check_directory(stream: BinaryIO) -> None:
    """Refuse what zipfile should not open: it reads the central directory in one piece."""
    try:
        end = read_end(stream)
    except ZipEndError as error:
        said = "it is cut short: a zip's directory stands at its end" if error.cut_off else f"it {error}"
        raise ArchiveError(said) from None
    stream.seek(0)
    if end.length > _DIRECTORY:
        raise ArchiveError("its directory lists more files than any model has")
    if end.offset + end.length != end.at:
        # Else what was found may be the end of another zip, stored inside of this one.
        raise ArchiveError("it is cut short, or it begins with something else")


class _Archive:
    """A PyTorch zip: everything is below one top folder, which has the file's first name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self._names = set(archive.namelist())
        first = next(iter(archive.namelist()), "")
        self._top = first.partition("/")[0] + "/" if "/" in first else ""

    def read(self) -> TorchFile:
        has = self._has
        version = self._number("version", ".data/version")
        order = self._small("byteorder")
        byte_order = order if order in {"little", "big"} else None
        if has("archive_format") or has("models/model.json") or has("serialized_exported_program.json"):
            return TorchFile("export", None, version, byte_order)
        if has("model.json") and self._any("code/"):
            return TorchFile("old-torchscript", None, version)
        if not has("data.pkl"):
            return TorchFile("other", names=tuple(self._zip.namelist()))
        pickle = self._pickle("data.pkl")
        if not has("constants.pkl") and not self._any("code/"):
            return TorchFile("saved", pickle, version, byte_order)
        kind: TorchKind = "torchscript" if self._any("code/") else "mobile"
        code = self._code(pickle)
        return TorchFile(
            kind,
            pickle,
            version,
            byte_order,
            forward_of(code[0], code[1]) if code else None,
            has("traced_inputs.pkl"),
            self._operators(code[0] if code else ""),
        )

    def _has(self, name: str) -> bool:
        return self._top + name in self._names

    def _any(self, folder: str) -> bool:
        return any(each.startswith(self._top + folder) for each in self._names)

    def _small(self, name: str) -> str | None:
        if not self._has(name):
            return None
        with self._zip.open(self._top + name) as member:
            return member.read(_SMALL).decode("ascii", "replace").strip()

    def _number(self, *names: str) -> int | None:
        found = next((each for each in map(self._small, names) if each), "")
        return int(found) if found.isascii() and found.isdecimal() and len(found) < 10 else None  # noqa: PLR2004

    def _pickle(self, name: str) -> Pickle:
        with self._zip.open(self._top + name) as member:
            return read_pickle(ByteReader(cast("BinaryIO", member), limit=_PICKLE))

    def _code(self, pickle: Pickle) -> tuple[str, str] | None:
        """The source that holds the top-level class, and the class's name."""
        made_by = class_of(pickle.root)
        if made_by is None:
            return None
        path = f"{self._top}code/{made_by.module.replace('.', '/')}.py"
        if path not in self._names:
            return None
        with self._zip.open(path) as member:
            return member.read(_CODE).decode("utf-8", "replace"), made_by.name

    def _operators(self, main: str) -> frozenset[str]:
        """Operators that the code calls, from its first megabyte."""
        found = set(operators_in(main))
        left = _CODE - len(main)
        for name in sorted(each for each in self._names if each.startswith(self._top + "code/")):
            if left <= 0:
                break
            if name.endswith(".py"):
                with self._zip.open(name) as member:
                    text = member.read(left).decode("utf-8", "replace")
                left -= len(text)
                found.update(operators_in(text))
        return frozenset(found)


@dataclass(frozen=True)
class ForwardParameter:
    """An argument of `forward`; `type` as TorchScript writes it (`Optional[Tensor]`), `optional`: it has a default."""

    name: str
    type: str
    optional: bool


@dataclass(frozen=True)
class ForwardSignature:
    """`forward` without self; `returns` as TorchScript writes it."""

    parameters: tuple[ForwardParameter, ...]
    returns: str

    @property
    def required(self) -> tuple[ForwardParameter, ...]:
        return tuple(each for each in self.parameters if not each.optional)


def forward_of(source: str, class_name: str) -> ForwardSignature | None:
    """The signature of a class's `forward`; None where it has none, or where it cannot be read."""
    start = re.search(rf"^class {re.escape(class_name)}\(", source, re.MULTILINE)
    if not start:
        return None
    following = re.compile(r"^class ", re.MULTILINE).search(source, start.end())
    body = source[start.start() : following.start() if following else len(source)]
    header = re.search(r"^  def forward\(", body, re.MULTILINE)
    if not header:
        return None
    text = body[header.start() : header.start() + _LONGEST]
    end = re.search(r":\n", text[_closing(text) :])
    if not end:
        return None
    return _parse(text[: _closing(text) + end.start()].strip() + ": pass")


def _closing(text: str) -> int:
    """Where the argument list ends."""
    depth = 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return index
    return len(text)


def _parse(text: str) -> ForwardSignature | None:
    try:
        tree = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    function = tree.body[0] if tree.body else None
    if not isinstance(function, ast.FunctionDef) or not function.args.args:
        return None
    positional, keyword = function.args.args, function.args.kwonlyargs
    without_default = len(positional) - len(function.args.defaults)
    parameters = [_parameter(each, index >= without_default) for index, each in enumerate(positional)]
    parameters += [
        _parameter(each, default is not None) for each, default in zip(keyword, function.args.kw_defaults, strict=True)
    ]
    return ForwardSignature(tuple(parameters[1:]), ast.unparse(function.returns) if function.returns else "Tensor")


def _parameter(argument: ast.arg, optional: bool) -> ForwardParameter:
    return ForwardParameter(
        argument.arg, ast.unparse(argument.annotation) if argument.annotation else "Tensor", optional
    )


def operators_in(source: str) -> set[str]:
    """Operators that a source calls: `relu`, `aten.add`, `torchvision.nms`."""
    return {match[1] or f"{match[2]}.{match[3]}" for match in _OPERATOR.finditer(source)}
