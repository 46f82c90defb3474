"""The sandbox's own pages: what is in it, and who may look."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hatch_wallaroo.sandbox.asking import Answer, Asked
from hatch_wallaroo.sandbox.browser import (
    HOME,
    LOGIN,
    Browser,
    Form,
    PageError,
    end_cookie,
    file,
    local,
    see_other,
    session_cookie,
    session_name,
    set_cookie,
)
from hatch_wallaroo.sandbox.contents import Contents
from hatch_wallaroo.sandbox.faults import KINDS
from hatch_wallaroo.sandbox.form import MOST_CONTROLS, controls, typed
from hatch_wallaroo.sandbox.requests import Sandbox
from hatch_wallaroo.sandbox.store import StoredModel, StoredVersion, StoredWorkspace, timestamp
from hatch_wallaroo.schema.arrow import SchemaDecodeError, decode
from hatch_wallaroo.schema.tables import format_schema
from hatch_wallaroo.schema.types import Schema
from hatch_wallaroo.text import cut, human_size

MOST_ROWS = 200
"""Rows of one table on a page."""
MOST_LINES = 500
"""Lines of a log on a page, the last ones."""

_MOST_ID = 1 << 63
_ENDED = {"ready", "error"}
_JUDGED = {"python", "custom"}

_Row = TypeVar("_Row")


class Pages:
    """The views. Each reads the state anew; what a page shows of one table is bounded."""

    def __init__(self, sandbox: Sandbox, browser: Browser) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._browser = browser
        self._asked = Asked(sandbox.runtime) if sandbox.runtime else None

    def routes(self) -> list[Route]:
        guarded, posted = self._browser.guarded, self._browser.posted
        return [
            Route("/style.css", file("style.css", "text/css"), methods=["GET"]),
            Route("/icon.svg", file("icon.svg", "image/svg+xml"), methods=["GET"]),
            Route(LOGIN, self.login, methods=["GET"]),
            Route(LOGIN, self.sign_in, methods=["POST"]),
            Route("/logout", posted(self.sign_out), methods=["POST"]),
            Route(HOME, guarded(self.workspaces), methods=["GET"]),
            Route("/workspaces/{id:int}", guarded(self.workspace), methods=["GET"]),
            Route("/models/{id:int}", guarded(self.model), methods=["GET"]),
            Route("/versions/{id:int}", guarded(self.version), methods=["GET"]),
            Route("/versions/{id:int}", posted(self.ask), methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """The form to sign in with, and a cookie that it belongs to."""
        goes_to = local(request.query_params.get("next", HOME))
        if self._browser.signed_in(request):
            return see_other(goes_to)
        return self._login_form(request, goes_to)

    async def sign_in(self, request: Request) -> Response:
        form = await self._browser.own_form(request, request.cookies.get(_before(request), ""))
        user, goes_to = form.get("user", ""), local(form.get("next", HOME))
        if not self._sandbox.credentials.is_user(user.strip(), form.get("password", "")):
            return self._login_form(request, goes_to, user[:200], "The user or the password is wrong.")
        answer = see_other(goes_to)
        set_cookie(answer, session_name(request), self._browser.sessions.open())
        end_cookie(answer, _before(request))
        return answer

    def sign_out(self, request: Request, form: Form) -> Response:
        del form
        self._browser.sessions.close(session_cookie(request))
        answer = see_other(LOGIN)
        end_cookie(answer, session_name(request))
        return answer

    def _login_form(self, request: Request, goes_to: str, user: str = "", problem: str = "") -> Response:
        cookie = secrets.token_urlsafe(32)
        token = self._browser.sessions.form_token(cookie)
        status = 401 if problem else 200
        made = self._browser.page(request, "login", status, token=token, next=goes_to, typed=user, problem=problem)
        set_cookie(made, _before(request), cookie)
        return made

    def workspaces(self, request: Request) -> Response:
        shown, left = _bounded(self._store.workspaces())
        rows = [
            {
                "address": _of(each),
                "name": each.name,
                "models": len(self._store.models(each.id)),
                "made": _moment(each.created_at),
            }
            for each in shown
        ]
        faults = [
            {
                "name": each["name"],
                "effect": KINDS[str(each["name"])].effect.replace("VALUE", f"{each['value']:g}"),
                "times": "always" if each["times"] is None else each["times"],
            }
            for each in self._sandbox.faults.listed()
        ]
        url = str(request.base_url).rstrip("/")
        return self._browser.page(request, "workspaces", workspaces=rows, left=left, faults=faults, url=url)

    def workspace(self, request: Request) -> Response:
        found = self._store.workspace(_id(request))
        if found is None:
            raise PageError(404, "")
        newest_first = sorted(self._store.models(found.id), key=lambda each: each.updated_at, reverse=True)
        shown, left = _bounded(newest_first)
        crumbs = _crumbs(found)
        rows = [self._model_row(each) for each in shown]
        return self._browser.page(request, "workspace", name=found.name, models=rows, left=left, crumbs=crumbs)

    def _model_row(self, model: StoredModel) -> dict[str, Any]:
        versions = self._store.versions(model.id)
        newest = versions[0] if versions else None
        return {
            "address": _of(model),
            "name": model.name,
            "status": newest.status(time.time()) if newest else "",
            "framework": newest.record.conversion.get("framework") if newest else "",
            "versions": len(versions),
            "changed": _moment(model.updated_at),
        }

    def model(self, request: Request) -> Response:
        found = self._store.model(_id(request))
        if found is None:
            raise PageError(404, "")
        shown, left = _bounded(self._store.versions(found.id))
        now = time.time()
        rows = [
            {
                "address": _of(each),
                "id": each.id,
                "status": each.status(now),
                "framework": each.record.conversion.get("framework"),
                "file": each.record.file_name or each.record.image_path or "",
                "size": human_size(each.record.size) if each.record.file_name is not None else "",
                "uploaded": _moment(each.created_at),
            }
            for each in shown
        ]
        crumbs = _crumbs(self._store.workspace(found.workspace_id), found)
        return self._browser.page(request, "model", name=found.name, versions=rows, left=left, crumbs=crumbs)

    def version(self, request: Request) -> Response:
        found = self._found(request)
        schema, refusal = self._form(found)
        fields = controls(schema) if schema else []
        return self._browser.page(
            request, "version", **self._version(found), fields=fields, refusal=refusal, answer=None
        )

    def ask(self, request: Request, form: Form) -> Response:
        """The version's page once more, with the answer to what was typed."""
        found = self._found(request)
        schema, refusal = self._form(found)
        if schema is None or self._asked is None:
            raise PageError(409, refusal or "This sandbox runs no models.")
        fields, row = typed(schema, form)
        wrong = any(each.problem for each in fields)
        answer = None if wrong else _answer(self._asked.ask(found, row))
        return self._browser.page(
            request,
            "version",
            422 if wrong else 200,
            **self._version(found),
            fields=fields,
            refusal=refusal,
            answer=answer,
        )

    def _found(self, request: Request) -> StoredVersion:
        found = self._store.version(_id(request))
        if found is None:
            raise PageError(404, "")
        return found

    def _form(self, found: StoredVersion) -> tuple[Schema | None, str]:
        """The schema that a version can be asked by, or the reason why it cannot; neither without a runtime."""
        if self._asked is None or found.status(time.time()) != "ready":
            return None, ""
        refusal = self._asked.runtime.refusal(found)
        if refusal is not None:
            return None, f"It cannot be asked: {refusal}"
        text = (found.record.config or {}).get("input_schema")
        try:
            schema = decode(text) if isinstance(text, str) else None
        except SchemaDecodeError as error:
            return None, f"It cannot be asked: its input schema cannot be read: {error}"
        if schema is None:
            return None, "A form is made from the input schema, and none came with the upload."
        if len(schema.fields) > MOST_CONTROLS:
            return None, f"A form has {MOST_CONTROLS} fields at most, and a row of this model {len(schema.fields):,}."
        return schema, ""

    def _version(self, found: StoredVersion) -> dict[str, Any]:
        record, state = found.record, found.status(time.time())
        log, findings = (record.logs, record.findings) if state in _ENDED else ((), ())
        return {
            "crumbs": _crumbs(self._store.workspace(found.model.workspace_id), found.model, found),
            "name": found.model.name,
            "id": found.id,
            "state": state,
            "going": state not in _ENDED,
            "summary": (record.error_summary or "The platform gives no reason.") if state == "error" else None,
            "facts": list(_facts(found)),
            "uploaded": _moment(found.created_at),
            "schemas": list(_schemas(record.config or {})),
            "findings": [_finding(each) for each in findings[:MOST_ROWS]],
            "unfound": self._unfound(found) if state in _ENDED else "Nothing is told before the end.",
            **_contents(found),
            "log": [_line(each) for each in log[-MOST_LINES:]],
            "earlier": max(0, len(log) - MOST_LINES),
        }

    def _unfound(self, found: StoredVersion) -> str:
        """What it means that there are no findings."""
        row = self._sandbox.release.frameworks.get(str(found.record.conversion.get("framework")))
        runtime = self._sandbox.runtime
        if row is not None and (row.family in _JUDGED or (runtime is not None and runtime.runs(row))):
            return "None."
        return "None. The sandbox looks into Python code only; `hatch-wallaroo check` looks into weights, too."


def _before(request: Request) -> str:
    """The cookie of the login's form. Not the session's: a link from elsewhere, without it, must not end a session."""
    return f"{session_name(request)}-login"


def _id(request: Request) -> int:
    found = request.path_params["id"]
    if not isinstance(found, int) or found >= _MOST_ID:
        raise PageError(404, "")
    return found


def _of(found: StoredWorkspace | StoredModel | StoredVersion) -> str:
    """The address of its page."""
    kind = {StoredWorkspace: "workspaces", StoredModel: "models", StoredVersion: "versions"}[type(found)]
    return f"/{kind}/{found.id}"


def _crumbs(
    workspace: StoredWorkspace | None, model: StoredModel | None = None, version: StoredVersion | None = None
) -> list[dict[str, str]]:
    """The way from the first page to this one, which is not a link."""
    way = [{"name": "Workspaces", "address": HOME}]
    way += [{"name": each.name, "address": _of(each)} for each in (workspace, model) if each]
    way += [{"name": f"Version {version.id}", "address": ""}] if version else []
    return [*way[:-1], {**way[-1], "address": ""}]


def _bounded(rows: Sequence[_Row]) -> tuple[Sequence[_Row], int]:
    """The rows that are shown, and how many are not."""
    return rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)


def _moment(seconds: float) -> dict[str, str]:
    shown = datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {"exact": timestamp(seconds), "shown": shown}


def _facts(found: StoredVersion) -> Iterator[tuple[str, str, bool]]:
    """What an upload said of itself: label, value, and whether the value is one to be copied."""
    record = found.record
    asked = record.conversion
    yield "Framework", _text(asked.get("framework")), False
    yield "Runtime", record.runtime, False
    if record.image_path:
        yield "Image", cut(record.image_path), True
    if record.file_name is not None:
        yield "File", cut(record.file_name), True
        yield "Size", f"{human_size(record.size)} ({record.size:,} bytes)", False
    yield "SHA-256", record.sha, True
    yield "Version", record.version, True
    for key, label in _ASKED.items():
        if asked.get(key):
            yield label, _text(asked[key]), False
    for key, value in (record.config or {}).items():
        if value is not None and key not in {"input_schema", "output_schema"}:
            yield key, _text(value), False
    yield "Visibility", record.visibility, False


_ASKED = {
    "python_version": "Python",
    "arch": "Architecture",
    "accel": "Accelerator",
    "requirements": "Requirements",
    "framework_config": "Configuration",
}


def _text(value: Any) -> str:
    return cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _schemas(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of a version's config, in the table's notation."""
    for side in ("input", "output"):
        text = config.get(f"{side}_schema")
        if isinstance(text, str):
            yield {"side": side, **_schema(text)}


def _schema(encoded: str) -> dict[str, Any]:
    try:
        schema = decode(encoded)
    except SchemaDecodeError as error:
        return {"text": f"# cannot be read: {error}", "left": 0}
    fields, left = _bounded(schema.fields)
    lines = format_schema(Schema(tuple(fields))).rstrip("\n").split("\n")
    return {"text": "\n".join(cut(line) for line in lines), "left": left}


def _finding(told: Mapping[str, Any]) -> dict[str, Any]:
    line = f":{told['line']}" if told["line"] else ""
    repeated = not line and told["message"].startswith(told["file"])
    return {**told, "place": "" if repeated else f"{told['file']}{line}"}


def _contents(found: StoredVersion) -> dict[str, Any]:
    """The members of the file, and a sentence about it."""
    told = found.record.contents
    if told is None:
        image = found.record.file_name is None
        held = (
            "An image in a registry: there is no file." if image else "What is in the file was not noted when it came."
        )
        return {"members": (), "left": 0, "held": held}
    of_file = Contents.from_json(told)
    members = [{"name": name, "size": human_size(size), "bytes": f"{size:,} bytes"} for name, size in of_file.members]
    kind = of_file.kind or "one file of no kind that is known by its first bytes"
    said = kind[0].upper() + kind[1:]
    if of_file.problem:
        said = f"{said}; it {of_file.problem}."
    elif of_file.members:
        files = "1 file" if of_file.count == 1 else f"{of_file.count:,} files"
        said = f"{said}: {files}, {human_size(of_file.size)} unpacked"
    else:
        said = f"{said}, {human_size(found.record.size)}."
    return {"members": members, "left": of_file.count - len(members), "held": said}


def _answer(answer: Answer) -> dict[str, Any]:
    """An answer as the platform names its fields, a table a row."""
    rows = [
        [{"name": f"out.{name}", "value": _text(value)} for name, value in row.items()][:MOST_ROWS]
        for row in answer.outputs
    ]
    return {
        "rows": rows,
        "left": answer.count - len(rows),
        "took": f"{answer.seconds * 1000:,.1f} ms",
        "problem": cut(answer.problem),
        "log": [cut(each.expandtabs(4)) for each in answer.log[-MOST_LINES:]],
    }


def _line(line: str) -> str:
    """A line of a log: the time of the day, and the text."""
    head, mark, text = line.partition(" stdout F ")
    told = f"{head[11:19]}  {text}" if mark else line
    return cut(told.expandtabs(4))
