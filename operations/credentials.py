"""Credentials: a server accepts the desired one beside the others, and when every client uses it, that one alone."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api.command import PyinfraCommand

from . import lock
from .controller import run
from .controller.failure import operation
from .controller.host_plan import HostPlan
from .controller.observe import plan_host
from .stack.credential import credentials_of


@operation()
def accept(planned: HostPlan | None = None) -> Generator[PyinfraCommand, None, None]:
    """Each server of the stack accepts the desired password, beside every other that it accepts now.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    due = {one.name: one for one in planned.plan.accept}
    if not due:
        host.noop("the desired passwords are accepted")
    for credential in credentials_of(planned.stack):
        if credential.name in due:
            yield from credential.accept(planned.stack, planned.seen, due[credential.name])


@operation()
def retire(planned: HostPlan | None = None, sharing: Sequence[str] = ()) -> Generator[PyinfraCommand, None, None]:
    """Each server of the stack accepts the desired password alone. Only to be run when every client uses it.

    + planned: what is to be done on the host, as it was before `accept`; observed and planned when left out
    + sharing: the hosts of the inventory whose services use these servers; each must be in this run, and well
    """
    planned = planned or plan_host()
    due = {one.name for one in planned.plan.retire}
    if not due:
        host.noop("no other password is accepted")
        return
    if waiting := _not_verified(sharing):
        host.log(
            f"The previous password stays accepted: {', '.join(waiting)} uses the same server and was not verified in this run."
        )
        return
    for credential in credentials_of(planned.stack):
        if credential.name in due:
            for command in credential.retire(planned.stack, planned.seen):
                yield lock.while_ours(planned, command)


def _not_verified(sharing: Sequence[str]) -> list[str]:
    hosts, active, as_before = host.state.inventory.hosts, host.state.active_hosts, run.current().as_before
    return sorted(name for name in sharing if hosts.get(name) not in active and name not in as_before)
