"""The contexts of the command docker: which one is chosen, and where its engine is.

The SDK reads them too, but not DOCKER_CONTEXT, and none where docker has no config.json yet.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.image.errors import NoEngineError
from hatch_wallaroo.text import one_line

_DEFAULT = "default"
_LIST = "docker context ls shows those that there are"
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Context:
    """Where a context's engine is. `tls`: the folder of its ca.pem, cert.pem and key.pem, where it has one."""

    name: str
    host: str
    tls: Path | None
    verify: bool


def chosen() -> Context | None:
    """The context that docker would use; None for its usual address. Raises NoEngineError for one that is not there.

    DOCKER_CONTEXT comes before what `docker context use` wrote.
    """
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    asked = os.environ.get("DOCKER_CONTEXT")
    name = asked or _table(home / "config.json").get("currentContext") or _DEFAULT
    if name == _DEFAULT or not isinstance(name, str):
        return None
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    endpoint = _table(home / "contexts" / "meta" / digest / "meta.json").get("Endpoints")
    found = endpoint.get("docker") if isinstance(endpoint, dict) else None
    engine: dict[str, Any] = found if isinstance(found, dict) else {}
    host = engine.get("Host")
    if not isinstance(host, str) or not host:
        how = "DOCKER_CONTEXT names" if asked else "docker context use chose"
        raise NoEngineError(f"there is no docker context called {one_line(name)}, which {how}", _LIST)
    tls = home / "contexts" / "tls" / digest / "docker"
    return Context(name, host, tls if tls.is_dir() else None, not engine.get("SkipTLSVerify"))


def _table(path: Path) -> dict[str, Any]:
    """A JSON file's table; empty where there is no such file. Raises NoEngineError for one that is damaged."""
    try:
        with path.open("rb") as stream:
            made = json.loads(stream.read(_LARGEST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise NoEngineError(f"docker's {path.name} cannot be read: {one_line(str(error))[:200]}", _LIST) from error
    return made if isinstance(made, dict) else {}
