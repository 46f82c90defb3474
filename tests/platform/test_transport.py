"""The transport against a real server: repeats, broken connections, redirects, certificates, sizes."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import ConfigurationError, ConnectionFailedError
from hatch_wallaroo.platform.multipart import BLOCK, UploadBody
from hatch_wallaroo.platform.transport import Retrying, Transport
from support.tiny_server import Answer, Asked, answer, serving

TOKEN = "ey-this-is-the-token"


class Authorizer:
    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens) or [TOKEN]
        self.renewed = 0

    def header(self) -> str:
        return f"Bearer {self.tokens[min(self.renewed, len(self.tokens) - 1)]}"

    def renew(self) -> None:
        self.renewed += 1


class Transported:
    """A transport with a clock that only its own sleeping moves."""

    def __init__(self, url: str, **options: Any) -> None:
        self.slept: list[float] = []
        self.told: list[Retrying] = []
        self.now = 1_700_000_000.0
        options.setdefault("timeout", 5.0)
        self.transport = Transport(url, sleep=self._sleep, clock=lambda: self.now, on_retry=self.told.append, **options)
        self.transport.authorizer = Authorizer()

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def get(self, path: str = "/x", **options: Any):
        return self.transport.request("GET", path, **options)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_says_later_is_asked_again(status: int) -> None:
    with serving([answer({"msg": "busy"}, status), answer({}, status), answer({"ok": 1})]) as server:
        made = Transported(server.url)
        assert made.get().json() == {"ok": 1}
    assert len(server.asked) == 3
    assert [round(each) for each in made.slept] == [1, 2]
    assert made.told[0].reason == f"the platform answers {status} (busy)"
    assert [(each.attempt, each.attempts) for each in made.told] == [(2, 5), (3, 5)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 500, 501, 507])
def test_what_is_an_answer_is_not_asked_again(status: int) -> None:
    with serving([answer({"msg": "no"}, status)]) as server:
        made = Transported(server.url)
        assert made.get(authorize=False).status == status
    assert len(server.asked) == 1
    assert made.slept == []


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999", 120.0),
        ("9" * 400, 120.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2000 22:13:50 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_honoured_and_bounded(said: str, waited: float | None) -> None:
    from hatch_wallaroo.platform.transport import _retry_after

    if said.isascii():
        with serving([answer({}, 503, Retry_After=said), answer({})]) as server:
            made = Transported(server.url)
            made.get()
        assert made.slept[0] == (waited if waited is not None else pytest.approx(1.125, abs=0.125))
    else:
        assert _retry_after(said, 0.0) is None


def test_it_ends_some_time_and_gives_the_last_answer() -> None:
    with serving([answer({"msg": "busy"}, 503)]) as server:
        made = Transported(server.url, retries=2)
        assert made.get().status == 503
    assert len(server.asked) == 3


def test_a_connection_that_breaks_is_repaired() -> None:
    with serving([Answer(reset=True), Answer(reset=True), answer({"ok": 1})]) as server:
        made = Transported(server.url)
        assert made.get().json() == {"ok": 1}
    assert "broke" in made.told[0].reason


def test_a_connection_that_never_holds_is_told() -> None:
    with serving([Answer(reset=True)]) as server:
        made = Transported(server.url, retries=1)
        with pytest.raises(ConnectionFailedError, match="Tried 2 times"):
            made.get()


def test_an_answer_that_is_cut_off_is_asked_for_again() -> None:
    cut = Answer(body=b'{"a":', headers={"Content-Length": "100"}, read=0)
    with serving([cut, answer({"ok": 1})]) as server:
        made = Transported(server.url)
        assert made.get().json() == {"ok": 1}
    assert "in part only" in made.told[0].reason


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 999999 X\r\n\r\n", b"\0" * 1000])
def test_what_is_no_web_server(said: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(said)

    with listener:
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(ConnectionFailedError, match="no web server"):
            Transported(f"http://127.0.0.1:{listener.getsockname()[1]}", retries=0).get()


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b"])
def test_a_name_that_no_host_can_have(host: str) -> None:
    with pytest.raises(ConnectionFailedError, match="is no address"):
        Transported(f"https://{host}").get()


def test_nobody_there() -> None:
    with serving([]) as server:
        url = server.url
    with pytest.raises(ConnectionFailedError, match="Nothing listens at"):
        Transported(url, retries=0).get()


def test_an_upload_that_breaks_is_sent_again_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(bytes(range(256)) * 40_000)
    told: list[tuple[int, int]] = []
    body = UploadBody({"name": "m"}, path, progress=lambda *each: told.append(each))
    asked_first: list[int] = []
    with serving([Answer(reset=True, read=3 * BLOCK), answer({"ok": 1})]) as server:
        made = Transported(server.url)
        made.transport.request("POST", "/up", body=body, before_repeat=lambda: asked_first.append(len(server.asked)))
        assert server.asked[-1].body == b"".join(body)
    assert asked_first == [1]
    assert sum(1 for sent, _ in told if sent == 0) == 3


def test_what_is_asked_before_a_repeat_can_end_it() -> None:
    class There(Exception): ...

    def there() -> None:
        raise There

    with serving([Answer(reset=True)]) as server:
        with pytest.raises(There):
            Transported(server.url).get(before_repeat=there)
        assert len(server.asked) == 1


def test_an_answer_before_the_whole_upload_is_read(tmp_path: Path) -> None:
    """A platform without room says so at once, and hangs up."""
    path = tmp_path / "m.bin"
    path.write_bytes(b"\0" * (64 << 20))
    full = answer({"msg": "no space"}, 507)
    full.read = BLOCK
    with serving([full]) as server:
        try:
            made = Transported(server.url, retries=0).transport.request("POST", "/up", body=UploadBody({}, path))
        except ConnectionFailedError:
            # The system threw the answer away together with the connection; nothing can be read then.
            return
        assert (made.status, made.words()) == (507, "no space")


def test_a_token_is_renewed_once() -> None:
    def script(asked: Asked) -> Answer:
        return answer({}, 200 if asked.header("Authorization") == "Bearer new" else 401)

    with serving(script) as server:
        made = Transported(server.url)
        made.transport.authorizer = Authorizer("old", "new")
        assert made.get().status == 200
        made.transport.authorizer = Authorizer("old", "older")
        assert made.get().status == 401
    assert len(server.asked) == 4
    assert made.slept == []


def test_an_upload_is_rewound_when_the_token_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(b"model" * 1000)
    body = UploadBody({}, path)

    def script(asked: Asked) -> Answer:
        return answer({}, 200 if asked.header("Authorization") == "Bearer new" else 401)

    with serving(script) as server:
        made = Transported(server.url)
        made.transport.authorizer = Authorizer("old", "new")
        assert made.transport.request("POST", "/up", body=body).status == 200
        assert [each.body for each in server.asked] == [b"".join(body)] * 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_keeps_token_and_body(status: int) -> None:
    def script(asked: Asked) -> Answer:
        return answer({}, status, Location="/new") if asked.path == "/old" else answer({"ok": 1})

    with serving(script) as server:
        made = Transported(server.url).transport.request("POST", "/old", json={"a": 1})
        assert made.json() == {"ok": 1}
    last = server.asked[-1]
    assert (last.method, last.path, last.json, last.header("Authorization")) == (
        "POST",
        "/new",
        {"a": 1},
        f"Bearer {TOKEN}",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_another_host_never_gets_the_token(status: int, method: str) -> None:
    with serving([answer({"ok": 1})]) as other, serving([answer({}, status, Location=f"{other.url}/new")]) as server:
        made = Transported(server.url)
        content = {"json": {"a": 1}} if method == "POST" else {}
        if method == "POST" and status in {301, 302}:
            with pytest.raises(ConnectionFailedError, match="another host"):
                made.transport.request(method, "/old", **content)
            assert other.asked == []
            return
        made.transport.request(method, "/old", **content)
        assert server.asked[0].header("Authorization") == f"Bearer {TOKEN}"
        assert other.asked[0].header("Authorization") is None
        assert TOKEN not in str(other.asked)


def test_a_token_that_was_dropped_does_not_come_back() -> None:
    def back(_: Asked) -> Answer:
        return answer({}, 307, Location=f"{server.url}/end")

    def script(asked: Asked) -> Answer:
        return answer({}, 307, Location=f"{other.url}/") if asked.path == "/old" else answer({})

    with serving(back) as other, serving(script) as server:
        Transported(server.url).get("/old")
        assert [each.header("Authorization") is None for each in server.asked] == [False, True]


def test_a_form_never_goes_to_another_host() -> None:
    with serving([answer({})]) as other, serving([answer({}, 307, Location=other.url)]) as server:
        with pytest.raises(ConnectionFailedError, match="another host"):
            Transported(server.url).transport.request("POST", "/token", form={"password": "x"}, authorize=False)
        assert other.asked == []


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "https://", "http://a:b@127.0.0.1/", "http://[", "//", "http://h:99999/"]
)
def test_a_redirect_to_nowhere(location: str) -> None:
    with serving([answer({}, 302, Location=location)]) as server, pytest.raises(ConnectionFailedError):
        Transported(server.url, retries=0).get()


def test_a_redirect_without_end() -> None:
    with (
        serving([answer({}, 302, Location="/x")]) as server,
        pytest.raises(ConnectionFailedError, match="only redirects"),
    ):
        Transported(server.url).get()
    assert len(server.asked) == 6


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from hatch_wallaroo.platform import transport

    monkeypatch.setattr(transport, "_LARGEST_ANSWER", 1 << 20)
    sent = 0

    def drip(write: Any) -> None:
        nonlocal sent
        for _ in range(4000):
            write(b" " * 65536)
            sent += 65536

    with serving([Answer(headers={"Content-Length": ""}, drip=drip)]) as server:
        with pytest.raises(ConnectionFailedError, match="more than"):
            Transported(server.url).get()
        assert len(server.asked) == 1
    assert sent < 64 << 20


def test_a_small_answer_that_unpacks_to_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from hatch_wallaroo.platform import transport

    monkeypatch.setattr(transport, "_LARGEST_ANSWER", 1 << 20)
    bomb = Answer(body=gzip.compress(bytes(4 << 20)), headers={"Content-Encoding": "gzip"})
    fine = Answer(body=gzip.compress(b'{"ok": 1}'), headers={"Content-Encoding": "gzip"})
    with serving(
        [
            bomb,
            fine,
            Answer(headers={"Content-Encoding": "gzip"}, body=b"no"),
            Answer(headers={"Content-Encoding": "br"}),
        ]
    ) as server:
        made = Transported(server.url)
        with pytest.raises(ConnectionFailedError, match="more than"):
            made.get()
        assert made.get().json() == {"ok": 1}
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                made.get()


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from hatch_wallaroo.platform import transport

    monkeypatch.setattr(transport, "_LONGEST_ANSWER", 0.3)
    stop = threading.Event()

    def drip(write: Any) -> None:
        for _ in range(400):
            write(b" ")
            if stop.wait(0.05):
                return

    with serving([Answer(headers={"Content-Length": "100000"}, drip=drip)]) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionFailedError, match="to answer"):
            Transported(server.url).get()
        stop.set()
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing() -> None:
    stop = threading.Event()
    with serving(lambda _: stop.wait(10) and answer({})) as server:
        with pytest.raises(ConnectionFailedError, match="no answer in time"):
            Transported(server.url, timeout=0.2, retries=1).get()
        stop.set()
    assert len(server.asked) == 2


def test_what_answers_is_no_platform() -> None:
    with serving(
        [Answer(body=b"<html>hello", headers={"Content-Type": "text/html"}), Answer(body=b"[" * 100_000)]
    ) as server:
        for said in ("a web page", "not JSON"):
            with pytest.raises(ConnectionFailedError, match=said):
                Transported(server.url).get().json()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"msg": "Bad request: Not a valid ZIP file.", "code": 400}, "Bad request: Not a valid ZIP file."),
        ({"code": 500, "status": "x", "error": "Internal Server Error", "source": None}, "Internal Server Error"),
        ({"error": "invalid_grant", "error_description": "Invalid user credentials"}, "Invalid user credentials"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        ({"msg": f"bad token {TOKEN}\x1b[31m\nred"}, "bad token *** [31m red"),
        ({"msg": "x" * 5000}, "x" * 599 + "…"),
        ([[[[]]]], ""),
        (None, ""),
    ],
)
def test_a_platforms_words_are_cleaned(body: Any, words: str) -> None:
    with serving([answer(body, 400)]) as server:
        made = Transported(server.url)
        made.transport.conceal(Secret(TOKEN))
        assert made.get().words() == words


@pytest.mark.parametrize("times", [2, 100])
def test_no_half_of_a_token_is_left_of_long_words(times: int) -> None:
    token = "ey" + "0123456789" * 150
    with serving([Answer(400, f"{token} ".encode() * times)]) as server:
        made = Transported(server.url)
        made.transport.conceal(Secret(token))
        assert made.get().words() == " ".join(["***"] * times)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, ssl.SSLContext]:
    """A certificate of our own authority for 127.0.0.1, one for another host, and a server's context."""
    folder = tmp_path_factory.mktemp("tls")
    for name, host in (("good", "IP:127.0.0.1"), ("other", "DNS:other.example")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}",
             "-addext", f"subjectAltName={host}"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "good.pem", folder / "good.key")
    return folder / "good.pem", folder / "other.pem", context


def test_a_certificate_of_ones_own_authority(authority: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good, other, context = authority
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with serving([answer({"ok": 1})], context) as server:
        assert Transported(server.url, ca_cert=good).get().json() == {"ok": 1}
        for wrong in (None, other):
            made = Transported(server.url, ca_cert=wrong)
            with pytest.raises(ConnectionFailedError, match="not trusted"):
                made.get()
            assert made.slept == []
        assert len(server.asked) == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(good))
        assert Transported(server.url).get().json() == {"ok": 1}


def test_a_certificate_for_another_host(authority: Any, tmp_path: Path) -> None:
    _, other, _ = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other, other.with_suffix(".key"))
    with serving([answer({})], context) as server, pytest.raises(ConnectionFailedError, match="not trusted"):
        Transported(server.url, ca_cert=other).get()


def test_tls_is_not_given_up_by_a_redirect(authority: Any) -> None:
    good, _, context = authority
    with serving([answer({})]) as plain, serving([answer({}, 307, Location=plain.url)], context) as server:
        with pytest.raises(ConnectionFailedError, match="not encrypted"):
            Transported(server.url, ca_cert=good).get()
        assert plain.asked == []


def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        Transport("https://w.example", ca_cert=tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("hello")
    with pytest.raises(ConfigurationError, match="no certificates"):
        Transport("https://w.example", ca_cert=tmp_path / "bad.pem")
    with pytest.raises(ConfigurationError, match="Not a directory"):
        Transport("https://w.example", ca_cert=tmp_path / "bad.pem" / "below.pem")


def test_plain_http_where_tls_is_expected() -> None:
    with serving([answer({})]) as server, pytest.raises(ConnectionFailedError, match="TLS"):
        Transported(server.url.replace("http://", "https://"), retries=0).get()


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No proxy from outside; a test sets its own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("login", ["", "jane:s3cret%40x@", ":s3cret%40x@"])
def test_a_proxy_is_used_and_its_login_is_its_own(login: str, proxied: pytest.MonkeyPatch) -> None:
    with serving([answer({"ok": 1})]) as proxy:
        proxied.setenv("http_proxy", f"{login}127.0.0.1:{proxy.port}")
        assert Transported("http://platform.example").get().json() == {"ok": 1}
    (asked,) = proxy.asked
    assert asked.path == "http://platform.example/x"
    user = login.partition(":")[0]
    told = base64.b64encode(f"{user}:s3cret@x".encode()).decode() if login else None
    assert asked.header("Proxy-Authorization") == (f"Basic {told}" if login else None)
    assert asked.header("Authorization") == f"Bearer {TOKEN}"


def test_no_proxy_on_the_way_to_this_machine_or_to_hosts_that_need_none(proxied: pytest.MonkeyPatch) -> None:
    with serving([answer({"ok": 1})]) as server:
        proxied.setenv("all_proxy", "socks5://127.0.0.1:1")
        assert Transported(server.url).get().json() == {"ok": 1}
    proxied.setenv("no_proxy", "platform.example")
    Transport("https://platform.example")


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("http://jane:s3cret@:x", "its address is none"),
        ("http://jane:s3cret@proxy.example:99999", "its address is none"),
        ("jane:s3cret@[::1", "its address is none"),
        ("socks5://jane:s3cret@proxy.example:1080", "it speaks socks5"),
    ],
)
def test_a_proxy_that_cannot_be_used(proxy: str, said: str, proxied: pytest.MonkeyPatch) -> None:
    proxied.setenv("https_proxy", proxy)
    with pytest.raises(ConfigurationError, match=said) as told:
        Transport("https://platform.example")
    assert "HTTPS_PROXY" in told.value.fix
    assert "s3cret" not in f"{told.value} {told.value.__cause__} {told.value.problems}"
