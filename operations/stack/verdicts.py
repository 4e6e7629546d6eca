"""The checks: what a snapshot says about a stack, each with a verdict and, where it failed, a cause and a remedy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from .catalogue import Probe
from .check import Check, Verdict
from .plan import plan, unobserved
from .snapshot import UNKNOWN, Snapshot
from .stack import Stack

_DEPLOY = "Run the deploy again."


def checks(stack: Stack, seen: Snapshot) -> tuple[Check, ...]:
    """Every check of the stack, in the order in which a person would ask."""
    return (
        _files(stack, seen),
        *(_container(service.name, seen) for service in stack.services),
        *(_redis(stack, seen) if stack.has_redis else ()),
        *(_probe(probe, seen) for probe in stack.probes),
    )


def _files(stack: Stack, seen: Snapshot) -> Check:
    if missing := unobserved(stack, seen):
        return Check("files.in_sync", Verdict.UNKNOWN, f"not observed: {', '.join(missing)}", remedy=_DEPLOY)
    due = plan(stack, seen)
    if due.problems or due.files or due.accept:
        what = [*due.problems, *map(str, due.files), *(["secrets/redis/users.acl"] if due.accept else [])]
        cause = "The files on the host are not as the settings want them."
        return Check("files.in_sync", Verdict.FAILED, "; ".join(what), cause, _DEPLOY)
    return Check("files.in_sync", Verdict.OK, f"{len(stack.managed_paths())} files are as wanted")


def _container(service: str, seen: Snapshot) -> Check:
    name, logs = f"container.{service}", f"Read `docker compose logs {service}` in the stack's folder, then run the deploy again."
    if seen.containers is UNKNOWN:
        return Check(name, Verdict.UNKNOWN, "Docker was not observed", remedy="Look whether Docker runs on the host.")
    containers = seen.of(service)
    if not containers:
        return Check(name, Verdict.FAILED, "there is no container", f"{service} was never started, or was removed.", _DEPLOY)
    for container in containers:
        state = f"{container.state}, {container.health}" if container.health else container.state
        if not container.up:
            return Check(name, Verdict.FAILED, state, f"{service} does not run, or its healthcheck fails.", logs)
    return Check(name, Verdict.OK, state)


def _redis(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    # Docker shows the source without a trailing or doubled slash
    redis, folder = seen.redis, str(PurePosixPath(stack.settings.stack_dir, "data/redis"))
    if redis is UNKNOWN:
        for name in ("redis.ping", "redis.anonymous_refused", "redis.data_on_volume"):
            yield Check(name, Verdict.UNKNOWN, "redis did not answer", "Its container does not run, or is stuck.", _DEPLOY)
        return
    yield _expect(
        "redis.ping", redis.login, "PONG",
        "The password in secrets/redis/password is not one that redis accepts.",
        "Run the deploy again: it brings users.acl and the password file in line.",
    )  # fmt: skip
    yield _expect(
        "redis.anonymous_refused", redis.anonymous.split(" ")[0], "NOAUTH",
        "redis answers without a password: it was not started with the ACL file.",
        "Look for another `command` or REDIS_ARGS of redis in compose.yml, then run the deploy again.",
    )  # fmt: skip
    source = next((c.mounts.get("/data", "") for c in seen.of("redis")), "")
    where = f"{redis.directory}, /data is {source or 'not mounted'}"
    if not redis.directory or seen.containers is UNKNOWN:
        detail = "redis did not say where it keeps its data" if not redis.directory else "Docker was not observed"
        yield Check("redis.data_on_volume", Verdict.UNKNOWN, detail, remedy=_DEPLOY)
    elif redis.directory == "/data" and source == folder:
        yield Check("redis.data_on_volume", Verdict.OK, f"{folder} at /data")
    else:
        yield Check(
            "redis.data_on_volume", Verdict.FAILED, f"redis keeps its data in {where}",
            "The data is not on the host, so it is lost when the container is replaced.",
            f"Save it first (`docker compose exec redis redis-cli SAVE`), copy it to {folder}, then run the deploy again.",
        )  # fmt: skip


def _probe(probe: Probe, seen: Snapshot) -> Check:
    if probe.id not in seen.probes:
        return Check(probe.id, Verdict.UNKNOWN, f"{probe.url} was not asked", remedy="Run again with -vv.")
    return _expect(probe.id, seen.probes[probe.id], probe.expected, probe.cause, probe.remedy, probe.metric or "status")


def _expect(name: str, found: str, expected: str, cause: str | None, remedy: str | None, what: str = "") -> Check:
    what = f"{what} " if what else ""
    if found == expected:
        return Check(name, Verdict.OK, f"{what}{found}")
    return Check(name, Verdict.FAILED, f"{what}{found or 'no answer'}, expected {expected}", cause, remedy)
