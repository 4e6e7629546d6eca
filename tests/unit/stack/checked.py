"""What the checks say of a host on which all was as wanted before some drifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from operations.stack.check import Check, Verdict
from operations.stack.snapshot import UNKNOWN, SeenLog, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import (
    OLD_PASSWORD,
    Drift,
    a_client,
    a_stack,
    all_of,
    converged,
    metrics_page,
    redis_of,
    sha256,
    with_answer,
)

STACK, CLIENT = a_stack(), a_client()
NEW, OLD = redis_of(STACK).digest, sha256(OLD_PASSWORD)
PASSWORD_CHECKS = ("password.consistent", "url.form")
REDIS_CHECKS = (
    "redis.ping",
    "redis.anonymous_refused",
    "redis.client_login",
    "redis.data_on_volume",
    "redis.single_password",
    "redis.old_password_refused",
    "redis.memory_policy",
    "redis.rejected_connections",
    "redis.evicted_keys",
    "redis.closed_buffers",
)
WEBUI_CHECKS = ("openwebui.health", "openwebui.websocket", "settings.websocket", "openwebui.redis_login", "logs.auth_errors")
HOST_CHECKS = ("logs.errors", "compose.no_literal_password", "clock.skew", "disk.space")
IDS = (
    "files.in_sync",
    "container.watchtower",
    "container.redis",
    "container.redis-exporter",
    "container.openwebui",
    "image.same",
    "image.maintained",
    "password.rule",
    *PASSWORD_CHECKS,
    *REDIS_CHECKS,
    "exporter.redis_up",
    *WEBUI_CHECKS,
    "exporter.scrape",
    *HOST_CHECKS,
)
CLIENT_IDS = (
    "files.in_sync",
    "container.openwebui",
    "image.same",
    "image.maintained",
    "password.rule",
    *PASSWORD_CHECKS,
    "redis.ping",
    *WEBUI_CHECKS,
    *HOST_CHECKS,
)


def with_probe(ident: str, value: str | None) -> Drift:
    """The probe answers `value`; None: it could not be asked."""

    def drift(seen: Snapshot) -> Snapshot:
        probes = {name: answer for name, answer in seen.probes.items() if name != ident}
        return replace(seen, probes=probes if value is None else {**probes, ident: value})

    return drift


def verdicts(seen: Snapshot, stack: Stack = STACK) -> Mapping[str, Verdict]:
    return {check.id: check.verdict for check in checks(stack, seen)}


def not_ok(*drifts: Drift, stack: Stack = STACK) -> tuple[Check, ...]:
    """The checks that are not ok on a host where all was as wanted before these drifts; what was so before them does not count."""
    before, found = checks(stack, converged(stack)), checks(stack, all_of(*drifts)(converged(stack)))
    return tuple(check for check in found if check.verdict is not Verdict.OK and check not in before)


def the_bad_one(*drifts: Drift, stack: Stack = STACK) -> Check:
    (check,) = not_ok(*drifts, stack=stack)
    return check


def the_check(name: str, *drifts: Drift, stack: Stack = STACK) -> Check:
    """What this check says on such a host, whatever the others say."""
    (check,) = (check for check in checks(stack, all_of(*drifts)(converged(stack))) if check.id == name)
    return check


def with_logs(**logs: SeenLog) -> Drift:
    """Services complain; a service whose name has a dash is written with an underscore."""

    def drift(seen: Snapshot) -> Snapshot:
        assert seen.logs is not UNKNOWN
        return replace(seen, logs={**seen.logs, **{name.replace("_", "-"): log for name, log in logs.items()}})

    return drift


def with_metrics(**metrics: float) -> Drift:
    page = metrics_page(STACK)

    def drift(seen: Snapshot) -> Snapshot:
        return with_answer(page, {**seen.answer(page), **metrics})(seen)

    return drift
