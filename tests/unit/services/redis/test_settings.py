"""What is told from redis' settings: how its image is started."""

from __future__ import annotations

import pytest

from operations.services.redis.settings import flavour
from operations.stack.settings import Settings
from tests.unit.stack.settings_told import only_problem


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("redis/redis-stack:latest", "stack"),
        ("redis/redis-stack-server:7.4.0-v3", "stack"),
        ("redis/redis-stack", "stack"),
        ("registry.example:5000/mirror/redis-stack:7", "stack"),
        ("registry.example:5000/redis-stack", "stack"),
        ("redis/redis-stack@sha256:" + "a" * 64, "stack"),
        ("redis/redis-stack:7@sha256:" + "a" * 64, "stack"),
        ("redis", "official"),
        ("redis:8", "official"),
        ("docker.io/library/redis:8-alpine", "official"),
        ("registry.example:5000/redis", "official"),
        ("redis@sha256:" + "a" * 64, "official"),
        ("valkey/valkey:8", "official"),
    ],
)
def test_the_flavour_is_told_from_the_image(image: str, kind: str) -> None:
    assert flavour(Settings.parse({"redis_image": image})) == kind


def test_the_flavour_is_as_set_whatever_the_image_is_called() -> None:
    assert flavour(Settings.parse({"redis_image": "cache:1", "redis_flavour": "official"})) == "official"
    assert flavour(Settings.parse({"redis_image": "redis:8", "redis_flavour": "stack"})) == "stack"


def test_an_image_of_the_projects_own_is_taken_for_the_guides_unless_set() -> None:
    assert flavour(Settings.parse({"redis_image": None})) == "stack"
    assert flavour(Settings.parse({"redis_image": None, "redis_flavour": "official"})) == "official"


@pytest.mark.parametrize("image", ["cache", "registry.example/redis-stack/cache:redis", "my-redis:7"])
def test_an_image_that_does_not_tell_its_flavour_is_refused(image: str) -> None:
    assert only_problem(redis_image=image).startswith(f"redis_image: {image!r} does not say")


def test_the_image_of_a_redis_that_is_not_in_the_stack_need_not_tell_its_flavour() -> None:
    assert flavour(Settings.parse({"redis_image": "cache", "services": ["watchtower"]})) is None
