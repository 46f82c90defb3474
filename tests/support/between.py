"""Between a publisher and a sandbox: passes on what they say. Tests look into it, hold it up or break it."""

from __future__ import annotations

import http.client

from support.sandboxes import Sandbox
from support.tiny_server import Answer, Asked

_HOP = {"connection", "transfer-encoding", "content-length"}


class Between:
    """A script for `tiny_server.serving` that has a sandbox answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, asked: Asked) -> Answer:
        return self.pass_on(asked, asked.body)

    def pass_on(self, asked: Asked, body: bytes) -> Answer:
        """Ask the sandbox; a connection that breaks there breaks here."""
        connection = http.client.HTTPConnection(self.sandbox.address, timeout=60)
        try:
            headers = {name: value for name, value in asked.headers if name.lower() not in _HOP}
            connection.request(asked.method, asked.path, body or None, headers)
            given = connection.getresponse()
            told = {name: value for name, value in given.getheaders() if name.lower() not in _HOP}
            return Answer(given.status, given.read(), told)
        except (OSError, http.client.HTTPException):
            return Answer(reset=True)
        finally:
            connection.close()
