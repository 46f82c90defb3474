"""Found by a Python that a test starts: notes which files it opens to write, and which programs it runs.

What a program writes and deletes again, or starts for a millisecond, nobody sees from outside for certain.
`SPY` names the file that gets a JSON line `[event, path or command line]` for each, and one at the start.
"""

import json
import os
import sys

_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LOG = os.open(os.environ["SPY"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if "SPY" in os.environ else None


def _note(event, given):
    if event == "open" and isinstance(given[0], (str, bytes)) and given[2] & _TO_WRITE:
        told = os.path.abspath(os.fsdecode(given[0]))  # noqa: PTH100 - imports nothing that the program may not
    elif event in {"os.rename", "os.link", "os.symlink"}:
        told = os.path.abspath(os.fsdecode(given[1]))  # noqa: PTH100
    elif event in {"subprocess.Popen", "os.exec", "os.posix_spawn"}:
        told = " ".join(map(os.fsdecode, given[1])) if isinstance(given[1], (list, tuple)) else str(given[1])
    elif event == "os.system":
        told = os.fsdecode(given[0])
    else:
        return
    _write(event, told)


def _write(event, told):
    os.write(_LOG, (json.dumps([event, told]) + "\n").encode())


if _LOG is not None:
    _write("started", " ".join(sys.orig_argv))
    sys.addaudithook(_note)
