"""A line now and then while something takes long, for a person at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from pyinfra import host, logger

EVERY = 5  # seconds


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say every few seconds what the host in context waits for, and for how long. Says nothing where nobody looks.

    + what: as in "waits for its checks"
    """
    if not sys.stderr.isatty():
        yield
        return
    began, waits = time.monotonic(), host.print_prefix

    def tell() -> None:
        while True:
            gevent.sleep(EVERY)
            logger.info(f"{waits}waits for {what} ({time.monotonic() - began:.0f} s)")

    teller = gevent.spawn(tell)
    try:
        yield
    finally:
        teller.kill()
