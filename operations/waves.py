"""Gates between waves: what goes wrong on the first hosts never reaches the others."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api.command import PyinfraCommand

from .controller import run
from .controller.failure import fail, operation
from .controller.observe import Fleet
from .report.terminal import folded
from .stack.waves import Wave, stopped


@operation()
def enter(fleet: Fleet, hosts: Wave) -> Generator[PyinfraCommand, None, None]:
    """The host may be changed: none of the hosts whose servers it uses, or whose replica goes first, has failed in this run.

    + fleet: the hosts of the run
    + hosts: those whose turn it is

    It stands on every host: that is what keeps pyinfra from mixing the turns.
    """
    if host.name not in hosts:
        return
    stack = fleet.hosts[host.name].stack
    reasons = {**dict.fromkeys(stack.ahead, "which goes first"), **dict.fromkeys(stack.servers, "whose server this host uses")}
    for other, why in reasons.items():
        if other in _failed() or _erred(other):
            yield fail(f"Nothing was changed here: {other}, {why}, failed. Put it right, then run again.")
            return


@operation()
def gate(fleet: Fleet, wave: Wave) -> Generator[PyinfraCommand, None, None]:
    """The hosts of later waves are left alone when more than `max_failures` hosts of this one failed.

    + fleet: the hosts of the run
    + wave: the hosts that were just changed

    It stands on every host that needs changes, also on those that have passed: that is what keeps pyinfra from mixing the waves.
    """
    waves = fleet.waves
    if not any(host.name in later for later in waves[waves.index(wave) + 1 :]):
        return
    settings = fleet.hosts[host.name].stack.settings
    failed = sorted(name for name in _failed() if name in wave)
    if settings.unreachable_counts:
        failed += sorted(run.current().unreachable)
    if why := stopped(len(failed), settings.max_failures, folded(failed)):
        yield fail(why)


def _erred(name: str) -> bool:
    """Whether something failed on a host in this run, also where the run went on, to roll it back."""
    return any(operation.did_error() for operation in run.current().operations(host.state.inventory.get_host(name)))


def _failed() -> set[str]:
    return {failed.name for failed in host.state.failed_hosts} - run.current().as_before
