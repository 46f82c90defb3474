"""From what the platform says to a reason in a word, and to the rules that say the same."""

from __future__ import annotations

import re

_REASONS: tuple[tuple[str, str, frozenset[str]], ...] = tuple(
    (pattern, word, frozenset(codes.split()))
    for pattern, word, codes in (
        (r"^(pass|ok)$", "pass", ""),
        (r"^exit$|invalid pyproject.toml config", "exits", "WLR544"),
        (r"No matching files", "no file", "WLR519"),
        (r"MultipleInferenceClasses", "several inferences", "WLR521"),
        (r"MultipleInferenceBuilder|Multiple InferenceBuilder", "several builders", "WLR523"),
        (r"InferenceClassNotFound", "no inference", "WLR520 WLR533"),
        (r"InferenceBuilderNotFound|No InferenceBuilder", "no builder", "WLR522 WLR538"),
        (r"InferenceMethodError", "no inference method", "WLR524"),
        (r"CreateMethodError", "no create", "WLR525"),
        (r"ModelMethodError", "no model", "WLR527"),
        (r"PredictMethodSignatureError", "input_data", "WLR528 WLR530"),
        (r"PredictMethodReturnTypeError", "returns", "WLR529 WLR530"),
        (r"PredictMethodError|abstract.*_predict", "no _predict", "WLR526"),
        (r"ExpectedModelTypesError|abstract.*expected_model_types", "no types", "WLR531"),
        (r"abstract.*extra", "abstract", "WLR539"),
        (r"abstract class TinyBuilder", "abstract builder", "WLR524 WLR525"),
        (r"FileNotFoundError|No such file", "file not found", "WLR560 WLR561"),
        (r"no attribute '(weights_path|read_model)'|'method' object has no attribute", "no attribute", "WLR542"),
        (r"'(type|NoneType)' object is not iterable|isinstance\(\) arg 2", "no set of classes", "WLR535"),
        (r"KeyError: 'custom_inference'|main.py: 'main'", "not registered", "WLR564"),
        (r"'NoneType' object has no attribute 'split'", "variable", "WLR545"),
        (r"can't set attribute", "no setter", "WLR562"),
        (r"NotImplementedError", "not implemented", "WLR544"),
        (r"predict: NoneType", "nothing returned", "WLR536"),
        (r"'method' object is not iterable", "types a method", "WLR532"),
        (r"ModelNotAssigned", "never assigned", "WLR534"),
        (r"model is not of type", "wrong type", "WLR535"),
        (
            r"TypeError.*positional argument|(NoneType|coroutine)' object has no attribute 'predict'",
            "call",
            "WLR525 WLR536 WLR563",
        ),
        (r"no attribute 'predict'", "no predict", "WLR520 WLR536"),
        (r"predict: coroutine", "not awaited", "WLR537"),
        (r"no attribute '__dict__'", "dataclass", "WLR548"),
        (r"module 'unknown'|relative import", "relative import", "WLR541"),
        (
            r"'helper' has no attribute|cannot import name|module '([A-Z]\w+|cache)' is not found|No module named 'mac\.",
            "no such name",
            "WLR542",
        ),
        (r"module '[\w.]+' is not found|No module named", "no module", "WLR540 WLR550 WLR553"),
        (r"is not defined", "undefined", "WLR543"),
        (r"SOME_KEY", "variable", "WLR545"),
        (r"RuntimeError: no|: no$", "raises", "WLR544"),
        (r"invalid syntax|SyntaxError", "syntax", "WLR551 WLR552"),
        (r"issubclass\(\) arg 1", "taken for a class", "WLR549"),
        (
            r"Type subscription requires|object is not subscriptable|unsupported operand|unexpected keyword argument 'slots'",
            "newer Python",
            "WLR552",
        ),
    )
)


def reason(said: str) -> str:
    """One word or two for an answer of the validator or the loader."""
    for pattern, word, _ in _REASONS:
        if re.search(pattern, said):
            return word
    return said


def codes(word: str) -> frozenset[str]:
    """The rules one of which must be among our findings for a reason."""
    return next((found for _, each, found in _REASONS if each == word), frozenset())
