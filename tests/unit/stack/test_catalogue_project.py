"""The project that the catalogue makes up, as Compose itself understands it."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.facts.project import Project
from operations.stack.snapshot import UNKNOWN, SeenProject
from operations.stack.stack import Stack
from tests.unit.stack.catalogues import GUIDE, MARKER, ROOT, Put, compose, definition, write_project
from tests.unit.stack.hosts import a_client, a_stack
from tests.unit.stubs import StubHost

Understood = Callable[..., SeenProject]


# One redis for several hosts


@pytest.mark.parametrize("services", [["openwebui"], ["watchtower", "openwebui"]])
def test_compose_accepts_the_project_of_a_client(compose_bin: list[str], tmp_path: Path, services: list[str]) -> None:
    write_project(a_client(services=services), tmp_path, start_interval=True)
    assert sorted(compose(compose_bin, tmp_path, "config", "--services").split()) == sorted(services)


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_compose_publishes_on_the_address_that_is_set(compose_bin: list[str], tmp_path: Path, address: str) -> None:
    write_project(a_stack(bind_address=address), tmp_path, start_interval=True)
    resolved = json.loads(compose(compose_bin, tmp_path, "config", "--format", "json"))
    for name in ("openwebui", "redis-exporter"):
        assert [port["host_ip"] for port in resolved["services"][name]["ports"]] == [address]


@pytest.mark.parametrize("address", ["10.0.0.5", "fd00::5"])
def test_compose_publishes_a_redis_for_others(compose_bin: list[str], tmp_path: Path, address: str) -> None:
    write_project(a_stack(redis_publish=address, redis_tls="off", redis_port=16379), tmp_path, start_interval=True)
    resolved = json.loads(compose(compose_bin, tmp_path, "config", "--format", "json"))
    (port,) = resolved["services"]["redis"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == (address, "16379", 6379)


# Compose itself


@pytest.mark.parametrize("start_interval", [True, False], ids=["new engine", "old engine"])
@pytest.mark.parametrize("image", ["redis/redis-stack:latest", "redis:8"])
def test_compose_accepts_the_merged_project(compose_bin: list[str], tmp_path: Path, image: str, start_interval: bool) -> None:
    write_project(a_stack(redis_image=image), tmp_path, start_interval)
    compose(compose_bin, tmp_path, "config", "--quiet")


@pytest.mark.parametrize("name", GUIDE)
def test_compose_accepts_every_file_of_the_catalogue(compose_bin: list[str], tmp_path: Path, name: str) -> None:
    stack = a_stack()
    write_project(stack, tmp_path, start_interval=True)
    # what it depends on must be defined for Compose, too
    depends_on = definition(stack, name).get("depends_on", {})
    files = [f"--file=compose.d/{other}.yml" for other in (*depends_on, name)]
    compose(compose_bin, tmp_path, "--project-directory=.", *files, "config", "--quiet")


def test_compose_finds_all_services_without_being_told_any_file(compose_bin: list[str], tmp_path: Path) -> None:
    write_project(a_stack(), tmp_path, start_interval=True)
    assert sorted(compose(compose_bin, tmp_path, "config", "--services").split()) == list(GUIDE)


def test_compose_understands_the_definitions_as_they_are_meant(compose_bin: list[str], tmp_path: Path) -> None:
    write_project(a_stack(), tmp_path, start_interval=True)
    resolved = json.loads(compose(compose_bin, tmp_path, "config", "--format", "json", "--no-interpolate=false"))
    assert resolved["name"] == "erni-ki"
    redis = resolved["services"]["redis"]
    assert redis["command"][:2] == ["sh", "-c"]
    assert 'exec /usr/bin/dumb-init sh -c "trap : TERM INT; . /entrypoint.sh"' in redis["command"][2]
    assert "exec docker-entrypoint.sh $$server --dir /data $$REDIS_ARGS" in redis["command"][2]
    assert len(redis["command"]) == 3
    assert "ports" not in redis
    kind, asked = redis["healthcheck"].pop("test")
    assert (kind, asked.splitlines()[-1]) == (
        "CMD-SHELL", 'REDISCLI_AUTH="$$password" redis-cli --user "$${user:-default}" ping | grep -qx PONG',
    )  # fmt: skip
    assert redis["healthcheck"] == {
        "interval": "30s", "timeout": "3s", "retries": 5, "start_period": "20s", "start_interval": "2s",
    }  # fmt: skip
    assert redis["stop_grace_period"] == "30s"
    assert [(v["source"], v["target"]) for v in redis["volumes"]] == [
        (f"{tmp_path}/data/redis", "/data"), (f"{tmp_path}/secrets/redis", "/run/redis-auth"),
    ]  # fmt: skip
    (port,) = resolved["services"]["openwebui"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8080", 8080)


def test_the_only_definitions_that_compose_shows_a_password_in_are_those_with_an_env_file(
    compose_bin: list[str], tmp_path: Path
) -> None:
    write_project(a_stack(MARKER), tmp_path, start_interval=True)
    resolved = json.loads(compose(compose_bin, tmp_path, "config", "--format", "json"))
    shown = {name for name, found in resolved["services"].items() if MARKER in json.dumps(found)}
    assert shown == {"openwebui", "redis-exporter"}


@pytest.fixture
def project(compose_bin: list[str], tmp_path: Path) -> Understood:
    """The merged project of a stack, as Compose understands it on a host."""
    host = StubHost(tmp_path)
    host.stub("docker", f'shift; exec {shlex.join(compose_bin)} "$@"')

    def understood(stack: Stack, base: str | None = None) -> SeenProject:
        write_project(stack, host.root, start_interval=True)
        if base is not None:
            host.write("compose.yml", base)
        fact = Project()
        found = fact.process(host.command(fact.command(str(host.root))).stdout.splitlines())
        assert found is not UNKNOWN
        return found

    return understood


def test_compose_orders_the_services_as_the_catalogue_does(project: Understood) -> None:
    found = project(a_stack())
    assert {name: set(needs) for name, needs in found.needs.items()} == {
        "watchtower": set(),
        "redis": {"watchtower"},
        "redis-exporter": {"watchtower", "redis"},
        "openwebui": {"watchtower", "redis"},
    }
    assert found.definitions.keys() == set(GUIDE)


def test_a_changed_password_changes_no_definition(project: Understood) -> None:
    assert project(a_stack("Former_Password-9876543210")) == project(a_stack(MARKER))


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        ({"redis_loglevel": "verbose"}, {"redis"}),
        ({"openwebui_port": 3000}, {"openwebui"}),
        ({"watchtower_image": "mirror/watchtower"}, {"watchtower"}),
        ({"bind_address": "0.0.0.0"}, {"openwebui", "redis-exporter"}),
        ({"health_start_interval": "1s"}, {"watchtower", "redis", "openwebui"}),
        ({"openwebui_env": {"WEBUI_NAME": "ERNI"}}, set()),
        ({"start_timeout": 7}, set()),
    ],
)
def test_a_changed_setting_changes_the_definitions_that_it_concerns_and_no_other(
    project: Understood, changed: dict[str, Any], concerned: set[str]
) -> None:
    before, after = project(a_stack()).definitions, project(a_stack(**changed)).definitions
    assert {name for name in GUIDE if before[name] != after[name]} == concerned


def test_a_service_of_the_base_file_may_depend_on_those_of_the_catalogue(project: Understood) -> None:
    found = project(a_stack(), base="services: {litellm: {image: x, depends_on: [redis]}}")
    assert found.needs["litellm"] == ("redis",)
    assert found.definitions.keys() == {*GUIDE, "litellm"}


# What an operator adds, as docs/catalogue.md has it


def test_the_documented_example_works(
    put: Put, folder: str, compose_bin: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    (example, *_) = re.findall(r" *```yaml\n(.*?)```", (ROOT / "docs" / "catalogue.md").read_text(), re.DOTALL)
    put("n8n", textwrap.dedent(example))
    stack = a_stack(services=["watchtower", "redis", "n8n"], catalog_dirs=[folder])
    project = tmp_path_factory.mktemp("project")
    write_project(stack, project, start_interval=True)
    assert "n8n" in compose(compose_bin, project, "config", "--services").split()
    assert "QUEUE_BULL_REDIS_HOST=redis\n" in (project / "env/n8n.env").read_text()
