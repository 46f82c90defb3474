"""The libraries that a framework runs with, at the release's versions or the nearest that this machine can have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.preflight import rules
from hatch_wallaroo.preflight.resolution import ask
from hatch_wallaroo.preflight.subject import Subject

_LIGHT = {"tensorflow": "tensorflow-cpu", "onnx": "onnxruntime"}
"""What is installed for a library that a release names: the same code without a card's, or what runs the format."""
_WANTED = {
    "onnx": ("onnx",),
    "sklearn": ("scikit-learn",),
    "xgboost": ("xgboost", "scikit-learn"),
    "keras": ("tensorflow",),
    "tensorflow": ("tensorflow",),
    "pytorch": ("torch",),
    "hugging-face": ("transformers", "torch"),
}
_MORE = {"hugging-face": ("pillow", "sentencepiece")}
"""What pipelines import beside the library, for images and for some tokenizers."""


@dataclass(frozen=True)
class Libraries:
    """Requirement lines for the libraries, the Python that has wheels of them, and what differs from the platform."""

    lines: tuple[str, ...]
    python: str
    findings: tuple[Finding, ...] = ()


class NotHadError(Exception):
    """A library that cannot be had here; `fix` says what would help."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def choose(uv: str, subject: Subject, python: str) -> Libraries:
    """The libraries for a subject's framework. Raises NotHadError."""
    family = subject.framework.family
    lines: list[str] = []
    findings: list[Finding] = []
    for library in _WANTED.get(family, ()):
        version = subject.framework.libraries.get(library)
        if library == "torch":
            line, python = _torch(uv, version, python)
        else:
            line = _nearest(uv, _LIGHT.get(library, library), version, python)
        lines.append(line)
        got = line.partition("==")[2]
        if version and got.partition("+")[0] != version:
            message = f"{library} {got} runs here, the platform has {version}"
            fix = f"a Python {subject.python} with a wheel of {version} would show more"
            findings.append(rules.OTHER_VERSION.finding(message, fix=fix))
    return Libraries((*lines, *_MORE.get(family, ())), python, tuple(findings))


def _nearest(uv: str, name: str, version: str | None, python: str) -> str:
    """`name==version` of the release's version, else of the next above or below that has a wheel."""
    if version is None:
        questions: tuple[tuple[str, bool], ...] = ((name, False),)
    else:
        questions = ((f"{name}=={version}", False), (f"{name}>={version}", True), (f"{name}<={version}", False))
    reason = ""
    for line, lowest in questions:
        made = ask(uv, python, [line], binary=True, lowest=lowest)
        if made.pins is not None:
            return next(each for each in made.pins if each.partition("==")[0] == name)
        reason = made.reason
    raise NotHadError(f"{name} for Python {python} cannot be had: {reason}", "see whether the package index is reached")


def _torch(uv: str, version: str | None, python: str) -> tuple[str, str]:
    """PyTorch's CPU build: from PyTorch's own index, else out of the folders that UV_FIND_LINKS names.

    PyPI's wheels for Linux bring gigabytes of CUDA and are not taken.
    """
    wanted = f"torch=={version}" if version else "torch"
    made = ask(uv, python, [wanted], binary=True, torch=True)
    if made.pins is not None:
        return next(each for each in made.pins if each.startswith("torch==")), python
    for found, minor in sorted(_local_builds(), key=lambda each: each[1] != python):
        return f"torch=={found}", minor
    raise NotHadError(
        f"no CPU build of torch {version or ''} for Python {python} can be had",
        "reach PyTorch's CPU index (download.pytorch.org), or name a folder with a +cpu wheel in UV_FIND_LINKS",
    )


def _local_builds() -> Iterator[tuple[str, str]]:
    """Versions of torch's CPU wheels in the folders of UV_FIND_LINKS, and the Python of each."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    folders = os.environ.get("UV_FIND_LINKS", "").replace(",", " ").split()
    for folder in folders:
        for path in sorted(Path(folder).glob("torch-*+cpu-*.whl")):
            try:
                _, version, _, tags = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                continue
            interpreter = next(iter(tags)).interpreter
            if interpreter.startswith("cp3"):
                yield str(version), f"3.{interpreter[3:]}"
