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
    + redis: the service that is redis
    """

    files: Mapping[str, str]
    services: Sequence[str] = ("redis",)
    clients: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, set[str]] = field(default_factory=dict)
    redis: str = "redis"


REDIS = "services:\n  redis:\n    image: redis:7.2\n"
LOGIN = {"redis": {"Cmd", "Mounts /run/redis-auth", "Healthcheck"}}
COMES_IN = {"Env COMPOSE_FILE", "Env COMPOSE_PATH_SEPARATOR", "Env COMPOSE_PROJECT_NAME"}  # into what has .env as its env file
DIFY = {"REDIS_PASSWORD": "{redis.password}", "CELERY_BROKER_URL": "{redis.url}"}
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
    # the official Compose files of applications, as far as their shape goes
    "LiteLLM's, with its cache": Shape(
        {
            "docker-compose.yml": f"""\
services:
  litellm:
    image: ghcr.io/berriai/litellm:main-stable
    ports: ["4000:4000"]
    environment: {{DATABASE_URL: "postgresql://llm:${{DB}}@db:5432/litellm", STORE_MODEL_IN_DB: "True", PORT: "4000",
      REDIS_HOST: redis, REDIS_PORT: 6379, REDIS_PASSWORD: {FORMER}}}
    env_file: [.env]
    depends_on: [db]
  redis:
    image: docker.io/redis:7
    command: ["redis-server", "--requirepass", "{FORMER}"]
    volumes: ["redis:/data"]
  db:
    image: postgres:16
    container_name: litellm_db
    restart: always
    volumes: ["postgres_data:/var/lib/postgresql/data"]
volumes: {{postgres_data: {{name: litellm_postgres_data}}, redis: {{}}}}
""",
            ".env": "LITELLM_MASTER_KEY=sk-1234\nDB=x\n",
        },
        services=("redis", "litellm"),
        changed={**LOGIN, "litellm": {"Env REDIS_PASSWORD", "Env REDIS_USERNAME", "Env REDIS_DB", *COMES_IN}},
    ),
    "SearXNG's, without rights": Shape(
        {
            "docker-compose.yaml": f"""\
services:
  caddy:
    image: caddy:2-alpine
    container_name: caddy
    network_mode: host
    cap_drop: [ALL]
  redis:
    container_name: redis
    image: docker.io/valkey/valkey:8-alpine
    command: valkey-server --save 30 1 --loglevel warning --requirepass {FORMER}
    restart: unless-stopped
    networks: [searxng]
    volumes: ["valkey-data2:/data"]
    cap_drop: [ALL]
    cap_add: [SETGID, SETUID, DAC_OVERRIDE, CHOWN]
    logging: {{driver: json-file, options: {{max-size: 1m, max-file: "1"}}}}
  searxng:
    container_name: searxng
    image: searxng/searxng:latest
    restart: unless-stopped
    networks: [searxng]
    ports: ["127.0.0.1:8080:8080"]
    volumes: ["./searxng:/etc/searxng:rw"]
    environment: ["SEARXNG_BASE_URL=https://${{SEARXNG_HOSTNAME:-localhost}}/", "SEARXNG_VALKEY_URL=valkey://:{FORMER}@redis:6379/0"]
networks: {{searxng: }}
volumes: {{valkey-data2: }}
"""
        },
        services=("redis", "searxng"),
        changed={**LOGIN, "searxng": {"Env SEARXNG_VALKEY_URL"}},
    ),
    "Dify's, with shared variables": Shape(
        {
            "docker-compose.yaml": """\
x-shared-env: &shared
  REDIS_HOST: ${REDIS_HOST:-redis}
  REDIS_PORT: ${REDIS_PORT:-6379}
  REDIS_USERNAME: ${REDIS_USERNAME:-}
  REDIS_PASSWORD: ${REDIS_PASSWORD:-ErniKiRedis2024}
  REDIS_DB: ${REDIS_DB:-0}
  CELERY_BROKER_URL: ${CELERY_BROKER_URL:-redis://:ErniKiRedis2024@redis:6379/1}
services:
  api: &api
    image: n8nio/n8n:latest
    restart: always
    environment: {<<: *shared, MODE: api, SENTRY_DSN: "${API_SENTRY_DSN:-}"}
    depends_on: [redis]
    volumes: ["./volumes/app/storage:/app/api/storage"]
    networks: [ssrf_proxy_network, default]
  worker: {<<: *api, environment: {<<: *shared, MODE: worker}}
  redis:
    image: redis:6-alpine
    restart: always
    environment: {REDISCLI_AUTH: "${REDIS_PASSWORD:-ErniKiRedis2024}"}
    volumes: ["./volumes/redis/data:/data"]
    command: redis-server --dir /data --requirepass ${REDIS_PASSWORD:-ErniKiRedis2024}
    healthcheck: {test: ["CMD-SHELL", "redis-cli -a ${REDIS_PASSWORD:-ErniKiRedis2024} ping | grep -q PONG"]}
networks: {ssrf_proxy_network: {driver: bridge, internal: true}}
"""
        },
        clients={name: {f"env/{name}.env": DIFY} for name in ("api", "worker")},
        changed={
            **LOGIN,
            "api": {"Env REDIS_PASSWORD", "Env CELERY_BROKER_URL"},
            "worker": {"Env REDIS_PASSWORD", "Env CELERY_BROKER_URL"},
        },
    ),
    "Langfuse's, with words for the image's own program": Shape(
        {
            "docker-compose.yml": f"""\
services:
  langfuse-worker:
    image: docker.io/langfuse/langfuse-worker:3
    restart: always
    depends_on: &needs {{redis: {{condition: service_healthy}}}}
    ports: ["127.0.0.1:3030:3030"]
    environment: &env {{SALT: mysalt, REDIS_HOST: redis, REDIS_PORT: 6379, REDIS_AUTH: "${{REDIS_AUTH:-{FORMER}}}"}}
  langfuse-web:
    image: docker.io/langfuse/langfuse:3
    restart: always
    depends_on: *needs
    ports: ["3000:3000"]
    environment: {{<<: *env, NEXTAUTH_SECRET: mysecret}}
  redis:
    image: docker.io/redis:7
    restart: always
    command: >
      --requirepass ${{REDIS_AUTH:-{FORMER}}} --maxmemory-policy noeviction
    ports: ["127.0.0.1:6379:6379"]
    healthcheck: {{test: ["CMD", "redis-cli", "-a", "{FORMER}", "ping"], interval: 3s, timeout: 10s, retries: 10}}
"""
        },
        clients={name: {f"env/{name}.env": {"REDIS_AUTH": "{redis.password}"}} for name in ("langfuse-worker", "langfuse-web")},
        changed={**LOGIN, "langfuse-worker": {"Env REDIS_AUTH"}, "langfuse-web": {"Env REDIS_AUTH"}},
    ),
    "Chatwoot's, with everything in .env": Shape(
        {
            "docker-compose.yaml": """\
services:
  base: &base
    image: chatwoot/chatwoot:latest
    env_file: .env
    volumes: ["storage_data:/app/storage"]
    profiles: [never]
  rails: {<<: *base, profiles: [], depends_on: [redis], ports: ["127.0.0.1:3000:3000"], environment: [NODE_ENV=production]}
  sidekiq: {<<: *base, profiles: [], depends_on: [redis], environment: [NODE_ENV=production], command: [sidekiq]}
  redis:
    image: redis:alpine
    restart: always
    command: ["sh", "-c", "redis-server --dir /data --requirepass \\"$REDIS_PASSWORD\\""]
    env_file: .env
    volumes: ["redis_data:/data"]
    ports: ["127.0.0.1:6379:6379"]
volumes: {storage_data: , redis_data: }
""",
            ".env": f"SECRET_KEY_BASE=x\nREDIS_URL=redis://redis:6379\nREDIS_PASSWORD={FORMER}\nFRONTEND_URL=http://0.0.0.0:3000\n",
        },
        clients={name: {f"env/{name}.env": {"REDIS_PASSWORD": "{redis.password}"}} for name in ("rails", "sidekiq")},
        settings={"adopt_changes": ["base.environment.COMPOSE_*"]},  # it is never started, and reads .env
        changed={
            # what it has of .env and is named like a secret is never written into a fragment
            "redis": {*LOGIN["redis"], "Env REDIS_PASSWORD", "Env SECRET_KEY_BASE"},
            "rails": {"Env REDIS_PASSWORD", *COMES_IN},
            "sidekiq": {"Env REDIS_PASSWORD", *COMES_IN},
        },
    ),
    "n8n's in queue mode": Shape(
        {
            "docker-compose.yml": f"""\
x-shared: &shared
  restart: always
  image: docker.n8n.io/n8nio/n8n:latest
  environment: [EXECUTIONS_MODE=queue, QUEUE_BULL_REDIS_HOST=redis, "QUEUE_BULL_REDIS_PASSWORD={FORMER}"]
  volumes: ["n8n_storage:/home/node/.n8n"]
  depends_on: {{redis: {{condition: service_healthy}}}}
services:
  redis:
    image: docker.io/redis:7-alpine
    restart: always
    command: redis-server --requirepass {FORMER}
    volumes: ["redis_storage:/data"]
    healthcheck: {{test: ["CMD", "redis-cli", "-a", "{FORMER}", "ping"], interval: 5s, timeout: 5s, retries: 10}}
  n8n: {{<<: *shared, ports: ["5678:5678"]}}
  n8n-worker: {{<<: *shared, command: worker, depends_on: [n8n]}}
volumes: {{n8n_storage: , redis_storage: }}
"""
        },
        clients={name: {f"env/{name}.env": {"QUEUE_BULL_REDIS_PASSWORD": "{redis.password}"}} for name in ("n8n", "n8n-worker")},
        changed={**LOGIN, "n8n": {"Env QUEUE_BULL_REDIS_PASSWORD"}, "n8n-worker": {"Env QUEUE_BULL_REDIS_PASSWORD"}},
    ),
    "Authentik's": Shape(
        {
            "docker-compose.yml": f"""\
services:
  redis:
    image: docker.io/library/redis:alpine
    command: --save 60 1 --loglevel warning --requirepass {FORMER}
    restart: unless-stopped
    healthcheck: {{test: ["CMD-SHELL", "redis-cli -a {FORMER} ping | grep PONG"], start_period: 20s, retries: 5}}
    volumes: ["redis:/data"]
  server: &server
    image: ${{AUTHENTIK_IMAGE:-ghcr.io/goauthentik/server}}:2025.2.4
    restart: unless-stopped
    command: server
    environment: {{AUTHENTIK_REDIS__HOST: redis, AUTHENTIK_SECRET_KEY: "${{AUTHENTIK_SECRET_KEY:?secret key required}}"}}
    env_file: [.env]
    volumes: ["./media:/media"]
    ports: ["${{COMPOSE_PORT_HTTP:-9000}}:9000"]
    depends_on: {{redis: {{condition: service_healthy}}}}
  worker: {{<<: *server, command: worker, ports: [], user: root, ulimits: {{nofile: {{soft: 10240, hard: 10240}}}}}}
volumes: {{redis: {{driver: local}}}}
""",
            ".env": f"AUTHENTIK_SECRET_KEY=x\nAUTHENTIK_REDIS__PASSWORD={FORMER}\n",
        },
        clients={name: {f"env/{name}.env": {"AUTHENTIK_REDIS__PASSWORD": "{redis.password}"}} for name in ("server", "worker")},
        changed={
            **LOGIN,
            "server": {"Env AUTHENTIK_REDIS__PASSWORD", *COMES_IN},
            "worker": {"Env AUTHENTIK_REDIS__PASSWORD", *COMES_IN},
        },
    ),
    "Paperless', whose redis is its broker": Shape(
        {
            "docker-compose.yml": f"""\
services:
  broker:
    image: docker.io/library/redis:8
    restart: unless-stopped
    command: redis-server --requirepass {FORMER}
    volumes: ["redisdata:/data"]
  webserver:
    image: n8nio/n8n:latest
    restart: unless-stopped
    depends_on: [broker]
    ports: ["8000:8080"]
    volumes: ["data:/usr/src/paperless/data", "./export:/usr/src/paperless/export"]
    env_file: docker-compose.env
    environment: {{REDIS_URL: "redis://:{FORMER}@broker:6379"}}
volumes: {{data: , redisdata: }}
""",
            "docker-compose.env": "USERMAP_UID=1000\n",
        },
        clients={"webserver": {"env/webserver.env": {"REDIS_URL": "{redis.url}"}}},
        changed={"broker": LOGIN["redis"], "webserver": {"Env REDIS_URL"}},
        redis="broker",
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
    until(lambda: ask(host, FORMER, "SET", "kept", "yes", service=shape.redis) == "OK", 30)
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
    assert ask(host, fleet.password, "GET", "kept", service=shape.redis) == "yes", run.output
    assert "PONG" not in ask(host, FORMER, "PING", service=shape.redis)

    now = containers(host)
    again = fleet.deploy()
    assert (again.changes(host.name), containers(host)) == ([], now), again.output
    by_hand(host, "up --detach --quiet-pull")
    assert containers(host) == now

    fleet.password = new()
    rolled = fleet.deploy()
    assert (set(rolled.bad_checks(host.name)) <= LEFTOVERS, rolled.host(host.name)["status"]) == (True, "changed"), rolled.output
    beyond = {name: parts - shape.changed.get(name, set()) for name, parts in differing(before, described(host)).items()}
    assert (any(beyond.values()), ask(host, fleet.password, "GET", "kept", service=shape.redis)) == (False, "yes"), beyond


MONITORING = f"""\
services:
  exporter:
    image: n8nio/n8n:latest
    environment: ["REDIS_ADDR=redis://:{FORMER}@redis:6379"]
networks: {{default: {{name: erni-ki_default, external: true}}}}
"""


def test_a_container_of_another_project_that_uses_redis_is_not_locked_out(hosts: list[Host], tmp_path: Path) -> None:
    host, shape = hosts[0], SHAPES["files beside compose.yml"]
    wipe(host)
    put(host, shape.files)
    by_hand(host, "up --detach --quiet-pull")
    put(host, {"compose.yml": MONITORING}, "/opt/monitoring")
    by_hand(host, "up --detach --quiet-pull", "/opt/monitoring")
    until(lambda: ask(host, FORMER, "CLIENT", "LIST").count("addr=") >= 2, 30)
    fleet = erni_ki.operator(tmp_path, host, services=["redis"])
    before = described(host)
    refused = fleet.deploy()
    assert "exporter of the project monitoring is logged in with a password that would be retired" in refused.output
    assert described(host) == before

    fleet.settings["retire"] = "when_unused"
    run = fleet.deploy()
    assert set(run.bad_checks(host.name)) <= LEFTOVERS, run.output
    assert ask(host, FORMER, "PING") == "PONG"
    assert fleet.deploy().changes(host.name) == []
    by_hand(host, "down", "/opt/monitoring")
    last = fleet.deploy()
    assert set(last.bad_checks(host.name)) <= LEFTOVERS, last.output
    assert "PONG" not in ask(host, FORMER, "PING")
    host.run("rm -rf /opt/monitoring")
