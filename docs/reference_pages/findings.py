"""docs/reference/findings.md, made from the rules that the code declares."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import hatch_wallaroo
from hatch_wallaroo.findings import Rule, declared_rules

_SUBJECTS = {
    "0": "The table",
    "1": "Releases and schemas",
    "2": "Files, secrets and requirements",
    "3": "ONNX, TensorFlow, Keras, PyTorch, scikit-learn and XGBoost",
    "4": "Hugging Face, vLLM, SGLang, Python steps and MLflow",
    "5": "BYOP",
    "6": "Bundles and builds",
    "7": "Preflight",
}
"""Headings by the first digit of a code."""


def all_rules() -> tuple[Rule, ...]:
    """Every rule of the package, by code: imports each of its modules."""
    for module in pkgutil.walk_packages(hatch_wallaroo.__path__, "hatch_wallaroo."):
        import_module(module.name)
    return declared_rules()


def markdown() -> str:
    """The reference page: a heading a subject, a section a rule."""
    parts = [
        "# Findings",
        "",
        "Every finding has a code that never changes its meaning. An error ends the build; a warning or a note does",
        "not. This page is made from the code: `python docs/make_reference.py`.",
    ]
    subject = ""
    for rule in all_rules():
        heading = _SUBJECTS[rule.code.removeprefix("WLR")[0]]
        if heading != subject:
            subject = heading
            parts += ["", f"## {subject}"]
        parts += ["", f"### {rule.code}: {rule.title}", "", f"Level: {rule.level.value}.", "", rule.why]
        parts += ["", f"Source: {rule.source}"]
    return "\n".join(parts) + "\n"
