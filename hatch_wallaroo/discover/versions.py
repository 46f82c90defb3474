"""A version that another build backend computes: how Hatchling can find it in the same place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml.documents import value_at

HATCH_VCS = "hatch-vcs"
_LARGEST = 1 << 20
_HATCHLINGS = re.compile(r"(?i)^(?:__version__|VERSION) *= *([\"']).+?\1", re.MULTILINE)
"""What Hatchling looks for by itself."""


def version_source(root: Path, document: Mapping[str, Any], builder: str) -> dict[str, Any] | None:
    """What `[tool.hatch.version]` has to say; None where it is not known. Files are read, nothing is run."""
    if _from_tags(document):
        return {"source": "vcs"}
    if builder == "setuptools":
        return _setuptools(root, value_at(document, ("tool", "setuptools", "dynamic", "version")), document)
    if builder == "flit_core":
        name = value_at(document, ("tool", "flit", "module", "name")) or value_at(document, ("project", "name"))
        return _attribute(root, f"{name}.__version__".replace("-", "_"), ("", "src")) if isinstance(name, str) else None
    if builder == "pdm":
        path = value_at(document, ("tool", "pdm", "version", "path"))
        return _file(root, path, "__version__") if isinstance(path, str) else None
    return None


def _from_tags(document: Mapping[str, Any]) -> bool:
    tool = document.get("tool")
    tools = tool if isinstance(tool, Mapping) else {}
    requires = value_at(document, ("build-system", "requires"))
    lines = [each for each in requires if isinstance(each, str)] if isinstance(requires, list) else []
    by_scm = any(re.match(r"setuptools[-_.]scm\b", each, re.IGNORECASE) for each in lines)
    pdm = value_at(document, ("tool", "pdm", "version", "source"))
    return by_scm or pdm == "scm" or bool(tools.keys() & {"setuptools_scm", "poetry-dynamic-versioning"})


def _setuptools(root: Path, told: Any, document: Mapping[str, Any]) -> dict[str, Any] | None:
    if not isinstance(told, Mapping):
        return None
    file = told.get("file")
    path = file[0] if isinstance(file, list) and len(file) == 1 else file
    if isinstance(path, str) and re.fullmatch(r"\s*v?[0-9][^\s]*\s*", _text(root, path) or ""):
        return {"path": path, "pattern": r"v?(?P<version>\S+)"}
    attribute = told.get("attr")
    where = value_at(document, ("tool", "setuptools", "packages", "find", "where"))
    folders = ("", "src", *(where if isinstance(where, list) else ()))
    return _attribute(root, attribute, folders) if isinstance(attribute, str) else None


def _attribute(root: Path, attribute: str, folders: tuple[Any, ...]) -> dict[str, Any] | None:
    """The file in which `package.module.NAME` is given as a text."""
    *module, name = attribute.replace(":", ".").split(".")
    if not module:
        return None
    for folder in (each for each in folders if isinstance(each, str)):
        base = "/".join([*filter(None, [folder.strip("/.")]), *module])
        for path in (f"{base}.py", f"{base}/__init__.py"):
            if found := _file(root, path, name):
                return found
    return None


def _file(root: Path, path: str, name: str) -> dict[str, Any] | None:
    """The file, if a line of it gives the name a plain text; with a pattern where Hatchling's own does not find it."""
    text = _text(root, path) or ""
    begin = rf"^{re.escape(name)}(?:\s*:\s*str)?\s*=\s*[\"']"
    if not re.search(rf"{begin}[^\"']+[\"']\s*(?:#.*)?$", text, re.MULTILINE):
        return None
    if _HATCHLINGS.search(text):
        return {"path": path}
    return {"path": path, "pattern": rf"{begin}(?P<version>[^\"']+)"}


def _text(root: Path, path: str) -> str | None:
    try:
        with (root / path).open("rb") as stream:
            return stream.read(_LARGEST).decode()
    except (OSError, ValueError):
        return None
