"""All files of a new repository, as values: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hatch_wallaroo.__about__ import __version__
from hatch_wallaroo.findings import PYPROJECT
from hatch_wallaroo.scaffold import starters, template_files
from hatch_wallaroo.scaffold.answers import Answers, Identity
from hatch_wallaroo.scaffold.starters import MAKER, Starter
from hatch_wallaroo.schema.tables import format_schema
from hatch_wallaroo.schema.types import Schema

SAMPLE = "sample.json"
WORKFLOW = ".github/workflows/wallaroo.yml"


class ScaffoldFile(NamedTuple):
    """A file of the repository: its path, relative and with forward slashes, and its bytes."""

    path: str
    data: bytes


def starter(answers: Answers) -> Starter:
    """What the repository begins with, by the framework's family. Raises LookupError for a family that has none."""
    row, release = answers.framework, answers.release
    if row.family in starters.FAMILIES:
        return starters.trained_starter(row, release)
    if answers.package is not None:
        return starters.byop_starter(row, release, answers.package)
    if row.family == "python":
        return starters.step_starter(row, release)
    if row.family in {"hugging-face", "llm"}:
        from hatch_wallaroo.scaffold import pretrained_starters

        made = pretrained_starters.task_starter if row.family == "hugging-face" else pretrained_starters.engine_starter
        return made(row, release)
    raise LookupError(f"no repository begins with {row.family}")


def repository(answers: Answers, begun: Starter) -> tuple[ScaffoldFile, ...]:
    """The files, by path. Raises ValueError where two have one path."""
    texts_of = {
        PYPROJECT: _pyproject(answers, begun),
        "README.md": _readme(answers, begun),
        ".gitignore": template_files.read("gitignore").decode(),
        WORKFLOW: template_files.read("workflow.yml").decode(),
        "tests/test_bundle.py": _bundle_test(answers, begun),
    }
    if begun.sample:
        texts_of[SAMPLE] = template_files.sample_text(begun.sample)
    twice = texts_of.keys() & begun.files.keys()
    if twice:
        raise ValueError(f"the starter has files of the repository's own: {sorted(twice)}")
    files = {**{path: text.encode() for path, text in texts_of.items()}, **begun.files}
    return tuple(ScaffoldFile(path, files[path]) for path in sorted(files))


def bare_pyproject(identity: Identity) -> str:
    """The pyproject.toml of a folder that is there already (`hatch new --init`): its model is not known yet."""
    return template_files.render("init.toml", _project_values(identity))


def plugin_requirement() -> str:
    """The plugin, in this version or a later one: the table may use what came with it."""
    return f"hatch-wallaroo>={__version__.partition('+')[0]}"


def _project_values(identity: Identity) -> dict[str, Any]:
    named = {"name": identity.author, "email": identity.email}
    return {
        "answers": identity,
        "plugin": plugin_requirement(),
        "author": {key: value for key, value in named.items() if value},
    }


def _pyproject(answers: Answers, begun: Starter) -> str:
    row = answers.framework
    coded = answers.package is not None or row.family == "python"
    values = {
        **_project_values(answers),
        "starter": begun,
        "package": answers.package,
        "python": answers.release.python if coded else None,
        "keys": {key: value for key, value in begun.table.items() if not isinstance(value, Mapping)},
        "tables": {key: value for key, value in begun.table.items() if isinstance(value, Mapping)},
        "inputs": _schema(begun.inputs),
        "outputs": _schema(begun.outputs),
        "test_dependencies": _test_dependencies(answers),
    }
    return template_files.render("pyproject.toml", values)


def _schema(schema: Schema | None) -> str:
    return format_schema(schema) if schema is not None else ""


def _test_dependencies(answers: Answers) -> list[str]:
    """What a starter's own tests import, beside what the plugin brings along."""
    if answers.package is not None:
        return ["numpy"]
    if answers.framework.family == "python":
        return ["pandas"] if answers.release.python_step == "wallaroo_json" else ["numpy"]
    return []


def _readme(answers: Answers, begun: Starter) -> str:
    values = {
        "answers": answers,
        "about": begun.about,
        "replace": begun.replace,
        "listed": list(_listed(answers, begun)),
    }
    return template_files.render("README.md", values)


def _listed(answers: Answers, begun: Starter) -> Iterator[tuple[str, str]]:
    """The paths that a reader wants to know, and what each is."""
    yield PYPROJECT, "the project, and in `[tool.wallaroo]` the model"
    if answers.package:
        yield f"src/{answers.package}/model.py", "`load` and `predict`"
    for path in (begun.model, *begun.artifacts):
        if path:
            yield path, "the step" if answers.framework.family == "python" else "the model"
    if MAKER in begun.files:
        fetches = answers.framework.family in {"hugging-face", "llm"}
        yield MAKER, "puts the model that you name in its place" if fetches else "made that model"
    if begun.sample:
        yield SAMPLE, "rows to try the model with, and its answers" if "outputs" in begun.sample else "rows to try"
    yield "tests/", "what `hatch test` runs"
    yield WORKFLOW, "what GitHub runs"


def _bundle_test(answers: Answers, begun: Starter) -> str:
    """The test of the bundle; a sample is compared with what is known of the model, by schemas or by its header."""
    kind = None
    if begun.sample and begun.inputs is not None:
        kind = "schema"
    elif begun.sample and answers.framework.family in starters.FAMILIES:
        kind = "tensors"
    return template_files.render("test_bundle.py", {"answers": answers, "sample": kind, "sides": list(begun.sample)})
