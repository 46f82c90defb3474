"""The state as the platform shows it: its answers, whose shape changed from release to release, and its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatch_wallaroo.releases.model import ApiSupport, FrameworkRow, Release
from hatch_wallaroo.sandbox.graphql import Resolver, Row
from hatch_wallaroo.sandbox.store import Store, StoredModel, StoredVersion, StoredWorkspace, timestamp


def runtime(release: Release, row: FrameworkRow) -> str:
    """The `runtime` of a model's config: the native ones are called by their framework."""
    if row.runtime == "native":
        return row.name
    return "mlflow" if row.family == "mlflow" else release.byop.service


def model_version(found: StoredVersion, api: ApiSupport, user_id: str, release: str, now: float) -> dict[str, Any]:
    """A version as `get_version_by_id` has it, without its config."""
    record = found.record
    file_info: dict[str, Any] = {"version": record.version, "sha": record.sha, "file_name": record.file_name or ""}
    if api.file_size:
        file_info["size"] = record.size
    made = {
        "name": found.model.name,
        "visibility": record.visibility,
        "workspace_id": found.model.workspace_id,
        "conversion": record.conversion,
        "id": found.id,
        "image_path": record.image_path,
        "status": found.status(now),
        "task_id": f"sandbox-{found.id}",
        "file_info": file_info,
    }
    if api.file_size:
        made |= {
            "created_on_version": release,
            "created_by": user_id,
            "created_at": timestamp(found.created_at),
            "deployed": False,
        }
    if api.error_summary:
        made["error_summary"] = summary(found, now)
    return made


def summary(found: StoredVersion, now: float) -> str | None:
    """What went wrong; nothing is said before it has."""
    return found.record.error_summary if found.status(now) == "error" else None


def model_config(found: StoredVersion) -> dict[str, Any]:
    """A version's config: the schemas stand here."""
    return {
        "id": found.id,
        "model_version_id": found.id,
        "runtime": found.record.runtime,
        "filter_threshold": None,
        "tensor_fields": None,
        "input_schema": None,
        "output_schema": None,
        "batch_config": None,
        "dynamic_batching_config": None,
        "continuous_batching_config": None,
        "openai": None,
        "queue_depth": None,
        "sidekick_uri": None,
        **(found.record.config or {}),
    }


def configured(found: StoredVersion, api: ApiSupport, user_id: str, release: str, now: float) -> dict[str, Any]:
    return {
        "model_version": model_version(found, api, user_id, release, now),
        "config": model_config(found),
    }


def model(found: StoredModel, user_id: str) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "owner_id": user_id,
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
    }


def flat_version(found: StoredVersion, user_id: str, now: float) -> dict[str, Any]:
    """A version as `list_versions` has it."""
    record = found.record
    return {
        "sha": record.sha,
        "models_pk_id": found.model.id,
        "model_version": record.version,
        "owner_id": user_id,
        "model_id": found.model.name,
        "id": found.id,
        "file_name": record.file_name,
        "image_path": record.image_path,
        "status": found.status(now),
    }


def workspace(found: StoredWorkspace) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "created_at": timestamp(found.created_at),
        "created_by": found.created_by,
        "archived": False,
    }


def listed_workspace(found: StoredWorkspace, store: Store) -> dict[str, Any]:
    """A workspace as `workspaces/list` has it, with the ids of its models."""
    return {**workspace(found), "models": [each.id for each in store.models(found.id)], "pipelines": []}


class Tables:
    """Resolvers over a store. `clock` gives the time in seconds since 1970."""

    def __init__(self, store: Store, release: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._release = release
        self._clock = clock

    def roots(self) -> Mapping[str, Resolver]:
        """The fields of `query_root` and `mutation_root`."""
        store = self._store
        return {
            "user_default_workspace": lambda _: self._defaults(),
            "workspace": lambda _: [self._workspace(each) for each in store.workspaces()],
            "models": lambda _: [self._model(each) for each in self._models()],
            "model": lambda _: [self._version(each) for found in self._models() for each in store.versions(found.id)],
            "workspace_by_pk": _by_id(store.workspace, self._workspace),
            "models_by_pk": _by_id(store.model, self._model),
            "model_by_pk": _by_id(store.version, self._version),
            "model_config_by_pk": _by_id(store.version, self._config),
            "insert_workspace_one": self._insert_workspace,
        }

    def _models(self) -> list[StoredModel]:
        return [each for found in self._store.workspaces() for each in self._store.models(found.id)]

    def _defaults(self) -> list[Row]:
        found = self._store.default_workspace()
        return [{"user_id": self._store.user_id, "workspace": self._workspace(found)}] if found else []

    def _insert_workspace(self, arguments: Mapping[str, Any]) -> Row | None:
        """Make a workspace, as the SDK makes a user's default one; one that is there already stays as it is."""
        given = arguments.get("object")
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str) or not name or not isinstance(given, dict):
            return None
        made = self._store.create_workspace(name, self._store.user_id, self._clock())
        found = made or next((each for each in self._store.workspaces() if each.name == name), None)
        if found and "user_default_workspaces" in given:
            self._store.set_default_workspace(found.id)
        return self._workspace(found) if found else None

    def _workspace(self, found: StoredWorkspace) -> Row:
        users = [{"user_id": self._store.user_id, "user_type": "OWNER", "workspace_id": found.id}]
        return {
            **workspace(found),
            "users": users,
            "pipelines": [],
            "models": lambda _: [self._model(each) for each in self._store.models(found.id)],
        }

    def _model(self, found: StoredModel) -> Row:
        return {
            **model(found, self._store.user_id),
            "workspace_id": found.workspace_id,
            "workspace": lambda _: self._workspace_of(found),
            "models": lambda _: [self._version(each) for each in self._store.versions(found.id)],
        }

    def _workspace_of(self, found: StoredModel) -> Row | None:
        owner = self._store.workspace(found.workspace_id)
        return self._workspace(owner) if owner else None

    def _version(self, found: StoredVersion) -> Row:
        now = self._clock()
        return {
            **flat_version(found, self._store.user_id, now),
            "created_on_version": self._release,
            "error_summary": summary(found, now),
            "task_id": f"sandbox-{found.id}",
            "updated_at": timestamp(found.created_at),
            "visibility": found.record.visibility,
            "conversion": dict(found.record.conversion),
            "model_tags": [],
            "model": lambda _: self._model(found.model),
        }

    def _config(self, found: StoredVersion) -> Row:
        return {**model_config(found), "model_id": found.id, "model": lambda _: self._version(found)}


def _by_id(find: Callable[[int], Any], row: Callable[[Any], Row]) -> Resolver:
    def resolve(arguments: Mapping[str, Any]) -> Row | None:
        asked = arguments.get("id")
        found = find(asked) if isinstance(asked, int) and abs(asked) < 1 << 63 else None
        return row(found) if found is not None else None

    return resolve
