"""Every schema of the vendor's upload guide, in its order: as pyarrow code, and as a table of ours.

`extract` reads the guide's own code out of its text, so that the first form is checked where the text is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "shared" / "reference" / "model-upload-guide.txt"

_IMAGE = "pa.list_(pa.list_(pa.list_(pa.int64(), list_size=3), list_size={width}), list_size={height})"
_SMALL = _IMAGE.format(width=100, height=100)
_TEXT, _FLAG, _WHOLE, _REAL = "pa.string()", "pa.bool_()", "pa.int64()", "pa.float64()"


def _list(item: str, size: int | None = None) -> str:
    return f"pa.list_({item})" if size is None else f"pa.list_({item}, list_size={size})"


@dataclass(frozen=True)
class GuideSchema:
    """`columns` holds for each field pyarrow's code and the notation."""

    name: str
    columns: dict[str, tuple[str, str]]

    @property
    def code(self) -> str:
        """An expression that makes the schema with pyarrow."""
        fields = ", ".join(f"pa.field({name!r}, {code})" for name, (code, _) in self.columns.items())
        return f"pa.schema([{fields}])"

    @property
    def table(self) -> dict[str, str]:
        """The same in `[tool.wallaroo]`."""
        return {name: notation for name, (_, notation) in self.columns.items()}


TEXT, FLAG, WHOLE, REAL = (_TEXT, "string"), (_FLAG, "bool"), (_WHOLE, "int64"), (_REAL, "float64")
IMAGE = (_SMALL, "int64[100, 100, 3]")
TEXTS, REALS = (_list(_TEXT), "string[*]"), (_list(_REAL), "float64[*]")
TEXTS_2, REALS_2 = (_list(_TEXT, 2), "string[2]"), (_list(_REAL, 2), "float64[2]")
BOXES = (_list(_list(_WHOLE, 4)), "int64[*, 4]")
ROW = {"inputs": (_list(_REAL, 4), "float64[4]")}
ZERO_SHOT = (
    {"inputs": TEXT, "candidate_labels": TEXTS_2, "hypothesis_template": TEXT, "multi_label": FLAG},
    {"sequence": TEXT, "scores": REALS_2, "labels": TEXTS_2},
)

_PAIRS: dict[str, tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]] = {
    "feature-extraction": ({"inputs": TEXT}, {"output": (_list(_list(_REAL, 128)), "float64[*, 128]")}),
    "image-classification": ({"inputs": IMAGE, "top_k": WHOLE}, {"score": REALS_2, "label": TEXTS_2}),
    "image-segmentation": (
        {"inputs": IMAGE, "threshold": REAL, "mask_threshold": REAL, "overlap_mask_area_threshold": REAL},
        {
            "score": REALS,
            "label": TEXTS,
            "mask": (_list(_list(_list(_WHOLE, 100), 100)), "int64[*, 100, 100]"),
        },
    ),
    "image-to-text": ({"inputs": IMAGE}, {"generated_text": TEXTS}),
    "object-detection": ({"inputs": IMAGE, "threshold": REAL}, {"score": REALS, "label": TEXTS, "box": BOXES}),
    "question-answering": (
        {
            "question": TEXT,
            "context": TEXT,
            "top_k": WHOLE,
            "doc_stride": WHOLE,
            "max_answer_len": WHOLE,
            "max_seq_len": WHOLE,
            "max_question_len": WHOLE,
            "handle_impossible_answer": FLAG,
            "align_to_words": FLAG,
        },
        {"score": REAL, "start": WHOLE, "end": WHOLE, "answer": TEXT},
    ),
    "stable-diffusion-text-2-img": (
        {
            "prompt": TEXT,
            "height": WHOLE,
            "width": WHOLE,
            "num_inference_steps": WHOLE,
            "guidance_scale": REAL,
            "negative_prompt": TEXT,
            "num_images_per_prompt": TEXT,
            "eta": REAL,
        },
        {"images": (_IMAGE.format(width=128, height=128), "int64[128, 128, 3]")},
    ),
    "summarization": (
        {"inputs": TEXT, "return_text": FLAG, "return_tensors": FLAG, "clean_up_tokenization_spaces": FLAG},
        {"summary_text": TEXT},
    ),
    "text-classification": (
        {"inputs": TEXT, "top_k": WHOLE, "function_to_apply": TEXT},
        {"label": TEXTS_2, "score": REALS_2},
    ),
    "translation": (
        {
            "inputs": TEXT,
            "return_tensors": FLAG,
            "return_text": FLAG,
            "clean_up_tokenization_spaces": FLAG,
            "src_lang": TEXT,
            "tgt_lang": TEXT,
        },
        {"translation_text": TEXT},
    ),
    "zero-shot-classification": ZERO_SHOT,
    "zero-shot-image-classification": (
        {"inputs": IMAGE, "candidate_labels": TEXTS_2, "hypothesis_template": TEXT},
        {"score": REALS_2, "label": TEXTS_2},
    ),
    "zero-shot-object-detection": (
        {
            "images": (_IMAGE.format(width=640, height=480), "int64[480, 640, 3]"),
            "candidate_labels": (_list(_TEXT, 3), "string[3]"),
            "threshold": REAL,
        },
        {"score": REALS, "label": TEXTS, "box": BOXES},
    ),
    "text-generation": (
        {
            "inputs": TEXT,
            "return_tensors": FLAG,
            "return_text": FLAG,
            "return_full_text": FLAG,
            "clean_up_tokenization_spaces": FLAG,
            "prefix": TEXT,
            "handle_long_generation": TEXT,
        },
        {"generated_text": (_list(_TEXT, 1), "string[1]")},
    ),
    "sklearn": (ROW, {"predictions": ("pa.int32()", "int32")}),
    "xgboost": (ROW, {"output": ("pa.int32()", "int32")}),
    "the upload example": ZERO_SHOT,
}

SCHEMAS = tuple(
    GuideSchema(f"{name}, {direction}", columns)
    for name, pair in _PAIRS.items()
    for direction, columns in zip(("input", "output"), pair, strict=True)
)


def extract(text: str) -> list[str]:
    """All `pa.schema([...])` expressions of the guide, in order, as they stand there."""
    found = []
    for start in re.finditer(r"^(?:in|out)put_schema = (?=pa\.schema\(\[)", text, re.MULTILINE):
        lines = []
        for line in text[start.end() :].splitlines():
            lines.append(line)
            bare = "\n".join(each.partition("#")[0] for each in lines)
            if bare.count("(") == bare.count(")"):
                break
        found.append("\n".join(lines))
    return found
