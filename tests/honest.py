"""A pytest plugin: a run of CI is not green by accident.

No test begins after TESTS_UNTIL (seconds since 1970), and what is left out fails the run. What failed may be tried a second time
(`--last-failed --second-try`): three tests at most may pass then, and those that are not in tests/flaky.txt with a reason are told.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

UNTIL = float(os.environ.get("TESTS_UNTIL") or "inf")
FLAKY = Path(__file__).with_name("flaky.txt")
MOST = 3  # tests that may pass only the second time, in one run and in that list
_LEFT_OUT = "honest/left-out"


def flaky(path: Path = FLAKY) -> dict[str, str]:
    """Test → why it may fail once: a line `<test>  # <reason>` each."""
    lines = (line.partition("#") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {test.strip(): reason.strip() for test, _, reason in lines if test.strip()}


@pytest.fixture(scope="session")
def until() -> float:
    """When the time is over, in seconds since 1970."""
    return UNTIL


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--second-try", action="store_true", help="few tests may pass only now")
    parser.addoption("--flaky", type=Path, default=FLAKY, help="the file of those that are (default: tests/flaky.txt)")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Honest(config))


class _Honest:
    def __init__(self, config: pytest.Config) -> None:
        self.config, self.second = config, config.getoption("--second-try")
        self.cache: pytest.Cache | None = getattr(config, "cache", None)
        self.left_out: list[str] = []
        self.twice: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if self.second and self.cache and self.cache.get(_LEFT_OUT, []):
            pytest.exit("There was no time left for some tests, so there is none for a second try.", 1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.time() > UNTIL:
            self.left_out.append(item.nodeid)
            pytest.fail("There was no time left for it (TESTS_UNTIL).", pytrace=False)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.second and report.when == "call" and report.passed:
            self.twice.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.cache and not self.second:
            self.cache.set(_LEFT_OUT, self.left_out)
        if len(self.twice) > MOST:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left_out:
            terminalreporter.section("No time was left", red=True)
            terminalreporter.write_line(f"{len(self.left_out)} tests were left out, the first of them {self.left_out[0]}")
        if unknown := [test for test in self.twice if test not in flaky(self.config.getoption("--flaky"))]:
            terminalreporter.section("Failed once and passed then", red=True)
            for test in unknown:
                terminalreporter.write_line(test)
            terminalreporter.write_line("Mend them, or list each in tests/flaky.txt: <test>  # <why it may fail once>")
