"""What a publication shows: the words of a live line, the lines of a file, and how a terminal is drawn on."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from hatch_wallaroo.platform.screen import Screen, TerminalScreen, Transfer, screen, status_row, transfer_row
from support.stub_platform import Clock, Recorder

MB = 1_000_000


def moving(clock: Clock, *, total: int = 100 * MB, speed: int = 2 * MB, seconds: float = 10.0) -> Transfer:
    """A transfer that has gone on at one speed, told ten times a second."""
    transfer = Transfer(total, clock)
    for _ in range(int(seconds * 10)):
        clock.sleep(0.1)
        transfer.advance(transfer.sent + speed // 10, total)
    return transfer


def drawn(row: RenderableType, room: int, encoding: str = "utf-8") -> str:
    """A row as rich draws it in so many cells, without colours."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    Console(file=file, width=room, color_system=None).print(row, end="")
    return file.buffer.getvalue().decode(encoding).rstrip("\n")


class TestTransfer:
    def test_speed_and_time_left(self) -> None:
        transfer = moving(Clock())
        assert transfer.speed == pytest.approx(2 * MB)
        assert transfer.left == pytest.approx(40)
        assert (transfer.percent, transfer.complete) == (20, False)

    def test_what_fills_the_buffers_is_no_speed(self) -> None:
        clock = Clock()
        transfer = Transfer(100 * MB, clock)
        transfer.advance(8 * MB, 100 * MB)
        assert (transfer.speed, transfer.left) == (None, None)
        for _ in range(20):
            clock.sleep(0.1)
            transfer.advance(transfer.sent + MB // 10, 100 * MB)
        assert transfer.speed == pytest.approx(MB)

    def test_what_stands_still_has_no_time_left(self) -> None:
        clock = Clock()
        transfer = moving(clock)
        clock.sleep(6)
        assert (transfer.speed, transfer.left) == (0, None)

    def test_what_begins_again_forgets_how_fast_it_was(self) -> None:
        clock = Clock()
        transfer = moving(clock, total=20 * MB)
        assert transfer.complete
        clock.sleep(3)
        assert transfer.since_complete == pytest.approx(3)
        transfer.advance(0, 20 * MB)
        assert (transfer.complete, transfer.speed, transfer.since_complete) == (False, None, 0)
        for _ in range(30):
            clock.sleep(0.1)
            transfer.advance(transfer.sent + MB // 10, 20 * MB)
        assert transfer.speed == pytest.approx(MB)

    def test_nothing_to_send(self) -> None:
        transfer = Transfer(0, Clock())
        assert (transfer.percent, transfer.complete) == (100, True)


class TestRoom:
    @pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
    @pytest.mark.parametrize("name", ["m: m-1.onnx", "clusters: clusters-1.0.onnx", "x" * 63, "模型" * 20, ""])
    @pytest.mark.parametrize("total", [1, 999, 62_900_000, 314 * MB, 2_147_483_648, 9_290_701_800_000])
    def test_a_transfer_stays_on_its_line(self, total: int, name: str, encoding: str) -> None:
        clock = Clock()
        shown = name if encoding == "utf-8" else "a model"
        for transfer in (Transfer(total, clock), moving(clock, total=total, speed=total // 50, seconds=3)):
            for room in range(1, 200, 3):
                line = drawn(transfer_row(shown, transfer, room), room)
                assert "\n" not in line
                assert cell_len(line) <= room, line

    @pytest.mark.parametrize("room", [36, 46, 76, 96, 150])
    def test_speed_and_time_left_are_told_at_any_width(self, room: int) -> None:
        transfer = moving(Clock(), total=62_900_000, speed=6_900_000, seconds=3)
        line = drawn(transfer_row("clusters: clusters-1.0.onnx", transfer, room), room)
        assert re.search(r"6\.9 MB/s +0:06 left$", line), line
        assert line.startswith("clusters")
        assert ("━" in line) is (room >= 76)
        assert ("20.7/62.9 MB" in line) is (room >= 76)
        assert ("32 %" in line) is (room < 76)

    def test_a_bar_that_begins_and_one_that_ends_have_one_place(self) -> None:
        clock = Clock()
        transfer = moving(clock, total=314 * MB, seconds=30)
        begins = drawn(transfer_row("clusters", transfer, 76), 76)
        transfer.advance(300 * MB, 314 * MB)
        ends = drawn(transfer_row("clusters", transfer, 76), 76)
        assert begins.index("━") == ends.index("━")
        assert begins.index("/314") == ends.index("/314")
        assert begins.count("━") < ends.count("━")

    @pytest.mark.parametrize(
        ("room", "said"),
        [
            (76, "⠙ m: version 1: converting, is converted (1 min 3 s)"),
            (45, "⠙ m: converting, is converted (1 min 3 s)"),
            (30, "⠙ m: converting (1 min 3 s)"),
            (25, "⠙ converting (1 min 3 s)"),
            (20, "⠙ conve… (1 min 3 s)"),
        ],
    )
    def test_a_status_keeps_its_time(self, room: int, said: str) -> None:
        texts = ("m: version 1: converting, is converted", "m: converting, is converted", "m: converting", "converting")
        assert drawn(status_row(texts, 63.875, room), room)[1:] == said[1:]


class TestPlain:
    def test_a_status_speaks_when_it_changes_and_every_half_minute(self) -> None:
        clock = Clock()
        told = Recorder(clock)
        with told.status("logging in") as show:
            for _ in range(50):
                show("m: converting", "converting")
                clock.sleep(1)
        assert told.text.splitlines() == ["logging in", "m: converting", "m: converting (30 s)"]

    def test_one_that_is_over_in_a_moment_says_nothing(self) -> None:
        told = Recorder()
        with told.status("asking", brief=True):
            pass
        assert told.text == ""

    def test_a_transfer_speaks_at_every_tenth_and_begins_again(self) -> None:
        clock = Clock()
        told = Recorder(clock)
        with told.progress("m", 100 * MB, then="waiting for the answer") as advance:
            for sent in (*range(61), *range(101)):
                advance(sent * MB, 100 * MB)
                clock.sleep(0.5)
            clock.sleep(2)
            advance(100 * MB, 100 * MB)
        lines = told.text.splitlines()
        assert lines[0] == "m: 100.0 MB"
        assert lines[1:7] == [f"m: {each} %, 2.0 MB/s, {(100 - each) // 2} s left" for each in range(10, 61, 10)]
        assert lines[7] == "m: 10 %, 2.0 MB/s, 45 s left"
        assert lines[-1] == "m: sent; waiting for the answer"
        assert len(lines) == 17


HOSTILE = "a\x1b[2Jb\u202ec\rd\x07"


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_that_came_from_outside_steers_a_terminal(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, err = Tty(), Tty()
    shown = TerminalScreen(err, out, color=False) if terminal else Screen(err, out)
    for say in (shown.line, shown.success, shown.warning, shown.error, shown.result):
        say(HOSTILE)
    shown.pause(HOSTILE, 0)
    with shown.status(HOSTILE) as update:
        update(f"{HOSTILE} again", HOSTILE)
    with shown.progress(HOSTILE, 10) as advance:
        advance(5, 10)
    told = out.getvalue() + err.getvalue()
    assert told.count("a\\x1b[2Jb\\u202ec\\rd\\x07") >= 7
    assert not any(each in told for each in ("\x1b[2J", "\u202e", "\x07", "c\rd"))


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def waits(seen: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.01)


def drawn_last(err: Tty, text: str) -> None:
    """Wait until the live line says this."""
    waits(lambda: text in err.getvalue().rpartition("\r")[2])


class TestTerminal:
    @pytest.fixture(autouse=True)
    def _terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("NO_COLOR", "COLUMNS", "CI", "TMUX"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")

    def test_the_line_is_gone_in_the_end_and_the_cursor_was_never_hidden(self) -> None:
        err = Tty()
        shown = TerminalScreen(err, io.StringIO())
        with shown.status("first"):
            shown.warning("a warning")
        told = err.getvalue()
        assert told.index("first") < told.index("a warning") < told.rindex("first")
        assert told.endswith("\r\x1b[1A\x1b[2K")
        assert "\x1b[?25" not in told

    def test_it_ticks_while_nobody_says_anything(self) -> None:
        err = Tty()
        with TerminalScreen(err, io.StringIO()).status("still here"):
            waits(lambda: err.getvalue().count("still here") >= 4)

    def test_a_result_stands_above_it(self) -> None:
        """Standard output may be the same terminal."""
        both = Tty()
        shown = TerminalScreen(both, both)
        with shown.status("first"):
            shown.result("a plan")
        assert "\r\x1b[1A\x1b[2Ka plan\n" in both.getvalue()
        assert both.getvalue().rpartition("a plan")[2].count("first")

    def test_a_pause_is_counted_down_in_the_place_of_what_it_interrupts(self) -> None:
        clock, err = Clock(), Tty()
        shown = TerminalScreen(err, io.StringIO(), clock=clock)
        with shown.progress("m", 100) as advance:
            advance(50, 100)
            shown.pause("it broke; trying again in 3.0 s", 3.0)
            assert err.getvalue().count("it broke") == 1
            drawn_last(err, "trying again in 3 s")
            clock.sleep(3.5)
            shown.line("it goes on")
            drawn_last(err, " 50/100 B")

    @pytest.mark.parametrize(
        ("environment", "kind"),
        [
            ({"TERM": "xterm"}, TerminalScreen),
            ({"TERM": "dumb"}, Screen),
            ({"TERM": "unknown"}, Screen),
            ({"TERM": "xterm", "CI": "1"}, Screen),
        ],
    )
    def test_where_a_line_can_live(
        self, environment: dict[str, str], kind: type[Screen], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made = screen(Tty(), io.StringIO())
        assert type(made) is kind
        assert type(screen(io.StringIO(), io.StringIO())) is Screen
        assert type(screen(Tty(), io.StringIO(), interactive=False)) is Screen

    def test_quiet_draws_nothing(self) -> None:
        err = Tty()
        shown = TerminalScreen(err, io.StringIO(), verbosity=-1)
        with shown.status("logging in") as show, shown.progress("m", 10) as advance:
            show("changed")
            advance(5, 10)
        assert err.getvalue() == ""
