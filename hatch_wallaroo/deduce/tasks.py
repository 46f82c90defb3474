"""The schemas that the upload guide gives for the Hugging Face tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hatch_wallaroo.deduce.hints import Header, Hint
from hatch_wallaroo.frameworks.hugging_face_tasks import FieldRule, Task


def header(task: Task, sent: Collection[str], answered: Collection[str]) -> Header:
    """A task's fields. Those that may be left out are taken where a sample has them, and else named in a note.

    `sent` and `answered` are the names in the sample's rows.
    """
    left = [each.name for each in task.input.values() if each.need == "optional" and each.name not in sent]
    notes = [f"the task also takes {', '.join(left)}; add those that requests will have"] if left else []
    if task.extra:
        notes.append("any further field is handed to the model's generate method")
    if task.unsure:
        notes.append("the guide gives no schemas for this task; these are those of the pipeline")
    return Header(
        f"the guide's schemas for {task.framework}",
        _hints(task.input, sent),
        _hints(task.output, answered),
        tuple(notes),
    )


def _hints(rules: Mapping[str, FieldRule], used: Collection[str]) -> tuple[Hint, ...]:
    return tuple(_hint(each) for each in rules.values() if each.need != "optional" or each.name in used)


def _hint(rule: FieldRule) -> Hint:
    wanted = rule.shapes[0]
    if wanted.dtype == "any":
        return Hint(rule.name, optional=rule.need == "optional")
    return Hint(rule.name, wanted.dtype, wanted.sizes, optional=rule.need == "optional", varies=rule.varies)
