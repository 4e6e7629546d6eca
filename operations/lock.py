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
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from .controller import run
from .controller.failure import note
from .controller.host_plan import HostPlan
from .controller.observe import plan_host
from .controller.process import abandoned, may_be_taken, process
from .report.model import PART_OF
from .scripts import script
from .stack.fingerprint import fingerprint
from .stack.lock import TIME, Owner


def problem(planned: HostPlan) -> str | None:
    """Why the stack of a host may not be changed: another run holds its lock and, as far as can be told, is alive."""
    held, settings = planned.seen.lock, planned.stack.settings
    # a shard that is run again, on whatever machine, is still the same run
    if held is None or held.run == os.environ.get(PART_OF) or may_be_taken(held, settings):
        return None
    return (
        f"{settings.stack_dir}: is locked by {held}. Nothing was changed. Wait until that run has ended. If it is dead, its lock "
        f"is taken over {settings.lock_ttl} s (lock_ttl) after that time, or at once with --data break_lock=True."
    )


@operation()
def acquire(planned: HostPlan | None = None) -> Generator[StringCommand, None, None]:
    """The stack is locked for this run until its part on the host ends, well or not.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    settings, seen, over = planned.stack.settings, planned.seen, ""
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
    words = (settings.stack_dir, str(settings.lock_ttl), over)
    yield StringCommand(
        "sh",
        "-c",
        QuoteString(script("lock.sh")),
        "lock",
        *(QuoteString(word) for word in words),
        _stdin=json.dumps(owner.to_json()),
    )
    if host.state.is_executing:
        _held[host.name] = planned
        if not any(isinstance(handler, _GiveBack) for handler in host.state.callback_handlers):
            host.state.add_callback_handler(_GiveBack())


@operation()
def release(planned: HostPlan) -> Generator[StringCommand, None, None]:
    """What this run did on the host is noted in its history, and its lock is given back.

    + planned: what was to be done on the host
    """
    _held.pop(host.name, None)
    yield _release(host, planned, "ok")


# the hosts that this run has locked
_held: dict[str, HostPlan] = {}


class _GiveBack(BaseStateCallback):
    """Gives the lock back where a host's part of the run ends with an error."""

    @staticmethod
    def operation_host_error(state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0) -> None:
        arguments = state.get_op_data_for_host(host, op_hash).global_arguments
        if host.name not in _held or arguments["_ignore_errors"]:
            return
        # pyinfra keeps what an operation's command said only after this
        reason = run.current().reason(host) or f"failed: {', '.join(sorted(state.get_op_meta(op_hash).names))}"
        command = _release(host, _held.pop(host.name), "failed", reason)
        connector: Any = {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}
        try:
            command.execute(state, host, connector | command.connector_arguments)
        except Exception as error:  # the connection may be what failed; then the lock's age, or this process' end, frees it
            note(host, f"The lock was not given back: {error}")


def _release(host: Host, planned: HostPlan, result: str, reason: str = "") -> StringCommand:
    current, stack, seen = run.current(), planned.stack, planned.seen
    entry = {
        "time": datetime.now(timezone.utc).strftime(TIME),
        "run": current.id,
        "operator": getpass.getuser(),
        "controller": socket.gethostname(),
        "changes": current.changes(host),
        "before": list(map(fingerprint, seen.acl)) if isinstance(seen.acl, tuple) else [],
        "after": fingerprint(stack.password_hash) if stack.password else None,
        "result": "rolled back" if host.name in current.rolled_back else result,
        "reason": reason,
    }
    words = (stack.settings.stack_dir, current.id)
    return StringCommand(
        "sh", "-c", QuoteString(script("release.sh")), "release", *(QuoteString(word) for word in words),
        _stdin=json.dumps(entry, ensure_ascii=False),
    )  # fmt: skip
