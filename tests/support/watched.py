"""A user who is watched, and a platform that gives away what it is told: whatever can leak, leaks, and is found."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from support import leaks
from support.between import Between
from support.leaks import Secrets, processes
from support.sandboxes import Sandbox
from support.tiny_server import Answer, Asked
from support.users import HATCH_WALLAROO, PUBLISH, Done, User, finish

LOUD = {"HATCH_VERBOSE": "3", "HATCH_DEBUG": "1", "PYTHONFAULTHANDLER": "1"}
WRONG = "wrong-9f8e7d6c5b4a39281706"
"""A secret that no platform takes."""


class Careless(Between):
    """A sandbox that repeats what it was sent, and all that it gave, in every message and log.

    Its password is one of which every character is written otherwise somewhere.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.secrets = Secrets()
        self.password = self.secrets.add("password", f"pä ss/w%rd+&\"'\\={secrets.token_hex(8)}")
        self.secrets.add("the sandbox's password", sandbox.password)
        self.secrets.add("client secret", sandbox.secret)
        self.secrets.add("wrong secret", WRONG)
        self.misplaced: list[str] = []
        self.told: list[str] = []
        """What it got from a program that runs, and gave to it: that program can know these, and no others."""

    def __call__(self, asked: Asked) -> Answer:
        signing_in = asked.path.startswith("/auth/")
        form = dict(parse_qsl(asked.body.decode())) if signing_in else {}
        self._look(asked, signing_in)
        self.told += [form[key] for key in ("password", "refresh_token", "device_code") if key in form]
        self.told += (asked.header("Authorization") or "").split()[1:]
        body = asked.body
        if form.get("password") == self.password:
            body = urlencode({**form, "password": self.sandbox.password}).encode()
        given = self.pass_on(asked, body)
        try:
            made = json.loads(given.body)
        except ValueError:
            return given
        for key in ("access_token", "refresh_token", "device_code"):
            if signing_in and key in made:
                self.told.append(self.secrets.add(key.replace("_", " "), made[key]))
        if "verification_uri_complete" in made:
            self._approve(made["verification_uri_complete"])
        given.body = json.dumps(self._repeating(made)).encode()
        return given

    def _look(self, asked: Asked, signing_in: bool) -> None:
        """A secret belongs into a form of the login service, and into one header."""
        headers = [value for name, value in asked.headers if name != "Authorization"]
        text = f"{asked.path} {headers}".encode() + (b"" if signing_in else asked.body)
        self.misplaced += self.secrets.found_in(text)

    def _approve(self, page: str) -> None:
        """What a person does in a browser."""
        assert self.sandbox.request("GET", page[page.index("/auth/") :])[0] == 200

    def _repeating(self, made: Any, key: str = "") -> Any:
        said = " ".join(f"{each} {quote_plus(each)}" for each in dict.fromkeys(reversed(self.told)))
        if isinstance(made, dict):
            return {name: self._repeating(value, name) for name, value in made.items()}
        if key in {"msg", "error_description", "error_summary"} and isinstance(made, str):
            return f"{made} ({said})"
        return [*made, said] if key == "logs" else made


class Watched:
    """A user whose every command is watched: what it prints, writes and starts, and what the system lists of it."""

    def __init__(self, user: User, url: str, platform: Careless) -> None:
        self.user, self.url, self.platform = user, url, platform
        self.spied = user.root / "spied"
        self.output = ""
        self.listed: set[bytes] = set()
        self.environment = {
            **LOUD,
            "WALLAROO_URL": url,
            "SPY": str(self.spied),
            "PYTHONPATH": os.pathsep.join([user.environment["PYTHONPATH"], str(leaks.SPY)]),
        }

    @property
    def by_password(self) -> dict[str, str]:
        return {"WALLAROO_USER": self.platform.sandbox.user, "WALLAROO_PASSWORD": self.platform.password}

    def run(self, *command: str, stdin: str = "", crashes: bool = False, **environment: str) -> Done:
        self.platform.told.clear()
        with processes() as seen:
            process = self.user.start(*command, **{**self.environment, **environment})
            done = finish(process, stdin, crashes=crashes)
        if leaks.LISTED:
            own = "".join(f"{each}\0" for each in command[1:]).encode()
            assert any(each.endswith(own) for each in seen[process.pid]), "the list was not looked at"
        self.listed = self.listed.union(*seen.values())
        self.output += done.output
        return done

    def publish(self, *arguments: str, crashes: bool = False, **environment: str) -> Done:
        return self.run("hatch", "-vvv", *PUBLISH[1:], *arguments, crashes=crashes, **environment)

    def login(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        return self.run(*HATCH_WALLAROO, "login", *arguments, stdin=stdin, **environment)

    def assert_nothing_leaks(self, *holding: str) -> None:
        """`holding`: the files, below the user's folder, that do hold secrets: the user wrote them, or asked for it."""
        known = self.platform.secrets
        assert known.found_in(self.output.encode()) == set(), self.output
        assert known.found_in_list(self.listed) == {}
        assert set(known.found_below(self.user.root)) == set(holding)
        assert self.platform.misplaced == []
        noted = [json.loads(line) for line in self.spied.read_text().splitlines()]
        written = [Path(path) for event, path in noted if event in {"open", "os.rename", "os.link", "os.symlink"}]
        written = [each for each in written if each.parent.name != "__pycache__" and each != Path(os.devnull)]
        assert [each for each in written if self.user.root not in each.parents] == []
        gone = [each.name for each in written if not each.exists()]
        assert [each for each in gone if not each.startswith((".tokens.json.", ".result.json."))] == []
