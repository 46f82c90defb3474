"""The models that `[tool.wallaroo]` declares, as written: shared keys laid under each model's own.

Here it is only asked which keys there are; what their values mean comes after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.table import MODELS, ModelTable, Option, options
from hatch_wallaroo.findings import Finding, KeyPath, Place, nearest
from hatch_wallaroo.text import found, key_text

TABLE: KeyPath = ("tool", "wallaroo")
OPTIONS = options(ModelTable)
_PARTS = {key: options(option.table) for key, option in OPTIONS.items() if option.table}


@dataclass
class Declared:
    """One model's table. `name` is NAME in `[tool.wallaroo.models.NAME]`, None for the only model.

    `values` holds what is written for each option, `origins` where (`byop` and, in it, `byop.load`).
    `shared` are the options that come from `[tool.wallaroo]` alone. `misspelt` are the options that an
    unknown key was most likely meant to be. `is_model` is False for a shared table without models.
    """

    key: KeyPath
    name: str | None
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, KeyPath] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    misspelt: set[str] = field(default_factory=set)
    is_model: bool = True

    def lay(self, table: Mapping[str, Any], key: KeyPath, *, shared: bool) -> None:
        """Lay a table's keys over what is there: tables of options key by key, all else as a whole."""
        for option, value in table.items():
            if option not in OPTIONS:
                continue
            before = self.values.get(option)
            self.origins[option] = (*key, option)
            self.values[option] = value
            if option in _PARTS and isinstance(value, Mapping):
                self.origins.update({f"{option}.{part}": (*key, option, part) for part in value})
                self.values[option] = {**before, **value} if isinstance(before, Mapping) else dict(value)
            if shared:
                self.shared.add(option)
            else:
                self.shared.discard(option)


def declared_models(document: Mapping[str, Any]) -> tuple[list[Declared], list[Finding]]:
    """All models, in the order in which they are written, and what is wrong with the keys.

    Where `models` names none, the shared table stands alone, so that its values are judged as well.
    """
    table, findings = _table(document)
    if table is None:
        return [], findings
    shared_misspelt = set(_unknown(table, TABLE, findings, several=True))
    models = table.get(MODELS)
    if models is None:
        only = Declared(TABLE, None, misspelt=shared_misspelt)
        only.lay(table, TABLE, shared=False)
        return [only], findings
    made = []
    for name, own in _several(models, findings):
        key = (*TABLE, MODELS, name)
        model = Declared(key, name, misspelt=shared_misspelt | set(_unknown(own, key, findings)))
        model.lay(table, TABLE, shared=True)
        model.lay(own, key, shared=False)
        made.append(model)
    if "name" in table:
        findings.append(_shared_name(list(models) if isinstance(models, Mapping) else []))
        for model in made:
            if "name" in model.shared:
                del model.values["name"], model.origins["name"]
    if not made:
        alone = Declared(TABLE, None, misspelt=shared_misspelt, is_model=False)
        alone.lay(table, TABLE, shared=False)
        made.append(alone)
    return made, findings


def _table(document: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, list[Finding]]:
    tool = document.get("tool", {})
    table = tool.get("wallaroo") if isinstance(tool, Mapping) else None
    if isinstance(table, Mapping):
        return table, []
    if table is None:
        misspelt = nearest("wallaroo", [name[:40] for name in tool]) if isinstance(tool, Mapping) else None
        fix = 'add one, for example:\n[tool.wallaroo]\nframework = "onnx"\nmodel = "models/model.onnx"'
        place = Place(file="pyproject.toml")
        if misspelt is not None:
            fix, place = (
                f"did you mean it where you wrote {key_text(('tool', misspelt))}?",
                Place(key=("tool", misspelt)),
            )
        finding = rules.NO_TABLE.finding("there is no table [tool.wallaroo]", fix=fix, place=place)
    else:
        fix = "write [tool.wallaroo] with single brackets" if isinstance(table, list) else "write it as [tool.wallaroo]"
        finding = rules.WRONG_TYPE.finding(f"must be a table, not {found(table)}", fix=fix, place=Place(key=TABLE))
    return None, [finding]


def _several(models: Any, findings: list[Finding]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of several models, by name."""
    key = (*TABLE, MODELS)
    example = '[tool.wallaroo.models.my-model]\nframework = "onnx"\nmodel = "models/model.onnx"'
    if not isinstance(models, Mapping):
        message = f"must be a table of models by name, not {found(models)}"
        findings.append(rules.WRONG_TYPE.finding(message, fix=f"write:\n{example}", place=Place(key=key)))
        return
    if not models:
        fix = f"describe a model, or remove models:\n{example}"
        findings.append(rules.NO_MODELS.finding("names no model", fix=fix, place=Place(key=key)))
    for name, own in models.items():
        if isinstance(own, Mapping):
            yield name, own
        else:
            message = f"must be a table that describes a model, not {found(own)}"
            findings.append(
                rules.WRONG_TYPE.finding(
                    message, fix=f"write [{key_text((*key, name))}]", place=Place(key=(*key, name))
                )
            )


def _unknown(
    table: Mapping[str, Any], key: KeyPath, findings: list[Finding], *, several: bool = False
) -> Iterator[str]:
    """Report unknown keys; yields the options that they were most likely meant to be."""
    for name, value in table.items():
        if name == MODELS:
            if not several:
                findings.append(_nested_models((*key, name)))
        elif name not in OPTIONS:
            close = _report(name, (*key, name), OPTIONS, findings, [MODELS] if several else [])
            if close:
                yield close
        elif name in _PARTS and isinstance(value, Mapping):
            for part in value:
                if part not in _PARTS[name]:
                    close = _report(part, (*key, name, part), _PARTS[name], findings)
                    if close:
                        yield f"{name}.{close}"


def _report(
    name: str, key: KeyPath, known: Mapping[str, Option], findings: list[Finding], more: list[str] | None = None
) -> str | None:
    close = nearest(name[:40], [*known, *(more or [])])
    parts = [f"{table}.{name}" for table, inside in _PARTS.items() if name in inside and known is OPTIONS]
    if parts:
        close, fix = parts[0], f"write {parts[0]}"
    elif close:
        fix = f"did you mean {close}?"
    else:
        fix = f"remove it; known keys are {', '.join(known)}"
        if any(fix == finding.fix for finding in findings):
            fix = "remove it"
    findings.append(rules.UNKNOWN_KEY.finding("unknown key", fix=fix, place=Place(key=key)))
    return close


def _nested_models(key: KeyPath) -> Finding:
    fix = f"move them up to [{key_text((*TABLE, MODELS))}]"
    return rules.UNKNOWN_KEY.finding("a model cannot hold models", fix=fix, place=Place(key=key))


def _shared_name(names: list[str]) -> Finding:
    where = f"[{key_text((*TABLE, MODELS, names[0]))}]" if names else "a model's own table"
    return rules.SHARED_NAME.finding(
        "would be the name of every model",
        fix=f"remove it, or move it into {where}; without it a model is called as its table is",
        place=Place(key=(*TABLE, "name")),
    )
