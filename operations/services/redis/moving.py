"""Whether what a redis holds can go to another container by replication, and what it costs where it cannot. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...stack.snapshot import UNKNOWN, Snapshot, version
from ...stack.stack import Stack
from .login import RedisLogin
from .seen import SeenServer

COPIED = 15_000  # keys that are compared in a second while writes wait: 2,000,000 took 126 s
LOADED = 200_000  # keys that a server reads in a second when it starts

# Product → the number of the format (RDB) that it writes since a version. A server reads what its product wrote before it.
# Source: RDB_VERSION in src/rdb.h of each; https://github.com/valkey-io/valkey/issues/645 on what the two read of each other
_FORMATS = {
    "redis": (((0,), 9), ((7, 0), 10), ((7, 2), 11), ((7, 4), 12), ((8, 6), 13)),
    "valkey": (((0,), 11), ((9, 0), 80)),
}
_COMMON = 11  # the last one that both read
_MODULES = {
    "bf",
    "rejson",
    "search",
    "timeseries",
    "vectorset",
    "rediscompat",
    "redisgears_2",
}  # of redis-stack, and of redis from 8 on


def needed(redis: RedisLogin, stack: Stack, seen: Snapshot) -> bool:
    """Whether the redis that comes would not find in its folder what the running one holds, or might not be able to read it."""
    found, image = redis.redis(seen), redis.setting("image")
    containers = seen.of(redis.server)
    if not redis.local or found is UNKNOWN or not found.directory or not containers:
        return False
    return not on_volume(redis, stack, seen) or (image is not None and containers[0].image != image)


def on_volume(redis: RedisLogin, stack: Stack, seen: Snapshot) -> bool:
    """Whether redis keeps its data where the stack has it, or the project, which mounts it where it likes: so that it outlives the
    container."""
    found, mounts = redis.redis(seen), next((one.mounts for one in seen.of(redis.server)), {})
    if found is UNKNOWN:
        return False
    if of_project(redis, seen):
        return any(f"{found.directory}/".startswith(f"{target}/") for target in mounts)
    return found.directory == "/data" and mounts.get("/data") == stack.path(redis.data)


def of_project(redis: RedisLogin, seen: Snapshot) -> bool:
    """Whether the project defines redis, so that its volumes stay as they are."""
    return seen.own is not UNKNOWN and redis.server in seen.own.services


def problems(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """Why it cannot be had, where that can be known: nothing is changed then, unless a copy was asked for."""
    found, name = redis.redis(seen), redis.server
    if found is UNKNOWN or not needed(redis, stack, seen):
        return
    running = seen.of(name)[0].image
    image = redis.setting("image") or running
    if image == running and redis.on_disk(seen):  # its container stays
        return
    if seen.own is not UNKNOWN and name in seen.own.services and seen.own.services[name].named:
        yield (
            f"{name}: has a container_name, so Compose cannot make the next one beside it, which is to take over what it holds in "
            f"{found.directory}. Nothing was changed. Take container_name out of the files of the project."
        )
    if redis.setting("move") == "copy":
        return
    keys = found.server.keys
    for reason in reasons(found.server, image, image == running):
        yield (
            f"{name}: cannot be moved by replication: {reason}. Nothing was changed. "
            f'{redis.entry}_move = "copy" moves what can be read: for {keys} keys writes wait for about {1 + keys // COPIED} s, '
            f"then redis is away for about {1 + keys // LOADED} s."
        )


def sentence(redis: RedisLogin, seen: Snapshot) -> str:
    """How what it holds is moved."""
    found = redis.redis(seen)
    keys = f"{found.server.keys} keys ({found.server.memory >> 20} MB)" if found is not UNKNOWN else "its keys"
    if redis.setting("move") == "copy":
        return f"{keys} are copied while writes wait, then it restarts once"
    return f"a second redis takes {keys} over while clients write, then writes wait for about a second, and clients connect again"


def reasons(server: SeenServer, image: str, same: bool = False) -> Iterator[str]:
    """What keeps a server of this image from following it, as far as the image's name tells; + same: it has that image itself."""
    name, _, tag = image.split("@")[0].rpartition("/")[2].partition(":")
    product = next((one for one in _FORMATS if one in name), "")
    number = version(found[0]) if (found := re.match(r"\d+(\.\d+)*", tag)) else ()
    if server.role == "slave":
        yield "it is a replica of another redis itself"
    if not product or same:
        return
    bundled = "stack" in name or "bundle" in name or (product == "redis" and (not number or number >= (8,)))
    if missing := sorted(one for one in server.modules if not bundled or one.lower() not in _MODULES):
        yield f"it has the modules {', '.join(missing)}, and {image} has none of that name"
    if number and server.version and not _reads(product, number, server):
        yield f"it is {server.product} {server.version}, and {image} does not read its format"


def _reads(product: str, number: tuple[int, ...], server: SeenServer) -> bool:
    written = _format(server.product, version(server.version))
    # `8` is the newest 8
    return written <= (_format(product, (*number, 99)) if product == server.product else _COMMON)


def _format(product: str, number: tuple[int, ...]) -> int:
    return max(written for since, written in _FORMATS[product] if since <= number)
