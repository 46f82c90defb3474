"""The rules about a project: its own metadata, the options of the build hook, and whether a build makes a bundle."""

from __future__ import annotations

from hatch_wallaroo.findings import Level, rule

UNKNOWN_OPTION = rule(
    "WLR640",
    "unknown option of the build hook",
    why="An option that nobody reads is most often a misspelt one.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
WRONG_TYPE = rule(
    "WLR641",
    "an option of the build hook has the wrong type",
    why="The hook would act on something that was not meant.",
    source="[tool.hatch.build.hooks.wallaroo]",
)
NOT_IN_SDIST = rule(
    "WLR642",
    "the hook does not run for the sdist",
    why="Without it the sdist holds what git tracks, and models are most often ignored by git: there is nothing to "
    "build the bundle from where a front end makes the wheel from the sdist.",
    source="python -m build and uv build, which build the wheel from an unpacked sdist",
    level=Level.WARNING,
)
NO_PROJECT = rule(
    "WLR650",
    "the project's own metadata cannot be read",
    why="A bundle is named by the project's name and version, and takes its requirements from there.",
    source="PEP 621, and what Hatchling answers",
)
UNKNOWN_HERE = rule(
    "WLR651",
    "what the project computes of itself is not known here",
    why="A version or dependencies that are computed when the project is built may need a plugin that is not "
    "installed beside this command. All that does not depend on them is checked.",
    source="`dynamic` of [project]",
    level=Level.NOTE,
)
NO_BUNDLE = rule(
    "WLR665",
    "hatch build makes no bundle here",
    why="The bundle is made by Hatchling, with hatch-wallaroo among the build's requirements and its build hook or "
    "its target `wallaroo` asked for. Everything else builds a wheel, and says nothing of the model.",
    source="[build-system] and [tool.hatch.build]",
    level=Level.WARNING,
)
