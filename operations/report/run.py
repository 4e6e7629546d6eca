"""The run of this process: what it plans, changes and finds on each host, collected while it goes, shown and written at its end."""

from __future__ import annotations

import atexit
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
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
from ..stack.diagnosis import explanation
from ..stack.errors import SettingsError
from ..stack.plan import Plan
from ..stack.settings import Settings
from ..stack.stack import Stack
from . import files, terminal
from .model import HostReport, RunReport, Status, run_id

LAST_LINES = 15  # of what a failed command said


@dataclass
class Run:
    """What is known of this run so far. Plans, checks and errors are by the host's name."""

    state: State
    folder: Path
    keep: int
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    id: str = field(default_factory=run_id)
    plans: dict[str, Plan] = field(default_factory=dict)
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)

    @property
    def hosts(self) -> list[Host]:
        return [host for host in self.state.inventory if self.state.is_host_in_limit(host)]

    def operations(self, host: Host) -> Iterator[OperationMeta]:
        """The operations that were run on a host, in their order."""
        for op_hash in self.state.get_op_order():
            data = self.state.ops[host].get(op_hash)
            if data and data.operation_meta.is_complete():
                yield data.operation_meta

    def changes(self, host: Host) -> list[str]:
        """What was changed on a host: the scripts say so, a line for each change."""
        return [line for meta in self.operations(host) for line in meta.stdout_lines if line.strip()]


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
    _run = Run(state, Path(settings.report_dir), settings.report_keep)
    state.add_callback_handler(_Connections())
    atexit.register(_finish, _run)


def planned(plans: Mapping[str, Plan], settings: Settings) -> None:
    """What will be done on which host; it is shown once."""
    begin(ctx_state.get(), settings)
    if not current().plans:
        current().plans.update(plans)
        terminal.show_plan({name: tuple(due.sentences()) for name, due in plans.items()})


def checked(stack: Stack, found: Iterable[Check]) -> None:
    """What the checks of the host in context say."""
    begin(ctx_state.get(), stack.settings)
    current().checks[host.name] = tuple(found)


class _Connections(BaseStateCallback):
    """Keeps why a host could not be reached."""

    @staticmethod
    def host_connect_error(state: State, host: Host, error: Any) -> None:
        if _run is not None:
            _run.unreachable[host.name] = str(error)


def _finish(run: Run) -> None:
    report = RunReport(
        id=run.id,
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


def _host(run: Run, host: Host) -> HostReport:
    if host not in run.state.activated_hosts:
        return HostReport(host.name, "unreachable", error=run.unreachable.get(host.name, "could not be reached"))
    due, checks = run.plans.get(host.name, Plan()), run.checks.get(host.name, ())
    if run.state.current_stage < StateStage.Execute:
        status: Status = "failed" if due.problems else "changed" if due.due else "ok"
        return HostReport(host.name, status, tuple(due.sentences()), checks, "\n".join(due.problems) or None)
    changes = tuple(run.changes(host))
    if host not in run.state.failed_hosts:
        return HostReport(host.name, "changed" if changes else "ok", changes, checks)
    # the checks speak for themselves, but not where they were asked again after files were taken back
    told = any(not check.verdict.good for check in checks) and host.name not in run.taken_back
    return HostReport(host.name, "failed", changes, checks, None if told else _error(run, host))


def _error(run: Run, host: Host) -> str:
    """Why a host's run ended: what the commands that failed said, and what was found to be in the way."""
    said = [line for meta in run.operations(host) if meta.did_error() for line in meta.stderr_lines[-LAST_LINES:]]
    said += failures.get(host.name, [])
    if why := explanation("\n".join(said)):
        said.append(why)
    return "\n".join(said) or "a command failed and said nothing, or the connection was lost; run again with -vv"
