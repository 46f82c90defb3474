from __future__ import annotations

import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def beside_hatch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin's wheel, unpacked where Hatch's Python looks: as installed beside Hatch."""
    folder = tmp_path_factory.mktemp("beside-hatch")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder
