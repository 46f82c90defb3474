"""The rules for inference classes: what the platform's validator and its loader ask of them."""

from __future__ import annotations

from hatch_wallaroo.findings import rule

_VALIDATOR = "mac 2025.2.5 and 2026.1.3, validate_byop_structure"
_LOADER = "mac 2023.2.1 to 2026.1.3, load_custom_inference"

NO_MODULE = rule(
    "WLR519",
    "no Python file at the bundle's top level",
    why="The platform's loader looks for inference code in the .py files at the top level, and nowhere else.",
    source=f"{_LOADER}: No matching files found inside `model_path`",
)
NO_INFERENCE = rule(
    "WLR520",
    "no class inherits from Inference",
    why="The class that inherits from mac.inference.Inference is the model as the platform sees it.",
    source=f"{_VALIDATOR}: InferenceClassNotFoundError; upload guide, Arbitrary Python Script Requirements",
)
SEVERAL_INFERENCES = rule(
    "WLR521",
    "several classes inherit from Inference",
    why="The validator executes every .py outside artifacts/ and counts the classes over all of them, own base classes "
    "included.",
    source=f"{_VALIDATOR}: MultipleInferenceClassesError",
)
NO_BUILDER = rule(
    "WLR522",
    "no class inherits from InferenceBuilder",
    why="The platform makes the model by calling create() of the one InferenceBuilder that it finds.",
    source=f"{_VALIDATOR}: InferenceBuilderNotFoundError; {_LOADER}: No InferenceBuilder subclass found",
)
SEVERAL_BUILDERS = rule(
    "WLR523",
    "several classes inherit from InferenceBuilder",
    why="The platform makes the model from the one InferenceBuilder that it finds. Its loader counts names: a builder "
    "that is imported, or has a second name, counts again.",
    source=f"{_VALIDATOR}: MultipleInferenceBuilderClassesError; {_LOADER}: Multiple InferenceBuilder subclasses found",
)
NO_INFERENCE_METHOD = rule(
    "WLR524",
    "the InferenceBuilder has no `inference`",
    why="`inference` is abstract in mac's InferenceBuilder: without it the class cannot be instantiated.",
    source=f"{_VALIDATOR}: InferenceMethodError; upload guide, InferenceBuilder",
)
NO_CREATE = rule(
    "WLR525",
    "the InferenceBuilder has no `create`",
    why="The platform calls create(config) to load the model.",
    source=f"{_VALIDATOR}: CreateMethodError; upload guide, InferenceBuilder",
)
NO_PREDICT = rule(
    "WLR526",
    "the Inference class has no `_predict`",
    why="`_predict` is what the platform calls for each batch; it is abstract in mac's Inference.",
    source=f"{_VALIDATOR}: PredictMethodError; upload guide, Inference",
)
NO_MODEL = rule(
    "WLR527",
    "the Inference class defines no `model`",
    why="The validator wants `model` (or `_model`) in the class itself; what a base class defines does not count.",
    source=f"{_VALIDATOR}: ModelMethodError",
)
PARAMETER = rule(
    "WLR528",
    "`_predict` does not take a dictionary of arrays by the name of input_data",
    why="The validator looks for a parameter `input_data` whose annotation is a dictionary of numpy arrays.",
    source=f"{_VALIDATOR}: PredictMethodSignatureError",
)
RETURNS = rule(
    "WLR529",
    "`_predict` is not annotated to return a dictionary of arrays",
    why="The validator looks for a return annotation that is a dictionary of numpy arrays.",
    source=f"{_VALIDATOR}: PredictMethodReturnTypeError",
)
POSTPONED = rule(
    "WLR530",
    "the annotations of `_predict` are text at run time",
    why="The validator looks at the annotation objects. Postponed and quoted annotations are strings to it, and fail.",
    source=f"{_VALIDATOR}: run with `from __future__ import annotations`",
)
NO_TYPES = rule(
    "WLR531",
    "the Inference class has no `expected_model_types`",
    why="It is abstract in mac's Inference: without it the class cannot be instantiated.",
    source=f"{_VALIDATOR}: ExpectedModelTypesError; upload guide, Inference",
)
TYPES_METHOD = rule(
    "WLR532",
    "`expected_model_types` is a method, not a property",
    why="mac iterates over self.expected_model_types when the model is assigned: a method is not iterable.",
    source=f"{_LOADER}: TypeError: 'method' object is not iterable",
)
ASYNCHRONOUS = rule(
    "WLR533",
    "AsyncInference is not recognised",
    why="The validator counts subclasses of Inference alone. A subclass of Inference whose `predict` is `async def` is "
    "served asynchronously just as well.",
    source=f"{_VALIDATOR}: No Inference-inherited class; arrow_flight_service tests for a coroutine function",
)
NEVER_ASSIGNED = rule(
    "WLR534",
    "the model is never assigned",
    why="Inference.predict raises ModelNotAssignedError as long as `model` is None.",
    source="mac 2023.2.1 to 2026.1.3, Inference.predict",
)
CANNOT_CALL = rule(
    "WLR536",
    "a method cannot be called as the platform calls it",
    why="The platform calls Builder(), builder.create(config) and inference._predict(input_data), with nothing else.",
    source=f"{_LOADER}; Inference.predict",
)
AWAITED = rule(
    "WLR537",
    "synchronous and asynchronous methods are mixed",
    why="Inference.predict returns what `_predict` returns, and AsyncInference.predict awaits it.",
    source="mac 2024.4.4 to 2026.1.3, Inference.predict and AsyncInference.predict",
)
CHAT_ONLY = rule(
    "WLR538",
    "only chat or completion handlers, and no InferenceBuilder",
    why="The validator lets such code pass without looking further; the loader still wants an InferenceBuilder.",
    source=f"{_VALIDATOR}: has_openai_functions; {_LOADER}: No InferenceBuilder subclass found",
)
ABSTRACT = rule(
    "WLR539",
    "a class leaves abstract members undone",
    why="Python refuses to instantiate it when the platform loads the model.",
    source=f"{_LOADER}: Can't instantiate abstract class",
)
