"""The platform's endpoints: REST for workspaces, models and their versions, GraphQL, and the login's tokens."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hatch_wallaroo.config.model_name import is_name
from hatch_wallaroo.sandbox import faults, graphql, shapes
from hatch_wallaroo.sandbox.browser import Browser
from hatch_wallaroo.sandbox.logins import DEVICE_SECONDS, SDK_CLIENT
from hatch_wallaroo.sandbox.requests import RequestRefusedError, Sandbox, authorize, form_body, identifier, json_body
from hatch_wallaroo.sandbox.store import StoredVersion, StoredWorkspace
from hatch_wallaroo.sandbox.tables import Tables
from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode

_SETTABLE = ("filter_threshold", "tensor_fields", "batch_config", "dynamic_batching_config")
_MOST_LINES = 10_000


class Api:
    """The endpoints, over a sandbox. Each checks the token first, `config` apart."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._tables = Tables(sandbox.store, sandbox.deployments, sandbox.release.asked, time.time)

    async def config(self, request: Request) -> Response:
        """What a client reads before it logs in."""
        del request
        if not self._sandbox.release.api.config:
            raise RequestRefusedError(404, "Not Found")
        return JSONResponse({"default_arch": self._sandbox.release.default_arch or "x86"})

    async def graphql(self, request: Request) -> Response:
        body = await self._body(request)
        return JSONResponse(graphql.answer(body, self._tables.roots()))

    async def list_workspaces(self, request: Request) -> Response:
        await self._body(request)
        found = [shapes.listed_workspace(each, self._store) for each in self._store.workspaces()]
        return JSONResponse({"workspaces": found})

    async def create_workspace(self, request: Request) -> Response:
        name = (await self._body(request)).get("workspace_name")
        if not isinstance(name, str) or not is_name(name):
            raise RequestRefusedError(400, "Bad request: the workspace name is not valid: letters, digits and hyphens")
        made = self._store.create_workspace(name, self._store.user_id, time.time())
        if made is None:
            raise RequestRefusedError(400, f"Bad request: workspace {name} already exists")
        return JSONResponse({"workspace_id": made.id})

    async def list_models(self, request: Request) -> Response:
        workspace = self._workspace(await self._body(request))
        user, found = self._store.user_id, self._store.models(workspace.id)
        if not self._sandbox.release.api.nested_lists:
            return JSONResponse({"models": [shapes.model(each, user) for each in found]})
        items: list[dict[str, Any]] = [
            {
                "model": {**shapes.model(each, user), "workspace_id": workspace.id},
                "model_versions": [self._configured(version) for version in self._store.versions(each.id)],
                "workspace": shapes.workspace(workspace),
            }
            for each in found
        ]
        return JSONResponse({"models": items})

    async def list_versions(self, request: Request) -> Response:
        body = await self._body(request)
        asked = body.get("models_pk_id", body.get("model_id"))
        names = {found.name: found.id for each in self._store.workspaces() for found in self._store.models(each.id)}
        model_id = names.get(asked) if isinstance(asked, str) else identifier({"model_id": asked}, "model_id")
        versions = self._store.versions(model_id or 0)
        now = time.time()
        return JSONResponse([shapes.flat_version(each, self._store.user_id, now) for each in versions])

    async def get_model(self, request: Request) -> Response:
        found = self._store.model(identifier(await self._body(request), "id"))
        workspace = self._store.workspace(found.workspace_id) if found else None
        if found is None or workspace is None:
            raise RequestRefusedError(404, "Not Found: there is no such model")
        now, user = time.time(), self._store.user_id
        versions = [shapes.flat_version(each, user, now) for each in self._store.versions(found.id)]
        named = {"id": workspace.id, "name": workspace.name}
        return JSONResponse({**shapes.model(found, user), "models": versions, "workspace": named})

    async def get_version(self, request: Request) -> Response:
        return JSONResponse({"model_version": self._configured(self._version(await self._body(request)))})

    async def get_config(self, request: Request) -> Response:
        found = self._version(await self._body(request), "model_id")
        return JSONResponse({"model_config": shapes.model_config(found)})

    async def set_config(self, request: Request) -> Response:
        """Change a version's config: how the schemas of an image are set after its registration."""
        body = await self._body(request)
        found = self._version(body)
        changed = {key: body[key] for key in _SETTABLE if key in body}
        for key in ("input_schema", "output_schema"):
            if isinstance(text := body.get(key), str):
                try:
                    decode(text)
                except SchemaDecodeError as error:
                    raise RequestRefusedError(
                        400, f"Bad request: `{key}` is not a serialized Arrow schema: {error}"
                    ) from None
                changed[key] = text
        updated = self._store.configure(found.id, changed) or found
        return JSONResponse({"model_config": shapes.model_config(updated)})

    async def upload_logs(self, request: Request) -> Response:
        body = await self._body(request)
        if not self._sandbox.release.api.error_summary:
            raise RequestRefusedError(404, "Not Found")
        found, lines = self._version(body), body.get("lines")
        most = lines if isinstance(lines, int) and 0 < lines < _MOST_LINES else _MOST_LINES
        said = found.record.logs if found.status(time.time()) in {"ready", "error"} else ()
        return JSONResponse({"logs": list(said[-most:])})

    async def faults(self, request: Request) -> Response:
        """Not Wallaroo's: the faults that are set (GET), one more of them (POST), none (DELETE)."""
        body = await self._body(request) if request.method == "POST" else self._checked(request)
        if request.method == "DELETE":
            self._sandbox.faults.clear()
        elif request.method == "POST":
            try:
                self._sandbox.faults.set(faults.make(str(body.get("name")), body.get("value"), body.get("times")))
            except faults.UnknownFaultError as error:
                raise RequestRefusedError(400, f"Bad request: {error}") from None
        return JSONResponse({"faults": self._sandbox.faults.listed()})

    def _checked(self, request: Request) -> dict[str, Any]:
        authorize(request, self._sandbox)
        return {}

    async def _body(self, request: Request) -> dict[str, Any]:
        self._checked(request)
        return await json_body(request)

    def _workspace(self, body: Mapping[str, Any]) -> StoredWorkspace:
        name = body.get("workspace_name")
        if body.get("workspace_id") is None and isinstance(name, str):
            found = next((each for each in self._store.workspaces() if each.name == name), None)
        else:
            found = self._store.workspace(identifier(dict(body), "workspace_id"))
        if found is None:
            raise RequestRefusedError(404, "Not Found: there is no such workspace")
        return found

    def _version(self, body: Mapping[str, Any], key: str = "model_version_id") -> StoredVersion:
        found = self._store.version(identifier(dict(body), key))
        if found is None:
            raise RequestRefusedError(404, "Not Found: there is no such model version")
        return found

    def _configured(self, found: StoredVersion) -> dict[str, Any]:
        sandbox = self._sandbox
        return shapes.configured(found, sandbox.release.api, self._store.user_id, sandbox.release.asked, time.time())


REALM = "/auth/realms/master"
CONNECT = f"{REALM}/protocol/openid-connect"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 1


class OpenId:
    """The endpoints, over a sandbox."""

    def __init__(self, sandbox: Sandbox, browser: Browser) -> None:
        self._sandbox = sandbox
        self._browser = browser

    async def token(self, request: Request) -> Response:
        """Grants: password, refresh_token and device code; the confidential client names itself by HTTP Basic."""
        form = await form_body(request)
        client = self._client(request, form)
        if client is None:
            return _refused(401, "invalid_client", "Invalid client or Invalid client credentials")
        grant = form.get("grant_type", "")
        sandbox = self._sandbox
        if grant == "password":
            if not sandbox.credentials.is_user(form.get("username", ""), form.get("password", "")):
                return _refused(401, "invalid_grant", "Invalid user credentials")
        elif grant == "refresh_token":
            claims = sandbox.tokens.read(form.get("refresh_token", ""), "Refresh")
            if claims is None or claims.get("azp") != client:
                return _refused(400, "invalid_grant", "Invalid refresh token")
        elif grant == DEVICE_GRANT:
            became = sandbox.tokens.redeem(form.get("device_code", ""))
            if became != "ok":
                return _refused(400, became, _DEVICE_TEXTS[became])
        else:
            return _refused(400, "unsupported_grant_type", "Unsupported grant_type")
        return JSONResponse(sandbox.tokens.issue(f"{_base(request)}{REALM}", client), headers=_NEVER_STORED)

    async def device(self, request: Request) -> Response:
        """Start the device flow."""
        form = await form_body(request)
        if self._client(request, form) is None:
            return _refused(401, "invalid_client", "Invalid client or Invalid client credentials")
        device, code = self._sandbox.tokens.start_device()
        page = f"{_base(request)}{REALM}/device"
        answer = {
            "device_code": device,
            "user_code": code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={quote(code)}",
            "expires_in": DEVICE_SECONDS,
            "interval": _INTERVAL,
        }
        return JSONResponse(answer, headers=_NEVER_STORED)

    async def approve(self, request: Request) -> Response:
        """The page that a browser opens: whoever has the code is the sandbox's one user."""
        code = request.query_params.get("user_code", "")[:100]
        if not self._sandbox.tokens.approve(code):
            again = "Start the login again, and open the address it gives."
            return self._browser.message(request, 400, "No login waits for this code", again)
        said = f"You are {self._sandbox.credentials.user} in this sandbox. Close this page and go back to the terminal."
        return self._browser.message(request, 200, "Logged in", said)

    def _client(self, request: Request, form: dict[str, str]) -> str | None:
        """The client's name, None where it is unknown or its secret is wrong."""
        credentials = self._sandbox.credentials
        basic = request.headers.get("authorization", "")
        if basic.lower().startswith("basic "):
            try:
                name, _, secret = base64.b64decode(basic[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return name if credentials.is_client(name, secret) else None
        name = form.get("client_id", "")
        if name == SDK_CLIENT:
            return name
        return name if credentials.is_client(name, form.get("client_secret", "")) else None


_DEVICE_TEXTS = {
    "authorization_pending": "The authorization request is still pending",
    "expired_token": "Device code is expired",
    "invalid_grant": "Device code not valid",
}
_NEVER_STORED = {"Cache-Control": "no-store"}


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _refused(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": code, "error_description": text}, status, headers=_NEVER_STORED)
