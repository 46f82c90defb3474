"""One build as both faces run it: read, check, report, pack, report."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.check import Checked, check
from hatch_wallaroo.bundle.pack import Bundle, PackError, clean, pack
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.toml.parsing import read_document
from hatch_wallaroo.config.toml.positions import locate_all
from hatch_wallaroo.findings import PYPROJECT, Finding, Level, errors
from hatch_wallaroo.project.hatchling import from_metadata
from hatch_wallaroo.project.repository import distributions
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, human_size, printable


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

    def read(self, directory: str, extra: Sequence[Finding] = ()) -> Reading:
        """The models of `[tool.wallaroo]`; where the table or `extra` has an error, say all that is wrong and abort."""
        reading = self._read()
        if errors([*extra, *reading.findings]):
            self.check(directory, extra)
        return reading

    def check(self, directory: str, extra: Sequence[Finding] = ()) -> tuple[Checked, ...]:
        """All models, checked; where one of them or `extra` has an error, say all that is wrong and abort."""
        return self._look(directory, extra)[0]

    def build(
        self, directory: str, extra: Sequence[Finding] = (), causes: Sequence[Finding] = ()
    ) -> tuple[Bundle, ...]:
        """Check all models and pack them into the output folder, or say all that is wrong and abort.

        `causes` may explain an error, and are said only beside one.
        """
        models, general = self._look(directory, extra, causes)
        try:
            bundles = pack([model for model in models if model.plan], Path(directory), self._finish)
        except PackError as error:
            self.fail([*general, *(finding for model in models for finding in model.findings), *error.findings])
        bare = [finding for model in models if not model.plan for finding in model.findings]
        said = [*general, *bare, *(finding for bundle in bundles for finding in bundle.findings)]
        if said:
            weighty = any(finding.level is not Level.NOTE for finding in said)
            show = self.app.display_warning if weighty else self.app.display_info
            show(self._rendered(said))
        for bundle in bundles:
            self.app.display_info(summary(bundle, self.root))
        return bundles

    def _finish(self, bundle: Bundle, file: Path) -> tuple[Finding, ...]:
        """What a packed bundle still needs before it counts: an image, where the table asks for one."""
        image = bundle.checked.spec.image
        if image is None or not image.build:
            return ()
        from hatch_wallaroo.image.making import make

        return make(bundle.checked, file, bundle.sha256, _shown(bundle.path, self.root), self.app.display_info)

    def clean(self, directory: str) -> None:
        """Delete what earlier builds of these models left; a table with errors hides nothing from it."""
        clean(self._read().specs, Path(directory))

    def fail(self, findings: Iterable[Finding]) -> NoReturn:
        self.app.display_error(self._rendered(findings))
        self.app.abort(f"hatch-wallaroo {__version__}: no bundle was made; what was in the output folder is untouched")
        raise SystemExit(1)  # Hatchling's abort has left by now, but its annotation does not say so

    def _read(self) -> Reading:
        project = from_metadata(self._metadata)
        return read_models(self._metadata.config, project=project, root=self.root)

    def _look(
        self, directory: str, extra: Sequence[Finding], causes: Sequence[Finding] = ()
    ) -> tuple[tuple[Checked, ...], tuple[Finding, ...]]:
        """The models, and the findings that are no model's own."""
        if not (self.root / PYPROJECT).is_file():
            # Hatchling looks for it in the folders above, and yet takes this one for the project's.
            self.fail(read_document(self.root).findings)
        reading = self._read()
        distributions = self._distributions(directory)
        models = tuple(check(replace(spec, distributions=distributions)) for spec in reading.specs)
        general = (*extra, *reading.findings)
        findings = (*general, *(finding for model in models for finding in model.findings))
        if errors(findings):
            self.fail([*findings, *causes])
        return models, general

    def _distributions(self, directory: str) -> str | None:
        """What the paths of the project's sdist and wheel begin with, if the output folder is inside the project."""
        return distributions(self.root, directory, self._metadata.core.name, self._metadata.version)

    def _rendered(self, findings: Iterable[Finding]) -> str:
        return render(locate_all(findings, self.root), color=colored(sys.stderr))


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


def _shown(path: Path, root: Path) -> str:
    for file, folder in ((path.absolute(), root.absolute()), (path.resolve(), root.resolve())):
        if file.is_relative_to(folder):
            return file.relative_to(folder).as_posix()
    return str(path)
