"""The token endpoints of Keycloak's realm `master`, as far as Wallaroo's clients use them."""

from __future__ import annotations

import base64
import binascii
import html
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from hatch_wallaroo.sandbox.logins import DEVICE_SECONDS, SDK_CLIENT
from hatch_wallaroo.sandbox.requests import Sandbox, form_body

REALM = "/auth/realms/master"
CONNECT = f"{REALM}/protocol/openid-connect"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 1
_PAGE = """<!doctype html><meta charset="utf-8"><title>Wallaroo sandbox</title>
<body style="font-family: sans-serif; margin: 4em auto; max-width: 30em"><h1>{title}</h1><p>{text}</p>"""


class OpenId:
    """The endpoints, over a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

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
            return _page(400, "No login waits for this code", "Start the login again, and open the address it gives.")
        user = html.escape(self._sandbox.credentials.user)
        return _page(200, "Logged in", f"You are {user} in this sandbox. Close this page and go back to the terminal.")

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


def _page(status: int, title: str, text: str) -> Response:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", **_NEVER_STORED}
    return HTMLResponse(_PAGE.format(title=title, text=text), status, headers)
