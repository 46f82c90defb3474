"""What the sandbox remembers, in SQLite: workspaces, models, pipelines, and the versions of both; no uploaded file."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hatch_wallaroo.text import describe_error

_FORMAT = 2
_TABLES = """
CREATE TABLE identity (user_id TEXT NOT NULL, default_workspace INTEGER REFERENCES workspaces);
CREATE TABLE workspaces (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created_at REAL NOT NULL, created_by TEXT NOT NULL
);
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id INTEGER NOT NULL REFERENCES workspaces, name TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL, UNIQUE (workspace_id, name)
);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model_id INTEGER NOT NULL REFERENCES models, created_at REAL NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX versions_of_models ON versions (model_id);
"""
_SINCE_2 = """
CREATE TABLE pipelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id INTEGER NOT NULL REFERENCES workspaces, name TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL, UNIQUE (workspace_id, name)
);
CREATE TABLE pipeline_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER NOT NULL REFERENCES pipelines, created_at REAL NOT NULL,
    version TEXT NOT NULL, definition TEXT NOT NULL
);
CREATE INDEX versions_of_pipelines ON pipeline_versions (pipeline_id);
"""
"""Tables that a state of the first format does not have yet."""


class StateError(Exception):
    """The state's folder cannot be used; the message says why."""


@dataclass(frozen=True)
class StoredWorkspace:
    """A workspace; `created_at` in seconds since 1970."""

    id: int
    name: str
    created_at: float
    created_by: str


@dataclass(frozen=True)
class StoredModel:
    """A model: a name in a workspace."""

    id: int
    workspace_id: int
    name: str
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class Record:
    """What an upload left: everything that a version's answers are made of.

    `ends` is `ready`, `error`, or `` for a conversion that never ends; `stages` are the statuses
    before that, each `pace` seconds long. `findings` are the checks' own, with code, level, file, line,
    message and fix; `contents` are the file's (:class:`Contents` as JSON). Both are for the pages only.
    """

    version: str
    visibility: str
    conversion: Mapping[str, Any]
    file_name: str | None
    sha: str
    size: int
    image_path: str | None
    runtime: str
    stages: tuple[str, ...]
    pace: float
    ends: str
    error_summary: str | None = None
    logs: tuple[str, ...] = ()
    config: Mapping[str, Any] | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    contents: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StoredVersion:
    """A version of a model, with the record of its upload."""

    id: int
    model: StoredModel
    created_at: float
    record: Record

    def status(self, now: float) -> str:
        """Where it stands at a time: one stage after the other, then its end."""
        stages, pace = self.record.stages, self.record.pace
        reached = int((now - self.created_at) / pace) if pace > 0 else len(stages)
        if reached < 0 or not stages:
            reached = 0 if stages else len(stages)
        if reached < len(stages):
            return stages[reached]
        return self.record.ends or stages[-1]


@dataclass(frozen=True)
class StoredPipeline:
    """A pipeline: a name in a workspace."""

    id: int
    workspace_id: int
    name: str
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class StoredPipelineVersion:
    """A version of a pipeline: `definition` as it was sent, with the steps."""

    id: int
    pipeline: StoredPipeline
    created_at: float
    version: str
    definition: Mapping[str, Any]


class Store:
    """The state in a folder. One process at a time; within it, any thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make the state. Raises StateError where it cannot be read or another sandbox has it."""
        self._lock = threading.RLock()
        path = folder / "state.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.OperationalError as error:
            said = "another sandbox is running with it" if "locked" in str(error) else str(error)
            raise StateError(f"{folder} cannot be used: {said}") from None
        except OSError as error:
            raise StateError(f"{folder} cannot be used: {describe_error(error)}") from None
        except (sqlite3.Error, TypeError) as error:
            raise StateError(f"{folder} holds no state of a sandbox: {error}") from None

    def _prepare(self) -> None:
        self._db.execute("BEGIN EXCLUSIVE")
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found == 0:
            self._make(_TABLES)
            self._db.execute("INSERT INTO identity VALUES (?, NULL)", (str(uuid.uuid4()),))
        if found in {0, 1}:
            self._make(_SINCE_2)
            self._db.execute(f"PRAGMA user_version = {_FORMAT}")
        self._db.execute("COMMIT")
        if found not in {0, 1, _FORMAT}:
            raise sqlite3.DatabaseError(f"its format is {found}, and this version reads {_FORMAT}")
        (self.user_id,) = self._db.execute("SELECT user_id FROM identity").fetchone()

    def _make(self, tables: str) -> None:
        for statement in tables.split(";"):
            self._db.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def workspaces(self) -> list[StoredWorkspace]:
        return [StoredWorkspace(*row) for row in self._rows("SELECT * FROM workspaces ORDER BY id")]

    def workspace(self, workspace_id: int) -> StoredWorkspace | None:
        rows = self._rows("SELECT * FROM workspaces WHERE id = ?", workspace_id)
        return StoredWorkspace(*rows[0]) if rows else None

    def create_workspace(self, name: str, created_by: str, now: float) -> StoredWorkspace | None:
        """Make a workspace; None where the name is taken."""
        with self._lock:
            made = self._db.execute(
                "INSERT INTO workspaces (name, created_at, created_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (name, now, created_by),
            )
            return self.workspace(made.lastrowid or 0) if made.rowcount else None

    def default_workspace(self) -> StoredWorkspace | None:
        (found,) = self._rows("SELECT default_workspace FROM identity")
        return self.workspace(found[0]) if found[0] is not None else None

    def set_default_workspace(self, workspace_id: int) -> None:
        self._rows("UPDATE identity SET default_workspace = ?", workspace_id)

    def models(self, workspace_id: int) -> list[StoredModel]:
        return [StoredModel(*row) for row in self._rows("SELECT * FROM models WHERE workspace_id = ?", workspace_id)]

    def model(self, model_id: int) -> StoredModel | None:
        rows = self._rows("SELECT * FROM models WHERE id = ?", model_id)
        return StoredModel(*rows[0]) if rows else None

    def versions(self, model_id: int) -> list[StoredVersion]:
        """A model's versions, the newest first."""
        rows = self._rows("SELECT id FROM versions WHERE model_id = ? ORDER BY id DESC", model_id)
        return [found for (each,) in rows if (found := self.version(each))]

    def version(self, version_id: int) -> StoredVersion | None:
        rows = self._rows("SELECT id, model_id, created_at, record FROM versions WHERE id = ?", version_id)
        model = self.model(rows[0][1]) if rows else None
        if model is None:
            return None
        return StoredVersion(rows[0][0], model, rows[0][2], _record(rows[0][3]))

    def add_version(self, workspace_id: int, name: str, record: Record, now: float) -> int:
        """Keep an upload as the newest version of its model; the version's id."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(
                    "INSERT INTO models (workspace_id, name, created_at, updated_at) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at",
                    (workspace_id, name, now, now),
                )
                select = "SELECT id FROM models WHERE workspace_id = ? AND name = ?"
                (model_id,) = self._db.execute(select, (workspace_id, name)).fetchone()
                insert = "INSERT INTO versions (model_id, created_at, record) VALUES (?, ?, ?)"
                made = self._db.execute(insert, (model_id, now, json.dumps(record.__dict__)))
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            return int(made.lastrowid or 0)

    def settle(
        self,
        version_id: int,
        ends: str,
        error_summary: str | None,
        logs: tuple[str, ...],
        findings: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Say how a version ends that was on its way without an end."""
        with self._lock:
            if found := self.version(version_id):
                told = replace(found.record, ends=ends, error_summary=error_summary, logs=logs)
                self._keep(version_id, replace(told, findings=(*told.findings, *findings)))

    def configure(self, version_id: int, config: Mapping[str, Any]) -> StoredVersion | None:
        """Change keys of a version's config."""
        with self._lock:
            found = self.version(version_id)
            if found is None:
                return None
            self._keep(version_id, replace(found.record, config={**(found.record.config or {}), **config}))
            return self.version(version_id)

    def _keep(self, version_id: int, record: Record) -> None:
        self._rows("UPDATE versions SET record = ? WHERE id = ?", json.dumps(record.__dict__), version_id)

    def pipelines(self) -> list[StoredPipeline]:
        return [StoredPipeline(*row) for row in self._rows("SELECT * FROM pipelines ORDER BY id")]

    def pipeline(self, pipeline_id: int) -> StoredPipeline | None:
        rows = self._rows("SELECT * FROM pipelines WHERE id = ?", pipeline_id)
        return StoredPipeline(*rows[0]) if rows else None

    def pipeline_versions(self, pipeline_id: int) -> list[StoredPipelineVersion]:
        """A pipeline's versions, the newest first."""
        rows = self._rows("SELECT id FROM pipeline_versions WHERE pipeline_id = ? ORDER BY id DESC", pipeline_id)
        return [found for (each,) in rows if (found := self.pipeline_version(each))]

    def pipeline_version(self, version_id: int) -> StoredPipelineVersion | None:
        rows = self._rows("SELECT * FROM pipeline_versions WHERE id = ?", version_id)
        pipeline = self.pipeline(rows[0][1]) if rows else None
        if pipeline is None:
            return None
        made, _, created_at, version, definition = rows[0]
        return StoredPipelineVersion(made, pipeline, created_at, version, json.loads(definition))

    def add_pipeline_version(self, workspace_id: int, name: str, definition: Mapping[str, Any], now: float) -> int:
        """Keep a definition as the newest version of its pipeline, which is made where there is none; its id."""
        with self._lock:
            self._rows(
                "INSERT INTO pipelines (workspace_id, name, created_at, updated_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at",
                workspace_id,
                name,
                now,
                now,
            )
            ((pipeline_id,),) = self._rows(
                "SELECT id FROM pipelines WHERE workspace_id = ? AND name = ?", workspace_id, name
            )
            made = self._db.execute(
                "INSERT INTO pipeline_versions (pipeline_id, created_at, version, definition) VALUES (?, ?, ?, ?)",
                (pipeline_id, now, str(uuid.uuid4()), json.dumps(definition)),
            )
            return int(made.lastrowid or 0)

    def version_named(self, name: str, version: str) -> StoredVersion | None:
        """A version by its model's name and its own, as a pipeline's step names it."""
        select = "SELECT versions.id FROM versions JOIN models ON models.id = model_id WHERE name = ? ORDER BY 1 DESC"
        found = (self.version(each) for (each,) in self._rows(select, name))
        return next((each for each in found if each and each.record.version == version), None)

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _record(text: str) -> Record:
    found = json.loads(text)
    several = {key: tuple(found.get(key, ())) for key in ("stages", "logs", "findings")}
    return Record(**{**found, **several})


def timestamp(seconds: float) -> str:
    """A time as the platform writes it: ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="microseconds")
