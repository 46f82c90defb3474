"""One build as both faces run it: read, check, report, pack, report."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.bundle.check import Checked
from hatch_wallaroo.bundle.pack import Bundle, PackError, clean, pack
from hatch_wallaroo.config.reader import Reading, read_models
from hatch_wallaroo.config.toml.reading import locate_all, read_document
from hatch_wallaroo.findings import PYPROJECT, Finding, Level, Place, errors
from hatch_wallaroo.project.checking import Report, checked
from hatch_wallaroo.project.metadata import from_metadata
from hatch_wallaroo.project.repository import Repository
from hatch_wallaroo.report import render
from hatch_wallaroo.text import colored, describe_error, human_size, one_line, printable

if TYPE_CHECKING:
    from hatch_wallaroo.preflight.verdict import Verdict


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
        repository = self._repository(extra)
        if errors(repository.findings):
            self.check(directory, extra)
        return repository.reading

    def check(self, directory: str, extra: Sequence[Finding] = ()) -> tuple[Checked, ...]:
        """All models, checked; where one of them or `extra` has an error, say all that is wrong and abort."""
        return self._look(directory, extra).models

    def build(
        self,
        directory: str,
        extra: Sequence[Finding] = (),
        causes: Sequence[Finding] = (),
        *,
        preflight: bool = False,
    ) -> tuple[Bundle, ...]:
        """Check all models and pack them into the output folder, or say all that is wrong and abort.

        `causes` may explain an error, and are said only beside one. `preflight`: a bundle that does not pass its run is
        not made.
        """
        report = self._look(directory, extra, causes)
        verdicts: list[Verdict] = []

        def finish(bundle: Bundle, file: Path) -> tuple[Finding, ...]:
            found = self._finish(bundle, file)
            return (*found, *self._run(bundle, file, verdicts)) if preflight and not errors(found) else found

        try:
            bundles = pack([model for model in report.models if model.plan], Path(directory), finish)
        except PackError as error:
            self.fail([*report.findings, *error.findings])
        said = dict.fromkeys([*report.findings, *(finding for bundle in bundles for finding in bundle.findings)])
        if said:
            weighty = any(finding.level is not Level.NOTE for finding in said)
            show = self.app.display_warning if weighty else self.app.display_info
            show(self._rendered(said))
        for bundle in bundles:
            self.app.display_info(summary(bundle, self.root))
        if verdicts:
            self._keep(verdicts)
        return bundles

    def _run(self, bundle: Bundle, file: Path, verdicts: list[Verdict]) -> tuple[Finding, ...]:
        """Run a packed bundle by the real runtime; what it says is an error ends the build."""
        from hatch_wallaroo.preflight.preparing import Options, PreflightError
        from hatch_wallaroo.preflight.rows import RowsError
        from hatch_wallaroo.preflight.rules import NO_RUN
        from hatch_wallaroo.preflight.run import preflight
        from hatch_wallaroo.preflight.subject import of_checked

        name = bundle.checked.spec.name
        try:
            subject = of_checked(bundle.checked, file, bundle.sha256)
            verdict = preflight(subject, Options(), lambda line: self.app.display_info(f"{name}: {line}"))
        except (PreflightError, RowsError) as error:
            fix = error.fix or "leave preflight out of [tool.hatch.build.hooks.wallaroo]"
            return (NO_RUN.finding(f"{name}: {error}", fix=fix, place=Place(key=bundle.checked.spec.key)),)
        verdicts.append(replace(verdict, subject=replace(subject, file=bundle.path)))
        self.app.display_info(f"{name}: preflight {verdict.word}")
        shown = self.app.display_info if verdict.passed else self.app.display_error
        notes = [each for each in verdict.findings if not each.is_error]
        if notes:
            shown(self._rendered(notes))
        if not verdict.passed and verdict.log:
            self.app.display_error("\n".join(f"  | {one_line(line)}" for line in verdict.log))
        return tuple(errors(verdict.findings))

    def _keep(self, verdicts: Sequence[Verdict]) -> None:
        """The verdicts beside their bundles; a folder that takes no more files loses nothing else."""
        from hatch_wallaroo.preflight.verdict import keep

        try:
            for each in verdicts:
                keep(each)
        except OSError as error:
            self.app.display_warning(f"the verdict was not kept: {describe_error(error)}")

    def _finish(self, bundle: Bundle, file: Path) -> tuple[Finding, ...]:
        """What a packed bundle still needs before it counts: an image, where the table asks for one."""
        image = bundle.checked.spec.image
        if image is None or not image.build:
            return ()
        from hatch_wallaroo.image.building import make

        return make(bundle.checked, file, bundle.sha256, _shown(bundle.path, self.root), self.app.display_info)

    def clean(self, directory: str) -> None:
        """Delete what earlier builds of these models left; a table with errors hides nothing from it."""
        clean(self._repository().reading.specs, Path(directory))

    def fail(self, findings: Iterable[Finding]) -> NoReturn:
        self.app.display_error(self._rendered(findings))
        self.app.abort(f"hatch-wallaroo {__version__}: no bundle was made; what was in the output folder is untouched")
        raise SystemExit(1)  # Hatchling's abort has left by now, but its annotation does not say so

    def _repository(self, extra: Sequence[Finding] = (), causes: Sequence[Finding] = ()) -> Repository:
        """The project as Hatchling has read it."""
        document, project = self._metadata.config, from_metadata(self._metadata)
        reading = read_models(document, project=project, root=self.root)
        return Repository(self.root, document, project, reading, (*extra, *reading.findings), causes=tuple(causes))

    def _look(self, directory: str, extra: Sequence[Finding], causes: Sequence[Finding] = ()) -> Report:
        """What the checks say of all models; where that has an error, say it and abort."""
        if not (self.root / PYPROJECT).is_file():
            # Hatchling looks for it in the folders above, and yet takes this one for the project's.
            self.fail(read_document(self.root).findings)
        report = checked(self._repository(extra, causes), directory)
        if not report.passed:
            self.fail(report.findings)
        return report

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
