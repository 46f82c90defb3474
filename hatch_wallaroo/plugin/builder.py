"""`hatch build -t wallaroo`: the bundles alone, without wheel or sdist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hatchling.builders.plugin.interface import BuilderInterface

from hatch_wallaroo.plugin.session import Session


class WallarooBuilder(BuilderInterface):  # type: ignore[type-arg]  # not subscriptable on older Hatchlings
    """The target `wallaroo`. Its files have the same names as the build hook's."""

    PLUGIN_NAME = "wallaroo"

    def get_version_api(self) -> dict[str, Callable[..., str]]:
        return {"standard": self.build_standard}

    def get_default_versions(self) -> list[str]:
        return ["standard"]

    def clean(self, directory: str, versions: list[str]) -> None:  # noqa: ARG002 - Hatchling's signature
        self._session().clean(directory)

    def build_standard(self, directory: str, **build_data: Any) -> str:  # noqa: ARG002 - Hatchling's signature
        """Make all bundles; returns the first one's absolute path, which Hatch prints."""
        bundles = self._session().build(directory)
        return str(bundles[0].path.absolute())

    def _session(self) -> Session:
        return Session(self.root, self.metadata, self.app)
