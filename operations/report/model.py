"""The report of one run. It never holds a secret, only fingerprints. Its JSON form: `docs/report.schema.json`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Literal, overload

from ..stack.check import Check, Verdict
from ..stack.plan import Change, Difference

Status = Literal["ok", "changed", "failed", "unreachable"]
Result = Literal["changed", "no change", "failed", "skipped"]


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
    + files: those that were not as wanted when the run began
    + password_changed: when redis' ACL file was last written, in seconds since 1970
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
        """Reached, without an error, and every check ok or skipped."""
        return self.status in ("ok", "changed") and self.error is None and not self.bad_checks

    @property
    def bad_checks(self) -> tuple[Check, ...]:
        """Those that failed or could not be asked."""
        return tuple(check for check in self.checks if not check.verdict.good)

    @property
    def duration(self) -> float | None:
        """Seconds from its first step to the end of its last one."""
        started = [step.started for step in self.steps if step.started]
        finished = [step.finished for step in self.steps if step.finished]
        return (max(finished) - min(started)).total_seconds() if started and finished else None

    def to_dict(self) -> dict[str, Any]:
        """The host's part of the JSON form; its name is the key there."""
        return {
            "status": self.status,
            "duration": self.duration,
            "changes": list(self.changes),
            "checks": [asdict(check) | {"verdict": check.verdict.value} for check in self.checks],
            "error": self.error,
            "steps": [
                asdict(step) | {"started": _written(step.started), "finished": _written(step.finished)} for step in self.steps
            ],
            "services": [asdict(service) | {"needs": list(service.needs)} for service in self.services],
            "files": [
                {"path": file.path, "reasons": list(file.reasons), "keys": [asdict(key) for key in file.keys]}
                for file in self.files
            ],
            "password_changed": self.password_changed,
        }

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> HostReport:
        return cls(
            name=name,
            status=data["status"],
            changes=tuple(data["changes"]),
            checks=tuple(Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in data["checks"]),
            error=data["error"],
            steps=tuple(
                Step(step["name"], step["result"], _read(step["started"]), _read(step["finished"])) for step in data["steps"]
            ),
            services=tuple(Service(**{**service, "needs": tuple(service["needs"])}) for service in data["services"]),
            files=tuple(
                Change(
                    **{
                        **file,
                        "reasons": tuple(file["reasons"]),
                        "differences": tuple(Difference(**one) for one in file["differences"]),
                    }
                )
                for file in data["files"]
            ),
            password_changed=data["password_changed"],
        )


@dataclass(frozen=True)
class RunReport:
    """One run over the fleet.

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
                "started": _written(self.started),
                "finished": _written(self.finished),
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
            started=_read(run["started"]),
            finished=_read(run["finished"]),
            versions=dict(run["versions"]),
            hosts=tuple(HostReport.from_dict(name, host) for name, host in data["hosts"].items()),
            dry=run["dry"],
        )


def run_id(now: datetime | None = None) -> str:
    """A new run's id: its UTC time and four random digits, such as 20261124T150102Z-3f9a. Ids sort by time."""
    return f"{(now or datetime.now(timezone.utc)).astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@overload
def _written(time: datetime) -> str: ...
@overload
def _written(time: datetime | None) -> str | None: ...
def _written(time: datetime | None) -> str | None:
    return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if time else None


@overload
def _read(time: str) -> datetime: ...
@overload
def _read(time: str | None) -> datetime | None: ...
def _read(time: str | None) -> datetime | None:
    return datetime.fromisoformat(time.replace("Z", "+00:00")) if time else None  # Python 3.10 does not know the Z
