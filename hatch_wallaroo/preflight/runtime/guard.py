"""Starts a command and ends it with all that it started: `python guard.py SECONDS COMMAND...`.

Standard input holds it: when that is closed, or whoever held it is gone in whatever way, SIGTERM is sent, and SIGKILL
after SECONDS. What the command leaves running, also in sessions of its own, is killed before the guard ends; its exit
code is the command's, 128 and the number for a signal. Standard output is the log, which is kept from growing.

One thread and the standard library alone, for any Python from 3.8 on: nothing of the plugin is imported.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

PDEATHSIG = 1
SUBREAPER = 36
"""Of Linux's prctl: a signal when the parent is gone; orphans below a process become its children."""
LARGEST_LOG = 32 << 20
KEPT_LOG = 1 << 20
TURN = 0.2
"""Seconds between two looks at the log."""
LONGEST = 10.0
"""Seconds for what was killed to be gone."""


def prctl(option, value):
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)


def below(pid):
    """All processes below one, by /proc; empty where there is none."""
    found, todo = [], [pid]
    while todo:
        for child in children(todo.pop()):
            if child not in found:
                found.append(child)
                todo.append(child)
    return found


def children(pid):
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir("/proc/%d/task" % pid):
            with contextlib.suppress(OSError), open("/proc/%d/task/%s/children" % (pid, thread)) as stream:
                found += map(int, stream.read().split())
    return found


def send(number, pid, group=False):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, number)


def reap(command):
    """Bury what has ended, and tell whether anything is left; the command's end is noted."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == command.pid:
            command.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if not pid:
            return True


def watch(command, held):
    """Until the command has ended, or nobody holds us any more."""
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken)
    while reap(command) and command.returncode is None:
        ready, _, _ = select.select([held, wake], [], [], TURN)
        if held in ready or asked:
            return
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        shorten_log()
    shorten_log()


def shorten_log():
    """Keep the end of a log that has become too long."""
    with contextlib.suppress(OSError):
        size = os.fstat(1).st_size
        if size > LARGEST_LOG:
            kept = os.pread(1, KEPT_LOG, size - KEPT_LOG)
            os.ftruncate(1, 0)
            os.write(1, b"(what was printed before is not kept)\n" + kept)


def end(command, seconds):
    """SIGTERM for the command, then SIGKILL for all that is below us."""
    if command.returncode is None:
        send(signal.SIGTERM, command.pid, group=True)
        wait(command, seconds, lambda: command.returncode is not None)
    until = time.monotonic() + LONGEST
    while True:
        send(signal.SIGKILL, command.pid, group=True)
        for each in below(os.getpid()):
            send(signal.SIGKILL, each)
        if not reap(command) or time.monotonic() > until:
            return
        time.sleep(0.01)


def wait(command, seconds, over):
    until = time.monotonic() + seconds
    while reap(command) and not over() and time.monotonic() < until:
        time.sleep(0.01)


asked = []
"""The signals that asked us to end."""


def main():
    seconds, words = float(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: asked.append(got))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    prctl(SUBREAPER, 1)
    held = os.dup(0)
    try:
        command = subprocess.Popen(  # noqa: S603 - what the plugin starts
            words,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: prctl(PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - there is one thread
        )
    except OSError as error:
        sys.stderr.write("%s: %s\n" % (words[0], error.strerror))
        return 127
    watch(command, held)
    end(command, seconds)
    code = command.returncode
    return 1 if code is None else 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main())
