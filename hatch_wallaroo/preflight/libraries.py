"""The libraries that a framework runs with, at the release's versions or the nearest that this machine can have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hatch_wallaroo.findings import Finding, Level
from hatch_wallaroo.frameworks.base import version_numbers
from hatch_wallaroo.frameworks.pretrained.tasks import task_of
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
    # PyTorch decides which Python runs here: the others are chosen for it.
    "pytorch": ("torch",),
    "hugging-face": ("torch", "transformers"),
}
_MORE = {"hugging-face": ("pillow", "sentencepiece", "scipy")}
"""What pipelines import beside the library, for images, for sounds and for some tokenizers."""
_LIMITS = {
    # The last that has all tasks of the platform, and the last that goes with it.
    "transformers": "transformers<5",
    "diffusers": "diffusers<0.36",
}
"""What is taken of a library whose version is published for no release."""
_BESIDE: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "tensorflow-cpu": (("2.9", ("protobuf<3.20",)),),
    "transformers": (("4.40", ("huggingface-hub<0.26", "numpy<2")),),
    "diffusers": (("0.26", ("huggingface-hub<0.26", "numpy<2")),),
}
"""What a library needs below a version, and does not say: it is older than the change that broke it."""


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
    for library in _wanted(subject):
        version = subject.framework.libraries.get(library)
        if library == "torch":
            line, python = _torch(uv, version, python)
        else:
            line = _nearest(uv, _LIGHT.get(library, library), version, python)
        lines += [line, *_beside(line)]
        got = line.partition("==")[2]
        if version is None:
            message = f"{library} {got} runs here; which version the platform has is not published"
            fix = "nothing needs doing: know that another may run there"
            findings.append(rules.OTHER_VERSION.finding(message, fix=fix, level=Level.NOTE))
        elif got.partition("+")[0] != version:
            message = f"{library} {got} runs here, the platform has {version}"
            fix = f"a Python {subject.python} with a wheel of {version} would show more"
            findings.append(rules.OTHER_VERSION.finding(message, fix=fix))
    return Libraries((*lines, *_MORE.get(family, ())), python, tuple(findings))


def _wanted(subject: Subject) -> tuple[str, ...]:
    """The libraries that run the framework."""
    wanted = _WANTED.get(subject.framework.family, ())
    task = task_of(subject.framework) if subject.framework.family == "hugging-face" else None
    return (*wanted, "diffusers") if task is not None and task.diffusers else wanted


def _beside(line: str) -> Iterator[str]:
    """The packages that a library needs to be older than it says."""
    name, _, version = line.partition("==")
    for below, packages in _BESIDE.get(name, ()):
        if version_numbers(version) < version_numbers(below):
            yield from packages


def _nearest(uv: str, name: str, version: str | None, python: str, *, torch: bool = False) -> str:
    """`name==version` of the release's version, else of the next above or below that has a wheel.

    `torch`: from PyTorch's own index of CPU builds.
    """
    if version is None:
        questions: tuple[tuple[str, bool], ...] = ((_LIMITS.get(name, name), False),)
    else:
        questions = ((f"{name}=={version}", False), (f"{name}>={version}", True), (f"{name}<={version}", False))
    reason = ""
    for line, lowest in questions:
        made = ask(uv, python, [line], binary=True, lowest=lowest, torch=torch)
        if made.pins is not None:
            return next(each for each in made.pins if each.partition("==")[0] == name)
        reason = made.reason
        if not made.decided:
            break
    raise NotHadError(f"{name} for Python {python} cannot be had: {reason}", "see whether the package index is reached")


def _torch(uv: str, version: str | None, python: str) -> tuple[str, str]:
    """PyTorch's CPU build and the Python of it.

    Out of a folder that UV_FIND_LINKS names where it has the version, else from PyTorch's own index, else another of
    the folder's. PyPI's wheels for Linux bring gigabytes of CUDA and are not taken there.
    """
    local = sorted(_local_builds(), key=lambda each: each[1] != python)
    for found, minor in local:
        if version is None or found.partition("+")[0] == version:
            return f"torch=={found}", minor
    try:
        return _nearest(uv, "torch", version, python, torch=sys.platform == "linux"), python
    except NotHadError as error:
        for found, minor in local:
            return f"torch=={found}", minor
        raise NotHadError(
            f"no CPU build of torch {version or ''} for Python {python} can be had",
            "reach PyTorch's CPU index (download.pytorch.org), or name a folder with a +cpu wheel in UV_FIND_LINKS",
        ) from error


def _local_builds() -> Iterator[tuple[str, str]]:
    """Versions of torch's CPU wheels in the folders of UV_FIND_LINKS, and the Python of each, the newest first."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    folders = os.environ.get("UV_FIND_LINKS", "").replace(",", " ").split()
    for folder in folders:
        for path in sorted(Path(folder).glob("torch-*+cpu-*.whl"), reverse=True):
            try:
                _, version, _, tags = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                continue
            interpreter = next(iter(tags)).interpreter
            if interpreter.startswith("cp3"):
                yield str(version), f"3.{interpreter[3:]}"
