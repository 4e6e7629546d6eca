"""Reports of fleets of any size, of a password rollout that went wrong on some hosts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from operations.report import HostReport, RunReport, Status
from operations.report.model import Result, Service, Step
from operations.stack.changes import Change, Difference
from operations.stack.check import Check, Verdict

NOW = datetime(2026, 11, 24, 15, 1, 2, tzinfo=timezone.utc)
HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">&lt;b&gt;\u2028'\"`${1}"
_NEEDS = {"watchtower": (), "redis": ("watchtower",), "redis-exporter": ("watchtower", "redis"), "openwebui": ("redis",)}
_FINE = {
    "files.in_sync": "12 files are as desired",
    **{f"container.{name}": "running, healthy" for name in _NEEDS},
    "password.rule": "letters, digits, - and _",
    "password.consistent": "fingerprint 02e93aae6eb5 in 7 places",
    "url.form": "3 URLs are redis://:<password>@<host>:<port>",
    "settings.websocket": "3 variables are as they must be",
    "compose.no_literal_password": "2 files hold none",
    "redis.ping": "PONG",
    "redis.anonymous_refused": "NOAUTH",
    "redis.data_on_volume": "/opt/erni-ki/data/redis at /data",
    "redis.single_password": "accepts 02e93aae6eb5 alone",
    "redis.old_password_refused": "accepts 02e93aae6eb5",
    "exporter.redis_up": "redis_up 1",
    "exporter.scrape": "{n} clients, {n}.2 MB, no login was denied",
    "openwebui.health": "status 200",
    "openwebui.websocket": "Socket.IO answers on /ws/socket.io",
    "openwebui.redis_login": "4 connections from 172.18.0.{n}, none was denied",
    "logs.auth_errors": "0 since the start",
    "logs.errors": "none in 5 minutes",
    "clock.skew": "0.{n} s",
    "disk.space": "{n}.4 GB free on /opt",
}
_BAD = {
    "redis.ping": (
        "WRONGPASS invalid username-password pair or user is disabled., expected PONG",
        "The password in secrets/redis/password is not one that redis accepts.",
        "Run the deploy again: it brings users.acl and the password file in line.",
    ),
    "disk.space": ("0.{n} GB free on /opt", "The disk is nearly full, so redis could not save.", "Make room below /opt/erni-ki."),
}
_STEPS = (
    "Nothing stands in the way",
    "The host may be changed",
    "The stack is locked for this run",
    "Docker Engine and Compose v2 run",
    "Files that will change are backed up",
    "Compose accepts the project and its fragments are written",
    "Credentials: the new password is accepted",
    "Env files are written",
    "Services run, in the order of their dependencies",
    "Every check is ok",
    "Credentials: every other password is refused",
    "Every check is ok without it",
    "The run is noted and the lock given back",
)
_KEYS = {"env/openwebui.env": ("REDIS_URL", "WEBSOCKET_REDIS_URL"), "env/redis-exporter.env": ("REDIS_ADDR",)}


def fleet(count: int, every: int = 0, unlike: bool = False) -> RunReport:
    """A rollout over `count` hosts.

    + every: each host whose number can be divided by it is broken: one way or another
    + unlike: no two hosts fail the same checks, the worst that can be for a page that groups what is equal
    """
    hosts = tuple(_host(n, bool(every) and n % every == 0, unlike) for n in range(1, count + 1))
    end = max((step.finished for host in hosts for step in host.steps if step.finished), default=NOW) + timedelta(seconds=1)
    versions = {"pyinfra-compose": "0.1.0", "pyinfra": "3.10.0", "python": "3.11.7"}
    return RunReport("20261124T150102Z-3f9a", NOW, end, versions, hosts)


def host(name: str, status: Status = "ok", *checks: Check, error: str | None = None) -> HostReport:
    return HostReport(name, status, checks=checks, error=error)


def _host(number: int, broken: bool, unlike: bool) -> HostReport:
    name = f"erni-{number}"
    if broken and number % 4 == 1:
        return HostReport(name, "unreachable", error="Could not connect: timed out")
    bad = {check for n, check in enumerate(_FINE) if number >> n & 1} if unlike else set(_BAD) if broken else set()
    status: Status = "failed" if bad else "changed" if number % 7 else "ok"
    keys = {path: tuple(Difference(key, "9be07a0c11d2", "02e93aae6eb5") for key in keys) for path, keys in _KEYS.items()}
    changed = status != "ok"
    return HostReport(
        name=name,
        status=status,
        changes=(*(f"wrote {path}" for path in keys), "started redis-exporter, openwebui") if changed else (),
        checks=tuple(_check(check, number, check in bad) for check in _FINE),
        steps=tuple(_steps(number, failed=bool(bad), changed=changed)),
        services=tuple(
            Service(service, "running", "unhealthy" if bad and service == "redis" else "healthy", needs)
            for service, needs in _NEEDS.items()
        ),
        files=tuple(Change(p, tuple(f"{d.key} differs" for d in ds), True, ds) for p, ds in keys.items()) if changed else (),
        password_changed=NOW.timestamp() - 3600.0 * number,
    )


def _check(name: str, number: int, bad: bool) -> Check:
    if bad:
        detail, cause, remedy = _BAD.get(name, (f"{name} is {number}", f"What {name} needs is not there.", "Run the deploy again."))
        return Check(name, Verdict.FAILED, detail.format(n=number), cause, remedy)
    verdict = Verdict.SKIPPED if name == "clock.skew" and number % 50 == 0 else Verdict.OK
    return Check(name, verdict, _FINE[name].format(n=number % 97))


def _steps(number: int, failed: bool, changed: bool) -> Iterator[Step]:
    """The first host alone, a quarter of the others, the rest."""
    at = NOW + timedelta(seconds=(0 if number == 1 else 14 if number % 4 == 0 else 29) + number % 5 * 0.15)
    for n, name in enumerate(_STEPS):
        if failed and n > 9:
            yield Step(name, "skipped")
            continue
        result: Result = "failed" if failed and n == 9 else "changed" if changed and n in (2, 4, 6, 7, 8, 10, 12) else "no change"
        took = timedelta(seconds={8: 7.0, 9: 1.1}.get(n, 0.2) if changed else 0.01)
        yield Step(name, result, at, at + took)
        at += took
