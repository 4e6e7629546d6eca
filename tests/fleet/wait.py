"""Awaiting a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 120) -> T:
    """What the condition says once that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"did not become true in {seconds:.0f} s: it is {found!r}")
        time.sleep(0.1)
    return found
