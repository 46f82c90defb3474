"""The MLOps API: workspaces, models, their versions, and the upload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from hatch_wallaroo.platform import model_versions
from hatch_wallaroo.platform.auth import Authenticator
from hatch_wallaroo.platform.credentials import cleaned
from hatch_wallaroo.platform.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    RefusedError,
)
from hatch_wallaroo.platform.model_versions import Model, ModelVersion, Workspace
from hatch_wallaroo.platform.multipart import Progress, UploadBody
from hatch_wallaroo.platform.options import ROUTES
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.transport import REPEATED, Response, Retrying, Transport

API = "/v1/api"
_LONGEST_LINE = 2000

_FIXES: Mapping[int, str] = {
    403: "Ask the owner of the workspace, or an administrator, for the right to do this.",
    404: "Check the url, and that the workspace and the model are still there.",
    413: "A proxy before the platform limits the size of an upload: ask its administrator.",
    507: "The platform has no room left for models: ask its administrator.",
}


def connect(
    settings: Settings,
    *,
    tell: Callable[[str], None] | None = None,
    on_retry: Callable[[Retrying], None] | None = None,
) -> Platform:
    """The platform that the settings name. Nothing is sent yet. Raises ConfigurationError.

    `tell` shows the lines of a login in the browser (None: nobody is there), `on_retry` each repeat.
    """
    transport = Transport(
        settings.url,
        ca_cert=settings.ca_cert,
        timeout=settings.timeout,
        connect_timeout=settings.timeout_connect,
        retries=settings.retries,
        on_retry=on_retry,
    )
    return Platform(transport, Authenticator(settings, transport, tell=tell))


def upload_metadata(upload: Mapping[str, Any], workspace_id: int) -> dict[str, Any]:
    """A manifest's `upload` with the workspace's id behind `visibility`, where the SDK has it."""
    made: dict[str, Any] = {}
    for key, value in upload.items():
        if key != "workspace_id":
            made[key] = value
        if key == "visibility":
            made["workspace_id"] = workspace_id
    if "workspace_id" not in made:
        raise ConfigurationError("The manifest's upload has no visibility.", "Build the model anew.")
    return made


def upload_request(
    manifest: Mapping[str, Any],
    file: Path | None,
    workspace_id: int,
    route: str | None = None,
    progress: Progress | None = None,
) -> tuple[str, UploadBody]:
    """Path and body of an upload, nothing sent: what the dry run shows and what the wire gets are one.

    The file's name on the wire is the manifest's. Raises ConfigurationError.
    """
    upload = manifest.get("upload")
    where = route or manifest.get("route")
    if not isinstance(upload, Mapping) or where not in ROUTES:
        raise ConfigurationError("The manifest does not say what to upload, or where to.", "Build the model anew.")
    described = manifest.get("file")
    name = described.get("name") if isinstance(described, Mapping) else None
    named = name if isinstance(name, str) else None
    body = UploadBody(upload_metadata(upload, workspace_id), file, named, progress=progress)
    return f"{API}/models/{where}", body


class Platform:
    """One platform, as one user. Every method raises AuthenticationError, RefusedError or ConnectionFailedError."""

    def __init__(self, transport: Transport, authenticator: Authenticator) -> None:
        self.transport = transport
        self.authenticator = authenticator
        transport.authorizer = authenticator

    @property
    def url(self) -> str:
        return self.transport.url

    def config(self) -> dict[str, Any]:
        """What the platform says about itself, such as `default_arch`; {} from releases before 2024.2."""
        response = self.transport.request("GET", f"{API}/config")
        if response.status in {404, 405}:
            return {}
        made = _checked(response)
        return dict(made) if isinstance(made, dict) else {}

    def workspaces(self) -> list[Workspace]:
        """The workspaces that this user sees."""
        made = self._post("workspaces/list", {})
        if not isinstance(made, (dict, list)):
            raise _unexpected(f"{API}/workspaces/list")
        return model_versions.workspaces(made)

    def create_workspace(self, name: str) -> Workspace:
        """A new workspace. Where the answer was lost, the one that was made is taken."""
        known = {each.id for each in self.workspaces()}

        def made_already() -> None:
            for each in self.workspaces():
                if each.name == name and each.id not in known:
                    raise _AlreadyThere(each.id)

        try:
            made = self._post("workspaces/create", {"workspace_name": name}, before_repeat=made_already)
        except _AlreadyThere as found:
            return Workspace(found.id, name)
        number = model_versions.identifier(made.get("workspace_id")) if isinstance(made, dict) else None
        if number is None:
            raise _unexpected(f"{API}/workspaces/create")
        return Workspace(number, name)

    def models(self, workspace_id: int) -> list[Model]:
        """The models of a workspace."""
        made = self._post("models/list", {"workspace_id": workspace_id})
        if not isinstance(made, (dict, list)):
            raise _unexpected(f"{API}/models/list")
        return model_versions.models(made)

    def versions(self, model_id: int, name: str | None = None) -> list[ModelVersion]:
        """The versions of a model, newest first. `name`: its name, which releases take beside the id."""
        asked: dict[str, Any] = {"models_pk_id": model_id}
        if name is not None:
            asked = {"model_id": name, **asked}
        made = self._post("models/list_versions", asked)
        if not isinstance(made, (dict, list)):
            raise _unexpected(f"{API}/models/list_versions")
        return model_versions.versions(made)

    def version(self, version_id: int) -> ModelVersion:
        """A version with its status, and its error where it has one."""
        made = self._post("models/get_version_by_id", {"model_version_id": version_id})
        found = model_versions.model_version(made) if isinstance(made, dict) else None
        if found is None or found.id != version_id:
            raise _unexpected(f"{API}/models/get_version_by_id")
        return replace(found, error_summary=self._without_secrets(found.raw.get("error_summary")))

    def versions_of(self, model: Model) -> list[ModelVersion]:
        """A model's versions, newest first; asked for where the list of models did not bring them along."""
        made = model.versions if model.versions is not None else self.versions(model.id, model.name)
        return model_versions.newest_first(replace(each, name=model.name) for each in made)

    def all_versions(self, workspace_id: int, name: str) -> list[ModelVersion]:
        """The versions of the model of that name in a workspace, newest first; [] where there is no such model."""
        named = [each for each in self.models(workspace_id) if each.name == name]
        return model_versions.newest_first(version for model in named for version in self.versions_of(model))

    def upload_logs(self, version_id: int) -> list[str]:
        """The lines of an upload's log; [] from releases before 2025.2, which keep none."""
        response = self.transport.request(
            "POST", f"{API}/models/get_upload_logs", json={"model_version_id": version_id, "lines": None}
        )
        if response.status in {404, 405}:
            return []
        found = model_versions.lines(_checked(response))
        return [cleaned(line, self.transport.concealed, _LONGEST_LINE) for line in found]

    def upload(
        self,
        manifest: Mapping[str, Any],
        file: Path | None,
        workspace_id: int,
        route: str | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Upload a bundle, or (without a file) register an image; the version's id.

        A broken upload is sent again from its start, and before that the platform is asked whether the
        first one arrived: then its id is the answer. Also raises ConfigurationError where the file changed.
        """
        path, body = upload_request(manifest, file, workspace_id, route, progress)
        name, digest = str(manifest["upload"].get("name")), _digest(manifest)
        image = str(manifest["upload"].get("image_path") or "")
        known = {each.id for each in self.all_versions(workspace_id, name)}

        def arrived() -> None:
            for each in self.all_versions(workspace_id, name):
                if each.holds(digest if file else "", image) and each.id not in known:
                    raise _AlreadyThere(each.id)

        self.authenticator.freshen()
        try:
            response = self.transport.request("POST", path, body=body, before_repeat=arrived)
            if response.status in REPEATED:
                arrived()
        except _AlreadyThere as found:
            return found.id
        except ConnectionFailedError:
            try:
                arrived()
            except _AlreadyThere as found:
                return found.id
            raise
        number = model_versions.uploaded(_checked(response))
        if number is None:
            raise _unexpected(path)
        return number

    def configure(self, version_id: int, config: Mapping[str, Any]) -> None:
        """Set keys of a version's configuration: `input_schema` and `output_schema`, as base64.

        Source: SDK 2023.2.1, model.py: `_configure_via_models`.
        """
        self._post("models/insert_model_config", {"model_version_id": version_id, **config})

    def _post(self, path: str, asked: Mapping[str, Any], before_repeat: Callable[[], None] | None = None) -> Any:
        response = self.transport.request("POST", f"{API}/{path}", json=asked, before_repeat=before_repeat)
        return _checked(response)

    def _without_secrets(self, summary: object) -> str:
        """The summary as the platform sent it: what was cut already may end with half a secret."""
        return cleaned(summary, self.transport.concealed, 20_000, lines=True) if isinstance(summary, str) else ""


class _AlreadyThere(Exception):  # noqa: N818  # carries an answer, no error
    """What was to be sent once more has arrived already."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.id = number


def _digest(manifest: Mapping[str, Any]) -> str:
    described = manifest.get("file")
    return str(described.get("sha256", "")).lower() if isinstance(described, Mapping) else ""


def _checked(response: Response) -> Any:
    """The JSON of a good answer. Raises what a bad one means."""
    if not 200 <= response.status < 300:  # noqa: PLR2004  # HTTP
        _refuse(response)
    return response.json()


def _refuse(response: Response) -> NoReturn:
    status, words = response.status, response.words()
    tail = f": {words}" if words else "."
    if status == 401:  # noqa: PLR2004  # HTTP
        raise AuthenticationError(
            f"{response.asked} is not allowed for this login (401){tail}",
            "Sign in again, and check that the login is for this platform.",
        )
    if status in REPEATED:
        raise ConnectionFailedError(f"{response.asked} is answered {status} again and again{tail}", "Try again later.")
    if 300 <= status < 400:  # noqa: PLR2004  # HTTP
        raise ConnectionFailedError(f"{response.asked} redirects ({status}) to nowhere.", "Check the url.")
    raise RefusedError(f"{response.asked} is refused ({status}){tail}", _FIXES.get(status, ""), status)


def _unexpected(path: str) -> RefusedError:
    return RefusedError(
        f"{path} is answered in a form that is not known.", "Check the url; a newer hatch-wallaroo may know it."
    )
