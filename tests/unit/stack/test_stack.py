"""A part of a stack: what a restored project still has of it."""

from __future__ import annotations

import pytest

from operations.stack.stack import Stack
from tests.unit.stack.hosts import a_stack


def names(stack: Stack) -> list[str]:
    return [service.name for service in stack.services]


@pytest.mark.parametrize(
    ("kept", "services", "env", "probes"),
    [
        (["watchtower", "redis"], ["watchtower", "redis"], ["env/redis.env"], []),
        (
            ["openwebui", "watchtower", "litellm"],
            ["watchtower", "openwebui"],
            ["env/openwebui.env"],
            ["openwebui.health", "openwebui.websocket"],
        ),
        ([], [], [], []),
    ],
)
def test_a_part_has_its_services_their_env_files_and_their_checks(
    kept: list[str], services: list[str], env: list[str], probes: list[str]
) -> None:
    part = a_stack().only(kept)
    assert names(part) == services
    assert [file.path for file in part.env_files] == env
    assert [probe.id for probe in part.probes] == probes


def test_a_part_knows_whether_it_has_the_redis() -> None:
    assert a_stack().only(["watchtower", "redis"]).has_redis
    assert not a_stack().only(["watchtower"]).has_redis


def test_all_of_a_stack_is_that_stack() -> None:
    assert a_stack().only(names(a_stack())) == a_stack()
