"""A folder of tiny packages that is the only index: what uv says of them is what it says of PyPI's."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from hatch_wallaroo.requirements import uv
from support.peers import missing


def wheel(
    folder: Path, name: str, version: str, *, requires: Sequence[str] = (), python: str = ">=3.7", tag: str = ""
) -> Path:
    """A wheel without code; `tag` says what it is for, else it is for all."""
    tag = tag or "py3-none-any"
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}"]
    metadata += [f"Requires-Dist: {each}" for each in requires]
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def source(folder: Path, name: str, version: str, script: str) -> Path:
    """A source distribution whose setup.py is `script`."""
    path = folder / f"{name}-{version}.tar.gz"
    files = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "setup.py": script}
    with tarfile.open(path, "w:gz") as archive:
        for file, content in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


def only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have uv look nowhere but into a folder; it is given back."""
    if uv.find_uv() is None:
        missing("uv is not installed")
    (folder / "index").mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_DEFAULT_INDEX", (folder / "index").as_uri())
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    uv._compiled.cache_clear()
    return folder
