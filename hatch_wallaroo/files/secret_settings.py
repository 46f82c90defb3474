"""Secrets in `framework-config`: its values go to the platform with the upload, and into the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.secrets import text_hits
from hatch_wallaroo.findings import Finding, rule

SECRET_SETTING = rule(
    "WLR245",
    "a secret in a setting",
    why="Settings are uploaded as they are, and stand in the manifest beside the bundle, where others can read them.",
    source="The vendors' own descriptions of their tokens' form",
)
_OPTION = "framework-config"


def check_settings(spec: ModelSpec) -> Iterator[Finding]:
    """Refuse texts of the framework's configuration that look like secrets. The finding never holds the text."""
    for inside, kind in _hits(spec.framework_config or {}):
        named = ".".join((_OPTION, *map(str, inside)))
        yield SECRET_SETTING.finding(
            f"{named} holds what looks like {kind}",
            fix="remove it, read it from an environment variable where the model runs, and revoke it if others have "
            "seen it",
            place=spec.at(_OPTION, *inside),
        )


def _hits(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a secret stands, below the option, and its kind. One that is a key is told at the table it is in."""
    pending: list[tuple[tuple[str | int, ...], str, Any]] = [((), "", settings)]
    while pending:
        inside, name, value = pending.pop()
        if isinstance(value, Mapping):
            for key, each in reversed(list(value.items())):
                if kind := _kind(str(key)):
                    yield inside, kind
                else:
                    pending.append(((*inside, str(key)), str(key), each))
        elif isinstance(value, (list, tuple)):
            pending += [((*inside, index), name, each) for index, each in reversed(list(enumerate(value)))]
        elif isinstance(value, str) and (kind := _kind(value) or _kind(f'{name} = "{value}"')):
            yield inside, kind


def _kind(text: str) -> str | None:
    return next((hit.kind for hit in text_hits(text, "")), None)
