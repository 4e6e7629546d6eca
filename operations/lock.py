"""The lock of a stack, so that two runs never change one host at once, and the history of what runs did there."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Generator
from datetime import datetime, timezone
from typing import Any

from pyinfra import host
from pyinfra.api import StringCommand, operation
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from . import scripts
from .controller import run
from .controller.process import abandoned, may_be_taken, process
from .report.model import PART_OF
from .stack.fingerprint import fingerprint
from .stack.lock import TIME, Owner
from .stack.snapshot import Snapshot
from .stack.stack import Stack


def problem(stack: Stack, seen: Snapshot) -> str | None:
    """Why the stack of a host may not be changed: another run holds its lock and, as far as can be told, is alive."""
    held, settings = seen.lock, stack.settings
    # a shard that is run again, on whatever machine, is still the same run
    if held is None or held.run == os.environ.get(PART_OF) or may_be_taken(held, settings):
        return None
    return (
        f"{settings.stack_dir}: is locked by {held}. Nothing was changed. Wait until that run has ended. If it is dead, its lock "
        f"is taken over {settings.lock_ttl} s (lock_ttl) after that time, or at once with --data break_lock=True."
    )


@operation()
def acquire(stack: Stack, seen: Snapshot) -> Generator[StringCommand, None, None]:
    """The stack is locked for this run until its part on the host ends, well or not.

    + stack: what is wanted
    + seen: the host as a snapshot holds it
    """
    settings, over = stack.settings, ""
    run.begin(host.state, settings)
    if settings.break_lock:
        over = "*"
    elif seen.lock and abandoned(seen.lock):
        over = seen.lock.run
    owner = Owner(
        run=run.current().id,
        operator=getpass.getuser(),
        controller=socket.gethostname(),
        process=process("self"),
        since=datetime.now(timezone.utc).strftime(TIME),
    )
    yield scripts.run(
        "lock/take",
        root=settings.stack_dir,
        ttl=settings.lock_ttl,
        over=over,
        run=owner.run,
        owner=json.dumps(owner.to_json()),
    )
    if host.state.is_executing:
        _held[host.name] = (stack, seen)
        if not any(isinstance(handler, _GiveBack) for handler in host.state.callback_handlers):
            host.state.add_callback_handler(_GiveBack())


@operation()
def release(stack: Stack, seen: Snapshot) -> Generator[StringCommand, None, None]:
    """What this run did on the host is noted in its history, and its lock is given back.

    + stack: what is wanted
    + seen: the host as a snapshot holds it, before the run
    """
    _held.pop(host.name, None)
    yield _release(host, stack, seen, "ok")


# the hosts that this run has locked
_held: dict[str, tuple[Stack, Snapshot]] = {}


class _GiveBack(BaseStateCallback):
    """Gives the lock back where a host's part of the run ends with an error."""

    @staticmethod
    def operation_host_error(state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0) -> None:
        arguments = state.get_op_data_for_host(host, op_hash).global_arguments
        if host.name not in _held or arguments["_ignore_errors"]:
            return
        command = _release(host, *_held.pop(host.name), "failed")
        connector: Any = {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}
        try:
            command.execute(state, host, connector | command.connector_arguments)
        except Exception as error:  # the connection may be what failed; then the lock's age, or this process' end, frees it
            host.log(f"The lock was not given back: {error}")


def _release(host: Host, stack: Stack, seen: Snapshot, result: str) -> StringCommand:
    current = run.current()
    entry = {
        "time": datetime.now(timezone.utc).strftime(TIME),
        "run": current.id,
        "operator": getpass.getuser(),
        "controller": socket.gethostname(),
        "changes": current.changes(host),
        "before": list(map(fingerprint, seen.acl)) if isinstance(seen.acl, tuple) else [],
        "after": fingerprint(stack.password_hash) if stack.password else None,
        "result": "rolled back" if host.name in current.taken_back else result,
    }
    line = json.dumps(entry, ensure_ascii=False)
    return scripts.run("lock/release", root=stack.settings.stack_dir, run=current.id, line=line)
