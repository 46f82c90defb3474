"""Environments made by a real uv on a shelf of tiny packages: what is executed meanwhile, noted, cleaned."""

from __future__ import annotations

import functools
import http.server
import json
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from hatch_wallaroo.preflight import environment
from hatch_wallaroo.preflight.environment import NOTE, Recipe, clean, locked, provide
from hatch_wallaroo.preflight.interpreters import version_of
from hatch_wallaroo.requirements.uv import find_uv
from support import shelf as shelves
from support.shelf import wheel

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    shelves.only(folder, monkeypatch)
    monkeypatch.setenv("HATCH_WALLAROO_CACHE_DIR", str(tmp_path / "cache"))
    wheel(folder, "wallaroo", "1.0")
    return folder


def made(*pins: str) -> environment.Environment:
    return provide(find_uv() or "", Recipe(Path(sys.executable), VERSION, "1.0", pins), lambda _: None)


def test_no_code_of_a_package_is_executed_while_its_environment_is_made(shelf, tmp_path):
    ran = tmp_path / "ran"
    with zipfile.ZipFile(wheel(shelf, "eager", "1.0"), "a") as archive:
        archive.writestr("eager.pth", f"import sys; open({str(ran)!r}, 'w').close()\n")
        archive.writestr("eager.py", "x = 1\n")
    folder = made("eager==1.0").folder
    assert version_of(folder / "bin" / "python") == VERSION
    assert not ran.exists()
    assert len(list(folder.glob("lib/*/site-packages/__pycache__/eager.*.pyc"))) == 1


def test_a_login_in_an_address_is_not_noted(shelf):
    wheel(shelf, "far", "1.0")
    handler = functools.partial(_Silent, directory=str(shelf))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            address = f"127.0.0.1:{server.server_address[1]}/far-1.0-py3-none-any.whl"
            found = made(f"far @ http://user:secret@{address}")
        finally:
            server.shutdown()
    assert found.versions == {"far": f"http://…@{address}"}
    assert "secret" not in (found.folder / NOTE).read_text()


def test_what_was_written_into_is_made_anew(shelf):
    """Whoever ran the model that wrote there: the next one that asks gets what the recipe says."""
    wheel(shelf, "one", "1.0")
    first = made("one==1.0")
    assert not made("one==1.0").made
    (packages,) = first.folder.glob("lib/*/site-packages")
    (packages / "one.pth").write_text("import os\n")
    again = made("one==1.0")
    assert (again.made, again.folder) == (True, first.folder)
    assert not (packages / "one.pth").exists()
    assert not made("one==1.0").made


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_what_is_being_made_is_not_cleaned(shelf):
    wheel(shelf, "one", "1.0")
    done = made("one==1.0")
    making = done.folder.with_name("making")
    making.mkdir()
    with locked(making.with_suffix(".lock")):
        assert clean(everything=True)[0] == 1
    assert (making.is_dir(), done.folder.exists()) == (True, False)
    assert clean()[0] == 1  # nobody makes it any more
    assert list(making.parent.iterdir()) == []


def test_a_lock_that_was_removed_meanwhile_holds_nobody_off(tmp_path):
    path = tmp_path / "one.lock"
    entered = threading.Event()

    def wait() -> None:
        with locked(path):
            entered.set()
            assert path.exists()

    with locked(path):
        other = threading.Thread(target=wait)
        other.start()
        assert not entered.wait(0.2)
        path.unlink()
    other.join(10)
    assert entered.is_set()


def test_the_note_is_what_versions_are_read_from(shelf):
    wheel(shelf, "one", "1.0")
    first, second = made("one==1.0"), made("one==1.0")
    assert (first.made, second.made, second.versions) == (True, False, {"one": "1.0"})
    assert json.loads((second.folder / NOTE).read_bytes())["wheel"] == "1.0"
