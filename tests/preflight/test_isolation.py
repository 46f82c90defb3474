"""What a command sees inside bubblewrap: read by a real one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_wallaroo.preflight.isolation import EMPTY_BYTES, Isolation, prefixes
from support import peers

SIZES = """
import os
for folder in ("/tmp", "/run", "/home", "/root"):
    found = os.statvfs(folder)
    print(found.f_blocks * found.f_frsize)
"""


@pytest.fixture
def bubblewrap() -> Isolation:
    peers.needs_marker("bubblewrap")
    program = shutil.which("bwrap")
    if program is None:
        peers.missing("bubblewrap is not installed")
    return Isolation("bubblewrap", program)


@pytest.mark.peer
def test_the_folders_in_memory_are_bounded(bubblewrap, tmp_path):
    python = Path(sys.executable)
    command = bubblewrap.wrapped([str(python), "-I", "-S", "-c", SIZES], tmp_path, prefixes(python))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(EMPTY_BYTES)] * 4


def test_an_older_bubblewrap_is_asked_for_no_size(tmp_path):
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho usage: bwrap --tmpfs DEST\n")
    old.chmod(0o755)
    made = Isolation("bubblewrap", str(old)).wrapped(["true"], tmp_path, [])
    assert "--size" not in made
    assert made.count("--tmpfs") == 4
