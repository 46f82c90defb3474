"""`[tool.hatch]` as Hatchling sees it: hatch.toml beside pyproject.toml wins, top-level table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from hatch_wallaroo.config.toml.reading import Positions, parse_document
from hatch_wallaroo.findings import Finding, KeyPath, Place

HATCH_TOML = "hatch.toml"
_LARGEST = 16 << 20


@dataclass(frozen=True)
class HatchConfig:
    """The merged table, without `tool.hatch` in front of its keys; `own` is what hatch.toml itself holds.

    `findings` say why hatch.toml could not be read.
    """

    table: Mapping[str, Any]
    own: Mapping[str, Any]
    text: str = ""
    findings: tuple[Finding, ...] = ()

    def value(self, *keys: str) -> Any:
        """What stands at a place, or None."""
        return value(self.table, keys)

    def place(self, *keys: str | int) -> Place:
        """Where a key stands, or would: in hatch.toml with its line, or in pyproject.toml."""
        if keys[0] not in self.own:
            return Place(key=("tool", "hatch", *keys))
        return replace(Positions(self.text).locate(Place(key=keys)), file=HATCH_TOML)


def read_hatch_config(root: Path, document: Mapping[str, Any]) -> HatchConfig:
    """Read the configuration of the project at `root`, whose pyproject.toml is `document`. Never raises."""
    tool = document.get("tool")
    given = tool.get("hatch") if isinstance(tool, Mapping) else None
    table = dict(given) if isinstance(given, Mapping) else {}
    try:
        with (root / HATCH_TOML).open("rb") as stream:
            text = stream.read(_LARGEST).decode(errors="replace")
    except OSError:
        return HatchConfig(table, {})
    read = parse_document(text)
    broken = tuple(each.at(replace(each.place, file=HATCH_TOML)) for each in read.findings)
    own = read.table or {}
    return HatchConfig({**table, **own}, own, text, broken)


def value(table: Any, keys: KeyPath) -> Any:
    """What stands at a place of a document, or None."""
    return reduce(lambda inner, key: inner.get(key) if isinstance(inner, Mapping) else None, keys, table)
