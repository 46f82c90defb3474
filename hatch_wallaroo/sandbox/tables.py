"""The state as the platform's database shows it: rows with their relations, as GraphQL asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatch_wallaroo.sandbox import shapes
from hatch_wallaroo.sandbox.deployments import Deployment, Deployments
from hatch_wallaroo.sandbox.graphql import Resolver, Row
from hatch_wallaroo.sandbox.steps import models_of
from hatch_wallaroo.sandbox.store import (
    Store,
    StoredModel,
    StoredPipeline,
    StoredPipelineVersion,
    StoredVersion,
    StoredWorkspace,
    timestamp,
)


class Tables:
    """Resolvers over a store and what is deployed. `clock` gives the time in seconds since 1970."""

    def __init__(self, store: Store, deployments: Deployments, release: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._deployments = deployments
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
            "pipeline": lambda _: [self._pipeline(each) for each in store.pipelines()],
            "deployment": lambda _: [self._deployment(each) for each in self._deployments.all()],
            "workspace_by_pk": _by_id(store.workspace, self._workspace),
            "models_by_pk": _by_id(store.model, self._model),
            "model_by_pk": _by_id(store.version, self._version),
            "model_config_by_pk": _by_id(store.version, self._config),
            "pipeline_by_pk": _by_id(store.pipeline, self._pipeline),
            "pipeline_version_by_pk": _by_id(store.pipeline_version, self._pipeline_version),
            "deployment_by_pk": _by_id(self._deployments.get, self._deployment),
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
            **shapes.workspace(found),
            "users": users,
            "pipelines": lambda _: [
                self._pipeline(each) for each in self._store.pipelines() if each.workspace_id == found.id
            ],
            "models": lambda _: [self._model(each) for each in self._store.models(found.id)],
        }

    def _model(self, found: StoredModel) -> Row:
        return {
            **shapes.model(found, self._store.user_id),
            "workspace_id": found.workspace_id,
            "workspace": lambda _: self._workspace_by_id(found.workspace_id),
            "models": lambda _: [self._version(each) for each in self._store.versions(found.id)],
        }

    def _workspace_by_id(self, workspace_id: int) -> Row | None:
        owner = self._store.workspace(workspace_id)
        return self._workspace(owner) if owner else None

    def _version(self, found: StoredVersion) -> Row:
        now = self._clock()
        return {
            **shapes.flat_version(found, self._store.user_id, now),
            "created_on_version": self._release,
            "error_summary": shapes.summary(found, now),
            "task_id": f"sandbox-{found.id}",
            "updated_at": timestamp(found.created_at),
            "visibility": found.record.visibility,
            "conversion": dict(found.record.conversion),
            "model_tags": [],
            "model": lambda _: self._model(found.model),
        }

    def _config(self, found: StoredVersion) -> Row:
        return {**shapes.model_config(found), "model_id": found.id, "model": lambda _: self._version(found)}

    def _pipeline(self, found: StoredPipeline) -> Row:
        def deployment(_: Mapping[str, Any]) -> Row | None:
            made = self._deployments.of_pipeline(found.id)
            return self._deployment(made) if made else None

        return {
            "id": found.id,
            "pipeline_id": found.name,
            "created_at": timestamp(found.created_at),
            "updated_at": timestamp(found.updated_at),
            "visibility": "private",
            "owner_id": self._store.user_id,
            "pipeline_tags": [],
            "pipeline_versions": lambda _: [
                self._pipeline_version(each) for each in self._store.pipeline_versions(found.id)
            ],
            "workspace": lambda _: self._workspace_by_id(found.workspace_id),
            "deployment": deployment,
        }

    def _pipeline_version(self, found: StoredPipelineVersion) -> Row:
        made = self._deployments.of_pipeline(found.pipeline.id)
        deployed = [made] if made and made.version.id == found.id else []
        return {
            "id": found.id,
            "created_on_version": self._release,
            "created_at": timestamp(found.created_at),
            "updated_at": timestamp(found.created_at),
            "version": found.version,
            "definition": dict(found.definition),
            "pipeline_publishes": [],
            "pipeline": lambda _: self._pipeline(found.pipeline),
            "deployment_pipeline_versions": lambda _: [self._deployed(each) for each in deployed],
            "deployment_model_configs": lambda _: self._configs(found),
        }

    def _deployment(self, found: Deployment) -> Row:
        return {
            "id": found.id,
            "deploy_id": found.name,
            "deployed": found.deployed,
            "engine_config": dict(found.engine_config),
            "limit_status": None,
            "pipeline": lambda _: self._pipeline(found.version.pipeline),
            "deployment_pipeline_versions": lambda _: [self._deployed(found)],
            "deployment_model_configs": lambda _: self._configs(found.version),
        }

    def _deployed(self, found: Deployment) -> Row:
        """Which version of a pipeline is deployed by which deployment."""
        return {
            "created_at": timestamp(found.created_at),
            "updated_at": timestamp(found.created_at),
            "pipeline_version_pk_id": found.version.id,
            "deployment": lambda _: self._deployment(found),
            "pipeline_version": lambda _: self._pipeline_version(found.version),
        }

    def _configs(self, found: StoredPipelineVersion) -> list[Row]:
        return [{"model_config": self._config(each)} for each in models_of(found.definition, self._store)]


def _by_id(find: Callable[[int], Any], row: Callable[[Any], Row]) -> Resolver:
    def resolve(arguments: Mapping[str, Any]) -> Row | None:
        asked = arguments.get("id")
        found = find(asked) if isinstance(asked, int) and abs(asked) < 1 << 63 else None
        return row(found) if found is not None else None

    return resolve
