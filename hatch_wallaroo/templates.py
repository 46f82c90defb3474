"""Where the templates are, in a source checkout and in an installed wheel, and how they are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def folder(kind: str) -> Path:
    """The folder of one kind of templates (`byop`, `image`, `project`, `sandbox`).

    Raises FileNotFoundError when the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for home in (package / "templates", package.parent / "templates"):
        if (home / kind).is_dir():
            return home / kind
    raise FileNotFoundError(f"the templates of {kind} are not installed beside {package}")


def environment(kind: str, *, html: bool = False) -> Environment:
    """A Jinja environment over one kind of templates; a missing value is an error.

    `html`: every value is escaped; otherwise none is, as Python, TOML and Dockerfiles are made.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(folder(kind)),
        undefined=StrictUndefined,
        autoescape=html,  # noqa: S701 - escaped where HTML is made, and only there
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["literal"] = ascii
    return made


def render(kind: str, name: str, values: Mapping[str, Any]) -> str:
    """Render one template. Raises jinja2's errors for a template that is not there or lacks a value."""
    return environment(kind).get_template(name).render(**values)
