"""What a run of the tests says while it goes on: each file as it begins, each failure as it happens.

xdist alone prints a dot a test, whatever file it is in, and failures at the end.
"""

from __future__ import annotations

import pytest


class Progress:
    """Instead of letters: a line a file, with the share of the tests that are done, and a line a failure."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._files: set[str] = set()
        self._tests: set[str] = set()
        self.total = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """pytest's own counts, without its letters."""
        if hasattr(report, "wasxfail"):
            return ("xfailed", "", "XFAIL") if report.skipped else ("xpassed", "", "XPASS")
        if report.failed:
            return ("failed", "", "FAILED") if report.when == "call" else ("error", "", "ERROR")
        if report.skipped:
            return "skipped", "", "SKIPPED"
        return ("passed", "", "PASSED") if report.when == "call" else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self.total = len(ids)

    def pytest_runtestloop(self) -> None:
        self._config.pluginmanager.getplugin("terminalreporter").showfspath = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.partition("::")[0]
        if file not in self._files:
            self._files.add(file)
            self._line(f"{self._share()} {file}")
        self._tests.add(report.nodeid)
        if report.failed:
            self._line(f"{self._share()} FAILED {report.nodeid}: {_reason(report)}", red=True)

    def _share(self) -> str:
        return f"{len(self._tests) / self.total:4.0%}" if self.total else "    "

    def _line(self, text: str, **markup: bool) -> None:
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(text, **markup)


def _reason(report: pytest.TestReport) -> str:
    """The first line of what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return next((line for line in text.splitlines() if line.strip()), report.when)
