"""Pipelines without a runtime: what is built, how it is shown, what is refused; and the parts that runs are made of."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from hatch_wallaroo.preflight.forms import ARROW, ROWS, as_arrow, as_json
from hatch_wallaroo.preflight.pipeline import Passed, table
from hatch_wallaroo.preflight.rows import RowsError
from hatch_wallaroo.sandbox import inference
from hatch_wallaroo.sandbox.inference import Wanted
from hatch_wallaroo.sandbox.keeping import Kept, NoRoomError
from hatch_wallaroo.sandbox.steps import StepsError, models_of, steps_of
from hatch_wallaroo.sandbox.store import Record, StateError, Store
from hatch_wallaroo.schema.arrow import from_arrow
from support.sandboxes import metadata, running, schemas

REFUSED = "this sandbox runs no models, so nothing can be deployed: start it with hatch-wallaroo sandbox --runtime"


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    with running(tmp_path_factory.mktemp("new"), "2026.1") as sandbox:
        yield sandbox


def uploaded(sandbox, name: str = "a-model") -> dict:
    """A model that is ready, as a step of a definition."""
    workspace = sandbox.workspace()
    status, _, answer = sandbox.upload(metadata(workspace, name=name, **schemas()), b"weights")
    assert status == 200, answer
    made = sandbox.version(answer["insert_models"]["returning"][0]["models"][0]["id"])
    named = {"name": name, "version": made["file_info"]["version"], "sha": made["file_info"]["sha"]}
    return {"ModelInference": {"models": [named]}}


def built(sandbox, name: str) -> dict:
    return sandbox.api("pipelines/create", pipeline_id=name, workspace_id=sandbox.workspace(), definition={})


def asked(sandbox, query: str, **variables):
    status, answer = sandbox.post("/v1/graphql", {"query": query, "variables": variables})
    assert status == 200
    assert "errors" not in answer, answer
    return answer["data"]


# What the SDKs ask for (shared by 2023.2.1 and 2026.1.3, the second with publishes and the workspace)
BY_ID = """query PipelineById($pipeline_id: bigint!) { pipeline_by_pk(id: $pipeline_id) {
  id pipeline_id created_at updated_at visibility owner_id
  pipeline_versions(order_by: {id: desc}) { id pipeline_publishes { created_on_version chart_url engine_url
    engine_config id pipeline_url pipeline_version_id status updated_at created_by created_at user_images } }
  pipeline_tags { tag { id tag } } workspace { id name } } }"""
VARIANT = """query PipelineVariantById($variant_id: bigint!) { pipeline_version_by_pk(id: $variant_id) {
  id created_at updated_at version definition pipeline { id }
  deployment_pipeline_versions { created_at updated_at deployment { id } }
  deployment_model_configs { model_config { id model { id model { id name } } } } } }"""
DEPLOYMENT = """query DeploymentById($deployment_id: bigint!) { deployment_by_pk(id: $deployment_id) {
  id deploy_id deployed deployment_model_configs { model_config { id } }
  deployment_pipeline_versions(order_by: {pipeline_version: {id: desc}}) { pipeline_version { id } }
  pipeline { pipeline_id } engine_config } }"""
LIMIT = "query QueryLimitStatus($id: bigint!) { deployment(where: {id: {_eq: $id}}) { id deployed limit_status } }"


def test_a_pipeline_and_its_versions(new) -> None:
    first, second = built(new, "shown"), built(new, "shown")
    assert first["pipeline_pk_id"] == second["pipeline_pk_id"]
    assert first["pipeline_variant_version"] != second["pipeline_variant_version"]
    found = asked(new, BY_ID, pipeline_id=first["pipeline_pk_id"])["pipeline_by_pk"]
    newest_first = [second["pipeline_variant_pk_id"], first["pipeline_variant_pk_id"]]
    assert [each["id"] for each in found["pipeline_versions"]] == newest_first
    assert (found["pipeline_id"], found["visibility"], found["pipeline_tags"]) == ("shown", "private", [])
    assert found["workspace"] == {"id": new.workspace(), "name": "a-workspace"}
    variant = asked(new, VARIANT, variant_id=newest_first[0])["pipeline_version_by_pk"]
    assert (variant["version"], variant["definition"]) == (second["pipeline_variant_version"], {})
    assert (variant["pipeline"], variant["deployment_pipeline_versions"]) == ({"id": found["id"]}, [])
    assert variant["deployment_model_configs"] == []


def test_pipelines_are_listed(new) -> None:
    made = built(new, "listed")
    listed = asked(
        new, "query ListPipelines { pipeline(order_by: {id: desc}) { id pipeline_tags { tag { id tag } } } }"
    )
    assert listed["pipeline"][0] == {"id": made["pipeline_pk_id"], "pipeline_tags": []}
    by_name = 'query { pipeline(where: {pipeline_id: {_eq: "listed"}}, order_by: {created_at: desc}) { id } }'
    assert asked(new, by_name)["pipeline"] == [{"id": made["pipeline_pk_id"]}]
    (workspace,) = [each for each in new.api("workspaces/list")["workspaces"] if each["name"] == "a-workspace"]
    assert made["pipeline_pk_id"] in workspace["pipelines"]
    found = asked(new, "query { workspace { name pipelines { id } } }")["workspace"]
    (rows,) = [each["pipelines"] for each in found if each["name"] == "a-workspace"]
    assert {"id": made["pipeline_pk_id"]} in rows


def test_what_is_not_deployed(new) -> None:
    made = built(new, "bare")
    assert asked(new, DEPLOYMENT, deployment_id=1) == {"deployment_by_pk": None}
    assert asked(new, LIMIT, id=1) == {"deployment": []}
    query = "query Q($id: bigint!) { pipeline_by_pk(id: $id) { deployment { id deploy_id deployed engine_config } } }"
    assert asked(new, query, id=made["pipeline_pk_id"]) == {"pipeline_by_pk": {"deployment": None}}
    config = "query Q($id: bigint!) { model_config_by_pk(id: $id) { dynamic_batching_config continuous_batching_config openai } }"
    assert asked(new, config, id=10**6) == {"model_config_by_pk": None}
    assert new.post("/v1/api/status/get_deployment", {"name": "bare-1"})[0] == 404
    assert new.post("/v1/api/pipelines/undeploy", {"deployment_id": 1})[0] == 404
    status, answer = new.post("/v1/api/pipelines/infer/bare-1/bare", [{"inputs": [1]}])
    assert (status, answer["error"], answer["source"]) == (404, "there is no such deployment", "engine")


def test_nothing_is_deployed_without_a_runtime(new) -> None:
    """In the words that the SDK shows: it shows none of a refusal at `deploy`, so `create` refuses, too."""
    definition = {"id": "refused", "steps": [uploaded(new)]}
    body = {"pipeline_id": "refused", "workspace_id": new.workspace(), "definition": definition}
    assert new.post("/v1/api/pipelines/create", body) == (400, {"msg": f"Bad request: {REFUSED}", "code": 400})
    made = built(new, "refused")
    body = {"deploy_id": "refused", "pipeline_version_pk_id": made["pipeline_variant_pk_id"], "engine_config": {}}
    assert new.post("/v1/api/pipelines/deploy", body) == (400, {"msg": f"Bad request: {REFUSED}", "code": 400})


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("create", {"pipeline_id": "a b"}, "the pipeline name is not valid"),
        ("create", {"pipeline_id": "a"}, "missing field `workspace_id`"),
        ("create", {"pipeline_id": "a", "workspace_id": 10**9}, "there is no such workspace"),
        ("create", {"pipeline_id": "a", "workspace_id": 1, "definition": [1]}, "`definition` is no object"),
        ("deploy", {}, "missing field `pipeline_version_pk_id`"),
        ("deploy", {"pipeline_version_pk_id": 10**9}, "there is no such version of a pipeline"),
        ("undeploy", {}, "missing field `deployment_id`"),
    ],
)
def test_bodies_that_are_wrong(new, path, body, said) -> None:
    status, answer = new.post(f"/v1/api/pipelines/{path}", body)
    assert status == 400
    assert said in answer["msg"]


@pytest.mark.parametrize("path", ["create", "deploy", "undeploy", "infer/a-1/a", "../status/get_deployment"])
def test_nothing_without_a_token(new, path) -> None:
    assert new.request("POST", f"/v1/api/pipelines/{path}".replace("pipelines/../", ""), "{}")[0] == 401


def test_pipelines_stay_and_an_older_state_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    workspace = store.create_workspace("w", "me", 1.0)
    version_id = store.add_pipeline_version(workspace.id, "kept", {"steps": []}, 2.0)
    store.close()
    store = Store(tmp_path)
    found = store.pipeline_version(version_id)
    assert (found.pipeline.name, found.definition, found.created_at) == ("kept", {"steps": []}, 2.0)
    store.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as database:  # as the first format had it
        database.execute("DROP TABLE pipeline_versions")
        database.execute("DROP TABLE pipelines")
        database.execute("PRAGMA user_version = 1")
    store = Store(tmp_path)
    assert [each.name for each in store.workspaces()] == ["w"]
    assert store.pipelines() == []
    store.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(StateError, match="its format is 3"):
        Store(tmp_path)


# Steps


@pytest.fixture
def stored(tmp_path: Path):
    store = Store(tmp_path)
    workspace = store.create_workspace("w", "me", 1.0)
    record = {"visibility": "private", "conversion": {}, "sha": "", "size": 1, "image_path": None, "runtime": "onnx"}
    for name, version in (("a", "1"), ("a", "2"), ("b", "1")):
        made = Record(version=version, file_name=name, stages=(), pace=0, ends="ready", **record)
        store.add_version(workspace.id, name, made, 1.0)
    yield store
    store.close()


def step(*named: tuple[str, str], kind: str = "ModelInference") -> dict:
    return {kind: {"models": [{"name": name, "version": version} for name, version in named]}}


def test_steps_are_versions_in_their_order(stored) -> None:
    definition = {"steps": [step(("b", "1")), step(("a", "2")), step(("a", "1"))]}
    found = [(each.model.name, each.record.version) for each in steps_of(definition, stored)]
    assert found == [("b", "1"), ("a", "2"), ("a", "1")]
    assert models_of(definition, stored) == steps_of(definition, stored)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (None, "the pipeline has no steps"),
        ([], "the pipeline has no steps"),
        ([step(("a", "1")), step(("a", "3"))], "step 2: there is no version 3 of a model a"),
        ([step(("a", "1"), ("b", "1"))], "step 1 is 2 models"),
        ([step(("a", "1"), kind="RowsToModels")], "step 1 is RowsToModels"),
        ([{"Check": {"tree": ["x"]}}], "step 1 is Check"),
        (["nonsense"], "step 1 is nothing"),
    ],
)
def test_steps_that_do_not_run(stored, steps, said) -> None:
    with pytest.raises(StepsError, match=said):
        steps_of({"steps": steps}, stored)


# Files


def test_the_oldest_files_go_for_newer_ones(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept", 10)

    def keep(version: str, size: int) -> None:
        file = tmp_path / "incoming"
        file.write_bytes(b"x" * size)
        kept.keep(version, file, f"folder/{version}.zip", size)

    keep("a", 4)
    keep("b", 4)
    assert kept.path("a").name == "a.zip"
    keep("c", 4)
    assert (kept.path("a"), kept.path("b").read_bytes()) == (None, b"xxxx")
    with kept.held("b"):
        keep("d", 6)
        assert kept.path("c") is None
        with pytest.raises(NoRoomError):
            keep("e", 7)
        assert kept.path("b").exists()
        assert kept.path("d").exists()
    keep("e", 7)
    assert sorted(each.name for each in (tmp_path / "kept").iterdir()) == ["e"]
    kept.close()
    assert not (tmp_path / "kept").exists()


# Rows


def batch(**columns) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


X = from_arrow(pa.schema([pa.field("x", pa.int64())]))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{", "application/json", "the body "),
        (b'{"tensor": [1]}', "application/json", "the body holds no rows"),
        (b'[{"x": "a"}]', ROWS, "'x' does not fit int64"),
        (b'[{"y": 1}]', ROWS, "row 1 has no field 'x'"),
        (b"ARROW1", ARROW, "the body is no Arrow file"),
    ],
)
def test_bodies_that_are_no_rows(body, kind, said) -> None:
    with pytest.raises(RowsError, match=said):
        inference.read_batch(body, kind, X)


def test_an_arrow_file_that_lies_about_its_rows_is_refused() -> None:
    """Offsets that lead out of the file end the process that follows them."""
    texts = pa.StringArray.from_buffers(
        2, pa.array([0, 1 << 30, 5], pa.int32()).buffers()[1], pa.py_buffer(b"short and long")
    )
    with pytest.raises(RowsError, match="the body is no Arrow file"):
        inference.read_batch(as_arrow(pa.table({"x": texts})), ARROW, X)


def test_rows_come_as_records_and_as_a_table() -> None:
    schema = from_arrow(pa.schema([pa.field("x", pa.float32())]))
    assert inference.read_batch(b'[{"x": 1}, {"x": 2.5}]', ROWS, schema).column("x").type == pa.float32()
    assert inference.read_batch(b'[{"x": [1, 2]}]', ROWS, None).to_pylist() == [{"x": [1, 2]}]
    sent = pa.concat_tables([pa.table({"x": [1, 2]}), pa.table({"x": [3]})])
    read = inference.read_batch(as_arrow(sent), ARROW, schema)
    assert (read.schema, read.to_pylist()) == (sent.schema, [{"x": 1}, {"x": 2}, {"x": 3}])
    empty = inference.read_batch(as_arrow(sent.slice(0, 0)), ARROW, schema)
    assert (empty.schema, empty.num_rows) == (sent.schema, 0)


def test_answers() -> None:
    passed = Passed(batch(x=[1, 2]), batch(y=[[1.5, float("nan")], [float("inf"), 2.0]]), (0.1,))
    made = inference.chosen(table(passed), Wanted())
    assert made.schema.names == ["time", "in.x", "out.y", "anomaly.count"]
    rows = json.loads(as_json(made))
    assert [(row["in.x"], row["out.y"]) for row in rows] == [(1, [1.5, None]), (2, [None, 2.0])]
    assert pa.ipc.open_file(as_arrow(made)).read_all().column("out.y").to_pylist()[1] == [float("inf"), 2.0]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(["*"], ["metadata", "in"]), ["time", "out.y", "anomaly.count"]),
        (Wanted(["out", "in.x"]), ["in.x", "out.y"]),
        (Wanted(["time", "anomaly"], ["metadata"]), ["time", "anomaly.count"]),
        (Wanted(["ou"]), []),
    ],
)
def test_columns_are_chosen(wanted, names) -> None:
    answer = table(Passed(batch(x=[1]), batch(y=[2]), (0.1,)))
    assert inference.chosen(answer, wanted).schema.names == names


def test_a_runtime_that_cannot_be_had_is_said_at_the_start(tmp_path: Path) -> None:
    """Before anything is uploaded, and without a state that is left half made."""
    uv = tmp_path / "bin" / "uv"  # one that finds no Python
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\nexit 1\n")
    uv.chmod(0o755)
    paths = {"PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}", "PYENV_ROOT": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "hatch_wallaroo",
        "sandbox",
        "--release",
        "2023.2.1",
        "--state",
        str(tmp_path / "s"),
    ]
    done = subprocess.run(
        [*command, "--runtime", "--", "true"], env={**os.environ, **paths}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "--runtime: no Python 3.8 is on this machine" in done.stderr
    assert "uv python install 3.8" in done.stderr
    assert "--python current" not in done.stderr  # which the sandbox has not
    assert "Traceback" not in done.stderr
    Store(tmp_path / "s").close()  # nobody holds it
