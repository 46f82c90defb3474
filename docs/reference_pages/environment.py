"""docs/reference/environment.md: every variable of the environment that counts for us, made from this table.

A test looks for variables that the code reads and the table
does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatch_wallaroo.platform.options import OPTIONS


@dataclass(frozen=True)
class Variable:
    """A variable's name and what it does. `by`: the library that reads it for us, where it is not our own code."""

    name: str
    meaning: str
    by: str = ""


def _publishing() -> tuple[Variable, ...]:
    rows = [(each.variable, f"Option `{each.name}`: {each.help}", each.secret) for each in OPTIONS]
    return tuple(Variable(name, f"{text} Secret." if secret else text) for name, text, secret in rows if name)


SUBJECTS: Mapping[str, Sequence[Variable]] = {
    "Publishing and looking at models": (
        *_publishing(),
        Variable("HTTPS_PROXY", "The proxy; likewise `HTTP_PROXY` and `ALL_PROXY`, in capitals or not.", "urllib"),
        Variable("NO_PROXY", "Hosts that are reached without it.", "urllib"),
        Variable("HATCH_INDEX_AUTH", "Hatch's own, for a package index: never sent to Wallaroo."),
    ),
    "New repositories": (
        Variable("HATCH_WALLAROO_FRAMEWORK", "The framework that `new` takes where none is named."),
        Variable("HATCH_WALLAROO_RELEASE", "The release, likewise."),
        Variable("GIT_AUTHOR_NAME", "The author, where neither an option nor Hatch's configuration names one."),
        Variable("GIT_AUTHOR_EMAIL", "The author's address, likewise."),
    ),
    "Building": (
        Variable(
            "SOURCE_DATE_EPOCH",
            "The date of all entries of a bundle, in seconds since 1970; without it, the first of 1980.",
        ),
        Variable("PIP_BUILD_TRACKER", "Set by pip when it installs: no bundle is made, as it would be lost."),
        Variable(
            "UV_DEFAULT_INDEX", "With `lock = true`, as all of uv's own variables: where it finds packages.", "uv"
        ),
    ),
    "Models on this machine": (
        Variable(
            "HATCH_WALLAROO_CACHE_DIR",
            "Where environments of preflights are kept; without it, `hatch-wallaroo` in the user's cache folder.",
        ),
        Variable("HATCH_WALLAROO_SERVE_TOKEN", "The token of the `serve` that `infer --url` asks. Secret."),
        Variable("XDG_CACHE_HOME", "The user's cache folder, where it is not `~/.cache`."),
        Variable(
            "HATCH_WALLAROO_ISOLATION",
            "What keeps a model apart: `bubblewrap`, `unshare` or `none`; an error where it does not work. Without it, the first of them that works.",
        ),
        Variable("PYENV_ROOT", "Where pyenv keeps its Pythons, where it is not `~/.pyenv`."),
        Variable("UV_FIND_LINKS", "Folders of wheels: a CPU build of PyTorch is also looked for there."),
    ),
    "MLflow and images": (
        Variable("MLFLOW_TRACKING_URI", 'The tracking server for `model = "runs:/…"` and `"models:/…"`.'),
        Variable(
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
            "How often MLflow repeats a request; 2 where it is not set, to fail soon.",
        ),
        Variable("MLFLOW_TRACKING_USERNAME", "As all of MLflow's own variables: the login at the server.", "mlflow"),
        Variable("DOCKER_HOST", "The engine's address, before any context; with `DOCKER_TLS_VERIFY` and its company."),
        Variable(
            "DOCKER_CONTEXT", "The docker context to use, in the place of the one that `docker context use` chose."
        ),
        Variable(
            "DOCKER_CONFIG", "The folder of docker's configuration: contexts, and logins at registries.", "docker"
        ),
    ),
    "What is printed": (
        Variable("NO_COLOR", "If set, no colours, as with `--no-color`."),
        Variable("FORCE_COLOR", "If set, colours even where the output is no terminal. `NO_COLOR` counts first."),
        Variable("TERM", "`dumb`: neither colours nor a live line."),
        Variable("CI", "If set, publishing prints plain lines in the place of a live one, on a terminal too."),
        Variable("GITHUB_WORKSPACE", "Set by GitHub Actions: what the paths in `check`'s reports are relative to."),
        Variable("SHELL", "The shell that `completion` is for, where none is named."),
    ),
    "Where files are": (
        Variable("HATCH_CONFIG", "Hatch's configuration file."),
        Variable("XDG_CONFIG_HOME", "The folder in which Hatch has it on Linux, if not `~/.config`."),
        Variable("XDG_STATE_HOME", "The folder in which `login` keeps logins on Linux, if not `~/.local/state`."),
        Variable("LOCALAPPDATA", "The folder for both on Windows."),
    ),
}

_HEAD = """\
# Environment variables

This page is made from the code: `python docs/make_reference.py`.

Where nothing else is said, an option of the command line counts before a variable, and a variable before what stands in
a file. An empty variable counts as none.
"""


def markdown() -> str:
    """The page."""
    parts = [_HEAD]
    for subject, variables in SUBJECTS.items():
        parts += [f"## {subject}", "", "| variable | meaning |", "|---|---|"]
        parts += [f"| `{each.name}` | {each.meaning} |" for each in variables]
        parts += [""]
    return "\n".join(parts)
