"""What every page for a browser goes by: who may see it, which forms are believed, and what an answer may do there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hatch_wallaroo import templates
from hatch_wallaroo.sandbox.requests import RequestRefusedError, Sandbox, form_body
from hatch_wallaroo.sandbox.sessions import Sessions
from hatch_wallaroo.text import printable

LOGIN = "/login"
HOME = "/"

_SECURED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Its own forms have to say where they come from; nobody else is told.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What keeps a name or a log harmless that got past the escaping: no script, no frame, nothing from elsewhere."""

_ADDRESS = re.compile(r"/(?:(?:workspaces|models|versions)/\d{1,19})?", re.ASCII)
_MOST_FIELDS = 250
_NO_PAGES = ("/v1/", "/auth/", "/sandbox/")
"""Programs ask here, whatever they say they accept."""

Form = Mapping[str, str]
View = Callable[[Request], Response]
Posted = Callable[[Request, Form], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class PageError(Exception):
    """A page that cannot be shown: its status, and a sentence for whoever asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Browser:
    """Sessions, forms and templates. What runs longer runs in a thread, so that the API answers meanwhile."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.sessions = Sessions()
        self._templates = _environment()

    def guarded(self, view: View) -> Endpoint:
        """A page for whoever is signed in; others get the login, and come back."""

        async def endpoint(request: Request) -> Response:
            if not self.signed_in(request):
                return see_other(f"{LOGIN}?next={quote(local(request.url.path))}")
            return await self._told(request, lambda: view(request))

        return endpoint

    def posted(self, view: Posted) -> Endpoint:
        """What a form of the sandbox's own asks for, by whoever is signed in."""

        async def endpoint(request: Request) -> Response:
            if not self.signed_in(request):
                return see_other(LOGIN)
            form = await self.own_form(request, session_cookie(request))
            return await self._told(request, lambda: view(request, form))

        return endpoint

    async def own_form(self, request: Request, cookie: str) -> Form:
        """The fields of a form that was made for a cookie by this sandbox. Raises RequestRefusedError."""
        form = await form_body(request, _MOST_FIELDS)
        origin = request.headers.get("origin")
        if origin not in {None, f"{request.url.scheme}://{request.url.netloc}"}:
            raise RequestRefusedError(403, "The form was sent from another site.")
        if not self.sessions.is_own(cookie, form.get("token", "")):
            raise RequestRefusedError(403, "The form is not of this sandbox, or of an earlier start. Open it again.")
        return form

    def signed_in(self, request: Request) -> bool:
        return self.sessions.knows(session_cookie(request))

    def page(self, request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page by its template."""
        signed_in = self.signed_in(request)
        told = {
            "release": self._sandbox.release.asked,
            "user": self._sandbox.credentials.user if signed_in else "",
            "token": self.sessions.form_token(session_cookie(request)) if signed_in else "",
            "crumbs": (),
            **values,
        }
        text = self._templates.get_template(f"{template}.html.jinja").render(told)
        return HTMLResponse(text, status, _SECURED)

    def message(self, request: Request, status: int, heading: str, text: str, back: str = "") -> Response:
        """A page that says one thing."""
        return self.page(request, "message", status, heading=heading, text=text, back=back)

    def refused(self, request: Request, status: int, text: str) -> Response:
        """The page of an error."""
        if status == HTTPStatus.NOT_FOUND:
            text = text or "This sandbox has nothing at that address. What was forgotten with its state is gone, too."
        heading = HTTPStatus(status).phrase
        return self.message(request, status, f"{heading[0]}{heading[1:].lower()}", text, back=HOME)

    async def _told(self, request: Request, work: Callable[[], Response]) -> Response:
        try:
            return await to_thread.run_sync(work)
        except PageError as error:
            return self.refused(request, error.status, error.text)


def wants_page(request: Request) -> bool:
    """Whether somebody looks at the answer: a browser says that it takes HTML, the SDKs do not."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_NO_PAGES)


def file(name: str, kind: str) -> Endpoint:
    """A file that the pages are shown with; no secret is in it."""
    data = (templates.folder("sandbox") / name).read_bytes()
    headers = {**_SECURED, "Cache-Control": "no-cache"}

    async def endpoint(request: Request) -> Response:
        del request
        return Response(data, media_type=kind, headers=headers)

    return endpoint


def see_other(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, _SECURED)


def local(address: str) -> str:
    """An address to go on to, if it is one of the pages; the first one otherwise."""
    return address if _ADDRESS.fullmatch(address) else HOME


def session_cookie(request: Request) -> str:
    return request.cookies.get(session_name(request), "")


def session_name(request: Request) -> str:
    """The session's cookie: a browser has one jar for all ports of a machine; each sandbox has a port of its own."""
    return f"wallaroo-sandbox-{request.scope['server'][1]}"


def set_cookie(response: Response, name: str, value: str) -> None:
    """For this site's own requests, until the browser is closed, and out of reach for scripts."""
    response.set_cookie(name, value, httponly=True, samesite="strict", path="/")


def end_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="strict", path="/")


def _environment() -> Environment:
    made = templates.environment("sandbox", html=True)
    made.finalize = _shown
    made.filters["typed"] = _typed
    return made


def _shown(value: Any) -> Any:
    """A value as it is shown: what hides, or turns the direction of a line, is written as numbers."""
    return printable(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


def _typed(value: str) -> Markup:
    """What somebody typed, to be typed on: nothing in it is shown in another way."""
    return escape(value)
