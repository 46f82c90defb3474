"""What came of a publication: for the person who started it, and as JSON for CI."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.exit_codes import EXIT_CODES, INTERRUPTED
from hatch_wallaroo.platform.errors import ConfigurationError, PlatformError
from hatch_wallaroo.platform.progress_text import duration
from hatch_wallaroo.text import human_size, printable

FORMAT = 1
Outcome = Literal["ready", "present", "uploaded", "planned", "failed"]


@dataclass
class Result:
    """One manifest's fate.

    `outcome`: `ready` (sent, and the platform made a running model of it), `present` (a version held the
    file already, nothing was sent), `uploaded` (sent, and not waited for), `planned` (a dry run), `failed`.
    `version_id` is the platform's number of the model version, `platform_version` its UUID, `status` the
    last status seen, `seconds` the time from the first request to the end, `twins` other versions that
    hold the same file, `image` a container image as it was registered, `advice` where to mend what the platform
    complains about.
    """

    manifest: Path
    model: str = ""
    version: str = ""
    framework: str = ""
    sha256: str = ""
    size: int = 0
    workspace: str | None = None
    workspace_id: int | None = None
    version_id: int | None = None
    platform_version: str = ""
    outcome: Outcome = "failed"
    status: str = ""
    image: str = ""
    sent: bool = False
    seconds: float = 0.0
    error: PlatformError | None = None
    twins: tuple[int, ...] = ()
    advice: tuple[str, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error else 0


def exit_code(results: Sequence[Result]) -> int:
    """That of the first model that failed; 0 where none did."""
    return next((each.exit_code for each in results if each.error), 0)


def to_json(results: Sequence[Result], url: str, *, interrupted: bool = False) -> dict[str, Any]:
    """The document that `-o json=FILE` writes; every key is always there, null where it says nothing."""
    return {
        "format": FORMAT,
        "generator": {"name": "hatch-wallaroo", "version": __version__},
        "url": url,
        "exit_code": INTERRUPTED if interrupted else exit_code(results),
        "interrupted": interrupted,
        "models": [_model(each) for each in results],
    }


def _model(result: Result) -> dict[str, Any]:
    return {
        "manifest": result.manifest.name,
        "model": result.model or None,
        "version": result.version or None,
        "framework": result.framework or None,
        "sha256": result.sha256 or None,
        "size": result.size if result.sha256 else None,
        "workspace": {"id": result.workspace_id, "name": result.workspace},
        "model_version_id": result.version_id,
        "model_version": result.platform_version or None,
        "image": result.image or None,
        "outcome": result.outcome,
        "sent": result.sent,
        "status": result.status or None,
        "seconds": round(result.seconds, 3),
        "other_versions": list(result.twins),
        "error": _error(result),
    }


def _error(result: Result) -> dict[str, Any] | None:
    if result.error is None:
        return None
    names = {each.code: each.name for each in EXIT_CODES}
    return {
        "exit_code": result.exit_code,
        "kind": names.get(result.exit_code, "failed"),
        "message": printable(result.error.message, lines=True),
        "fix": printable(result.error.fix, lines=True) or None,
        "advice": [printable(each, lines=True) for each in result.advice],
        "log": [printable(each) for each in result.log],
    }


def line(result: Result) -> str:
    """A model's last line: name, version id, digest, workspace, time."""
    what = {"present": "already there", "uploaded": "uploaded, not waited for"}.get(result.outcome, result.outcome)
    status = f" ({result.status})" if result.outcome == "present" and result.status else ""
    size = f"  {human_size(result.size)}" if result.sent and result.size else ""
    digest = f"  sha256:{result.sha256[:16]}" if result.sha256 else ""
    return (
        f"{result.model} {result.version}: {what}{status}, version {result.version_id} in workspace {result.workspace}"
        f"{size}{digest}  {duration(result.seconds)}"
    )


def check_target(path: Path) -> None:
    """Whether the JSON can be written there, asked before anything is sent. Raises ConfigurationError."""
    try:
        kind = "a link" if path.is_symlink() else "a folder" if path.is_dir() else ""
        # The document comes to its place whole, by taking the place of what is there: a device would be gone.
        if kind or (path.exists() and not path.is_file()):
            raise ConfigurationError(
                f"-o json={path}: that is {kind or 'a device'}", "name a file, for example -o json=published.json"
            )
        usable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"-o json={path}: the folder cannot be written to", "name a file in a folder that exists"
        )


def write(path: Path, document: dict[str, Any]) -> None:
    """Write the document: readers find all of it or what was there before. Raises ConfigurationError."""
    data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                os.fchmod(descriptor, 0o644) if hasattr(os, "fchmod") else None
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path} could not be written: {error.strerror}", "name a file elsewhere") from error
