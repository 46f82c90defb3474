"""Where to mend a model that the platform could not convert: from its words to a key or file of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hatch_wallaroo.platform.packages import Package

_SEARCHED = 50_000
"""Characters of summary and logs that are searched, from their end: what ends a conversion stands there."""


@dataclass(frozen=True)
class Cause:
    """A text of the platform's (a regular expression), the key that mends it, the rule that knows it, and how.

    `{0}` in `fix` is the text's first group. `key` is below the model's own table; empty where none mends it.
    """

    text: str
    key: str
    fix: str
    code: str = ""


CAUSES: tuple[Cause, ...] = (
    Cause(r"Could not pip install user provided", "requirements", "the platform's Python could not install these "
          "requirements; `lock = true` finds versions that fit it, or says which do not", "WLR271"),
    Cause(r"No matching distribution found for ([\w.\-\[\]=<>!~,]+)", "requirements",
          "there is no {0} for the platform's Python and architecture: choose another version", "WLR271"),
    Cause(r"module '?([\w.]+)'? is not found|No module named '([\w.]+)'", "requirements",
          "add the package that brings {0}, or take your own module along with byop.packages", "WLR550"),
    Cause(r"name '?(\w+)'? is not defined", "byop", "{0} is used before anything gives it a value", "WLR543"),
    Cause(r"No matching files found inside|No Python modules found", "byop.module",
          "the inference code must be a .py file at the bundle's top level", "WLR519"),
    Cause(r"No Inference-inherited class", "byop.module", "write one class that inherits from Inference", "WLR520"),
    Cause(r"Multiple Inference-inherited classes", "byop.module",
          "leave one class that inherits from Inference over all .py files outside artifacts/", "WLR521"),
    Cause(r"No InferenceBuilder(?:-inherited class| subclass)", "byop.module",
          "write one class that inherits from InferenceBuilder", "WLR522"),
    Cause(r"Multiple InferenceBuilder", "byop.module",
          "leave one class that inherits from InferenceBuilder, imported ones counted", "WLR523"),
    Cause(r"InferenceBuilder class must contain the inference method", "byop.module",
          "give the InferenceBuilder its `inference` property", "WLR524"),
    Cause(r"InferenceBuilder class must contain the create method", "byop.module",
          "give the InferenceBuilder `create(self, config)`", "WLR525"),
    Cause(r"must contain the predict method", "byop.module", "give the Inference class `_predict(self, input_data)`",
          "WLR526"),
    Cause(r"predict method may only accept|'input_data' parameter", "byop.module",
          "write `def _predict(self, input_data: InferenceData) -> InferenceData`, "
          "without `from __future__ import annotations`", "WLR528"),
    Cause(r"_predict method may only return", "byop.module",
          "annotate what `_predict` returns: -> InferenceData", "WLR529"),
    Cause(r"missing the recommended model method|abstract '_model' method", "byop.module",
          "define `model` with its setter in the Inference class itself", "WLR527"),
    Cause(r"expected_model_types", "byop.module", "give the Inference class the property `expected_model_types`",
          "WLR531"),
    Cause(r"'method' object is not iterable", "byop.module", "make `expected_model_types` a property", "WLR532"),
    Cause(r"`process_data` function should have", "model",
          "write `def process_data(input_data: InferenceData) -> InferenceData:`, "
          "without `from __future__ import annotations`", "WLR443"),
    Cause(r"No pre/post-processing step found", "model",
          "write the function that the platform's release calls: wallaroo_json up to 2023.4, process_data from 2024.1",
          "WLR441"),
    Cause(r"Multiple pre/post-processing steps", "model", "leave one process_data over all .py files at the top",
          "WLR444"),
    Cause(r"requirements\.txt not found", "release",
          "this platform wants a requirements.txt, and gets one from builds for its own release"),
    Cause(r"Failed to load python module from (\S{1,200}):", "",
          "importing {0} fails on the platform; `hatch-wallaroo check` looks for what would", "WLR540"),
    Cause(r"Not a valid ZIP", "", "the file is no zip: a framework that takes a folder needs one; build it again"),
    Cause(r"ModelNotAssigned", "byop.module", "assign the loaded model: inference.model = …", "WLR534"),
    Cause(r"(?:input|output)[_ ]schema|ArrowInvalid|NDArrayToArrow|Schema mismatch", "{schema}",
          "compare the schema with what the model takes and returns"),
    Cause(r"exec format error|is not a supported wheel|cannot open shared object", "arch",
          "something in the bundle was built for another architecture: set arch, or take wheels for it"),
    Cause(r"Insufficient memory|OOMKilled|No space left|Killed", "",
          "the platform ran out of memory or disk: ask its operators, or make the model smaller"),
)  # fmt: skip
"""The platform's words, most telling first. Sources: mac 2023.2.1 to 2026.1.3, answers of real platforms."""

_KEY_CODES: Mapping[str, tuple[str, ...]] = {"requirements": ("WLR25", "WLR26", "WLR27"), "byop": ("WLR5",)}
_TRACE = re.compile(r'File "([^"\n]{1,300})", line (\d{1,7})|([\w./-]{1,200}\.py):(\d{1,7})')


def advice(package: Package, summary: str, log: Sequence[str]) -> tuple[str, ...]:
    """Where to mend it, most likely first; empty where nothing is known about the platform's words.

    Names the key of pyproject.toml, the line of a file of the bundle, and what the build had already found.
    """
    told = "\n".join([*log, summary])[-_SEARCHED:]
    found: list[str] = [*_files(package, told)]
    keys: list[str] = []
    for cause in CAUSES:
        match = re.search(cause.text, told, re.IGNORECASE)
        if match:
            key = _key(package, cause.key, match[0])
            keys.append(cause.key.split(".")[0])
            subject = next((group for group in match.groups() if group), "")
            code = f" [{cause.code}]" if cause.code else ""
            found.append(f"{key}: {cause.fix.format(subject)}{code}" if key else f"{cause.fix.format(subject)}{code}")
    found += _findings(package, keys)
    return tuple(dict.fromkeys(found))


def _key(package: Package, key: str, matched: str) -> str:
    if key == "{schema}":
        key = "output-schema" if "output" in matched.lower() else "input-schema"
    if not key:
        return ""
    if key.startswith("byop") and package.framework != "custom":
        return ""
    return f"pyproject.toml {package.table}.{key}"


def _files(package: Package, told: str) -> Iterator[str]:
    """The last line of each of the bundle's own files that a traceback names."""
    contents = package.manifest.get("contents")
    paths = (
        [each["path"] for each in contents if isinstance(each, dict) and isinstance(each.get("path"), str)]
        if (isinstance(contents, list))
        else []
    )
    lines: dict[str, str] = {}
    for match in _TRACE.finditer(told):
        name, line = (match[1] or match[3]), (match[2] or match[4])
        own = max((path for path in paths if _same_file(name, path)), key=len, default=None)
        if own:
            lines[own] = line
    for path, line in lines.items():
        yield f"{path}, line {line}, of the bundle: the platform's log points there"


def _same_file(told: str, path: str) -> bool:
    """Whether a path in the platform's file system is that of an entry, whose top folder the platform strips."""
    parts = PurePosixPath(path).parts
    ends = {parts, parts[1:]} if len(parts) > 1 else {parts}
    seen = PurePosixPath(told).parts
    return any(end and seen[-len(end) :] == end for end in ends)


def _findings(package: Package, keys: Sequence[str]) -> Iterator[str]:
    """What the build warned of under the same keys."""
    prefixes = tuple(prefix for key in keys for prefix in _KEY_CODES.get(key, ()))
    findings: Any = package.manifest.get("findings")
    for each in findings if isinstance(findings, list) else ():
        if not isinstance(each, dict) or not prefixes or not str(each.get("code", "")).startswith(prefixes):
            continue
        where = each.get("file") or each.get("key") or ""
        fix = f" ({each['fix']})" if each.get("fix") else ""
        yield f"the build warned: {where} {each.get('message', '')}{fix} [{each['code']}]".replace("  ", " ")
