"""`hatch-wallaroo sandbox -- COMMAND`: the command finds the sandbox, and both end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOX = [sys.executable, "-m", "hatch_wallaroo", "sandbox"]
TELL = """
import json, os, sys, urllib.request
told = {name: value for name, value in os.environ.items() if name.startswith("WALLAROO_")}
config = urllib.request.urlopen(told["WALLAROO_URL"] + "/v1/api/config", timeout=10).read()
print(json.dumps([told, json.loads(config)]))
sys.exit(7)
"""
HANG = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.{0}])  # one that comes before it is waited for is kept
signal.alarm(60)
print("up", flush=True)
signal.sigwait([signal.{0}])
sys.exit(5)
"""


def beside_sandbox(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SANDBOX, "--", *command], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def refused(url: str) -> bool:
    code = f"import urllib.request; urllib.request.urlopen({url!r}, timeout=5)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return "refused" in done.stderr


def test_the_command_finds_the_sandbox_and_gives_the_exit_code() -> None:
    done = beside_sandbox(sys.executable, "-c", TELL)
    assert done.returncode == 7, done.stderr
    told, config = json.loads(done.stdout)
    assert set(told) == {"WALLAROO_URL", "WALLAROO_USER", "WALLAROO_PASSWORD"}
    assert config == {"default_arch": "x86"}
    assert done.stderr.strip() == f"Wallaroo 2026.1 sandbox at {told['WALLAROO_URL']}"
    assert refused(told["WALLAROO_URL"])


def test_what_is_meant_for_another_platform_stays_outside() -> None:
    theirs = {
        "WALLAROO_TOKEN": "to-ken",
        "WALLAROO_CLIENT_SECRET": "sec-ret",
        "WALLAROO_SDK_CREDENTIALS": "/x.json",
        "WALLAROO_SDK_AUTH_TYPE": "sso",
        "WALLAROO_WORKSPACE": "mine",
    }
    told, _ = json.loads(beside_sandbox(sys.executable, "-c", TELL, **theirs).stdout)
    assert set(told) == {"WALLAROO_URL", "WALLAROO_USER", "WALLAROO_PASSWORD", "WALLAROO_WORKSPACE"}


def test_a_command_that_is_none() -> None:
    done = beside_sandbox("no-such-command")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no command no-such-command" in done.stderr
    assert "Traceback" not in done.stderr


SLOW_START = """
import subprocess, time
start = subprocess.Popen.__init__

def slowly(self, *arguments, **named):
    start(self, *arguments, **named)
    time.sleep(1)

subprocess.Popen.__init__ = slowly
"""


@pytest.mark.parametrize("start", ["", SLOW_START], ids=["while it waits", "before it waits"])
@pytest.mark.parametrize(("sent", "whole_group"), [("SIGINT", True), ("SIGTERM", False)])
def test_signals_end_the_command_first(sent: str, whole_group: bool, start: str, tmp_path: Path) -> None:
    """As a terminal's Ctrl-C reaches all of a group, and `kill` the sandbox alone, also at the very start."""
    (tmp_path / "sitecustomize.py").write_text(start)
    process = subprocess.Popen(
        [*SANDBOX, "--", sys.executable, "-c", HANG.format(sent)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    if whole_group:
        os.killpg(process.pid, getattr(signal, sent))
    else:
        process.send_signal(getattr(signal, sent))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 5, said
    assert "Traceback" not in said


def test_a_command_that_a_signal_ends() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert beside_sandbox(sys.executable, "-c", code).returncode == 128 + signal.SIGKILL


def test_the_state_can_be_kept(tmp_path: Path) -> None:
    command = [*SANDBOX, "--state", str(tmp_path / "state"), "--", sys.executable, "-c", "pass"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert [each.name for each in (tmp_path / "state").glob("*.*")] == ["state.sqlite"]
