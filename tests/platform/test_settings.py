"""How options, flags, environment and tables become settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.publish_settings import Settings, merge

URL = "https://w.example"
SECRET = "tr0ub4dor&3"


def merged(options=None, environment=None, project=None, user=None, flags=None) -> Settings:
    return merge(options or {}, environment or {}, project or {}, user or {}, flags=flags)


def problems(*sources: Any, **named: Any) -> str:
    with pytest.raises(ConfigurationError) as told:
        merged(*sources, **named)
    assert told.value.exit_code == 2
    assert SECRET not in str(told.value) + repr(told.value) + repr(told.value.problems)
    return str(told.value)


@pytest.mark.parametrize("first", range(5))
def test_the_first_source_that_says_something_wins(first: int) -> None:
    """-o, Hatch's flag, environment, project, user: with those before `first` silent."""
    names = ["o", "flag", "env", "project", "user"]
    said = [f"https://{name}.example" if place >= first else None for place, name in enumerate(names)]
    made = merged(
        {"url": said[0]} if said[0] else {},
        {"WALLAROO_URL": said[2]} if said[2] else {},
        {"url": said[3]} if said[3] else {},
        {"url": said[4]},
        {"repo": said[1]} if said[1] else {},
    )
    assert made.url == f"https://{names[first]}.example"


@pytest.mark.parametrize(
    ("option", "written", "field", "value"),
    [
        ("url", "HTTPS://W.Example:443/", "url", "https://w.example"),
        ("url", "https://w.example:8443/base/", "url", "https://w.example:8443/base"),
        ("url", "http://127.0.0.1:8080", "url", "http://127.0.0.1:8080"),
        ("url", "http://[::1]:80", "url", "http://[::1]"),
        ("auth", "user_password", "auth", "password"),
        ("auth", "SSO", "auth", "sso"),
        ("auth", "none", "auth", "auto"),
        ("workspace", "5", "workspace", 5),
        ("workspace", 5, "workspace", 5),
        ("workspace", "my-ws", "workspace", "my-ws"),
        ("wait", "0", "wait", 0.0),
        ("wait", 90, "wait", 90.0),
        ("dry-run", "", "dry_run", True),
        ("dry-run", "false", "dry_run", False),
        ("keyring", True, "keyring", True),
        ("route", "upload_and_convert", "route", "upload_and_convert"),
        ("json", "out.json", "json", Path("out.json")),
        ("retries", "0", "retries", 0),
        ("password", SECRET, "password", Secret(SECRET)),
        ("token", f"{SECRET}\n", "token", Secret(SECRET)),
    ],
)
def test_values_are_read(option: str, written: Any, field: str, value: Any) -> None:
    assert getattr(merged({"url": URL, option: written}), field) == value


@pytest.mark.parametrize(
    ("option", "written", "said"),
    [
        ("url", "w.example", "https://w.example"),
        ("url", f"jane:{SECRET}@w.example", "https://w.example"),
        ("url", f"https://jane:{SECRET}@w.example", "WALLAROO_USER"),
        ("url", "https://w.example/?a=1", "?"),
        ("url", "ftp://w.example", "address"),
        ("url", "https://w.example:x", "address"),
        ("url", "http://w.example", "not encrypted"),
        ("auth", "ldap", "password, sso, token, client"),
        ("auth", "orch", "inside the platform"),
        ("auth", "token", "WALLAROO_TOKEN"),
        ("workspace", "0", "name or id"),
        ("wait", "soon", "seconds"),
        ("wait", "-1", "seconds"),
        ("wait", "nan", "seconds"),
        ("wait", "inf", "seconds"),
        ("wait", True, "seconds"),
        ("dry-run", "maybe", "true or false"),
        ("route", "delete", "upload"),
        ("retries", "1000", "0 to 20"),
        ("token", f"{SECRET} x", "neither spaces"),
        ("password", f"{SECRET}\udcff", "not written in UTF-8"),
        ("client-secret", f"{SECRET}\udcff", "not written in UTF-8"),
        ("workspce", "x", "did you mean workspace?"),
        ("create_workspace", "", "did you mean create-workspace?"),
    ],
)
def test_mistakes_are_told_with_what_to_say(option: str, written: Any, said: str) -> None:
    assert said in problems({"url": URL, option: written})


def test_all_mistakes_are_told_at_once() -> None:
    told = problems(
        {"wait": "soon", "wrkspace": "x"},
        {"WALLAROO_SDK_AUTH_TYPE": "ldap"},
        {"password": SECRET, "route": 5},
        {"retries": "many"},
    )
    for each in (
        "-o wait",
        "-o wrkspace",
        "WALLAROO_SDK_AUTH_TYPE",
        "tool.hatch.publish.wallaroo.password",
        "tool.hatch.publish.wallaroo.route",
        "publish.wallaroo.retries",
        "url is not known",
    ):
        assert each in told


def test_the_sdks_variables_are_read_and_empty_ones_are_not() -> None:
    made = merged(environment={
        "WALLAROO_URL": URL, "WALLAROO_USER": "jane", "WALLAROO_PASSWORD": SECRET, "WALLAROO_SDK_CREDENTIALS": "",
        "WALLAROO_SDK_AUTH_TYPE": "user_password", "WALLAROO_REQUEST_TIMEOUT": "90", "SSL_CERT_FILE": "/ca.pem",
    })  # fmt: skip
    assert (made.user, made.password, made.auth, made.timeout) == ("jane", Secret(SECRET), "password", 90.0)
    assert (made.credentials, made.ca_cert) == (None, Path("/ca.pem"))


@pytest.mark.parametrize("written", ["/etc/x.json", "~/x.json", "../x.json", "a/../../x.json"])
def test_a_project_writes_no_files_elsewhere(written: str) -> None:
    for project in ({"url": URL, "json": written}, {"url": URL, "targets": {"prod": {"json": written}}}):
        assert "json leads out of this folder" in problems(
            {"target": "prod"} if "targets" in project else {}, {}, project
        )
    made = merged({"url": URL, "json": written}, project={"json": "out/published.json"})
    assert made.json == Path(written).expanduser()
    assert merged({"url": URL}, project={"json": "out/published.json"}).json == Path("out/published.json")


@pytest.mark.parametrize("name", ["password", "token", "client-secret", "credentials"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_secret_in_the_project_is_refused(name: str, inside: bool) -> None:
    table = {"url": URL, name: SECRET}
    project = {"targets": {"prod": table}} if inside else table
    told = problems({"target": "prod"} if inside else {}, project=project)
    assert f"wallaroo.{'targets.prod.' if inside else ''}{name}" in told
    assert ("others can read" if name != "credentials" else "where a login of yours lies") in told


def test_a_target_stands_before_the_table_around_it() -> None:
    project = {"url": URL, "workspace": "all", "targets": {"prod": {"url": "https://p.example"}, "dev": {}}}
    made = merged({"target": "prod"}, project=project)
    assert (made.url, made.workspace, made.target) == ("https://p.example", "all", "prod")
    assert merged(project=project).url == URL
    assert merged(project=project, flags={"repo": "prod"}).url == "https://p.example"
    assert "did you mean prod?" in problems({"target": "prd"}, project=project)


@pytest.mark.parametrize(
    ("environment", "noted"),
    [
        ({}, []),
        ({"WALLAROO_URL": "https://o.example"}, ["WALLAROO_URL"]),
        ({"WALLAROO_URL": "https://P.example/", "WALLAROO_USER": "jane"}, []),
        ({"WALLAROO_WORKSPACE": "mine"}, ["WALLAROO_WORKSPACE"]),
        ({"WALLAROO_WORKSPACE": "prod"}, []),
    ],
)
def test_a_variable_against_the_target_is_told(environment: dict, noted: list[str]) -> None:
    project = {"url": "https://p.example", "targets": {"prod": {"url": "https://p.example", "workspace": "prod"}}}
    made = merged({"target": "prod"}, environment, project)
    assert [each.split()[0] for each in made.notes if "the target prod says" in each] == noted
    assert merged({}, environment, project).notes == ()
    assert merged({"target": "prod", "workspace": "x", "url": URL}, environment, project).notes == ()


def test_a_target_may_be_the_users_own() -> None:
    user = {"targets": {"prod": {"url": "https://p.example", "token": SECRET}}}
    made = merged({"target": "prod"}, user=user)
    assert (made.url, made.token) == ("https://p.example", Secret(SECRET))


def test_an_index_token_never_becomes_ours() -> None:
    made = merged({"url": URL}, {"HATCH_INDEX_USER": "__token__", "HATCH_INDEX_AUTH": SECRET, "HATCH_INDEX_REPO": "x"})
    assert (made.user, made.password, made.token) == (None, None, None)
    assert "HATCH_INDEX_AUTH" in made.notes[0]
    assert SECRET not in repr(made)


def test_hatchs_own_flags() -> None:
    made = merged(flags={"repo": URL, "user": "jane", "auth": SECRET, "ca_cert": "ca.pem"})
    assert (made.url, made.user, made.password, made.ca_cert) == (URL, "jane", Secret(SECRET), Path("ca.pem"))
    assert "command line" in made.notes[0]
    assert merged(flags={"repo": URL, "auth": SECRET}).token == Secret(SECRET)
    assert merged({"url": URL, "no_prompt": True, "initialize_auth": False}).prompt is False


@pytest.mark.parametrize(
    ("sources", "kept"),
    [
        ({"user": {"url": URL, "password": SECRET}}, True),
        ({"user": {"url": f"{URL}/", "password": SECRET}, "project": {"url": URL}}, True),
        ({"user": {"password": SECRET}, "options": {"url": URL}}, True),
        ({"user": {"password": SECRET}, "project": {"url": "https://thief.example"}}, False),
        ({"user": {"url": URL, "password": SECRET}, "project": {"url": "https://thief.example"}}, False),
        ({"user": {"url": URL, "password": SECRET}, "environment": {"WALLAROO_URL": "https://o.example"}}, False),
    ],
)
def test_a_password_of_the_users_config_does_not_follow_a_foreign_url(sources: dict, kept: bool) -> None:
    for name in ("password", "credentials"):
        user = {name if key == "password" else key: value for key, value in sources["user"].items()}
        made = merged(**{**sources, "user": user})
        assert bool(getattr(made, name)) is kept
        assert any("is not used" in each for each in made.notes) is not kept


def test_the_settings_never_show_a_secret() -> None:
    made = merged({"url": URL, "password": SECRET, "token": SECRET, "client-secret": SECRET})
    assert SECRET not in f"{made} {made!r} {made.notes}"
