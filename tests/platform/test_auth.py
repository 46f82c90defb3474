"""Signing in, against a server that answers as Keycloak does."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.platform.auth import DEVICE_GRANT, REALM, Authenticator
from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import AuthenticationError, ConfigurationError, ConnectionFailedError, PlatformError
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.tokens import TokenCache, Tokens
from hatch_wallaroo.platform.transport import Transport
from support.tiny_server import Answer, Asked, TinyServer, answer, jwt, serving

PASSWORD = "tr0ub4dor&3"
DEVICE = "device-code-0123456789"


class Keycloak:
    """Users, clients and tokens of one realm; every token is a new one."""

    def __init__(self, user: str = "jane", email: str = "jane@example.com", lasting: int = 60) -> None:
        self.user, self.email, self.lasting = user, email, lasting
        self.issued: list[str] = []
        self.refreshable: set[str] = set()
        self.pending: list[str] = []
        self.patience = 600
        self.rejects: set[str] = set()

    def __call__(self, asked: Asked) -> Answer:
        if not asked.path.startswith(REALM):
            token = (asked.header("Authorization") or "").removeprefix("Bearer ")
            good = token in self.issued and token not in self.rejects
            return answer({"ok": 1}) if good else answer({"msg": f"bad token {token}"}, 401)
        form = asked.form
        if asked.path.endswith("/auth/device"):
            return answer({
                "device_code": DEVICE, "user_code": "ABCD-EFGH", "interval": 5, "expires_in": self.patience,
                "verification_uri_complete": "https://w.example/auth/realms/master/device?user_code=ABCD-EFGH",
            })  # fmt: skip
        grant = form["grant_type"]
        if grant == "password" and (form["username"], form["password"]) != (self.email, PASSWORD):
            return answer(
                {"error": "invalid_grant", "error_description": f"Invalid user credentials {form['password']}"}, 401
            )
        if grant == "refresh_token" and form["refresh_token"] not in self.refreshable:
            return answer({"error": "invalid_grant", "error_description": "Token is not active"}, 400)
        if grant == DEVICE_GRANT and self.pending:
            return answer({"error": self.pending.pop(0)}, 400)
        return answer(self.grant())

    def grant(self) -> dict[str, Any]:
        number = len(self.issued)
        access = jwt(sub="1", preferred_username=self.user, email=self.email, n=number)
        refresh = f"refresh-{number}-secret"
        self.issued.append(access)
        self.refreshable = {refresh}
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.lasting,
            "refresh_expires_in": 1800,
        }

    def grants(self, server: TinyServer) -> list[str]:
        return [each.form["grant_type"] for each in server.asked if each.path == f"{REALM}/token"]


class Bench:
    """An authenticator with a clock that only its own sleeping moves."""

    def __init__(self, server: TinyServer, cache: TokenCache, *, browser: bool = False, **settings: Any) -> None:
        self.now = 1_700_000_000.0
        self.said: list[str] = []
        self.slept: list[float] = []
        self.settings = Settings(server.url, **settings)
        self.transport = Transport(server.url, sleep=self._sleep, clock=lambda: self.now, timeout=5.0)
        self.authenticator = Authenticator(
            self.settings,
            self.transport,
            tell=self.said.append if browser else None,
            cache=cache,
            sleep=self._sleep,
            clock=lambda: self.now,
        )
        self.transport.authorizer = self.authenticator

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def ask(self) -> int:
        return self.transport.request("GET", "/v1/api/config").status


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path / "state" / "tokens.json")


PASSWORD_LOGIN = {"user": "jane@example.com", "password": Secret(PASSWORD)}


def test_the_password_way_is_what_the_sdk_sends(cache: TokenCache) -> None:
    with serving(Keycloak()) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        assert bench.ask() == 200
        assert bench.authenticator.identity().user == "jane"
    sent = server.asked[0]
    assert sent.path == "/auth/realms/master/protocol/openid-connect/token"
    assert sent.body == b"client_id=sdk-client&username=jane%40example.com&password=tr0ub4dor%263&grant_type=password"
    assert sent.header("Content-Type") == "application/x-www-form-urlencoded"
    assert sent.header("Authorization") is None
    assert not cache.path.exists()


def test_a_wrong_password_is_told_without_it(cache: TokenCache) -> None:
    with serving(Keycloak(email="bob")) as server, pytest.raises(AuthenticationError) as told:
        Bench(server, cache, **PASSWORD_LOGIN).ask()
    assert "does not accept the user jane@example.com: Invalid user credentials ***" in str(told.value)
    assert PASSWORD not in str(told.value) + repr(told.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("contents", "grants"),
    [
        ({"username": "jane@example.com", "password": PASSWORD}, ["password"]),
        ({"token": "RAW", "user_email": "", "user_id": ""}, []),
    ],
)
def test_the_sdks_credentials_file(contents: dict, grants: list, cache: TokenCache, tmp_path: Path) -> None:
    path = tmp_path / "creds.json"
    path.write_text(json.dumps(contents))
    keycloak = Keycloak()
    keycloak.issued.append("RAW")
    with serving(keycloak) as server:
        assert Bench(server, cache, credentials=path).ask() == 200
        assert keycloak.grants(server) == grants


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"username": "j"}',
        "[" * 100_000,
        f'{{"password": "{PASSWORD}"}}',
        None,
        '{"username": "j", "password": "\\ud800"}',
        '{"username": "\\ud800", "password": "p"}',
        '{"token": "\\ud800"}',
    ],
)
def test_a_credentials_file_that_is_none(text: str | None, cache: TokenCache, tmp_path: Path) -> None:
    path = tmp_path / "creds.json"
    if text is not None:
        path.write_text(text)
    with serving(Keycloak()) as server, pytest.raises(ConfigurationError, match=r"creds\.json") as told:
        Bench(server, cache, credentials=path).ask()
    assert PASSWORD not in str(told.value)
    assert server.asked == []


def test_a_ready_token_is_used_and_its_end_is_told(cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        bench = Bench(server, cache, token=Secret("ready-made"), **PASSWORD_LOGIN)
        with pytest.raises(AuthenticationError, match="does not take the token") as told:
            bench.ask()
        assert keycloak.grants(server) == []
    assert "ready-made" not in str(told.value)


@pytest.mark.parametrize("with_user", [True, False])
def test_a_confidential_client(with_user: bool, cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        login = PASSWORD_LOGIN if with_user else {}
        bench = Bench(server, cache, client_secret=Secret("client-s3cret"), **login)
        assert bench.ask() == 200
        assert keycloak.grants(server) == ["password" if with_user else "client_credentials"]
        basic = server.asked[0].header("Authorization").removeprefix("Basic ")
        assert base64.b64decode(basic) == b"api-client:client-s3cret"
        assert b"client-s3cret" not in server.asked[0].body


def test_a_token_that_ends_is_refreshed_before_it_is_sent(cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        bench.ask()
        bench.now += 50
        bench.ask()
        assert keycloak.grants(server) == ["password", "refresh_token"]
        bench.now += 1801
        bench.ask()
        assert keycloak.grants(server)[2:] == ["password"]
        bench.now += 50
        keycloak.refreshable.clear()
        assert bench.ask() == 200
        assert keycloak.grants(server)[3:] == ["refresh_token", "password"]


def test_a_token_that_is_rejected_is_renewed_once(cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        bench.ask()
        keycloak.rejects = set(keycloak.issued)
        assert bench.ask() == 200
        assert keycloak.grants(server) == ["password", "refresh_token"]
        keycloak.issued = _Nothing()
        assert bench.ask() == 401
        assert keycloak.grants(server) == ["password", "refresh_token", "refresh_token"]


class _Nothing(list):
    def __contains__(self, _: object) -> bool:
        return False


def test_before_something_long_a_short_token_is_refreshed(cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        bench.authenticator.freshen()
        assert keycloak.grants(server) == ["password", "refresh_token"]


def test_a_login_in_the_browser(cache: TokenCache) -> None:
    keycloak = Keycloak()
    keycloak.pending = ["authorization_pending", "slow_down", "authorization_pending"]
    with serving(keycloak) as server:
        bench = Bench(server, cache, browser=True)
        assert bench.authenticator.login().user == "jane"
        assert bench.slept == [5.0, 5.0, 10.0, 10.0]
        assert "https://w.example/auth/realms/master/device?user_code=ABCD-EFGH" in bench.said[0]
        assert DEVICE not in " ".join(bench.said)
        # The next one finds it, also where nobody is there.
        again = Bench(server, cache)
        assert again.ask() == 200
        assert again.authenticator.identity().way == "sso"
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600 or sys.platform == "win32"


def test_the_browsers_address_of_the_login(cache: TokenCache) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path.endswith("device"):
            return answer(
                {"device_code": DEVICE, "verification_uri": f"{server.url}/auth/device", "interval": 0, "expires_in": 1}
            )
        return answer({"error": "expired_token"}, 400)

    with serving(script) as server:
        bench = Bench(server, cache, browser=True, auth_endpoint="https://login.example/auth")
        with pytest.raises(AuthenticationError, match="does not accept"):
            bench.ask()
        assert bench.said == ["To sign in, open https://login.example/auth/device"]


@pytest.mark.parametrize(
    "device",
    [
        {},
        [],
        {"device_code": 5},
        {"device_code": "x", "verification_uri": "javascript:alert(1)"},
        "x",
        None,
        {"device_code": "\ud800", "verification_uri": "https://w.example"},
    ],
)
def test_a_login_that_does_not_begin(device: Any, cache: TokenCache) -> None:
    with serving([answer(device)]) as server, pytest.raises(ConnectionFailedError):
        Bench(server, cache, browser=True).ask()


def test_a_login_in_the_browser_that_nobody_finishes(cache: TokenCache) -> None:
    keycloak = Keycloak()
    keycloak.pending = ["authorization_pending"] * 1000
    keycloak.patience = 30
    with serving(keycloak) as server, pytest.raises(AuthenticationError, match="not finished in time"):
        Bench(server, cache, browser=True).ask()


def test_another_user_in_the_browser_is_told(cache: TokenCache) -> None:
    said = "bob signed in, and the settings say jane"
    with serving(Keycloak("bob", "bob@example.com")) as server, pytest.raises(AuthenticationError, match=said):
        Bench(server, cache, browser=True, user="jane").authenticator.login()
    assert not cache.path.exists()


@pytest.mark.parametrize("settings", [{}, {"auth": "sso"}, {"auth": "password"}, {"auth": "token"}, {"prompt": False}])
def test_nobody_is_signed_in(settings: dict, cache: TokenCache) -> None:
    with serving(Keycloak()) as server:
        with pytest.raises(AuthenticationError, match="hatch-wallaroo login"):
            Bench(server, cache, browser=settings.get("prompt") is False, **settings).ask()
        assert server.asked == []


def test_a_login_that_cannot_be_remembered(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with (
        serving(Keycloak()) as server,
        pytest.raises(ConfigurationError, match=r"state/tokens\.json cannot be written"),
    ):
        Bench(server, TokenCache(tmp_path / "state" / "tokens.json"), **PASSWORD_LOGIN).authenticator.login()


def tokens(user: str, access: str = "", **more: Any) -> Tokens:
    made = Tokens(
        Secret(access or f"access-of-{user}"), 1_700_000_500.0, Secret(f"refresh-of-{user}"), None, user, "sdk-client"
    )
    return replace(made, **more)


def test_the_cache_is_keyed_by_url_and_user(cache: TokenCache) -> None:
    cache.save("https://a", tokens("jane", also=("jane@example.com",)))
    cache.save("https://b", tokens("bob"))
    assert cache.load("https://a", "Jane@Example.com").access == Secret("access-of-jane")
    assert cache.load("https://a", None).user == "jane"
    assert cache.load("https://a", "bob") is None
    assert cache.load("https://c", None) is None
    cache.save("https://a", tokens("eve"))
    assert cache.load("https://a", None) is None
    assert cache.users("https://a") == ("jane", "eve")
    assert cache.delete("https://a", "jane") == 1
    assert cache.delete("https://a", "jane") == 0
    assert cache.load("https://a", None).user == "eve"
    assert cache.load("https://b", "bob") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="files there have no numbered owner")
def test_a_file_that_another_user_wrote_is_none(cache: TokenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.save("https://a", tokens("jane"))
    assert cache.load("https://a", "jane")
    monkeypatch.setattr(os, "getuid", lambda: cache.path.stat().st_uid + 1)
    assert cache.load("https://a", "jane") is None


def test_another_users_login_is_never_used(cache: TokenCache) -> None:
    with serving(Keycloak()) as server:
        cache.save(server.url, tokens("bob"))
        with pytest.raises(AuthenticationError):
            Bench(server, cache, user="jane").ask()
        cache.save(server.url, tokens("eve"))
        with pytest.raises(AuthenticationError, match="bob, eve"):
            Bench(server, cache).ask()
        assert server.asked == []


def test_a_remembered_login_is_kept_fresh_and_given_up_when_it_ends(cache: TokenCache) -> None:
    keycloak = Keycloak()
    with serving(keycloak) as server:
        made = keycloak.grant()
        cache.save(server.url, tokens("jane", made["access_token"], refresh=Secret(made["refresh_token"]), expires=1.0))
        assert Bench(server, cache).ask() == 200
        assert keycloak.grants(server) == ["refresh_token"]
        assert cache.load(server.url, "jane").access.reveal() == keycloak.issued[-1]
        keycloak.rejects = set(keycloak.issued)
        keycloak.refreshable.clear()
        with pytest.raises(AuthenticationError, match="hatch-wallaroo login"):
            Bench(server, cache).ask()


def test_a_refresh_that_gives_another_user_is_not_taken(cache: TokenCache) -> None:
    keycloak = Keycloak(user="bob")
    with serving(keycloak) as server:
        keycloak.refreshable = {"refresh-of-jane"}
        cache.save(server.url, tokens("jane", expires=1.0))
        with pytest.raises(AuthenticationError):
            Bench(server, cache).ask()
        assert cache.load(server.url, "jane").access == Secret("access-of-jane")


def test_logout(cache: TokenCache) -> None:
    with serving(Keycloak()) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        bench.authenticator.login()
        assert cache.users(server.url) == ("jane",)
        assert PASSWORD not in cache.path.read_text()
        assert Bench(server, cache, user="jane@example.com").authenticator.logout() is True
        assert bench.authenticator.logout() is False
        assert cache.users(server.url) == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"format": 9}', '{"format": 1, "logins": []}', '{"format": 1, "logins": {"https://a": 5}}',
        '{"format": 1, "logins": {"https://a": {"jane": {"access": 5}}}}', "[" * 100_000, "\x00\xff", " " * (2 << 20),
        '{"format": 1, "logins": {"https://a": {"j": {"access":"a","user":"j","client_id":"c","expires":1e999,"also":[]}}}}',
    ],
)  # fmt: skip
def test_a_corrupt_cache_is_an_empty_one(text: str, cache: TokenCache) -> None:
    cache.path.parent.mkdir()
    cache.path.write_text(text, encoding="latin-1")
    assert cache.load("https://a", None) is None
    cache.save("https://a", tokens("jane"))
    assert cache.load("https://a", None).user == "jane"


def test_the_cache_is_replaced_whole_and_never_open_to_others(cache: TokenCache) -> None:
    old = os.umask(0)
    try:
        cache.save("https://a", tokens("jane"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700
    cache.path.chmod(0o644)
    cache.save("https://a", tokens("jane"))
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert [each.name for each in cache.path.parent.iterdir()] == ["tokens.json"]


@pytest.mark.parametrize(
    "made",
    [
        {},
        [],
        "x",
        None,
        {"access_token": 5},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"access_token": ""},
    ],
)
def test_a_grant_that_is_none(made: Any, cache: TokenCache) -> None:
    with serving([answer(made)]) as server, pytest.raises(ConnectionFailedError):
        Bench(server, cache, **PASSWORD_LOGIN).ask()


@pytest.mark.parametrize("access", ["opaque", "a.b.c", jwt(), jwt(email=5), "..", jwt(email="x\x1b[0m")])
def test_a_token_that_tells_nobody(access: str, cache: TokenCache) -> None:
    with serving([answer({"access_token": access, "expires_in": "later"}), answer({})]) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        assert bench.ask() == 200
        assert bench.authenticator.identity().user == "jane@example.com"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "There is no login service at http"),
        (405, "There is no login service at http"),
        (501, "There is no login service at http"),
        (500, "answers 500"),
        (503, "answers 503"),
    ],
)
def test_no_login_service(status: int, said: str, cache: TokenCache) -> None:
    with serving([answer({}, status)]) as server, pytest.raises(ConnectionFailedError, match=said):
        Bench(server, cache, **PASSWORD_LOGIN).ask()


def test_an_address_that_goes_on_too_long(cache: TokenCache) -> None:
    with serving([answer({}, 404)]) as server:
        transport = Transport(f"{server.url}/v1/api")
        authenticator = Authenticator(Settings(transport.url, **PASSWORD_LOGIN), transport, cache=cache)
        with pytest.raises(ConnectionFailedError, match="may be right without /v1/api"):
            authenticator.header()


def test_a_refresh_token_that_cannot_be_sent_is_none(cache: TokenCache) -> None:
    granted = {"access_token": jwt(email="jane@example.com"), "expires_in": 60, "refresh_token": "half \ud800"}
    with serving([answer(granted)]) as server:
        bench = Bench(server, cache, **PASSWORD_LOGIN)
        bench.authenticator.freshen()
        bench.authenticator.login()
        assert len(server.asked) == 2
        found = cache.load(server.url, None)
        assert found
        assert found.refresh is None
        cache.path.write_text(cache.path.read_text().replace('"access": "', '"access": "\\ud800'))
        assert cache.load(server.url, None) is None


def test_keyring_only_on_request(cache: TokenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyring:
        error: Exception | None = None

        def __init__(self) -> None:
            self.asked: list[tuple[str, str]] = []

        def get_password(self, *asked: str) -> str | None:
            self.asked.append(asked)
            if self.error:
                raise self.error
            return PASSWORD

    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    with serving(Keycloak()) as server:
        with pytest.raises(AuthenticationError):
            Bench(server, cache, user="jane@example.com").ask()
        assert keyring.asked == []
        assert Bench(server, cache, user="jane@example.com", keyring=True).ask() == 200
        assert keyring.asked == [(server.url, "jane@example.com")]
        Keyring.error = RuntimeError("no backend")
        with pytest.raises(AuthenticationError):
            Bench(server, cache, user="jane@example.com", keyring=True).ask()


def test_no_secret_in_any_repr_or_message(cache: TokenCache, caplog: pytest.LogCaptureFixture) -> None:
    """Everything that these classes show, in good times and bad, searched for every secret of them."""
    keycloak = Keycloak()
    shown: list[str] = []
    caplog.set_level(0)
    with serving(keycloak) as server:
        bench = Bench(server, cache, client_secret=Secret("client-s3cret"), token=None, **PASSWORD_LOGIN)
        response = bench.transport.request("GET", "/v1/api/config")
        keycloak.rejects = _Everything()
        refused = bench.transport.request("GET", "/v1/api/config")
        found = cache.load(server.url, None) or tokens("jane", keycloak.issued[-1])
        for each in (
            bench.settings,
            bench.authenticator,
            bench.transport,
            cache,
            found,
            response,
            refused,
            refused.words(),
        ):
            shown += [str(each), repr(each), f"{each}"]
        keycloak.email = "bob"
        keycloak.refreshable.clear()
        with pytest.raises(PlatformError) as told:
            bench.ask()
        shown += [str(told.value), repr(told.value), repr(told.value.args), str(told.value.__cause__)]
    shown += [each.getMessage() for each in caplog.records]
    secrets = [PASSWORD, "client-s3cret", *keycloak.issued, "refresh-0-secret", "refresh-of-jane"]
    secrets.append(base64.b64encode(b"api-client:client-s3cret").decode())
    for secret in secrets:
        assert all(secret not in text for text in shown)
    assert any("bad token ***" in text for text in shown)


class _Everything(set):
    def __contains__(self, _: object) -> bool:
        return True


def test_a_secret_cannot_be_shown() -> None:
    import copy
    import pickle

    secret = Secret(PASSWORD)
    assert f"{secret} {secret!r} {secret!s} {secret:>5} {[secret]} %s" % secret == "*** *** ***   *** [***] ***"
    assert copy.deepcopy(secret) is secret
    assert secret == Secret(PASSWORD) != Secret("x")
    assert not hasattr(secret, "__dict__")
    for write in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError) as told:
            write(secret)
        assert PASSWORD not in str(told.value)
