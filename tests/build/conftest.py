from __future__ import annotations

from pathlib import Path

import pytest

from support.fronts import FrontEnds
from support.users import User


@pytest.fixture
def user(fronts: FrontEnds, beside_hatch: Path, tmp_path: Path) -> User:
    return User.new(tmp_path / "user", fronts, beside_hatch)
