"""All checks of the user's own inference code, for one release."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks.byop.loader import load
from hatch_wallaroo.frameworks.byop.rules import NO_MODEL
from hatch_wallaroo.frameworks.byop.validator import validate
from hatch_wallaroo.frameworks.import_findings import NO_SETTER, reached_findings
from hatch_wallaroo.python.import_run import ImportRun
from hatch_wallaroo.python.platform_environment import PlatformEnvironment
from hatch_wallaroo.python.source_files import Sources


def check_code(
    sources: Sources, environment: PlatformEnvironment, paths: AbstractSet[str]
) -> tuple[ImportRun, list[Finding]]:
    """What the loader does with the code, and the findings of loader and, in releases that have one, validator.

    `paths` are all files of the bundle, without its top folder.
    """
    run, findings = load(sources, environment, paths)
    findings += reached_findings(run)
    if environment.release.byop.validator:
        executed, refused = validate(sources, environment, paths)
        explained = {each.about for each in refused if each.code == NO_MODEL.code}
        findings = [each for each in findings if each.code != NO_SETTER.code or each.about not in explained]
        # What a lenient validator cannot import it leaves out.
        reached = [] if environment.release.byop.lenient_validator else reached_findings(executed)
        findings = [*refused, *findings, *reached]
    return run, findings
