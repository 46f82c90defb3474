"""From the parsed pyproject.toml to models, with everything that is wrong with the table in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.declared import OPTIONS, TABLE, Declared, declared_models
from hatch_wallaroo.config.model_name import in_platforms_form
from hatch_wallaroo.config.resolve import Resolver
from hatch_wallaroo.config.spec import ModelSpec, Project
from hatch_wallaroo.config.table import ModelTable, Option, options
from hatch_wallaroo.findings import Finding, Place
from hatch_wallaroo.text import found, key_text, listed


@dataclass(frozen=True)
class Reading:
    """The models that could be read, in the table's order, and all findings about the table.

    A model with errors is among them where the errors leave no doubt which files make its bundle and
    what they hold: its bundle can then be checked as well, so that everything is told at once. Where
    `findings` holds an error, nothing may be packed.
    """

    specs: tuple[ModelSpec, ...]
    findings: tuple[Finding, ...]


def read_models(document: Mapping[str, Any], *, project: Project, root: Path) -> Reading:
    """Read `[tool.wallaroo]` from pyproject.toml's parsed `document`. `root` is the project's folder.

    Never raises for what a document can hold; positions are not filled in (see `config.toml.reading`).
    """
    models, findings = declared_models(document)
    resolvers = [_resolver(model, project, root) for model in models]
    specs = []
    for resolver in resolvers:
        if resolver.declared.is_model:
            specs.append(resolver.spec())
        else:
            resolver.read_shared()
    for resolver in resolvers:
        findings += [finding for _, finding in resolver.read_findings]
        findings += resolver.findings
    findings += _shared_misfits(resolvers)
    findings += _same_names(resolvers)
    return Reading(tuple(spec for spec in specs if spec is not None), tuple(dict.fromkeys(findings)))


def _resolver(model: Declared, project: Project, root: Path) -> Resolver:
    """A model with each of its values read by itself."""
    values: dict[str, Any] = {}
    broken = set(model.misspelt)
    findings: list[tuple[str, Finding]] = []
    for key, value in model.values.items():
        option = OPTIONS[key]
        if option.table is None:
            _read(option, value, key, model, values, broken, findings)
        elif isinstance(value, Mapping):
            parts: dict[str, Any] = {}
            for part, inner in options(option.table).items():
                if part in value:
                    _read(inner, value[part], f"{key}.{part}", model, parts, broken, findings)
            values[option.name] = option.table(**parts)
        else:
            place = Place(key=model.origins[key])
            fix = f"write [{key_text((*model.key, key))}] and its keys below"
            findings.append(
                (key, rules.WRONG_TYPE.finding(f"must be a table, not {found(value)}", fix=fix, place=place))
            )
            broken.add(key)
    return Resolver(model, project, root, ModelTable(**values), broken, findings)


def _read(
    option: Option,
    value: Any,
    key: str,
    model: Declared,
    values: dict[str, Any],
    broken: set[str],
    findings: list[tuple[str, Finding]],
) -> None:
    """Read one value; `key` is the option's, in a table of options with that table's: `byop.load`."""
    assert option.value_type is not None  # noqa: S101 - only tables of options have none
    answer = option.value_type.read(value, key)
    findings += [(key.partition(".")[0], issue.at(model.origins[key])) for issue in answer.issues]
    if answer.issues:
        broken.add(key)
    if answer.value is not None:
        values[option.name] = answer.value


def _shared_misfits(resolvers: list[Resolver]) -> list[Finding]:
    """Shared keys that no model could take; where only some cannot, they are meant for the others."""
    findings = []
    dropped = {option: issue for resolver in resolvers for option, issue in resolver.dropped.items()}
    for option, issue in dropped.items():
        if any(resolver.row is None or option in resolver.taken for resolver in resolvers):
            continue
        names = sorted({resolver.row.name for resolver in resolvers if resolver.row})
        message = f"none of the models takes it: their frameworks are {listed(names)}"
        findings.append(issue.rule.finding(message, fix=f"remove {option}", place=Place(key=(*TABLE, option))))
    return findings


def _same_names(resolvers: list[Resolver]) -> list[Finding]:
    """Models whose names, or the names of whose files, would be one."""
    findings: list[Finding] = []
    first: dict[str, Resolver] = {}
    for resolver in resolvers:
        name = in_platforms_form(resolver.name)
        other = first.setdefault(name, resolver)
        if other is not resolver and name:
            message = f"{resolver.name} is also the name of [{key_text(other.declared.key)}]"
            findings.append(
                rules.SAME_NAME.finding(message, fix="give one of them another name", place=resolver.place("name"))
            )
    return findings
