"""Judges an upload as the platform does: what it refuses, what becomes of the model, and in which words it says so."""

from __future__ import annotations

import lzma
import re
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.config.spec import ModelSpec, Project, RequirementsFrom
from hatch_wallaroo.files.collect import list_zip
from hatch_wallaroo.files.rules import NOT_A_ZIP as NO_ZIP
from hatch_wallaroo.files.sources import Entry, FileSource, Found, ZipMember
from hatch_wallaroo.findings import Finding, Level, Place, errors
from hatch_wallaroo.frameworks import import_findings
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.frameworks.step import rules as step_rules
from hatch_wallaroo.python import source_files
from hatch_wallaroo.releases.model import FrameworkRow, Release
from hatch_wallaroo.sandbox.store import Store
from hatch_wallaroo.text import one_line

LARGEST_SOURCE = 64 << 20
"""Bytes of Python in one archive that are still read, all files together."""

_LARGEST_REQUIREMENTS = 1 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True)
class Verdict:
    """What becomes of an upload that is taken, or of an image.

    Nothing is wrong, or `summary` says what is, and `logs` tell more. `findings` are what the logs' lines were made of.
    """

    failed: bool = False
    summary: str = ""
    logs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def is_zip(file: Path) -> bool:
    """Whether a file is a zip whose directory can be read; reads its end only."""
    try:
        return zipfile.is_zipfile(file)
    except OSError:
        return False


def judge(release: Release, row: FrameworkRow, route: str, file: Path, file_name: str, *, code: bool = True) -> Verdict:
    """The fate of a file that was taken for a framework. Reads what it needs, executes nothing.

    Weights are not judged: of native and converted models only the way they were sent. Without `code`, that is so of
    Python, too, where the platform's own loader is to run it afterwards, and say in its own words what it finds.
    """
    if "/" in file_name or "\\" in file_name:
        return Verdict(failed=True)  # four of four real uploads ended in an error with an empty summary
    if route == "upload" and row.route == "upload_and_convert":
        return _failed(f"{row.name} needs a conversion, and the model was sent to `upload`")
    if row.family == "python" and release.python_step == "wallaroo_json":
        return _step(_spec(release, row, file.parent), [Entry(file_name, FileSource(file), file_name)], "file")
    if row.family not in {"python", "custom"}:
        return Verdict()
    try:
        listed = _UploadedArchive(release, row, file, file_name)
        if listed.problem:
            return _failed(listed.problem)
        _unpacked(listed.entries)
        if not code:
            _, problem = _requirements(listed) if row.family == "custom" else ((), [])
            return _failed(problem[-1], *problem) if problem else Verdict()
        return _custom(listed) if row.family == "custom" else _step(listed.spec, listed.named, "zip")
    except _DAMAGED as error:
        return _failed(f"{file_name} is damaged: {error}")


def _failed(summary: str, *more: str) -> Verdict:
    return Verdict(failed=True, summary=summary, logs=more or (summary,))


class _UploadedArchive:
    """A zip, unfolded: its files without the one top folder, or the problem that keeps it from being unpacked."""

    def __init__(self, release: Release, row: FrameworkRow, file: Path, file_name: str) -> None:
        self.release = release
        self.file = file
        self.spec = _spec(release, row, file.parent)
        listing = list_zip(self.spec, Found(file_name, file, file_name), place=Place())
        bad = [each for each in errors(listing.findings) if each.code != NO_ZIP.code or not listing.stripped]
        self.problem = bad[0].message if bad else ""
        self.entries = [] if bad else _unfolded(_all_entries(file))
        if sum(each.source.size for each in self.entries if each.path.endswith(".py")) > LARGEST_SOURCE:
            self.problem, self.entries = f"{file_name} holds more than {LARGEST_SOURCE >> 20} MiB of Python", []

    @property
    def named(self) -> list[Entry]:
        """The entries below a top folder, as bundles have them."""
        return [Entry(f"{self.spec.name}/{each.path}", each.source, each.path) for each in self.entries]


def _all_entries(file: Path) -> list[Entry]:
    """Every member that would be unpacked, what a bundle would leave out included: the platform runs that too."""
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
    entries: dict[str, Entry] = {}
    for index, info in enumerate(infos):
        path = info.filename.replace("\\", "/")
        parts = path.split("/")
        readable = not info.flag_bits & 1 and info.compress_type in _METHODS
        if path.endswith("/") or path.startswith("/") or ".." in parts or not readable:
            continue
        entries[path] = Entry(path, ZipMember(file, info.filename, index, info.file_size), path)
    return [entries[path] for path in sorted(entries)]


def _unpacked(entries: list[Entry]) -> None:
    """Read everything once, as the platform unpacks it; raises OSError for a damaged member."""
    for each in entries:
        with each.source.open() as stream:
            while stream.read(1 << 20):
                pass


def _unfolded(entries: list[Entry]) -> list[Entry]:
    tops = {each.path.partition("/")[0] for each in entries}
    if len(tops) != 1 or not all("/" in each.path for each in entries):
        return entries
    return [Entry((path := each.path.partition("/")[2]), each.source, path) for each in entries]


def _custom(archive: _UploadedArchive) -> Verdict:
    """BYOP: requirements.txt, then the validator of the release, if it has one, and its loader."""
    from hatch_wallaroo.frameworks.byop.family import check_code
    from hatch_wallaroo.frameworks.import_findings import once
    from hatch_wallaroo.frameworks.mac import environment_of
    from hatch_wallaroo.python.source_files import read_sources

    lines, problem = _requirements(archive)
    if problem:
        return _failed(problem[-1], *problem)
    sources = read_sources(archive.entries, "")
    environment = environment_of(archive.release, lines)
    try:
        _, findings = check_code(sources, environment, archive.release.byop, {each.path for each in archive.entries})
    except RecursionError:
        return Verdict(logs=("The code is nested too deeply to be looked at.",))
    return _verdict(once(findings), validator=archive.release.byop.validator)


def _step(spec: ModelSpec, entries: list[Entry], form: Literal["file", "zip"]) -> Verdict:
    """A Python step, as its release's loader sees it."""
    from hatch_wallaroo.frameworks.base import Layout
    from hatch_wallaroo.frameworks.step.family import PythonStep

    tops = [each.path for each in entries if each.path.endswith(".py") and each.path.count("/") == (form == "zip")]
    if not tops:
        return _failed(NO_STEP)
    inspection = PythonStep().inspect(spec, Layout(form, ".zip" if form == "zip" else ".py", tuple(entries)))
    return _verdict(inspection.findings, validator=False)


def _verdict(findings: Iterable[Finding], *, validator: bool) -> Verdict:
    """The platform stops at the first error; the logs hold the others too, and the warnings that nothing came of."""
    found = list(findings)
    wrong = errors(found)
    logs = [line for each in wrong for line in (platform_text(each, validator=validator), told(each))]
    logs += [told(each) for each in found if each.level is Level.WARNING]
    if not wrong:
        return Verdict(logs=tuple(logs), findings=tuple(found))
    summary = platform_text(wrong[0], validator=validator)
    return Verdict(failed=True, summary=summary, logs=tuple(logs), findings=tuple(found))


_MOST_FINDINGS = 200


def remembered(findings: Sequence[Finding]) -> tuple[dict[str, Any], ...]:
    """Findings as a version's record has them, for the pages."""
    return tuple(
        {
            "code": each.code,
            "level": each.level.value,
            "file": one_line(each.place.file),
            "line": each.place.line,
            "message": one_line(each.message),
            "fix": one_line(each.fix),
        }
        for each in findings[:_MOST_FINDINGS]
    )


def told(finding: Finding) -> str:
    """A log line in our own words, which the platform does not have: the place and the mending."""
    line = f":{finding.place.line}" if finding.place.line else ""
    where = f"{finding.place.file}{line}: " if finding.place.file else ""
    fix = f"; {finding.fix}" if finding.fix else ""
    return f"sandbox {finding.level.value} {finding.code}: {where}{' '.join(finding.message.split())}{fix}"


def requirements_of(release: Release, row: FrameworkRow, file: Path) -> tuple[str, ...]:
    """What the requirements.txt of an upload declares; nothing where it has none, or none that can be read."""
    if row.family not in {"custom", "python"} or not is_zip(file):
        return ()
    try:
        lines, _ = _requirements(_UploadedArchive(release, row, file, file.name))
    except _DAMAGED:
        return ()
    return lines or ()


def _requirements(archive: _UploadedArchive) -> tuple[tuple[str, ...] | None, list[str]]:
    """What requirements.txt at the top declares (None: there is none), and log lines where it cannot be installed."""
    own = next((each for each in archive.entries if each.path == "requirements.txt"), None)
    if own is None:
        return (), [NO_REQUIREMENTS] if archive.release.byop.requirements_required else []
    with own.source.open() as stream:
        data = stream.read(_LARGEST_REQUIREMENTS + 1)
    from hatch_wallaroo.requirements import rules
    from hatch_wallaroo.requirements.resolve import requirements_text

    copy = archive.file.with_name(f"{archive.file.name}.requirements.txt")
    try:
        copy.write_bytes(data)
        declared = RequirementsFrom("file", file=copy.name)
        made = requirements_text(replace(archive.spec, requirements=declared))
    finally:
        copy.unlink(missing_ok=True)
    wrong = [each for each in errors(made.findings) if each.code != rules.INDEX_LOGIN.code]
    said = [each.message.replace(copy.name, "requirements.txt") for each in wrong]
    return made.lines, [*said, PIP] if said else []


def _spec(release: Release, row: FrameworkRow, root: Path) -> ModelSpec:
    """A spec for an upload: the checks want one, and look at its release and framework only."""
    return ModelSpec(
        root=root,
        key=(),
        origins={"requirements": ("requirements",)},
        project=Project("model", "0"),
        name="model",
        version="0",
        release=release,
        framework=row,
        model=None,
        artifacts=(),
        exclude=(),
        include_sensitive=(),
        requirements=RequirementsFrom("list"),
        lock=False,
        python_version=release.python_version,
        visibility="private",
        arch=None,
        accel=None,
        framework_config=None,
        compression="auto",
        input_schema=None,
        output_schema=None,
        sample=None,
        byop=None,
        image=None,
    )


NOT_A_ZIP = "Not a valid ZIP file."
NO_REQUIREMENTS = "requirements.txt not found at the top level of the model archive."
PIP = "Could not pip install user provided requirements.txt"
NO_STEP = "No pre/post-processing step found in the given files."

_ARRAYS = "may only {} a dictionary of numpy arrays."
_NAMES = re.compile(r"(\w+) \(")
_MODULE = re.compile(r" imports ([\w.]+),")
_UNDEFINED = re.compile(r" uses (\w+) while")


def _several(base: str) -> Callable[[Finding], str]:
    def text(finding: Finding) -> str:
        names = _NAMES.findall(finding.message)
        return f"Multiple {base}-inherited classes found: {names}. Only one is allowed."

    return text


def _parameter(finding: Finding) -> str:
    if "no parameter" in finding.message:
        return "'_predict' method must have an 'input_data' parameter"
    if "no annotation" in finding.message:
        return "'_predict' method's 'input_data' parameter is missing type annotation"
    return f"The Inference class's predict method {_ARRAYS.format('accept')}"


def _not_loaded(finding: Finding) -> str:
    module, undefined = _MODULE.search(finding.message), _UNDEFINED.search(finding.message)
    if module:
        said = f"module '{module[1]}' is not found."
    else:
        said = f"name {undefined[1]} is not defined." if undefined else finding.message
    return f"Failed to load python module from {finding.place.file}: {said}"


def _constant(text: str) -> Callable[[Finding], str]:
    return lambda _: text


_LOADER: Mapping[str, Callable[[Finding], str]] = {
    rules.NO_MODULE.code: _constant("No matching files found inside `model_path`."),
    rules.NO_BUILDER.code: _constant("No InferenceBuilder subclass found in the given files."),
    rules.SEVERAL_BUILDERS.code: _constant("Multiple InferenceBuilder subclasses found in the given files."),
    rules.TYPES_METHOD.code: _constant("'method' object is not iterable"),
    step_rules.NOT_A_STEP.code: _constant(NO_STEP),
    step_rules.NO_FUNCTION.code: _constant(NO_STEP),
    step_rules.OTHER_FORM.code: _constant(NO_STEP),
    step_rules.SEVERAL.code: _constant("Multiple pre/post-processing steps found in the given files."),
    **{
        each.code: _constant(
            "The `process_data` function should have the following signature: "
            "def process_data(input_data: InferenceData) -> InferenceData:`."
        )
        for each in (step_rules.SIGNATURE, step_rules.POSTPONED)
    },
    **{
        each.code: _not_loaded
        for each in (
            import_findings.NOT_FOUND,
            import_findings.RELATIVE,
            import_findings.NO_SUCH_NAME,
            import_findings.UNDEFINED,
            import_findings.LEAVES,
            import_findings.VARIABLE,
            import_findings.DATACLASS,
            import_findings.NEWER_MODULE,
            source_files.UNPARSEABLE,
        )
    },
}
"""Source: `mac` 2023.2.1 to 2026.1.3, io/custom_step_loaders.py and config/."""

_VALIDATOR: Mapping[str, Callable[[Finding], str]] = {
    rules.NO_INFERENCE.code: _constant("No Inference-inherited class found in the model directory"),
    rules.ASYNCHRONOUS.code: _constant("No Inference-inherited class found in the model directory"),
    rules.SEVERAL_INFERENCES.code: _several("Inference"),
    rules.NO_BUILDER.code: _constant("No InferenceBuilder-inherited class found in the model directory"),
    rules.SEVERAL_BUILDERS.code: _several("InferenceBuilder"),
    rules.NO_INFERENCE_METHOD.code: _constant("The InferenceBuilder class must contain the inference method."),
    rules.NO_CREATE.code: _constant("The InferenceBuilder class must contain the create method."),
    rules.NO_PREDICT.code: _constant("The Inference class must contain the predict method."),
    rules.NO_MODEL.code: _constant("Inference class is missing the recommended model method"),
    rules.PARAMETER.code: _parameter,
    rules.POSTPONED.code: _constant(f"The Inference class's predict method {_ARRAYS.format('accept')}"),
    rules.RETURNS.code: _constant(f"The Inference class's _predict method {_ARRAYS.format('return')}"),
    rules.NO_TYPES.code: _constant("The Inference class must contain the expected_model_types method."),
}
"""Source: `mac` 2025.2.5 and 2026.1.3, validation/structure_validation.py and type_validation.py."""


def platform_text(finding: Finding, *, validator: bool) -> str:
    """The platform's text for a finding, or the finding's own message where nothing is known of its words."""
    table = {**_LOADER, **_VALIDATOR} if validator else _LOADER
    text = table.get(finding.code)
    return text(finding) if text else finding.message


class Images:
    """Tries images in the background, and puts what came of it into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads: list[threading.Thread] = []

    def begin(self, version_id: int, image_path: str) -> None:
        """Start with a registered image; its version stays on its way until that is done."""

        def work() -> None:
            verdict = started(image_path)
            ends = "error" if verdict.failed else "ready"
            self._store.settle(version_id, ends, verdict.summary or None, verdict.logs)

        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=work, name=f"image-{version_id}")
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait for those that have begun: each removes its container itself."""
        for thread in self._threads:
            thread.join()


def started(image_path: str) -> Verdict:
    """Pull an image, start it, ask for `/ping`, and remove what was not there before. Never raises."""
    from hatch_wallaroo.image.engine import ImageError, engine
    from hatch_wallaroo.image.registry import pulled
    from hatch_wallaroo.image.trial import run

    try:
        with engine() as reached, pulled(reached, image_path):
            trial = run(reached, image_path, (), None)
    except ImageError as error:
        return _failed(error.message, error.message, *error.log)
    except Exception as error:  # noqa: BLE001 - whatever it is, the version must not stay on its way for ever
        return _failed(f"the image could not be tried: {type(error).__name__}: {error}"[:500])
    return Verdict(logs=(f"{image_path} answers after {trial.started:.1f} s",))
