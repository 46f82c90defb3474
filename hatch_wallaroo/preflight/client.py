"""Asks a model's process over Arrow Flight, as the platform's engine does: one batch, one exchange."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hatch_wallaroo.preflight.process import ModelProcess

if TYPE_CHECKING:
    import pyarrow as pa

_POLL = 0.02
_PING_SECONDS = 5


class NoStartError(Exception):
    """The process does not listen: it ended with `code`, or (None) the limit was over."""

    def __init__(self, code: int | None) -> None:
        super().__init__("no start")
        self.code = code


class AnswerError(Exception):
    """The model answered with an error. `details` are the platform's words, outermost first."""

    def __init__(self, message: str, details: tuple[str, ...] = (), code: int = 500) -> None:
        super().__init__(message)
        self.details = details
        self.code = code


class TooSlowError(Exception):
    """No answer within the limit."""


class DiedError(Exception):
    """The process ended while it was asked; `code` as of :attr:`ModelProcess.code`."""

    def __init__(self, code: int | None) -> None:
        super().__init__("died")
        self.code = code


@dataclass(frozen=True)
class Answer:
    """A batch of answers and the seconds that it took, the way there and back included."""

    batch: pa.RecordBatch
    seconds: float


class Client:
    """A connection to a process that listens."""

    def __init__(self, process: ModelProcess) -> None:
        from pyarrow import flight

        self._flight = flight
        self._process = process
        self._client = flight.connect(f"grpc+unix://{process.socket}")

    def ping(self) -> None:
        """Ask whether somebody listens. Raises FlightError and OSError."""
        options = self._flight.FlightCallOptions(timeout=_PING_SECONDS)
        list(self._client.do_action(self._flight.Action("ping", b""), options))

    def ask(self, batch: pa.RecordBatch, seconds: float | None = None) -> Answer:
        """The answer to a batch. Raises AnswerError, TooSlowError, DiedError."""
        flight = self._flight
        limit = self._process.limits.call if seconds is None else seconds
        options = flight.FlightCallOptions(timeout=limit)
        begun = time.perf_counter()
        try:
            with _QUIET:
                try:
                    made = self._exchange(batch, options)
                except Exception as error:
                    traceback.clear_frames(error.__traceback__)  # what they hold complains when it goes
                    raise
        except flight.FlightTimedOutError as error:
            raise TooSlowError from error
        except Exception as error:
            raise self._meaning(error, time.perf_counter() - begun, limit) from error
        return Answer(made, time.perf_counter() - begun)

    def _exchange(self, batch: pa.RecordBatch, options: Any) -> pa.RecordBatch:
        """One batch there and back; what it opened is closed when it returns, and complains then."""
        writer, reader = self._client.do_exchange(self._flight.FlightDescriptor.for_path("mac"), options)
        writer.begin(batch.schema)
        writer.write_batch(batch)
        made = reader.read_chunk().data
        # The server ends the exchange with an error of its own once nothing more comes: what was read counts.
        with contextlib.suppress(Exception):
            writer.done_writing()
            reader.read_chunk()
        return made

    def _meaning(self, error: Exception, seconds: float, limit: float) -> Exception:
        told = _told(error)
        if told is None and seconds >= limit:
            return TooSlowError()
        if isinstance(error, self._flight.FlightUnavailableError) or not self._process.running:
            self._process.wait(2.0)
            if not self._process.running:
                return DiedError(self._process.code)
        return told or AnswerError(_first(error))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close()


def connect(process: ModelProcess) -> Client:
    """Wait until the process listens. Raises NoStartError."""
    from pyarrow import flight

    until = time.monotonic() + process.limits.start
    while True:
        if not process.running:
            raise NoStartError(process.code)
        if process.socket.exists():
            client = Client(process)
            with contextlib.suppress(flight.FlightError, OSError):
                client.ping()
                return client
            client.close()
        if time.monotonic() > until:
            raise NoStartError(None)
        time.sleep(_POLL)


def _told(error: Exception) -> AnswerError | None:
    """What the server put beside its error: releases from 2025.1 on tell code and details."""
    extra = getattr(error, "extra_info", None)
    try:
        made: Any = json.loads(extra) if extra else None
    except (ValueError, RecursionError):
        made = None
    if not isinstance(made, dict):
        return None
    said = made.get("details")
    details = tuple(str(each) for each in said if each) if isinstance(said, list) else ()
    code = made.get("code")
    return AnswerError(str(made.get("message", "")), details, code if isinstance(code, int) else 500)


def _first(error: Exception) -> str:
    """An error's text without what gRPC adds for its own developers."""
    text = str(error).partition(" gRPC client debug")[0].partition(". Detail: ")[0]
    return text.partition("Client context:")[0].strip().rstrip(".")


class _Quiet:
    """Arrow writes `Close() failed` straight to standard error when an exchange ends as the platform ends it.

    Standard error belongs to the process: the first exchange takes it away, and the last one that runs gives it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._kept: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1
            if self._running > 1:
                return
            with contextlib.suppress(OSError):
                hole = os.open(os.devnull, os.O_WRONLY)
                try:
                    self._kept = os.dup(2)
                    os.dup2(hole, 2)
                finally:
                    os.close(hole)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0 and self._kept is not None:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = None


_QUIET = _Quiet()
