"""Hosts on which the stack ran before this library came, started by somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operations.services.redis.seen import SeenRedis
from operations.stack.adoption import problems
from operations.stack.snapshot import MISSING, UNKNOWN, SeenContainer, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import OLD_PASSWORD, a_stack, converged, sha256

STACK = a_stack()
INSIDE = "/var/lib/redis-stack"


def a_container(service: str, address: str = "172.18.0.9", **fields: Any) -> SeenContainer:
    wanted = {"state": "running", "health": "", "config_hash": "theirs", "mounts": {}, "created": 1, **fields}
    return SeenContainer(id=f"{service} of somebody else", service=service, addresses=(address,), **wanted)


def a_redis(**fields: Any) -> SeenRedis:
    wanted: dict[str, Any] = {
        "anonymous": "NOAUTH Authentication required.", "login": "WRONGPASS", "directory": INSIDE,
        "users": {"default": (sha256(OLD_PASSWORD),)}, "place": "compose.yml",
    }  # fmt: skip
    return SeenRedis(**{**wanted, **fields})


def by_hand(stack: Stack = STACK, redis: SeenRedis | None = None, **fields: Any) -> Snapshot:
    """A host with a compose.yml and a redis of somebody else."""
    bare = converged(stack)
    assert bare.files is not UNKNOWN
    files = {path: file if path == "compose.yml" else MISSING for path, file in bare.files.items()}
    theirs = a_container("redis", "172.18.0.2", image="redis/redis-stack:latest", mounts={"/data": "/opt/erni-ki/data/redis"})
    answers = {"redis": redis or a_redis()}
    wanted = {"files": files, "env": {}, "texts": {}, "fragments": (), "containers": (theirs,), "answers": answers}
    return replace(bare, **{**wanted, **fields})


def told(stack: Stack = STACK, **fields: Any) -> str:
    """What keeps the stack from being taken over on such a host."""
    return "\n".join(problems(stack, by_hand(stack, **fields)))
