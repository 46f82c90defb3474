"""What inference code finds around it on the platform: its Python, its `mac`, and the declared requirements."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hatch_wallaroo.python import distributions, mac
from hatch_wallaroo.releases.model import Release

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class PlatformEnvironment:
    """One release's environment with the model's requirements in it.

    `python` is the platform's, major and minor. `declared` are normalised distribution
    names, None where the requirements could not be read: then everything may be there.
    `own` answers whether a module lies in the project, though not in the bundle.
    """

    release: Release
    declared: frozenset[str] | None
    own: Callable[[str], bool] = field(default=lambda _: False)

    @property
    def python(self) -> tuple[int, int]:
        major, _, minor = self.release.python.partition(".")
        return int(major), int(minor.partition(".")[0] or 0)

    def is_missing(self, module: str) -> bool:
        """Whether a module of the standard library is newer than the platform's Python, or has gone before it."""
        since = distributions.STDLIB_SINCE.get(module.partition(".")[0])
        if since is None or self.python >= since:
            return False
        return not self._declares(module.partition(".")[0])

    def offers(self, module: str, name: str) -> bool | None:
        """Whether a module has a name there: False where it is certainly missing, None where nothing is known."""
        since = distributions.NAMES_SINCE.get(module, {}).get(name)
        if since is not None:
            return self.python >= since
        return mac.offers(self.release, module, name)

    def canonical(self, name: str) -> str:
        """One name for one thing of `mac`."""
        return mac.canonical(name)

    def exports(self, module: str) -> Mapping[str, str] | None:
        """What `from module import *` brings, for the modules of `mac` that we know."""
        return mac.exports(self.release, module)

    def is_stdlib(self, root: str) -> bool:
        """Whether a top-level module comes with the platform's Python."""
        return root in distributions.STDLIB_GONE or (root in sys.stdlib_module_names and not self.is_missing(root))

    def provides(self, module: str) -> bool:
        """Whether a module is certain to be importable: standard library, the platform's own, or declared."""
        root = module.partition(".")[0]
        return self.is_stdlib(root) or root in distributions.PLATFORM or self._declares(module)

    def is_own(self, root: str) -> bool:
        """Whether a module lies in the project, though the bundle does not have it."""
        return self.own(root)

    def _declares(self, module: str) -> bool:
        if self.declared is None or distributions.is_shared(module):
            return True
        return bool(self.declared & distributions.candidates(module))


def declared_names(lines: Iterable[str]) -> frozenset[str]:
    """The normalised names of the distributions in requirement lines, and of those they are known to bring."""
    from packaging.utils import canonicalize_name

    found: set[str] = set()
    for line in lines:
        match = _NAME.match(line)
        if match:
            found.add(str(canonicalize_name(match[1])))
    brought = {each for name in found for each in distributions.BRINGS.get(name, ())}
    return frozenset(found | brought)
