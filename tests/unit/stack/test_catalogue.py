"""The catalogue that is shipped: the guide's services, their settings, and one redis for several hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from operations.stack.catalogue import catalogue
from tests.unit.stack.catalogues import EVERY, MARKER, ROOT, SHIPPED, definition, env_of
from tests.unit.stack.hosts import ADDRESS, a_client, a_stack, redis_of

# What is shipped


def test_the_catalogue_holds_the_guides_services_postgres_and_two_more_clients_of_redis() -> None:
    assert tuple(sorted(catalogue())) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_fragment_is_the_file_of_the_catalogue_byte_for_byte(name: str) -> None:
    (path,) = (ROOT / "operations" / "services").glob(f"*/{name}.yml")
    assert catalogue()[name].fragment(start_interval=True, given=EVERY).encode() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "awaited"),
    [
        ("watchtower", ()),
        ("redis", ("watchtower",)),
        ("redis-exporter", ("watchtower", "redis")),
        ("openwebui", ("watchtower", "redis")),
    ],
)
def test_services_wait_for_those_that_the_guide_names_until_they_are_healthy(name: str, awaited: tuple[str, ...]) -> None:
    depends_on = definition(a_stack(), name).get("depends_on", {})
    assert {other: how["condition"] for other, how in depends_on.items()} == dict.fromkeys(awaited, "service_healthy")


@pytest.mark.parametrize(("name", "needs"), [("watchtower", ()), ("redis", ()), ("redis-exporter", ("redis",)), ("openwebui", ())])
def test_nothing_needs_an_updater_and_open_webui_alone_no_redis_beside_it(name: str, needs: tuple[str, ...]) -> None:
    assert catalogue()[name].needs == needs


@pytest.mark.parametrize("services", [["redis"], ["redis", "redis-exporter", "openwebui"]])
def test_a_stack_without_watchtower_names_it_nowhere(services: list[str]) -> None:
    stack = a_stack(services=services)
    assert not any("watchtower" in definition(stack, name).get("depends_on", {}) for name in services)


@pytest.mark.parametrize(
    ("services", "awaited"),
    [(("watchtower", "redis", "openwebui"), ("watchtower", "redis")), (("watchtower", "openwebui"), ("watchtower",))],
)
def test_it_waits_for_those_of_them_that_are_on_its_host(services: tuple[str, ...], awaited: tuple[str, ...]) -> None:
    stack = a_stack(services=services, **({} if "redis" in services else {"redis_host": "erni-1"}))
    assert stack.waits_for(stack.services[-1]) == awaited


@pytest.mark.parametrize("name", SHIPPED)
def test_containers_read_their_own_env_file_but_servers_whose_password_would_restart_them(name: str) -> None:
    assert catalogue()[name].reads_env is (name not in ("postgres", "redis", "watchtower"))


IMPORTANT_LOGGING = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


# docs/from-the-guide.md, line by line
@pytest.mark.parametrize(
    ("service", "path", "expected"),
    [
        ("redis", "image", "redis/redis-stack:latest"),
        ("redis", "stop_grace_period", "30s"),
        (
            "redis",
            "environment.REDIS_ARGS",
            "--aclfile /run/redis-auth/users.acl --save --appendonly yes --maxmemory-policy allkeys-lru --loglevel notice",
        ),
        ("redis", "volumes", ["./data/redis:/data", "./secrets/redis:/run/redis-auth:ro"]),
        (
            "redis",
            "healthcheck.test",
            [
                "CMD-SHELL",
                "{ read -r password; read -r _ user; } </run/redis-auth/password\n"
                'REDISCLI_AUTH="$password" redis-cli --user "${user:-default}" ping | grep -qx PONG',
            ],
        ),
        ("redis", "healthcheck.interval", "30s"),
        ("redis", "healthcheck.timeout", "3s"),
        ("redis", "healthcheck.retries", 5),
        ("redis", "healthcheck.start_period", "20s"),
        ("redis", "healthcheck.start_interval", "2s"),
        ("redis", "restart", "unless-stopped"),
        ("redis", "logging", IMPORTANT_LOGGING),
        ("redis", "labels", {"com.centurylinklabs.watchtower.enable": "false"}),
        ("openwebui", "image", "ghcr.io/open-webui/open-webui:latest"),
        ("openwebui", "env_file", ["./env/openwebui.env"]),
        ("openwebui", "ports", ["127.0.0.1:8080:8080"]),
        ("openwebui", "volumes", ["./data/openwebui:/app/backend/data"]),
        ("openwebui", "healthcheck.interval", "30s"),
        ("openwebui", "restart", "unless-stopped"),
        ("openwebui", "logging", IMPORTANT_LOGGING),
        ("openwebui", "labels", {"com.centurylinklabs.watchtower.enable": "true"}),
        ("redis-exporter", "image", "oliver006/redis_exporter:latest"),
        ("redis-exporter", "env_file", ["./env/redis-exporter.env"]),
        ("redis-exporter", "ports", ["127.0.0.1:9121:9121"]),
        ("redis-exporter", "restart", "unless-stopped"),
        ("redis-exporter", "logging", IMPORTANT_LOGGING),
        ("redis-exporter", "labels", {"com.centurylinklabs.watchtower.enable": "true"}),
        ("watchtower", "image", "nickfedor/watchtower:1"),
        ("watchtower", "healthcheck.test", ["CMD", "/watchtower", "--health-check"]),
        ("watchtower", "healthcheck.interval", "60s"),
        ("watchtower", "healthcheck.timeout", "10s"),
        ("watchtower", "healthcheck.retries", 3),
        ("watchtower", "healthcheck.start_period", "30s"),
        ("watchtower", "restart", "unless-stopped"),
        ("watchtower", "logging", IMPORTANT_LOGGING),
        ("watchtower", "labels", {"com.centurylinklabs.watchtower.enable": "false"}),
    ],
)
def test_the_guides_definitions_are_kept(service: str, path: str, expected: object) -> None:
    found: Any = definition(a_stack(), service)
    for key in path.split("."):
        found = found[key]
    assert found == expected


def test_open_webui_is_asked_for_its_health_as_the_guide_does() -> None:
    words = definition(a_stack(), "openwebui")["healthcheck"]["test"]
    assert words[:3] == ["CMD", "curl", "--fail"]
    assert words[-1] == "http://localhost:8080/health"


def test_the_exporters_image_has_no_tool_for_a_healthcheck() -> None:
    assert "healthcheck" not in definition(a_stack(), "redis-exporter")


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            "redis",
            {
                "REDIS_PASSWORD": MARKER,
                "REDIS_OVERCOMMIT_MEMORY": "1",
                "REDIS_SAVE_POLICY": "",
                "REDIS_MAXMEMORY_POLICY": "allkeys-lru",
                "REDIS_LOG_LEVEL": "notice",
            },
        ),
        (
            "openwebui",
            {
                "ENABLE_WEBSOCKET_SUPPORT": "true",
                "WEBSOCKET_MANAGER": "redis",
                "REDIS_URL": f"redis://:{MARKER}@redis:6379/0",
                "WEBSOCKET_REDIS_URL": f"redis://:{MARKER}@redis:6379/0",
            },
        ),
        (
            "redis-exporter",
            {"REDIS_ADDR": f"redis://:{MARKER}@redis:6379", "REDIS_EXPORTER_INCL_SYSTEM_METRICS": "true"},
        ),
    ],
)
def test_the_guides_env_files_are_kept(service: str, expected: Mapping[str, str]) -> None:
    assert env_of(a_stack(MARKER), service) == expected


@pytest.mark.parametrize(
    ("setting", "value", "service", "path", "expected"),
    [
        ("redis_health_interval", "5s", "redis", "healthcheck.interval", "5s"),
        ("redis_health_retries", 9, "redis", "healthcheck.retries", 9),
        ("openwebui_health_start_period", "5m", "openwebui", "healthcheck.start_period", "5m"),
        ("health_start_interval", "500ms", "watchtower", "healthcheck.start_interval", "500ms"),
        ("bind_address", "0.0.0.0", "openwebui", "ports", ["0.0.0.0:8080:8080"]),
        ("redis_exporter_port", 9200, "redis-exporter", "ports", ["127.0.0.1:9200:9121"]),
        ("watchtower_image", "mirror:5000/watchtower:1", "watchtower", "image", "mirror:5000/watchtower:1"),
    ],
)
def test_a_setting_reaches_its_place(setting: str, value: Any, service: str, path: str, expected: object) -> None:
    found: Any = definition(a_stack(**{setting: value}), service)
    for key in path.split("."):
        found = found[key]
    assert found == expected


def test_redis_settings_reach_redis_and_the_file_for_people() -> None:
    stack = a_stack(redis_save="3600 1", redis_appendonly=False, redis_maxmemory_policy="noeviction")
    arguments = definition(stack, "redis")["environment"]["REDIS_ARGS"]
    assert "--save 3600 1 --appendonly no --maxmemory-policy noeviction" in arguments
    assert env_of(stack, "redis")["REDIS_SAVE_POLICY"] == "3600 1"


@pytest.mark.parametrize("image", ["redis:8.2", "valkey/valkey:9", "registry.example/cache:1"])
def test_every_image_gets_the_same_command_which_asks_it_how_it_starts(image: str) -> None:
    command = definition(a_stack(redis_image=image), "redis")["command"]
    assert command == definition(a_stack(), "redis")["command"]
    assert "entrypoint.sh" in command


def test_probes_ask_where_the_ports_are_published() -> None:
    stack = a_stack(bind_address="::", openwebui_port=3000, redis_exporter_port=9200)
    assert {probe.id: probe.target for probe in stack.probes} == {
        "exporter.redis_up": ("http://[::1]:9200/metrics", "redis_up"),
        "openwebui.health": ("http://[::1]:3000/health",),
        "openwebui.websocket": ("http://[::1]:3000/ws/socket.io/?EIO=4&transport=websocket",),
    }


# One redis for several hosts


def test_the_redis_of_a_host_alone_publishes_no_port() -> None:
    found = definition(a_stack(), "redis")
    assert "ports" not in found
    assert "#? redis_publish" not in "".join(file.content for file in a_stack().fragments(True))


@pytest.mark.parametrize(
    ("settings", "port"),
    [
        ({"redis_publish": "10.0.0.5", "redis_tls": "off"}, "10.0.0.5:6379:6379"),
        ({"redis_publish": "127.0.0.1", "redis_port": 16379}, "127.0.0.1:16379:6379"),
    ],
)
def test_a_redis_for_others_is_published_on_one_address(settings: dict[str, Any], port: str) -> None:
    assert definition(a_stack(**settings), "redis")["ports"] == [port]


def test_a_client_has_the_address_of_its_redis_in_its_urls() -> None:
    found = env_of(a_client(MARKER), "openwebui")
    assert {found["REDIS_URL"], found["WEBSOCKET_REDIS_URL"]} == {f"redis://:{MARKER}@10.0.0.5:6379/0"}


def test_a_client_has_a_password_file_and_no_acl() -> None:
    stack = a_client(MARKER)
    assert [(file.path, file.mode, file.owner) for file in stack.secret_files()] == [("secrets/redis/password", "0600", "-")]
    assert stack.managed_paths()[-1] == "secrets/redis/password"
    assert "secrets/redis/users.acl" not in stack.managed_paths()


def test_a_client_uses_a_redis_that_it_does_not_have() -> None:
    client, own = redis_of(a_client()), redis_of(a_stack())
    assert (client.local, client.host, client.at, a_client().servers) == (False, "redis-1", ADDRESS, ("redis-1",))
    assert (own.local, own.host, own.at, a_stack().servers) == (True, None, None, ())
    without = a_stack(services=["watchtower"])
    assert (without.credential("redis"), without.credentials, without.secret_files()) == (None, (), ())


def test_a_client_waits_for_nothing_that_it_does_not_have() -> None:
    assert "depends_on" not in definition(a_client(), "openwebui")
    beside = a_client(services=["watchtower", "openwebui"])
    assert list(definition(beside, "openwebui")["depends_on"]) == ["watchtower"]
