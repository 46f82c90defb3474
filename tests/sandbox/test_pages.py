"""The sandbox as a browser sees it: who gets in, what is shown, and what a name or a log cannot do there."""

from __future__ import annotations

import json
import re
import zipfile
from itertools import pairwise

import pyarrow as pa
import pytest

from hatch_wallaroo.sandbox.contents import MOST_LISTED, Contents, contents
from hatch_wallaroo.sandbox.pages import MOST_LINES, MOST_ROWS
from hatch_wallaroo.sandbox.sessions import MOST_SESSIONS, Sessions
from hatch_wallaroo.sandbox.store import Record, Store
from hatch_wallaroo.schema.arrow import encode, from_arrow
from support.browsing import Visitor
from support.byop_cases import CASES
from support.sandboxes import metadata, running, schemas, zipped

EVIL = "<script>alert(1)</script>"
QUOTED = "\"'><img src=x onerror=alert(1)>"
PAGES = ("/", "/workspaces/1", "/models/1", "/versions/1")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """With one model in one workspace, so that each kind of page has the id 1."""
    with running(tmp_path_factory.mktemp("pages"), "2026.1") as made:
        described = metadata(made.workspace("flowers"), "custom", "grader", **schemas())
        files = zipped({"requirements.txt": "", **CASES["no builder"], "artifacts/weights.bin": "w" * 2500})
        assert made.upload(described, files, "grader.zip", "upload_and_convert")[0] == 202
        yield made


@pytest.fixture
def visitor(sandbox):
    made = Visitor(sandbox)
    assert made.sign_in().status == 200
    return made


def only_id(answer) -> int:
    status, _, made = answer
    assert status in {200, 202}, made
    return made["insert_models"]["returning"][0]["models"][0]["id"]


# Who gets in


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_before_signing_in(sandbox, path) -> None:
    somebody = Visitor(sandbox)
    page = somebody.get(path)
    assert somebody.at.startswith("/login?next=")
    assert "flowers" not in page.html
    assert "grader" not in page.html
    page = somebody.sign_in(page)
    assert (page.status, somebody.at) == (200, path)
    assert sandbox.user in page.text


@pytest.mark.parametrize("path", ["/versions/1", "/versions/99", "/models/99"])
def test_what_exists_is_not_told_before_signing_in(sandbox, path) -> None:
    assert Visitor(sandbox).get(path, follow=False).status == 303


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "jane@example.com"}, {"password": "é" * 300}])
def test_a_wrong_login(sandbox, wrong) -> None:
    somebody = Visitor(sandbox)
    page = somebody.sign_in(**wrong)
    assert page.status == 401
    assert "The user or the password is wrong." in page.text
    assert page.fields["user"] == wrong.get("user", sandbox.user)
    assert not page.fields.get("password")
    assert somebody.get("/", follow=False).status == 303
    assert somebody.sign_in(page).status == 200


def test_the_cookie(sandbox) -> None:
    somebody = Visitor(sandbox)
    somebody.sign_in()
    assert len(somebody.set) == 3  # for the login's form, for the session, and the first one's end
    for each in somebody.set:
        assert "HttpOnly" in each
        assert "SameSite=strict" in each
        assert each.endswith("; Path=/") or "Path=/;" in each
    (name,) = somebody.cookies
    assert name.endswith(sandbox.address.rpartition(":")[2]), "two sandboxes of one machine would sign each other out"
    assert not re.search("expires|max-age", somebody.set[1], re.IGNORECASE), "it would outlive the browser"


def test_a_session_is_a_new_one_with_each_login(sandbox) -> None:
    """Whoever knows the cookie from before a login is not in by that."""
    somebody = Visitor(sandbox)
    before = dict(somebody.cookies)
    somebody.get("/login")
    early = dict(somebody.cookies)
    somebody.sign_in()
    other = Visitor(sandbox)
    for cookies in (before, early, {next(iter(somebody.cookies)): next(iter(early.values()))}):
        other.cookies = cookies
        assert other.get("/", follow=False).status == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(sandbox, visitor) -> None:
    kept = dict(visitor.cookies)
    page = visitor.send("/logout", visitor.get("/").fields)
    assert "Sign in" in page.text
    assert visitor.cookies.keys().isdisjoint(kept)
    visitor.cookies = kept
    assert visitor.get("/", follow=False).status == 303


def test_a_session_ends_with_the_sandbox(tmp_path) -> None:
    with running(tmp_path, "2026.1") as first:
        port = first.address.rpartition(":")[2]
        somebody = Visitor(first)
        somebody.sign_in()
        (value,) = somebody.cookies.values()
    with running(tmp_path, "2026.1", "--port", port) as second:
        somebody.sandbox = second
        somebody.cookies = {f"wallaroo-sandbox-{port}": value}
        assert somebody.get("/", follow=False).status == 303


def test_a_link_from_elsewhere_does_not_sign_out(sandbox, visitor) -> None:
    """Browsers leave a strict cookie out then, and the answer must not put another in its place."""
    kept = dict(visitor.cookies)
    visitor.get("/", headers={"Cookie": ""})
    assert visitor.cookies.items() >= kept.items()
    assert visitor.get("/", follow=False).status == 200


@pytest.mark.parametrize("goes_to", ["//example.com", "https://example.com/", "/\\example.com", "/v1/graphql", "x", ""])
def test_a_login_goes_on_to_pages_only(sandbox, goes_to) -> None:
    somebody = Visitor(sandbox)
    page = somebody.get(f"/login?next={goes_to}")
    assert page.fields["next"] == "/"
    page.fields["next"] = goes_to
    given = {**page.fields, "next": goes_to, "user": sandbox.user, "password": sandbox.password}
    assert somebody.send("/login", given, follow=False).headers["Location"] == "/"


def test_a_token_of_the_api_is_no_session_and_the_other_way_round(sandbox, visitor) -> None:
    somebody = Visitor(sandbox)
    (name,), (value,) = visitor.cookies.keys(), visitor.cookies.values()
    somebody.cookies = {name: sandbox.login()}
    assert somebody.get("/", follow=False).status == 303
    cookie = {"Cookie": f"{name}={value}"}
    assert sandbox.request("POST", "/v1/api/workspaces/list", "{}", cookie)[0] == 401
    assert sandbox.post("/v1/api/workspaces/list", token=value)[0] == 401


# Forms that are not its own


@pytest.mark.parametrize("token", ["", "x", "é", "0" * 64])
def test_a_form_without_its_token(sandbox, visitor, token) -> None:
    page = visitor.send("/logout", {"token": token})
    assert page.status == 403
    assert visitor.get("/", follow=False).status == 200
    somebody = Visitor(sandbox)
    given = {**somebody.get("/login").fields, "token": token, "user": sandbox.user, "password": sandbox.password}
    assert somebody.send("/login", given).status == 403


def test_a_token_of_another_session(sandbox, visitor) -> None:
    other = Visitor(sandbox)
    other.sign_in()
    assert visitor.send("/logout", other.get("/").fields).status == 403
    assert visitor.get("/", follow=False).status == 200


def test_a_login_without_the_cookie_of_its_form(sandbox) -> None:
    somebody = Visitor(sandbox)
    page = somebody.get("/login")
    somebody.cookies.clear()
    assert somebody.sign_in(page).status == 403


@pytest.mark.parametrize("origin", ["http://example.com", "null", "http://127.0.0.1:1"])
def test_a_form_of_another_site(sandbox, visitor, origin) -> None:
    """A page on another port of this machine is of the same site, so that it gets the cookie along."""
    fields = visitor.get("/").fields
    assert visitor.send("/logout", fields, {"Origin": origin}).status == 403
    assert visitor.get("/", follow=False).status == 200
    assert visitor.send("/logout", fields, {"Origin": sandbox.url}).status == 200


def test_a_form_is_bounded(visitor) -> None:
    assert visitor.send("/logout", {"token": "x" * (2 << 20)}).status == 413
    assert visitor.send("/logout", {f"f{number}": "" for number in range(300)}).status == 400


@pytest.mark.parametrize("path", ["/", "/login", "/style.css", "/no-such-page"])
def test_not_under_another_name(sandbox, path) -> None:
    """A name of somebody else's that points here: its pages would be of one origin with these."""
    page = Visitor(sandbox).get(path, headers={"Host": "example.com"}, follow=False)
    assert (page.status, page.tags) == (400, [])


def test_a_host_with_a_port_that_is_none(sandbox, visitor) -> None:
    assert visitor.get("/login", headers={"Host": "127.0.0.1:x"}, follow=False).status < 500


# What an answer may do in a browser


@pytest.mark.parametrize("path", [*PAGES, "/login", "/style.css", "/icon.svg", "/no-such-page", "/versions/99"])
def test_every_answer_is_fenced(visitor, path) -> None:
    page = visitor.get(path, follow=False)
    rules = dict(each.strip().partition(" ")[::2] for each in page.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["style-src"] == rules["img-src"] == rules["form-action"] == "'self'"
    assert "script-src" not in rules
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "same-origin"
    if str(page.headers["Content-Type"]).startswith("text/html"):
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/no-such-page"])
def test_nothing_is_asked_from_elsewhere(visitor, path) -> None:
    page = visitor.get(path)
    assert not page.names("script")
    assert not page.names("style")
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Everything that a client may name or write holds markup, control characters and a turned direction."""
    with running(tmp_path_factory.mktemp("hostile"), "2026.1") as made:
        name = f"{EVIL}{QUOTED}\u202e\x1b[31m"
        query = "mutation M($name: String!) { insert_workspace_one(object: {name: $name}) { id } }"
        _, answer = made.post("/v1/graphql", {"query": query, "variables": {"name": name}})
        workspace = answer["data"]["insert_workspace_one"]["id"]
        field = pa.schema([pa.field(name, pa.list_(pa.float64(), 2))])
        described = {
            **metadata(workspace, "custom", "hostile"),
            "input_schema": encode(from_arrow(field)),
            "output_schema": encode(from_arrow(field)),
            "image_path": f"{EVIL}\ud800",
        }
        described["conversion"] |= {"framework_config": {f"{EVIL}\udfff": QUOTED}, "requirements": [EVIL]}
        code = f"raise ValueError({(EVIL + QUOTED)!r})\nimport {'a' * 300}\n"
        files = {f"{EVIL}.py": code, f"{QUOTED}.txt": "", "main.py": code, "requirements.txt": f"{EVIL}\n"}
        file_name = f"{EVIL}'\u202e.zip"
        version = only_id(made.upload(described, zipped(files), file_name, "upload_and_convert"))
        yield made, version


def test_what_a_client_names_is_text(hostile) -> None:
    sandbox, version = hostile
    somebody = Visitor(sandbox)
    somebody.sign_in()
    for path in ("/", "/workspaces/1", "/models/1", f"/versions/{version}"):
        page = somebody.get(path)
        assert page.status == 200
        assert not page.names("script")
        assert [each["src"] for each in page.names("img")] == ["/icon.svg"]
        assert EVIL in page.text
        assert "\u202e" not in page.html
        assert "\x1b" not in page.html
    assert f"{EVIL}.py" in page.text
    assert page.text.count(EVIL) >= 6


def test_a_login_shows_what_was_typed_as_text(sandbox) -> None:
    page = Visitor(sandbox).sign_in(user=QUOTED + EVIL)
    assert page.fields["user"] == QUOTED + EVIL
    assert not page.names("script")


# What is shown


def test_the_way_from_workspaces_to_a_version(visitor) -> None:
    page = visitor.get("/")
    assert "flowers" in page.text
    assert "/workspaces/1" in page.links
    page = visitor.get("/workspaces/1")
    assert re.search("grader error custom 1", page.text)
    assert "/models/1" in page.links
    page = visitor.get("/models/1")
    assert "Version 1 error custom grader.zip" in page.text
    assert "/versions/1" in page.links
    page = visitor.get("/versions/1")
    assert {"/", "/workspaces/1", "/models/1"} <= set(page.links)


def test_a_version(sandbox, visitor) -> None:
    page = visitor.get("/versions/1")
    found = sandbox.version(1)
    assert found["file_info"]["sha"] in page.text
    assert found["file_info"]["version"] in page.text
    assert "No InferenceBuilder-inherited class found in the model directory" in page.text
    assert '[tool.wallaroo.input-schema] inputs = "float64[4]"' in page.text
    assert '[tool.wallaroo.output-schema] inputs = "float64[4]"' in page.text
    assert re.search(r"error WLR522 main\.py: no class inherits from \S+ write", page.text)
    assert "A zip archive: 3 files" in page.text
    assert "artifacts/weights.bin 2.5 KB" in page.text
    assert re.search(r"Log \d\d:\d\d:\d\d No InferenceBuilder-inherited class", page.text)


def test_a_version_that_is_on_its_way_tells_nothing_of_its_end(tmp_path) -> None:
    with running(tmp_path, "2026.1", pace=30) as made:
        described = metadata(made.workspace(), "custom", **schemas())
        files = zipped({"requirements.txt": "", **CASES["no builder"]})
        version = only_id(made.upload(described, files, "m.zip", "upload_and_convert"))
        somebody = Visitor(made)
        somebody.sign_in()
        page = somebody.get(f"/versions/{version}")
    assert "uploading" in page.text
    assert "InferenceBuilder-inherited" not in page.text
    assert "WLR522" not in page.text
    assert {"http-equiv": "refresh", "content": "2"} in page.names("meta")


def test_a_version_that_stands_is_not_loaded_again(visitor) -> None:
    assert not [each for each in visitor.get("/versions/1").names("meta") if "http-equiv" in each]


def test_nothing_is_asked_without_a_runtime(sandbox, visitor) -> None:
    described = metadata(sandbox.workspace("flowers"), "sklearn", "ready", **schemas())
    version = only_id(sandbox.upload(described, b"weights", route="upload_and_convert"))
    page = visitor.get(f"/versions/{version}")
    assert "ready" in page.text
    assert page.labels == []
    page = visitor.send(f"/versions/{version}", page.fields)
    assert (page.status, "This sandbox runs no models." in page.text) == (409, True)


def test_one_file_and_no_schemas(sandbox, visitor) -> None:
    version = only_id(sandbox.upload(metadata(sandbox.workspace("flowers"), "onnx", "one"), b"weights"))
    page = visitor.get(f"/versions/{version}")
    assert "ready" in page.text
    assert "None came with the upload." in page.text
    assert "One file of no kind that is known by its first bytes, 7 B." in page.text
    assert "`hatch-wallaroo check` looks into weights" in page.text


def test_an_image_has_no_file(sandbox, visitor) -> None:
    described = metadata(sandbox.workspace("flowers"), "mlflow", "image", image_path="registry.example.com/a:1")
    version = only_id(sandbox.upload_body(only_metadata(described)))
    page = visitor.get(f"/versions/{version}")
    assert "registry.example.com/a:1" in page.text
    assert "there is no file" in page.text


def only_metadata(described) -> bytes:
    from support.sandboxes import BOUNDARY, part

    return part("metadata", json.dumps(described).encode()) + f"--{BOUNDARY}--\r\n".encode()


def test_faults_are_shown(sandbox, visitor) -> None:
    sandbox.fault("stuck=0*3")
    try:
        assert re.search("stuck a conversion never ends 3", visitor.get("/").text)
    finally:
        sandbox.no_faults()
    assert "stuck" not in visitor.get("/").text


def test_an_empty_sandbox_says_how_to_publish(tmp_path) -> None:
    with running(tmp_path, "2026.1") as made:
        somebody = Visitor(made)
        page = somebody.sign_in()
    assert f"WALLAROO_URL={made.url}" in page.text
    assert made.password not in page.html


def test_tables_and_logs_are_bounded(tmp_path) -> None:
    """Long ones are cut, and what is left out is counted."""
    store = Store(tmp_path)
    for number in range(MOST_ROWS + 7):
        store.create_workspace(f"w{number}", store.user_id, 1.0)
    members = tuple((f"member-{number}", 1) for number in range(MOST_LISTED))
    held = Contents("a zip archive", members, MOST_LISTED + 1234, 5)
    finding = {"code": "WLR1", "level": "error", "file": "", "line": None, "message": "m", "fix": ""}
    wide = pa.schema([pa.field(f"field{number}", pa.int64()) for number in range(MOST_ROWS + 3)])
    made = Record(
        version="v",
        visibility="private",
        conversion={"framework": "custom"},
        file_name="x" * 100_000,
        sha="s",
        size=1,
        image_path=None,
        runtime="flight",
        stages=(),
        pace=0,
        ends="error",
        error_summary="e",
        logs=tuple(f"line {number} {'y' * 5000}" for number in range(MOST_LINES + 9)),
        config={"input_schema": encode(from_arrow(wide))},
        findings=(finding,) * (MOST_ROWS + 1),
        contents=held.as_json(),
    )
    for _ in range(MOST_ROWS + 4):
        store.add_version(1, "long", made, 1.0)
    store.close()
    with running(tmp_path, "2026.1") as sandbox:
        somebody = Visitor(sandbox)
        assert "and 7 more workspaces" in somebody.sign_in().text
        model, version = somebody.get("/models/1"), somebody.get("/versions/1")
    assert "and 4 more versions" in model.text
    assert "9 earlier lines are left out" in version.text
    assert "and 1,234 more files" in version.text
    assert "and 3 more fields" in version.text
    assert len(version.html) < 1_000_000
    assert "x" * 2000 not in version.html


# Addresses that are none


@pytest.mark.parametrize("path", ["/no-such-page", "/workspaces/99", "/models/99", f"/versions/{1 << 64}", "/models/x"])
def test_a_wrong_address_is_a_page_for_a_browser(visitor, path) -> None:
    page = visitor.get(path)
    assert page.status == 404
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Not found" in page.text
    assert "/" in page.links


def test_a_wrong_method_is_a_page_for_a_browser(visitor) -> None:
    page = visitor.send("/workspaces/1", {})
    assert (page.status, "Method not allowed" in page.text) == (405, True)


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/no-such-page", "application/json"), ("/no-such-page", "*/*"), ("/v1/api/nothing", "text/html"), ("/x", None)],
)
def test_and_none_for_a_program(sandbox, path, accept) -> None:
    status, headers, text = sandbox.request("GET", path, headers={"Accept": accept} if accept else {})
    assert (status, text) == (404, "Not Found")
    assert headers["Content-Type"].startswith("text/plain")


def test_an_error_of_the_api_is_json_whatever_is_accepted(sandbox) -> None:
    status, _, answer = sandbox.request("POST", "/v1/api/workspaces/list", "{}", {"Accept": "text/html"})
    assert (status, answer) == (401, {"msg": "Unauthorized", "code": 401})


# For everybody


@pytest.mark.parametrize("path", [*PAGES, "/login", "/no-such-page"])
def test_a_page_can_be_read_without_looking(sandbox, visitor, path) -> None:
    if path == "/login":
        visitor = Visitor(sandbox)
    page = visitor.get(path)
    assert page.names("html")[0]["lang"] == "en"
    assert len(page.names("h1")) == len(page.names("main")) == 1
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch("h[1-6]", name)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert len(page.names("table")) == len(page.names("caption"))
    assert all(each.get("scope") in {"row", "col"} for each in page.names("th"))
    labelled = {each["for"] for each in page.names("label")}
    asked = [each for each in page.names("input") if each["type"] != "hidden"]
    assert {each["id"] for each in asked} == labelled
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for each in (attributes.get("aria-labelledby") for _, attributes in page.tags):
        assert each is None or each in ids


# The contents of a file


def test_contents_of_a_zip(tmp_path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder") if hasattr(archive, "mkdir") else archive.writestr("folder/", "")
        archive.writestr("folder/a", "12345")
        archive.writestr("b", "1")
    found = contents(path)
    assert found == Contents("a zip archive", (("folder/a", 5), ("b", 1)), 2, 6)
    assert Contents.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_contents_of_a_zip_with_many_members(tmp_path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(MOST_LISTED + 5):
            archive.writestr(f"{number}{'n' * 1000}", "")
    found = contents(path)
    assert (len(found.members), found.count) == (MOST_LISTED, MOST_LISTED + 5)
    assert len(found.members[0][0]) < 1000


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "an empty file"), (b"\x80\x04weights", "a Python pickle"), (b"\x08\x08\x12" + bytes(99), "an ONNX model")],
)
def test_contents_of_what_is_no_zip(tmp_path, data, kind) -> None:
    path = tmp_path / "m"
    path.write_bytes(data)
    assert contents(path) == Contents(kind)


def test_contents_of_a_zip_that_lies_about_its_directory(tmp_path) -> None:
    """Nothing is read that the end of the file says would be too much, and nothing raises."""
    path = tmp_path / "m.zip"
    path.write_bytes(zipped({"a": "b"}))
    data = bytearray(path.read_bytes())
    data[-10:-6] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(data)
    assert contents(path).members == ()
    assert contents(path).problem
    path.write_bytes(bytes(data[:-22]) + b"PK\x05\x06" + bytes(18))
    assert contents(path).members == ()


# Sessions


def test_sessions_are_bounded() -> None:
    sessions = Sessions()
    first, second = sessions.open(), sessions.open()
    for _ in range(MOST_SESSIONS - 1):
        sessions.open()
    assert not sessions.knows(first)
    assert sessions.knows(second)


def test_forms_of_another_sandbox() -> None:
    one, other = Sessions(), Sessions()
    assert one.is_own("cookie", one.form_token("cookie"))
    assert not other.is_own("cookie", one.form_token("cookie"))
    assert not one.is_own("", one.form_token(""))
