"""One model's table against its release: names, defaults, and what goes with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from hatch_wallaroo.config import release_values, rules
from hatch_wallaroo.config.declared import OPTIONS, Declared
from hatch_wallaroo.config.model_name import in_platforms_form, is_name, judge_default, judge_name
from hatch_wallaroo.config.rules import Issue, Read
from hatch_wallaroo.config.spec import ByopSpec, ImageSpec, ModelSpec, Project
from hatch_wallaroo.config.table import ImageTable, ModelTable
from hatch_wallaroo.findings import Finding, Level, Place
from hatch_wallaroo.releases.load import releases_with
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.text import key_text, listed, quoted

_DECISIVE = frozenset(
    {"framework", "release", "model", "artifacts", "exclude", "include-sensitive", "requirements", "byop"}
    | {"byop.load", "byop.predict", "byop.model-types", "byop.module", "byop.packages"}
)
"""Options without which nothing sound can be said about a model's bundle; it can without the schemas."""


@dataclass
class Resolver:
    """Makes one model's spec from its table.

    `read_findings` are those about the values by themselves, each with its option, `broken` the options
    that have errors in them or are misspelt. `findings` grows as the table is judged against the release.
    `dropped` are shared options that do not go with this model, `taken` those that do.
    """

    declared: Declared
    project: Project
    root: Path
    table: ModelTable
    broken: set[str]
    read_findings: list[tuple[str, Finding]]
    findings: list[Finding] = field(default_factory=list)
    dropped: dict[str, Issue] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    release: Release | None = None
    row: FrameworkRow | None = None

    @property
    def name(self) -> str:
        """The model's name; where what is written is none, the nearest that is."""
        written = self.table.name
        if written is not None and is_name(written):
            return written
        return in_platforms_form(written or self.declared.name or self.project.name)

    def place(self, option: str, *inside: str | int) -> Place:
        """Where an option stands, or would stand in the model's own table."""
        return Place(key=(*self.declared.origins.get(option, (*self.declared.key, *option.split("."))), *inside))

    def spec(self) -> ModelSpec | None:
        """The model, or None where too little of it could be read. Fills `findings` first."""
        self._judge_name()
        self.release = self._find_release()
        if self.table.framework is not None:
            self.row = self._answer("framework", release_values.find_framework(self.table.framework, self.release))
        elif "framework" not in self.broken:
            self._missing("framework", 'say which it is, for example: framework = "onnx"')
        written = self._fitting() if self.row else set(self.declared.values)
        self._judge_required(written)
        if self.release is None:
            return self._files_only()
        return self._resolved(self.release, self.row, written) if self.row else None

    def read_shared(self) -> None:
        """Judge what can be judged of a shared table where there is no model: fills `findings`, asks for nothing."""
        release = self._find_release()
        if self.table.framework is not None:
            self._answer("framework", release_values.find_framework(self.table.framework, release))

    def _find_release(self) -> Release | None:
        """None where what is written is no release: judging by the default would blame what may be right."""
        if self._is_broken("release"):
            return None
        found: Release | None = self._answer("release", release_values.find_release(self.table.release))
        return found

    def _files_only(self) -> ModelSpec | None:
        """The model in the newest release that has its framework, for what holds in any: its files."""
        having = releases_with(lambda each: self.table.framework in each.frameworks)
        if not having:
            return None
        broken = {each for each in self.broken if each != "release"}
        table = replace(self.table, release=having[-1])
        spec = Resolver(self.declared, self.project, self.root, table, broken, list(self.read_findings)).spec()
        return replace(spec, files_only=True) if spec else None

    def _answer(self, option: str, answer: Read) -> Any:
        """Take over what was found out about an option's value."""
        for issue in answer.issues:
            self._say(option, issue)
        return answer.value

    def _say(self, option: str, issue: Issue) -> None:
        finding = issue.at(self.place(option).key)
        self.findings.append(finding)
        if finding.is_error:
            self.broken.add(option)

    def _missing(self, option: str, fix: str, rule: Any = rules.MISSING, message: str = "") -> None:
        place = Place(key=(*self.declared.key, *option.split(".")))
        self.findings.append(rule.finding(message or f"{option} is required", fix=fix, place=place))
        self.broken.add(option)

    def _judge_name(self) -> None:
        if self.table.name is not None:
            issue = judge_name(self.table.name)
        elif "name" in self.broken:
            issue = None
        else:
            issue = judge_default(self.declared.name if self.declared.name is not None else self.project.name)
        if issue:
            self._say("name", issue)

    def _fitting(self) -> set[str]:
        """The options that go with the framework; says which do not. A shared one is dropped quietly."""
        assert self.row is not None  # noqa: S101 - the caller's condition
        fitting = set()
        for key in self.declared.values:
            issue = self._misfit(key, self.row)
            if issue is None:
                fitting.add(key)
                self.taken.add(key)
                continue
            if issue.rule.level is Level.WARNING and self._is_broken(key):
                continue
            # What is wrong with the value does not matter any more.
            self.read_findings = [each for each in self.read_findings if each[0] != key]
            self.broken = {each for each in self.broken if each.partition(".")[0] != key}
            if key in self.declared.shared:
                self.dropped[key] = issue
            else:
                self._say(key, issue)
        return fitting

    def _is_broken(self, key: str) -> bool:
        return any(each.partition(".")[0] == key for each in self.broken)

    def _misfit(self, key: str, row: FrameworkRow) -> Issue | None:
        option = OPTIONS[key]
        if not option.fits(row.family):
            return Issue(rules.MISFIT, *_misfit_words(key, option.families, row, self.declared.values[key]))
        if key in {"input-schema", "output-schema"} and row.schemas == "none":
            message = f"framework {quoted(row.name)} takes no schemas{_of_release(self.release)}"
            return Issue(rules.MISFIT, message, f"remove {key}; the platform finds out for itself")
        if key in {"requirements", "lock"} and not row.requirements:
            message = f"has no effect for framework {quoted(row.name)}, which runs on the platform's own libraries"
            return Issue(rules.NO_EFFECT, message, f'remove {key}, or bring code along with framework = "custom"')
        if self.release and key in {"arch", "accel", "framework-config"}:
            return release_values.judge_presence(key, self.declared.values[key], self.release, row)
        return None

    def _judge_required(self, written: set[str]) -> None:
        """Say which keys are missing that the framework needs."""
        row = self.row
        if row is None:
            return
        lacking = {"model", "input-schema", "output-schema", "byop"} - written - self.broken
        made_of_functions = row.family == "custom" or (row.family == "mlflow" and "byop" in written)
        if "model" in lacking and not made_of_functions:
            self._missing("model", 'write the path of its file or folder, for example: model = "models/my-model"')
        for option in ("input-schema", "output-schema"):
            if option in lacking and row.schemas == "required":
                example = f"[{key_text((*self.declared.key, option))}]\n{_example_field(option, row)}"
                message = f'framework "{row.name}" needs {"an" if option[0] in "io" else "a"} {option}'
                self._missing(option, f"describe a row, for example:\n{example}", rules.SCHEMA_MISSING, message)
        if made_of_functions and not self._is_broken("byop"):
            self._judge_byop()
        if row.family == "mlflow" and {"model", "byop"} <= written:
            message = "the model is named, and byop would make one of two functions"
            self._say("byop", Issue(rules.BYOP_PARTS, message, "keep one of the two: model, or byop"))

    def _judge_byop(self) -> None:
        byop = self.table.byop
        load, predict, module = (byop.load, byop.predict, byop.module) if byop else (None, None, None)
        functions = [name for name, given in (("load", load), ("predict", predict)) if given]
        if module and functions:
            generated = listed([f"byop.{name}" for name in functions])
            message = f"byop.module is your own inference code, and {generated} would generate it"
            fix = "keep byop.module alone, or byop.load with byop.predict"
            self._say("byop.module", Issue(rules.BYOP_PARTS, message, fix))
        elif len(functions) == 1:
            other = "predict" if functions == ["load"] else "load"
            message = f"byop.{functions[0]} needs byop.{other} beside it"
            fix = f'for example: byop.{other} = "my_package.inference:{other}"'
            self._say(f"byop.{functions[0]}", Issue(rules.BYOP_PARTS, message, fix))
        elif not functions and not module:
            fix = (
                "name the functions that load the model and ask it:\n"
                f"[{key_text((*self.declared.key, 'byop'))}]\n"
                'load = "my_package.inference:load"\n'
                'predict = "my_package.inference:predict"\n'
                'or your own inference code: module = "inference.py"'
            )
            self._missing("byop", fix, message='framework "custom" needs byop.load and byop.predict, or byop.module')

    def _resolved(self, release: Release, row: FrameworkRow, written: set[str]) -> ModelSpec | None:
        """Judge the platform's options, and put everything together."""
        table = self.table
        python = self._answer("python-version", release_values.judge_python(table.python_version, release))
        arch = self._answer("arch", release_values.judge_arch(table.arch if "arch" in written else None, release, row))
        accel = self._answer(
            "accel", release_values.judge_accel(table.accel if "accel" in written else None, arch, release, row)
        )
        if self._is_broken("accel"):
            accel = None
        config = self._answer(
            "framework-config",
            release_values.judge_config(table.framework_config if "framework-config" in written else None, accel, row),
        )
        # A name that is none must never become part of a file's.
        if self.broken & _DECISIVE or not is_name(self.name):
            return None
        return ModelSpec(
            root=self.root,
            key=self.declared.key,
            origins={key: origin for key, origin in self.declared.origins.items() if key.partition(".")[0] in written},
            project=self.project,
            name=self.name,
            version=self.project.version,
            release=release,
            framework=row,
            model=table.model if "model" in written else None,
            artifacts=table.artifacts if "artifacts" in written else (),
            exclude=table.exclude,
            include_sensitive=table.include_sensitive,
            requirements=table.requirements,
            lock=table.lock,
            python_version=python,
            visibility=cast("Literal['private', 'public']", table.visibility),
            arch=arch,
            accel=accel,
            framework_config=config,
            compression=cast("Literal['auto', 'stored', 'deflate', 'fast']", table.compression),
            input_schema=table.input_schema if "input-schema" in written - self.broken else None,
            output_schema=table.output_schema if "output-schema" in written - self.broken else None,
            sample=table.sample,
            byop=ByopSpec(**vars(table.byop)) if table.byop and row.family in {"custom", "mlflow"} else None,
            image=_image(table, release) if row.family == "mlflow" else None,
        )


def _image(table: ModelTable, release: Release) -> ImageSpec:
    image = table.image or ImageTable()
    base = image.base or f"python:{release.python}-slim"
    return ImageSpec(**{**vars(image), "base": base, "labels": image.labels or {}})


def _of_release(release: Release | None) -> str:
    return f" in release {release.version}" if release else ""


def _misfit_words(key: str, families: tuple[str, ...], row: FrameworkRow, value: Any) -> tuple[str, str]:
    """Message and fix for a key that is for other frameworks."""
    if key == "model":
        artifacts = quoted(value) if isinstance(value, str) else '"models/my-model"'
        message = 'framework "custom" takes its files from artifacts, not from model'
        return message, f"write artifacts = [{artifacts}] instead of model"
    what = key
    if isinstance(value, Mapping) and value:
        what = listed([f"{key}.{part}" for part in value])
    message = f"{what} {'do' if ' and ' in what else 'does'} not go with framework {quoted(row.name)}"
    fix = f'remove {what}, or write framework = "{families[0]}"' if families else f"remove {what}"
    return message, fix


def _example_field(option: str, row: FrameworkRow) -> str:
    if row.family in {"hugging-face", "llm"}:
        return 'inputs = "string"' if option == "input-schema" else 'output = "string"'
    return 'inputs = "float64[4]"' if option == "input-schema" else 'predictions = "float64"'
