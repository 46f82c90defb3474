"""TorchScript's source, as it stands in an archive: the signature of `forward`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from hatch_wallaroo.parsing import parse

_LONGEST = 20_000
_OPERATOR = re.compile(r"\btorch\.([A-Za-z_]\w*)\(|\bops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)\(")


@dataclass(frozen=True)
class Parameter:
    """An argument of `forward`; `type` as TorchScript writes it (`Optional[Tensor]`), `optional`: it has a default."""

    name: str
    type: str
    optional: bool


@dataclass(frozen=True)
class Signature:
    """`forward` without self; `returns` as TorchScript writes it."""

    parameters: tuple[Parameter, ...]
    returns: str

    @property
    def required(self) -> tuple[Parameter, ...]:
        return tuple(each for each in self.parameters if not each.optional)


def forward_of(source: str, class_name: str) -> Signature | None:
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


def _parse(text: str) -> Signature | None:
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
    return Signature(tuple(parameters[1:]), ast.unparse(function.returns) if function.returns else "Tensor")


def _parameter(argument: ast.arg, optional: bool) -> Parameter:
    return Parameter(argument.arg, ast.unparse(argument.annotation) if argument.annotation else "Tensor", optional)


def operators_in(source: str) -> set[str]:
    """Operators that a source calls: `relu`, `aten.add`, `torchvision.nms`."""
    return {match[1] or f"{match[2]}.{match[3]}" for match in _OPERATOR.finditer(source)}
