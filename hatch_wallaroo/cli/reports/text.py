"""For a person: the findings as a build shows them, and a last line that says what was checked."""

from __future__ import annotations

from hatch_wallaroo.project.checking import ModelResult, Result
from hatch_wallaroo.report import render
from hatch_wallaroo.text import listed, one_line

_MOST_NAMED = 3


def text(result: Result, *, color: bool) -> str:
    """The report, without a newline at its end."""
    said = render(result.findings, color=color)
    return f"{said}\n{summary(result)}" if said else summary(result)


def summary(result: Result) -> str:
    """One line: which models were checked for which release, how long it took, whether anything was found."""
    took = f"in {result.seconds:.2f} s"
    if not result.models:
        return f"checked pyproject.toml {took}: it describes no model that could be read"
    if len(result.models) > _MOST_NAMED:
        what = f"{len(result.models)} models"
    else:
        what = listed([_named(model) for model in result.models])
    return f"checked {what} {took}" + ("" if result.findings else ": no findings")


def _named(model: ModelResult) -> str:
    if model.checked is None:
        return one_line(model.name)
    spec = model.checked.spec
    return one_line(f"{spec.name} ({spec.framework.name}, release {spec.release.asked})")
