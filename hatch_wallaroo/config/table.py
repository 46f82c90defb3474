# ruff: noqa: RUF009 - `_option` makes a dataclass field, as `field` does
"""The table `[tool.wallaroo]` as dataclasses: its reader, JSON Schema and reference are made from here.

A key is its field's name with hyphens. The text under a field is its documentation, in Markdown.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from hatch_wallaroo.config.spec import Reference, RequirementsFrom
from hatch_wallaroo.config.text_types import (
    BuilderValue,
    DebianPackageValue,
    ExclusionValue,
    ImageReferenceValue,
    ImageRepositoryValue,
    ImageTagValue,
    PathValue,
    PatternValue,
    TextValue,
    ValueType,
)
from hatch_wallaroo.config.value_types import (
    AcceleratorValue,
    ChoiceValue,
    ClassNameValue,
    FlagValue,
    FrameworkValue,
    FunctionValue,
    LabelsValue,
    ListValue,
    ReleaseValue,
    RequirementsValue,
    SchemaValue,
    TableValue,
)
from hatch_wallaroo.schema.types import Schema

DEFAULT_RELEASE = "2023.2.1"
_ABOUT = "about"


@dataclass(frozen=True)
class Option:
    """What the model says about one key.

    `value_type` reads its value (None: a table of further keys, `table`). `default` is the default in words
    or TOML, for the reference. `families` are the framework families that the key is for (empty: all),
    `not_families` those that it is not for.
    """

    name: str
    value_type: ValueType | None
    table: type | None
    default: str
    families: tuple[str, ...]
    not_families: tuple[str, ...]

    @property
    def key(self) -> str:
        """What is written: `try_`, whose name would be a word of Python's, is `try`."""
        return self.name.rstrip("_").replace("_", "-")

    def fits(self, family: str) -> bool:
        """Whether the key makes sense for a family of frameworks."""
        return family not in self.not_families and (not self.families or family in self.families)


def _option(
    made_of: ValueType | type,
    *,
    value: Any = None,
    default: str = "",
    families: tuple[str, ...] = (),
    not_families: tuple[str, ...] = (),
) -> Any:
    """A field of the table; `value` is what it holds where nothing is written."""
    table = made_of if isinstance(made_of, type) else None
    about = {
        "value_type": made_of if isinstance(made_of, ValueType) else None,
        "table": table,
        "default": default,
        "families": families,
        "not_families": not_families,
    }
    return field(default=value, metadata={_ABOUT: about})


def options(table: type) -> dict[str, Option]:
    """The keys of a table's dataclass, in order."""
    made = (Option(each.name, **each.metadata[_ABOUT]) for each in fields(table))
    return {option.key: option for option in made}


@cache
def field_docs(table: type) -> dict[str, str]:
    """For each field of a dataclass the text under it, on one line. Reads the class's source."""
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    docs = {}
    for option, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(option, ast.AnnAssign) and isinstance(option.target, ast.Name) and isinstance(text, ast.Expr):
            docs[option.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return docs


def table_doc(table: type) -> str:
    """A dataclass's own text, on one line."""
    return " ".join((table.__doc__ or "").split())


@dataclass(frozen=True)
class ByopTable:
    """Bring Your Own Predict: how a `custom` model is loaded and asked. Either `load` and `predict`, or `module`."""

    load: Reference | None = _option(FunctionValue("my_package.inference:load"))
    """The function that loads the model: it takes the folder of the artifacts (a `pathlib.Path`) and returns the
    model. The inference code that Wallaroo asks for is generated around it."""

    predict: Reference | None = _option(FunctionValue("my_package.inference:predict"))
    """The function that answers a request: it takes the model and the inputs (a dict of arrays by field name) and
    returns the outputs, likewise."""

    model_types: tuple[str, ...] = _option(
        ListValue(ClassNameValue("sklearn.cluster.KMeans")),
        value=(),
        default="the return annotation of `load`",
    )
    """The classes that the loaded model may be of, by their full names. The platform refuses a model of any other."""

    module: str | None = _option(PathValue("inference.py"))
    """Your own file with one `Inference` and one `InferenceBuilder`, in place of `load` and `predict`."""

    packages: tuple[str, ...] | None = _option(
        ListValue(PathValue("src/my_package")),
        default="found as Hatchling finds the project's packages",
    )
    """Folders of Python packages that go along with the inference code."""


@dataclass(frozen=True)
class ImageTable:
    """The container image of an `mlflow` model."""

    base: str | None = _option(
        ImageReferenceValue("python:3.8-slim"),
        default='`"python:3.8-slim"`, with the Python of the release',
    )
    """The image to build on: one with Python and pip. MLflow 1.30.0 runs on Python 3.8 to 3.10."""

    tag: str | None = _option(ImageTagValue("1.0"), default="the project's version")
    """The tag of the image."""

    registry: str | None = _option(ImageRepositoryValue("registry.example.com/models"))
    """The registry, and where wanted the path in it, that the image is pushed to."""

    labels: Mapping[str, str] | None = _option(LabelsValue(), default="none")
    """Labels to put on the image, beside the usual ones (`org.opencontainers.image.…`) of name, version and digest."""

    packages: tuple[str, ...] = _option(ListValue(DebianPackageValue("libgomp1")), value=(), default="`[]`")
    """Debian packages that the model's libraries need and the base image lacks."""

    platform: str | None = _option(
        ChoiceValue("linux/amd64", ("linux/amd64", "linux/arm64")), default="the engine's own"
    )
    """The platform that the image is built for."""

    build: bool = _option(FlagValue(), value=True, default="`true`")
    """Whether `hatch build` has an engine build the image. With `false` it leaves the build context in `dist/`, a tar
    that `docker build` takes as it is; `hatch publish` builds the image where it is missing."""

    try_: bool = _option(FlagValue(), value=False, default="`false`")
    """Whether `hatch build` starts the image once it is built, and asks it for the sample's rows."""

    builder: str | None = _option(BuilderValue("my-builder"), default="the engine itself")
    """A builder of `docker buildx`, for a build on another machine or for another platform."""


@dataclass(frozen=True)
class ModelTable:
    """One model: a repository's only one in `[tool.wallaroo]`, one of several in `[tool.wallaroo.models.NAME]`."""

    framework: str | None = _option(FrameworkValue("sklearn"), default="required")
    """The model's framework, by Wallaroo's name for it. `custom` is a BYOP model, `mlflow` a container image."""

    release: str = _option(ReleaseValue(DEFAULT_RELEASE), value=DEFAULT_RELEASE, default=f'`"{DEFAULT_RELEASE}"`')
    """The Wallaroo release that the model is made for. It decides which frameworks exist, which Python runs the
    model, and what is checked. A release that is not known exactly, say 2025.2.4, is checked with the rules of the
    nearest earlier one of its year."""

    name: str | None = _option(
        TextValue("my-model"), default="the project's name, or NAME in `[tool.wallaroo.models.NAME]`"
    )
    """The model's name on the platform: letters, digits and hyphens, a letter first, shorter than 64 characters.
    The default is put into this form: lower case, hyphens for underscores and dots."""

    model: str | None = _option(
        PathValue("models/model.pkl"),
        default="required, except where `byop` says it",
        not_families=("custom",),
    )
    """The model's file or folder. For `mlflow` a folder with an `MLmodel`, or the address of one on a tracking server:
    `runs:/RUN/model`, `models:/NAME/VERSION`."""

    artifacts: tuple[str, ...] = _option(
        ListValue(PatternValue("models/*.pkl")),
        value=(),
        default="`[]`",
        families=("custom", "mlflow"),
    )
    """Files, folders or globs that go into a BYOP bundle beside its code: the trained model, vocabularies, settings."""

    exclude: tuple[str, ...] = _option(ListValue(ExclusionValue("**/*.tmp")), value=(), default="`[]`")
    """Patterns of files to leave out of the bundle, as .gitignore writes them, in addition to what is always left out:
    version control, caches, virtual environments, tests, notebooks' checkpoints."""

    include_sensitive: tuple[str, ...] = _option(ListValue(PathValue("models/tokens.json")), value=(), default="`[]`")
    """Exact paths of files that look like secrets and go into the bundle nevertheless."""

    requirements: RequirementsFrom = _option(
        RequirementsValue(), value=RequirementsFrom("project"), default='`"project"`'
    )
    """Where the requirements of a BYOP model, or of a Python step from release 2024.1 on, come from: `"project"` for
    `project.dependencies`, a file's path, or a list of requirements. Other frameworks run on the platform's own
    libraries."""

    lock: bool = _option(FlagValue(), value=False, default="`false`")
    """Pin the requirements for the platform's Python and architecture, with uv or from a `pylock.toml`."""

    python_version: str | None = _option(TextValue("3.8"), default="the release's")
    """The `python_version` of the upload. It is what the platform's API asks for, not the Python that runs the
    model, and need not be written."""

    visibility: str = _option(ChoiceValue("private", ("private", "public")), value="private", default='`"private"`')
    """Who sees the model on the platform."""

    arch: str | None = _option(TextValue("x86"), default="the release's")
    """The processor architecture that the model will run on. Releases from 2023.4 have it."""

    accel: str | Mapping[str, Any] | None = _option(AcceleratorValue(), default="the release's")
    """The accelerator that the model will run on. Releases from 2024.1 have it. `qaic` may bring its
    configuration along: `{ qaic = { num_cores = 16 } }`."""

    framework_config: Mapping[str, Any] | None = _option(TableValue(), default="the release's")
    """Settings of the framework's server, for `vllm`, `sglang` and `custom` from release 2025.1; what is not written
    here keeps the release's default. For `custom` any key goes."""

    compression: str = _option(
        ChoiceValue("auto", ("auto", "stored", "deflate", "fast")), value="auto", default='`"auto"`'
    )
    """How zip bundles are packed: `"stored"`, `"deflate"`, or `"auto"`, which packs what a sample shows to be worth
    it. These give one digest on every machine. `"fast"` packs quicker, with bytes that depend on the machine."""

    input_schema: Schema | None = _option(SchemaValue(), default="required where the framework needs it")
    """The fields of a request's row and their types, in order: a dtype and a shape, as in `"float64[4]"`,
    `"int64[100, 100, 3]"`, `"string"`, `"int64[*, 4]"` (`*`: variable length). Rows are not written."""

    output_schema: Schema | None = _option(SchemaValue(), default="required where the framework needs it")
    """The fields of an answer's row and their types, in order."""

    sample: str | None = _option(PathValue("sample.json"))
    """A JSON file of input rows, and where given the expected outputs, to try the bundle with."""

    byop: ByopTable | None = _option(ByopTable, families=("custom", "mlflow"))
    """The inference code of a `custom` model, or of an `mlflow` one that is made of two functions."""

    image: ImageTable | None = _option(ImageTable, families=("mlflow",))
    """The container image of an `mlflow` model."""


MODELS = "models"
"""The key of `[tool.wallaroo]` that holds the tables of several models; it then holds itself what they share."""
