"""`hatch-wallaroo login`: what is said before and while a platform is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.command_line import Run, environment, program, run  # noqa: F401 - a fixture
from support.tiny_server import answer, jwt, serving


def signing_in(*arguments: str, given: bytes, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        program("login", "--password-stdin", *arguments), env=environment(**variables), input=given,
        capture_output=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        ([], b"tr0ub4dor\n", "there is no user to whom the password belongs"),
        (["--user", "jane"], b"", "there is no password on standard input"),
        (["--user", "jane"], b"\n", "there is no password on standard input"),
        (["--user", "jane"], b"tr\xfcb\n", "not written in UTF-8"),
    ],
)
def test_a_password_that_is_none(arguments: list[str], given: bytes, said: str) -> None:
    with serving([answer({})]) as server:
        done = signing_in(*arguments, "--url", server.url, given=given)
    assert (done.returncode, done.stdout, server.asked) == (2, b"", [])
    assert said in done.stderr.decode()


def test_a_platform_that_is_busy_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    granted = answer({"access_token": jwt(email="jane@example.com"), "expires_in": 60})
    with serving([answer({}, 503, Retry_After="0"), granted]) as server:
        done = signing_in(
            "--user",
            "jane@example.com",
            "--url",
            server.url,
            given="tr\u00fcb\n".encode(),
            XDG_STATE_HOME=str(tmp_path),
            WALLAROO_TOKEN="a-token-that-is-not-meant",
        )
    assert done.returncode == 0, done.stderr
    assert "the platform answers 503; trying again in 0.0 s" in done.stderr.decode()
    assert server.asked[-1].form["password"] == "tr\u00fcb"
    assert "as jane@example.com (password)" in done.stdout.decode()


def test_a_config_of_hatchs_that_cannot_be_read(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: F811
    monkeypatch.setenv("HATCH_CONFIG", str(tmp_path))
    left = run("login", "--url", "https://w.example")
    assert left.code == 2
    assert "cannot be read: Is a directory" in left.err
