"""Whether redis speaks TLS as it should: to whom, and with which certificate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from ... import COMMAND
from ...stack.certificate import RENEWED
from ...stack.check import Check, Verdict
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from ...stack.verdicts.expect import DEPLOY
from . import tls
from .login import RedisLogin
from .seen import SeenRedis

TLS, CERTIFICATE = "redis.tls", "redis.certificate"
RETIRED = (TLS, CERTIFICATE)
MEANINGS = {
    TLS: "Redis listens with TLS alone, and every client of this host is connected with it (where `redis_tls` is on).",
    CERTIFICATE: "Redis proves itself with the certificate of this stack, which clients trust and which lasts for 30 days more.",
}


def listens(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> Iterator[Check]:
    """Where redis listens on this host, and by which port its clients came in."""
    if not redis.certificate:
        return
    if answered.secure is None:
        yield Check(TLS, Verdict.UNKNOWN, "redis does not say where it listens", remedy=DEPLOY)
    elif not answered.secure:
        yield Check(TLS, Verdict.FAILED, "redis speaks no TLS", "It was not started with its configuration.", DEPLOY)
    elif redis.setting("tls") == "optional":
        detail = f"redis listens on port {answered.plain} without TLS too"
        cause = 'It is meant to be so for a change alone (redis_tls = "optional").'
        yield Check(TLS, Verdict.WARNING, detail, cause, 'Set redis_tls = "on" or "off", then run the deploy again.')
    elif answered.plain:
        detail = f"redis listens on port {answered.plain} without TLS too"
        cause = "A rollout has not ended: it failed, was stopped, or not every host that uses this redis was part of it."
        yield Check(TLS, Verdict.FAILED, detail, cause, "Run the deploy again for all of them.")
    else:
        yield Check(TLS, Verdict.OK, f"port {answered.secure} alone")


def without_tls(redis: RedisLogin, stack: Stack, seen: Snapshot, answered: SeenRedis) -> tuple[str, ...]:
    """The clients of this host that are connected without TLS, and should not."""
    if not redis.secure or not answered.plain or seen.containers is UNKNOWN:
        return ()
    addresses = {client.address for client in answered.clients if client.port == answered.plain}
    names = {one.service for one in seen.containers if addresses & set(one.addresses)}
    return tuple(sorted(names.intersection(stack.clients(redis.name))))


def certificate(redis: RedisLogin, seen: Snapshot) -> Iterator[Check]:
    """What redis proves itself with, here or on another host."""
    if not redis.certificate or not (redis.local or redis.secure):
        return
    shown, where = tls.presented(redis, seen), redis.at or redis.server
    if shown is UNKNOWN or shown.lacking:
        detail = f"{where} did not answer with TLS" if shown is UNKNOWN else "there is no openssl on this host to ask with"
        yield Check(CERTIFICATE, Verdict.UNKNOWN, detail, remedy=DEPLOY if shown is UNKNOWN else "Install openssl there.")
        return
    end = min(filter(None, (shown.end, redis.certificate.until)), default=0)
    left = end - seen.machine.time if end and seen.machine is not UNKNOWN else None
    until = datetime.fromtimestamp(end, timezone.utc).strftime("%Y-%m-%d")
    if not shown.trusted:
        yield Check(
            CERTIFICATE, Verdict.FAILED, f"clients do not trust the certificate of {where}: {shown.words}",
            "It has ended, is for another name, or is by an authority that clients are not told to trust.", DEPLOY,
        )  # fmt: skip
    elif redis.local and shown.digest != redis.certificate.digest:
        cause = "A new one takes its place when every client has been verified; that rollout has not ended."
        yield Check(CERTIFICATE, Verdict.FAILED, "another certificate than this stack's", cause, DEPLOY)
    elif left is not None and left < RENEWED:
        yield Check(
            CERTIFICATE, Verdict.WARNING, f"ends on {until}",
            "A deploy renews what the fleet's own authority has issued. This is the operator's own, or the authority itself ends.",
            f"Put another certificate there, or make another authority (`{COMMAND} tls renew --authority`), then run the deploy.",
        )  # fmt: skip
    else:
        yield Check(CERTIFICATE, Verdict.OK, f"trusted, until {until}")
