"""Environments that models run in: made by uv for a release, kept by their content, cleaned by age and size."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_wallaroo.files.json_text import JsonError, read_object
from hatch_wallaroo.files.writing import write_whole
from hatch_wallaroo.requirements.lines import without_login

SECONDS = 3600
"""How long an installation may take: PyTorch is gigabytes."""
NOTE = "hatch-wallaroo.json"
_LAYOUT = 2
"""How environments are made: one that was made otherwise is not taken again."""
KEPT_DAYS = 30
KEPT_BYTES = 20 << 30

Say = Callable[[str], None]


class NoEnvironmentError(Exception):
    """An environment cannot be made; `log` is what uv wrote last."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Recipe:
    """What an environment is made of: a Python, the SDK's wheel without its dependencies, exact versions.

    `python` is the interpreter, `version` its `3.10`. `indexes` are lines that say where packages are looked for beside
    the usual index; `torch`: PyTorch comes from its own index of CPU builds; `build`: what has no wheel is built. The
    same recipe gives the same environment.
    """

    python: Path
    version: str
    wheel: str
    pins: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    torch: bool = False
    build: bool = False

    @property
    def digest(self) -> str:
        told = [
            _LAYOUT,
            self.version,
            str(self.python.resolve()),
            self.wheel,
            sorted(self.pins),
            self.indexes,
            self.torch,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Environment:
    """A finished environment. `made`: just now, in `seconds`; else it was there already."""

    python: Path
    folder: Path
    digest: str
    versions: dict[str, str]
    megabytes: int
    made: bool = False
    seconds: float = 0.0


def cache_folder() -> Path:
    """Where environments are kept: HATCH_WALLAROO_CACHE_DIR, else the user's cache folder."""
    told = os.environ.get("HATCH_WALLAROO_CACHE_DIR")
    if told:
        return Path(told).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hatch-wallaroo"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hatch-wallaroo"


def provide(uv: str, recipe: Recipe, say: Say) -> Environment:
    """The environment of a recipe, from the cache or made now. Raises NoEnvironmentError.

    One that was written into is made anew, whoever ran the model that did.
    """
    home = cache_folder() / "environments" / recipe.digest
    home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(home.with_suffix(".lock")):
        found = _read(home)
        changed = written(found) if found is not None else None
        if found is not None and changed is None:
            os.utime(home / NOTE)
            return found
        if changed is not None:
            say(f"a model wrote into the environment ({changed}): it is made anew")
        shutil.rmtree(home, ignore_errors=True)
        say(f"making an environment: Python {recipe.version}, wallaroo {recipe.wheel}, {len(recipe.pins)} packages")
        begun = time.perf_counter()
        try:
            _make(uv, recipe, home)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        note = {
            "versions": dict(map(_version, recipe.pins)),
            "bytes": folder_size(home),
            "newest": _newest(home)[0],
            "wheel": recipe.wheel,
            "python": recipe.version,
        }
        write_whole(home / NOTE, json.dumps(note, indent=2).encode())
        made = _read(home)
        if made is None:
            raise NoEnvironmentError("the environment was made and cannot be read")
        return replace(made, made=True, seconds=time.perf_counter() - begun)


def _version(pin: str) -> tuple[str, str]:
    """Name and version of a line of uv's; of one that names an address, that, without a login."""
    name, mark, address = pin.partition(" @ ")
    if mark:
        return name, without_login(address)
    return pin.partition("==")[::2]


def _make(uv: str, recipe: Recipe, home: Path) -> None:
    python = home / "bin" / "python"
    _uv(uv, "venv", "--quiet", "--no-project", "--python", str(recipe.python), str(home))
    # Exact versions need no resolution, and the SDK's own dependencies stay out.
    _install(uv, python, [f"wallaroo=={recipe.wheel}"], "--only-binary", ":all:")
    options: tuple[str, ...] = () if recipe.build else ("--only-binary", ":all:")
    options += ("--torch-backend", "cpu") if recipe.torch else ()
    options += ("--index-strategy", "unsafe-best-match") if recipe.indexes else ()
    lines = [*recipe.indexes, *recipe.pins]
    light = ("--python-platform", "x86_64-manylinux2014")
    if not (_has_light_wheels(recipe) and _installed(uv, python, lines, *options, *light)):
        _install(uv, python, lines, *options)
    _compile(python)


def _compile(python: Path) -> None:
    """Write bytecode, which nothing can do once a model runs. What is no code of this Python has none.

    Not by uv: its Python would first execute what the packages have in .pth files, outside any isolation.
    """
    folder = python.parent.parent / "lib"
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603 - our own arguments
            [str(python), "-I", "-S", "-m", "compileall", "-qq", "-j", "0", str(folder)],
            cwd=Path.home(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )


def _has_light_wheels(recipe: Recipe) -> bool:
    """Whether older Linux gets smaller wheels: XGBoost from 2.1 on has 5 MB for it, and 150 MB with CUDA for others."""
    here = sys.platform == "linux" and platform.machine() == "x86_64"
    return here and any(each.startswith("xgboost==") for each in recipe.pins)


def _installed(uv: str, python: Path, lines: Sequence[str], *options: str) -> bool:
    with contextlib.suppress(NoEnvironmentError):
        _install(uv, python, lines, *options)
        return True
    return False


def _install(uv: str, python: Path, lines: Sequence[str], *options: str) -> None:
    # Copies, not links: what a model writes into its packages would stand in uv's own cache, too.
    how = ("--quiet", "--no-deps", "--link-mode", "copy")
    _uv(uv, "pip", "install", "--python", str(python), *how, *options, "-r", "-", text="\n".join(lines) + "\n")


def _uv(uv: str, *arguments: str, text: str = "") -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    try:
        done = subprocess.run(  # noqa: S603 - uv with our own arguments
            [uv, *arguments],
            input=text,
            env=environment,
            cwd=Path.home(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoEnvironmentError(f"uv {arguments[0]} did not end well: {type(error).__name__}") from error
    if done.returncode:
        raise NoEnvironmentError("uv could not install the packages", without_login(done.stderr.strip()[-4000:]))


def _read(home: Path) -> Environment | None:
    python = home / "bin" / "python"
    try:
        with (home / NOTE).open("rb") as stream:
            note: dict[str, Any] = read_object(stream)
    except (OSError, JsonError):
        return None
    if not python.exists():
        return None
    versions = {str(key): str(value) for key, value in dict(note.get("versions", {})).items()}
    return Environment(python, home, home.name, versions, int(note.get("bytes", 0)) >> 20)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file: two runs do not make the same environment at once."""
    import fcntl

    while True:
        with path.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if _is_still(stream.fileno(), path):  # `clean` may have removed it meanwhile
                yield
                return


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder, links not followed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - many thousands of files
    return total


def written(environment: Environment) -> str | None:
    """What was written into an environment since it was made, below its folder; None where nothing was."""
    try:
        with (environment.folder / NOTE).open("rb") as stream:
            made = read_object(stream).get("newest")
    except (OSError, JsonError):
        return NOTE
    newest, name = _newest(environment.folder)
    return None if newest == made else name


def remove(environment: Environment) -> None:
    """Remove an environment that a model wrote into."""
    with locked(environment.folder.with_suffix(".lock")):
        shutil.rmtree(environment.folder, ignore_errors=True)


def _newest(home: Path) -> tuple[int, str]:
    """The last change of a file or folder below, which nobody can date back, and its path. The note is ours."""
    newest, path = 0, ""
    for parent, folders, names in os.walk(home):
        for name in (*folders, *names):
            each = os.path.join(parent, name)  # noqa: PTH118 - many thousands of files
            with contextlib.suppress(OSError):
                changed = os.lstat(each).st_ctime_ns
                if changed >= newest and not (name == NOTE and parent == str(home)):
                    newest, path = changed, each
    return newest, os.path.relpath(path, home) if path else ""


def clean(*, days: float = KEPT_DAYS, most: int = KEPT_BYTES, everything: bool = False) -> tuple[int, int]:
    """Remove what was not used for `days`, then the oldest until `most` bytes are left; their number and bytes."""
    root = cache_folder() / "environments"
    found = sorted(_kept(root), reverse=True)
    total, removed, freed = 0, 0, 0
    now = time.time()
    for used, size, home in found:
        total += size
        if not (everything or now - used > days * 86400 or total > most):
            continue
        if _removed(home):
            removed, freed = removed + 1, freed + size
    return removed, freed


def _removed(home: Path) -> bool:
    """Remove an environment with its lock; False where somebody makes it right now."""
    import fcntl

    lock = home.with_suffix(".lock")
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(home, ignore_errors=True)
        lock.unlink(missing_ok=True)
    return True


def _kept(root: Path) -> Iterator[tuple[float, int, Path]]:
    for home in _folders(root):
        note = home / NOTE  # an unfinished one has none
        yield note.stat().st_mtime if note.exists() else 0.0, folder_size(home), home


def _folders(root: Path) -> Sequence[Path]:
    try:
        return [each for each in root.iterdir() if each.is_dir()]
    except OSError:
        return ()
