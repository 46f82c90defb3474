"""Somebody with a browser in front of a sandbox: pages, forms and cookies over plain HTTP, without any script."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass
class Page:
    """An answer as it is read: what the markup says, apart from what the texts say."""

    status: int
    headers: Message
    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    labels: list[str] = field(default_factory=list)
    areas: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        self.tags, self.text = reader.tags, " ".join("".join(reader.texts).split())
        self.labels = [" ".join(each.split()) for each in reader.labels]
        # A browser leaves out the line break that begins an area of text.
        self.areas = {name: text.removeprefix("\n") for name, text in reader.areas.items()}

    def names(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def links(self) -> list[str | None]:
        return [each.get("href") for each in self.names("a")]

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the page's forms as they stand there, hidden ones too."""
        return {each["name"]: each.get("value") or "" for each in self.names("input") if each.get("name")}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.labels: list[str] = []
        self.areas: dict[str, str] = {}
        self._inside = ""
        self._area = ""

    def handle_starttag(self, tag, attrs) -> None:
        if tag == "label":
            self.labels.append("")
            self._inside = tag
        elif tag == "textarea":
            self._inside, self._area = tag, str(dict(attrs)["name"])
            self.areas[self._area] = ""
        self.tags.append((tag, dict(attrs)))
        self.texts.append(" ")

    def handle_endtag(self, tag) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data) -> None:
        self.texts.append(data)
        if self._inside == "label":
            self.labels[-1] += data
        elif self._inside == "textarea":
            self.areas[self._area] += data


class Visitor:
    """A browser with a jar of cookies. Redirections are followed by GET, as browsers follow a 303."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox
        self.cookies: dict[str, str] = {}
        self.set: list[str] = []
        self.at = ""

    def ask(self, method, path, body=None, headers=None, *, follow=True) -> Page:
        sent = {"Accept": HTML, **(headers or {})}
        if self.cookies and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(self.sandbox.address, timeout=30)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            page = Page(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()
        self.at = path
        self._keep(answer.headers.get_all("Set-Cookie") or [])
        if follow and page.status == 303:
            return self.ask("GET", page.headers["Location"], headers=headers)
        return page

    def get(self, path, **options) -> Page:
        return self.ask("GET", path, **options)

    def send(self, path, fields, headers=None, **options) -> Page:
        kind = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.ask("POST", path, urlencode(fields), kind, **options)

    def sign_in(self, page: Page | None = None, *, user=None, password=None, **options) -> Page:
        """Fill in the login's form that a page has."""
        page = page or self.get("/login")
        given = {"user": user or self.sandbox.user, "password": password or self.sandbox.password}
        return self.send("/login", {**page.fields, **given}, **options)

    def _keep(self, told: list[str]) -> None:
        for each in told:
            self.set.append(each)
            for name, morsel in SimpleCookie(each).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
