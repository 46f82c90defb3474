"""Where a model goes and as whom: options, environment and the two tables, merged into one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from hatch_wallaroo.findings import nearest
from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.errors import ConfigurationError
from hatch_wallaroo.platform.options import OPTIONS, OptionError, PublishOption, is_private

Auth = Literal["auto", "password", "sso", "token", "client"]
Problem = tuple[str, str]

PROJECT_TABLE = "tool.hatch.publish.wallaroo"
USER_TABLE = "publish.wallaroo"
_OF_HATCH = frozenset({"no_prompt", "initialize_auth", "disable"})
"""What Hatch itself puts among the options and reads from the tables."""
_BY_NAME: Mapping[str, PublishOption] = {each.name: each for each in OPTIONS}
_UNSUPPORTED_WAYS = frozenset({"orch", "test_auth"})


@dataclass(frozen=True)
class Settings:
    """How to publish. Times are seconds; paths are relative to the current folder; see OPTIONS for each field.

    `prompt`: whether somebody is there to ask. `notes`: what the user should be told about how this came together.
    """

    url: str
    auth: Auth = "auto"
    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    credentials: Path | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    auth_endpoint: str | None = None
    workspace: str | int | None = None
    create_workspace: bool = False
    route: str | None = None
    again: bool = False
    wait: float = 1800.0
    poll: float = 5.0
    timeout: float = 60.0
    timeout_connect: float = 30.0
    retries: int = 4
    ca_cert: Path | None = None
    allow_http: bool = False
    keyring: bool = False
    json: Path | None = None
    preflight: bool = False
    dry_run: bool = False
    prompt: bool = True
    target: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """A place where options stand: how a message calls one of them, and its values as they were written."""

    kind: Literal["options", "flags", "environment", "project", "user"]
    prefix: str
    values: Mapping[str, Any]

    def called(self, name: str) -> str:
        if self.kind == "environment":
            return next(each.variable or each.name for each in OPTIONS if each.name == name)
        if self.kind == "flags":
            return _FLAG_OF[name]
        return f"{self.prefix}{name}"


_FLAG_OF = {"url": "-r", "user": "-u", "password": "-a", "token": "-a", "ca-cert": "--ca-cert"}


def merge(
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    project_config: Mapping[str, Any],
    user_config: Mapping[str, Any],
    *,
    flags: Mapping[str, str] | None = None,
    typed: str = "-o ",
) -> Settings:
    """Settings from `-o` > Hatch's own flags > environment > [tool.hatch.publish.wallaroo] > [publish.wallaroo].

    `flags`: what -r, -u, -a and --ca-cert said on the command line itself (keys `repo`, `user`, `auth`, `ca_cert`);
    never what HATCH_INDEX_* said, whose token is for a package index. `-o target=NAME` puts the tables
    `targets.NAME` in front of the tables that hold them. `typed` is what stands before an option's name where it is
    typed, for messages: `-o `, or `--` for a command with options of its own.

    Raises ConfigurationError with every problem found.
    """
    problems: list[Problem] = []
    notes: list[str] = []
    flagged = dict(flags or {})
    named = options.get("target") or _repo_as_target(flagged)
    target = str(named) if named else None
    sources = [
        _Source("options", typed, {key: value for key, value in options.items() if key != "target"}),
        _Source("flags", "", _from_flags(flagged)),
        _Source("environment", "", _from_environment(environment)),
        *_tables("project", PROJECT_TABLE, project_config, target, problems),
        *_tables("user", USER_TABLE, user_config, target, problems),
    ]
    if target and not any(f"targets.{target}." in each.prefix for each in sources):
        problems.append(_no_target(target, project_config, user_config))
    values, origins = _values(sources, problems)
    _guard_user_secrets(values, origins, sources, notes)
    _check(values, problems, named=any("url" in each.values for each in sources))
    if problems:
        raise ConfigurationError("\n".join(f"{message}: {fix}" for message, fix in problems), problems=tuple(problems))
    notes += _notes(values, origins, environment)
    notes += _not_as_the_target_says(values, origins, sources, target)
    known = {each.name for each in fields(Settings)}
    made = {_BY_NAME[name].field: value for name, value in values.items() if _BY_NAME[name].field in known}
    return Settings(**made, prompt=not options.get("no_prompt"), target=target, notes=tuple(notes))


def _repo_as_target(flags: dict[str, str]) -> str | None:
    """`-r NAME`, as Hatch's own publisher takes it: no address, so the name of a target."""
    repo = flags.get("repo", "")
    return flags.pop("repo") if repo and "://" not in repo and "." not in repo and ":" not in repo else None


def _from_flags(flags: Mapping[str, str]) -> dict[str, str]:
    """-r, -u, -a, --ca-cert as options: -a is a password where there is a user, else a token."""
    secret = "password" if flags.get("user") else "token"
    names = {"repo": "url", "user": "user", "auth": secret, "ca_cert": "ca-cert"}
    return {names[flag]: value for flag, value in flags.items() if flag in names and value}


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The SDK's variables; an empty one counts as not set, as CI systems leave them."""
    return {
        each.name: environment[each.variable] for each in OPTIONS if each.variable and environment.get(each.variable)
    }


def _tables(
    kind: Literal["project", "user"],
    name: str,
    table: Mapping[str, Any],
    target: str | None,
    problems: list[Problem],
) -> Iterator[_Source]:
    """The named target's table, then the table around it."""
    targets = table.get("targets", {})
    if not isinstance(targets, Mapping) or not all(isinstance(each, Mapping) for each in targets.values()):
        problems.append((f"{name}.targets is no table of tables", f"write [{name}.targets.NAME]"))
    elif target and target in targets:
        yield _Source(kind, f"{name}.targets.{target}.", targets[target])
    yield _Source(kind, f"{name}.", {key: value for key, value in table.items() if key != "targets"})


def _no_target(target: str, *tables: Mapping[str, Any]) -> Problem:
    known = [name for table in tables for name in table.get("targets", {}) if isinstance(table.get("targets"), Mapping)]
    close = nearest(target, known)
    hint = f"did you mean {close}?" if close else f"write [{PROJECT_TABLE}.targets.{target}]"
    return (
        f"there is no target {target!r}",
        hint if not known or close else f"there are {', '.join(sorted(set(known)))}",
    )


def _values(sources: list[_Source], problems: list[Problem]) -> tuple[dict[str, Any], dict[str, _Source]]:
    """Each option's value from the first source that has it, and that source. Mistakes are found in every source."""
    values: dict[str, Any] = {}
    origins: dict[str, _Source] = {}
    for source in sources:
        for name, written in source.values.items():
            option = _BY_NAME.get(name)
            if option is None:
                if name not in _OF_HATCH:
                    problems.append(_unknown(source, name))
                continue
            if (option.secret or option.personal) and source.kind == "project":
                problems.append(_secret_in_project(source, option))
                continue
            try:
                value = option.read(written)
            except OptionError as error:
                said = _way_hint(name, written) or str(error)
                problems.append((f"the value of {source.called(name)} does not fit", said))
                continue
            if source.kind == "project" and option.name == "json" and not _inside(value):
                problems.append(_leads_out(source, name))
                continue
            if name not in values:
                values[name], origins[name] = value, source
    return values, origins


def _unknown(source: _Source, name: str) -> Problem:
    close = nearest(str(name), [*_BY_NAME, "target"])
    hint = f"did you mean {close}?" if close else "the options are " + ", ".join(_BY_NAME)
    return f"{source.prefix}{name} is no option", hint


def _inside(path: Path) -> bool:
    """Whether a path stays below the folder that it begins in."""
    return not path.is_absolute() and not path.drive and ".." not in path.parts


def _leads_out(source: _Source, name: str) -> Problem:
    """What stands there would be overwritten: a file of the user's, if whoever wrote pyproject.toml wants that."""
    return (
        f"{source.called(name)} leads out of this folder",
        "write the name of a file in it, or give any other with -o json=FILE",
    )


def _secret_in_project(source: _Source, option: PublishOption) -> Problem:
    if option.personal:
        return (
            f"{source.called(option.name)} stands in pyproject.toml, which may not say where a login of yours lies",
            f"take it out, and set {option.variable}, or {option.name} in [{USER_TABLE}] of Hatch's config.toml",
        )
    return (
        f"{source.called(option.name)} stands in pyproject.toml, which others can read",
        f"take it out, change it on the platform, and set {option.variable} or use `hatch-wallaroo login`",
    )


def _way_hint(name: str, written: Any) -> str | None:
    if name == "auth" and isinstance(written, str) and written.lower() in _UNSUPPORTED_WAYS:
        return f"{written.lower()} works inside the platform only; say password, sso, token or client"
    return None


def _guard_user_secrets(
    values: dict[str, Any], origins: Mapping[str, _Source], sources: list[_Source], notes: list[str]
) -> None:
    """A password of the user's own config goes to the address that stands beside it, never where a project points.

    Otherwise whoever writes a pyproject.toml would get the password of everybody who publishes from it.
    """
    url_origin = origins.get("url")
    if url_origin is None:
        return
    own = next((each.values["url"] for each in sources if each.kind == "user" and "url" in each.values), None)
    trusted = url_origin.kind != "project" if own is None else _same_url(own, values["url"])
    if trusted:
        return
    for name in [each.name for each in OPTIONS if each.secret or each.personal]:
        if name in values and origins[name].kind == "user":
            del values[name]
            notes.append(
                f"{origins[name].called(name)} of Hatch's config is not used: "
                f"it does not stand beside the url {values['url']}."
            )


def _same_url(written: Any, url: str) -> bool:
    try:
        return bool(_BY_NAME["url"].read(written) == url)
    except OptionError:
        return False


def _check(values: Mapping[str, Any], problems: list[Problem], *, named: bool) -> None:
    """What no single option can say. `named`: there is a url, be it a wrong one."""
    url = values.get("url")
    if url is None and not named:
        fix = f"give -o url=ADDRESS, or set WALLAROO_URL, or url in [{PROJECT_TABLE}]"
        problems.append(("the platform's url is not known", fix))
    if url and not is_private(url) and not values.get("allow-http"):
        problems.append(
            (f"{url} is not encrypted: the login would be readable on the way", "write https://, or allow-http = true")
        )
    if values.get("create-workspace") and isinstance(values.get("workspace"), int):
        problems.append(("create-workspace needs a name", "give the workspace's name in the place of its id"))
    if values.get("create-workspace") and "workspace" not in values:
        problems.append(("create-workspace needs a name", "give it with -o workspace=NAME"))
    needed = {"token": ("token", "credentials"), "client": ("client-secret",)}.get(values.get("auth", ""), ())
    if needed and not any(each in values for each in needed):
        variables = " or ".join(_BY_NAME[each].variable or each for each in needed)
        problems.append((f"auth is {values['auth']}, and there is no {needed[0]}", f"set {variables}"))


def _notes(values: Mapping[str, Any], origins: Mapping[str, _Source], environment: Mapping[str, str]) -> Iterator[str]:
    for option in OPTIONS:
        if option.secret and option.name in values and origins[option.name].kind in {"options", "flags"}:
            yield (
                f"The {option.name} stands on the command line, where other users of this machine can read it: "
                f"{option.variable} is safer."
            )
    if environment.get("HATCH_INDEX_AUTH") and not {"password", "token", "client-secret", "credentials"} & set(values):
        yield "HATCH_INDEX_AUTH is for a package index and is not sent to Wallaroo: use WALLAROO_PASSWORD or a token."


def _not_as_the_target_says(
    values: Mapping[str, Any], origins: Mapping[str, _Source], sources: list[_Source], target: str | None
) -> Iterator[str]:
    """A target is named on purpose, variables are often just there: where they differ, that is told."""
    for option in OPTIONS:
        of_target = (each for each in sources if target and f"targets.{target}." in each.prefix)
        said = next((each.values[option.name] for each in of_target if option.name in each.values), None)
        if said is None or origins[option.name].kind != "environment":
            continue
        if option.read(said) != values[option.name]:
            yield f"{option.variable} is used in the place of what the target {target} says."
