"""The run of this process: what it plans, changes and finds on each host, collected while it goes, shown and written at its end."""

from __future__ import annotations

import atexit
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyinfra import host
from pyinfra.api import Host, State
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.context import ctx_state

from .. import __version__
from ..failure import failures
from ..stack.check import Check
from ..stack.errors import SettingsError
from ..stack.plan import Plan, plan
from ..stack.settings import Settings
from ..stack.snapshot import Snapshot
from ..stack.stack import Stack
from . import files, terminal
from .model import HostReport, RunReport, Status, run_id

LAST_LINES = 15  # of what a failed command said


@dataclass
class _Run:
    state: State
    folder: Path
    keep: int
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    plans: dict[str, Plan] = field(default_factory=dict)
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> list[Host]:
        return [host for host in self.state.inventory if self.state.is_host_in_limit(host)]


_run: _Run | None = None


def begin(state: State, settings: Settings) -> None:
    """Collect from now on; when the process ends the report is shown, and written to `report_dir`. A second call does nothing."""
    global _run
    if _run is not None:
        return
    _run = _Run(state, Path(settings.report_dir), settings.report_keep)
    state.add_callback_handler(_Connections())  # type: ignore[no-untyped-call]
    atexit.register(_finish, _run)


def planned(stack: Stack, seen: Snapshot) -> None:
    """What will be done on the host in context. Once every host has said so, the plan of the whole run is shown."""
    run = _current(stack.settings)
    run.plans[host.name] = plan(stack, seen)
    if run.plans.keys() >= {active.name for active in run.state.inventory.get_active_hosts()}:
        terminal.show_plan({name: tuple(due.sentences()) for name, due in run.plans.items()})


def checked(stack: Stack, found: Iterable[Check]) -> None:
    """What the checks of the host in context say."""
    _current(stack.settings).checks[host.name] = tuple(found)


def _current(settings: Settings) -> _Run:
    begin(ctx_state.get(), settings)  # type: ignore[no-untyped-call]
    assert _run is not None
    return _run


class _Connections(BaseStateCallback):
    """Keeps why a host could not be reached."""

    @staticmethod
    def host_connect_error(state: State, host: Host, error: Any) -> None:
        if _run is not None:
            _run.unreachable[host.name] = str(error)


def _finish(run: _Run) -> None:
    report = RunReport(
        id=run_id(run.started),
        started=run.started,
        finished=datetime.now(timezone.utc),
        versions={"pyinfra-compose": __version__, "pyinfra": version("pyinfra"), "python": platform.python_version()},
        hosts=tuple(_host(run, host) for host in run.hosts),
        dry=run.state.current_stage < StateStage.Execute,
    )
    terminal.show(report)
    try:
        path = files.write(report, run.folder, run.keep)
    except SettingsError as error:
        print(error, file=sys.stderr)
    else:
        print(f"Report: {path}", file=sys.stderr)


def _host(run: _Run, host: Host) -> HostReport:
    if host not in run.state.activated_hosts:
        return HostReport(host.name, "unreachable", error=run.unreachable.get(host.name, "could not be reached"))
    due = run.plans.get(host.name, Plan())
    if run.state.current_stage < StateStage.Execute:
        status: Status = "failed" if due.problems else "changed" if due.due else "ok"
        checks = run.checks.get(host.name, ())
        return HostReport(host.name, status, tuple(due.sentences()), checks, _error(run, host, due.problems))
    changes = tuple(line for meta in _operations(run, host) for line in _done(meta))
    checks = run.checks.get(host.name, ())
    if host in run.state.failed_hosts:
        bad = any(not check.verdict.good for check in checks)
        return HostReport(host.name, "failed", changes, checks, None if bad else _error(run, host, due.problems))
    return HostReport(host.name, "changed" if changes else "ok", changes, checks)


def _operations(run: _Run, host: Host) -> Iterator[OperationMeta]:
    """The operations that were run on a host, in their order."""
    for op_hash in run.state.get_op_order():  # type: ignore[no-untyped-call]
        data = run.state.ops[host].get(op_hash)
        if data and data.operation_meta.is_complete():
            yield data.operation_meta


def _done(meta: OperationMeta) -> list[str]:
    """What an operation changed: each script says so, a line for each change."""
    return [line for line in meta.stdout_lines if line.strip()]


def _error(run: _Run, host: Host, problems: tuple[str, ...]) -> str | None:
    """Why a host's run ended: what was found to be in the way, or what the failed command said."""
    if said := failures.get(host.name) or problems:
        return "\n".join(said)
    for meta in _operations(run, host):
        if meta.did_error():
            return "\n".join(meta.stderr_lines[-LAST_LINES:]) or "a command failed and said nothing; run again with -vv"
    return "a question to the host could not be asked; see above" if host in run.state.failed_hosts else None
