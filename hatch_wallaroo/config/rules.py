"""The rules of the table itself, WLR001 to WLR099, and a breach of one at a place inside of a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hatch_wallaroo.findings import Finding, KeyPath, Level, Place, Rule, rule

_TABLE = "The reference of the table, docs/reference/table.md"
_TOML = "TOML 1.0.0"
_ENUMS = "The enumerations of the `wallaroo` SDK's wheels, 2023.2.1 to 2026.1.3"
_CONFIGS = "VLLMConfig, SGLangConfig, CustomConfig and QaicConfig of the `wallaroo` SDK, 2025.1.1 to 2026.1.3"

NO_TABLE = rule(
    "WLR001",
    "pyproject.toml does not describe a model",
    why="Everything about a model's bundle is said in `[tool.wallaroo]`; without it there is nothing to build.",
    source=_TABLE,
)
NOT_TOML = rule(
    "WLR002",
    "pyproject.toml cannot be read",
    why="Every tool that builds the project reads pyproject.toml first, and stops where it is not valid TOML.",
    source=_TOML,
)
NO_MODELS = rule(
    "WLR003",
    "`models` is empty",
    why="Where `[tool.wallaroo.models]` exists, `[tool.wallaroo]` holds only what its models share.",
    source=_TABLE,
)
WRONG_TYPE = rule(
    "WLR010",
    "a value has the wrong type",
    why="A value of another type would have to be guessed at; `2026.10` without quotes is the number 2026.1.",
    source=_TABLE,
)
UNKNOWN_KEY = rule(
    "WLR011",
    "unknown key",
    why="A key that nobody reads is most often a misspelt one, and what it was meant to say is lost.",
    source=_TABLE,
)
MALFORMED = rule(
    "WLR012",
    "a value is empty or malformed",
    why="It names nothing that could be looked for.",
    source=_TABLE,
)
MISSING = rule(
    "WLR013",
    "a required key is missing",
    why="A model cannot be bundled without it.",
    source=_TABLE,
)
UNKNOWN_VALUE = rule(
    "WLR014",
    "not one of the known values",
    why="The platform refuses what it does not know, and a guess could mean something else than you do.",
    source=_ENUMS,
)
MISFIT = rule(
    "WLR015",
    "a key does not go with the framework",
    why="The platform would not look at it, so the bundle would not be what the table seems to say.",
    source=_TABLE,
)
NO_EFFECT = rule(
    "WLR016",
    "a key has no effect for the framework",
    why="Only BYOP bundles, images and, from 2024.1 on, Python steps carry requirements of their own; other frameworks "
    "run on the platform's libraries, whatever the project depends on.",
    source="Upload guide: the frameworks' supported libraries; the SDK always sends `requirements` empty",
    level=Level.WARNING,
)
UNKNOWN_RELEASE = rule(
    "WLR020",
    "unknown Wallaroo release",
    why="What the platform takes differs from release to release.",
    source="The data files in hatch_wallaroo/releases",
)
EARLIER_RULES = rule(
    "WLR021",
    "a release is checked with an earlier release's rules",
    why="There is no data of just this release; what it changed is not known here.",
    source="The data files in hatch_wallaroo/releases",
    level=Level.NOTE,
)
UNKNOWN_FRAMEWORK = rule(
    "WLR022",
    "unknown framework",
    why="The platform converts and runs a model by its framework, and refuses an upload that names no known one.",
    source="`Framework` in the `wallaroo` SDK; the upload guide's list of frameworks",
)
FRAMEWORK_NOT_IN_RELEASE = rule(
    "WLR023",
    "the release does not have the framework",
    why="An older platform refuses a framework that came later.",
    source="`Framework` in the `wallaroo` SDK's wheels of each release",
)
NOT_IN_RELEASE = rule(
    "WLR024",
    "the release does not have this",
    why="An older platform refuses, or does not look at, what came later.",
    source="Requests captured from the SDKs of 2023.2.1 and 2026.1.3, and the wheels between them",
)
ACCEL_AND_ARCH = rule(
    "WLR025",
    "accelerator and architecture do not go together",
    why="The platform has no runtime for the pair, and refuses the model.",
    source="`Acceleration.is_applicable` in the `wallaroo` SDK, 2024.1.0 to 2026.1.3",
)
NAME = rule(
    "WLR030",
    "a name that the platform does not take",
    why="Names end up as names in the cluster: letters, digits and hyphens, a letter first, shorter than 64.",
    source="`is_dns_compliant` in the `wallaroo` SDK (utils.py), which checks names of models and pipelines",
)
SAME_NAME = rule(
    "WLR031",
    "two models have one name",
    why="They would write the same files, and on the platform the second would be a new version of the first.",
    source=_TABLE,
)
NAME_CASE = rule(
    "WLR032",
    "a name with capitals",
    why="The client lets capitals pass, but the platform's documentation asks for lower case.",
    source="Naming requirements in the vendor's documentation",
    level=Level.WARNING,
)
SHARED_NAME = rule(
    "WLR033",
    "a name for all models",
    why="`[tool.wallaroo]` holds what several models share, and a name belongs to one.",
    source=_TABLE,
)
OUTSIDE = rule(
    "WLR040",
    "a path leads out of the project",
    why="A bundle is made from the project's own files, so that everyone who has the project can make it again.",
    source=_TABLE,
)
PATH_FORM = rule(
    "WLR041",
    "a path is not written as paths are",
    why="The same table must work on every operating system.",
    source=_TABLE,
)
SCHEMA = rule(
    "WLR045",
    "a schema cannot be read",
    why="The platform checks every request against the schemas, and refuses an upload whose schema it cannot read.",
    source="Upload guide, data schemas; Arrow's types",
)
SCHEMA_MISSING = rule(
    "WLR046",
    "a schema is missing",
    why="The platform converts this framework only with an input and an output schema.",
    source="`upload_model` in the `wallaroo` SDK (client.py); upload guide, table of required parameters",
)
REFERENCE = rule(
    "WLR050",
    "not a reference to Python code",
    why="The inference code is generated around it and imports it by this name.",
    source=_TABLE,
)
BYOP_PARTS = rule(
    "WLR051",
    "the inference code is told twice, or by halves",
    why="It is either generated around two functions, `load` and `predict`, or it is your own `module`.",
    source=_TABLE,
)
CONFIG_KEY = rule(
    "WLR060",
    "the platform's configuration does not have the key",
    why="The platform refuses a configuration with a key that it does not know.",
    source=_CONFIGS,
)
CONFIG_VALUE = rule(
    "WLR061",
    "the platform's configuration does not take the value",
    why="The platform refuses the upload, or the runtime does not start with it.",
    source=_CONFIGS,
)
CONFIG_ONLY_QAIC = rule(
    "WLR062",
    "a setting for the qaic accelerator only",
    why="Other accelerators ignore it or cannot start with it.",
    source=_CONFIGS,
    level=Level.WARNING,
)


@dataclass(frozen=True)
class Issue:
    """A finding whose place is not known yet: `path` leads from the value to where it is.

    `column` counts from 1 inside the string that stands there, None where that says nothing.
    """

    rule: Rule
    message: str
    fix: str
    path: KeyPath = ()
    column: int | None = None

    def inside(self, *keys: str | int) -> Issue:
        """The same issue, seen from a level further out."""
        return replace(self, path=(*keys, *self.path))

    def at(self, origin: KeyPath) -> Finding:
        """The finding, for a value that stands at `origin`."""
        return self.rule.finding(self.message, fix=self.fix, place=Place((*origin, *self.path), column=self.column))


@dataclass(frozen=True)
class Read:
    """A value as it will be used, and the issues with what was written; with issues often None."""

    value: Any
    issues: tuple[Issue, ...] = ()
