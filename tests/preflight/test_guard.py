"""The guard of a model's process: its exit code, its log, and that nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from hatch_wallaroo.preflight.process import GUARD
from support.left_running import processes, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="what is left is found by /proc")

HOLD = """\
import subprocess, sys, time
held = subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE)
time.sleep(600)
"""
"""Holds a guard, as the plugin does, and never ends by itself."""


def command(code, *arguments):
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def guarded(code, *arguments, seconds="1", **options):
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), seconds, *command(code, *arguments)],
        stdin=subprocess.PIPE,
        start_new_session=True,
        **options,
    )


def ended(guard, timeout=15):
    with guard:
        guard.stdin.close()
        return guard.wait(timeout)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 9)", 128 + 9),
        ("import os; os.kill(os.getpid(), 11)", 128 + 11),
    ],
)
def test_its_exit_code_is_the_commands(code, expected):
    with guarded(code) as guard:
        assert guard.wait(15) == expected


DETACHED = {
    "a child": "import subprocess, sys; subprocess.Popen(sys.argv[1:])",
    "a session of its own": "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)",
    "a child of a child": "import os, sys\nif not os.fork():\n os.setsid()\n if not os.fork(): os.execv(sys.argv[1], sys.argv[1:])",
    "one that ignores SIGTERM": (
        "import signal, subprocess, sys; signal.signal(15, signal.SIG_IGN); subprocess.Popen(sys.argv[1:])"
    ),
    "elsewhere, without an environment": (
        "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True, cwd='/', env={})"
    ),
}


@pytest.mark.parametrize("how", DETACHED)
@pytest.mark.parametrize("after", ["pass", "import time; time.sleep(600)"], ids=["that ends", "that runs"])
def test_nothing_that_was_started_outlives_it(how, after):
    word = uuid.uuid4().hex
    sleeping = command("import time; time.sleep(600)", word)
    guard = guarded(f"{DETACHED[how]}\n{after}", *sleeping)
    if "sleep" in after:
        assert until(lambda: len(processes(word)) > 2)
    ended(guard)
    assert not processes(word)


@pytest.mark.parametrize("how", ["closed", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_ends_it(how):
    word = uuid.uuid4().hex
    guard = guarded("import time; time.sleep(600)", word)
    assert until(lambda: len(processes(word)) > 1)
    with guard:
        guard.stdin.close() if how == "closed" else os.kill(guard.pid, how)
        assert guard.wait(15) == 128 + signal.SIGTERM
    assert not processes(word)


def test_what_ignores_sigterm_is_killed_after_the_seconds():
    word = uuid.uuid4().hex
    guard = guarded("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)", word, seconds="0.5")
    assert until(lambda: len(processes(word)) > 1)
    time.sleep(0.3)
    begun = time.monotonic()
    assert ended(guard) == 128 + signal.SIGKILL
    assert 0.4 < time.monotonic() - begun < 5
    assert not processes(word)


@pytest.mark.parametrize("victim", ["holder", "guard"])
def test_a_kill_of_ours_ends_the_command_too(victim):
    word = uuid.uuid4().hex
    inner = [str(GUARD), "1", *command("import time; time.sleep(600)", word)]
    holder = subprocess.Popen(command(HOLD, *inner), start_new_session=True)
    assert until(lambda: len(processes(word)) == 3)
    (guard,) = [pid for pid, command in processes(word).items() if " -c " not in command.partition(str(GUARD))[0]]
    os.kill(holder.pid if victim == "holder" else guard, signal.SIGKILL)
    gone = until(lambda: processes(word).keys() <= {holder.pid})
    holder.kill()
    holder.wait()
    assert gone


def test_a_log_does_not_grow_without_end(tmp_path):
    path = tmp_path / "log"
    code = "import sys\nfor _ in range(120): sys.stdout.write('x' * (1 << 20)); sys.stdout.flush()\nprint('the end')"
    with path.open("ab+") as log, guarded(code, stdout=log) as guard:
        assert guard.wait(60) == 0
    assert path.stat().st_size < 34 << 20
    text = path.read_bytes()
    assert b"the end\n" in text
    assert b"(what was printed before is not kept)" in text


def test_a_command_that_is_not_there_is_told():
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), "1", "/not/there"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, told = guard.communicate(timeout=15)
    assert (guard.returncode, told.strip().splitlines()[-1]) == (127, "/not/there: No such file or directory")
