"""The service that is redis may have any name: it is told by what runs and answers as redis does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from operations.facts.state import SeenState
from operations.services.redis.facts import Servers
from operations.stack import adoption
from operations.stack.errors import SettingsError
from operations.stack.plan import plan
from operations.stack.snapshot import Applied, SeenContainer, SeenDefinition, SeenOwn, Snapshot
from operations.stack.stack import Stack, fragment_path
from tests.unit.stack.hosts import a_stack, converged, redis_of, with_answer

WEB = {"web": {"env/web.env": {"REDIS_URL": "{redis.url}"}}}
STACK = a_stack(services=["redis"], clients=WEB)
RENAMED = a_stack(services=["redis"], clients=WEB, redis_service="broker")
BROKER = SeenContainer("1" * 64, "broker", "running", "", "hash", ("172.18.0.2",), {}, image="mine:1")


def seen(stack: Stack = STACK, running: tuple[str, ...] = (), **own: SeenDefinition) -> Snapshot:
    """A project with these services; those that run and answer as redis does."""
    there = replace(converged(stack), own=SeenOwn(dict(own)), containers=(), fragments=(), applied=Applied())
    return with_answer("redis.servers", running)(there)


def told(found: Snapshot, stack: Stack = STACK) -> Mapping[str, str]:
    return adoption.told(stack, found)


def problems(found: Snapshot, stack: Stack = STACK) -> str:
    return "\n".join(plan(stack, found).problems)


REDIS, OTHER = SeenDefinition(image="docker.io/library/redis:8"), SeenDefinition(image="nginx")
POINTS = SeenDefinition(urls={"REDIS_URL": "redis://broker:6379/0"})


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (seen(running=("broker",), broker=OTHER), "broker"),
        (seen(broker=REDIS), "broker"),
        (seen(broker=SeenDefinition(image="valkey/valkey:8"), web=OTHER), "broker"),
        (seen(broker=REDIS, cache=REDIS, web=POINTS), "broker"),
        (seen(running=("cache", "broker"), broker=OTHER, cache=OTHER, web=POINTS), "broker"),
        (replace(seen(broker=OTHER), called={"redis": "broker"}), "broker"),
        # none, or it has the name that the catalogue has for it
        (seen(), None),
        (seen(redis=REDIS, cache=REDIS), None),
        (seen(web=REDIS), None),
        (seen(broker=REDIS, cache=REDIS), None),
    ],
)
def test_it_is_told_by_what_runs_what_is_defined_and_who_points_to_it(found: Snapshot, name: str | None) -> None:
    assert told(found) == ({"redis_service": name} if name else {})


def test_where_nobody_can_tell_the_preview_says_so() -> None:
    said = problems(seen(broker=REDIS, cache=REDIS))
    assert "no service of that name, but broker and cache are" in said
    assert 'redis_service = "broker"' in said
    another = a_stack(services=["redis"], clients=WEB, redis_service="redis")
    assert problems(seen(another, broker=REDIS, cache=REDIS), another) == ""


def test_a_setting_that_names_none_is_told() -> None:
    assert "define no broker" in problems(seen(RENAMED, redis=REDIS), RENAMED)


@pytest.mark.parametrize("name", ["web", "Broker", "a b"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="redis_service"):
        a_stack(services=["redis"], clients=WEB, redis_service=name)


def test_an_empty_one_beside_a_project_is_never_added_unsaid() -> None:
    assert "redis: the project has none, so an empty one is added to it" in plan(STACK, seen(web=OTHER)).adopt
    assert "broker: is the redis of this project" in plan(RENAMED, seen(RENAMED, broker=REDIS)).adopt


def test_all_of_it_has_that_name() -> None:
    redis = redis_of(RENAMED)
    assert (redis.entry, redis.server, redis.data) == ("redis", "broker", "data/redis")
    assert [one.name for one in RENAMED.services] == ["broker", "web"]
    (fragment, _) = RENAMED.fragments(True, {"broker": REDIS, "web": OTHER})
    assert fragment.path == fragment_path("broker")
    assert list(yaml.safe_load(fragment.content.replace("!reset", ""))["services"]) == ["broker"]
    assert "REDIS_URL=redis://:the-Password_of-these-tests-0@broker:6379/0" in RENAMED.env_files[1].lines.values()
    assert RENAMED.manifest().content == "broker redis\nweb\n"


def test_what_depends_on_it_does_so_by_that_name() -> None:
    stack = a_stack(services=["watchtower", "redis", "redis-exporter", "openwebui"], redis_service="broker")
    texts = {one.path: one.content for one in stack.fragments(True)}
    exporter = yaml.safe_load(texts["compose.d/redis-exporter.yml"].replace("!reset", "").replace("!override", ""))
    assert "broker" in exporter["services"]["redis-exporter"]["depends_on"]
    assert "      broker: {condition: service_healthy, required: false}" in texts["compose.d/openwebui.yml"]
    assert {one.name: one.needs for one in stack.services}["redis-exporter"] == ("broker",)


def asked(containers: Any, called: Mapping[str, str] | None = None, stack: Stack = STACK) -> bool:
    state = SeenState(Applied(), (), called=called or {})
    return any(
        fact is Servers for fact, _ in redis_of(stack).asked_again(stack, {"containers": containers, "state": state}).values()
    )


def test_who_answers_is_asked_only_where_nothing_else_tells() -> None:
    assert asked((BROKER,))
    assert not asked(())
    assert not asked((replace(BROKER, service="redis"), BROKER))
    assert not asked((BROKER,), {"redis": "broker"})
    assert not asked((BROKER,), stack=RENAMED)
