"""Validation on the host: may it be changed at all, and does it work afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Sequence

import gevent
from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta

from . import lock
from .failure import fail
from .observe import observe
from .progress import waiting
from .report import run
from .stack.check import Check
from .stack.plan import plan
from .stack.snapshot import Snapshot
from .stack.stack import Stack
from .stack.verdicts import ABOUT_RETIRED, checks
from .wanted import stack_of


@operation()
def ready(stack: Stack, seen: Snapshot | None = None, more: Sequence[str] = ()) -> Generator[PyinfraCommand, None, None]:
    """Nothing on the host stands in the way; otherwise the host fails here, before anything on it is changed.

    + stack: what is wanted
    + seen: the host as a snapshot holds it; observed when left out
    + more: further problems, as `Fleet.problems` tells them
    """
    seen = seen or observe(stack)
    due = plan(stack, seen)
    locked = lock.problem(stack, seen) if due.due else None
    if problems := [*due.problems, *more, *([locked] if locked else [])]:
        yield fail(*problems)


@operation()
def validate(
    stack: Stack | None = None, seen: Snapshot | None = None, after: Sequence[OperationMeta] = ()
) -> Generator[PyinfraCommand, None, None]:
    """Every check of the stack is ok; otherwise the host fails, with cause and remedy.

    + stack: what is wanted; told from the host's data when left out
    + seen: the host as a snapshot holds it; observed when left out
    + after: operations since the snapshot; the host is observed anew only when one of them changed something

    **Example:** ``pyinfra inventory operations.checks.validate``
    """
    stack = stack or stack_of(host)
    # while a password is being rolled out two are accepted, and meant to be
    overlap = ABOUT_RETIRED if seen is not None and plan(stack, seen).retire else ()
    # a preview completes no operation: it shows the checks of the host as it is
    if any(operation.is_complete() and operation.did_change() for operation in after):
        yield from _judge(stack, *settled(stack, observe(stack, patience=stack.settings.settle_timeout), overlap))
    else:
        now = seen or observe(stack)
        yield from _judge(stack, now, _asked(stack, now, overlap))


@operation()
def retired(stack: Stack, seen: Snapshot) -> Generator[PyinfraCommand, None, None]:
    """Every check is ok now that the former password should be refused; nothing is asked where there was none.

    + stack: what is wanted
    + seen: the host as a snapshot holds it, before the run
    """
    if not plan(stack, seen).retire:
        host.noop("there was no other password")
    elif host.state.is_executing:
        yield from _judge(stack, *settled(stack, observe(stack, patience=stack.settings.settle_timeout)))


def settled(stack: Stack, seen: Snapshot, without: Collection[str] = ()) -> tuple[Snapshot, tuple[Check, ...]]:
    """The checks of a host on which something was just started, and the host as they saw it: what is not ok is asked again, for
    `settle_timeout` seconds.

    A service without a healthcheck, such as the exporter, runs for Docker before it answers.
    """
    found, until = _asked(stack, seen, without), time.monotonic() + stack.settings.settle_timeout
    with waiting("its checks to become ok"):
        while not all(check.verdict.good for check in found) and time.monotonic() < until:
            gevent.sleep(0.5)
            seen = observe(stack)
            found = _asked(stack, seen, without)
    return seen, found


def _asked(stack: Stack, seen: Snapshot, without: Collection[str]) -> tuple[Check, ...]:
    return tuple(check for check in checks(stack, seen) if check.id not in without)


def _judge(stack: Stack, seen: Snapshot, found: Sequence[Check]) -> Generator[PyinfraCommand, None, None]:
    run.checked(stack, seen, found)
    bad = [check for check in found if not check.verdict.good]
    if bad:
        yield fail(*map(_sentence, bad))
    else:
        host.noop(f"all {len(found)} checks are ok")


def _sentence(check: Check) -> str:
    return " ".join(filter(None, (f"{check.id}: {check.detail}.", check.cause, check.remedy)))
