"""The build context: a Dockerfile, the requirements, and the model's folder, as an engine takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hatch_wallaroo.config.spec import ImageSpec, ModelSpec
from hatch_wallaroo.config.text_types import ImageReferenceValue
from hatch_wallaroo.files.sources import Entry, TextSource
from hatch_wallaroo.findings import Finding, rule
from hatch_wallaroo.text import one_line

MLFLOW = "1.30.0"
"""The version of MLflow whose containers the platform runs. Source: upload guide, Containerized MLFlow."""

MODEL = "model"
"""The model's folder in the context."""

NAME = rule(
    "WLR468",
    "a name that no image can have",
    why="Engines and registries take lower-case paths and tags of at most 128 characters.",
    source="The OCI distribution specification: names and references",
)
IGNORE = ".dockerignore"
_LONGEST_REPOSITORY = 255
_OCI = "org.opencontainers.image"


def image_of(spec: ModelSpec) -> ImageSpec:
    """The image's settings; a spec of this framework always has some."""
    if spec.image is None:
        raise ValueError(f"{spec.name} is no container image")
    return spec.image


def image_repository(spec: ModelSpec) -> str:
    """The image's name without its tag: `registry.example.com/models/NAME`."""
    registry = image_of(spec).registry
    return f"{registry.rstrip('/')}/{spec.name.lower()}" if registry else spec.name.lower()


def image_reference(spec: ModelSpec) -> str:
    """The image's name with its tag, which is the project's version where none is set."""
    # A tag takes neither the `+` of a local version nor the `!` of an epoch; all else of PEP 440 it takes.
    return f"{image_repository(spec)}:{image_of(spec).tag or re.sub('[+!]', '-', spec.version)}"


def check_name(spec: ModelSpec) -> tuple[Finding, ...]:
    """Whether engines take the name that the image will have: each of its parts may be good, and the whole not."""
    name = image_reference(spec)
    if re.fullmatch(ImageReferenceValue.form, name, re.ASCII) and len(image_repository(spec)) <= _LONGEST_REPOSITORY:
        return ()
    message = f"the image would be called {one_line(name)[:200]}, and no engine takes that"
    fix = "set image.tag, of at most 128 letters, digits, _, . and -, or a shorter image.registry"
    return (NAME.finding(message, fix=fix, place=spec.at("image")),)


def build_context(spec: ModelSpec, model: Iterable[Entry], requirements: str) -> tuple[Entry, ...]:
    """All entries of a build context. `model`: those below `model/`; `requirements`: MLflow's own line among them."""
    from hatch_wallaroo import templates

    image = image_of(spec)
    made = templates.environment("image")
    made.filters["dockerfile"] = _quoted
    values = {
        "name": spec.name,
        "version": spec.version,
        "mlflow": MLFLOW,
        "base": image.base,
        "packages": image.packages,
        "platform": image.platform,
        "labels": image_labels(spec),
    }
    return (
        Entry("Dockerfile", TextSource(made.get_template("Dockerfile.jinja").render(**values))),
        Entry(IGNORE, TextSource(made.get_template("dockerignore.jinja").render())),
        Entry("requirements.txt", TextSource(requirements)),
        *sorted(model, key=lambda entry: entry.path.encode()),
    )


def image_labels(spec: ModelSpec) -> Mapping[str, str]:
    """The usual labels, and the user's, which win."""
    source = spec.project.source
    return {
        f"{_OCI}.title": spec.name,
        f"{_OCI}.version": spec.version,
        **({f"{_OCI}.source": source} if source else {}),
        **image_of(spec).labels,
    }


def _quoted(text: str) -> str:
    """A string of a Dockerfile, in which nothing stands for something else."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
