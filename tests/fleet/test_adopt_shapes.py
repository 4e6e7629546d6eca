"""Projects in the shapes that people run are taken over, and nothing of them changes but how their services log in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from operations.controller.secrets import new
from tests.fleet import erni_ki
from tests.fleet.erni_ki import ask, by_hand, put
from tests.fleet.fleet import STACK, containers, wipe
from tests.fleet.passwords import accepts
from tests.fleet.wait import until
from tests.lab import Host

FORMER = "ErniKiRedis2024"
LEFTOVERS = {"compose.no_literal_password", "logs.errors"}


@dataclass(frozen=True)
class Shape:
    """A project that was started by hand.

    + files: path → text
    + services, clients, settings: of its operator
    + changed: service → what of its container may differ afterwards, as `described` calls it
    + database: where its redis has a key that must stay, and who asks
    """

    files: Mapping[str, str]
    services: Sequence[str] = ("redis",)
    clients: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, set[str]] = field(default_factory=dict)


REDIS = "services:\n  redis:\n    image: redis:7.2\n"
LOGIN = {"redis": {"Cmd", "Mounts /run/redis-auth", "Healthcheck"}}
APP = """\
  app:
    image: n8nio/n8n:latest
    restart: unless-stopped
    environment: {REDIS_URL: "redis://:ErniKiRedis2024@redis:6379/5?health_check_interval=30", TZ: Europe/Kyiv}
    mem_limit: 256m
"""
SHAPES = {
    "its own options, volume, port, limits and logging": Shape(
        {
            "compose.yml": f"""\
services:
  redis:
    image: redis:7.2
    restart: always
    command: redis-server --requirepass {FORMER} --maxmemory 100mb --maxmemory-policy noeviction --databases 32
      --notify-keyspace-events KEA --dir /data
    ports: ["127.0.0.1:6390:6379"]
    volumes: ["kept:/data", "./conf:/conf:ro"]
    mem_limit: 512m
    logging: {{driver: local, options: {{max-size: 5m}}}}
    labels: {{mine: "yes"}}
    healthcheck: {{test: ["CMD-SHELL", "redis-cli -a {FORMER} ping | grep PONG"], interval: 2s}}
{APP}volumes: {{kept: {{}}}}
""",
            ".env": "REDIS_PORT=6390\nREDIS_IMAGE=mine\n",
        },
        clients={"app": {"env/app.env": {"REDIS_URL": "{redis.url}"}}},
        changed={**LOGIN, "app": {"Env REDIS_URL"}},
    ),
    "files beside compose.yml": Shape(
        {
            "compose.yml": f"{REDIS}    command: redis-server --requirepass {FORMER} --dir /data\n",
            "compose.override.yml": "services:\n  redis:\n    mem_limit: 300m\n    volumes: ['./mine:/data']\n"
            "  more:\n    image: nginx:1.27\n    restart: always\n",
        },
        changed=LOGIN,
    ),
    "COMPOSE_FILE as Compose takes it": Shape(
        {
            "parts/a.yml": f"{REDIS}    command: [redis-server, --requirepass, {FORMER}, --dir, /data]\n",
            "parts/b.yml": "services:\n  redis:\n    volumes: ['../mine:/data']\n    user: '1000:1000'\n",
            ".env": "export COMPOSE_FILE='./parts/a.yml;./parts/b.yml' # ours\nCOMPOSE_PATH_SEPARATOR=;\n",
            "mine/.keep": "",
        },
        settings={"stack_name": "parts"},  # by the folder of its first file
        changed=LOGIN,
    ),
    "no healthcheck, and a shell": Shape(
        {
            "compose.yml": f"""\
services:
  redis:
    image: redis:7.2
    command: ["sh", "-c", "exec redis-server --dir /data --requirepass '{FORMER}' --save 60 1"]
    healthcheck: {{disable: true}}
    volumes: ["./mine:/data"]
"""
        },
        changed={"redis": {"Cmd", "Mounts /run/redis-auth"}},
    ),
    "an exporter with its password in its command": Shape(
        {
            "compose.yml": f"""\
services:
  redis:
    image: redis:7.2
    command: redis-server --requirepass {FORMER} --dir /data
    volumes: ["./mine:/data"]
  redis-exporter:
    image: oliver006/redis_exporter:latest
    command: ["--redis.password={FORMER}", "--redis.addr=redis://redis:6379", "--debug"]
"""
        },
        services=("redis", "redis-exporter"),
        changed={**LOGIN, "redis-exporter": {"Cmd", "Env REDIS_ADDR", "Env REDIS_EXPORTER_INCL_SYSTEM_METRICS"}},
    ),
    "Open WebUI behind a proxy, with a volume of its own": Shape(
        {
            "compose.yml": f"""\
services:
  redis:
    image: redis:7.2
    command: redis-server --requirepass {FORMER} --dir /data
    volumes: ["./mine:/data"]
  openwebui:
    image: ghcr.io/open-webui/open-webui:main
    volumes: ["open-webui:/app/backend/data"]
    environment:
      - REDIS_URL=redis://:{FORMER}@redis:6379/3
      - WEBUI_NAME=ours
  proxy:
    image: nginx:1.27
    ports: ["8080:80"]
volumes: {{open-webui: {{}}}}
"""
        },
        services=("redis", "openwebui"),
        changed={
            **LOGIN,
            "openwebui": {"Env REDIS_URL", "Env WEBSOCKET_REDIS_URL", "Env WEBSOCKET_MANAGER", "Env ENABLE_WEBSOCKET_SUPPORT"},
        },
    ),
}


def described(host: Host) -> dict[str, dict[str, Any]]:
    """Service → all that its container was made with, by name."""
    listed = host.run("docker ps --all --quiet --filter label=com.docker.compose.service | xargs docker inspect")
    return {one["Config"]["Labels"]["com.docker.compose.service"]: dict(_parts(one)) for one in json.loads(listed)}


def _parts(one: Mapping[str, Any]) -> Any:
    config, how = one["Config"], one["HostConfig"]
    for name in ("Image", "Cmd", "Entrypoint", "User", "Healthcheck"):
        yield name, config.get(name)
    for name in ("PortBindings", "RestartPolicy", "LogConfig", "Memory", "NetworkMode"):
        yield name, how[name]
    yield from ((f"Env {key}", value) for key, _, value in (line.partition("=") for line in config["Env"]))
    yield from ((f"Label {key}", value) for key, value in config["Labels"].items() if not key.startswith("com.docker.compose."))
    yield from ((f"Mounts {mount['Destination']}", mount["Source"]) for mount in one["Mounts"])


def differing(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    found = {
        name: {part for part in {*before[name], *one} if before[name].get(part) != one.get(part)} for name, one in after.items()
    }
    return {name: parts for name, parts in found.items() if parts}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_nothing_changes_but_the_login(hosts: list[Host], tmp_path: Path, shape: Shape) -> None:
    host = hosts[0]
    wipe(host)
    put(host, shape.files)
    host.run(f"chown 1000:1000 {STACK}/mine 2>/dev/null || true")
    by_hand(host, "up --detach --quiet-pull")
    until(lambda: ask(host, FORMER, "SET", "kept", "yes") == "OK", 30)
    before, came = described(host), containers(host)

    settings = {**shape.settings, "services": [*shape.services], "clients": dict(shape.clients)}
    fleet = erni_ki.operator(tmp_path, host, **settings)
    preview = fleet.preview()
    assert preview.ok, preview.output
    assert described(host) == before
    assert FORMER not in preview.output

    run = fleet.deploy()
    assert (set(run.bad_checks(host.name)) <= LEFTOVERS, bool(run.host(host.name)["checks"])) == (True, True), run.output
    after = described(host)
    assert before.keys() == after.keys()
    beyond = {name: parts - shape.changed.get(name, set()) for name, parts in differing(before, after).items()}
    assert not any(beyond.values()), beyond
    assert {name for name, one in containers(host).items() if one == came[name]} == before.keys() - shape.changed.keys()
    assert ask(host, fleet.password, "GET", "kept") == "yes", run.output
    assert not accepts(host, FORMER)

    now = containers(host)
    again = fleet.deploy()
    assert (again.changes(host.name), containers(host)) == ([], now), again.output
    by_hand(host, "up --detach --quiet-pull")
    assert containers(host) == now

    fleet.password = new()
    rolled = fleet.deploy()
    assert (set(rolled.bad_checks(host.name)) <= LEFTOVERS, rolled.host(host.name)["status"]) == (True, "changed"), rolled.output
    beyond = {name: parts - shape.changed.get(name, set()) for name, parts in differing(before, described(host)).items()}
    assert (any(beyond.values()), ask(host, fleet.password, "GET", "kept")) == (False, "yes"), beyond
