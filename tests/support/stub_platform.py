"""A platform of objects, no server: for what a real one does too rarely or too slowly to be waited for."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatch_wallaroo.platform.errors import PlatformError
from hatch_wallaroo.platform.model_versions import ModelVersion, Workspace
from hatch_wallaroo.platform.screen import Screen


class StubPlatform:
    """Answers what it is told to: `held` versions by model name, `statuses` one after the other, then `final`."""

    def __init__(
        self, *held: ModelVersion, statuses: tuple[str | PlatformError, ...] = (), final: str = "ready"
    ) -> None:
        self.held = list(held)
        self.statuses = list(statuses)
        self.final = final
        self.spaces = [Workspace(5, "my-ws"), Workspace(6, "other")]
        self.answers: dict[str, Any] = {}
        self.uploads: list[tuple[str, int, str | None]] = []
        self.logs: list[str] = []
        self.summary = ""
        self.refusing: dict[str, PlatformError] = {}
        self.on_upload: Callable[[], None] = lambda: None

    def config(self) -> dict[str, Any]:
        if "config" in self.refusing:
            raise self.refusing["config"]
        return self.answers

    def workspaces(self) -> list[Workspace]:
        return self.spaces

    def create_workspace(self, name: str) -> Workspace:
        self.spaces.append(Workspace(9, name))
        return self.spaces[-1]

    def all_versions(self, workspace_id: int, name: str) -> list[ModelVersion]:
        return sorted((each for each in self.held if each.name == name), key=lambda each: -each.id)

    def version(self, version_id: int) -> ModelVersion:
        found = next(each for each in self.held if each.id == version_id)
        if found not in self.uploaded_now:
            return found
        status = self.statuses.pop(0) if self.statuses else self.final
        if isinstance(status, PlatformError):
            raise status
        return ModelVersion(found.id, found.name, "uuid", status, found.sha, error_summary=self.summary)

    uploaded_now: tuple[ModelVersion, ...] = ()

    def upload(
        self,
        manifest: Mapping[str, Any],
        file: Path | None,
        workspace_id: int,
        route: str | None = None,
        progress: Any = None,
    ) -> int:
        name = manifest["upload"]["name"]
        if name in self.refusing:
            raise self.refusing[name]
        self.uploads.append((name, workspace_id, route))
        self.on_upload()
        sha = manifest["file"]["sha256"] if file else ""
        made = ModelVersion(208 + len(self.held), name, sha=sha, status="uploading")
        self.held.append(made)
        self.uploaded_now += (made,)
        if progress and file:
            with suppress(ZeroDivisionError):
                progress(file.stat().st_size, file.stat().st_size)
        return made.id

    def upload_logs(self, version_id: int) -> list[str]:
        return self.logs


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Recorder(Screen):
    """A plain screen whose text can be read back."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.told, self.results = io.StringIO(), io.StringIO()
        super().__init__(self.told, self.results, clock=clock or Clock())

    @property
    def text(self) -> str:
        return self.told.getvalue()
