"""An MLflow model that is there already, here or on a tracking server: its folder, its MLmodel, its requirements.

Of it a build context is made: a Dockerfile, the requirements and the folder, as an engine takes it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hatch_wallaroo.config.spec import ImageSpec, ModelSpec, RequirementsFrom
from hatch_wallaroo.config.text_types import ImageReferenceValue
from hatch_wallaroo.files.collect import list_folder
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource
from hatch_wallaroo.findings import Finding, Level, Place, errors, rule
from hatch_wallaroo.formats.mlmodel import LARGEST, MLmodel, MLmodelError, read_mlmodel
from hatch_wallaroo.frameworks.base import declared_model
from hatch_wallaroo.requirements.resolve import Requirements, requirements_text
from hatch_wallaroo.text import describe_error, one_line

NOT_FETCHED = rule(
    "WLR461",
    "the model could not be fetched from the tracking server",
    why="The model's folder is read when the bundle is planned: its files are the build context.",
    source="MLflow's client, mlflow.artifacts.download_artifacts",
)

_SERVER = "MLFLOW_TRACKING_URI"
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LOGIN = re.compile(r"://[^/\s]*@")
_ADDRESS = re.compile(r"(?:runs|models):/")
_RETRIES = "2"
"""MLflow's client would try for minutes to reach a server that is not there."""
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


def is_address(model: str) -> bool:
    return _ADDRESS.match(model) is not None


def fetch(spec: ModelSpec, address: str) -> tuple[Path | None, tuple[Finding, ...]]:
    """The folder that the address names, downloaded once a process and gone at its end; None with the reason."""
    folder, message, fix = _fetched(address, os.environ.get(_SERVER, ""))
    if folder is not None:
        return folder, ()
    return None, (NOT_FETCHED.finding(f"{one_line(address)}: {message}", fix=fix, place=spec.at("model")),)


@cache
def _fetched(address: str, server: str) -> tuple[Path | None, str, str]:
    """The folder, or None with what the client answered and what to do. Asked once: a server is not asked again."""
    try:
        import mlflow
    except ImportError:
        fix = 'install hatch-wallaroo[mlflow] where hatch builds: [build-system] requires = ["hatchling", '
        return None, "MLflow's client is not installed", fix + '"hatch-wallaroo[mlflow]"]'
    if not server:
        return None, "no tracking server is named", f"set {_SERVER}, as for MLflow itself"
    folder = Path(tempfile.mkdtemp(prefix="hatch-wallaroo-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", _RETRIES)
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(folder))), "", ""
    except Exception as error:  # noqa: BLE001 - the client raises what its own libraries do
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        fix = f"check the address, {_SERVER}, and the login that the server asks for"
        return None, without_secrets(one_line(said)), fix


def without_secrets(text: str) -> str:
    """What a client said, without the logins that it was given: in addresses, and by themselves."""
    given = [os.environ.get(name) for name in _SECRETS]
    with contextlib.suppress(ValueError):
        given.append(urlsplit(os.environ.get(_SERVER, "")).password)
    for secret in given:
        if secret:
            text = text.replace(secret, "***")
    return _LOGIN.sub("://***@", text)


@dataclass(frozen=True)
class ModelFolder:
    """A model's folder: its entries below `model/` (None where findings leave none), and its requirements."""

    entries: tuple[Entry, ...] | None
    requirements: str
    findings: tuple[Finding, ...]
    stripped: tuple[tuple[str, str], ...] = ()


def read_model_folder(spec: ModelSpec) -> ModelFolder:
    """Read the folder that `model` names, on this machine or on a tracking server. Loads and executes nothing."""
    declared = declared_model(spec)
    there = spec
    if is_address(declared):
        fetched, findings = fetch(spec, declared)
        if fetched is None:
            return ModelFolder(None, "", findings)
        there, declared = replace(spec, root=fetched.parent), fetched.name
    place = spec.at("model")
    listing = list_folder(there, declared, place=place)
    entries = tuple(Entry(f"{MODEL}/{each.path}", FileSource(each.absolute), each.label) for each in listing.files)
    if errors(listing.findings) and not entries:
        return ModelFolder(None, "", listing.findings, listing.stripped)
    wrong = _wrong(entries, declared, place)
    if errors(wrong):
        return ModelFolder(None, "", (*listing.findings, *wrong), listing.stripped)
    requirements = _requirements(spec, there, declared, entries)
    return ModelFolder(
        entries, requirements.text, (*listing.findings, *wrong, *requirements.findings), listing.stripped
    )


def described(entries: Sequence[Entry]) -> MLmodel | None:
    """What a context's MLmodel says; None where it cannot be read, which `read_folder` has said."""
    own = _own(entries, "MLmodel")
    with contextlib.suppress(MLmodelError, ModuleNotFoundError, OSError):
        return _read(own) if own else None
    return None


def _own(entries: Sequence[Entry], name: str) -> Entry | None:
    return next((each for each in entries if each.path == f"{MODEL}/{name}"), None)


def _read(entry: Entry) -> MLmodel:
    with entry.source.open() as stream:
        return read_mlmodel(stream.read(LARGEST + 1))


def _wrong(entries: tuple[Entry, ...], declared: str, place: Place) -> list[Finding]:
    """What keeps MLflow 1.30.0 from serving the folder, or may."""
    own = _own(entries, "MLmodel")
    if own is None:
        fix = "name the folder that mlflow.….save_model or log_model wrote, the one with MLmodel in it"
        return [NOT_A_MODEL.finding(f"{one_line(declared)} has no file MLmodel", fix=fix, place=place)]
    here = Place(file=own.name)
    try:
        found = _read(own)
    except ModuleNotFoundError:
        fix = "install hatch-wallaroo[image] where hatch builds"
        return [NOT_A_MODEL.finding(f"{own.name} cannot be read without PyYAML", fix=fix, place=place)]
    except MLmodelError as error:
        at = Place(file=own.name, line=error.line, column=error.column)
        fix = "save the model once more with MLflow"
        return [NOT_A_MODEL.finding(f"{own.name} is no MLmodel: {error.message}", fix=fix, place=at)]
    except OSError as error:
        message = f"{own.name} cannot be read: {describe_error(error)}"
        return [NOT_A_MODEL.finding(message, fix="make the file readable", place=here)]
    findings = []
    function = found.flavors.get("python_function")
    if not isinstance(function, Mapping) or not function.get("loader_module"):
        message = f"{own.name} has no flavor python_function, which the container serves"
        fix = "save it with a flavor that MLflow serves, or write a pyfunc around it"
        findings.append(NOT_A_MODEL.finding(message, fix=fix, place=here))
    else:
        findings += _absent(entries, own.name, function)
    version = found.mlflow_version
    if version and version.split(".")[0] != MLFLOW.split(".", maxsplit=1)[0]:
        message = f"{own.name} was written by MLflow {one_line(version)}; the container runs {MLFLOW}"
        fix = f"save it with mlflow=={MLFLOW}, and try the image: image.try = true"
        findings.append(NEWER.finding(message, fix=fix, place=here))
    return findings


def _absent(entries: tuple[Entry, ...], name: str, function: Mapping[str, Any]) -> Iterator[Finding]:
    """What the flavor says it is made of, and is not in the folder: left out, ignored, or never copied."""
    for key in ("model_path", "data", "code", "python_model"):
        told = function.get(key)
        if not isinstance(told, str) or not told.strip("./"):
            continue
        path = f"{MODEL}/{told.strip('/')}"
        if not any(each.path == path or each.path.startswith(f"{path}/") for each in entries):
            fix = "see exclude, and whether the folder was copied whole"
            message = f"{name} says {key}: {one_line(told)[:100]}, which is not in the folder"
            yield NOT_A_MODEL.finding(message, fix=fix, place=Place(file=name))


def _requirements(spec: ModelSpec, there: ModelSpec, declared: str, entries: Sequence[Entry]) -> Requirements:
    """What the table says, else the folder's own requirements.txt; MLflow's own line gives way to the container's."""
    if "requirements" in spec.origins:
        return libraries(spec)
    if _own(entries, "requirements.txt") is None:
        fix = 'list them: requirements = ["scikit-learn==1.2.2"]'
        message = "the model's folder has no requirements.txt, and the table no requirements"
        finding = NO_REQUIREMENTS.finding(message, fix=fix, place=spec.at("model"))
        return replace(libraries(replace(spec, requirements=RequirementsFrom("list"))), findings=(finding,))
    return libraries(replace(there, requirements=RequirementsFrom("file", file=f"{declared}/requirements.txt")))


def libraries(spec: ModelSpec) -> Requirements:
    """What pip installs in the container: MLflow as the platform runs it, and the model's own requirements."""
    return requirements_text(spec, f"mlflow=={MLFLOW}", ("mlflow", "mlflow-skinny"))


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
