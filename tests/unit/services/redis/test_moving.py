"""Whether redis can be moved by replication, as the preview says it, and what it costs where it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.moving import reasons
from operations.services.redis.seen import SeenServer
from operations.stack.adoption import sentences
from operations.stack.settings import Settings
from operations.stack.snapshot import SeenDefinition, SeenOwn
from operations.stack.stack import Stack
from tests.unit.stack.hosts import a_stack
from tests.unit.stack.taken_over import INSIDE, STACK, a_container, a_redis, by_hand, told

REDIS = SeenServer("redis", "7.2.4", "master", keys=2_000_000, memory=368 << 20)
STACKS_MODULES = ("ReJSON", "bf", "redisgears_2", "search", "timeseries")


def of(product: str, version: str, *modules: str) -> SeenServer:
    return replace(REDIS, product=product, version=version, modules=modules)


@pytest.mark.parametrize(
    ("server", "image"),
    [
        (of("redis", "7.4.2", *STACKS_MODULES), "redis/redis-stack:latest"),
        (of("redis", "7.4.2", *STACKS_MODULES), "redis:8"),
        (of("redis", "7.4.2", *STACKS_MODULES), "registry.example:5000/redis:8.2-bookworm"),
        (of("redis", "7.2.4"), "valkey/valkey:8"),
        (of("redis", "7.0.15"), "redis:7"),
        (of("redis", "8.4.0"), "redis:8.0"),
        (of("valkey", "8.1.1"), "redis:7.2"),
        (of("redis", "7.4.2", "mine"), "cache:of-ours"),
        (SeenServer(), "redis:8"),
    ],
)
def test_a_server_that_reads_the_format_and_has_the_modules_can_follow(server: SeenServer, image: str) -> None:
    assert list(reasons(server, image)) == []


@pytest.mark.parametrize(
    ("server", "image", "words"),
    [
        (of("redis", "7.4.2", *STACKS_MODULES), "redis:7.4", "modules ReJSON, bf, redisgears_2, search, timeseries"),
        (of("redis", "7.4.2", "mine"), "redis/redis-stack:latest", "modules mine"),
        (of("redis", "7.2.4", "search"), "valkey/valkey:8", "modules search"),
        (of("redis", "7.4.2"), "redis:7.2.4", "redis 7.4.2, and redis:7.2.4 does not read its format"),
        (of("redis", "7.4.2"), "valkey/valkey:8.1", "does not read its format"),
        (of("redis", "7.4.2"), "valkey/valkey:9", "does not read its format"),
        (of("valkey", "9.0.1"), "redis:8", "does not read its format"),
        (of("redis", "7.2.4"), "redis:6.2", "does not read its format"),
        (replace(REDIS, role="slave"), "redis:8", "a replica of another redis"),
    ],
)
def test_one_that_cannot_follow_is_known_by_its_name(server: SeenServer, image: str, words: str) -> None:
    (said,) = reasons(server, image)
    assert words in said


def inside(stack: Stack = STACK, server: SeenServer = REDIS, **fields: Any) -> str:
    redis = {name: fields.pop(name) for name in ("directory",) if name in fields}
    return told(stack, redis=a_redis(server=server, **redis), **fields)


def test_what_cannot_be_moved_stops_the_run_and_it_says_what_a_copy_costs() -> None:
    said = inside(a_stack(redis_image="redis:8"), replace(REDIS, modules=("mine",)))
    for words in ("cannot be moved by replication", "modules mine", "Nothing was changed", 'redis_move = "copy"', "134 s", "11 s"):
        assert words in said
    assert inside(a_stack(redis_image="redis:8", redis_move="copy"), replace(REDIS, modules=("mine",))) == ""


def test_a_server_of_the_same_image_can_follow_whatever_that_is_called() -> None:
    assert inside(server=replace(REDIS, modules=("mine",))) == ""


def test_a_container_with_a_name_of_its_own_has_none_beside_it() -> None:
    own = SeenOwn({"redis": SeenDefinition(named=True)})
    assert "has a container_name" in inside(own=own)
    volume = a_container("redis", "172.18.0.2", image="redis/redis-stack:latest", mounts={INSIDE: "/srv/redis"})
    assert "container_name" not in inside(own=own, containers=(volume,))


def test_what_need_not_be_moved_stops_nothing() -> None:
    """The same image, with its data where the stack has it."""
    assert inside(server=replace(REDIS, modules=("mine",)), directory="/data") == ""


def test_a_later_image_that_cannot_follow_stops_the_run_as_well() -> None:
    there = a_container("redis", "172.18.0.2", image="redis/redis-stack:latest", mounts={"/data": "/opt/erni-ki/data/redis"})
    said = told(a_stack(redis_image="redis:7"), redis=a_redis(server=of("redis", "7.4.2"), directory="/data"), containers=(there,))
    assert said == ""  # 7 is the newest 7
    stack = a_stack(redis_image="redis:7.2")
    assert "does not read its format" in told(
        stack, redis=a_redis(server=of("redis", "7.4.2"), directory="/data"), containers=(there,)
    )


def test_the_preview_says_how_data_is_moved() -> None:
    (said,) = (line for line in sentences(STACK, by_hand(redis=a_redis(server=REDIS))) if "data/redis" in line)
    assert "takes 2000000 keys (368 MB) over while clients write" in said
    stack = a_stack(redis_move="copy")
    (said,) = (line for line in sentences(stack, by_hand(stack, a_redis(server=REDIS))) if "data/redis" in line)
    assert "2000000 keys (368 MB) are copied while writes wait" in said


def test_the_way_is_one_of_two() -> None:
    assert Settings.parse({"redis_move": "copy"}).of("redis", "move") == "copy"
    with pytest.raises(Exception, match="redis_move: is 'tar', expected"):
        a_stack(redis_move="tar")
