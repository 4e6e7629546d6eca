"""The time there is: TESTS_UNTIL, in seconds since 1970, after which no test begins."""

from __future__ import annotations

import os
import time

import pytest

UNTIL = float(os.environ.get("TESTS_UNTIL") or "inf")


@pytest.fixture(scope="session")
def until() -> float:
    """When the time is over, in seconds since 1970."""
    return UNTIL


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.time() > UNTIL:
        pytest.skip("there was no time left for it (TESTS_UNTIL)")
