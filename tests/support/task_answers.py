"""Runs inside an environment of a preflight: our prediction for Hugging Face tasks beside the plain pipelines.

    python tests/support/task_answers.py RUNTIME LIST

RUNTIME is the folder of `predictors.py`; LIST a JSON file, [{"framework", "model", "row", "output_schema"}, …]. Prints a
JSON list: of each two rows that were predicted, and of the pipeline's own answer to the same row.
"""

import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import hugging_face_answers as plain
import numpy as np
import predictors


def column(value):
    """Two rows of a value, as the platform's service gives them to a step."""
    if isinstance(value, list) and isinstance(value[0], str):
        return np.array([value, value], dtype=object)
    return np.array([value, value], dtype=object if isinstance(value, str) else None)


def rows(made):
    """The rows of what a prediction gave."""
    fields = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in made.items()}
    return [{name: value[at] for name, value in fields.items()} for at in range(2)]


def answers(told):
    job = {"framework": told["framework"], "model": told["model"], "output_schema": told["output_schema"]}
    predict = predictors.hugging_face(job)
    plain.transformers.set_seed(1)
    made = rows(predict({name: column(value) for name, value in told["row"].items()}))
    task = told["framework"][len("hugging-face-") :]
    return {"predicted": made, "plain": plain.answer(task, Path(told["model"]), told["row"])}


if __name__ == "__main__":
    found = []
    for each in json.loads(Path(sys.argv[2]).read_text()):
        try:
            found.append(answers(each))
        except Exception:
            found.append({"error": traceback.format_exc()})
    json.dump(found, sys.stdout)
