"""Which of a project's files its models are made from: what an sdist must carry to make them again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hatch_wallaroo.bundle.plan import plan
from hatch_wallaroo.config.spec import ModelSpec
from hatch_wallaroo.files.sources import FileSource, ZipMember
from hatch_wallaroo.frameworks.mlflow.folder import is_address


def project_files(specs: Iterable[ModelSpec]) -> list[Path]:
    """Absolute paths of all files that go into the bundles or are read to make them, sorted.

    Not what came from a tracking server: whoever builds from the sdist asks it again.
    """
    found: set[Path] = set()
    for spec in specs:
        if spec.framework.family == "mlflow" and spec.model and is_address(spec.model):
            found.update(path for path in _read_besides(spec) if path.is_file())
            continue
        made, _ = plan(spec)
        for entry in made.layout.entries if made else ():
            if isinstance(entry.source, FileSource):
                found.add(entry.source.path)
            elif isinstance(entry.source, ZipMember):
                found.add(entry.source.archive)
        found.update(path for path in _read_besides(spec) if path.is_file())
    return sorted(found)


def _read_besides(spec: ModelSpec) -> Iterable[Path]:
    if spec.requirements.kind == "file":
        yield spec.path(spec.requirements.file)
    if spec.lock:
        yield spec.root / "pylock.toml"
    if spec.sample:
        yield spec.path(spec.sample)
    for option in spec.include_sensitive:
        yield spec.path(option)
