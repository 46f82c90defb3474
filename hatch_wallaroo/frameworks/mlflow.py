"""MLflow containers: declared and checked like any model, but no bundle comes of them."""

from __future__ import annotations

from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.findings import Level, rule
from hatch_wallaroo.frameworks.base import Family, Inspection, Layout, Planned

NO_BUNDLE = rule(
    "WLR460",
    "an MLflow model is a container image, not a bundle",
    why="Wallaroo runs MLflow 1.30.0 models from a container registry; there is no file that it could take instead.",
    source="Upload guide, section on MLflow",
    level=Level.WARNING,
)


class MLflow(Family):
    """Configuration only: the table is read and checked, the image is not built by this version."""

    def plan(self, spec: ModelSpec) -> Planned:
        return Planned(
            None,
            (
                NO_BUNDLE.finding(
                    f"{spec.name}: framework mlflow needs a container image, which this version does not build: "
                    "no bundle is made of it",
                    fix="build the image with MLflow 1.30.0, or declare the model under its own framework "
                    "(sklearn, pytorch, …) or as custom",
                    place=spec.at("framework"),
                ),
            ),
        )

    def inspect(self, spec: ModelSpec, layout: Layout) -> Inspection:  # noqa: ARG002 - plan never gives a layout
        return Inspection()
