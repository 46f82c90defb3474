"""The real front ends, each run as a user runs it, with this plugin found in a folder of wheels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

_OURS = ("HATCH_", "PYTHON", "COV_", "VIRTUAL_ENV", "PIP_BUILD_TRACKER", "SOURCE_DATE_EPOCH", "PYTEST")


@dataclass(frozen=True)
class FrontEnds:
    """Runs front ends with their caches in `home` and the plugin's wheel in `wheels`."""

    home: Path
    wheels: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        links = " ".join([str(self.wheels), *os.environ.get("PIP_FIND_LINKS", "").split()])
        return {
            **inherited,
            "HATCH_DATA_DIR": str(self.home / "data"),
            "HATCH_CACHE_DIR": str(self.home / "cache"),
            "HATCH_CONFIG": str(self.home / "config.toml"),
            "PIP_FIND_LINKS": links,
            "UV_FIND_LINKS": links.replace(" ", ","),
            "UV_CACHE_DIR": str(self.home / "uv"),
            "UV_LINK_MODE": "copy",
            "UV_PYTHON_DOWNLOADS": "never",
            "NO_COLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}",
            **self.extra,
        }

    def run(self, *command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a project; nothing is raised for its exit code."""
        return subprocess.run(
            command,
            cwd=cwd,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def ok(self, *command: str, cwd: Path, **environment: str) -> str:
        """Run a command that must succeed; gives what it printed, both streams."""
        done = self.run(*command, cwd=cwd, **environment)
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{output}"
        return output
