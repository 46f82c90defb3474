"""Which bundles are published: the manifests in dist/, or those named on the command line, each read and checked."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_wallaroo.bundle.manifest import ManifestError, load
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.options import ROUTES
from hatch_wallaroo.text import describe_error

SUFFIX = ".wallaroo.json"
OUTPUT = "dist"
_BLOCK = 1 << 20
_OTHERS = (".whl", ".tar.gz")
"""What else a build leaves in dist/, and `dist/*` names: not for Wallaroo, and no mistake."""
_WORD = r"[A-Za-z0-9][\w./-]*"
_NAMES = ("reference", "base")
_WORDS = ("platform", "builder")
_SCHEMAS = ("input_schema", "output_schema")
_BUILD_AGAIN = "build it again: hatch build"
_READABLE = f"make it readable, or {_BUILD_AGAIN}"


@dataclass(frozen=True)
class Package:
    """A manifest that can be published, and the file beside it (None: a container image is registered).

    The file's size agrees with the manifest when this is made; its digest is checked by `verify`.
    """

    path: Path
    manifest: dict[str, Any]
    file: Path | None

    @property
    def name(self) -> str:
        return str(self.manifest["upload"]["name"])

    @property
    def version(self) -> str:
        return str(self.manifest.get("version", ""))

    @property
    def framework(self) -> str:
        return str(self.manifest["upload"]["conversion"]["framework"])

    @property
    def release(self) -> str:
        """The release that it was built for, as it was asked for; empty where the manifest does not tell."""
        release = self.manifest.get("release")
        asked = release.get("asked") if isinstance(release, dict) else None
        return asked if isinstance(asked, str) else ""

    @property
    def sha256(self) -> str:
        """Of the file; empty for a container image."""
        return str(self.manifest["file"]["sha256"]) if self.file else ""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return int(self.manifest["file"]["size"]) if self.file else 0

    @property
    def is_image(self) -> bool:
        """Whether the file is a build context, of which an image is made before anything can be registered."""
        return "image" in self.manifest

    def pinned(self, image_path: str) -> Package:
        """The same model as an image that lies in a registry under this name, which ends in its digest."""
        rest = {key: value for key, value in self.manifest.items() if key not in {"file", "image"}}
        return Package(self.path, {**rest, "upload": {**self.manifest["upload"], "image_path": image_path}}, None)

    @property
    def position(self) -> int:
        """The model's place in its table."""
        table = self.manifest.get("table")
        position = table.get("position") if isinstance(table, dict) else None
        return position if isinstance(position, int) else 0

    @property
    def table(self) -> str:
        """The table of pyproject.toml that declares the model, as TOML writes its key."""
        table = self.manifest.get("table")
        key = table.get("key") if isinstance(table, dict) else None
        return key if isinstance(key, str) and key else "tool.wallaroo"

    def stamp(self) -> tuple[int, int] | None:
        """What changes when the file does: its size and its time; None where there is none."""
        try:
            stat = self.file.stat() if self.file else None
        except OSError:
            return None
        return (stat.st_size, stat.st_mtime_ns) if stat else None

    def verify(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Compare the file's SHA-256 with the manifest's; raises ConfigurationError where they differ."""
        if self.file is None:
            return
        digest, done = hashlib.sha256(), 0
        try:
            with self.file.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
                    done += len(block)
                    if progress:
                        progress(done, self.size)
        except OSError as error:
            raise ConfigurationError(f"{self.file.name} cannot be read: {describe_error(error)}", _READABLE) from error
        if digest.hexdigest() != self.sha256:
            raise ConfigurationError(
                f"{self.file.name} is not the file that its manifest describes: SHA-256 {digest.hexdigest()[:16]}… "
                f"instead of {self.sha256[:16]}…",
                f"it was changed after the build; {_BUILD_AGAIN}",
            )


def find(arguments: Sequence[str], *, root: Path) -> list[Path]:
    """The manifests that are meant: those named (a bundle stands for its manifest), else all in `root`/dist.

    A relative path is looked for in the working folder first, then in the project. Raises
    ConfigurationError with all that is wrong.
    """
    if not arguments:
        found = sorted((root / OUTPUT).glob("*" + SUFFIX))
        if not found:
            raise ConfigurationError(
                f"there is no bundle in {OUTPUT}/",
                "build one first: hatch build; or name it: hatch publish -p wallaroo FILE",
            )
        return found
    named: list[Path] = []
    problems: list[tuple[str, str]] = []
    for argument in arguments:
        made = _named(argument, (Path.cwd(), root))
        if isinstance(made, tuple):
            problems.append(made)
        else:
            named += made
    if not named and not problems:
        problems.append(("none of the named files is a bundle", "name a bundle, its manifest or their folder"))
    if problems:
        raise ConfigurationError("; ".join(message for message, _ in problems), problems[0][1], tuple(problems))
    return list(dict.fromkeys(named))


def read_all(paths: Sequence[Path]) -> tuple[list[Package], list[tuple[Path, ConfigurationError]]]:
    """Read the manifests, in the table's order; those that cannot be published come with the reason."""
    packages: list[Package] = []
    failed: list[tuple[Path, ConfigurationError]] = []
    for path in paths:
        try:
            packages.append(read(path))
        except ConfigurationError as error:  # noqa: PERF203 - a handful of files
            failed.append((path, error))
    packages.sort(key=lambda each: (str(each.path.parent), each.position, each.name))
    return _one_version_each(packages, failed), failed


def read(path: Path) -> Package:
    """Read one manifest and look whether its file is there, with the right size."""
    try:
        manifest = load(path, images=True)
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {describe_error(error)}", _READABLE) from error
    except ManifestError as error:
        raise ConfigurationError(str(error), _BUILD_AGAIN) from error
    problem = _misfit(manifest)
    if problem:
        raise ConfigurationError(f"{path.name} cannot be published: {problem}", _BUILD_AGAIN)
    if "file" not in manifest:
        return Package(path, manifest, None)
    file = path.with_name(manifest["file"]["name"])
    try:
        size = file.stat().st_size if file.is_file() else None
    except OSError as error:
        raise ConfigurationError(f"{file.name} cannot be read: {describe_error(error)}", _READABLE) from error
    if size is None:
        raise ConfigurationError(f"{file.name} is not there, and {path.name} describes it", _BUILD_AGAIN)
    if size != manifest["file"]["size"]:
        raise ConfigurationError(
            f"{file.name} has {size:,} bytes, and its manifest says {manifest['file']['size']:,}",
            f"it was changed after the build, or not copied to its end; {_BUILD_AGAIN}",
        )
    return Package(path, manifest, file)


def _named(argument: str, folders: Sequence[Path]) -> list[Path] | tuple[str, str]:
    """The manifests that one argument stands for, or what is wrong with it and how to mend that."""
    paths = (folder / argument for folder in folders)
    path = next((each for each in paths if os.path.exists(each)), None)  # noqa: PTH110 - pathlib raises for names that no file system takes
    if path is None:
        return f"{argument} does not exist", "name a bundle, its manifest or their folder"
    if path.is_dir():
        found = sorted(path.glob("*" + SUFFIX))
        return found or (f"there is no bundle in {argument}", "build one first: hatch build")
    if path.name.endswith(SUFFIX):
        return [path]
    unreadable: list[str] = []
    for manifest in sorted(path.parent.glob("*" + SUFFIX)):
        try:
            made = load(manifest)
        except (ManifestError, OSError):
            unreadable.append(manifest.name)
            continue
        if made["file"]["name"] == path.name:
            return [manifest]
    if path.name.endswith(_OTHERS):
        return []
    but = f", and {', '.join(unreadable)} cannot be read" if unreadable else ""
    return (
        f"{argument} is not a bundle: no manifest beside it names it{but}",
        "name the *.wallaroo.json file, or build again",
    )


def _misfit(manifest: dict[str, Any]) -> str | None:
    """What publishing needs and this manifest does not have; it may have been written by anyone."""
    upload = manifest.get("upload")
    if not isinstance(upload, dict) or not isinstance(upload.get("name"), str) or not upload["name"]:
        return "its `upload` has no name"
    conversion = upload.get("conversion")
    if not isinstance(conversion, dict) or not isinstance(conversion.get("framework"), str):
        return "its `upload` has no framework"
    config = manifest.get("config", {})
    if not isinstance(config, dict) or not all(
        key in _SCHEMAS and isinstance(each, str) for key, each in config.items()
    ):
        return "its `config` is no table of schemas"
    if "file" not in manifest:
        if "image" in manifest:
            return "its `image` has no file that it would be built from"
        return None if isinstance(upload.get("image_path"), str) else "it names neither a file nor an image"
    if problem := _image_misfit(manifest):
        return problem
    file = manifest["file"]
    sha, size = file.get("sha256"), file.get("size")
    if not isinstance(sha, str) or len(sha) != 64 or not set(sha) <= set("0123456789abcdef"):  # noqa: PLR2004 - SHA-256
        return "its `file` has no SHA-256"
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return "its `file` has no size"
    if manifest.get("route") not in ROUTES:
        return "its `route` is neither upload nor upload_and_convert"
    return None


def _image_misfit(manifest: dict[str, Any]) -> str | None:
    """What keeps a build context from becoming an image: what stands here is handed to an engine and a registry."""
    image, upload = manifest.get("image"), manifest["upload"]
    if (image is not None) != (upload["conversion"]["framework"] == "mlflow"):
        return "an `image`, and framework mlflow, go together only"
    if image is None:
        return None
    from hatch_wallaroo.config.text_types import ImageReferenceValue

    if not isinstance(image, dict) or not all(_matches(image.get(key), ImageReferenceValue.form) for key in _NAMES):
        return "its `image` does not say what it is called and built on"
    if not all(image.get(key) is None or _matches(image[key], _WORD) for key in _WORDS):
        return "its `image` names no platform or builder that can be"
    if image["reference"] != upload.get("image_path"):
        return "its `image` and its `upload` name different images"
    return None


def _matches(value: Any, form: str) -> bool:
    return isinstance(value, str) and re.fullmatch(form, value, re.ASCII) is not None


def _one_version_each(packages: Sequence[Package], failed: list[tuple[Path, ConfigurationError]]) -> list[Package]:
    """Only models that come once: which of two builds is meant cannot be guessed."""
    kept = []
    for package in packages:
        rivals = [each for each in packages if each.name == package.name]
        if len(rivals) == 1:
            kept.append(package)
            continue
        versions = ", ".join(each.path.name for each in rivals)
        fix = "name the one to publish, or tidy up first: hatch clean && hatch build"
        failed.append((package.path, ConfigurationError(f"{package.name} is there more than once: {versions}", fix)))
    return kept
