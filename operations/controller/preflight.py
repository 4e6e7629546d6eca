"""What is wrong before the first connection ends the run there, with a plain message and exit status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from pyinfra.api import Config, Host, Inventory, State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.exceptions import CliError  # type: ignore[import-untyped]

from ..report.key import key
from ..stack.errors import FleetError
from . import pyinfra_patches, shard, shown, sudo

HostsCheck = Callable[[Sequence[Host]], Sequence[str]]


class Refused(CliError, PyinfraError):  # type: ignore[misc]  # pyinfra_cli is untyped
    """Ends the run with no traceback: pyinfra lets a PyinfraError out of an inventory file, click prints a CliError."""


@contextmanager
def plainly() -> Iterator[None]:
    """What the project itself finds wrong inside is printed as pyinfra prints its own errors."""
    try:
        yield
    except FleetError as error:
        raise Refused(_listed(error.problems)) from error


def arm(check: HostsCheck | None = None) -> None:
    """Look at the hosts of this run before pyinfra connects to them. To be called in an inventory file.

    No host at all, as after a `--limit` that matches nothing, ends the run; by itself pyinfra calls that a success. It is one
    where FLEET_SHARD leaves the hosts to other shards.
    A run of deploy files also ends where `check` returns problems; `fact`, `exec` and single operations run without it.

    + check: hosts → problems; those of the stack's settings and secrets when left out

    pyinfra has no hook here: callback handlers are reset in `state.init`, and the first of them runs inside a
    connection. So `init` is wrapped on this run's state: it is called once, when inventory, group data and `--limit`
    are known, and nothing has been opened yet that an error would have to close.
    """
    state: State | None = ctx_state.get()
    if state is None:  # imported by a program of its own, not run by pyinfra's command line
        return
    pyinfra_patches.arm()
    sudo.arm()
    shown.arm()
    init = state.init

    def checked(inventory: Inventory, config: Config | None, initial_limit: list[Host] | None = None) -> None:
        hosts = list(inventory) if initial_limit is None else initial_limit
        given = _arguments()
        if not hosts and (why := shard.nothing_to_do(given["limit"], given["exclude"])):
            print(why, file=sys.stderr)
            sys.exit(0)
        with plainly():
            key()  # of the fingerprints; where it is none, this is the time to say so
            problems = _problems(inventory, sorted(set(hosts), key=lambda host: host.name), check)
        if problems:
            raise Refused(_listed(problems, "Nothing was connected or changed. "))
        init(inventory, config, initial_limit=initial_limit)
        # pyinfra would part the hosts of each operation into batches of this size, each of which waits for its slowest host; its
        # pools, made by now, bound how many are at work without that
        state.config.PARALLEL = len(inventory)
        if check is None and _deploys():
            _begin(state, hosts)

    vars(state)["init"] = checked


def _problems(inventory: Inventory, hosts: Sequence[Host], check: HostsCheck | None) -> Sequence[str]:
    given = _arguments()
    if not hosts:
        return [_no_host(inventory, given)]
    if not _deploys():
        return []
    if apart := list(shard.problems(inventory)):
        return apart
    if unordered := [flag for flag in ("serial", "no_wait") if given[flag]]:
        return [
            f"--{unordered[0].replace('_', '-')} takes the hosts out of step, but waves, gates and a server that several hosts use "
            "need them in step (and pyinfra's --no-wait ends with 0 when hosts failed). Leave it out; see rollout_waves."
        ]
    if check is None:
        from .desired import preflight_problems  # only here: a fact or a single operation needs no stack

        return preflight_problems(hosts)
    return check(hosts)


def _deploys() -> bool:
    return all(word.endswith(".py") for word in _arguments()["operations"])


def _begin(state: State, hosts: Sequence[Host]) -> None:
    """The report also holds hosts that are never reached, so it begins before the first connection."""
    from . import run
    from .desired import stack_of

    run.begin(state, stack_of(hosts[0]).settings)


def _arguments() -> dict[str, Any]:
    """What the command line was given; pyinfra passes it to nothing that an inventory can see."""
    context = click.get_current_context(silent=True)
    return {"operations": (), "limit": (), "exclude": (), "serial": False, "no_wait": False, **(context.params if context else {})}


def _no_host(inventory: Inventory, given: dict[str, Any]) -> str:
    names = sorted(host.name for host in inventory)
    if not names:
        return "The inventory has no host."
    flags = [f"--{flag} {pattern}" for flag in ("limit", "exclude") for pattern in given[flag] or ()]
    shown = ", ".join(names) if len(names) <= 10 else f"{', '.join(names[:10])} and {len(names) - 10} more"
    groups = ", ".join(sorted(name for name, members in inventory.groups.items() if members))
    return f"{' '.join(flags)} leaves no host. The hosts are {shown}; the groups are {groups}."


def _listed(problems: Sequence[str], intro: str = "") -> str:
    if len(problems) == 1:
        return intro + problems[0]
    return f"{intro}{len(problems)} problems:" + "".join(f"\n    {problem}" for problem in problems)
