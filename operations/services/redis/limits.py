"""What redis' limits cost its clients: connections that were turned away, keys that were thrown away, buffers that overflowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...stack.check import Check, Verdict

if TYPE_CHECKING:
    from .login import RedisLogin
    from .seen import SeenServer

MEMORY = "redis.memory_policy"
# as INFO counts them since redis' start → the check, why that is, and what to do
COUNTERS = {
    "rejected_connections": (
        "redis.rejected_connections",
        "There were more clients than maxclients allows, or one of them leaves connections open.",
        'Raise it (redis_config: maxclients), or have redis close those that say nothing: redis_config = {"timeout": 1800}.',
    ),
    "evicted_keys": (
        "redis.evicted_keys",
        "Memory reached maxmemory, so keys were thrown away: sessions and revoked tokens may be among them.",
        'Raise maxmemory (redis_config), or set redis_maxmemory_policy = "noeviction".',
    ),
    "client_output_buffer_limit_disconnections": (
        "redis.closed_buffers",
        "A client did not read as fast as redis had to send, and was cut off: of WebSocket messages one is lost.",
        'Raise the limit: redis_config = {"client-output-buffer-limit": "pubsub 64mb 16mb 60"}.',
    ),
}
MEANINGS = {
    MEMORY: "Memory has no limit, or keys are kept when it is reached. Else sessions and revoked tokens may be thrown away.",
    "redis.rejected_connections": "No client was turned away since the last run that changed something, or since redis' start.",
    "redis.evicted_keys": "No key was thrown away since then to free memory.",
    "redis.closed_buffers": "No client was cut off since then because it did not read what redis had for it.",
}


def checks(redis: RedisLogin, server: SeenServer, noted: Mapping[str, str]) -> Iterator[Check]:
    """+ noted: what it had counted at the end of the last run that changed something"""
    if not server.start:
        yield from (Check(name, Verdict.SKIPPED, "redis does not say") for name in MEANINGS)
        return
    yield _memory(redis, server)
    before = noted if noted.get("start") == server.start else {}
    since = "the last run that changed something" if before else "its start"
    for counter, (name, cause, remedy) in COUNTERS.items():
        if counter not in server.counted:
            yield Check(name, Verdict.SKIPPED, "this redis does not count them")
        elif grown := _grown(server.counted[counter], before.get(counter, "")):
            yield Check(name, Verdict.WARNING, f"{grown} since {since}", cause, remedy)
        else:
            yield Check(name, Verdict.OK, f"0 since {since}")


def _grown(now: int, noted: str) -> int:
    before = int(noted) if noted.isdecimal() and len(noted) < 20 else 0
    return now - before if now >= before else now  # CONFIG RESETSTAT


def _memory(redis: RedisLogin, server: SeenServer) -> Check:
    if not server.limit:
        return Check(MEMORY, Verdict.OK, f"no limit; {server.policy} would hold where there is one")
    detail = f"{server.limit / 2**20:.0f} MB, then {server.policy}"
    if server.policy == "noeviction":
        return Check(MEMORY, Verdict.OK, detail)
    return Check(
        MEMORY, Verdict.WARNING, detail,
        "When memory is full redis throws keys away, and does not know sessions and revoked tokens from what can be had again.",
        f'Set {redis.server}_maxmemory_policy = "noeviction", or leave maxmemory out; in a file of your own, there.',
    )  # fmt: skip
