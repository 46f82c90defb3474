"""One build as both faces run it: read, check, report, pack, report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.check import check
from hatch_wallaroo.bundle.pack import Bundle, PackError, clean, pack
from hatch_wallaroo.config.positions import locate_all
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.spec import ModelSpec, Project
from hatch_wallaroo.findings import Finding, errors
from hatch_wallaroo.report import printable, render


class App(Protocol):
    """What we use of the application that Hatchling hands to plugins."""

    def display_info(self, message: str = "") -> None: ...
    def display_warning(self, message: str = "") -> None: ...
    def display_error(self, message: str = "") -> None: ...
    def abort(self, message: str = "") -> None: ...


class Session:
    """A project's models, read once. `metadata` is Hatchling's ProjectMetadata."""

    def __init__(self, root: str, metadata: Any, app: App) -> None:
        self.root = Path(root)
        self.app = app
        self._metadata = metadata

    def read(self) -> Reading:
        """Read `[tool.wallaroo]`; nothing is said yet."""
        core = self._metadata.core
        project = Project(
            name=core.raw_name,
            version=self._metadata.version,
            dependencies=tuple(core.dependencies),
            optional_dependencies={extra: tuple(lines) for extra, lines in core.optional_dependencies.items()},
            requires_python=core.requires_python,
        )
        return read_models(self._metadata.config, project=project, root=self.root)

    def specs(self) -> tuple[ModelSpec, ...]:
        """The models; where one cannot be read, say all that is wrong and abort."""
        reading = self.read()
        if errors(reading.findings):
            self.fail((*reading.findings, *(finding for spec in reading.specs for finding in check(spec).findings)))
        return reading.specs

    def build(self, directory: str, extra: Sequence[Finding] = ()) -> tuple[Bundle, ...]:
        """Check all models and pack them into the output folder, or say all that is wrong and abort."""
        reading = self.read()
        models = [check(spec) for spec in reading.specs]
        findings = [*extra, *reading.findings, *(finding for model in models for finding in model.findings)]
        if errors(findings):
            self.fail(findings)
        try:
            bundles = pack(models, Path(directory))
        except PackError as error:
            self.fail([*findings, error.finding])
        said = [*extra, *reading.findings, *(finding for bundle in bundles for finding in bundle.findings)]
        if said:
            self.app.display_warning(self._rendered(said))
        for bundle in bundles:
            self.app.display_info(summary(bundle, self.root))
        return bundles

    def clean(self, directory: str) -> None:
        """Delete what earlier builds of these models left; a table with errors hides nothing from it."""
        clean(self.read().specs, Path(directory))

    def fail(self, findings: Iterable[Finding]) -> NoReturn:
        self.app.display_error(self._rendered(findings))
        self.app.abort(f"hatch-wallaroo {__version__}: no bundle was made; what was in the output folder is untouched")
        raise SystemExit(1)  # Hatchling's abort has left by now, but its annotation does not say so

    def _rendered(self, findings: Iterable[Finding]) -> str:
        return render(locate_all(findings, self.root), color=_colored())


def summary(bundle: Bundle, root: Path) -> str:
    """One line: version of the plugin, model, framework, runtime, release, file, size, digest, time."""
    spec = bundle.checked.spec
    release = spec.release
    rules = "" if release.exact else f" (rules of {release.version})"
    text = (
        f"hatch-wallaroo {__version__}: {spec.name} {spec.version}, {spec.framework.name} ({spec.framework.runtime}), "
        f"release {release.asked}{rules} -> {_shown(bundle.path, root)}  {human_size(bundle.size)}  "
        f"sha256:{bundle.sha256[:16]}  {bundle.seconds:.2f} s"
    )
    return printable(text)


def human_size(size: int) -> str:
    """Bytes in the largest unit that leaves a number of at least one: `1.9 KB`, decimal units."""
    amount, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:  # noqa: PLR2004 - decimal units
            break
        amount, unit = amount / 1000, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def _shown(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return str(path)


def _colored() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
