"""docs/reference/commands.md: every command with its options and examples, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec

import click

from hatch_wallaroo.cli.commands import COMMANDS, commands
from hatch_wallaroo.exit_codes import EXIT_CODES

_HEAD = """\
# Commands

This page is made from the code: `python docs/make_reference.py`. `hatch-wallaroo COMMAND --help` says the
same, and `python -m hatch_wallaroo` is the same command.

All commands have `--help` (`-h`) and `--no-color`, which may also stand before the command's name. Colours are left out
where `NO_COLOR` is set or the output is no terminal; `FORCE_COLOR` asks for them. Results go to standard output and
everything else to standard error, so that results can be piped; tables then have a tab between two columns, and `-`
where nothing is known. `--json` prints a document for programs, in ASCII.
"""

VERSION_KEYS: Mapping[str, str] = {
    "model": "the model's name",
    "model_version_id": "the platform's number of the version",
    "model_version": "its UUID",
    "status": "`uploading`, `pending_load_container`, …, `ready` or `error`",
    "workspace": "`id` and `name`; null where this user cannot see it",
    "framework": "as the upload named it",
    "runtime": "what runs it: `onnx`, `tensorflow`, `flight`, `mlflow`",
    "arch": "the architecture",
    "accel": "the accelerator's name",
    "sha256": "of the uploaded file",
    "file": "the uploaded file's name",
    "size": "its bytes",
    "image": "the container image of a registered `mlflow` model",
    "created": "when the version was made, as the platform writes it",
    "error_summary": "what went wrong in a conversion",
    "dist": "the file in dist/ that this version holds, byte for byte",
}
"""A version in the documents of `models`."""

DOCUMENTS: Mapping[str, Mapping[str, str]] = {
    "models list": {
        "models": "for each model `model` (its name), `model_id`, `workspace` (`id`, `name`), `versions` (how many) "
        "and `newest` (a version as below, or null)",
    },
    "models versions": {"model": "the model's name", "versions": "a list of versions as below, the newest first"},
    "models status": {"…": "the keys of a version, as below"},
    "models logs": {
        "model": "the model's name",
        "model_version_id": "the platform's number of the version",
        "status": "its status",
        "lines": "the log, a text a line",
    },
    "frameworks": {
        "releases": "for each release `release`, `rules` (the release whose data answer), what it takes, and "
        "`frameworks`: a table for each, by name",
    },
}
"""The keys of the documents beside `format` and `url`."""


def markdown() -> str:
    """The page. A command whose module is not there is left out."""
    parts = [_HEAD]
    for path, command in every_command():
        parts += ["", f"## `hatch-wallaroo {path}`", "", *_command(path, command)]
    parts += ["", "## Exit codes", "", "| code | name | meaning |", "|---|---|---|"]
    parts += [f"| {each.code} | {each.name} | {each.meaning} |" for each in EXIT_CODES]
    parts += ["", "## Documents", "", *_documents()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)) + "\n"


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Each command by its path (`models list`), a group before its own."""
    context = click.Context(commands, info_name="hatch-wallaroo")
    for name, each in COMMANDS.items():
        if find_spec(f"hatch_wallaroo.cli.{each.module}") is None:
            continue
        command = commands.get_command(context, name)
        if command is not None:
            yield name, command
            yield from _below(name, command)


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield f"{path} {name}", found
                yield from _below(f"{path} {name}", found)


def _command(path: str, command: click.Command) -> Iterator[str]:
    yield from _prose(command.help or "")
    extra = COMMANDS[path.partition(" ")[0]].extra
    if extra and " " not in path:
        yield f"Needs the extra `{extra}`: `pip install 'hatch-wallaroo[{extra}]'`."
        yield ""
    arguments = " ".join(_metavar(each) for each in command.params if isinstance(each, click.Argument))
    below = "COMMAND" if isinstance(command, click.Group) else ""
    yield "```text"
    yield " ".join(filter(None, ("hatch-wallaroo", path, "[OPTIONS]", below, arguments)))
    yield "```"
    options = [each for each in command.params if isinstance(each, click.Option) and "--no-color" not in each.opts]
    if options:
        yield from ("", "| option | meaning |", "|---|---|")
        yield from (f"| {_typed(each)} | {_cell(each.help or '')}{_default(each)} |" for each in options)
    yield ""
    yield from _prose(command.epilog or "")


def _typed(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_metavar(option)}"
    return ", ".join(f"`{name}{_cell(value)}`" for name in option.opts)


def _metavar(param: click.Parameter) -> str:
    if param.metavar:
        return param.metavar
    if isinstance(param.type, click.Choice):
        name = "|".join(str(each) for each in param.type.choices)
    else:
        name = str(param.name if isinstance(param, click.Argument) else param.type.name).upper()
    name = f"[{name}]" if isinstance(param, click.Argument) and not param.required else name
    return f"{name}..." if param.nargs == -1 else name


def _default(option: click.Option) -> str:
    return f" Default: `{option.default}`." if option.show_default else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> Iterator[str]:
    """A help text: paragraphs on one line each, and what click leaves as it stands as blocks."""
    for block in text.strip("\n").split("\n\n"):
        lines = block.strip("\n").split("\n")
        if lines[0].strip() == "\b":
            yield from _block(lines[1:])
        elif block.strip():
            yield " ".join(" ".join(lines).split())
        yield ""


def _block(lines: Iterable[str]) -> Iterator[str]:
    label, *rest = lines
    shell = "hatch-wallaroo " in (rest[0] if rest else "")
    yield from (label.strip(), "", f"```{'sh' if shell else 'text'}")
    yield from (line.strip() for line in rest)
    yield "```"


def _documents() -> Iterator[str]:
    yield "What `--json` prints has the keys below, each of them always, null where nothing is known. `format` is 1,"
    yield "and becomes 2 when a key changes its meaning; keys may be added. The documents of `models` also have `url`,"
    yield "the platform's address."
    for path, keys in DOCUMENTS.items():
        yield from ("", f"### `{path} --json`", "", *_keys(keys))
    yield from ("", "### A version", "", *_keys(VERSION_KEYS))


def _keys(keys: Mapping[str, str]) -> Iterator[str]:
    yield from ("| key | meaning |", "|---|---|")
    yield from (f"| `{key}` | {_cell(text)} |" for key, text in keys.items())
