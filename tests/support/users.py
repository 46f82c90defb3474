"""Somebody who runs `hatch publish -p wallaroo`: a home, a project, and all that the programs write below one folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from support.fronts import FrontEnds

PUBLISH = ("hatch", "publish", "-p", "wallaroo")
HATCH_WALLAROO = (sys.executable, "-m", "hatch_wallaroo")
PYPROJECT = """\
[project]
name = "clusters"
version = "1.0"

[tool.hatch.publish.wallaroo]
workspace = "my-ws"
poll = 0.05
"""


class Done(NamedTuple):
    """A command that has ended: its exit code, and what it printed on both streams."""

    code: int
    output: str


@dataclass(frozen=True)
class User:
    """Runs commands in `project`. `environment` knows no platform: that is for each command to say."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def new(cls, root: Path, fronts: FrontEnds, beside_hatch: Path) -> User:
        """A user with a project of no models yet, in whose Hatch the plugin is."""
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "HATCH_DATA_DIR": "hatch/data",
            "HATCH_CACHE_DIR": "hatch/cache",
            "XDG_CACHE_HOME": "xdg/cache",
            "XDG_CONFIG_HOME": "xdg/config",
            "XDG_DATA_HOME": "xdg/data",
            "XDG_STATE_HOME": "xdg/state",
        }
        for place in (*places.values(), "project"):
            (root / place).mkdir(parents=True)
        (root / "hatch/config.toml").touch()
        (root / "project/pyproject.toml").write_text(PYPROJECT)
        inherited = {key: value for key, value in fronts.environment.items() if not key.startswith("WALLAROO_")}
        own = {name: str(root / place) for name, place in places.items()}
        own |= {"HATCH_CONFIG": str(root / "hatch/config.toml"), "PYTHONPATH": str(beside_hatch)}
        return cls(root, {**inherited, **own})

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def remembered(self) -> Path:
        """The file of logins."""
        return self.root / "xdg/state/hatch-wallaroo/tokens.json"

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command whose both streams come as one."""
        return subprocess.Popen(
            command,
            cwd=self.project,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, stdin: str = "", **environment: str) -> Done:
        return finish(self.start(*command, **environment), stdin)

    def publish(self, *arguments: str, **environment: str) -> Done:
        return self.run(*PUBLISH, *arguments, **environment)


def finish(process: subprocess.Popen[str], stdin: str = "", *, crashes: bool = False) -> Done:
    """Wait until a command has ended; whether it crashes must be known."""
    try:
        output, _ = process.communicate(stdin, timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"does not end:\n{output}") from None
    assert ("Traceback" in output) is crashes, output
    return Done(process.returncode, output)
