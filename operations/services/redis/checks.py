"""The password at all its places, and what redis itself says about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from ... import COMMAND
from ...stack.check import Check, Verdict
from ...stack.credential import Login
from ...stack.fingerprint import fingerprint
from ...stack.lock import TIME
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from ...stack.verdicts.expect import DEPLOY, everywhere, expect
from . import adoption, limits, moving, tls_checks
from .login import RedisLogin
from .seen import SeenRedis
from .users import DEFAULT

REFUSALS = ("NOAUTH", "WRONGPASS")
RETIRED = ("redis.single_password", "redis.old_password_refused")
MEANINGS = {
    "password.rule": "The password keeps the rule: letters, digits, `-` and `_`, at least 20 of them.",
    "password.consistent": "Env files, URLs, the password file, `users.acl` and redis hold the same password, by fingerprints.",
    "url.form": "The URLs are `redis://:<password>@<host>:<port>`, `rediss` with TLS, `<user>` where clients have their own.",
    "redis.ping": "Redis answers PONG with the password.",
    "redis.anonymous_refused": "Redis answers NOAUTH without one.",
    "redis.client_login": "Each client that is connected is logged in as its own user, or as `default` where they share one.",
    "redis.data_on_volume": "Redis keeps its data in `/data`, and that is the stack's `data/redis`.",
    "redis.single_password": "No other password is accepted; else which, by fingerprint, and since when.",
    "redis.old_password_refused": "Redis itself accepts the password alone, in memory too.",
    **limits.MEANINGS,
    **tls_checks.MEANINGS,
}


def checks(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[Check]:
    yield from _everywhere(redis, stack, seen)
    yield from own(redis, stack, seen) if redis.here else other(redis, stack, seen)
    yield from tls_checks.certificate(redis, seen)


def _everywhere(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[Check]:
    """Each password at all its places, told by fingerprints."""
    if not any(redis.rule(value, name) for name, value in redis.values.items()):
        yield Check("password.rule", Verdict.OK, "letters, digits, - and _, at least 20 of them")
    else:
        cause = "Some readers of a URL would take it for another password."
        yield Check("password.rule", Verdict.FAILED, "breaks the rule", cause, f"Make one with `{COMMAND} secrets new`.")
    found = dict(redis.places(stack, seen))
    if not found or seen.texts is UNKNOWN:
        for name in ("password.consistent", "url.form"):
            yield Check(name, Verdict.UNKNOWN, "not observed", remedy=DEPLOY)
        return
    urls = {f"{key} in {file.path}" for file in stack.env_files for key in file.urls if redis.name in file.uses.get(key, ())}
    if redis.local:
        answered = redis.redis(seen)
        found[redis.acl_path] = set(redis.logins) <= set(redis.on_disk(seen))
        if answered is not UNKNOWN and answered.logins:
            found["redis itself"] = set(redis.logins) <= set(answered.logins)
    detail = f"fingerprint {_shown(redis, redis.logins)} in {len(found)} places"
    yield everywhere("password.consistent", found, detail, "another password")
    in_urls = {place: right for place, right in found.items() if place in urls}
    user = "<user>" if redis.users else ""
    yield everywhere(
        "url.form",
        in_urls,
        f"{len(urls)} URLs are redis{'s' if redis.secure else ''}://{user}:<password>@<host>:<port>",
        "another URL",
    )


def other(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[Check]:
    address, answered = redis.at or "", redis.redis(seen)
    if answered is UNKNOWN:
        cause = f"It does not run, or {address} cannot be reached from this host."
        yield Check("redis.ping", Verdict.UNKNOWN, f"redis at {address} did not answer", cause, f"Look at {redis.host}.")
        return
    yield _asked(
        "redis.ping", answered.login, "PONG",
        f"The password in {redis.password_file} is not one that redis at {address} accepts.",
        f"Run the deploy for {redis.host} and this host together.",
    )  # fmt: skip


def own(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[Check]:
    answered = redis.redis(seen)
    if answered is UNKNOWN:
        more = () if redis.own else ("redis.client_login", "redis.data_on_volume")
        for name in ("redis.ping", "redis.anonymous_refused", *more, *RETIRED, *limits.MEANINGS):
            yield Check(name, Verdict.UNKNOWN, "redis did not answer", "Its container does not run, or is stuck.", DEPLOY)
        return
    yield _asked(
        "redis.ping", answered.login, "PONG",
        f"The password in {redis.password_file} is not one that redis accepts.",
        "Run the deploy again: it brings what redis accepts and the password file in line.",
    )  # fmt: skip
    yield _asked(
        "redis.anonymous_refused", answered.anonymous, "NOAUTH",
        "redis answers without a password: it was not started with the ACL file.",
        "Look for another `command` or REDIS_ARGS of redis in compose.yml, then run the deploy again.",
    )  # fmt: skip
    if redis.own:
        yield from _secret(redis, stack, seen, answered)
    else:
        yield _client_login(redis, stack, seen, answered)
        yield from tls_checks.listens(redis, stack, seen, answered)
        yield _data(redis, stack, seen, answered)
        yield from _retired(redis, stack, seen, answered)
    yield from limits.checks(redis, answered.server, seen.counted.get(redis.name, {}))


def _asked(name: str, said: str, expected: str, cause: str, remedy: str) -> Check:
    """What redis says to a PING. Words that are about no login, such as that it loads its data or has too many clients, are no
    verdict on one."""
    word = said.partition(" ")[0]
    if said and word not in ("PONG", *REFUSALS):
        return Check(name, Verdict.UNKNOWN, f"redis says: {said}", remedy=DEPLOY)
    return expect(name, word if word == expected else said, expected, cause, remedy)


def _shown(redis: RedisLogin, logins: Iterable[Login]) -> str:
    """Logins by their fingerprints, and their users where it is not all clients' one."""
    return ", ".join(fingerprint(one.digest) if not redis.users and one.user == DEFAULT else str(one) for one in logins)


def _client_login(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> Check:
    """Each client that is connected is logged in as its own user, and none of these may do what it must not."""
    name = "redis.client_login"
    if seen.containers is UNKNOWN:
        return Check(name, Verdict.UNKNOWN, "Docker was not observed", remedy=DEPLOY)
    services = [one for one in seen.containers if one.service in stack.clients(redis.name)]
    connected = {(one.service, client.user) for one in services for client in answered.clients if client.address in one.addresses}
    wrong = [f"{service} is logged in as {user}" for service, user in sorted(connected) if user != redis.user_of(service)]
    if plain := tls_checks.without_tls(redis, stack, seen, answered):
        cause = "It was not started again since it got its URL, or has another one from somewhere else."
        return Check(name, Verdict.FAILED, f"logged in without TLS: {', '.join(plain)}", cause, DEPLOY)
    if wrong:
        cause = "It was not started again since it got its own login, or has another one from somewhere else."
        return Check(name, Verdict.FAILED, "; ".join(wrong), cause, DEPLOY)
    if answered.allowed:
        cause = "What its user may do was changed by hand."
        return Check(name, Verdict.FAILED, f"may be run: {'; '.join(answered.allowed)}", cause, DEPLOY)
    if unclear := [asked for asked in redis.forbidden if "no permissions" not in answered.dry.get(asked, "")]:
        return Check(name, Verdict.UNKNOWN, f"redis does not say whether it allows: {'; '.join(unclear)}", remedy=DEPLOY)
    users = ", ".join(f"{service} as {user}" for service, user in sorted(connected)) or "nobody is connected"
    return Check(name, Verdict.OK, users + (f"; {len(redis.forbidden)} commands are refused to them" if redis.users else ""))


def _data(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> Check:
    """What redis keeps outlives its container."""
    folder = stack.path(redis.data)
    source = next((c.mounts.get("/data", "") for c in seen.of(redis.server)), "")
    where = f"{answered.directory}, /data is {source or 'not mounted'}"
    if not answered.directory or seen.containers is UNKNOWN:
        detail = "redis did not say where it keeps its data" if not answered.directory else "Docker was not observed"
        return Check("redis.data_on_volume", Verdict.UNKNOWN, detail, remedy=DEPLOY)
    if moving.on_volume(redis, stack, seen):
        where = f"{answered.directory}, which the project mounts" if moving.of_project(redis, seen) else f"{folder} at /data"
        return Check("redis.data_on_volume", Verdict.OK, where)
    if moving.of_project(redis, seen):
        return Check(
            "redis.data_on_volume", Verdict.WARNING, f"redis keeps its data in {answered.directory} of its container",
            "The project mounts nothing there: who removes the container removes the data. A deploy moves it to the next one.",
            f"Give {redis.server} a volume at {answered.directory} in the project's files, then run the deploy again.",
        )  # fmt: skip
    return Check(
            "redis.data_on_volume", Verdict.FAILED, f"redis keeps its data in {where}",
            "The data is not on the host, so it is lost when the container is replaced.",
            f"Save it first (`docker compose exec {redis.server} redis-cli SAVE`), copy it to {folder}, then run the deploy again.",
        )  # fmt: skip


def _secret(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> Iterator[Check]:
    """The same of a redis that the project defines itself, with several users that share the password."""
    if answered.denied:
        for name in RETIRED:
            yield Check(name, Verdict.SKIPPED, f"redis does not say ({answered.denied}); it accepts what it was started with")
        return
    others = redis.others(seen)
    found = ", ".join(map(str, others))
    if others and stack.settings.retire == "when_unused":
        yield from _waiting(redis, stack, seen, found)
    elif others:
        for name in RETIRED:
            cause = "A rollout has not ended: it failed or was stopped."
            yield Check(name, Verdict.FAILED, f"also lets in {found}", cause, DEPLOY)
    else:
        users = ", ".join(sorted(one.user for one in redis.desired(seen)))
        for name in RETIRED:
            yield Check(name, Verdict.OK, f"accepts {fingerprint(redis.digest)} alone from {users}")


def _waiting(redis: RedisLogin, stack: Stack, seen: Snapshot, accepted: str) -> Iterator[Check]:
    users = adoption.unmanaged(redis, stack, seen)
    used = f"used by {', '.join(users)}" if users else "nobody is logged in with another; the next run retires them"
    for name in RETIRED:
        yield Check(name, Verdict.SKIPPED, f"by the setting retire: {accepted}; {used}")


def _retired(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> Iterator[Check]:
    """That one password is accepted, and no other: redis tells the SHA-256 of each, which is exact and needs no login."""
    others = redis.others(seen)
    file = seen.file(redis.acl_path)
    since = datetime.fromtimestamp(file.changed, timezone.utc).strftime(f" since {TIME}") if file.changed else ""
    shown, desired = _shown(redis, others), _shown(redis, redis.logins)
    if others and stack.settings.retire == "when_unused":
        yield from _waiting(redis, stack, seen, f"also accepts {shown}{since}")
        return
    if not others:
        yield Check("redis.single_password", Verdict.OK, f"accepts {desired} alone")
    elif set(redis.logins) <= set(redis.accepted(seen)):
        count = len(redis.logins) + len(others)
        yield Check(
            "redis.single_password", Verdict.FAILED, f"{count} passwords are accepted{since}, also {shown}",
            "A rollout has not ended: it failed, was stopped, or not every host that uses this redis was part of it.",
            "Run the deploy again for all of them; the others are retired when every client has been verified.",
        )  # fmt: skip
    else:
        detail = f"accepts {shown}{since}, expected {desired}"
        cause = "The desired password is a new one that was not rolled out yet, or redis' was changed by hand."
        yield Check("redis.single_password", Verdict.FAILED, detail, cause, DEPLOY)
    if answered.denied:
        detail = f"redis does not say: {answered.denied}"
        yield Check("redis.old_password_refused", Verdict.UNKNOWN, detail, f"Its user {redis.user} lacks +@all.", DEPLOY)
        return
    accepted = desired if set(answered.logins) == set(redis.logins) else _shown(redis, answered.logins)
    cause = "redis was not told what to accept."
    yield expect("redis.old_password_refused", accepted, desired, cause, DEPLOY, "accepts")
