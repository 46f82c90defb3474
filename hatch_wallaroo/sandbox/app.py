"""The sandbox as an ASGI application."""

from __future__ import annotations

import shutil
from asyncio import sleep
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hatch_wallaroo.releases.load import resolve
from hatch_wallaroo.sandbox.browser import Browser, wants_page
from hatch_wallaroo.sandbox.deployments import Deployments
from hatch_wallaroo.sandbox.endpoints import CONNECT, REALM, Api, OpenId
from hatch_wallaroo.sandbox.faults import Faults
from hatch_wallaroo.sandbox.judging import Images
from hatch_wallaroo.sandbox.logins import SandboxCredentials, TokenIssuer
from hatch_wallaroo.sandbox.pages import Pages
from hatch_wallaroo.sandbox.pipelines import Pipelines
from hatch_wallaroo.sandbox.requests import RequestRefusedError, Sandbox, error
from hatch_wallaroo.sandbox.runtime import Runtime, RuntimeOptions
from hatch_wallaroo.sandbox.store import Store
from hatch_wallaroo.sandbox.uploads import Uploads

LARGEST_UPLOAD = 32 << 30
PACE = 1.0
"""Seconds that each stage of a conversion lasts."""

HOSTS = ("127.0.0.1", "localhost")
_V1 = "/v1/api"
_FAULTS = "/sandbox/faults"

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    state: Path,
    release: str,
    credentials: SandboxCredentials,
    faults: Faults | None = None,
    *,
    pace: float = PACE,
    largest: int = LARGEST_UPLOAD,
    images: bool = False,
    runtime: RuntimeOptions | None = None,
) -> Starlette:
    """A Wallaroo of a release, its state in a folder.

    `pace`: seconds that each stage of a conversion lasts; `largest`: bytes of the largest model that it takes;
    `images`: whether registered images are pulled and started; `runtime`: how uploads are loaded and pipelines run,
    None where neither is.
    Raises UnknownReleaseError, StateError where the folder cannot be used, and PreflightError where this machine lacks
    what the runtime needs.
    """
    resolved = resolve(release)
    store = Store(state)
    kept = state / "kept"
    shutil.rmtree(kept, ignore_errors=True)  # what a sandbox left that was killed
    try:
        runs = Runtime(store, resolved, kept, runtime) if runtime else None
    except BaseException:
        store.close()
        raise
    incoming = state / "incoming"
    incoming.mkdir(mode=0o700, exist_ok=True)
    for left in incoming.glob("upload-*"):
        left.unlink(missing_ok=True)
    sandbox = Sandbox(
        release=resolved,
        store=store,
        tokens=TokenIssuer(store.user_id, credentials.user),
        credentials=credentials,
        faults=faults if faults is not None else Faults(),
        incoming=incoming,
        pace=pace,
        largest=largest,
        deployments=Deployments(runs),
        images=Images(store) if images else None,
    )
    browser = Browser(sandbox)
    app = Starlette(
        routes=[*_routes(sandbox, browser), *Pages(sandbox, browser).routes()],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
        exception_handlers={
            RequestRefusedError: _refusing(browser),
            HTTPException: _failing(browser),
            ClientDisconnect: _gone,
        },
    )
    app.state.sandbox = sandbox
    return app


def _routes(sandbox: Sandbox, browser: Browser) -> list[Route]:
    login, api = OpenId(sandbox, browser), Api(sandbox)
    uploads, pipelines = Uploads(sandbox), Pipelines(sandbox)
    endpoints: dict[str, Endpoint] = {
        f"{_V1}/workspaces/list": api.list_workspaces,
        f"{_V1}/workspaces/create": api.create_workspace,
        f"{_V1}/models/list": api.list_models,
        f"{_V1}/models/list_versions": api.list_versions,
        f"{_V1}/models/get": api.get_model,
        f"{_V1}/models/get_version_by_id": api.get_version,
        f"{_V1}/models/get_config_by_id": api.get_config,
        f"{_V1}/models/insert_model_config": api.set_config,
        f"{_V1}/models/get_upload_logs": api.upload_logs,
        f"{_V1}/models/upload": uploads.upload,
        f"{_V1}/models/upload_and_convert": uploads.upload_and_convert,
        f"{_V1}/pipelines/create": pipelines.create,
        f"{_V1}/pipelines/deploy": pipelines.deploy,
        f"{_V1}/pipelines/undeploy": pipelines.undeploy,
        f"{_V1}/pipelines/infer/{{deployment}}/{{pipeline}}": pipelines.infer,
        f"{_V1}/status/get_deployment": pipelines.status,
        "/v1/graphql": api.graphql,
    }
    return [
        Route(f"{CONNECT}/token", login.token, methods=["POST"]),
        Route(f"{CONNECT}/auth/device", login.device, methods=["POST"]),
        Route(f"{REALM}/device", login.approve, methods=["GET"]),
        Route(f"{_V1}/config", api.config, methods=["GET"]),
        Route(_FAULTS, api.faults, methods=["GET", "POST", "DELETE"]),
        *(Route(path, _slowed(endpoint, sandbox), methods=["POST"]) for path, endpoint in endpoints.items()),
    ]


def _slowed(endpoint: Endpoint, sandbox: Sandbox) -> Endpoint:
    """An endpoint that the fault `slow` holds up."""

    async def waiting(request: Request) -> Response:
        answer = await endpoint(request)
        seconds = sandbox.faults.take("slow")
        if seconds:
            await sleep(seconds)
        return answer

    return waiting


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _refusing(browser: Browser) -> Handler:
    """Answers a refused request: in the API's words, or with a page for somebody who looks at it."""

    async def refused(request: Request, exception: Exception) -> Response:
        if not isinstance(exception, RequestRefusedError):
            raise exception
        if wants_page(request):
            return browser.refused(request, exception.status, exception.message)
        return error(exception.status, exception.message)

    return refused


def _failing(browser: Browser) -> Handler:
    """Answers what no endpoint takes: an address that is none, a method that it does not have."""

    async def failed(request: Request, exception: Exception) -> Response:
        if not isinstance(exception, HTTPException):
            raise exception
        if wants_page(request):
            return browser.refused(request, exception.status_code, "")
        return PlainTextResponse(exception.detail, exception.status_code, exception.headers)

    return failed


async def _gone(request: Request, exception: Exception) -> Response:
    del request, exception
    return Response(status_code=499)
