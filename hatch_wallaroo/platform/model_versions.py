"""The answers of the models and workspaces endpoints, old (2023) and new (2026), read without trust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hatch_wallaroo.platform.credentials import cleaned

READY = "ready"
ERROR = "error"
_MOST = 100_000


@dataclass(frozen=True)
class Workspace:
    """A workspace: what a platform's models and pipelines stand in."""

    id: int
    name: str


@dataclass(frozen=True)
class Model:
    """A model: a name in a workspace, with versions; `versions` where the platform sent them along (None: ask)."""

    id: int
    name: str
    versions: tuple[ModelVersion, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model, as far as the platform told it; "" and None stand for what it did not.

    `version` is the platform's own name of it (a UUID), `sha` the SHA-256 of the uploaded file in lower case,
    `status` one of uploading, pending_load_native, attempting_load_native, pending_load_container,
    attempting_load_container, ready, error; `runtime` one of onnx, tensorflow, flight, mlflow.
    """

    id: int
    name: str = ""
    version: str = ""
    status: str = ""
    sha: str = ""
    file_name: str = ""
    size: int | None = None
    created: str = ""
    workspace_id: int | None = None
    runtime: str = ""
    arch: str | None = None
    accel: str | None = None
    framework: str = ""
    image_path: str = ""
    error_summary: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_ready(self) -> bool:
        return self.status == READY

    @property
    def is_failed(self) -> bool:
        return self.status == ERROR

    def holds(self, sha256: str, image_path: str = "") -> bool:
        """Whether it was made of the file with this SHA-256; where that is empty, of this container image."""
        return self.sha == sha256 if sha256 else bool(image_path) and self.image_path == image_path


def workspaces(made: Any) -> list[Workspace]:
    """`workspaces/list`: `{"workspaces": [{id, name, …}]}`; archived ones are left out."""
    found = []
    for entry in tables(_under(made, "workspaces")):
        number = identifier(entry.get("id"))
        if number is not None and entry.get("archived") is not True:
            found.append(Workspace(number, _text(entry, "name")))
    return found


def models(made: Any) -> list[Model]:
    """`models/list`: flat items in 2023, `{model, model_versions, workspace}` in 2026."""
    found = []
    for entry in tables(_under(made, "models")):
        inner = entry.get("model")
        item = inner if isinstance(inner, dict) else entry
        number = identifier(item.get("id"))
        if number is None:
            continue
        sent = entry.get("model_versions")
        along = tuple(filter(None, map(model_version, tables(sent)))) if isinstance(sent, list) else None
        found.append(Model(number, _text(item, "name"), along))
    return found


def versions(made: Any) -> list[ModelVersion]:
    """`models/list_versions`: a bare list, or one under a key; newest first."""
    for key in ("model_versions", "versions", "models"):
        made = _under(made, key) if isinstance(made, dict) and key in made else made
    return newest_first(filter(None, map(model_version, tables(made))))


def newest_first(found: Iterable[ModelVersion]) -> list[ModelVersion]:
    return sorted(found, key=lambda each: each.id, reverse=True)


def model_version(entry: Mapping[str, Any]) -> ModelVersion | None:
    """One version: flat as `list_versions` has it, or under `model_version` (once or twice) with its `config`."""
    config: Any = {}
    inner: Any = entry
    for _ in range(3):
        if not isinstance(inner.get("model_version"), dict):
            break
        config = inner.get("config") or config
        inner = inner["model_version"]
    number = identifier(inner.get("id")) or identifier(_mapping(config).get("model_version_id"))
    if number is None:
        return None
    file, conversion = _mapping(inner.get("file_info")), _mapping(inner.get("conversion"))
    size = file.get("file_size", file.get("size"))
    accel = conversion.get("accel")
    return ModelVersion(
        id=number,
        name=_text(inner, "name") or _text(inner, "model_id"),
        version=_text(file, "version") or _text(inner, "model_version"),
        status=(_text(inner, "status") or "").lower(),
        sha=(_text(file, "sha") or _text(inner, "sha")).lower(),
        file_name=_text(file, "file_name") or _text(inner, "file_name"),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        created=_text(inner, "created_at"),
        workspace_id=identifier(inner.get("workspace_id")),
        runtime=_text(_mapping(config), "runtime"),
        arch=_text(conversion, "arch") or None,
        accel=next(iter(accel), None) if isinstance(accel, dict) else (_text(conversion, "accel") or None),
        framework=_text(conversion, "framework"),
        image_path=_text(inner, "image_path"),
        error_summary=_text(inner, "error_summary", longest=20_000, lines=True),
        raw={**inner, "config": config},
    )


def uploaded(made: Any) -> int | None:
    """The version's id in the answer of an upload: `{"insert_models": {"returning": [{"models": [{"id": n}]}]}}`."""
    returned = tables(_mapping(_mapping(made).get("insert_models")).get("returning"))
    for each in returned:
        for inner in tables(each.get("models")):
            number = identifier(inner.get("id"))
            if number is not None:
                return number
    return None


def lines(made: Any) -> list[str]:
    """`get_upload_logs`: `{"logs": […]}`, each a text or a table with one."""
    found = []
    logs = _mapping(made).get("logs")
    for each in logs[-_MOST:] if isinstance(logs, list) else []:
        text = each if isinstance(each, str) else next((v for v in _mapping(each).values() if isinstance(v, str)), "")
        found += text.splitlines()
    return found


def identifier(value: Any) -> int | None:
    """A positive whole number, also one in a string; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:  # noqa: PLR2004  # 2**63
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def tables(value: Any) -> Iterator[Mapping[str, Any]]:
    """The tables of a list; nothing where it is none."""
    if isinstance(value, list):
        yield from (each for each in value[:_MOST] if isinstance(each, dict))


def look_up(raw: Mapping[str, Any], paths: tuple[str, ...]) -> Iterator[Any]:
    """The values at dotted paths, wherever in the nested tables of an answer those begin (outermost first)."""
    level: list[Mapping[str, Any]] = [raw]
    while level:
        for table in level:
            for path in paths:
                value: Any = table
                for part in path.split("."):
                    value = value.get(part) if isinstance(value, Mapping) else None
                if value is not None:
                    yield value
        level = [value for table in level for value in table.values() if isinstance(value, Mapping)]


def _under(made: Any, key: str) -> Any:
    return made.get(key) if isinstance(made, dict) else made


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(table: Mapping[str, Any], key: str, *, longest: int = 600, lines: bool = False) -> str:
    value = table.get(key)
    return cleaned(value, longest=longest, lines=lines) if isinstance(value, str) else ""
