"""Runs inside an environment with transformers' files: the model classes of each pipeline, as JSON on standard output.

The tables are read from the source, since importing them asks for PyTorch.
"""

import ast
import json
import sysconfig
from pathlib import Path

SOURCE = Path(sysconfig.get_path("purelib")) / "transformers" / "models" / "auto" / "modeling_auto.py"

MAPPINGS = {
    "automatic-speech-recognition": ("SPEECH_SEQ_2_SEQ", "CTC"),
    "image-classification": ("IMAGE_CLASSIFICATION",),
    "image-segmentation": (
        "IMAGE_SEGMENTATION",
        "SEMANTIC_SEGMENTATION",
        "INSTANCE_SEGMENTATION",
        "UNIVERSAL_SEGMENTATION",
    ),
    "image-to-text": ("VISION_2_SEQ",),
    "object-detection": ("OBJECT_DETECTION",),
    "question-answering": ("QUESTION_ANSWERING",),
    "summarization": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "text-classification": ("SEQUENCE_CLASSIFICATION",),
    "text-generation": ("CAUSAL_LM",),
    "translation": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "zero-shot-classification": ("SEQUENCE_CLASSIFICATION",),
    "zero-shot-image-classification": ("ZERO_SHOT_IMAGE_CLASSIFICATION",),
    "zero-shot-object-detection": ("ZERO_SHOT_OBJECT_DETECTION",),
}

tables = {
    statement.targets[0].id: ast.literal_eval(statement.value.args[0])
    for statement in ast.parse(SOURCE.read_text(encoding="utf-8")).body
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) and statement.value.args
    if isinstance(statement.value.args[0], ast.List)
}
classes = {}
for task, names in MAPPINGS.items():
    found = set()
    for name in names:
        for _, value in tables.get(f"MODEL_FOR_{name}_MAPPING_NAMES", ()):
            found.update([value] if isinstance(value, str) else value)
    classes[task] = sorted(found)
print(json.dumps(classes))
