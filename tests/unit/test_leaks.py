"""The search for secrets itself: what is there is found, in whatever form, and what is not there is not."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from support import leaks
from support.leaks import Secrets, processes

SECRET = f"pä ss/w%rd+&\"'\\={secrets.token_hex(8)}"
"""Another one each time: the list of processes may show this very test in another run."""
HEADER = "eyJhbGciOiJIUzI1NiJ9"
PERCENT = quote(SECRET, safe="")
FORMS = {
    "plain": SECRET,
    "percent-encoded": PERCENT,
    "percent-encoded, in lower case": re.sub("%..", lambda found: found[0].lower(), PERCENT),
    "in a form": urlencode({"password": SECRET}),
    "in JSON": json.dumps({"password": SECRET}),
    "in JSON with umlauts": json.dumps({"password": SECRET}, ensure_ascii=False),
    "as Python writes it": repr({"password": SECRET}),
    "hexadecimal": SECRET.encode().hex(),
    "base64 for addresses": base64.urlsafe_b64encode(b"xy" + SECRET.encode()).decode(),
    **{
        f"base64 behind {before}, before {after}": base64.b64encode(
            bytes(before) + SECRET.encode() + bytes(after)
        ).decode()
        for before in range(4)
        for after in range(3)
    },
}


@pytest.fixture
def known() -> Secrets:
    known = Secrets()
    known.add("password", SECRET)
    known.add("access token", f"{HEADER}.{secrets.token_hex(100)}.{secrets.token_hex(16)}")
    return known


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_in_a_text(text: str, known: Secrets) -> None:
    assert known.found_in(f"the header of every token, {HEADER}. is no secret".encode()) == set()
    found = known.found_in(f"some\nlines {text} of output".encode())
    assert found
    assert all(each.startswith("password, ") for each in found)


def test_a_piece_of_a_token_and_one_that_a_terminal_broke(known: Secrets) -> None:
    (token,) = known.values("access token")
    assert known.found_in(token[:90].encode()) == {"access token, a piece"}
    assert "access token, plain" in known.found_in(f"{token[:80]}\r\n{token[80:]}".encode())


def test_in_files_and_their_names(known: Secrets, tmp_path: Path) -> None:
    (token,) = known.values("access token")
    (tmp_path / ".hidden" / "deep").mkdir(parents=True)
    (tmp_path / "harmless").write_text("nothing")
    (tmp_path / ".hidden" / "deep" / "binary").write_bytes(b"\0\xff" + token.encode())
    (tmp_path / SECRET.encode().hex()).touch()
    assert set(known.found_below(tmp_path)) == {".hidden/deep/binary", SECRET.encode().hex()}


@pytest.mark.skipif(not leaks.LISTED, reason="this system does not show its processes as files")
def test_in_the_list_of_processes(known: Secrets) -> None:
    with processes() as seen:
        command = [sys.executable, "-c", "input()", f"--password={SECRET}"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        while not known.found_in_list(seen.get(process.pid, ())):
            assert process.poll() is None
        process.communicate(b"\n")
    assert [each for each in seen if known.found_in_list(seen[each])] == [process.pid]


def test_the_spy_sees_what_is_written_and_deleted_and_what_is_started(tmp_path: Path) -> None:
    code = f"import os, subprocess; open('x', 'w'); os.remove('x'); subprocess.run(['true', {SECRET!r}])"
    environment = {**os.environ, "SPY": str(tmp_path / "spied"), "PYTHONPATH": str(leaks.SPY)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    noted = [json.loads(line) for line in (tmp_path / "spied").read_text().splitlines()]
    assert noted[0][0] == "started"
    assert ["open", str(tmp_path / "x")] in noted
    assert ["subprocess.Popen", f"true {SECRET}"] in noted
