"""The real public models of the folder `shared` beside the project, declared, built, and told as a Markdown table.

By hand, from the project's folder: `PYTHONPATH=tests:. python tests/support/shared_table.py`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.fronts import REPOSITORY
from support.manifests import load_checked
from support.told import Told, build

PROJECT = """\
[build-system]
requires = ["hatchling", "hatch-wallaroo"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0.0"

[tool.wallaroo]
framework = "{framework}"
release = "2023.2.1"
model = "{file}"
{schemas}
[tool.hatch.build.hooks.wallaroo]
"""


@dataclass(frozen=True)
class Declared:
    """How a file is declared: its framework and, where that needs them, the fields of its schemas."""

    framework: str
    inputs: dict[str, str] | None = None
    outputs: dict[str, str] | None = None


FILES = {
    "ccfraud.onnx": Declared("onnx"),
    "xgboost_ccfraud.onnx": Declared("onnx"),
    "alohacnnlstm.zip": Declared("tensorflow"),
    "keras_single_io_sequential_model.h5": Declared("keras", {"input": "float32[10]"}, {"output": "float32[32]"}),
    "pytorch_single_io_model.pt": Declared("pytorch", {"input": "float32[10]"}, {"output": "float32[1]"}),
    "sklearn_kmeans.pkl": Declared("sklearn", {"inputs": "float64[4]"}, {"predictions": "int32"}),
    "sklearn_logreg.pkl": Declared("sklearn", {"inputs": "float64[4]"}, {"predictions": "int32"}),
    "xgb_classifier.pkl": Declared("xgboost", {"inputs": "float64[4]"}, {"output": "float32"}),
}


@dataclass(frozen=True)
class Built:
    """A file that was built: what the manifest says and what a user was told."""

    file: str
    declared: Declared
    manifest: dict[str, Any]
    bundle: Path
    told: Told


def build_one(models: Path, file: str, home: Path) -> Built:
    """Declare a file in a scratch project inside `home` and build it."""
    declared = FILES[file]
    name = Path(file).stem.replace("_", "-")
    project = home / name
    project.mkdir(parents=True)
    shutil.copy(models / file, project / file)
    schemas = "".join(
        f"\n[tool.wallaroo.{side}-schema]\n" + "".join(f'{field} = "{dtype}"\n' for field, dtype in fields.items())
        for side, fields in (("input", declared.inputs), ("output", declared.outputs))
        if fields
    )
    text = PROJECT.format(name=name, framework=declared.framework, file=file, schemas=schemas)
    (project / "pyproject.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        told = build(project, project / "dist", patch)
    assert told.bundles, told.text
    (bundle,) = told.bundles
    return Built(file, declared, load_checked(bundle.manifest), bundle.path, told)


def table(rows: list[Built]) -> str:
    """The rows as Markdown: framework, file, bundle, size, digest, findings."""
    lines = ["| framework | file | bundle | size | sha256 | findings |", "|---|---|---|---:|---|---|"]
    for each in rows:
        file = each.manifest["file"]
        said = "; ".join(f"{one['level']} {one['code']}: {one['message']}" for one in each.manifest["findings"])
        lines.append(
            f"| {each.declared.framework} | {each.file} | {file['name']} | {file['size']:,} | `{file['sha256'][:16]}` "
            f"| {said or 'none'} |"
        )
    return "\n".join(lines)


def main() -> int:
    models = REPOSITORY.parent / "shared" / "models"
    if not models.is_dir():
        print("the folder of public models is not here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as home:
        print(table([build_one(models, file, Path(home)) for file in FILES]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
