"""What a release says about the values of the platform's own options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.rules import Issue, Read
from hatch_wallaroo.config.settings import ACCELERATORS, FRAMEWORKS, judge_qaic, judge_settings
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.releases.load import (
    UnknownReleaseError,
    all_releases,
    framework_names,
    known,
    releases_with,
    resolve,
)
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.text import listed, quoted

SYNONYMS: Mapping[str, str] = {
    "byop": "custom",
    "arbitrary-python": "custom",
    "catboost": "custom",
    "jax": "custom",
    "lightgbm": "custom",
    "h5": "keras",
    "savedmodel": "tensorflow",
    "scikit-learn": "sklearn",
    "tf": "tensorflow",
    "torch": "pytorch",
    "torchscript": "pytorch",
    "wallaroo-json": "python",
    "xgb": "xgboost",
}
"""What else frameworks are called, and those whose models run as BYOP."""


def find_release(asked: str) -> Read:
    """The data of a release; a note where an earlier one answers."""
    try:
        release = resolve(asked)
    except UnknownReleaseError as error:
        message = f"{quoted(asked, 40)} is no Wallaroo release known here"
        fix = f"release = {quoted(error.nearest)}" if error.nearest else f"known are {listed(list(known()))}"
        return Read(None, (Issue(rules.UNKNOWN_RELEASE, message, fix),))
    if release.exact:
        return Read(release)
    which = (
        "the first release of its line" if release.version.startswith(f"{asked}.") else "the nearest earlier release"
    )
    message = f"{asked} is checked with the rules of {release.version}, {which} known here"
    return Read(release, (Issue(rules.EARLIER_RULES, message, ""),))


def find_framework(name: str, release: Release | None) -> Read:
    """A framework's row in a release; without a release, it is only asked whether any has it."""
    if release and name in release.frameworks:
        return Read(release.frameworks[name])
    having = releases_with(lambda each: name in each.frameworks)
    if having and release is None:
        return Read(None)
    if having and release:
        message = f"release {release.asked} has no framework {quoted(name)}; it came with {having[0]}"
        fix = f"release = {quoted(having[0])}, if the platform is that new"
        return Read(None, (Issue(rules.FRAMEWORK_NOT_IN_RELEASE, message, fix),))
    names = sorted(release.frameworks if release else framework_names(all_releases()))
    word = name[:60].lower().replace("_", "-").replace(" ", "-")
    close = SYNONYMS.get(word) or nearest(word, names)
    fix = f"framework = {quoted(close)}" if close else f"known are {listed(names)}"
    return Read(None, (Issue(rules.UNKNOWN_FRAMEWORK, f"{quoted(name, 60)} is no framework of Wallaroo's", fix),))


def judge_presence(key: str, value: Any, release: Release, row: FrameworkRow) -> Issue | None:
    """Whether the upload to a release has a place for an option at all."""
    sent = key.replace("-", "_")
    keys = release.conversion_keys if row.conversion_keys is None else row.conversion_keys
    if sent not in release.conversion_keys:
        if key == "accel" and value == "none":
            return None
        first = next(iter(releases_with(lambda each: sent in each.conversion_keys)), None)
        since = f"; it came with {first}" if first else ""
        fix = f"remove {key}" + (f", or write release = {quoted(first)}, if the platform is that new" if first else "")
        return Issue(rules.NOT_IN_RELEASE, f"release {release.asked} takes no {key}{since}", fix)
    if sent not in keys or (key == "framework-config" and row.default_config is None):
        return Issue(rules.MISFIT, f"framework {quoted(row.name)} takes no {key}", f"remove {key}")
    return None


def judge_python(written: str | None, release: Release) -> Read:
    """The upload's `python_version`."""
    if written is None or written in release.python_versions:
        return Read(written or release.python_version)
    taken = " and ".join(map(quoted, release.python_versions))
    message = f"{quoted(written)} is not taken: the platform's API knows {taken} here"
    fix = f"remove python-version; whatever it says, release {release.asked} runs models on Python {release.python}"
    return Read(release.python_version, (Issue(rules.UNKNOWN_VALUE, message, fix),))


def judge_arch(written: str | None, release: Release, row: FrameworkRow) -> Read:
    """The architecture; None where the release or the framework has none."""
    if "arch" not in _keys(release, row):
        return Read(None)
    if written is None or written in release.architectures:
        return Read(written or release.default_arch)
    return Read(release.default_arch, (_unknown("arch", written, release.architectures, release),))


def judge_accel(written: str | Mapping[str, Any] | None, arch: str | None, release: Release, row: FrameworkRow) -> Read:
    """The accelerator, with its configuration where it has one; None where the release or the framework has none."""
    if "accel" not in _keys(release, row):
        return Read(None)
    if written is None:
        return Read(release.default_accel)
    name, config = (written, None) if isinstance(written, str) else next(iter(written.items()))
    if name not in release.accelerators:
        return Read(release.default_accel, (_unknown("accel", name, tuple(release.accelerators), release),))
    issues = []
    fitting = release.accelerators[name]
    if arch is not None and arch not in fitting:
        message = f"{name} runs on {' or '.join(fitting)}, not on {arch}"
        issues.append(Issue(rules.ACCEL_AND_ARCH, message, f"arch = {quoted(fitting[0])}, or another accel"))
    defaults = release.accelerator_configs.get(name)
    if defaults is None and config is not None:
        message = f"accelerator {quoted(name)} takes no configuration"
        issues.append(Issue(rules.CONFIG_KEY, message, f"accel = {quoted(name)}", (name,)))
    if defaults is None:
        return Read(name, tuple(issues))
    judged = judge_settings(config or {}, ACCELERATORS.get(name, {}), tuple(defaults), f"accelerator {name}")
    issues += [issue.inside(name) for issue in judged]
    return Read({name: _over(defaults, config or {})}, tuple(issues))


def judge_config(written: Mapping[str, Any] | None, accel: Any, row: FrameworkRow) -> Read:
    """The framework's configuration: what is written over the release's defaults."""
    if row.default_config is None:
        return Read(None)
    if written is None:
        return Read(row.default_config)
    known_settings = FRAMEWORKS.get(row.name, {})
    issues = list(judge_settings(written, known_settings, row.config_keys, f"framework {row.name}"))
    if accel is not None and "qaic" not in accel:
        issues += judge_qaic(written, known_settings, row.default_config)
    return Read(_over(row.default_config, written), tuple(issues))


def _keys(release: Release, row: FrameworkRow) -> tuple[str, ...]:
    return release.conversion_keys if row.conversion_keys is None else row.conversion_keys


def _over(defaults: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """What is written over the defaults, in the order of their names, as the SDK sends it."""
    return dict(sorted({**defaults, **written}.items()))


def _unknown(option: str, written: str, values: tuple[str, ...], release: Release) -> Issue:
    having = releases_with(lambda each: written in _values(option, each))
    if having:
        later = [version for version in having if known().index(version) > known().index(release.version)]
        when = f"it came with {later[0]}" if later else f"the last release with it was {having[-1]}"
        message = f"release {release.asked} does not have {quoted(written)}; {when}"
        return Issue(rules.NOT_IN_RELEASE, message, f"write one of {', '.join(map(quoted, values))}")
    close = nearest(written[:40], values)
    fix = f"{option} = {quoted(close)}" if close else f"write one of {', '.join(map(quoted, values))}"
    return Issue(rules.UNKNOWN_VALUE, f"{quoted(written)} is none of {', '.join(values)}", fix)


def _values(option: str, release: Release) -> tuple[str, ...]:
    return release.architectures if option == "arch" else tuple(release.accelerators)
