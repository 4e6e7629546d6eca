"""Validation on the host: may it be changed at all, and does it work afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Iterable, Sequence

import gevent
from pyinfra import host
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta

from . import lock
from .controller import run
from .controller.failure import fail, operation, refuse
from .controller.host_plan import HostPlan
from .controller.observe import observe, plan_host
from .controller.progress import waiting
from .stack.check import Check
from .stack.credential import credentials_of
from .stack.snapshot import Snapshot
from .stack.stack import Stack
from .stack.verdicts import ABOUT_HOST, about_retired, checks, is_among, standing

_OF_LOGS = ("logs.errors", "logs.auth_errors")  # which may tell of what is over
PATIENCE = 10  # seconds in which what was just started answers; asked on the host itself, which saves round trips


@operation()
def ready(planned: HostPlan | None = None) -> Generator[PyinfraCommand, None, None]:
    """Nothing on the host stands in the way; otherwise the host fails here, before anything on it is changed.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    locked = lock.problem(planned) if planned.plan.due else None
    problems = list(planned.plan.problems)
    if problems and not host.state.is_executing:
        refuse()
    if locked:
        problems.append(locked)
    if problems:
        yield fail(*problems)


@operation()
def validate(planned: HostPlan | None = None, after: Sequence[OperationMeta] = ()) -> Generator[PyinfraCommand, None, None]:
    """No check of the stack fails or is unknown; otherwise the host fails, with cause and remedy.

    + planned: what is to be done on the host; observed and planned when left out
    + after: the operations of a change since the snapshot; the host is observed anew only when one of them changed something,
      and what is no reason to roll the change back is left to `concluded`

    **Example:** ``pyinfra inventory operations.checks.validate``
    """
    planned = planned or plan_host()
    stack = planned.stack
    later = _later(planned) if after else ()
    # a preview completes no operation: it shows the checks of the host as it is
    if any(operation.is_complete() and operation.did_change() for operation in after):
        planned.checked = settled(stack, observe(stack, patience=PATIENCE), later)
        yield from _judge(stack, planned.checked, checks(stack, planned.checked), later)
    else:
        yield from _judge(stack, planned.seen, planned.checks, later, () if after else ABOUT_HOST)


@operation()
def concluded(planned: HostPlan) -> Generator[PyinfraCommand, None, None]:
    """Every check is ok at the end of a change: also those which `validate` leaves for later.

    Where something fails that was well while both passwords were accepted, the previous one is accepted again: what passes with
    both proves nothing of the new one.

    + planned: what was to be done on the host
    """
    stack = planned.stack
    if not _later(planned):
        host.noop("every check was asked")
    elif host.state.is_executing:
        before = standing(planned.checks)
        now = settled(stack, observe(stack, patience=PATIENCE), before)
        due = {one.name: one for one in planned.plan.retire}
        if due and _bad(checks(stack, now), (*before, *_OF_LOGS)):
            for credential in (one for one in credentials_of(stack) if one.name in due):
                for command in credential.again(stack, planned.seen, due[credential.name]):
                    yield lock.while_ours(planned, command)
            host.log("The previous password is accepted again, for not all is well without it.")
        # an error in a log may be another one than before
        yield from _judge(stack, now, checks(stack, now), before=before - {"logs.errors"})


def _later(planned: HostPlan) -> tuple[str, ...]:
    """The checks that are no reason to roll a change back.

    While a password is being rolled out two are accepted, and meant to be. And what was wrong with the host itself before the
    change, such as a full disk, would be wrong without it too.
    """
    return (*(about_retired() if planned.plan.retire else ()), *standing(planned.checks))


def settled(stack: Stack, seen: Snapshot, without: Collection[str] = ()) -> Snapshot:
    """A host on which something was just started, as soon as its checks are ok, or after `settle_timeout` seconds.

    A service without a healthcheck, such as the exporter, runs for Docker before it answers.
    """
    until = time.monotonic() + stack.settings.settle_timeout
    with waiting("its checks to become ok"):
        while _bad(checks(stack, seen), without) and time.monotonic() < until:
            gevent.sleep(0.5)
            seen = observe(stack)
    return seen


def _bad(found: Iterable[Check], without: Collection[str]) -> list[Check]:
    return [check for check in found if not check.verdict.good and not is_among(check, without)]


def _judge(
    stack: Stack, seen: Snapshot, found: Sequence[Check], without: Collection[str] = (), before: Collection[str] = ()
) -> Generator[PyinfraCommand, None, None]:
    """Fails the host where a check failed or is unknown.

    + found: the checks of what was seen
    + without: checks that are not judged now
    + before: checks that this run cannot have made worse
    """
    run.checked(stack, seen, found)
    bad = _bad(found, without)
    if not bad:
        host.noop("no check failed")
        return
    if host.state.is_executing:
        run.current().judged.add(host.name)
        if not _bad(bad, before):
            run.current().as_before.add(host.name)
    yield fail(*map(_sentence, bad))


def _sentence(check: Check) -> str:
    return " ".join(filter(None, (f"{check.id}: {check.detail}.", check.cause, check.remedy)))
