"""`[tool.hatch.build.hooks.wallaroo]`: the bundle beside the wheel, under every front end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_wallaroo.bundle.plan import plan
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.presence import is_file
from hatch_wallaroo.files.sources import FileSource, ZipMember
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.mlflow.folder import is_address
from hatch_wallaroo.plugin.session import Session
from hatch_wallaroo.project.hatch_config import (
    HatchConfig,
    option_findings,
    option_place,
    read_hatch_config,
    sdist_findings,
)

_UVS_OWN = re.compile(r"(builds|sdists)-v\d+")


class WallarooBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # not subscriptable on older Hatchlings
    """Makes the bundle when the wheel is built, and takes the model's files along in the sdist.

    Its options: `sdist = false` leaves the model's files out of the sdist, `preflight = true` runs each bundle before
    it counts as made.
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
        run = self.config.get("preflight", False) is True
        self._session().build(self.directory, self._option_findings(), self._sdist_findings(), preflight=run)

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
        config = self._config()
        return option_findings(self.config, lambda option: option_place(config, self.target_name, option))

    def _sdist_findings(self) -> list[Finding]:
        return sdist_findings(self._config(), Path(self.root))

    def _config(self) -> HatchConfig:
        return read_hatch_config(Path(self.root), self.metadata.config)

    def _session(self) -> Session:
        return Session(self.root, self.metadata, self.app)


def _installing(directory: str) -> bool:
    """Whether the wheel is only a step of an installation, and whatever is put beside it is lost.

    pip says so by an environment variable of its build tracker; uv builds into a folder of its cache,
    `builds-v0` or the like, with the tag of cache folders beside it.
    """
    return "PIP_BUILD_TRACKER" in os.environ or any(
        _UVS_OWN.fullmatch(parent.name) and (parent.parent / "CACHEDIR.TAG").is_file()
        for parent in Path(directory).absolute().parents
    )


def project_files(specs: Iterable[ModelSpec]) -> list[Path]:
    """Absolute paths of all files that go into the bundles or are read to make them, sorted.

    Not what came from a tracking server: whoever builds from the sdist asks it again.
    """
    found: set[Path] = set()
    for spec in specs:
        if spec.framework.family == "mlflow" and spec.model and is_address(spec.model):
            found.update(path for path in _read_besides(spec) if is_file(path))
            continue
        made, _ = plan(spec)
        for entry in made.layout.entries if made else ():
            if isinstance(entry.source, FileSource):
                found.add(entry.source.path)
            elif isinstance(entry.source, ZipMember):
                found.add(entry.source.archive)
        found.update(path for path in _read_besides(spec) if is_file(path))
    return sorted(found)


def _read_besides(spec: ModelSpec) -> Iterable[Path]:
    if spec.requirements.kind == "file":
        yield spec.path(spec.requirements.file)
    if spec.lock:
        yield spec.root / "pylock.toml"
    if spec.sample:
        yield spec.path(spec.sample)
    for option in spec.include_sensitive:
        yield spec.path(option)
