"""A language server over its standard streams, asked as an editor asks it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

_PATIENCE = 30


class LanguageServer:
    """Speaks the Language Server Protocol with a process. What the server asks back is answered with nothing."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._heard: Queue[dict[str, Any]] = Queue()
        self._asked = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self):
        folder = {"uri": self._folder.as_uri(), "name": self._folder.name}
        capabilities = {"textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}}}
        self.ask(
            "initialize", processId=None, rootUri=folder["uri"], workspaceFolders=[folder], capabilities=capabilities
        )
        self.tell("initialized")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=5)
        self._process.stdout.close()

    def open(self, path: Path) -> list[dict[str, Any]]:
        """Show a TOML file to the server, and wait for what it says about it."""
        shown = {"uri": path.as_uri(), "languageId": "toml", "version": 1, "text": path.read_text(encoding="utf-8")}
        self.tell("textDocument/didOpen", textDocument=shown)
        while True:
            heard = self._next()
            if heard.get("method") == "textDocument/publishDiagnostics" and heard["params"]["uri"] == path.as_uri():
                return heard["params"]["diagnostics"]

    def hover(self, path: Path, line: int, character: int) -> str:
        """The text that the pointer gets at a place, both counted from 0; "" for none."""
        place = {"line": line, "character": character}
        found = self.ask("textDocument/hover", textDocument={"uri": path.as_uri()}, position=place)
        return found["contents"]["value"] if found else ""

    def ask(self, method: str, **params: Any) -> Any:
        """Send a question and wait for its answer."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            heard = self._next()
            if heard.get("id") == self._asked and "method" not in heard:
                assert "error" not in heard, heard
                return heard["result"]

    def tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _next(self) -> dict[str, Any]:
        try:
            heard = self._heard.get(timeout=_PATIENCE)
        except Empty:
            raise AssertionError("the language server says nothing") from None
        if "method" in heard and "id" in heard:
            self._send({"id": heard["id"], "result": None})
        return heard

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            self._heard.put(json.loads(stream.read(length)))
