"""All candidates of a repository: folders first, then files outside of them, then code, then what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hatch_wallaroo.discover.candidates import AdoptionContext, Candidate
from hatch_wallaroo.discover.code import code_model, code_models, named_in
from hatch_wallaroo.discover.models import file_model, folder_model, folder_models, latest_only
from hatch_wallaroo.discover.walk import NOT_ALL_SEEN, SUFFIXES, Deadline, RepositoryFile, Tree, look, walk
from hatch_wallaroo.files.presence import is_folder
from hatch_wallaroo.findings import Finding
from hatch_wallaroo.text import few

MOST = 100
"""Candidates that are judged."""
_MOST_READ = 20_000
_MOST_MODULES = 50
_MOST_ARTIFACTS = 20
_NO_ARTIFACTS = frozenset((".py", ".pyi", ".pyc", ".ipynb", ".md", ".rst", ".toml", ".lock", ".sh", ".csv", ".parquet"))
_OF_THE_PROJECT = frozenset(("requirements.txt", "setup.cfg", "sample.json", "package.json", "tox.ini", "LICENSE"))


@dataclass(frozen=True)
class Discovery:
    """What was found, by path, and what was not looked at."""

    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...] = ()


def discover(context: AdoptionContext) -> Discovery:
    """Look through a repository. Reads headers only, executes nothing, writes nothing."""
    deadline = Deadline()
    tree = walk(context.root, deadline)
    findings = list(tree.findings)
    folders = latest_only(list(folder_models(tree, context)))
    found = [*folders, *_files(tree, [each.path for each in folders if each.path != "."], context, deadline, findings)]
    found += code_models(tree, context, deadline)
    if len(found) > MOST:
        findings.append(NOT_ALL_SEEN.finding(f"only the first {MOST} of {len(found)} are listed"))
    listed = sorted(together(found[:MOST], tree), key=lambda each: each.path)
    return Discovery(tuple(listed), tuple(findings))


def discover_at(context: AdoptionContext, path: str) -> Candidate | None:
    """What one file or folder that the user named is; None for nothing that is known."""
    tree = look(context.root, path)
    if is_folder(context.root / path):
        return folder_model(tree, path if path != "." else "", context)
    (file,) = tree.files.values()
    return code_model(file, context) if file.suffix == ".py" else file_model(file, context)


def _files(
    tree: Tree, claimed: Sequence[str], context: AdoptionContext, deadline: Deadline, findings: list[Finding]
) -> list[Candidate]:
    """The models that are single files. Those that are called as models are looked at first."""
    inside = tuple(f"{each}/" for each in claimed)
    files = [each for each in tree.files.values() if not each.label.startswith(inside)]
    found: list[Candidate] = []
    for index, file in enumerate(sorted(files, key=_likely)):
        if index >= _MOST_READ or deadline.passed or len(found) > MOST:
            findings.append(NOT_ALL_SEEN.finding(f"{len(tree.files) - index:,} files were not opened"))
            break
        candidate = file_model(file, context)
        if candidate is not None:
            found.append(candidate)
    return found


def _likely(file: RepositoryFile) -> tuple[bool, int, str]:
    return not file.name.lower().endswith(SUFFIXES), file.label.count("/"), file.label


def together(found: Sequence[Candidate], tree: Tree) -> list[Candidate]:
    """Code that goes around a model takes it along as an artifact, by its name in the code, or as the only one left.

    What is taken along by code that is certain is no candidate of its own any more.
    """
    taken: set[str] = set()
    made = []
    around = [each for each in found if each.framework == "custom"]
    for each in found:
        if each not in around:
            made.append(each)
            continue
        models = [model for model in found if model.kind != "code" and model.path not in taken]
        named = _named(each, models, tree)
        left = [model for model in models if model.kind == "model" and not model.frameworks]
        artifacts = named or ([model.path for model in left] if len(around) == 1 else [])
        taken.update(artifacts if each.certain else ())
        made.append(_with_artifacts(each, artifacts, by_name=bool(named)))
    return [each for each in made if each.path not in taken]


def _named(candidate: Candidate, models: Sequence[Candidate], tree: Tree) -> list[str]:
    """The models and other files that the code, or another module of its package, names."""
    folder = candidate.path.rpartition("/")[0]
    modules = [each for each in tree.folders.get(folder, {}).values() if each.suffix == ".py"][:_MOST_MODULES]
    names = set(named_in(tree.files[candidate.path])).union(*map(named_in, modules if folder else ()))
    paths = [each.path for each in models]
    inside = tuple(f"{each}/" for each in paths)
    paths += [
        label for label, file in tree.files.items() if file.suffix not in _NO_ARTIFACTS and not label.startswith(inside)
    ]
    found = [each for each in dict.fromkeys(paths) if each.rpartition("/")[2] in names - _OF_THE_PROJECT]
    return sorted(found) if len(found) <= _MOST_ARTIFACTS else []


def _with_artifacts(candidate: Candidate, paths: Sequence[str], *, by_name: bool) -> Candidate:
    if not paths:
        pair = "load" in candidate.table.get("byop", {})
        advice = candidate.advice or "no model file was found that goes with it: name it in artifacts"
        return replace(candidate, certain=candidate.certain and not pair, advice=advice)
    go, them = ("goes", "it") if len(paths) == 1 else ("go", "them")
    why = f"{few(paths)} {go} along, as {f'the code names {them}' if by_name else f'nothing else takes {them}'}"
    return replace(candidate, table={"artifacts": list(paths), **candidate.table}, why=why)
