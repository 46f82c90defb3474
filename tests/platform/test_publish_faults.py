"""Publishing to a sandbox on which things go wrong: what is said, what the platform then holds, and what comes after."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hatch_wallaroo.platform.credentials import Secret
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.publishing import publish
from hatch_wallaroo.platform.results import PublishResult
from hatch_wallaroo.platform.transport import Transport
from hatch_wallaroo.sandbox.faults import KINDS, parse
from support.between import Between
from support.packages import write_package
from support.sandboxes import Sandbox, running
from support.stub_platform import Recorder
from support.tiny_server import Answer, Asked, serving

SIZE = 200_000
AGAIN = "To look again: hatch publish -p wallaroo"
BUSY = "/v1/api/models/upload is answered 503 again and again: Service Unavailable"


class Case(NamedTuple):
    """A fault, and what publishing comes to: exit code, versions on the platform, sentences; the code of a next run.

    `late`: the fault is set when the upload begins. `settings`: those that differ from Settings' own.
    """

    fault: str
    code: int
    versions: int
    told: tuple[str, ...]
    then: int = 0
    late: bool = False
    settings: Mapping[str, Any] = {}


CASES = {
    "slow": Case("slow=0.1", 0, 1, ("clusters 1.0: ready, version",)),
    "an answer slower than the timeout": Case(
        "slow=1*2",
        0,
        1,
        ("/models/list got no answer in time; trying again", ": ready, version"),
        late=True,
        settings={"timeout": 0.5},
    ),
    "always slower than the timeout": Case(
        "slow=1",
        7,
        0,
        ("/workspaces/list got no answer in time. Tried 2 times.", "A longer time is set with -o timeout=SECONDS."),
        settings={"timeout": 0.5, "retries": 1},
    ),
    "a connection that breaks once": Case(
        "reset=1000", 0, 1, ("The connection to 127.0.0.1:", "trying again in 1.", "(attempt 2 of 5)")
    ),
    "a connection that breaks more often than is tried": Case(
        "reset=1000*4", 7, 0, ("(attempt 3 of 3)", " broke: ", "Tried 3 times."), settings={"retries": 2}
    ),
    "busy once": Case(
        "503=1", 0, 1, ("the platform answers 503 (Service Unavailable); trying again in 1.0 s (attempt 2 of 5)",)
    ),
    "busy for ever": Case("503=0*1000", 7, 0, ("(attempt 5 of 5)", BUSY, "fix: Try again later.")),
    "a lost answer": Case("lost-answer", 0, 1, (" broke: ", "trying again", "sent 200.0 KB, version")),
    "answers that are all lost": Case("lost-answer*1000", 0, 1, ("trying again", "sent 200.0 KB, version")),
    "a lost answer, and nobody tries again": Case(
        "lost-answer", 0, 1, ("sent 200.0 KB, version",), settings={"retries": 0}
    ),
    "a token that has expired": Case("token-expiry", 0, 1, (": ready, version",)),
    "a token that expires during the upload": Case("token-expiry", 0, 1, (": ready, version",), late=True),
    "a renewed token that has expired": Case(
        "token-expiry*2",
        3,
        0,
        ("is not allowed for this login (401): Unauthorized: the token has expired", "fix: Sign in again"),
    ),
    "a full disk": Case(
        "disk-full=1000",
        4,
        0,
        ("/upload is refused (507): Insufficient Storage", "fix: The platform has no room left for models"),
    ),
    "a conversion that fails": Case(
        "conversion-error",
        5,
        1,
        ("ended in error: Conversion failed, as a fault asks for", "fix: mend it and build again: hatch build"),
        then=5,
    ),
    "a conversion that never ends": Case(
        "stuck", 6, 1, ("is still attempting_load_native after 0.3 s", AGAIN), then=6, settings={"wait": 0.3}
    ),
}


def test_every_fault_is_here() -> None:
    assert {parse(case.fault).name for case in CASES.values()} == set(KINDS)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), "2026.1") as sandbox:
        sandbox.workspace("my-ws")
        yield sandbox


class Bench:
    """A model that no other test has sent, and what comes of publishing it."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        data = os.fsencode(folder).ljust(SIZE)
        self.sha = hashlib.sha256(data).hexdigest()
        self.manifest = write_package(folder / "dist", data=data)

    def publish(self, url: str = "", **settings: Any) -> tuple[PublishResult, str]:
        """What came of it, and what was said."""
        screen = Recorder()
        given = {"workspace": "my-ws", "wait": 30, "poll": 0.05, "prompt": False, **settings}
        user, password = self.sandbox.user, Secret(self.sandbox.password)
        (result,) = publish(
            [self.manifest], Settings(url or self.sandbox.url, user=user, password=password, **given), screen=screen
        )
        assert self.sandbox.password not in screen.text
        return result, screen.text

    @property
    def held(self) -> int:
        """How many versions hold the file."""
        return [each["sha"] for each in self.sandbox.versions("clusters")].count(self.sha)


@pytest.fixture
def bench(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    # The pauses before a repeat are told, and that is enough: nobody waits for them here.
    monkeypatch.setitem(Transport.__init__.__kwdefaults__, "sleep", lambda _: None)
    yield Bench(sandbox, tmp_path)
    sandbox.no_faults()


class Late(Between):
    """Sets a fault when an upload begins."""

    def __init__(self, sandbox: Sandbox, fault: str) -> None:
        super().__init__(sandbox)
        self._fault = fault

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.endswith("/upload") and self._fault:
            self.sandbox.fault(self._fault)
            self._fault = ""
        return super().__call__(asked)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_fault_never_makes_two_versions(case: Case, bench: Bench) -> None:
    if case.late:
        with serving(Late(bench.sandbox, case.fault)) as server:
            result, text = bench.publish(server.url, **case.settings)
    else:
        bench.sandbox.fault(case.fault)
        result, text = bench.publish(**case.settings)
    bench.sandbox.no_faults()
    assert (result.exit_code, bench.held) == (case.code, case.versions), text
    assert [each for each in case.told if each not in text] == [], text

    again, text = bench.publish(wait=case.settings.get("wait", 30))
    assert (again.exit_code, again.sent, bench.held) == (case.then, not case.versions, 1), text


class Breaking(Between):
    """Loses the answer of an upload, and then breaks so many connections."""

    def __init__(self, sandbox: Sandbox, times: int) -> None:
        super().__init__(sandbox)
        self.uploads = 0
        self._left = times

    def __call__(self, asked: Asked) -> Answer:
        if self.uploads and self._left:
            self._left -= 1
            return Answer(reset=True)
        told = super().__call__(asked)
        if asked.path.endswith("/upload"):
            self.uploads += 1
            return Answer(reset=True)
        return told


@pytest.mark.parametrize(
    ("times", "code", "told"),
    [(3, 0, ": ready, version"), (1000, 7, "The connection to 127.0.0.1:")],
    ids=["comes back", "stays away"],
)
def test_a_lost_answer_and_then_no_connection(times: int, code: int, told: str, bench: Bench) -> None:
    script = Breaking(bench.sandbox, times)
    with serving(script) as server:
        result, text = bench.publish(server.url)
    assert (result.exit_code, bench.held, script.uploads) == (code, 1, 1), text
    assert (told in text, "Tried 5 times." in text) == (True, code == 7), text
    again, text = bench.publish()
    assert (again.outcome, again.sent, bench.held) == ("present", False, 1), text
