"""Passwords and tokens stand in nothing that is printed, written or listed, at the highest verbosity.

The platform is a sandbox made as careless as one can be, and every command is watched: see support/watched.py.
"""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from support import leaks
from support.byop_cases import CASES
from support.leaks import Secrets, processes
from support.packages import write_package
from support.sandboxes import Sandbox, running, schemas, zipped
from support.tiny_server import serving
from support.users import HATCH_WALLAROO, PUBLISH, PYPROJECT, User
from support.watched import LOUD, WRONG, Careless, Watched

pytestmark = pytest.mark.slow

LOGINS = "xdg/state/hatch-wallaroo/tokens.json"
Way = Callable[[Watched], tuple[dict[str, str], list[str]]]
"""A way to sign in: the variables that say it, and the files, below the user's folder, that hold a secret then."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), "2026.1") as sandbox:
        sandbox.workspace("my-ws")
        yield sandbox


@pytest.fixture
def watched(user: User, sandbox: Sandbox) -> Iterator[Watched]:
    platform = Careless(sandbox)
    with serving(platform) as server:
        yield Watched(user, server.url, platform)
    sandbox.no_faults()


def write_model(project: Path) -> None:
    """A model that no other test has sent."""
    write_package(project / "dist", data=os.fsencode(project))


def write_broken_model(project: Path) -> None:
    """One that the platform's validator does not take."""
    files = zipped({"requirements.txt": "", **CASES["no builder"]})
    conversion = {"framework": "custom", "python_version": "3.8", "requirements": []}
    upload = {"name": "broken", "visibility": "private", "conversion": conversion, **schemas()}
    write_package(project / "dist", "broken", data=files, framework="custom", route="upload_and_convert", upload=upload)


def by_password(watched: Watched) -> tuple[dict[str, str], list[str]]:
    return watched.by_password, []


def by_credentials_file(watched: Watched) -> tuple[dict[str, str], list[str]]:
    made = {"username": watched.platform.sandbox.user, "password": watched.platform.password}
    (watched.user.root / "credentials.json").write_text(json.dumps(made))
    return {"WALLAROO_SDK_CREDENTIALS": str(watched.user.root / "credentials.json")}, ["credentials.json"]


def by_credentials_file_with_a_token(watched: Watched) -> tuple[dict[str, str], list[str]]:
    token = watched.platform.secrets.add("ready token", watched.platform.sandbox.login())
    made = {"token": token, "user_email": watched.platform.sandbox.user, "user_id": "1"}
    (watched.user.root / "credentials.json").write_text(json.dumps(made))
    return {"WALLAROO_SDK_CREDENTIALS": str(watched.user.root / "credentials.json")}, ["credentials.json"]


def by_token(watched: Watched) -> tuple[dict[str, str], list[str]]:
    return {"WALLAROO_TOKEN": watched.platform.secrets.add("ready token", watched.platform.sandbox.login())}, []


def by_client(watched: Watched) -> tuple[dict[str, str], list[str]]:
    client = {"WALLAROO_SDK_AUTH_TYPE": "client", "WALLAROO_CLIENT_SECRET": watched.platform.sandbox.secret}
    return {**watched.by_password, **client}, []


def by_remembered_login(watched: Watched) -> tuple[dict[str, str], list[str]]:
    user = watched.platform.sandbox.user
    code, output = watched.login("--user", user, "--password-stdin", stdin=f"{watched.platform.password}\n")
    assert code == 0, output
    return {}, [LOGINS]


def by_device_code(watched: Watched) -> tuple[dict[str, str], list[str]]:
    return {"WALLAROO_SDK_AUTH_TYPE": "sso"}, []


def by_keyring(watched: Watched) -> tuple[dict[str, str], list[str]]:
    folder = watched.user.root / "vault"
    folder.mkdir()
    (folder / "password").write_text(watched.platform.password, encoding="utf-8")
    (folder / "vault.py").write_text(VAULT)
    (watched.user.root / "hatch/config.toml").write_text("[publish.wallaroo]\nkeyring = true\n")
    path = os.pathsep.join([watched.environment["PYTHONPATH"], str(folder)])
    named = {"PYTHON_KEYRING_BACKEND": "vault.Vault", "WALLAROO_USER": watched.platform.sandbox.user}
    return {**named, "PYTHONPATH": path}, ["vault/password"]


def by_hatchs_config(watched: Watched) -> tuple[dict[str, str], list[str]]:
    own = {"url": watched.url, "user": watched.platform.sandbox.user, "password": watched.platform.password}
    lines = [f"{key} = {json.dumps(value)}" for key, value in own.items()]
    (watched.user.root / "hatch/config.toml").write_text("\n".join(["[publish.wallaroo]", *lines]), encoding="utf-8")
    return {}, ["hatch/config.toml"]


VAULT = """
import pathlib
from keyring.backend import KeyringBackend

class Vault(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return pathlib.Path(__file__).with_name("password").read_text(encoding="utf-8")

    set_password = delete_password = None
"""
WAYS: tuple[Way, ...] = (
    by_password,
    by_credentials_file,
    by_credentials_file_with_a_token,
    by_token,
    by_client,
    by_remembered_login,
    by_device_code,
    by_keyring,
    by_hatchs_config,
)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_sign_in(way: Way, watched: Watched) -> None:
    environment, holding = way(watched)
    ready = way in {by_token, by_credentials_file_with_a_token}
    if not ready:
        watched.platform.sandbox.fault("token-expiry")
    write_model(watched.user.project)
    code, output = watched.publish("-o", "json=result.json", **environment)
    assert code == 0, output
    (model,) = json.loads((watched.user.project / "result.json").read_text())["models"]
    assert model["outcome"] == "ready"
    issued = watched.platform.secrets.values("access token")
    assert not issued if ready else len(issued) > 1
    watched.assert_nothing_leaks(*holding)


class Mishap(NamedTuple):
    """Something that goes wrong, or is not done: what leads to it, and what is said of it."""

    code: int
    told: str
    fault: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    write: Callable[[Path], None] = write_model


NO_PASSWORD = {"WALLAROO_USER": "", "WALLAROO_PASSWORD": ""}
MISHAPS = {
    "dry run": Mishap(0, "Authorization: Bearer ***", arguments=("-o", "dry-run")),
    "dry run, refused": Mishap(
        3, "does not accept", arguments=("-o", "dry-run"), environment={"WALLAROO_PASSWORD": WRONG}
    ),
    "wrong password": Mishap(3, "Invalid user credentials (***", environment={"WALLAROO_PASSWORD": WRONG}),
    "wrong token": Mishap(3, "does not take the token", environment={**NO_PASSWORD, "WALLAROO_TOKEN": WRONG}),
    "no token": Mishap(2, "that is no token", environment={**NO_PASSWORD, "WALLAROO_TOKEN": f"{WRONG} {WRONG}"}),
    "wrong client secret": Mishap(
        3,
        "Invalid client or Invalid client credentials",
        environment={"WALLAROO_SDK_AUTH_TYPE": "client", "WALLAROO_CLIENT_SECRET": WRONG},
    ),
    "broken credentials file": Mishap(
        2,
        "is no JSON object",
        environment={**NO_PASSWORD, "WALLAROO_SDK_CREDENTIALS": "credentials.json"},
        files={"credentials.json": f'{{"username": "jane", "password": "{WRONG}"'},
    ),
    "password in the project": Mishap(
        2, "which others can read", files={"pyproject.toml": f'{PYPROJECT}password = "{WRONG}"\n'}
    ),
    "password in the address": Mishap(
        2, "does not belong in the address", environment={"WALLAROO_URL": f"https://jane:{WRONG}@127.0.0.1:1"}
    ),
    "password in no address": Mishap(2, "write it with https://", environment={"WALLAROO_URL": f"jane:{WRONG}@host"}),
    "conversion": Mishap(5, "last lines of the platform's log:", write=write_broken_model),
    "conversion, for no reason": Mishap(5, "ended in error: Conversion failed", "conversion-error"),
    "expired": Mishap(
        3, "is not allowed for this login (401): Unauthorized: the token has expired (***", "token-expiry*2"
    ),
    "busy": Mishap(0, "the platform answers 503 (Service Unavailable (***", "503=0"),
    "always busy": Mishap(7, "is answered 503 again and again", "503=0*99", ("-o", "retries=2")),
    "broken connection": Mishap(0, "broke", "reset=10"),
    "lost answer": Mishap(0, "trying again", "lost-answer"),
    "full": Mishap(4, "refused (507): Insufficient Storage", "disk-full"),
    "too slow": Mishap(6, "is still", "stuck", ("-o", "wait=0.2")),
}


@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS)
def test_each_thing_that_goes_wrong(mishap: Mishap, watched: Watched) -> None:
    if mishap.fault:
        watched.platform.sandbox.fault(mishap.fault)
    for name, text in mishap.files.items():
        (watched.user.project / name).write_text(text)
    mishap.write(watched.user.project)
    code, output = watched.publish(
        *mishap.arguments, "-o", "json=result.json", **{**watched.by_password, **mishap.environment}
    )
    assert (code, mishap.told in output) == (mishap.code, True), output
    watched.assert_nothing_leaks(*(f"project/{name}" for name in mishap.files))


def test_a_login_is_remembered_in_one_file_for_its_owner_and_forgotten(watched: Watched) -> None:
    user, write_to = watched.platform.sandbox.user, watched.user.remembered
    code, output = watched.login("--user", user, "--password-stdin", stdin=f"{WRONG}\n")
    assert (code, "does not accept" in output) == (3, True), output
    watched.assert_nothing_leaks()
    code, output = watched.login("--user", user, "--password-stdin", stdin=f"{watched.platform.password}\n")
    assert (code, f"as {user}" in output) == (0, True), output
    first = write_to.read_text()
    assert stat.S_IMODE(write_to.stat().st_mode) == 0o600
    assert stat.S_IMODE(write_to.parent.stat().st_mode) == 0o700

    watched.platform.sandbox.fault("token-expiry")
    write_model(watched.user.project)
    code, output = watched.publish()
    assert code == 0, output
    assert write_to.read_text() != first, "the renewed token was not remembered"
    assert stat.S_IMODE(write_to.stat().st_mode) == 0o600
    watched.assert_nothing_leaks(LOGINS)

    code, output = watched.run(*HATCH_WALLAROO, "logout")
    assert (code, "Signed out" in output) == (0, True), output
    watched.assert_nothing_leaks()


def test_a_login_in_the_browser(watched: Watched) -> None:
    code, output = watched.login("--auth", "sso")
    assert (code, "To sign in, open" in output) == (0, True), output
    assert watched.platform.secrets.values("device code")
    watched.assert_nothing_leaks(LOGINS)


def test_what_shows_models_and_their_logs(watched: Watched) -> None:
    write_broken_model(watched.user.project)
    code, output = watched.publish(**watched.by_password)
    assert code == 5, output
    for asked in (["list", "--json"], ["versions", "broken", "--json"], ["status", "broken"], ["logs", "broken"]):
        code, output = watched.run(*HATCH_WALLAROO, "models", *asked, **watched.by_password)
        assert code == (5 if asked[0] == "status" else 0), output
    assert "***" in output, "the log was not shown"
    watched.assert_nothing_leaks()


def test_a_crash_shows_no_values(watched: Watched) -> None:
    """HATCH_DEBUG, which a bug report asks for, has Hatch show the variables of every frame."""
    folder = watched.user.root / "crash"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CRASH.format(spy=str(leaks.SPY / "sitecustomize.py")))
    path = os.pathsep.join([str(folder), watched.environment["PYTHONPATH"]])
    write_model(watched.user.project)
    code, output = watched.publish(crashes=True, PYTHONPATH=path, **watched.by_password)
    assert (code, "RuntimeError: nobody expected this" in output) == (1, True), output
    watched.assert_nothing_leaks()


CRASH = """
exec(open({spy!r}).read())
import urllib3

def request(self, *arguments, **named):
    raise RuntimeError("nobody expected this")

urllib3.PoolManager.request = request
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal(watched: Watched) -> None:
    """There the lines are drawn by Rich, which breaks and repaints them."""
    import pty

    watched.platform.sandbox.fault("503=0*2")
    write_model(watched.user.project)
    ours, theirs = pty.openpty()
    environment = {**watched.user.environment, **watched.environment, **watched.by_password, "TERM": "xterm"}
    for each in ("NO_COLOR", "CI", "GITHUB_ACTIONS"):
        environment.pop(each, None)
    process = subprocess.Popen(
        ["hatch", "-vvv", *PUBLISH[1:]],
        cwd=watched.user.project,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = _all_of(ours)
    assert process.wait(timeout=60) == 0, drawn
    watched.output = drawn
    assert "\x1b[" in drawn
    assert "the platform answers 503" in drawn
    watched.assert_nothing_leaks()


def _all_of(terminal: int) -> str:
    """What is written to a pseudo-terminal until its other side is closed."""
    data = b""
    while True:
        try:
            block = os.read(terminal, 1 << 16)
        except OSError:  # Linux says EIO in the place of an end
            block = b""
        if not block:
            os.close(terminal)
            return data.decode("utf-8", "replace")
        data += block


def test_a_password_on_the_command_line_is_in_the_list_of_processes_and_nowhere_else(watched: Watched) -> None:
    """Whoever types it is told so. It also shows that looking at the list finds what is there."""
    write_model(watched.user.project)
    typed = ["-u", watched.platform.sandbox.user, "-a", watched.platform.password]
    code, output = watched.publish(*typed)
    assert (code, "stands on the command line" in output) == (0, True), output
    if leaks.LISTED:
        assert any(
            "password, plain" in found for found in watched.platform.secrets.found_in_list(watched.listed).values()
        )
    watched.listed.clear()
    watched.assert_nothing_leaks("spied")


def test_a_sandbox_keeps_no_secret(user: User, tmp_path: Path) -> None:
    """But in `sandbox.json`, for its owner, while it runs."""
    state = tmp_path / "state"
    write_model(user.project)
    with processes() as seen, running(state, "2026.1") as sandbox:
        sandbox.workspace("my-ws")
        platform = Careless(sandbox)
        with serving(platform) as server:
            watched = Watched(user, server.url, platform)
            code, output = watched.publish(**watched.by_password)
            assert code == 0, output
            sandbox.fault("reset=10")
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                sandbox.upload({}, bytes(100_000))
            assert set(platform.secrets.found_below(state)) == {"sandbox.json"}
            assert stat.S_IMODE((state / "sandbox.json").stat().st_mode) == 0o600
    assert platform.secrets.values("access token")
    assert platform.secrets.found_below(state) == {}
    assert platform.secrets.found_in_list(set().union(*seen.values())) == {}
    if leaks.LISTED:
        assert any(b"hatch_wallaroo\0sandbox" in each for each in seen[sandbox.pid])


def test_a_sandbox_for_one_command_shows_nobody_its_password(user: User) -> None:
    write_model(user.project)
    known = Secrets()
    with processes() as seen:
        environment = {"WALLAROO_WORKSPACE": "my-ws", "KEEP": str(user.root / "kept"), **LOUD}
        command = [*HATCH_WALLAROO, "sandbox", "--", sys.executable, "-c", KEEP_AND_PUBLISH]
        code, output = user.run(*command, **environment)
    assert (code, "ready, version" in output) == (0, True), output
    known.add("password", (user.root / "kept").read_text())
    assert known.found_in(output.encode()) == set()
    assert known.found_in_list(set().union(*seen.values())) == {}
    assert set(known.found_below(user.root)) == {"kept"}


KEEP_AND_PUBLISH = """
import os, subprocess, sys
open(os.environ["KEEP"], "w").write(os.environ["WALLAROO_PASSWORD"])
sys.exit(subprocess.call(["hatch", "-vvv", "publish", "-p", "wallaroo", "-o", "create-workspace"]))
"""
