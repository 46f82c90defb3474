"""All checks of the user's own inference code, for one release."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop.loader import load
from hatch_wallaroo.frameworks.byop.model_path import misplaced
from hatch_wallaroo.frameworks.byop.undeclared import undeclared
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.newer_syntax import newer
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import Sources


def check_code(
    sources: Sources, environment: PlatformEnvironment, paths: AbstractSet[str]
) -> tuple[ImportRun, list[Finding]]:
    """What the loader does with the code, and the findings of loader and, in releases that have one, validator.

    `paths` are all files of the bundle, without its top folder.
    """
    run, findings = load(sources, environment)
    findings += reached_findings(run)
    if environment.release.byop.validator:
        executed, refused = validate(sources, environment)
        findings = [*refused, *findings, *reached_findings(executed)]
    findings += misplaced((module.file for module in run.reached.values()), paths)
    return run, findings


def reached_findings(run: ImportRun) -> list[Finding]:
    """Of the files that a run imports: what the platform's Python cannot do, and what nobody declares."""
    environment = run.environment
    found = [
        finding
        for module in run.reached.values()
        for finding in newer(module, environment.python, environment.release.python)
    ]
    return [*found, *undeclared(run.imports, environment)]


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The validator and the loader often say the same: once is enough, as an error where one of them says so."""
    found = list({(each.code, each.place, each.message, each.level): each for each in findings}.values())
    worst = {(each.code, each.place) for each in found if each.is_error}
    return tuple(each for each in found if each.is_error or (each.code, each.place) not in worst)
