"""The login at all its places, and what PostgreSQL itself says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...stack.check import Check, Verdict
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from ...stack.verdicts.expect import DEPLOY, everywhere, expect, unknown
from . import adoption
from .login import PostgresLogin
from .seen import SCRAM, SeenPostgres

READY, ANONYMOUS, SINGLE, CLIENT = "postgres.ready", "postgres.anonymous_refused", "postgres.single_login", "postgres.client_login"
MEANINGS = {
    "postgres.consistent": "Every place that clients take the login from holds the same one.",
    READY: "Who logs in with the desired password is the owner. Another host's server answers, and wants a password.",
    ANONYMOUS: "Whoever says no password is asked for one, by SCRAM.",
    SINGLE: "Nobody else can log in as the owner.",
    CLIENT: "Each client holds sessions, all of them as the desired role.",
}


def checks(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> Iterator[Check]:
    places = postgres.places(stack, seen)
    if places:
        yield everywhere("postgres.consistent", places, f"{postgres.role} in {len(places)} places", "another login")
    else:
        yield unknown("postgres.consistent", "not observed")
    found, clients = postgres.postgres(seen), stack.clients(postgres.name) if postgres.here else ()
    if found is UNKNOWN or not found.asks:
        at = f" at {postgres.at}" if postgres.at else ""
        cause = (
            f"It cannot be reached from this host; look at {postgres.host}." if at else "Its container does not run, or is stuck."
        )
        names = (READY, ANONYMOUS, *((SINGLE, *(f"{CLIENT}@{name}" for name in clients)) if postgres.here else ()))
        yield from (unknown(name, f"PostgreSQL{at} did not answer", cause=cause) for name in names)
        return
    yield _ready(postgres, found)
    yield _anonymous(found)
    if postgres.here:
        yield _single(postgres, stack, seen, found)
        yield from (_client(postgres, seen, name) for name in clients)


def _ready(postgres: PostgresLogin, found: SeenPostgres) -> Check:
    """Who logs in with the desired password is the owner. Another host's has no password of this one's to be asked with."""
    if not postgres.here:
        verdict = Verdict.OK if found.asks == SCRAM else Verdict.UNKNOWN
        cause = None if found.asks == SCRAM else "It starts, or its pg_hba.conf has no entry for this host."
        return Check(READY, verdict, f"PostgreSQL at {postgres.at} answers ({found.asks})", cause, None)
    if found.login == postgres.owner:
        return Check(READY, Verdict.OK, f"{found.version or 'PostgreSQL'} takes {postgres.role} for {postgres.owner}")
    return Check(
        READY, Verdict.FAILED, found.login or f"{postgres.role} is not the login in {postgres.password_file}",
        f"PostgreSQL does not let {postgres.role} into {postgres.database} with the password in {postgres.password_file}.",
        "Run the deploy again: it brings the role and the file in line.",
    )  # fmt: skip


def _anonymous(found: SeenPostgres) -> Check:
    """Whoever says no password is asked for one, in the way that shows it to nobody."""
    if found.asks == "error":
        return unknown(
            ANONYMOUS, "PostgreSQL answered with an error", cause="It starts, or its pg_hba.conf has no entry for this host."
        )
    return expect(
        ANONYMOUS, found.asks, SCRAM,
        "pg_hba.conf has an entry before `host all all all scram-sha-256` that asks for less (trust), or for it in a weaker way.",
        "Correct pg_hba.conf in the data folder, then `SELECT pg_reload_conf()`.", "asks for",
    )  # fmt: skip


def _single(postgres: PostgresLogin, stack: Stack, seen: Snapshot, found: SeenPostgres) -> Check:
    if found.denied:
        return unknown(SINGLE, f"PostgreSQL does not say: {found.denied}")
    others = ", ".join(role.name for role in postgres.others(seen))
    if not others and postgres.takes(seen):
        return Check(SINGLE, Verdict.OK, f"accepts {postgres.role} alone")
    if others and stack.settings.retire == "when_unused":
        users = adoption.unmanaged(postgres, stack, seen)
        used = f"used by {', '.join(users)}" if users else "nobody is logged in as another; the next run retires them"
        return Check(SINGLE, Verdict.SKIPPED, f"by the setting retire: also accepts {others}; {used}")
    detail = f"accepts {others or 'nobody'}, expected {postgres.role}"
    if postgres.takes(seen):
        detail = f"also accepts {others}"
    cause = "A rollout has not ended: it failed, was stopped, or not every host that uses this server was part of it."
    return Check(SINGLE, Verdict.FAILED, detail, cause, "Run the deploy again for all of them.")


def _client(postgres: PostgresLogin, seen: Snapshot, service: str) -> Check:
    """The service holds sessions, and all of them as the desired role."""
    name = f"{CLIENT}@{service}"
    if seen.containers is UNKNOWN:
        return unknown(name, "Docker was not observed")
    users = Counter(postgres.sessions(seen, service))
    detail = ", ".join(f"{count} as {user}" for user, count in sorted(users.items())) or "no session"
    if set(users) == {postgres.role}:
        return Check(name, Verdict.OK, detail)
    cause = f"{service} does not log in, or is refused." if not users else f"{service} was not started with its new env file."
    return Check(name, Verdict.FAILED, detail, cause, f"Read `docker compose logs {service}` in the stack's folder. {DEPLOY}")
