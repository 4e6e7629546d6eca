"""What is told from redis' settings: how its image is started."""

from __future__ import annotations

import pytest

from operations.services.redis.settings import flavour
from operations.stack.settings import Settings


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("redis/redis-stack:latest", "stack"),
        ("redis/redis-stack-server:7.4.0-v3", "stack"),
        ("redis/redis-stack", "stack"),
        ("docker.io/redis/redis-stack:7", "stack"),
        ("redis/redis-stack@sha256:" + "a" * 64, "stack"),
        ("redis/redis-stack:7@sha256:" + "a" * 64, "stack"),
        ("redis", "official"),
        ("redis:7.2", "official"),
        ("redis:8.2", "official"),
        ("docker.io/library/redis:8-alpine", "official"),
        ("redis@sha256:" + "a" * 64, "official"),
        ("valkey/valkey:8", "official"),
        ("valkey/valkey:9.1-alpine", "official"),
    ],
)
def test_the_images_of_rediss_own_makers_are_known_by_their_whole_names(image: str, kind: str) -> None:
    assert flavour(Settings.parse({"redis_image": image})) == kind


@pytest.mark.parametrize(
    "image",
    [
        "bitnami/redis:7", "cache", "my-redis:7", "valkey/valkey-bundle", "team/redis-stack",
        "registry.example:5000/redis", "registry.example:5000/redis/redis-stack:7", "localhost/redis", None,
    ],
)  # fmt: skip
def test_any_other_image_must_say_itself_how_it_starts(image: str | None) -> None:
    assert flavour(Settings.parse({"redis_image": image})) is None


def test_the_flavour_is_as_set_whatever_the_image_is_called() -> None:
    assert flavour(Settings.parse({"redis_image": "cache:1", "redis_flavour": "official"})) == "official"
    assert flavour(Settings.parse({"redis_image": "redis:8", "redis_flavour": "stack"})) == "stack"
    assert flavour(Settings.parse({"redis_image": None, "redis_flavour": "official"})) == "official"
