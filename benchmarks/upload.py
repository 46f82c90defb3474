"""Time and memory of publishing a large bundle, beside the official SDKs and curl: figures from one run.

    python benchmarks/upload.py [--megabytes 2048] [--rounds 3] [--folder FOLDER] [--only WAY ...]

Each measurement has a new sandbox, on loopback, in a process of its own. All ways take turns, so that whatever else the
machine does meets all of them. Needs Linux (peak memory is asked of its kernel), what the tests need, and up to twice
the megabytes on a disk; the folder is removed at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pytest

from support.packages import write_package
from support.peers import peer
from support.sandboxes import Sandbox, running

MB = 1 << 20
NAME = "weights"
WORKSPACE = "my-ws"

LAUNCHER = """
import os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as stream:
    print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=stream)
"""
"""A small Python of its own starts what is measured. Until a child runs its own program it shares its parent's memory,
and the kernel counts that as the child's: started from here, nothing could have a peak below this program's."""

SDK = """
import os, sys, time
import wallaroo
from wallaroo.framework import Framework
url = os.environ["WALLAROO_URL"]
old = {"auth_endpoint": url} if wallaroo.version._user_agent.endswith("2023.2.1") else {}
client = wallaroo.Client(api_endpoint=url, auth_type="user_password", **old)
client.set_current_workspace(client.create_workspace(sys.argv[3]))
start = time.perf_counter()
client.upload_model(sys.argv[1], sys.argv[2], framework=Framework.ONNX)
print("upload_model", time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Bundle:
    """A project with a bundle in dist/ and its manifest."""

    project: Path
    manifest: Path
    file: Path
    sha256: str


@dataclass
class Taken:
    """What the runs of one way took: seconds, those of `upload_model` alone, megabytes at most here and there."""

    seconds: list[float] = field(default_factory=list)
    call: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    sandbox: list[float] = field(default_factory=list)
    failed: str = ""


class FailedError(Exception):
    """The file did not get across; says what was printed last."""


Command = Callable[[Sandbox, Bundle, Path], list[str]]
"""The command for a sandbox and a bundle; the folder takes what it needs."""


@dataclass(frozen=True)
class Way:
    """One way to upload. `release`: what the sandbox has to be; `again`: measured is the second time."""

    command: Command
    release: str = "2023.2.1"
    small: bool = False
    again: bool = False


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, default=2048)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--only", nargs="+", metavar="WAY", help="the beginnings of the ways' names")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=asked.folder) as folder:
        free, wanted = shutil.disk_usage(folder).free, 3 * asked.megabytes * MB
        if free < wanted:
            sys.exit(f"{free / 1e9:.1f} GB are free in {folder}, and this wants {wanted / 1e9:.1f} GB")
        chosen = {
            name: way
            for name, way in ways(asked.megabytes).items()
            if not asked.only or name.lower().startswith(tuple(each.lower() for each in asked.only))
        }
        taken = run(chosen, Path(folder), asked)
    show(f"{asked.megabytes} MB that do not compress, {asked.rounds} rounds", taken)


def ways(megabytes: int) -> dict[str, Way]:
    """All that this machine has."""
    found = {
        "hatch publish": Way(hatch),
        "hatch publish, 1 MB": Way(hatch, small=True),
        "hatch publish, the same file again": Way(hatch, again=True),
    }
    if shutil.which("curl"):
        found["curl"] = Way(curl)
    for version, release in (("2023.2.1", "2023.2.1"), ("2026.1.3", "2026.1")):
        name = f"SDK {version}"
        if available() < 4 * megabytes * MB:
            print(f"{name} is left out: it may need more memory than this machine has left")
            continue
        try:
            found[name] = Way(sdk(peer(f"mac-{version}")), release)
        except (pytest.skip.Exception, pytest.fail.Exception) as error:
            print(f"{name} is left out: {error}")
    return found


def available() -> int:
    """Bytes of memory that can be had without swapping."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def hatch(sandbox: Sandbox, bundle: Bundle, folder: Path) -> list[str]:
    options = ("-o", f"workspace={WORKSPACE}", "-o", "create-workspace")
    return [sys.executable, "-m", "hatch", "publish", "-p", "wallaroo", *options]


def sdk(python: Path) -> Command:
    return lambda _, bundle, __: [str(python), "-c", SDK, NAME, str(bundle.file), WORKSPACE]


def curl(sandbox: Sandbox, bundle: Bundle, folder: Path) -> list[str]:
    """The same two parts. The token stands in a file, as arguments are for everyone to read."""
    metadata = json.loads(bundle.manifest.read_text())["upload"] | {"workspace_id": sandbox.workspace(WORKSPACE)}
    (folder / "metadata").write_text(json.dumps(metadata))
    (folder / "header").write_text(f"Authorization: Bearer {sandbox.login()}\n")
    return [
        "curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*",
        "--header", f"@{folder / 'header'}",
        "--form", f"metadata=<{folder / 'metadata'};type=application/json",
        "--form", f"file=@{bundle.file};type=application/octet-stream",
        f"{sandbox.url}/v1/api/models/upload",
    ]  # fmt: skip


def run(chosen: dict[str, Way], folder: Path, asked: argparse.Namespace) -> dict[str, Taken]:
    large, small = make_bundle(folder / "large", asked.megabytes), make_bundle(folder / "small", 1)
    taken = {name: Taken() for name in chosen}
    for turn in range(asked.rounds):
        for name, way in chosen.items():
            if taken[name].failed:
                continue
            work = folder / "work"
            work.mkdir()
            try:
                measure(way, small if way.small else large, work, taken[name])
            except FailedError as error:
                taken[name].failed = str(error)
            finally:
                shutil.rmtree(work)
            said = taken[name].failed or f"{taken[name].seconds[-1]:.2f} s, {taken[name].peak[-1]:.0f} MB"
            print(f"round {turn + 1}, {name}: {said}", flush=True)
    return taken


def make_bundle(project: Path, megabytes: int) -> Bundle:
    """Bytes that are really there and do not compress, written and hashed in pieces."""
    generator, digest = random.Random(0), hashlib.sha256()
    (project / "dist").mkdir(parents=True)
    (project / "pyproject.toml").write_text(f'[project]\nname = "{NAME}"\nversion = "1.0"\n')
    part = project / "part"
    with part.open("wb") as stream:
        for _ in range(megabytes):
            piece = generator.randbytes(MB)
            digest.update(piece)
            stream.write(piece)
    told = {"name": f"{NAME}-1.0.onnx", "size": megabytes * MB, "sha256": digest.hexdigest(), "profile": "stored"}
    manifest = write_package(project / "dist", NAME, data=b"", file=told)
    file = part.replace(manifest.with_name(told["name"]))
    return Bundle(project, manifest, file, told["sha256"])


def measure(way: Way, bundle: Bundle, work: Path, taken: Taken) -> None:
    """One upload to a new sandbox, and whether it then holds this very file once. Raises FailedError."""
    with running(work / "state", way.release) as sandbox:
        command = way.command(sandbox, bundle, work)
        if way.again:
            child(command, sandbox, bundle, work)
        os.sync()
        seconds, peak, said = child(command, sandbox, bundle, work)
        held = [each["model_version"]["model_version"] for each in versions(sandbox)]
        if [each["file_info"]["sha"] for each in held] != [bundle.sha256]:
            raise FailedError(f"the sandbox holds {held}")
        taken.sandbox.append(peak_of(sandbox.pid))
    taken.seconds.append(seconds)
    taken.peak.append(peak)
    taken.call += [float(line.split()[1]) for line in said.splitlines() if line.startswith("upload_model ")]


def versions(sandbox: Sandbox) -> list[dict]:
    """All versions that a new sandbox has: their numbers begin at 1."""
    found = []
    while True:
        status, answer = sandbox.post("/v1/api/models/get_version_by_id", {"model_version_id": len(found) + 1})
        if status != 200:
            return found
        found.append(answer)


def child(command: list[str], sandbox: Sandbox, bundle: Bundle, work: Path) -> tuple[float, float, str]:
    """Seconds, the peak in megabytes of the process or of one that it has started, and what was printed."""
    measured, log = work / "measured", work / "said"
    (work / "config.toml").touch()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "HATCH_CONFIG": str(work / "config.toml"),
        "HATCH_DATA_DIR": str(work / "data"),
        "HATCH_CACHE_DIR": str(work / "cache"),
        "WALLAROO_URL": sandbox.url,
        "WALLAROO_USER": sandbox.user,
        "WALLAROO_PASSWORD": sandbox.password,
    }
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(measured)]
    with log.open("wb") as stream:
        subprocess.run(
            [*launcher, *command], cwd=bundle.project, env=environment, stdout=stream, stderr=stream, check=True
        )
    seconds, kilobytes, code = measured.read_text().split()
    said = log.read_text(errors="replace")
    if code != "0":
        lines = [line.strip() for line in said.splitlines() if line.strip()] or ["nothing was printed"]
        raise FailedError(f"exit code {code} after {float(seconds):.0f} s: {lines[-1][:300]}")
    return float(seconds), int(kilobytes) * 1024 / 1e6, said


def peak_of(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


def show(title: str, taken: dict[str, Taken]) -> None:
    """A table; ratios are of medians, against the first way that got through."""
    through = {name: each for name, each in taken.items() if each.seconds}
    for name, each in taken.items():
        if each.failed:
            print(f"\n{name}, run {len(each.seconds) + 1}: {each.failed}")
    if not through:
        return
    first, base = next(iter(through.items()))
    heads = ["median s", "best s", f"× {first}", "upload_model alone, s", "peak MB", f"× {first}", "sandbox's peak MB"]
    print(f"\n| {title} | {' | '.join(heads)} |\n|{'---|' * (1 + len(heads))}")
    for name, each in through.items():
        seconds, peak = statistics.median(each.seconds), statistics.median(each.peak)
        cells = [
            f"{seconds:.2f}",
            f"{min(each.seconds):.2f}",
            f"{seconds / statistics.median(base.seconds):.2f} ({min(each.seconds) / min(base.seconds):.2f})",
            f"{statistics.median(each.call):.2f}" if each.call else "–",
            f"{peak:.0f} (at most {max(each.peak):.0f})",
            f"{peak / statistics.median(base.peak):.2f}",
            f"{max(each.sandbox):.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
