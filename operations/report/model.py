"""The report of one run. It never holds a secret, only fingerprints. Its JSON form: `docs/report.schema.json`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from ..stack.check import Check, Verdict

Status = Literal["ok", "changed", "failed", "unreachable"]


@dataclass(frozen=True)
class HostReport:
    """One host: what was changed on it, what its checks say, and the error that ended its run, if one did."""

    name: str
    status: Status
    changes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Reached, without an error, and every check ok or skipped."""
        return self.status in ("ok", "changed") and self.error is None and not self.bad_checks

    @property
    def bad_checks(self) -> tuple[Check, ...]:
        """Those that failed or could not be asked."""
        return tuple(check for check in self.checks if not check.verdict.good)

    def to_dict(self) -> dict[str, Any]:
        """The host's part of the JSON form; its name is the key there."""
        return {
            "status": self.status,
            "changes": list(self.changes),
            "checks": [asdict(check) | {"verdict": check.verdict.value} for check in self.checks],
            "error": self.error,
        }

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> HostReport:
        checks = tuple(Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in data["checks"])
        return cls(name, data["status"], tuple(data["changes"]), checks, data["error"])


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

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "run": {
                "id": self.id,
                "started": _written(self.started),
                "finished": _written(self.finished),
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


def _written(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _read(time: str) -> datetime:
    return datetime.fromisoformat(time.replace("Z", "+00:00"))  # Python 3.10 does not know the Z
