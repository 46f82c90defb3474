"""The state as the platform shows it in its answers, whose shape changed from release to release."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from hatch_wallaroo.releases.model import ApiSupport, FrameworkRow, Release
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
    """A workspace as `workspaces/list` has it, with the ids of its models and pipelines."""
    pipelines = [each.id for each in store.pipelines() if each.workspace_id == found.id]
    return {**workspace(found), "models": [each.id for each in store.models(found.id)], "pipelines": pipelines}


def log_line(text: str) -> str:
    """A line as the platform's logs have it: time, stream, mark, text. The SDK takes it apart in this form."""
    now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f"{now} stdout F {text}"
