"""A starter as a repository: its files, its sample, and the least pyproject.toml that says what it declares."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from math import prod
from pathlib import Path
from typing import NamedTuple

from hatch_wallaroo.releases.load import known, resolve
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.scaffold.pretrained_starters import engine_starter, task_starter
from hatch_wallaroo.scaffold.starters import Starter
from hatch_wallaroo.schema.tables import format_schema
from support.fronts import REPOSITORY

MODELS = REPOSITORY / "templates" / "project" / "hugging-face" / "models"
MODEL_NAMES = sorted(each.name for each in MODELS.iterdir())
_STARTERS = {"hugging-face": task_starter, "llm": engine_starter}


def frameworks(family: str, releases: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    """Every framework of a family in every release, as (release, framework)."""
    return [
        (version, row.name)
        for version in releases or known()
        for row in resolve(version).frameworks.values()
        if row.family == family
    ]


def begin(version: str, framework: str) -> tuple[FrameworkRow, Release, Starter]:
    release = resolve(version)
    row = release.frameworks[framework]
    return row, release, _STARTERS[row.family](row, release)


def lay(root: Path, version: str, framework: str) -> Starter:
    """Write a repository around the starter."""
    row, release, starter = begin(version, framework)
    for path, content in starter.files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (root / "sample.json").write_text(json.dumps(starter.sample), encoding="utf-8")
    keys = {"framework": row.name, "release": release.asked, "model": starter.model, "sample": "sample.json"}
    text = '[build-system]\nrequires = ["hatchling", "hatch-wallaroo"]\nbuild-backend = "hatchling.build"\n\n'
    text += '[project]\nname = "starter"\nversion = "0.1.0"\n'
    text += f"dependencies = {json.dumps(list(starter.dependencies))}\n\n[tool.wallaroo]\n"
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**keys, **starter.table}.items())
    for key, schema in (("input-schema", starter.inputs), ("output-schema", starter.outputs)):
        text += f"\n[tool.wallaroo.{key}]\n{format_schema(schema)}"
    text += "\n[tool.hatch.build.hooks.wallaroo]\n"
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return starter


def digest(version: str) -> str:
    """One digest over all that the starters of a release say and hold."""
    whole = hashlib.sha256()
    for _, framework in (*frameworks("hugging-face", (version,)), *frameworks("llm", (version,))):
        _, _, starter = begin(version, framework)
        whole.update(repr(starter).encode())
    return whole.hexdigest()


class Tensor(NamedTuple):
    shape: tuple[int, ...]
    numbers: tuple[float, ...]


def weights(folder: dict[str, bytes]) -> dict[str, dict[str, Tensor]]:
    """The tensors of each file of weights, by its path; read without what wrote them."""
    readers = {".safetensors": _safetensors, ".bin": _torch_archive}
    suffixes = {path: path[path.rfind(".") :] for path in folder}
    return {path: readers[suffix](folder[path]) for path, suffix in suffixes.items() if suffix in readers}


def _safetensors(content: bytes) -> dict[str, Tensor]:
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    letters = {"F32": "f", "F16": "e", "I64": "q"}
    found = {}
    for name, each in header.items():
        if name != "__metadata__":
            start, end = each["data_offsets"]
            shape = tuple(each["shape"])
            found[name] = Tensor(shape, struct.unpack(f"<{prod(shape)}{letters[each['dtype']]}", data[start:end]))
    return found


def _torch_archive(content: bytes) -> dict[str, Tensor]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return dict(_StateDict(archive).load())


_NAMES = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): "f",
    ("torch", "HalfStorage"): "e",
    ("torch", "LongStorage"): "q",
}


class _StateDict(pickle.Unpickler):
    """As torch reads it, with plain numbers for tensors."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self.archive = archive

    def find_class(self, module: str, name: str) -> object:
        return self.rebuilt if (module, name) == ("torch._utils", "_rebuild_tensor_v2") else _NAMES[module, name]

    def persistent_load(self, pid: tuple) -> tuple[float, ...]:
        kind, letter, key, device, count = pid
        assert (kind, device) == ("storage", "cpu")
        return struct.unpack(f"<{count}{letter}", self.archive.read(f"archive/data/{key}"))

    @staticmethod
    def rebuilt(
        storage: tuple, offset: int, shape: tuple, strides: tuple, gradient: bool, hooks: OrderedDict
    ) -> Tensor:
        assert (offset, gradient, hooks) == (0, False, OrderedDict())
        assert strides == tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
        return Tensor(shape, storage)
