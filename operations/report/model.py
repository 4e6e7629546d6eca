"""The report of one run. It never holds a secret, only fingerprints. Its JSON form: `docs/report.schema.json`."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from importlib.metadata import version
from operator import is_
from typing import Any, Literal

from .. import __version__
from ..stack.changes import Change, Difference
from ..stack.check import Check, Verdict
from ..stack.text import clean

Status = Literal["ok", "changed", "failed", "unreachable"]
Result = Literal["changed", "no change", "failed", "skipped"]

PART_OF = "FLEET_RUN"  # in the environment: the id of the run that this process does a part of


@dataclass(frozen=True)
class Step:
    """One operation on one host. One that was skipped, since the host had failed before it, has no times."""

    name: str
    result: Result
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True)
class Service:
    """One service as the checks saw it. `state` and `health` are Docker's words; `needs`: the services that it waits for."""

    name: str
    state: str
    health: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostReport:
    """One host: what was changed on it, what its checks say, and the error that ended its run, if one did.

    + steps: what was run on it, in order
    + services: as the checks saw them last
    + files: those that were not as desired when the run began
    + password_changed: when what a server accepts was last changed, in seconds since 1970
    """

    name: str
    status: Status
    changes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    error: str | None = None
    steps: tuple[Step, ...] = ()
    services: tuple[Service, ...] = ()
    files: tuple[Change, ...] = ()
    password_changed: float | None = None

    @property
    def ok(self) -> bool:
        """Reached, without an error, and no check that failed or could not be asked."""
        return self.status in ("ok", "changed") and self.error is None and not self.bad_checks

    @property
    def bad_checks(self) -> tuple[Check, ...]:
        """Those that failed or could not be asked."""
        return tuple(check for check in self.checks if not check.verdict.good)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Those that a person should look at, though the host is ok."""
        return tuple(check for check in self.checks if check.verdict is Verdict.WARNING)

    @property
    def duration(self) -> float | None:
        """Seconds from its first step to the end of its last one."""
        started = [step.started for step in self.steps if step.started]
        finished = [step.finished for step in self.steps if step.finished]
        return (max(finished) - min(started)).total_seconds() if started and finished else None

    def to_dict(self) -> dict[str, Any]:
        """The host's part of the JSON form; its name is the key there."""
        data: dict[str, Any] = _plain(self)
        del data["name"]
        return data | {"duration": self.duration}

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> HostReport:
        return cls(
            name=name,
            status=data["status"],
            changes=tuple(data["changes"]),
            checks=tuple(Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in data["checks"]),
            error=data["error"],
            steps=tuple(
                Step(step["name"], step["result"], *(step[k] and _time(step[k]) for k in ("started", "finished")))
                for step in data["steps"]
            ),
            services=tuple(Service(**{**service, "needs": tuple(service["needs"])}) for service in data["services"]),
            files=tuple(_change(file) for file in data["files"]),
            password_changed=data["password_changed"],
        )


@dataclass(frozen=True)
class RunReport:
    """One run over the fleet. Nothing in it that came from a host can steer a terminal or a layout, whatever shows it.

    + id: see `run_id`
    + started, finished: with a time zone
    + versions: of pyinfra-compose, pyinfra, Python ...
    + dry: nothing was changed; the changes are those that a run would make
    """

    id: str
    started: datetime
    finished: datetime
    versions: Mapping[str, str]
    hosts: tuple[HostReport, ...]
    dry: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", tuple(map(_cleaned, self.hosts)))

    @property
    def ok(self) -> bool:
        """There are hosts, and every one of them is ok."""
        return bool(self.hosts) and all(host.ok for host in self.hosts)

    @property
    def duration(self) -> float:
        """Seconds from the start of the run to its end."""
        return (self.finished - self.started).total_seconds()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "run": {
                "id": self.id,
                "started": _plain(self.started),
                "finished": _plain(self.finished),
                "duration": self.duration,
                "versions": dict(self.versions),
                "dry": self.dry,
                "ok": self.ok,
            },
            "hosts": {host.name: host.to_dict() for host in self.hosts},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunReport:
        run = data["run"]
        return cls(
            id=run["id"],
            started=_time(run["started"]),
            finished=_time(run["finished"]),
            versions=dict(run["versions"]),
            hosts=tuple(HostReport.from_dict(name, host) for name, host in data["hosts"].items()),
            dry=run["dry"],
        )


def run_id(now: datetime | None = None) -> str:
    """A new run's id: its UTC time and four random digits, such as 20261124T150102Z-3f9a. Ids sort by time."""
    return f"{(now or datetime.now(timezone.utc)).astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def versions() -> dict[str, str]:
    """What took part in a run, and in which version."""
    return {"pyinfra-compose": __version__, "pyinfra": version("pyinfra"), "python": platform.python_version()}


def _change(data: Mapping[str, Any]) -> Change:
    differences = tuple(Difference(**one) for one in data["differences"])
    return Change(data["path"], tuple(data["reasons"]), data["content"], differences)


def _cleaned(value: Any) -> Any:
    """A value of the model with clean texts; the same one where they are. A host's name is the inventory's, not the host's."""
    if type(value) is str:
        return clean(value)
    if isinstance(value, tuple):
        parts = tuple(map(_cleaned, value))
        return value if all(map(is_, parts, value)) else parts
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for name, old in vars(value).items():
        if isinstance(value, HostReport) and name in ("name", "error"):
            new = clean(old, lines=True) if old and name == "error" else old
        else:
            new = _cleaned(old)
        if new is not old:
            changed[name] = new
    return replace(value, **changed) if changed else value


def _plain(value: Any) -> Any:
    """A value of the model as JSON knows it."""
    if type(value) is str:  # as most are; an Enum's is none
        return value
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return value.value if isinstance(value, Enum) else value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 does not know the Z
