"""The files of the stack, its logs, and the host that carries it."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Check, Verdict
from ..credential import credentials_of
from ..plan import Plan, unobserved
from ..settings import Settings
from ..snapshot import UNKNOWN, SeenMachine, Snapshot, places
from ..stack import Stack
from .expect import DEPLOY, unknown

ABOUT_HOST = ("logs.errors", "compose.no_literal_password", "clock.skew", "disk.space")
MEANINGS = {
    "files.in_sync": "Every managed file and key is as desired, with mode and owner.",
    "logs.errors": "No service logged an error in the last `log_window` seconds, else a warning; `log_allow` names harmless lines.",
    "compose.no_literal_password": "No password is written out in a Compose file; a warning where no server takes it.",
    "clock.skew": "The host's clock is right, within `clock_tolerance` seconds; up to `clock_limit` a warning.",
    "disk.space": "`disk_min_free` megabytes are free for the stack's and Docker's data; down to `disk_limit` a warning.",
}
_MEGABYTE = 1_000_000


def files(stack: Stack, seen: Snapshot, due: Plan) -> Check:
    """Everything that is managed lies there as it is wanted."""
    if missing := unobserved(stack, seen):
        return unknown("files.in_sync", f"not observed: {', '.join(missing)}")
    if due.problems or due.files or due.accept:
        what = [*due.problems, *map(str, due.files), *(f"what {one.name} accepts" for one in due.accept)]
        cause = "The files on the host differ from the settings."
        return Check("files.in_sync", Verdict.FAILED, "; ".join(what), cause, DEPLOY)
    return Check("files.in_sync", Verdict.OK, f"{len(stack.managed_paths())} files are as desired")


def host(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    """What is not about one service."""
    yield _errors(stack, seen)
    yield _literals(stack, seen)
    if seen.machine is UNKNOWN:
        yield from (unknown(name, "not observed") for name in ("clock.skew", "disk.space"))
    else:
        yield _clock(stack.settings, seen.machine)
        yield _disk(stack.settings, seen.machine)


def _clock(settings: Settings, machine: SeenMachine) -> Check:
    off = abs(machine.ahead)
    if off <= settings.clock_tolerance:
        return Check("clock.skew", Verdict.OK, f"within {settings.clock_tolerance} s")
    return Check(
        "clock.skew", Verdict.WARNING if off <= settings.clock_limit else Verdict.FAILED,
        f"{off:.0f} s {'ahead of' if machine.ahead > 0 else 'behind'} this machine",
        "The host's clock, or this machine's, is not kept in time.",
        "Run an NTP client there (systemd-timesyncd, chrony).",
    )  # fmt: skip


def _disk(settings: Settings, machine: SeenMachine) -> Check:
    mount, free = min(machine.free.items(), key=lambda item: item[1])
    detail = f"{free / _MEGABYTE:,.0f} MB free on {mount}"
    if free >= settings.disk_min_free * _MEGABYTE:
        return Check("disk.space", Verdict.OK, detail)
    return Check(
        "disk.space", Verdict.WARNING if free >= settings.disk_limit * _MEGABYTE else Verdict.FAILED,
        f"{detail}, expected {settings.disk_min_free} (disk_min_free)",
        "Services cannot write and cannot be replaced when it is full.",
        "Make room: `docker system df`, `docker image prune`, old logs, old backups.",
    )  # fmt: skip


def _errors(stack: Stack, seen: Snapshot) -> Check:
    if seen.logs is UNKNOWN:
        return unknown("logs.errors", "logs were not read")
    services = [service.name for service in stack.services]
    found = {name: log.errors for name, log in seen.logs.items() if log.errors and name in services}
    if not found:
        return Check("logs.errors", Verdict.OK, f"none in {stack.settings.log_window} s")
    detail = "; ".join(f"{len(lines)} of {name}, the last: {lines[-1].strip()}" for name, lines in found.items())
    return Check(
        "logs.errors", Verdict.WARNING, detail, "A service complains.",
        f"Read `docker compose logs {' '.join(found)}` in the stack's folder. Lines that are no error: log_allow.",
    )  # fmt: skip


def _literals(stack: Stack, seen: Snapshot) -> Check:
    name = "compose.no_literal_password"
    if seen.literals is UNKNOWN:
        return unknown(name, "not observed")
    if not seen.literals:
        return Check(name, Verdict.OK, "none")
    detail = places(seen.literals)
    if all(one.previous for one in seen.literals) and _others_are_refused(stack, seen):
        cause = "A password is written out there that its server refuses already, so it opens nothing."
        return Check(name, Verdict.WARNING, detail, cause, "Take it out of the file, or put a variable in its place.")
    return Check(
        name, Verdict.FAILED, detail,
        "A password is written out where anyone may read it, or where no rollout changes it.",
        "In a Compose file, put a variable in its place, whose value is in a 0600 env file; in an env file, have `clients` "
        "manage it. Then change that password.",
    )  # fmt: skip


def _others_are_refused(stack: Stack, seen: Snapshot) -> bool:
    """Whether every server says that it takes the desired password and no other."""
    found = credentials_of(stack)
    return bool(found) and all(set(one.accepted(seen)) == set(one.logins) for one in found)
