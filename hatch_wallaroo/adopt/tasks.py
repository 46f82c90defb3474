"""Which of Wallaroo's frameworks take a Hugging Face model, by its config.json: the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatch_wallaroo.frameworks.hugging_face_tasks import PREFIX, Task, fitting
from hatch_wallaroo.releases.model import Release

_LANGUAGE = ("vllm", "sglang")
_TRANSLATORS = ("Marian", "M2M100", "NllbMoe", "FSMT", "MBart")
_LAST = ("feature-extraction", "sentiment-analysis")
"""What nearly any model fits, and what is another under a second name."""


def frameworks_for(config: Mapping[str, Any], release: Release) -> tuple[tuple[str, ...], str]:
    """The frameworks of a release that fit, and why the first of several is the first; none for an unknown class."""
    named = config.get("architectures")
    names = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    fits = [task for name in names for task in fitting(name) if task.framework in release.frameworks]
    tasks = sorted(dict.fromkeys(fits), key=lambda task: _LAST.index(task.name) if task.name in _LAST else -1)
    if not tasks:
        return (), ""
    first, why = _likeliest(tasks, names, config)
    found = [first.framework, *(each.framework for each in tasks if each is not first)]
    if first.name == "text-generation":
        found += [each for each in _LANGUAGE if each in release.frameworks]
    found = [each for each in found if each not in _no_choice(config)]
    if len(found) > 1 and not why:
        why = f"the first that fits; so do {', '.join(found[1:])}"
    return tuple(found), why


def _no_choice(config: Mapping[str, Any]) -> set[str]:
    """What fits by its class and is no choice: another's second name, and what asks for a class that is not there."""
    labels = config.get("label2id")
    without = isinstance(labels, dict) and not _knows_entailment(labels)
    return {f"{PREFIX}sentiment-analysis", *([f"{PREFIX}zero-shot-classification"] if without else ())}


def _knows_entailment(labels: Mapping[str, Any]) -> bool:
    return any(str(label).lower().startswith("entail") for label in labels)


def _likeliest(tasks: list[Task], names: list[str], config: Mapping[str, Any]) -> tuple[Task, str]:
    by_name = {task.name: task for task in tasks}
    labels = config.get("label2id")
    if isinstance(labels, dict) and _knows_entailment(labels) and "zero-shot-classification" in by_name:
        return by_name["zero-shot-classification"], "one of its classes is called entailment"
    if "translation" in by_name and any(name.startswith(_TRANSLATORS) for name in names):
        return by_name["translation"], f"{names[0]} translates"
    settings = config.get("task_specific_params")
    for told in settings if isinstance(settings, dict) else ():
        task = next((each for each in tasks if str(told).startswith(each.name)), None)
        if task is not None:
            return task, f"its config.json has settings for {task.name}"
    return tasks[0], ""
