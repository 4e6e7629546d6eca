"""Validation on the host: may it be changed at all, and does it work afterwards."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta

from .failure import fail
from .observe import observe
from .report import run
from .stack.check import Check, Verdict
from .stack.plan import plan
from .stack.snapshot import Snapshot
from .stack.stack import Stack
from .stack.verdicts import checks
from .wanted import stack_of


@operation()
def ready(stack: Stack, seen: Snapshot | None = None) -> Generator[PyinfraCommand, None, None]:
    """Nothing on the host stands in the way; otherwise the host fails here, before anything on it is changed.

    + stack: what is wanted
    + seen: the host as a snapshot holds it; observed when left out
    """
    if problems := plan(stack, seen or observe(stack)).problems:
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
    # a preview completes no operation: it shows the checks of the host as it is
    if seen is None or any(operation.is_complete() and operation.did_change() for operation in after):
        seen = observe(stack)
    found = checks(stack, seen)
    run.checked(stack, found)
    bad = [check for check in found if check.verdict in (Verdict.FAILED, Verdict.UNKNOWN)]
    if bad:
        yield fail(*map(_sentence, bad))
    else:
        host.noop(f"all {len(found)} checks are ok")


def _sentence(check: Check) -> str:
    return " ".join(filter(None, (f"{check.id}: {check.detail}.", check.cause, check.remedy)))
