"""The lock of a stack, so that two runs never change one host at once, and the history of what runs did there."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from pyinfra import host
from pyinfra.api import StringCommand
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from . import scripts
from .controller import run
from .controller.failure import fail, note, operation
from .controller.host_plan import HostPlan
from .controller.observe import observe, plan_host
from .controller.process import abandoned, may_be_taken, process
from .facts.past import History
from .report.model import PART_OF
from .stack.credential import credentials_of
from .stack.fingerprint import fingerprint
from .stack.lock import TIME, Owner
from .stack.plan import Action
from .stack.snapshot import UNKNOWN, Snapshot

LISTED = 5


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
    own = Owner(
        run=run.current().id,
        operator=getpass.getuser(),
        controller=socket.gethostname(),
        process=process("self"),
        since=datetime.now(timezone.utc).strftime(TIME),
    )
    owner = json.dumps(own.to_json())
    yield scripts.run(
        "lock/take",
        root=settings.stack_dir,
        ttl=settings.lock_ttl,
        over=over,
        run=own.run,
        owner=owner,
    )
    if host.state.is_executing:
        _held[host.name], _owners[host.name] = planned, owner
        if not any(isinstance(handler, _GiveBack) for handler in host.state.callback_handlers):
            host.state.add_callback_handler(_GiveBack())


@operation()
def look(planned: HostPlan) -> Generator[PyinfraCommand, None, None]:
    """The host is observed and planned again while its lock is held: the operations after this one do what is needed now.

    What the preview did not show is not done: where more is needed now, the host fails here, with who changed it and when.

    + planned: what is to be done on the host
    """
    if not host.state.is_executing:
        host.noop("what is to be done is decided from what holds under the lock")
        return
    left = planned.seen.left
    # whose lock was taken over is no longer seen, but what that run left lies there
    planned.see(replace(observe(planned.wanted), left=left))
    if why := tuple(_in_the_way(planned)):
        yield fail(*why)


def _in_the_way(planned: HostPlan) -> Iterator[str]:
    root, preview, now = planned.stack.settings.stack_dir, planned.preview, planned.plan
    if now.problems:
        yield from now.problems
    elif not is_ours(planned.seen):
        yield f"{root}: the lock of this run was taken over by {planned.seen.lock or 'another'}. Nothing was changed. Run again."
    elif more := sorted(str(one) for one in now.actions - preview.actions if not _has_fallen(planned, one)):
        needed = f"{'; '.join(more[:LISTED])}{f' and {len(more) - LISTED} more' if len(more) > LISTED else ''}"
        who = _who_changed_it(planned)
        if preview.engine and not who:
            why = f"{'; '.join(preview.engine)}. Before that was put right"
            yield f"{root}: {why}, the preview could not show all that is needed: {needed}. Nothing else was changed. Run again."
        else:
            who = who or "by hand or by another program"
            yield (
                f"{root}: was changed {who} since this run looked at it. Nothing was changed here by this run. "
                f"Now it also takes what was not shown: {needed}. Run again."
            )


def _has_fallen(planned: HostPlan, action: Action) -> bool:
    """Whether it only brings up a service whose container has ended or become unhealthy since the preview: nobody changed that."""
    return action.verb == "start" and any(not one.up for one in planned.seen.of(action.to))


def _who_changed_it(planned: HostPlan) -> str:
    """The newest of the runs that changed the host since the preview, by its history; "" where there is none."""
    found = host.get_fact(History, root=planned.stack.settings.stack_dir, last=LISTED, _ignore_errors=True)
    for entry in () if found is UNKNOWN else reversed(found):
        when = str(entry.get("time") or entry.get("since"))
        changed = entry.get("changes") or entry.get("result") == "interrupted"
        if entry.get("run") != run.current().id and changed and when >= planned.since:
            return f"by run {entry.get('run')} ({entry.get('operator')} from {entry.get('controller')}, {when})"
    return ""


def is_ours(seen: Snapshot) -> bool:
    """Whether this run holds the lock of a host."""
    return seen.lock is not None and seen.lock.run == run.current().id


def while_ours(planned: HostPlan, command: StringCommand) -> StringCommand:
    """The command, which is run only where the lock that this run took is still its own; without a lock as it is."""
    owner = _owners.get(host.name)
    if owner is None:
        return command
    return scripts.run("lock/ours", root=planned.stack.settings.stack_dir, owner=owner, then=scripts.words(command))


@operation()
def release(planned: HostPlan, changes: Sequence[str] = ()) -> Generator[StringCommand, None, None]:
    """What this run did on the host is noted in its history, and its lock is given back.

    + planned: what was to be done on the host
    + changes: what was changed besides what the operations of this run say
    """
    _held.pop(host.name, None)
    yield _release(host, planned, "ok", changes)


# the hosts that this run has locked, and what their locks say
_held: dict[str, HostPlan] = {}
_owners: dict[str, str] = {}


class _GiveBack(BaseStateCallback):
    """Gives the lock back where a host's part of the run ends with an error."""

    @staticmethod
    def operation_host_error(state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0) -> None:
        arguments = state.get_op_data_for_host(host, op_hash).global_arguments
        if host.name not in _held or arguments["_ignore_errors"]:
            return
        reason = run.current().reason(host) or f"failed: {', '.join(sorted(state.get_op_meta(op_hash).names))}"
        command = _release(host, _held.pop(host.name), "failed", reason=reason)
        connector: Any = {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}
        try:
            command.execute(state, host, connector | command.connector_arguments)
        except Exception as error:  # the connection may be what failed; then the lock's age, or this process' end, frees it
            note(host, f"The lock was not given back: {error}")


def _release(host: Host, planned: HostPlan, result: str, changes: Sequence[str] = (), reason: str = "") -> StringCommand:
    current, stack, seen = run.current(), planned.stack, planned.seen
    entry = {
        "time": datetime.now(timezone.utc).strftime(TIME),
        "run": current.id,
        "operator": getpass.getuser(),
        "controller": socket.gethostname(),
        "changes": [*changes, *current.changes(host)],
        "before": [fingerprint(login.digest) for one in credentials_of(stack) for login in one.accepted(seen)],
        "after": ", ".join(fingerprint(login.digest) for one in credentials_of(stack) if one.value for login in one.logins) or None,
        "result": "rolled back" if host.name in current.rolled_back else result,
        "reason": reason,
    }
    line = json.dumps(entry, ensure_ascii=False)
    counters = {one.name: dict(counted) for one in credentials_of(stack) if (counted := one.counters(seen))}
    noted = json.dumps(counters) if counters else ""
    return scripts.run("lock/release", root=stack.settings.stack_dir, run=current.id, line=line, counters=noted)
