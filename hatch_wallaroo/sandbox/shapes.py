"""The platform's answers about models and workspaces, and how their shape changed from release to release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.sandbox.store import Store, StoredModel, StoredVersion, StoredWorkspace, timestamp


@dataclass(frozen=True)
class Dialect:
    """What one release's answers look like.

    `native` and `container` are the statuses between `uploading` and the end, in order.
    `nested_lists`: `models/list` gives `{model, model_versions, workspace}` instead of the model alone.
    `file_size`: a version's `file_info` has a `size`. `summaries`: a version has an `error_summary`, and
    its upload logs can be asked for. `config`: `GET /v1/api/config` exists.
    """

    native: tuple[str, ...]
    container: tuple[str, ...]
    nested_lists: bool
    file_size: bool
    summaries: bool
    config: bool


_CONVERTING = ("pending_conversion", "converting")
_NATIVE = ("pending_load_native", "attempting_load_native")
_CONTAINER = ("pending_load_container", "attempting_load_container")


def dialect(release: Release) -> Dialect:
    """The dialect of a release. Source: the generated API clients in the SDK wheels 2023.2.1 to 2026.1.3."""
    year, _, rest = release.version.partition(".")
    version = (int(year), int(rest.partition(".")[0]))
    loads = version >= (2023, 4)
    return Dialect(
        native=_NATIVE if loads else _CONVERTING,
        container=_CONTAINER if loads else _CONVERTING,
        nested_lists=version >= (2024, 4),
        file_size=loads,
        summaries=version >= (2025, 2),
        config=version >= (2024, 2),
    )


def runtime(release: Release, row: FrameworkRow) -> str:
    """The `runtime` of a model's config: the native ones are called by their framework."""
    if row.runtime == "native":
        return row.name
    return "mlflow" if row.family == "mlflow" else release.byop.service


def model_version(found: StoredVersion, speaks: Dialect, user_id: str, release: str, now: float) -> dict[str, Any]:
    """A version as `get_version_by_id` has it, without its config."""
    record = found.record
    file_info: dict[str, Any] = {"version": record.version, "sha": record.sha, "file_name": record.file_name or ""}
    if speaks.file_size:
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
    if speaks.file_size:
        made |= {
            "created_on_version": release,
            "created_by": user_id,
            "created_at": timestamp(found.created_at),
            "deployed": False,
        }
    if speaks.summaries:
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


def configured(found: StoredVersion, speaks: Dialect, user_id: str, release: str, now: float) -> dict[str, Any]:
    return {
        "model_version": model_version(found, speaks, user_id, release, now),
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
