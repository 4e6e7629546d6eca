"""What all tests share: a key for fingerprints; and the time there is: TESTS_UNTIL, in seconds since 1970, after which
no test begins."""

from __future__ import annotations

import os
import time

import pytest

from operations.report.key import VARIABLE, key
from operations.stack.fingerprint import keyed_with

os.environ[VARIABLE] = "0f" * 32  # not the key of who runs the tests
keyed_with(key)

UNTIL = float(os.environ.get("TESTS_UNTIL") or "inf")


@pytest.fixture(scope="session")
def until() -> float:
    """When the time is over, in seconds since 1970."""
    return UNTIL


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.time() > UNTIL:
        pytest.skip("there was no time left for it (TESTS_UNTIL)")
