"""The endpoints for pipelines: built, deployed, asked, undeployed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.preflight.forms import ARROW, ROWS, as_arrow, as_json
from hatch_wallaroo.preflight.pipeline import StepError
from hatch_wallaroo.preflight.pipeline import table as table_of
from hatch_wallaroo.preflight.rows import RowsError
from hatch_wallaroo.preflight.serving import ClosedError
from hatch_wallaroo.sandbox.deployments import NO_RUNTIME, Deployment
from hatch_wallaroo.sandbox.inference import Wanted, chosen, read_batch
from hatch_wallaroo.sandbox.requests import (
    RequestRefusedError,
    Sandbox,
    authorize,
    identifier,
    json_body,
    whole_body,
)
from hatch_wallaroo.sandbox.runtime import Runtime
from hatch_wallaroo.sandbox.steps import StepsError, steps_of
from hatch_wallaroo.sandbox.store import StoredVersion

LARGEST_INPUT = 256 << 20
"""Bytes of an inference's rows."""


class Pipelines:
    """The endpoints, over a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._store, self._deployments = sandbox.store, sandbox.deployments

    async def create(self, request: Request) -> Response:
        """Keep a definition as a pipeline's newest version. One with steps is sent by `deploy()`, just before it.

        Steps that cannot be deployed are refused here: of a refusal at `deploy` the SDK shows no word.
        """
        body = await self._body(request)
        name, definition = body.get("pipeline_id"), body.get("definition") or {}
        if not isinstance(name, str) or not is_name(name):
            raise _refused("the pipeline name is not valid: letters, digits and hyphens")
        if not isinstance(definition, dict):
            raise _refused("`definition` is no object")
        workspace = self._store.workspace(identifier(body, "workspace_id"))
        if workspace is None:
            raise _refused("there is no such workspace")
        if definition.get("steps"):
            self._deployable(definition)
        version_id = self._store.add_pipeline_version(workspace.id, name, definition, time.time())
        made = self._store.pipeline_version(version_id)
        assert made is not None  # noqa: S101 - it was just added
        return JSONResponse(
            {
                "pipeline_pk_id": made.pipeline.id,
                "pipeline_variant_pk_id": made.id,
                "pipeline_variant_version": made.version,
            }
        )

    async def deploy(self, request: Request) -> Response:
        """Start the steps of a version; the status says when they run."""
        body = await self._body(request)
        name, engine_config = body.get("deploy_id"), body.get("engine_config")
        version = self._store.pipeline_version(identifier(body, "pipeline_version_pk_id"))
        if version is None:
            raise _refused("there is no such version of a pipeline")
        if not isinstance(name, str) or not is_name(name):
            raise _refused("missing field `deploy_id`")
        runtime, models = self._deployable(version.definition)
        made = await to_thread.run_sync(
            lambda: self._deployments.deploy(
                runtime, name, version, engine_config if isinstance(engine_config, dict) else {}, models
            )
        )
        return JSONResponse({"id": made.id})

    async def undeploy(self, request: Request) -> Response:
        """End a deployment; one that has ended stays so."""
        found = self._deployments.get(identifier(await self._body(request), "deployment_id"))
        if found is None:
            raise RequestRefusedError(404, "Not Found: deployment not found")
        await to_thread.run_sync(found.close)
        return JSONResponse({})

    async def status(self, request: Request) -> Response:
        name = (await self._body(request)).get("name")
        found = self._deployments.named(name) if isinstance(name, str) else None
        if found is None:
            raise RequestRefusedError(404, "Not Found: deployment not found")
        return JSONResponse(_status(found))

    async def infer(self, request: Request) -> Response:
        """What the steps make of rows. What the model says of rows that it does not take is an error 400."""
        authorize(request, self._sandbox)
        found = self._deployments.named(request.path_params["deployment"])
        if found is None or found.version.pipeline.name != request.path_params["pipeline"]:
            return self._error(404, "Not Found", "there is no such deployment")
        if found.status != "Running":
            return self._error(503, "Service Unavailable", f"the deployment is not running: {found.status}")
        kind = request.headers.get("content-type", "")
        parameters = request.query_params
        wanted = Wanted(parameters.getlist("dataset[]") or ["*"], parameters.getlist("dataset.exclude[]"))
        data = await whole_body(request, LARGEST_INPUT)
        try:
            made = await to_thread.run_sync(lambda: self._asked(found, data, kind, wanted))
        except StepError as error:
            return self._error(400, "Bad Request", error.words)
        except (RowsError, ClosedError) as error:
            return self._error(400, "Bad Request", str(error))
        return Response(made, media_type=ARROW if "arrow" in kind else ROWS)

    def _asked(self, deployment: Deployment, data: bytes, kind: str, wanted: Wanted) -> bytes:
        batch = read_batch(data, kind, deployment.steps[0].subject.input_schema)
        answer = table_of(deployment.ask(batch), anomalies=self._sandbox.release.api.anomaly_count)
        table = chosen(answer, wanted)
        return as_arrow(table) if "arrow" in kind else as_json(table)

    def _error(self, status: int, name: str, text: str) -> Response:
        """An inference's error as the release's engine words it."""
        if self._sandbox.release.api.plain_errors:
            return JSONResponse({"code": status, "status": name, "error": text, "source": "engine"}, status)
        return JSONResponse([{"error_type": "InferenceError", "error": text}], status)

    def _deployable(self, definition: Mapping[str, Any]) -> tuple[Runtime, list[StoredVersion]]:
        """What runs a definition's steps, and their versions. Raises RequestRefusedError."""
        runtime = self._deployments.runtime
        if runtime is None:
            raise _refused(NO_RUNTIME)
        try:
            models = steps_of(definition, self._store)
        except StepsError as error:
            raise _refused(str(error)) from None
        for each in models:
            reason = runtime.refusal(each)
            if reason is not None:
                raise _refused(reason)
        return runtime, models

    async def _body(self, request: Request) -> dict[str, Any]:
        authorize(request, self._sandbox)
        return await json_body(request)


def _refused(message: str) -> RequestRefusedError:
    return RequestRefusedError(400, f"Bad request: {message}")


def _status(found: Deployment) -> dict[str, Any]:
    """A deployment's status as the platform has it, with one engine."""
    engine = {
        "ip": "127.0.0.1",
        "name": f"engine-{found.id}",
        "status": found.status,
        "reason": found.details[0] if found.details else None,
        "details": list(found.details),
        "pipeline_statuses": None,
        "model_statuses": None,
    }
    details = list(found.details)
    return {"status": found.status, "details": details, "engines": [engine], "engine_lbs": [], "sidekicks": []}
