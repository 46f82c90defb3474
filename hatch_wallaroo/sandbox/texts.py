"""What is wrong with an upload, in the words of the platform's own validator and loaders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hatch_wallaroo.findings import Finding
from hatch_wallaroo.frameworks import import_findings
from hatch_wallaroo.frameworks.byop import rules
from hatch_wallaroo.frameworks.step import rules as step_rules
from hatch_wallaroo.python import source_files

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
