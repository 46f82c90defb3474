"""The state as rows of the platform's GraphQL tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatch_wallaroo.sandbox.graphql import Resolver, Row
from hatch_wallaroo.sandbox.shapes import flat_version, model, model_config, summary, workspace
from hatch_wallaroo.sandbox.store import Store, StoredModel, StoredVersion, StoredWorkspace, timestamp


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
