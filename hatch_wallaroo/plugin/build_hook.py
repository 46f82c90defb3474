"""`[tool.hatch.build.hooks.wallaroo]`: the bundle beside the wheel, under every front end."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_wallaroo.config.document import parse_document
from hatch_wallaroo.config.positions import Positions
from hatch_wallaroo.findings import Finding, KeyPath, Level, Place, nearest, rule
from hatch_wallaroo.plugin.session import Session
from hatch_wallaroo.plugin.sources import project_files

UNKNOWN_OPTION = rule(
    "WLR640",
    "unknown option of the build hook",
    why="An option that nobody reads is most often a misspelt one.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
WRONG_TYPE = rule(
    "WLR641",
    "an option of the build hook has the wrong type",
    why="The hook would act on something that was not meant.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
NOT_IN_SDIST = rule(
    "WLR642",
    "the hook does not run for the sdist",
    why="Without it the sdist holds what git tracks, and models are most often ignored by git: there is nothing to "
    "build the bundle from where a front end makes the wheel from the sdist.",
    source="python -m build and uv build, which build the wheel from an unpacked sdist",
    level=Level.WARNING,
)

_UVS_OWN = re.compile(r"(builds|sdists)-v\d+")
_HATCH_TOML = "hatch.toml"
_TABLE = ("build", "hooks", "wallaroo")
_HATCHLINGS = frozenset(
    {"dependencies", "enable-by-default", "require-runtime-dependencies", "require-runtime-features"}
)
_OPTIONS = ("sdist",)


class WallarooBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # not subscriptable on older Hatchlings
    """Makes the bundle when the wheel is built, and takes the model's files along in the sdist.

    Its one option, `sdist = false`, leaves the model's files out of the sdist.
    """

    PLUGIN_NAME = "wallaroo"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before Hatchling builds a target; a finding that is an error ends the build here."""
        if self.target_name == "wheel":
            self._initialize_wheel(version)
        elif self.target_name == "sdist":
            self._initialize_sdist(build_data)

    def clean(self, versions: list[str]) -> None:  # noqa: ARG002 - Hatchling's signature
        """Delete what earlier builds left in the output folder."""
        self._session().clean(self.directory)

    def _initialize_wheel(self, version: str) -> None:
        # Hatchling asks this only where it found no package to ship: a model needs none.
        self.build_config.target_config.setdefault("bypass-selection", True)
        if version == "editable" or _installing(self.directory):
            return
        if self._left_out_of_sdist():
            self.app.display_warning(
                "hatch-wallaroo: this is an unpacked sdist, and `sdist = false` left the model out of it: "
                "no bundle is made. Build from the project itself: hatch build, or python -m build --wheel."
            )
            return
        self._session().build(self.directory, self._option_findings(), self._sdist_findings())

    def _initialize_sdist(self, build_data: dict[str, Any]) -> None:
        if _installing(self.directory):
            return
        session = self._session()
        if self.config.get("sdist", True) is False:
            session.read(self.directory, self._option_findings())
            return
        # Front ends make the sdist first: what will end the wheel's build ends this one, or half of dist/ were new.
        models = session.check(self.directory, self._option_findings())
        for path in project_files(model.spec for model in models):
            relative = os.path.relpath(path, self.root)
            build_data["force_include"].setdefault(str(path), relative)

    def _left_out_of_sdist(self) -> bool:
        return self.config.get("sdist", True) is False and (Path(self.root) / "PKG-INFO").is_file()

    def _option_findings(self) -> list[Finding]:
        findings = []
        for option, value in self.config.items():
            if option in _HATCHLINGS:
                continue
            place = self._place(option)
            if option not in _OPTIONS:
                close = nearest(option, _OPTIONS)
                fix = f"did you mean {close}?" if close else f"remove it; the hook's option is {_OPTIONS[0]}"
                findings.append(UNKNOWN_OPTION.finding(f"unknown option {option!r}", fix=fix, place=place))
            elif not isinstance(value, bool):
                findings.append(
                    WRONG_TYPE.finding(f"{option} must be true or false", fix=f"{option} = false", place=place)
                )
        return findings

    def _sdist_findings(self) -> list[Finding]:
        """What may be behind a missing model where the project is an unpacked sdist."""
        config = self.metadata.hatch.config
        for_all = _value(config, _TABLE) is not None or _value(config, _below("sdist")) is not None
        if for_all or not (Path(self.root) / "PKG-INFO").is_file():
            return []
        return [
            NOT_IN_SDIST.finding(
                "this is an unpacked sdist, and the hook was not run to put the model into it",
                fix="write [tool.hatch.build.hooks.wallaroo], or build from the project itself: hatch build, or "
                "python -m build --wheel",
            )
        ]

    def _place(self, option: str) -> Place:
        """Where an option stands: in hatch.toml, which wins, or in pyproject.toml; below the target, or for all."""
        tables = (_below(self.target_name), _TABLE)
        try:
            text = (Path(self.root) / _HATCH_TOML).read_bytes().decode(errors="replace")
        except OSError:
            text = ""
        document = parse_document(text).table or {}
        for table in tables:
            if _value(document, (*table, option)) is not None:
                return replace(Positions(text).locate(Place(key=(*table, option))), file=_HATCH_TOML)
        written = [
            ("tool", "hatch", *table)
            for table in tables
            if _value(self.metadata.config, ("tool", "hatch", *table, option)) is not None
        ]
        return Place(key=(*(written[0] if written else ("tool", "hatch", *_TABLE)), option))

    def _session(self) -> Session:
        return Session(self.root, self.metadata, self.app)


def _below(target: str) -> KeyPath:
    return ("build", "targets", target, "hooks", "wallaroo")


def _value(table: Any, keys: KeyPath) -> Any:
    """What stands at a place of a document, or None."""
    return reduce(lambda inner, key: inner.get(key) if isinstance(inner, dict) else None, keys, table)


def _installing(directory: str) -> bool:
    """Whether the wheel is only a step of an installation, and whatever is put beside it is lost.

    pip says so by an environment variable of its build tracker; uv builds into a folder of its cache,
    `builds-v0` or the like, with the tag of cache folders beside it.
    """
    return "PIP_BUILD_TRACKER" in os.environ or any(
        _UVS_OWN.fullmatch(parent.name) and (parent.parent / "CACHEDIR.TAG").is_file()
        for parent in Path(directory).absolute().parents
    )
