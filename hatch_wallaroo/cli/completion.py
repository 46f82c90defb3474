"""`hatch-wallaroo completion`: what makes a shell complete these commands, and the values that it then offers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from hatch_wallaroo.console import misused

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "hatch-wallaroo"
_EXAMPLES = """\b
Examples:
    hatch-wallaroo completion bash > ~/.local/share/bash-completion/completions/hatch-wallaroo
    hatch-wallaroo completion zsh > ~/.zfunc/_hatch-wallaroo
    hatch-wallaroo completion fish > ~/.config/fish/completions/hatch-wallaroo.fish
    eval "$(hatch-wallaroo completion)"

Each for good, but the last, which is for this shell alone. zsh looks in ~/.zfunc where ~/.zshrc says so before it calls
compinit: fpath+=~/.zfunc. The names of frameworks, releases, targets and faults are completed too.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print what makes a SHELL complete these commands; without one, the shell that $SHELL names."""
    from click.shell_completion import get_completion_class

    from hatch_wallaroo.cli.commands import commands

    kind = get_completion_class(shell or _running())
    if kind is None:
        raise misused(f"this version of click does not know {shell}", f"name one of {', '.join(SHELLS)}")
    script = kind(commands, {}, _PROGRAM, f"_{_PROGRAM.replace('-', '_')}_COMPLETE".upper())
    # Click's `source()` also runs bash, to see whether it is new enough; what was asked for is the text alone.
    click.echo(script.source_template % script.source_vars(), nl=False)


def _running() -> str:
    """The user's shell, by $SHELL."""
    named = PurePath(os.environ.get("SHELL", "")).name.removesuffix(".exe")
    if named in SHELLS:
        return named
    said = f"$SHELL is {named}" if named else "$SHELL is not set"
    raise misused(f"which shell is meant is not known: {said}", f"name one: {_PROGRAM} completion {'|'.join(SHELLS)}")


def complete_releases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The releases that have data of their own, newest first."""
    from hatch_wallaroo.releases.load import known

    del ctx, param
    return _items(reversed(known()), incomplete)


def complete_frameworks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The frameworks of the release that the command line names, or of all."""
    from hatch_wallaroo.releases.load import UnknownReleaseError, all_releases, framework_names, resolve

    del param
    asked = ctx.params.get("release")
    try:
        releases = (resolve(asked),) if isinstance(asked, str) else all_releases()
    except UnknownReleaseError:
        releases = all_releases()
    return _items(framework_names(releases), incomplete)


def complete_faults(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What can go wrong in a sandbox."""
    from click.shell_completion import CompletionItem

    from hatch_wallaroo.sandbox.faults import KINDS

    del ctx, param
    return [CompletionItem(each.name, help=each.effect) for each in KINDS.values() if each.name.startswith(incomplete)]


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(each) for each in names if each.startswith(incomplete)]
