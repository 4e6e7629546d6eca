"""What a project's own definition of redis says of networks, users and commands is known before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.seen import SeenRedis
from operations.stack.plan import plan
from operations.stack.snapshot import SeenDefinition, SeenOwn, Snapshot
from tests.unit.stack.hosts import OLD_PASSWORD, a_stack, converged, redis_of, sha256, with_answer

STACK = a_stack(services=["redis"], clients={"web": {"env/web.env": {"REDIS_URL": "{redis.url}"}}})


def seen(own: Mapping[str, SeenDefinition], **redis: Any) -> Snapshot:
    there = replace(converged(STACK), own=SeenOwn(own), fragments=(), texts={})
    return with_answer("redis", SeenRedis("NOAUTH", "WRONGPASS", users={"default": (sha256(OLD_PASSWORD),)}, place="x", **redis))(
        there
    )


def problems(redis: SeenDefinition, web: SeenDefinition | None = None, urls: Mapping[str, str] | None = None, **found: Any) -> str:
    there = replace(seen({"redis": redis, "web": web or SeenDefinition()}, **found), urls={"env/web.env": urls or {}})
    return "\n".join(plan(STACK.adapted(there), there).problems)


@pytest.mark.parametrize(
    ("user", "owner"), [("1000:1000", "1000:1000"), ("999", "999:999"), ("root", "0:0"), ("redis", "0:0"), ("", "0:0")]
)
def test_its_files_are_for_who_it_runs_as(user: str, owner: str) -> None:
    there = seen({"redis": SeenDefinition(user=user)})
    assert redis_of(STACK.adapted(there)).owner == owner
    assert "runs as" not in problems(SeenDefinition(user=user))


def test_a_user_whom_only_the_image_knows_is_told() -> None:
    assert "redis: runs as nobody, and only its image knows who that is" in problems(SeenDefinition(user="nobody"))


@pytest.mark.parametrize("network", ["none", "service:vpn", "container:vpn"])
def test_one_without_an_address_of_its_own_is_told(network: str) -> None:
    assert f"redis: has network_mode {network}" in problems(SeenDefinition(network=network))
    assert "network_mode" not in problems(SeenDefinition(network="host"))


def test_a_client_for_whom_its_name_is_none_is_told() -> None:
    host = SeenDefinition(network="host")
    assert "web: shares the host's network" in problems(SeenDefinition(), host)
    assert "web: is not in the network of redis" in problems(host)
    place = {"REDIS_URL": "redis://127.0.0.1:6379/0"}
    assert problems(SeenDefinition(), host, place) == problems(host, None, place) == ""


def test_commands_that_it_does_not_know_are_told() -> None:
    assert "redis: does not know CONFIG and ACL" in problems(SeenDefinition(), renamed=("CONFIG", "ACL"))
