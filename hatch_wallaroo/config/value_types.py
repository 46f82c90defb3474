"""The types of values that the table takes: how each is read, said in words, and written as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hatch_wallaroo.config import rules
from hatch_wallaroo.config.rules import Issue, Read
from hatch_wallaroo.config.spec import Reference, RequirementsFrom
from hatch_wallaroo.config.text_types import CONTROLS, PathValue, TextValue, ValueType
from hatch_wallaroo.findings import nearest
from hatch_wallaroo.text import found, key_text, number, quoted


@dataclass(frozen=True)
class ChoiceValue(TextValue):
    """One of a few words."""

    values: tuple[str, ...]
    words: ClassVar[str] = "one of a few words"

    def parse(self, text: str, option: str) -> Read:
        if text in self.values:
            return Read(text)
        close = nearest(text[:40], self.values)
        message = f"{quoted(text)} is none of {', '.join(self.values)}"
        fix = f"{option} = {quoted(close)}" if close else f"write one of {', '.join(map(quoted, self.values))}"
        return Read(None, (Issue(rules.UNKNOWN_VALUE, message, fix),))

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class FrameworkValue(TextValue):
    """A framework's name; judged once the release is known."""

    words: ClassVar[str] = "a framework"

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/definitions/framework"}


@dataclass(frozen=True)
class ReleaseValue(TextValue):
    """A Wallaroo release; judged against the data that is there."""

    words: ClassVar[str] = "a release in quotes"

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/definitions/release"}


@dataclass(frozen=True)
class FunctionValue(TextValue):
    """A function as `package.module:function`."""

    words: ClassVar[str] = "a function"

    def parse(self, text: str, option: str) -> Read:
        module, colon, function = text.partition(":")
        if colon and is_dotted(module) and is_dotted(function) and "." not in function:
            return Read(Reference(module, function))
        return Read(
            None,
            (
                Issue(
                    rules.REFERENCE,
                    f"{quoted(text)} does not name a function as package.module:function",
                    f"{option} = {quoted(_meant(text) or self.example)}",
                ),
            ),
        )

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "pattern": "^[^\\s:/]+:[^\\s:./]+$"}


def _meant(text: str) -> str | None:
    """What a reference in another notation most likely means: `src/pkg/mod.py:f` or `pkg.mod.f`."""
    module, colon, function = text.strip().replace("::", ":").partition(":")
    if module.endswith(".py") or "/" in module or "\\" in module:
        parts = module.removesuffix(".py").replace("\\", "/").strip("./").split("/")
        module = ".".join(parts[1:] if parts[0] == "src" and len(parts) > 1 else parts)
    elif not colon:
        module, _, function = module.rpartition(".")
    function = function.strip().removesuffix("()")
    return f"{module}:{function}" if is_dotted(module) and function.isidentifier() else None


@dataclass(frozen=True)
class ClassNameValue(TextValue):
    """A class by its full name: `sklearn.cluster.KMeans`."""

    words: ClassVar[str] = "the full name of a class"

    def parse(self, text: str, option: str) -> Read:
        name = text.replace(":", ".", 1)
        if is_dotted(name):
            return Read(name)
        message = f"{quoted(text)} is not a class's name as Python writes it"
        return Read(None, (Issue(rules.REFERENCE, message, f"for example: {option} = [{quoted(self.example)}]"),))


def is_dotted(name: str) -> bool:
    """Whether Python could import by this name: identifiers with dots between them, none a keyword."""
    from keyword import iskeyword

    return all(part.isidentifier() and not iskeyword(part) for part in name.split("."))


@dataclass(frozen=True)
class FlagValue(ValueType):
    """True or false."""

    words: ClassVar[str] = "true or false"

    def read(self, value: Any, option: str) -> Read:
        if isinstance(value, bool):
            return Read(value)
        meant = value.lower() if isinstance(value, str) and value.lower() in {"true", "false"} else "true"
        return self.refused(value, f"{option} = {meant}")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class ListValue(ValueType):
    """A list of one type of strings."""

    item: TextValue
    words: ClassVar[str] = "a list of strings"

    def read(self, value: Any, option: str) -> Read:
        if not isinstance(value, (list, tuple)):
            example = value if isinstance(value, str) and value.strip() else self.item.example
            return self.refused(value, f"{option} = [{quoted(example)}]")
        values: list[Any] = []
        issues: list[Issue] = []
        for index, each in enumerate(value):
            read = self.item.read(each, option) if isinstance(each, str) else self._wrong_item(each)
            issues += [issue.inside(index) for issue in read.issues]
            if not read.issues:
                values.append(read.value)
        return Read(tuple(values), tuple(issues))

    def _wrong_item(self, value: Any) -> Read:
        example = (
            number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else self.item.example
        )
        return self.item.refused(value, f"write it as a string: {quoted(example)}")

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True)
class LabelsValue(ValueType):
    """Strings by name."""

    words: ClassVar[str] = "a table of strings"

    def read(self, value: Any, option: str) -> Read:
        if not isinstance(value, Mapping):
            return self.refused(value, f'for example: {option} = {{ team = "fraud" }}')
        issues: list[Issue] = []
        for name, each in value.items():
            if not name.strip() or CONTROLS.search(name):
                message = f"{quoted(name)} is no name of a label"
                issues.append(Issue(rules.MALFORMED, message, "write a word, without control characters").inside(name))
            elif not isinstance(each, str) or CONTROLS.search(each):
                issues.append(TextValue("fraud").read(each, key_text((name,))).issues[0].inside(name))
        return Read({name: each for name, each in value.items() if isinstance(each, str)}, tuple(issues))

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "propertyNames": {"minLength": 1}, "additionalProperties": {"type": "string"}}


@dataclass(frozen=True)
class RequirementsValue(ValueType):
    """`"project"`, a file, or the lines themselves."""

    words: ClassVar[str] = '"project", a path, or a list of strings'

    def read(self, value: Any, option: str) -> Read:
        if isinstance(value, (list, tuple)):
            read = ListValue(TextValue("scikit-learn==1.3.0")).read(value, option)
            return Read(RequirementsFrom("list", lines=read.value), read.issues)
        if value == "project":
            return Read(RequirementsFrom("project"))
        if not isinstance(value, str):
            return self.refused(value, f'{option} = "project", "requirements.txt" or ["scikit-learn==1.3.0"]')
        if nearest(value[:40], ["project"]) and not {"/", "."} & set(value):
            message = f'{quoted(value)} is neither "project" nor the path of a file'
            return Read(None, (Issue(rules.UNKNOWN_VALUE, message, f'{option} = "project"'),))
        read = PathValue("requirements.txt").read(value, option)
        return Read(RequirementsFrom("file", file=read.value or ""), read.issues)

    def schema(self) -> dict[str, Any]:
        lines = ListValue(TextValue("scikit-learn==1.3.0")).schema()
        return {"anyOf": [{"type": "string", "minLength": 1, "examples": ["project", "requirements.txt"]}, lines]}


@dataclass(frozen=True)
class TableValue(ValueType):
    """A table whose keys the release knows; they are judged once the release is."""

    words: ClassVar[str] = "a table"

    def read(self, value: Any, option: str) -> Read:
        if isinstance(value, Mapping):
            return Read(dict(value))
        return self.refused(value, f"for example: {option} = {{ key = 1 }}")

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


@dataclass(frozen=True)
class AcceleratorValue(ValueType):
    """An accelerator's name, or a table of one name and its configuration."""

    words: ClassVar[str] = "a string, or a table such as { qaic = { num_cores = 16 } }"

    def read(self, value: Any, option: str) -> Read:
        if not isinstance(value, Mapping):
            if not isinstance(value, str):
                return self.refused(value, f'{option} = "cuda"')
            return TextValue("cuda").read(value, option)
        if len(value) != 1:
            message = f"must name one accelerator, not {len(value)}"
            return Read(None, (Issue(rules.MALFORMED, message, f"{option} = {{ qaic = {{ num_cores = 16 }} }}"),))
        name, config = next(iter(value.items()))
        if not isinstance(config, Mapping):
            issue = Issue(
                rules.WRONG_TYPE,
                f"must be a table, not {found(config)}",
                f"{option} = {{ {key_text((name,))} = {{ num_cores = 16 }} }}",
            )
            return Read(None, (issue.inside(name),))
        return Read({name: dict(config)})

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}


@dataclass(frozen=True)
class SchemaValue(ValueType):
    """Fields and their types, in order."""

    words: ClassVar[str] = "a table of fields and their types"

    def read(self, value: Any, option: str) -> Read:
        if not isinstance(value, Mapping):
            return self.refused(value, f'{option} = {{ inputs = "float64[4]" }}')
        from hatch_wallaroo.schema.tables import read_schema

        schema, problems = read_schema(value)
        return Read(
            schema,
            tuple(Issue(rules.SCHEMA, each.message, each.fix, path=each.path, column=each.column) for each in problems),
        )

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/definitions/schema"}
