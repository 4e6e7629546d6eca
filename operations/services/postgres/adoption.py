"""A PostgreSQL that ran before this library came: what keeps its login from being taken over, and what that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ... import COMMAND
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from .login import PostgresLogin

DATA = "/var/lib/postgresql/data"


def problems(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    if not postgres.here or seen.files is UNKNOWN or seen.containers is UNKNOWN:
        return
    yield from _data(postgres, stack, seen)
    found = postgres.postgres(seen)
    if found is UNKNOWN:
        yield from _stopped(postgres, stack, seen)
    elif found.denied:
        yield (
            f"{postgres.server}: its superuser {postgres.admin} could not be asked over the socket in its container: "
            f"{found.denied}. Nothing was changed. Look at {postgres.entry}_admin, and that pg_hba.conf lets it in there without a "
            "password (`local all all trust`)."
        )
    elif postgres.own:
        for what, name, there in (("role", postgres.owner, found.owner), ("database", postgres.database, found.database)):
            if not there:
                setting = f"{postgres.entry}_{'user' if what == 'role' else 'db'}"
                yield f"{postgres.server}: has no {what} {name}. Nothing was changed. Correct {setting}."
    yield from own_problems(postgres, stack, seen)


def own_problems(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """Those of this login, whatever is known of the server."""
    found = postgres.postgres(seen)
    if found is UNKNOWN or not postgres.here:
        return
    there = found.role(postgres.role)
    if there and there.accepted and there.digest != postgres.digest and not postgres.in_place(seen):
        yield (
            f"{postgres.server}: the role of the new password, {postgres.role}, is there with another one: of 65,536 passwords two "
            f"have the same name. Nothing was changed. Make another one with: {COMMAND} secrets new"
        )
    strangers = unmanaged(postgres, stack, seen)
    if strangers and stack.settings.retire == "verified":
        names = f"{', '.join(strangers)} {'is' if len(strangers) == 1 else 'are'}"
        yield (
            f"{postgres.server}: {names} logged in with a password that would be retired. Nothing was changed. Name it in "
            '`services` or `clients`, so that it gets the new login; or set retire = "when_unused", and the previous one stays '
            'accepted until nobody uses it, or "always".'
        )


def sentences(postgres: PostgresLogin, seen: Snapshot) -> Iterator[str]:
    """What becomes of one that runs already and was started by somebody else."""
    owner = next((role for role in postgres.others(seen) if role.name == postgres.owner), None)
    if owner:
        yield (
            f"{postgres.server}: {owner.name} stays the owner of what it has; clients log in as {postgres.role}, which is "
            f"{owner.name} from then on, and the owner's own password goes when every client has been verified"
        )


def unmanaged(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The services of the project that are logged in with a previous password, and whose password this stack does not manage."""
    found = postgres.postgres(seen)
    if found is UNKNOWN or seen.containers is UNKNOWN:
        return ()
    previous = {role.name for role in postgres.others(seen)}
    addresses = {session.address for session in found.sessions if session.user in previous}
    managed = {*stack.clients(postgres.name), postgres.server}
    return tuple(sorted({one.service for one in seen.containers if addresses & set(one.addresses)} - managed))


def _data(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """A database is never left behind: one that is started with another folder is empty."""
    if not postgres.local:
        return
    folder, name = stack.path(postgres.data), postgres.server
    elsewhere = next((source for one in seen.of(name) if (source := one.mounts.get(DATA, "its container")) != folder), None)
    if elsewhere is None and seen.own is not UNKNOWN and name in seen.own.services:
        elsewhere = "what the project's own files say"
    if elsewhere is not None:
        yield (
            f"{name}: its data is in {elsewhere}, and a PostgreSQL of the stack has it in {folder}, where it would be empty. "
            f'Nothing was changed. Take {name} out of `services` and set {postgres.entry}_service = "{name}": the server stays as '
            "the project defines it, and its login is managed all the same."
        )


def _stopped(postgres: PostgresLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """Who may log in can be changed only while it runs, and what a client used until then cannot be known."""
    containers, root = seen.of(postgres.server), stack.settings.stack_dir
    if containers and not any(one.up for one in containers) and not postgres.in_place(seen):
        yield (
            f"{postgres.server}: its container is {containers[0].state}, so it cannot be told of the new login. "
            f"Nothing was changed. Start it as it was (`docker compose up -d {postgres.server}` in {root}), then run again."
        )
