"""A stack: what Compose is told of the project's files, and what a part of it still has."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from operations.stack.errors import SettingsError
from operations.stack.stack import OVERLAY, Stack
from tests.unit.stack.catalogues import SHIPPED, definition, values
from tests.unit.stack.hosts import a_stack


def names(stack: Stack) -> list[str]:
    return [service.name for service in stack.services]


# A part of it: what a restored project still has


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
    assert a_stack().only(["watchtower", "redis"]).has("redis")
    assert not a_stack().only(["watchtower"]).has("redis")


def test_all_of_a_stack_is_that_stack() -> None:
    stack = a_stack()
    all_of_it = stack.only(names(stack))
    assert [getattr(all_of_it, one.name) for one in fields(Stack)] == [getattr(stack, one.name) for one in fields(Stack)]


def test_a_stack_of_nothing_is_a_mistake() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(services=())
    assert caught.value.problems == ("services: the list is empty. Name at least one service of the catalogue.",)


# What lies in .env


def test_compose_is_told_of_the_projects_own_files_first() -> None:
    clients = {"n8n": {"env/n8n.env": {"QUEUE_TLS": "no"}}}
    stack = a_stack(services=["watchtower"], compose_files=["compose/base.yml", "compose/data.yml"], clients=clients)
    files = "compose/base.yml:compose/data.yml:compose.d/watchtower.yml:compose.d/n8n.yml:compose.d/.overlay.yml"
    assert values(stack.dotenv)["COMPOSE_FILE"] == files
    assert values(stack.dotenv)["COMPOSE_PATH_SEPARATOR"] == ":"
    assert stack.inputs() == (
        "compose/base.yml", "compose/data.yml", ".env", "compose.d/watchtower.yml", "compose.d/n8n.yml", OVERLAY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "root"),
    [
        (["compose.yml"], "."),
        (["docker-compose.yml", "compose/data.yml"], "."),
        (["compose/base.yml", "compose.yml"], ".."),
        (["deploy/compose/base.yml"], "../.."),
    ],
)
def test_the_way_from_the_projects_folder_to_the_stacks_is_told(files: list[str], root: str) -> None:
    assert a_stack(compose_files=files).variables["redis"]["STACK_ROOT"] == root


def test_a_project_with_files_of_its_own_gets_no_base_file() -> None:
    assert [file.path for file in a_stack().base()] == ["compose.yml"]
    assert a_stack(compose_files=["docker-compose.yml"]).base() == ()
    assert a_stack(compose_files=["compose.yml", "more.yml"]).base() == ()


@pytest.mark.parametrize("service", SHIPPED)
def test_without_an_image_the_projects_own_stays(service: str) -> None:
    name = f"{service.replace('-', '_')}_image"
    every: dict[str, Any] = {"services": [*SHIPPED], "redis_flavour": "stack"}
    without = a_stack(**{**every, name: None})
    assert "image" not in definition(without, service)
    given = a_stack(**{**every, name: "mirror/it:1"})
    assert definition(given, service)["image"] == "mirror/it:1"
