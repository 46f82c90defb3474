"""Publishing to a sandbox on which things go wrong: what is said, and what the platform then holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_wallaroo.platform.publishing import publish
from hatch_wallaroo.platform.secret import Secret
from hatch_wallaroo.platform.settings import Settings
from support.local_platform import local_platform
from support.packages import write_package
from support.stub_platform import Recorder


@pytest.mark.parametrize(
    ("fault", "code", "versions", "told"),
    [
        ("reset=1000", 0, 1, "trying again"),
        ("503=1", 0, 1, "trying again in 1.0 s"),
        ("lost-answer", 0, 1, ""),
        ("token-expiry", 0, 1, ""),
        ("disk-full", 4, 0, "507"),
        ("conversion-error", 5, 1, "ended in error"),
        ("stuck", 6, 1, "To look again: hatch publish -p wallaroo"),
    ],
)
def test_a_fault_never_makes_two_versions(fault: str, code: int, versions: int, told: str, tmp_path: Path) -> None:
    manifest = write_package(tmp_path / "dist", data=b"0123456789" * 20_000)
    screen = Recorder()
    with local_platform(tmp_path / "state", "--fault", fault) as platform:
        settings = Settings(
            platform.url,
            user=platform.user,
            password=Secret(platform.password),
            workspace="my-ws",
            create_workspace=True,
            wait=2 if fault == "stuck" else 30,
            poll=0.1,
            prompt=False,
        )
        (result,) = publish([manifest], settings, screen=screen)
        asked = {"workspace_id": result.workspace_id}
        held = sum(len(each.get("model_versions", [1])) for each in platform.ask("models/list", asked)["models"])
    assert (result.exit_code, held) == (code, versions), screen.text
    assert told in screen.text
    assert platform.password not in screen.text
