"""An MLflow model that is there already: its folder, what its MLmodel says, and its requirements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatch_wallaroo.config.spec import ModelSpec, RequirementsFrom
from hatch_wallaroo.files.collect import list_folder
from hatch_wallaroo.files.sources import Entry, FileSource
from hatch_wallaroo.findings import Finding, Level, Place, errors, rule
from hatch_wallaroo.formats.mlmodel import LARGEST, MLmodel, MLmodelError, read_mlmodel
from hatch_wallaroo.mlflow.address import fetch, is_address
from hatch_wallaroo.mlflow.context import MLFLOW, MODEL
from hatch_wallaroo.report import one_line
from hatch_wallaroo.requirements.resolve import Requirements, requirements_text

NOT_A_MODEL = rule(
    "WLR462",
    "not an MLflow model",
    why="MLflow loads a folder by the file MLmodel at its top, and serves it by its flavor python_function.",
    source="MLflow 1.30.0, mlflow.pyfunc.load_model",
)
NEWER = rule(
    "WLR463",
    "saved by another MLflow than the container's",
    why="The container has MLflow 1.30.0, whose scoring server the platform speaks to. It does not promise to load "
    "what later versions saved.",
    source="Upload guide, Containerized MLFlow",
    level=Level.WARNING,
)
NO_REQUIREMENTS = rule(
    "WLR464",
    "nothing says which libraries the MLflow model needs",
    why="The container gets MLflow and what the requirements say; without them the model's own library is missing.",
    source="MLflow models carry a requirements.txt",
)

_LARGEST_REQUIREMENTS = 1 << 20
_MLFLOW_ITSELF = re.compile(r"mlflow(?:-skinny)?(?![\w.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Folder:
    """A model's folder: its entries below `model/` (None where findings leave none), MLmodel and requirements."""

    entries: tuple[Entry, ...] | None
    description: MLmodel | None
    requirements: str
    findings: tuple[Finding, ...]
    stripped: tuple[tuple[str, str], ...] = ()


def read_folder(spec: ModelSpec) -> Folder:
    """Read the folder that `model` names, on this machine or on a tracking server. Loads and executes nothing."""
    declared = spec.model
    if not declared:
        finding = NOT_A_MODEL.finding("no model is named", fix='model = "path/to/mlflow-model"', place=spec.at("model"))
        return Folder(None, None, "", (finding,))
    there = spec
    if is_address(declared):
        fetched, findings = fetch(spec, declared)
        if fetched is None:
            return Folder(None, None, "", findings)
        there, declared = replace(spec, root=fetched.parent), fetched.name
    place = spec.at("model")
    listing = list_folder(there, declared, place=place)
    entries = tuple(Entry(f"{MODEL}/{each.path}", FileSource(each.absolute), each.label) for each in listing.files)
    if errors(listing.findings) and not entries:
        return Folder(None, None, "", listing.findings, listing.stripped)
    description, wrong = _described(entries, declared, place)
    requirements = _requirements(spec, entries)
    findings = (*listing.findings, *wrong, *requirements.findings)
    kept = entries if description is not None else None
    return Folder(kept, description, requirements.text, findings, listing.stripped)


def _described(entries: tuple[Entry, ...], declared: str, place: Place) -> tuple[MLmodel | None, list[Finding]]:
    own = next((each for each in entries if each.path == f"{MODEL}/MLmodel"), None)
    if own is None:
        fix = "name the folder that mlflow.….save_model or log_model wrote, the one with MLmodel in it"
        return None, [NOT_A_MODEL.finding(f"{declared} has no file MLmodel", fix=fix, place=place)]
    here = Place(file=own.name)
    try:
        with own.source.open() as stream:
            found = read_mlmodel(stream.read(LARGEST + 1))
    except ModuleNotFoundError:
        fix = "install hatch-wallaroo[image] where hatch builds"
        return None, [NOT_A_MODEL.finding(f"{own.name} cannot be read without PyYAML", fix=fix, place=place)]
    except MLmodelError as error:
        at = Place(file=own.name, line=error.line, column=error.column)
        fix = "save the model once more with MLflow"
        return None, [NOT_A_MODEL.finding(f"{own.name} is no MLmodel: {error.message}", fix=fix, place=at)]
    except OSError as error:
        message = f"{own.name} cannot be read: {error.strerror or error}"
        return None, [NOT_A_MODEL.finding(message, fix="make the file readable", place=here)]
    findings = []
    function = found.flavors.get("python_function")
    if not isinstance(function, Mapping) or not function.get("loader_module"):
        message = f"{own.name} has no flavor python_function, which the container serves"
        fix = "save it with a flavor that MLflow serves, or write a pyfunc around it"
        findings.append(NOT_A_MODEL.finding(message, fix=fix, place=here))
    version = found.mlflow_version
    if version and version.split(".")[0] != MLFLOW.split(".")[0]:
        message = f"{own.name} was written by MLflow {one_line(version)}; the container runs {MLFLOW}"
        fix = f"save it with mlflow=={MLFLOW}, and try the image: image.try = true"
        findings.append(NEWER.finding(message, fix=fix, place=here))
    return found, findings


def _requirements(spec: ModelSpec, entries: tuple[Entry, ...]) -> Requirements:
    """What the table says, else the folder's own requirements.txt; MLflow's own line gives way to the container's."""
    if "requirements" in spec.origins:
        made = requirements_text(spec)
        lines = [line for line in made.text.splitlines(keepends=True) if not _MLFLOW_ITSELF.match(line)]
        return replace(made, text="".join(lines))
    own = next((each for each in entries if each.path == f"{MODEL}/requirements.txt"), None)
    if own is None:
        fix = 'list them: requirements = ["scikit-learn==1.2.2"]'
        message = "the model's folder has no requirements.txt, and the table no requirements"
        return Requirements("", (), (NO_REQUIREMENTS.finding(message, fix=fix, place=spec.at("model")),))
    with own.source.open() as stream:
        text = stream.read(_LARGEST_REQUIREMENTS).decode("utf-8", "replace")
    stripped = (line.partition(" #")[0].strip() for line in text.splitlines())
    lines = [line for line in stripped if line and not line.startswith("#") and not _MLFLOW_ITSELF.match(line)]
    made = requirements_text(replace(spec, requirements=RequirementsFrom("list", lines=tuple(lines))))
    return replace(made, findings=tuple(each.at(Place(file=own.name)) for each in made.findings))
