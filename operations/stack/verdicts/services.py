"""Whether services run, answer, and are let in by redis."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Check, Verdict
from ..probes import Probe
from ..snapshot import UNKNOWN, Snapshot
from ..stack import Stack
from .expect import DEPLOY, everywhere, unknown

EXPORTER_METRICS = (
    "redis_up",
    "redis_exporter_last_scrape_error",
    "redis_connected_clients",
    "redis_memory_used_bytes",
    "redis_acl_access_denied_auth_total",
    "redis_errors_total",
)
_WEBSOCKET = ("ENABLE_WEBSOCKET_SUPPORT", "WEBSOCKET_MANAGER", "WEBSOCKET_REDIS_URL")


def container(service: str, seen: Snapshot) -> Check:
    """It runs, and is healthy where it has a healthcheck."""
    name, logs = f"container.{service}", f"Read `docker compose logs {service}` in the stack's folder, then run the deploy again."
    if seen.containers is UNKNOWN:
        return unknown(name, "Docker was not observed")
    containers = seen.of(service)
    if not containers:
        return Check(name, Verdict.FAILED, "there is no container", f"{service} was never started, or was removed.", DEPLOY)
    for one in containers:
        state = f"{one.state}, {one.health}" if one.health else one.state
        if not one.up:
            return Check(name, Verdict.FAILED, state, f"{service} does not run, or its healthcheck fails.", logs)
    return Check(name, Verdict.OK, state)


def probe(declared: Probe, seen: Snapshot) -> Check:
    """A check that the catalogue declares."""
    if declared.id not in seen.probes:
        return unknown(declared.id, f"{' '.join(declared.target)} was not asked", "Run again with -vv.")
    answer = seen.probes[declared.id]
    what = {"http": "status", "metric": declared.target[-1], "command": "exit status", "log": "lines:"}.get(declared.kind, "")
    detail = f"{what} {answer or 'no answer'}".strip()
    if declared.good(answer):
        return Check(declared.id, Verdict.OK, detail)
    wanted = declared.expected if declared.compare == "equals" else f"{declared.compare} {declared.expected}"
    return Check(declared.id, Verdict.FAILED, f"{detail}, expected {wanted}", declared.cause, declared.remedy)


def clients(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    """Open WebUI and the exporter as redis and their logs see them: their own health says nothing about it."""
    if stack.has("openwebui"):
        yield _settings(stack, seen)
        if stack.uses_redis:
            yield _login(stack, seen)
        yield _refused(seen)
    if stack.has("redis-exporter"):
        yield _scrape(seen)


def _settings(stack: Stack, seen: Snapshot) -> Check:
    file = next(file for file in stack.env_files if file.path == "env/openwebui.env")
    if seen.env is UNKNOWN:
        return unknown("settings.websocket", "not observed")
    keys = seen.env.get(file.path) or {}
    places = {f"{key} in {file.path}": keys.get(key) == file.hashes[key] for key in _WEBSOCKET if key in file.hashes}
    return everywhere("settings.websocket", places, f"{', '.join(_WEBSOCKET)} are as they must be", "another value")


def _login(stack: Stack, seen: Snapshot) -> Check:
    """Redis holds connections from Open WebUI's own address, one of them listens to Socket.IO's channel, and none was refused."""
    name = "openwebui.redis_login"
    redis, own = seen.redis, seen.of("openwebui")
    if redis is UNKNOWN or seen.containers is UNKNOWN:
        return unknown(name, "redis did not answer")
    # another host's redis sees this host's address for all that comes from it
    addresses = {address for one in own for address in one.addresses} if stack.has_redis else {redis.me}
    since = min((one.created for one in own), default=0)
    connected = [client for client in redis.clients if client.address in addresses]
    listening = sum(1 for client in connected if client.channels)
    detail = f"{len(connected)} connections, {listening} of them subscribed; {redis.listeners} on Socket.IO's channel"
    if refused := sum(seen.refused(address, since) for address in addresses):
        detail += f"; {refused} logins refused since its start"
    if connected and listening and redis.listeners and not refused:
        return Check(name, Verdict.OK, detail)
    return Check(
        name, Verdict.FAILED, detail,
        "Open WebUI cannot log in to redis, or does not try, though its /health says 200.",
        "Compare REDIS_URL and WEBSOCKET_REDIS_URL in env/openwebui.env by running the deploy again; "
        "then `docker compose logs openwebui`.",
    )  # fmt: skip


def _refused(seen: Snapshot) -> Check:
    name = "logs.auth_errors"
    if seen.logs is UNKNOWN:
        return unknown(name, "logs were not read")
    log = seen.logs.get("openwebui")
    if log is None:
        return unknown(name, "Open WebUI does not run")
    if not log.refused:
        return Check(name, Verdict.OK, "0 since its start")
    return Check(
        name, Verdict.FAILED, f"{log.refused} lines since its start tell of a refused login",
        "The password in Open WebUI's URLs is, or was, not one that redis accepts.",
        "Run the deploy again. If all else is well, this counts an error that is over: `docker compose restart openwebui`.",
    )  # fmt: skip


def _scrape(seen: Snapshot) -> Check:
    name = "exporter.scrape"
    if seen.metrics is UNKNOWN or "redis_up" not in seen.metrics:
        return Check(
            name, Verdict.FAILED, "no metrics", "The exporter does not answer on its published port.",
            "Read `docker compose logs redis-exporter`; look whether redis_exporter_port is taken by another program.",
        )  # fmt: skip
    values = seen.metrics
    denied = values.get("redis_acl_access_denied_auth_total", values.get('redis_errors_total{err="WRONGPASS"}', 0.0))
    failing = [metric for metric, value in values.items() if metric.startswith("redis_exporter_last_scrape_error") and value]
    detail = (
        f"redis_up {values['redis_up']:.0f}, {values.get('redis_connected_clients', 0):.0f} clients, "
        f"{values.get('redis_memory_used_bytes', 0) / 2**20:.1f} MiB, {denied:.0f} denied logins"
    )
    if failing or values["redis_up"] != 1:
        detail = "; ".join([detail, *failing])
        cause = "The exporter cannot read redis."
        return Check(name, Verdict.FAILED, detail, cause, "Read `docker compose logs redis-exporter`, then run the deploy again.")
    return Check(name, Verdict.OK, detail)
