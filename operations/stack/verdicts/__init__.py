"""The checks: what a snapshot says about a stack, each with a verdict and, where it failed, a cause and a remedy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..check import Check, Verdict
from ..diagnosis import explained
from ..secret_file import readers
from ..snapshot import Snapshot
from ..stack import Stack
from . import machine, redis, services

EXPORTER_METRICS = services.EXPORTER_METRICS

# what is meant to be so while a password is rolled out
ABOUT_RETIRED = redis.RETIRED
# what is about the host and not about the stack's services
ABOUT_HOST = machine.ABOUT_HOST
# what compares the host with the state that is wanted
ABOUT_WANTED = ("files.in_sync", "password.consistent", "url.form", "settings.websocket", *ABOUT_RETIRED)
# what a redis need not be that somebody else started
ABOUT_ADOPTED = ("redis.ping", "redis.data_on_volume", "redis.anonymous_refused")


def checks(stack: Stack, seen: Snapshot) -> tuple[Check, ...]:
    """Every check of the stack, in the order in which a person would ask; those of `skip_checks` are skipped."""
    return tuple(
        Check(check.id, Verdict.SKIPPED, "by the setting skip_checks")
        if check.id in stack.settings.skip_checks
        else explained(check, seen)
        for check in _all(stack, seen)
    )


def _all(stack: Stack, seen: Snapshot) -> Iterator[Check]:
    yield machine.files(stack, seen)
    names = dict.fromkeys((*(service.name for service in stack.services), *readers(stack, seen)))
    yield from (services.container(name, seen) for name in names)
    if stack.uses_redis:
        yield from redis.places(stack, seen)
        yield from redis.own(stack, seen) if stack.has_redis or stack.own_redis else redis.other(stack, seen)
    yield from (services.probe(probe, seen) for probe in stack.probes)
    yield from services.clients(stack, seen)
    yield from machine.host(stack, seen)
