"""The starters against the real libraries: what 2023.2.1 runs, and the last of version 4.

All of a release's starters are tried in one process, since starting the libraries takes longest; so each of these
tests is about all of them, and tells of every starter what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from hatch_wallaroo.frameworks.pretrained.tasks import PREFIX
from hatch_wallaroo.project.checking import check_repository
from hatch_wallaroo.project.repository import read_repository
from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.scaffold.pretrained_starters import model_folder
from hatch_wallaroo.schema.arrow import to_arrow
from support.fronts import REPOSITORY
from support.peers import run_in
from support.starters import MODEL_NAMES, MODELS, begin, lay, weights

pytestmark = pytest.mark.peer

SUPPORT = REPOSITORY / "tests" / "support"
# Parameters that are computed, or are another one's: no file of a real GPT-2 holds them.
COMPUTED = re.compile(r"\.(attn|crossattention)\.(masked_)?bias$|^decoder\.lm_head\.weight$")


def frameworks(version: str) -> list[str]:
    """Both engines have the same model, and neither runs without a graphics card: a pipeline reads it once."""
    rows = resolve(version).frameworks.values()
    return [row.name for row in rows if row.family == "hugging-face" or row.name == "vllm"]


# What runs in 2026.1 is not published.
@pytest.mark.parametrize(("version", "peer"), [("2023.2.1", "pipelines-2023.2.1"), ("2026.1", "pipelines")])
def test_every_starter_loads_and_answers(tmp_path, version, peer) -> None:
    asked = [question(tmp_path / name, version, name) for name in frameworks(version)]
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(asked), encoding="utf-8")
    done = run_in(peer, [str(SUPPORT / "hugging_face_answers.py"), str(listed)])
    assert done.returncode == 0, done.stderr
    results = dict(zip(frameworks(version), json.loads(done.stdout), strict=True))
    wrong = [
        f"{name}: {said}"
        for name, result in results.items()
        for said in ([result["error"]] if "error" in result else problems(version, name, result, tmp_path / name))
    ]
    assert wrong == []


def question(root: Path, version: str, framework: str) -> dict:
    root.mkdir()
    starter = lay(root, version, framework)
    (row,) = starter.sample["inputs"]
    task = framework.removeprefix(PREFIX)
    if framework == "vllm":
        task, row = "text-generation", {"inputs": row["prompt"], "max_new_tokens": row["max_tokens"]}
    return {"task": task, "root": str(root), "model": starter.model, "row": row}


def problems(version: str, framework: str, result: dict, root: Path) -> Iterator[str]:
    # What is missing would be filled with other random numbers at each start.
    missing = [name for name in result["missing"] if not COMPUTED.search(name)]
    if strange := missing + result["unexpected"] + result["mismatched"]:
        yield f"parameters do not fit: {strange}"
    if empty := [name for name, value in result["answer"].items() if value in (None, "", [])]:
        yield f"nothing was found or said: {empty}"
    yield from other_form(version, framework, result["answer"])
    if result["kept"] != result["answer"]:
        yield "make_model.py changed a model that it was given"
    yield from (f"{each.code} {each.message}" for each in check_repository(read_repository(root)).findings)
    yield from (f"{path.name} is left over" for path in (root / "models").glob("*.new"))


def other_form(version: str, framework: str, answer: dict) -> Iterator[str]:
    """What keeps an answer from being a row of the output schema."""
    if framework == "vllm":
        if not answer["generated_text"][0].startswith("Once upon a time"):
            yield f"no continuation: {answer}"
        return
    schema = to_arrow(begin(version, framework)[2].outputs)
    if set(answer) != set(schema.names):
        yield f"the fields are {sorted(answer)}, not {sorted(schema.names)}"
        return
    try:
        pa.Table.from_pylist([answer], schema=schema)
    except pa.ArrowException as error:
        yield f"the answer is no row of the schema: {error}"


def test_the_parameters_are_those_of_the_real_classes() -> None:
    done = run_in("pipelines", [str(SUPPORT / "hugging_face_parameters.py"), str(MODELS)])
    assert done.returncode == 0, done.stderr
    held = {
        f"{name}/{path}": {parameter: list(tensor.shape) for parameter, tensor in tensors.items()}
        for name in MODEL_NAMES
        for path, tensors in weights(model_folder(name)).items()
    }
    assert json.loads(done.stdout) == held
