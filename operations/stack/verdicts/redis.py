"""The password at all its places, and what redis itself says about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from ... import COMMAND
from .. import adoption, password, secret_file
from ..acl import ACL_PATH
from ..check import Check, Verdict
from ..fingerprint import fingerprint
from ..lock import TIME
from ..snapshot import MISSING, UNKNOWN, SeenRedis, Snapshot
from ..stack import Stack
from .expect import DEPLOY, everywhere, expect

RETIRED = ("redis.single_password", "redis.old_password_refused")


def places(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    """The one password at all its places, told by fingerprints."""
    if password.RULE.fullmatch(stack.password or ""):
        yield Check("password.rule", Verdict.OK, "letters, digits, - and _, at least 20 of them")
    else:
        cause = "Some readers of a URL would take it for another password."
        yield Check("password.rule", Verdict.FAILED, "breaks the rule", cause, f"Make one with `{COMMAND} secrets new`.")
    found = dict(password.places(stack, seen))
    if not found or seen.acl is UNKNOWN:
        for name in ("password.consistent", "url.form"):
            yield Check(name, Verdict.UNKNOWN, "not observed", remedy=DEPLOY)
        return
    urls = {place: found[place] for place in password.urls(stack)}
    if stack.has_redis:
        found[ACL_PATH] = stack.password_hash in seen.acl
        if seen.redis is not UNKNOWN and seen.redis.hashes:
            found["redis itself"] = stack.password_hash in seen.redis.hashes
    detail = f"fingerprint {fingerprint(stack.password_hash)} in {len(found)} places"
    yield everywhere("password.consistent", found, detail, "another password")
    yield everywhere("url.form", urls, f"{len(urls)} URLs are redis://:<password>@<host>:<port>", "another URL")


def other(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    address = stack.redis_address or ""
    if seen.redis is UNKNOWN:
        cause = f"It does not run, or {address} cannot be reached from this host."
        yield Check(
            "redis.ping", Verdict.UNKNOWN, f"redis at {address} did not answer", cause, f"Look at {stack.settings.redis_host}."
        )
        return
    yield expect(
        "redis.ping", seen.redis.login, "PONG",
        f"The password in secrets/redis/password is not one that redis at {address} accepts.",
        f"Run the deploy for {stack.settings.redis_host} and this host together.",
    )  # fmt: skip


def own(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    redis = seen.redis
    if redis is UNKNOWN:
        about_data = () if stack.own_redis else ("redis.data_on_volume",)
        for name in ("redis.ping", "redis.anonymous_refused", *about_data, *RETIRED):
            yield Check(name, Verdict.UNKNOWN, "redis did not answer", "Its container does not run, or is stuck.", DEPLOY)
        return
    yield expect(
        "redis.ping", redis.login, "PONG",
        f"The password in {stack.password_file} is not one that redis accepts.",
        "Run the deploy again: it brings what redis accepts and the password file in line.",
    )  # fmt: skip
    yield expect(
        "redis.anonymous_refused", redis.anonymous.split(" ")[0], "NOAUTH",
        "redis answers without a password: it was not started with the ACL file.",
        "Look for another `command` or REDIS_ARGS of redis in compose.yml, then run the deploy again.",
    )  # fmt: skip
    if not stack.own_redis:
        yield _data(stack, seen, redis)
    yield from _secret(stack, seen, redis) if stack.own_redis else _retired(stack, seen, redis)


def _data(stack: Stack, seen: Snapshot, redis: SeenRedis) -> Check:
    """What redis keeps outlives its container."""
    folder = stack.path(adoption.DATA)
    source = next((c.mounts.get("/data", "") for c in seen.of("redis")), "")
    where = f"{redis.directory}, /data is {source or 'not mounted'}"
    if not redis.directory or seen.containers is UNKNOWN:
        detail = "redis did not say where it keeps its data" if not redis.directory else "Docker was not observed"
        return Check("redis.data_on_volume", Verdict.UNKNOWN, detail, remedy=DEPLOY)
    if adoption.on_volume(stack, seen):
        return Check("redis.data_on_volume", Verdict.OK, f"{folder} at /data")
    return Check(
            "redis.data_on_volume", Verdict.FAILED, f"redis keeps its data in {where}",
            "The data is not on the host, so it is lost when the container is replaced.",
            f"Save it first (`docker compose exec redis redis-cli SAVE`), copy it to {folder}, then run the deploy again.",
        )  # fmt: skip


def _secret(stack: Stack, seen: Snapshot, redis: SeenRedis) -> Iterator[Check]:
    """The same of a redis that the project defines itself, with several users that share the password."""
    if redis.denied:
        for name in RETIRED:
            yield Check(name, Verdict.SKIPPED, f"redis does not tell ({redis.denied}); it accepts what it was started with")
        return
    others = secret_file.to_retire(stack, seen)
    found = "; ".join(f"{user} also with {', '.join(map(fingerprint, hashes))}" for user, hashes in others.items())
    if others and stack.settings.retire == "when_unused":
        yield from _waiting(stack, seen, found)
    elif others:
        for name in RETIRED:
            cause = "A rollout has not ended: it failed or was stopped."
            yield Check(name, Verdict.FAILED, f"lets in {found}", cause, DEPLOY)
    else:
        users = ", ".join(sorted(secret_file.users(stack, seen)))
        for name in RETIRED:
            yield Check(name, Verdict.OK, f"accepts {fingerprint(stack.password_hash)} alone from {users}")


def _waiting(stack: Stack, seen: Snapshot, accepted: str) -> Iterator[Check]:
    users = adoption.unmanaged(stack, seen)
    used = f"used by {', '.join(users)}" if users else "nobody is logged in with another; the next run retires them"
    for name in RETIRED:
        yield Check(name, Verdict.SKIPPED, f"by the setting retire: {accepted}; {used}")


def _retired(stack: Stack, seen: Snapshot, redis: SeenRedis) -> Iterator[Check]:
    """That one password is accepted, and no other: redis tells the SHA-256 of each, which is exact and needs no login."""
    others = password.others(stack, seen)
    file = MISSING if seen.files is UNKNOWN else seen.files.get(ACL_PATH, MISSING)
    since = datetime.fromtimestamp(file.changed, timezone.utc).strftime(f" since {TIME}") if file.changed else ""
    shown = ", ".join(map(fingerprint, others))
    if others and stack.settings.retire == "when_unused":
        yield from _waiting(stack, seen, f"also accepts {shown}{since}")
        return
    if not others:
        yield Check("redis.single_password", Verdict.OK, f"accepts {fingerprint(stack.password_hash)} alone")
    elif password.accepted(stack, seen):
        yield Check(
            "redis.single_password", Verdict.FAILED, f"{len(others) + 1} passwords are accepted{since}, also {shown}",
            "A rollout has not ended: it failed, was stopped, or not every host that uses this redis was part of it.",
            "Run the deploy again for all of them; the others are retired when every client has been verified.",
        )  # fmt: skip
    else:
        detail = f"accepts {shown}{since}, expected {fingerprint(stack.password_hash)}"
        cause = "The wanted password is a new one that was not rolled out yet, or redis' was changed by hand."
        yield Check("redis.single_password", Verdict.FAILED, detail, cause, DEPLOY)
    if redis.denied:
        detail = f"redis does not tell: {redis.denied}"
        yield Check("redis.old_password_refused", Verdict.UNKNOWN, detail, "Its default user lacks +@all.", DEPLOY)
        return
    yield expect(
        "redis.old_password_refused", ", ".join(map(fingerprint, redis.hashes)), fingerprint(stack.password_hash),
        "redis did not read its ACL file again.", DEPLOY, "accepts",
    )  # fmt: skip
