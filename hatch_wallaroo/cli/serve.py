"""`hatch-wallaroo serve`: models that stay up on this machine, for `hatch-wallaroo infer` and for HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_wallaroo.cli.groups import json_option, project_option
from hatch_wallaroo.cli.subjects import (
    How,
    is_bundle,
    pipeline,
    run_options,
    started,
    steps_option,
    stopping,
    subjects,
    wanted_or_steps,
)
from hatch_wallaroo.console import CommandError, misused, say, say_json, tell
from hatch_wallaroo.exit_codes import OK
from hatch_wallaroo.text import describe_error, few, one_line

if TYPE_CHECKING:
    from types import FrameType

    from hatch_wallaroo.preflight.endpoint import Asked, Endpoint
    from hatch_wallaroo.preflight.following import Follower
    from hatch_wallaroo.preflight.lineup import Lineup
    from hatch_wallaroo.preflight.preparing import Options
    from hatch_wallaroo.preflight.serving import Served
    from hatch_wallaroo.preflight.subject import Subject

TOKEN = "HATCH_WALLAROO_SERVE_TOKEN"  # noqa: S105 - the variable's name
_POLL = 0.2
_LOOKS = 1.0
"""Seconds between two looks at the project's files."""
_EPILOG = """\b
Examples:
    hatch-wallaroo serve
    hatch-wallaroo serve fraud --watch
    hatch-wallaroo serve --steps prepare,fraud,explain

Each model runs in a process of its own, apart from this machine as in a preflight. Several that follow each other are a
pipeline. Only this user can ask them: hatch-wallaroo infer does, and whoever has the token. Ctrl-C ends all of it.
"""


@click.command(epilog=_EPILOG)
@click.argument("wanted", nargs=-1, metavar="[MODEL | BUNDLE]...")
@project_option
@steps_option
@click.option("--watch", is_flag=True, help="Pack and load a model again when the project's files change.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; a free one where none is given.")
@run_options
@json_option
def serve(
    wanted: tuple[str, ...], project: Path, steps: tuple[str, ...], watch: bool, port: int, how: How, as_json: bool
) -> int:
    """Keep models up on this machine by the platform's own runtime, and answer questions.

    They are packed as hatch build would pack them. What they print follows on standard error. Requests and answers are
    those of the platform's pipelines, on 127.0.0.1 alone.
    """
    from hatch_wallaroo.preflight.folders import private_folder

    names = wanted_or_steps(wanted, steps)
    if watch and any(is_bundle(each) for each in names):
        raise misused("--watch is for models of the project, not for bundles", "name the model")
    with _ended() as end, private_folder() as folder:
        room = _Room(names, project, how.options(), folder)
        with room.up(steps) as lineup, _listening(lineup, port, room) as endpoint:
            end.serving = True
            _announce(endpoint, as_json=as_json)
            room.stay(end, watch=watch)
    return OK


class _End:
    """What Ctrl-C and SIGTERM do: end the command while it starts, and its waiting once it serves."""

    def __init__(self) -> None:
        self.serving = False
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.asked = True
        if self.serving:
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


@contextlib.contextmanager
def _ended() -> Iterator[_End]:
    end = _End()
    with contextlib.ExitStack() as before:
        for number in stopping():
            before.callback(signal.signal, number, signal.signal(number, end))
        yield end


class _Room:
    """The models that are up, with what they print, and their exchange when the project changes."""

    def __init__(self, names: Sequence[str], project: Path, options: Options, folder: Path) -> None:
        self.names, self.project, self.options, self.folder = names, project, options, folder
        self.lineup: Lineup
        self._followers: dict[str, Follower] = {}
        self._packed = 0
        self._told = threading.Lock()

    @contextlib.contextmanager
    def up(self, steps: Sequence[str]) -> Iterator[Lineup]:
        """All models, started one after the other; what they print is shown as long as the block runs."""
        from hatch_wallaroo.preflight.lineup import Lineup

        found = self._subjects()
        order = pipeline(found, steps)
        with contextlib.ExitStack() as ending:
            models: list[Served] = []
            try:
                for each in found:
                    models.append(started(each, self.options))
                    self._follow(models[-1])
            except BaseException:
                for model in models:
                    model.close()
                self._stop_following()
                raise
            ending.callback(self._stop_following)
            self.lineup = ending.enter_context(Lineup(models, order))
            yield self.lineup

    def stay(self, end: _End, *, watch: bool) -> None:
        """Wait for the end; meanwhile look at the project's files, where that is wanted."""
        from hatch_wallaroo.preflight.changes import difference, look

        without = self._output() if watch else None
        seen = look(self.project, without=without) if watch else {}
        due = time.monotonic() + _LOOKS
        while not end.asked:
            time.sleep(_POLL)
            if not watch or time.monotonic() < due:
                continue
            begun = time.monotonic()
            now = look(self.project, without=without)
            changed = difference(seen, now)
            if changed:
                now = self._settled(now, without)
                self._reload(few([os.path.relpath(each, self.project) for each in changed], counted=True))
            seen = now
            # A large project is looked at less often.
            due = time.monotonic() + max(_LOOKS, 10 * (time.monotonic() - begun) if not changed else 0)

    def tell(self, line: str) -> None:
        """A line for the terminal, from any thread; nobody has to read it."""
        with self._told, contextlib.suppress(OSError, ValueError):
            tell(line)

    def heard(self, asked: Asked) -> None:
        """A question that came by HTTP."""
        rows = f"{asked.rows:,} row{'' if asked.rows == 1 else 's'}"
        what = f"no answer: {one_line(asked.error)}" if asked.error else "answered"
        self.tell(f"{one_line(asked.name)}: {rows}, {what} ({asked.seconds * 1000:.1f} ms)")

    def _subjects(self) -> list[Subject]:
        self._packed += 1
        folder = self.folder / f"bundles-{self._packed}"
        folder.mkdir()
        return subjects(self.names, self.project, folder, beside=False)

    def _settled(self, seen: Any, without: Path | None) -> Any:
        """The files once they are at rest: an editor or a checkout writes many."""
        from hatch_wallaroo.preflight.changes import difference, look

        for _ in range(50):
            time.sleep(_POLL)
            now = look(self.project, without=without)
            if not difference(seen, now):
                return now
            seen = now
        return seen

    def _output(self) -> Path:
        from hatch_wallaroo.project.checking import output
        from hatch_wallaroo.project.repository import read_repository

        return self.project / output(read_repository(self.project).hatch)

    def _reload(self, changed: str) -> None:
        """Load what is another model now. What fails leaves the one that is up, and says why."""
        try:
            found = self._subjects()
        except click.ClickException as error:
            self.tell(f"changed: {one_line(changed)}")
            error.show()
            self.tell("the models stay as they were")
            self._tidy()
            return
        models = self.lineup.models
        others = [each for each in found if each.name not in models or not _same(models[each.name].subject, each)]
        self.tell(f"changed: {one_line(changed)}{'' if others else ' (the models are the same)'}")
        for subject in others:
            if subject.name in models:
                self._exchange(subject)
            else:
                self.tell(f"{one_line(subject.name)} is new: start serve again to have it")
        self._tidy()

    def _exchange(self, subject: Subject) -> None:
        name = one_line(subject.name)
        try:
            model = started(subject, self.options)
        except click.ClickException as error:
            error.show()
            self.tell(f"{name} stays as it was")
            return
        before = self._followers.pop(subject.name, None)
        self._follow(model)
        self.lineup.exchange(model)
        if before is not None:
            before.__exit__(None, None, None)
        self.tell(f"{name} was loaded again")

    def _tidy(self) -> None:
        """Remove bundles that no model is started from any more."""
        from hatch_wallaroo.preflight.folders import remove

        used = {each.subject.file.parent for each in self.lineup.models.values()}
        for folder in self.folder.glob("bundles-*"):
            if folder not in used:
                remove(folder)

    def _follow(self, model: Served) -> None:
        from hatch_wallaroo.preflight.following import Follower

        name = one_line(model.subject.name)
        follower = Follower(model.log, lambda line: self.tell(f"{name} | {one_line(line)}"))
        follower.__enter__()
        self._followers[model.subject.name] = follower

    def _stop_following(self) -> None:
        for each in self._followers.values():
            each.__exit__(None, None, None)


def _same(one: Subject, two: Subject) -> bool:
    """Whether two packed models are one: the bundle, and what stands beside it in its manifest."""

    def what(subject: Subject) -> tuple[object, ...]:
        schemas = (subject.input_schema, subject.output_schema)
        config = (subject.framework_config, subject.requirements, subject.machine)
        return subject.sha256, subject.release, subject.framework, schemas, config

    return what(one) == what(two)


@contextlib.contextmanager
def _listening(lineup: Lineup, port: int, room: _Room) -> Iterator[Endpoint]:
    """The endpoint, and the file by which `infer` finds it."""
    from hatch_wallaroo.preflight.announcement import Announcement, announced
    from hatch_wallaroo.preflight.endpoint import opened

    with contextlib.ExitStack() as stack:
        try:
            endpoint = stack.enter_context(opened(lineup, port, room.heard))
        except OSError as error:
            raise CommandError(f"port {port} cannot be used: {describe_error(error)}") from None
        project = os.path.realpath(room.project)
        announcement = Announcement(endpoint.url, endpoint.token, project, lineup.names, os.getpid())
        stack.enter_context(announced(announcement))
        yield endpoint


def _announce(endpoint: Endpoint, *, as_json: bool) -> None:
    lineup = endpoint.lineup
    addresses = {name: endpoint.address(name) for name in lineup.names}
    if as_json:
        models = {name: list(lineup.members(name)) for name in lineup.names}
        say_json({"format": 1, "url": endpoint.url, "token": endpoint.token, "models": models, "addresses": addresses})
    else:
        for name in lineup.names:
            what = f" ({' > '.join(lineup.members(name))})" if name == lineup.pipeline else ""
            say(f"{one_line(name)}{what} at {addresses[name]}")
        say(f"\nexport {TOKEN}={endpoint.token}")
        say("\nhatch-wallaroo infer asks it from another terminal; Ctrl-C ends it")
