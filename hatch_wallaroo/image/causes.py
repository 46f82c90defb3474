"""Why a build failed, from the words of engines, pip and apt, and what most likely mends it."""

from __future__ import annotations

import re

from hatch_wallaroo.image.errors import ImageError
from hatch_wallaroo.text import one_line

_BASE_LACKS = re.compile(
    r"pull access denied|manifest.*(?:unknown|not found)|repository does not exist|no such host|lookup .*:|"
    r"not found: manifest|server misbehaving|connection refused|failed to resolve (?:reference|source)|no such image|"
    r"no basic auth credentials|i/o timeout|context deadline exceeded|Client\.Timeout|network is unreachable",
    re.IGNORECASE,
)
_OTHER_PLATFORM = re.compile(
    r"does not match the specified platform|no match for platform|no matching manifest for", re.IGNORECASE
)
_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_OFFLINE = re.compile(
    r"NewConnectionError|name resolution|Could not resolve|ConnectTimeoutError|Temporary failure|ReadTimeoutError|"
    r"Failed to establish a new connection|Connection timed out|ProxyError",
    re.IGNORECASE,
)
_KILLED = re.compile(r"(?:non-zero code|exit code): 137\b")
_BROKE = re.compile(r"Connection (?:aborted|broken|reset)|IncompleteRead|RemoteDisconnected|EOF", re.IGNORECASE)


def failure(words: str, step: str, log: tuple[str, ...], *, base: str, platform: str | None) -> ImageError:
    """The error of a build that failed at a step (empty: before the first), with the last lines of its output."""
    told = "\n".join((words, *log))
    at_base = not step or step.startswith("FROM")
    if _FULL.search(told):
        return ImageError(f"the engine's disk is full: {words}", "free some space: docker system prune", log)
    if _OTHER_PLATFORM.search(told):
        fix = f"name a base that has it: image.base; or fetch it: docker pull --platform {platform} {base}"
        return ImageError(f"the base image {base} is not there for {platform}: {words}", fix)
    if at_base and _BASE_LACKS.search(told):
        fix = f"pull or load it first (docker pull {base}), or name another with image.base"
        return ImageError(f"the base image {base} is not there, and could not be pulled: {words}", fix)
    if _FOREIGN.search(told):
        fix = "install binfmt/qemu on the engine's machine, or name a builder of that platform with image.builder"
        return ImageError(
            f"the engine cannot run programs for {platform or 'the platform of ' + base}: {words}", fix, log
        )
    where = f" in the step `{one_line(step)[:120]}`" if step else ""
    return ImageError(f"the image could not be built{where}: {words}", _fix(step, words, told), log)


def _fix(step: str, words: str, told: str) -> str:
    if _BROKE.search(words):
        return "see whether the engine still runs, and build again"
    if _KILLED.search(words):
        return "the step was killed, most often for want of memory: give the engine more, or see whether it was stopped"
    installs = "pip install" in step or "apt-get" in step
    if installs and _OFFLINE.search(told):
        return "the build has no way to the package index: check the network of the engine, its proxies and DNS"
    if "pip install" in step:
        return "the requirements cannot be installed in the image: mend them in pyproject.toml, and build again"
    if "apt-get" in step:
        return "check the names in image.packages, and whether the base image has apt"
    return "mend what the last lines say, and build again"
