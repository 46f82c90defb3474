"""A real engine, real registries and a base image for tests of containers, made on this machine without a download.

The engine is whatever the docker SDK reaches, else a private dockerd (Linux, root, Debian's docker.io). The base image
is what `python:3.8-slim` would be: this machine's own CPython 3.8 with the libraries that it loads. Where something is
missing, `support.peers.missing` skips, or fails in CI.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.peers import interpreter, missing

BASE = "python:3.8-slim"
MLFLOW_BASE = "hatch-wallaroo-tests/mlflow:1.30.0"
"""The base with MLflow and scikit-learn in it: one slow layer for all tests."""

SMALL_BASE = "hatch-wallaroo-tests/small:1"
SERVED_BASE = "hatch-wallaroo-tests/served:1"

_HINT = "on Debian: apt-get install docker.io docker-registry, and run as root"
_ENVIRONMENT = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_PROGRAMS = [
    "bash",
    "cat",
    "chmod",
    "cp",
    "dash",
    "env",
    "find",
    "grep",
    "id",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "sleep",
    "sort",
    "tail",
    "test",
    "touch",
    "true",
    "uname",
]
_LEFT_OUT = r"(^|/)(tests?|idlelib|tkinter|__pycache__|ensurepip|lib2to3)/|\.a$"
_KEPT = r"site-packages/(pip|setuptools|wheel|pkg_res|_dist)"
_LIBRARIES = [
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libgomp.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libresolv.so.2",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
]
"""What wheels expect of a system, beside what this machine's Python loads itself."""


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder with a short path (sockets take 108 bytes), in memory where there is room; all mounts below it go."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 6e9
    folder = Path(tempfile.mkdtemp(prefix="hw-", dir=memory if roomy else None))
    try:
        yield folder
    finally:
        mounts = Path("/proc/mounts").read_text().splitlines() if Path("/proc/mounts").exists() else []
        below = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{folder}/")]
        for mount in sorted(below, reverse=True):
            subprocess.run(["umount", mount], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Engine:
    """Where an engine is reached, as the docker SDK and the command `docker` take it.

    One that was started here is also reached by TLS, at `by_tls` with what is in `certificates`.
    """

    host: str
    client: Any
    by_tls: str = ""
    certificates: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {"DOCKER_HOST": self.host}


@contextlib.contextmanager
def _connected(host: str, by_tls: str = "", certificates: Path | None = None) -> Iterator[Engine]:
    import docker

    client = docker.DockerClient(base_url=host, timeout=600)
    try:
        yield Engine(host, client, by_tls, certificates)
    finally:
        client.close()


def _pings(host: str) -> bool:
    """Whether an engine answers; asked without the SDK, whose failed attempts leave sockets behind."""
    scheme, _, address = host.partition("://")
    unix = scheme == "unix"
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as connection:
        connection.settimeout(5)
        try:
            connection.connect(address if unix else (address.partition(":")[0], int(address.rpartition(":")[2])))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except (OSError, ValueError):
            return False


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """The engine that is there, or one that runs for as long as the block does."""
    there = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if _pings(there):
        with _connected(there) as made:
            yield made
        return
    with private_engine(folder) as made:
        yield made


@contextlib.contextmanager
def private_engine(folder: Path, *, name: str = "e", data: Path | None = None) -> Iterator[Engine]:
    """A dockerd with all of its state below a folder."""
    program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if sys.platform != "linux" or program is None or os.geteuid() != 0:
        missing(f"no container engine answers, and dockerd cannot be started here; {_HINT}")
    bridge = Path("/sys/class/net/docker0").exists()
    host = f"unix://{folder}/{name}.sock"
    command = [
        program, "--data-root", str(data or folder / f"{name}-data"), "--exec-root", str(folder / f"{name}-exec"),
        "--pidfile", str(folder / f"{name}.pid"), "--host", host,
    ]  # fmt: skip
    by_tls, certificates = "", None
    if name == "e" and shutil.which("openssl"):
        certificates = make_certificates(folder / "tls")
        by_tls = f"tcp://127.0.0.1:{_free_port()}"
        files = {"tlscacert": "ca", "tlscert": "server-cert", "tlskey": "server-key"}
        command += ["--host", by_tls, "--tlsverify"]
        command += [
            part for option, file in files.items() for part in (f"--{option}", str(certificates / f"{file}.pem"))
        ]
    if name != "e":
        # In a network of its own: without a bridge it would take the other engine's away.
        command = ["unshare", "--net", *command, "--bridge", "none", "--iptables=false"]
    with (
        _running(command, folder / f"{name}.log", lambda: _pings(host)),
        _connected(host, by_tls, certificates) as made,
    ):
        try:
            yield made
        finally:
            for container in made.client.containers.list(all=True) if _pings(host) else ():
                container.remove(force=True)
    if not bridge and name == "e":
        _forget_bridge()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def make_certificates(folder: Path) -> Path:
    """A CA, and what it signed for a server at 127.0.0.1 and for a client, under the names that docker looks for."""
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=tests")
    for name, prefix, use in (("server", "server-", "serverAuth"), ("client", "", "clientAuth")):
        (folder / "use").write_text(f"subjectAltName=IP:127.0.0.1\nextendedKeyUsage={use}\n")
        openssl("req", *key, "-keyout", f"{prefix}key.pem", "-out", "request.pem", "-subj", f"/CN={name}")
        openssl(
            "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-out", f"{prefix}cert.pem", "-days", "2", "-extfile", "use",
        )  # fmt: skip
    return folder


@contextlib.contextmanager
def registry(
    folder: Path, *, name: str = "r", user: str = "", password: str = "", data: Path | None = None
) -> Iterator[str]:
    """A registry on this machine: `127.0.0.1:PORT`; with a user it asks for a login."""
    program = shutil.which("docker-registry")
    if program is None:
        missing(f"docker-registry is not installed; {_HINT}")
    port = _free_port()
    config = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(data or folder / f"{name}-data")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if user:
        import bcrypt

        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
        (folder / f"{name}.htpasswd").write_text(f"{user}:{hashed}\n")
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / f"{name}.htpasswd")}}
    path = folder / f"{name}.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    address = f"127.0.0.1:{port}"
    with _running([program, "serve", str(path)], folder / f"{name}.log", lambda: _answers(address)):
        yield address


def _answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(f"http://{address}/v2/", timeout=2).status == 200
    except urllib.error.HTTPError as error:
        return error.code == 401


def base_image(made: Engine, folder: Path) -> str:
    """`python:3.8-slim` in the engine: it is there, or is made from this machine's own CPython 3.8."""
    import docker

    client = made.client
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.get(BASE)
        return BASE
    python = interpreter("3.8")
    prefix = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=False
    )
    if prefix.returncode or sys.platform != "linux":
        missing(f"there is no {BASE} in the engine, and no CPython 3.8 to make it from")
    archive = folder / "base.tar"
    _write_base(archive, Path(prefix.stdout.strip()))
    repository, tag = BASE.split(":")
    changes = [
        "ENV PATH=/usr/local/bin:/usr/bin:/bin",
        "ENV LANG=C.UTF-8",
        "ENV LD_LIBRARY_PATH=/usr/local/lib",
        'CMD ["python3"]',
    ]
    client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=changes)
    archive.unlink()
    return BASE


def mlflow_base(made: Engine, folder: Path) -> str:
    """The base with MLflow 1.30.0 and scikit-learn 1.2.2."""
    import docker

    client = made.client
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.get(MLFLOW_BASE)
        return MLFLOW_BASE
    # What serving does not touch is taken out again in the same layer, which is pushed and pulled in these tests.
    site = "/usr/local/lib/python3.8/site-packages"
    lines = (
        f"FROM {base_image(made, folder)}\n"
        "RUN pip install --no-cache-dir mlflow==1.30.0 scikit-learn==1.2.2"
        f" && rm -rf {site}/pyarrow {site}/mlflow/server/js"
        f" && find {site} -name tests -type d -prune -exec rm -rf {{}} +\n"
    )
    client.images.build(fileobj=io.BytesIO(lines.encode()), tag=MLFLOW_BASE, rm=True, forcerm=True)
    return MLFLOW_BASE


PROGRAM = {
    "pip": """#!/bin/sh
# Stands in for pip: what is asked for is there, but `nope` is not to be had, and `slow` takes its time.
while read -r line; do
  case $line in
    nope*) echo "ERROR: Could not find a version that satisfies the requirement $line" >&2
           echo "ERROR: No matching distribution found for $line" >&2; exit 1;;
    slow*) echo "Collecting $line"; sleep 100;;
    far*) echo "WARNING: NewConnectionError: Temporary failure in name resolution" >&2; exit 1;;
    *) echo "Requirement already satisfied: $line";;
  esac
done < /opt/ml/requirements.txt
""",
    "gunicorn": """#!/usr/local/bin/python
# Stands in for gunicorn with MLflow's scoring server; the requirements say how it behaves.
import http.server, json, signal, sys
told = open("/opt/ml/requirements.txt").read()
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer(200, b"")
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "vanishes" in told: sys.stderr.write("MemoryError\\n"); sys.stderr.flush(); import os; os._exit(137)
        if "refuses" in told: self.answer(400, b'{"error_code": "BAD_REQUEST", "message": "missing inputs [x]"}'); return
        if "garbled" in told: self.answer(200, b"<html>"); return
        rows = rows["instances"] if isinstance(rows, dict) else rows
        self.answer(200, json.dumps([{"y": "three" if "wrong" in told else 3.0} for _ in rows]).encode())
    def answer(self, status, body):
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
if "dies" in told: sys.exit("ModuleNotFoundError: No module named 'sklearn'")
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in told else lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Server).serve_forever()
""",
}
"""What stands in for pip and the server where a test is about engines and registries, and not about MLflow."""


def small_base(made: Engine, folder: Path) -> str:
    """A base of 3 MB in which an image builds in a second: a shell, and the stand-in of pip. It cannot be served."""
    import docker

    with contextlib.suppress(docker.errors.ImageNotFound):
        made.client.images.get(SMALL_BASE)
        return SMALL_BASE
    archive = folder / "small.tar"
    shell = shutil.which("dash", path="/usr/bin:/bin")
    sleep = shutil.which("sleep", path="/usr/bin:/bin")
    if shell is None or sleep is None:
        missing("there is no dash and sleep to make a base image of")
    files = {"bin/sh": shell, "bin/sleep": sleep, **{path.lstrip("/"): path for path in _loads(shell) | _loads(sleep)}}
    with tarfile.open(archive, "w") as tar:
        _add(tar, "tmp", kind=tarfile.DIRTYPE, mode=0o1777)
        _add(tar, "bin/pip", data=PROGRAM["pip"].encode())
        for name, path in files.items():
            tar.add(Path(path).resolve(), name, filter=_plain)
    repository, tag = SMALL_BASE.split(":")
    made.client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=["ENV PATH=/bin"])
    archive.unlink()
    return SMALL_BASE


def served_base(made: Engine, folder: Path) -> str:
    """A base with a Python in which a server starts that the requirements tell how to behave."""
    import docker

    with contextlib.suppress(docker.errors.ImageNotFound):
        made.client.images.get(SERVED_BASE)
        return SERVED_BASE
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        _add(tar, "Dockerfile", data=f"FROM {base_image(made, folder)}\nCOPY pip gunicorn /usr/local/bin/\n".encode())
        for name, text in PROGRAM.items():
            _add(tar, name, data=text.encode())
    context.seek(0)
    made.client.images.build(fileobj=context, custom_context=True, tag=SERVED_BASE, rm=True, forcerm=True)
    return SERVED_BASE


@contextlib.contextmanager
def _running(command: list[str], log: Path, ready: Callable[[], object]) -> Iterator[None]:
    """Run a server in a group of its own, which ends with us, until the block does."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,  # noqa: PLW1509
        )
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(Exception):
                if ready():
                    break
            if process.poll() is not None or time.monotonic() > until:
                missing(f"{Path(command[0]).name} did not start: {log.read_text(errors='replace')[-400:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    os.setsid()
    ctypes.CDLL("libc.so.6").prctl(1, signal.SIGTERM)


def _forget_bridge() -> None:
    """dockerd leaves its bridge and its rules of the firewall behind."""
    script = r"""ip link del docker0
for table in filter nat; do
  iptables-save -t $table | grep -E '^-A .*(DOCKER|docker0|172\.17\.)' | sed 's/^-A/-D/' | while read -r rule; do
    iptables -t $table $rule; done
  for chain in DOCKER DOCKER-USER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2; do
    iptables -t $table -F $chain; iptables -t $table -X $chain; done
done
iptables -P FORWARD ACCEPT"""
    subprocess.run(["sh", "-c", script], capture_output=True, check=False)


def _write_base(archive: Path, prefix: Path) -> None:
    """A root file system: a CPython, a shell with a few programs, all libraries that they load, certificates."""
    version = re.search(r"python(\d+\.\d+)$", str(next((prefix / "lib").glob("python3.*"))))[1]
    library = prefix / "lib" / f"python{version}"
    files: dict[str, Path] = {}
    loaded: set[str] = set()
    for program in _PROGRAMS:
        found = shutil.which(program, path="/usr/bin:/bin")
        if found:
            files[f"usr/bin/{program}"] = Path(found).resolve()
            loaded |= _loads(found)
    files[f"usr/local/bin/python{version}"] = (prefix / "bin" / f"python{version}").resolve()
    loaded |= _loads(str(prefix / "bin" / f"python{version}"))
    for path in library.rglob("*"):
        below = path.relative_to(library).as_posix()
        shipped = not below.startswith("site-packages/") or re.match(_KEPT, below)
        if path.is_file() and shipped and not re.search(_LEFT_OUT, below):
            files[f"usr/local/lib/python{version}/{below}"] = path
        if path.suffix == ".so" and path.parent.name == "lib-dynload" and "_tkinter" not in path.name:
            loaded |= _loads(str(path))
    for path in prefix.glob("lib/libpython*.so*"):
        files[f"usr/local/lib/{path.name}"] = path.resolve()
    for name in _LIBRARIES:
        loaded |= {str(path) for path in Path("/usr/lib").glob(f"*-linux-gnu/{name}")}
    for path in loaded:
        if not path.startswith(str(prefix)):
            files[path.lstrip("/") if path.startswith("/usr/") else f"usr{path}"] = Path(path).resolve()
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.is_file():
        files["etc/ssl/certs/ca-certificates.crt"] = certificates
    links = {
        **{name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")},
        "usr/local/bin/python3": f"python{version}",
        "usr/local/bin/python": f"python{version}",
    }
    start = "#!/usr/local/bin/python\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"
    texts = {
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
        "etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "etc/pip.conf": "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n",
        "etc/ld.so.conf": "/usr/local/lib\n",
        "usr/local/bin/pip": start,
    }
    with tarfile.open(archive, "w") as tar:
        for folder in ("tmp", "var/tmp", "root", "proc", "sys", "dev", "run", "usr/sbin", "usr/lib64"):
            _add(tar, folder, kind=tarfile.DIRTYPE, mode=0o1777 if folder.endswith("tmp") else 0o755)
        for name, target in links.items():
            _add(tar, name, kind=tarfile.SYMTYPE, target=target)
        for name, text in texts.items():
            _add(tar, name, data=text.encode(), mode=0o755 if name.endswith("pip") else 0o644)
        for name, path in sorted(files.items()):
            tar.add(path, name, filter=_plain)


def _loads(program: str) -> set[str]:
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return set(re.findall(r"(?:=> )?(/\S+) \(0x", done.stdout))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def _add(tar: tarfile.TarFile, name: str, *, kind=tarfile.REGTYPE, mode=0o755, target="", data=b"") -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, target, len(data)
    tar.addfile(info, io.BytesIO(data))
