"""The sandbox's pages in a real browser, with JavaScript and without: signing in, walking, signing out."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import peers
from support.asked import EVIL, grader
from support.sandboxes import metadata, running, schemas, zipped

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SESSION = Path(__file__).parent / "browser_session.py"
WITH, WITHOUT = ("wide-light", "narrow-dark"), ("wide-dark", "narrow-light")
NAMES = [f"{each}-with-javascript" for each in WITH] + [f"{each}-without-javascript" for each in WITHOUT]


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> Path:
    """Where the screenshots are, to be looked at."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def seen(runtime_cache, tmp_path_factory, shots):
    chromium, python = peers.chromium(), peers.peer("browser")
    with running(tmp_path_factory.mktemp("browser"), "2026.1", "--runtime") as sandbox:
        assert grader(sandbox) == 1
        described = metadata(sandbox.workspace("hostile"), "custom", "hostile", **schemas())
        files = zipped({"requirements.txt": "", f"{EVIL}.txt": "", f"{EVIL}.py": f'raise ValueError("{EVIL}")'})
        _, _, made = sandbox.upload(described, files, f"{EVIL.replace('/', '')}.zip", "upload_and_convert")
        version = made["insert_models"]["returning"][0]["models"][0]["id"]
        told = {
            "url": sandbox.url,
            "user": sandbox.user,
            "password": sandbox.password,
            "evil": EVIL,
            "hostile": f"/versions/{version}",
        }
        done = subprocess.run(
            [str(python), str(SESSION), chromium, str(shots)],
            input=json.dumps(told),
            env={"PATH": os.environ["PATH"], "HOME": str(shots)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    return sandbox.url, json.loads(done.stdout)


@pytest.fixture(params=NAMES)
def session(request, seen):
    return seen[1][request.param]


def test_signing_in(seen, session) -> None:
    assert session["first"] == "Sign in"
    assert session["wrong"] == "The user or the password is wrong."
    assert session["after"] == ["grader", f"{seen[0]}/versions/1"]


def test_the_way_to_a_version(session) -> None:
    assert session["way"] == ["Workspaces", "flowers", "grader", "grader"]
    assert session["status"] == "ready"
    assert "grader/requirements.txt\t0 B" in session["members"]


def test_a_row_is_asked_for(session) -> None:
    assert session["labels"] == ["x float64", "times int64", "name string", "measures float64[3]", "ok bool"]
    assert session["refused"] == ["a number is expected"]
    total, label, halves = session["answer"]
    assert total == "out.total\t16.0"
    assert label == f"out.label\t{EVIL}: good"
    assert halves == "out.halves\t[0.5, 1.0, 1.5]"
    assert session["kept"] == "2.5"


def test_nothing_runs_and_nothing_is_asked_from_elsewhere(seen, session) -> None:
    """Neither what a client named, which is text, nor anything else: the browser would tell of what it stopped."""
    assert session["hostile"] == "hostile"
    assert session["dialogs"] == []
    assert [each for each in session["console"] if not re.search("status of (401|404|422)", each)] == []
    assert [each for each in session["asked"] if not each.startswith(f"{seen[0]}/")] == []


def test_the_cookie_as_the_browser_has_it(session) -> None:
    (cookie,) = session["cookies"]
    assert cookie == {"httpOnly": True, "sameSite": "Strict", "expires": -1}
    assert not session.get("readable")


def test_wrong_addresses_and_the_end(session) -> None:
    assert session["missing"] == [404, "Not found"]
    assert session["focus"] == "Skip to the content"
    assert session["out"] == "Sign in"
    assert session["back"] == "Sign in", "a page is shown once more that was seen before signing out"


def test_light_and_dark_and_no_line_too_long(seen) -> None:
    grounds = {name: each["ground"] for name, each in seen[1].items()}
    light = {grounds[each] for each in NAMES if "light" in each}
    dark = {grounds[each] for each in NAMES if "dark" in each}
    assert len(light) == len(dark) == 1
    assert light != dark
    assert [each["overflow"] for each in seen[1].values()] == [[]] * len(NAMES)


def test_screenshots_are_there_to_be_looked_at(seen, shots) -> None:
    for each in seen[1].values():
        for name in each["shots"]:
            assert (shots / name).read_bytes().startswith(b"\x89PNG")
