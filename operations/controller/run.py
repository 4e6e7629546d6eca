"""The run of this process: what it plans, changes and finds on each host, collected while it goes, shown and written at its end."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from pyinfra import host
from pyinfra.api import Host, State
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.context import ctx_state

from .. import scripts
from ..report import files, terminal
from ..report.mask import masked
from ..report.model import PART_OF, HostReport, Result, RunReport, Service, Status, Step, run_id, versions
from ..stack.check import Check
from ..stack.credential import credentials_of
from ..stack.diagnosis import explanation
from ..stack.errors import FleetError, SettingsError
from ..stack.plan import Plan
from ..stack.settings import Settings
from ..stack.snapshot import UNKNOWN, Snapshot
from ..stack.stack import Stack
from . import notify, shard
from .desired import addresses, secrets_of
from .failure import failures
from .progress import tell
from .shown import arm, shown

LAST_LINES = 15  # of what a failed command said
REASON = 500  # characters of it in the history


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Run:
    """What is known of this run so far, by the host's name; `times`: also by the operation's hash.

    + judged: the hosts that a check has failed
    + aborted: the hosts whose change failed; rolled_back: those of them that are as they were before
    + as_before: the hosts that have failed for nothing but what was wrong before too
    """

    state: State
    settings: Settings
    addresses: tuple[str, ...] = field(default=(), repr=False)
    started: datetime = field(default_factory=_now)
    id: str = field(default_factory=lambda: os.environ.get(PART_OF) or run_id())
    plans: dict[str, Plan] = field(default_factory=dict)
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    services: dict[str, tuple[Service, ...]] = field(default_factory=dict)
    password_changed: dict[str, float] = field(default_factory=dict)
    times: dict[tuple[str, str], tuple[datetime, datetime | None]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)
    aborted: set[str] = field(default_factory=set)
    rolled_back: set[str] = field(default_factory=set)
    as_before: set[str] = field(default_factory=set)
    ended: int = 0  # operations, those of all hosts together

    @cached_property
    def due(self) -> int:
        """The operations of all hosts together, once they are planned."""
        return sum(len(host.op_hash_order) for host in self.hosts)

    @property
    def folder(self) -> Path:
        return Path(self.settings.report_dir)

    @property
    def keep(self) -> int:
        return self.settings.report_keep

    @property
    def hosts(self) -> list[Host]:
        return [host for host in self.state.inventory if self.state.is_host_in_limit(host)]

    def operations(self, host: Host) -> Iterator[OperationMeta]:
        """The operations that were run on a host, in their order."""
        # the host's own order, of which pyinfra makes that of all hosts: to ask for that one takes a look at every host
        for op_hash in host.op_hash_order:
            data = self.state.ops[host].get(op_hash)
            if data and data.operation_meta.is_complete():
                yield data.operation_meta

    def steps(self, host: Host) -> Iterator[Step]:
        """The same for the report, and those that were never begun, since the host had failed before."""
        for op_hash in host.op_hash_order:
            if data := self.state.ops[host].get(op_hash):
                name = ", ".join(sorted(self.state.get_op_meta(op_hash).names))
                yield Step(name, _result(data.operation_meta), *self.times.get((host.name, op_hash), (None, None)))

    def changes(self, host: Host) -> list[str]:
        """What was changed on a host: the scripts say so, a line for each change."""
        return [shown(line) for meta in self.operations(host) for line in meta.stdout_lines if line.strip()]

    def said(self, host: Host) -> list[str]:
        """Why a host's run ended: what the commands that failed said, and what was found to be in the way."""
        failed = (meta for meta in self.operations(host) if meta.did_error())
        lines = [line for meta in failed for line in meta.stderr_lines[-LAST_LINES:]]
        # those of an operation that has not ended yet
        lines += scripts.last_words.get(host.name, [])[-LAST_LINES:]
        said = [*dict.fromkeys(map(shown, lines)), *failures.get(host.name, [])]
        if why := explanation("\n".join(said)):
            said.append(why)
        return said

    def reason(self, host: Host) -> str:
        """The same in a line of some length, for the history."""
        return "; ".join(self.said(host))[:REASON]


def current() -> Run:
    """The run of this process."""
    if _run is None:
        raise RuntimeError("the run has not begun")
    return _run


_run: Run | None = None


def begin(state: State, settings: Settings) -> None:
    """Collect from now on; when the process ends the report is shown, and written to `report_dir`. A second call does nothing."""
    global _run
    if _run is not None:
        return
    arm()
    _run = Run(state, settings, _addresses(state))
    state.add_callback_handler(_Watcher())
    atexit.register(_finish, _run)


def _addresses(state: State) -> tuple[str, ...]:
    """Who is told of the run, as its first host says; what is wrong with them is told before a deploy begins."""
    with suppress(FleetError, StopIteration):
        return addresses(next(iter(state.inventory)).data.dict())
    return ()


def previewed(plans: Mapping[str, Plan], settings: Settings) -> None:
    """What will be done on which host; it is shown once."""
    begin(ctx_state.get(), settings)
    if not current().plans:
        current().plans.update(plans)
        terminal.show_plan({name: tuple(map(shown, due.sentences())) for name, due in plans.items()})


def checked(stack: Stack, seen: Snapshot, found: Iterable[Check]) -> None:
    """What the checks of the host in context say.

    + seen: the host as they saw it
    """
    begin(ctx_state.get(), stack.settings)
    run = current()
    run.checks[host.name] = tuple(found)
    run.services[host.name] = tuple(_service(service.name, stack.waits_for(service), seen) for service in stack.services)
    if changed := max((one.changed(seen) or 0.0 for one in credentials_of(stack)), default=0.0):
        run.password_changed[host.name] = changed


def _service(name: str, needs: tuple[str, ...], seen: Snapshot) -> Service:
    if seen.containers is UNKNOWN:
        return Service(name, "unknown", needs=needs)
    containers = sorted(seen.of(name), key=lambda container: container.up)  # of several the one that is worst off
    return Service(name, containers[0].state, containers[0].health, needs) if containers else Service(name, "missing", needs=needs)


class _Watcher(BaseStateCallback):
    """Keeps why a host could not be reached, and when each operation began and ended."""

    @staticmethod
    def host_connect_error(state: State, host: Host, error: Any) -> None:
        current().unreachable[host.name] = str(error)

    @staticmethod
    def operation_host_start(state: State, host: Host, op_hash: str) -> None:
        current().times[host.name, op_hash] = (_now(), None)

    @staticmethod
    def operation_host_success(state: State, host: Host, op_hash: str, retry_count: int = 0) -> None:
        _ended(host, op_hash)

    @staticmethod
    def operation_host_error(state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0) -> None:
        _ended(host, op_hash)


def _ended(host: Host, op_hash: str) -> None:
    run = current()
    began, _ = run.times.get((host.name, op_hash), (run.started, None))  # an operation may itself begin the run
    run.times[host.name, op_hash] = (began, _now())
    run.ended += 1
    tell("changed", min(run.ended, run.due), run.due)


def _finish(run: Run) -> None:
    report = masked(_report(run), secrets_of(host.data.dict() for host in run.hosts))
    terminal.show(report)
    try:
        fleet = [*shard.elsewhere, *(host.name for host in run.state.inventory)]
        path = files.write(report, run.folder, run.keep, fleet)
        # a shard's part is told by who runs all of them
        if PART_OF not in os.environ and (why := notify.tell(report, run.settings, run.addresses, path, fleet)):
            print(why, file=sys.stderr)
    except SettingsError as error:
        print(error, file=sys.stderr)
    else:
        print(f"Report: {path}", file=sys.stderr)
    gc.freeze()  # the process is about to end: searching all of it for garbage once more takes a tenth of a second


def _report(run: Run) -> RunReport:
    return RunReport(
        id=run.id,
        started=run.started,
        finished=_now(),
        versions=versions(),
        hosts=tuple(_host(run, host) for host in run.hosts),
        dry=run.state.current_stage < StateStage.Execute,
    )


def _host(run: Run, host: Host) -> HostReport:
    name, due = host.name, run.plans.get(host.name, Plan())
    if host not in run.state.activated_hosts:
        return HostReport(name, "unreachable", error=run.unreachable.get(name, "could not be reached"))
    seen = HostReport(
        name=name,
        status="ok",
        checks=run.checks.get(name, ()),
        services=run.services.get(name, ()),
        files=due.files,
        password_changed=run.password_changed.get(name),
    )
    if run.state.current_stage < StateStage.Execute:
        status: Status = "failed" if due.problems else "changed" if due.due else "ok"
        return replace(seen, status=status, changes=tuple(due.sentences()), error="\n".join(due.problems) or None)
    done = replace(seen, changes=tuple(run.changes(host)), steps=tuple(run.steps(host)))
    if host not in run.state.failed_hosts:
        return replace(done, status="changed" if done.changes else "ok")
    # the checks speak for themselves, but not where they were asked again after a change that failed
    if name in run.judged and name not in run.aborted:
        return replace(done, status="failed")
    silent = "a command failed and said nothing, or the connection was lost; run again with -vv"
    return replace(done, status="failed", error="\n".join(run.said(host)) or silent)


def _result(meta: OperationMeta) -> Result:
    if not meta.is_complete():
        return "skipped"
    return "failed" if meta.did_error() else "changed" if meta.did_change() else "no change"
