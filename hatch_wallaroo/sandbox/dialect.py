"""How the platform's answers changed from release to release, as data."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_wallaroo.releases.model import FrameworkRow, Release


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
