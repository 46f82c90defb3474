"""`[tool.hatch.build.hooks.wallaroo]`: the bundle beside the wheel, under every front end."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_wallaroo.findings import Finding, Place, nearest, rule
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

_TABLE = ("tool", "hatch", "build", "hooks", "wallaroo")
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
        self._session().build(self.directory, self._option_findings())

    def _initialize_sdist(self, build_data: dict[str, Any]) -> None:
        if _installing(self.directory) or self.config.get("sdist", True) is False:
            return
        session = self._session()
        for path in project_files(session.specs()):
            relative = os.path.relpath(path, self.root)
            build_data["force_include"].setdefault(str(path), relative)

    def _left_out_of_sdist(self) -> bool:
        return self.config.get("sdist", True) is False and (Path(self.root) / "PKG-INFO").is_file()

    def _option_findings(self) -> list[Finding]:
        findings = []
        for option, value in self.config.items():
            place = Place(key=(*_TABLE, option))
            if option in _HATCHLINGS:
                continue
            if option not in _OPTIONS:
                close = nearest(option, _OPTIONS)
                fix = f"did you mean {close}?" if close else f"remove it; the hook's option is {_OPTIONS[0]}"
                findings.append(UNKNOWN_OPTION.finding(f"unknown option {option!r}", fix=fix, place=place))
            elif not isinstance(value, bool):
                findings.append(
                    WRONG_TYPE.finding(f"{option} must be true or false", fix=f"{option} = false", place=place)
                )
        return findings

    def _session(self) -> Session:
        return Session(self.root, self.metadata, self.app)


def _installing(directory: str) -> bool:
    """Whether the wheel is only a step of an installation, and whatever is put beside it is lost.

    pip says so by an environment variable of its build tracker; uv builds into a folder of its cache.
    """
    return "PIP_BUILD_TRACKER" in os.environ or any(
        part.startswith(("builds-v", "sdists-v")) for part in PurePath(directory).parts
    )
