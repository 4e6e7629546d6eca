"""How far a run is: for a person at a terminal, and for the worker that runs a shard."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gevent
from pyinfra import host, logger

from ..stack.shards import PROGRESS

EVERY = 5  # seconds


@contextmanager
def waiting(what: str | Callable[[], str]) -> Iterator[None]:
    """Say every few seconds what the host in context waits for, and for how long. Says nothing where nobody looks.

    + what: as in "waits for its checks"; a function where that changes
    """
    if not sys.stderr.isatty():
        yield
        return
    began, waits = time.monotonic(), host.print_prefix

    def tell() -> None:
        while True:
            gevent.sleep(EVERY)
            logger.info(f"{waits}waits for {what if isinstance(what, str) else what()} ({time.monotonic() - began:.0f} s)")

    teller = gevent.spawn(tell)
    try:
        yield
    finally:
        teller.kill()


def tell(what: str, done: int, of: int) -> None:
    """Leave word for the worker that runs this shard; does nothing in any other run.

    + what: as in "looked"; done, of: how many of how many
    """
    if path := os.environ.get(PROGRESS):
        with suppress(OSError):  # a full disk ends no run
            Path(path).write_text(f"{what} {done / of:.3f}")
