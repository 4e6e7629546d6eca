"""A Compose project that is there already, as Compose itself understands it once fragments are merged over its own files."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.controller.files import put_list
from operations.facts.base import ScriptFact
from operations.facts.files import EnvKeys
from operations.facts.project import Own
from operations.stack.adoption import problems
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import PASSWORD, a_stack
from tests.unit.stubs import StubHost

OWN = """\
x-logging: &logging
  driver: fluentd
  options: {fluentd-address: "localhost:24224"}
services:
  watchtower:
    image: containrrr/watchtower:1.5
    environment: {WATCHTOWER_POLL_INTERVAL: "60"}
    healthcheck: {test: ["CMD", "/watchtower", "--health-check"]}
  redis:
    image: redis/redis-stack-server:7.2.0-v19
    container_name: old-redis
    command: redis-stack-server --requirepass ${OLD_PASSWORD}
    env_file: [./env/redis.env, ./env/common.env]
    ports: ["6379:6379"]
    logging: *logging
  openwebui:
    image: ghcr.io/open-webui/open-webui:v0.6
    env_file: ./env/openwebui.env
    ports: ["3000:8080"]
    environment:
@ENVIRONMENT@
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}
    logging: *logging
  litellm:
    image: ghcr.io/berriai/litellm:main
    environment: [REDIS_HOST=old, "REDIS_PASSWORD=${OLD_PASSWORD}", LITELLM_MODE=proxy]
    depends_on: [db]
  searxng:
    image: searxng/searxng:2025.8
    environment: {SEARXNG_REDIS_URL: "redis://:${OLD_PASSWORD}@redis:6379/1", INSTANCE_NAME: ours}
  n8n:
    image: n8nio/n8n:1.100
    env_file: [./env/common.env]
    environment: {QUEUE_PASSWORD: "${OLD_PASSWORD}", N8N_PORT: 5678}
  db:
    image: postgres:17
    environment: [POSTGRES_PASSWORD=x]
    logging: *logging
  nginx:
    image: nginx:1.29
    profiles: [edge]
"""
AS_A_MAPPING = """\
      REDIS_URL: redis://:${OLD_PASSWORD}@redis:6379/0
      OLLAMA_BASE_URL: http://ollama:11434
      PRICE: "$$5"
"""
AS_A_LIST = """\
      - REDIS_URL=redis://:${OLD_PASSWORD}@redis:6379/0
      - OLLAMA_BASE_URL=http://ollama:11434
      - "PRICE=$$5"
"""
SERVICES = ["watchtower", "redis", "openwebui", "litellm", "searxng"]
CLIENTS = {"n8n": {"env/n8n.env": {"QUEUE_PASSWORD": "{redis.password}"}}}
LOGGED_IN = ["redis", "openwebui", "litellm", "searxng", "n8n"]  # the updater needs no login


@pytest.fixture
def empty(compose_bin: list[str], tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    host.stub("docker", f'shift; exec {shlex.join(compose_bin)} "$@"')
    return host


@pytest.fixture(params=[AS_A_MAPPING, AS_A_LIST], ids=["mapping", "list"])
def host(request: pytest.FixtureRequest, empty: StubHost) -> StubHost:
    """A host on which the project runs."""
    host = empty
    host.write("compose.yml", OWN.replace("@ENVIRONMENT@\n", request.param))
    host.write(".env", "OLD_PASSWORD=Former$Password\nMINE=1\n")
    for name in ("redis", "common"):
        host.write(f"env/{name}.env", f"FROM={name}\nREDIS_PASSWORD=Former\n")
    host.write("env/openwebui.env", "WEBUI_NAME=ours\nREDIS_URL=redis://former\n")
    return host


def adoption(**data: Any) -> Stack:
    wanted: dict[str, Any] = {"services": SERVICES, "clients": CLIENTS, "openwebui_image": None, "redis_dbs": {"searxng": 1}}
    return a_stack(**{**wanted, **data})


def fact(host: StubHost, fact: ScriptFact[Any], **arguments: Any) -> Any:
    done = host.command(fact.command(**arguments))
    assert done.returncode == 0, done.stderr
    return fact.process(done.stdout.splitlines())


def seen(host: StubHost, stack: Stack) -> Snapshot:
    """What a preview sees of the project."""
    root, settings = str(host.root), stack.settings
    env = fact(host, EnvKeys(), root=root, files={file.path: [*file.lines] for file in stack.env_files}, wanted=stack.env_files)
    written = {key: line.partition("=")[2] for key, line in stack.dotenv.lines.items()}
    about = {"project": settings.stack_name, "compose_files": stack.files, "overlays": stack.overlays(), "written": written}
    return Snapshot(env=env, urls=env.urls, own=fact(host, Own(), root=root, **about))


def write(host: StubHost, stack: Stack) -> subprocess.CompletedProcess[str]:
    """What a run writes of the project, and the env files after it."""
    own = seen(host, stack).own
    services = {} if own is UNKNOWN else own.services
    stack = stack.adapted(seen(host, stack))
    done = host.script(
        "project/write", root=str(host.root), compose_files=stack.files,
        files=put_list([stack.dotenv, *stack.fragments(True, services), stack.manifest()]),
        env_files=[one.env_path for one in stack.services if one.reads_env], overlays=json.dumps(stack.overlays(services)),
    )  # fmt: skip
    if done.returncode == 0:
        assert host.script("files/put", root=str(host.root), files=put_list([*stack.env_files])).returncode == 0
    return done


def compose(host: StubHost, *words: str) -> str:
    """Compose as an operator calls it: in the stack's folder, without a word of any file."""
    done = host.command(f"cd {shlex.quote(str(host.root))} && docker compose {shlex.join(words)}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def resolved(host: StubHost) -> Mapping[str, Any]:
    services = json.loads(compose(host, "--profile", "*", "config", "--format", "json"))["services"]
    assert isinstance(services, dict)
    return services


def adopted(host: StubHost, **data: Any) -> Mapping[str, Any]:
    done = write(host, adoption(**data))
    assert (done.returncode, done.stderr) == (0, "")
    return resolved(host)


def hashes(host: StubHost) -> dict[str, str]:
    """What Compose compares with a running container to tell whether it must be made anew."""
    lines = compose(host, "--profile", "*", "config", "--hash", "*").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_its_own_file_stays_as_it_is_and_its_env_file_keeps_its_lines(host: StubHost) -> None:
    before = (host.root / "compose.yml").read_bytes()
    adopted(host)
    assert (host.root / "compose.yml").read_bytes() == before
    assert (host.root / ".env").read_text().startswith("OLD_PASSWORD=Former$Password\nMINE=1\nCOMPOSE_FILE=")


def test_the_other_services_are_as_they_were(host: StubHost) -> None:
    before = hashes(host)
    adopted(host)
    after = hashes(host)
    assert {name for name in before if before[name] != after[name]} == set(LOGGED_IN)
    assert before.keys() == after.keys()


def test_a_second_run_changes_nothing(host: StubHost) -> None:
    first = adopted(host)
    files = {path: path.read_bytes() for path in host.root.rglob("*") if path.is_file()}
    assert adopted(host) == first
    assert {path: path.read_bytes() for path in host.root.rglob("*") if path.is_file()} == files


def test_what_its_environment_sets_no_longer_beats_the_env_file(host: StubHost) -> None:
    found = {name: service.get("environment", {}) for name, service in adopted(host).items()}
    url = f"redis://:{PASSWORD}@redis:6379"
    assert found["openwebui"]["REDIS_URL"] == f"{url}/0"
    assert found["searxng"]["SEARXNG_REDIS_URL"] == f"{url}/1"
    assert found["n8n"]["QUEUE_PASSWORD"] == PASSWORD
    # where it goes is its own, where it says so
    assert {key: found["litellm"][key] for key in ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB")} == {
        "REDIS_HOST": "old", "REDIS_PORT": "6379", "REDIS_PASSWORD": PASSWORD, "REDIS_DB": "0",
    }  # fmt: skip


def test_everything_else_of_it_stays(host: StubHost) -> None:
    found = {name: service.get("environment", {}) for name, service in adopted(host).items()}
    assert found["openwebui"]["OLLAMA_BASE_URL"] == "http://ollama:11434"
    assert found["openwebui"]["PRICE"] == "$$5"  # as Compose writes a dollar
    assert found["openwebui"]["WEBUI_NAME"] == "ours"
    assert found["litellm"]["LITELLM_MODE"] == "proxy"
    assert found["searxng"]["INSTANCE_NAME"] == "ours"
    assert (found["n8n"]["N8N_PORT"], found["n8n"]["FROM"]) == ("5678", "common")
    assert found["db"]["POSTGRES_PASSWORD"] == "x"


def test_a_former_password_is_written_into_no_file_of_this_library(host: StubHost) -> None:
    adopted(host)
    for path in (host.root / "compose.d").iterdir():
        assert "Former" not in path.read_text(), path.name
        assert PASSWORD not in path.read_text(), path.name


def test_redis_keeps_all_but_its_password(host: StubHost) -> None:
    before, after = resolved(host)["redis"], adopted(host)["redis"]
    assert after["command"] == ["redis-stack-server", "--aclfile", "/run/redis-auth/users.acl"]
    assert after["environment"] == {"FROM": "common"}  # and none of its env files, where the password stands
    assert [one["target"] for one in after["volumes"]] == ["/run/redis-auth"]
    changed = ("command", "environment", "volumes")
    assert {key: value for key, value in after.items() if key not in changed} == {
        key: value for key, value in before.items() if key not in changed
    }


@pytest.mark.parametrize(
    ("settings", "published"), [({}, [(None, "3000")]), ({"openwebui_port": 8081}, [("127.0.0.1", "8081")])], ids=["theirs", "ours"]
)
def test_ports_are_its_own_until_a_setting_asks_for_others(
    host: StubHost, settings: dict[str, Any], published: list[tuple[str | None, str]]
) -> None:
    ports = adopted(host, **settings)["openwebui"]["ports"]
    assert [(port.get("host_ip"), port["published"]) for port in ports] == published


def test_images_are_its_own_until_a_setting_asks_for_others(host: StubHost) -> None:
    found = adopted(host, redis_image="redis:8.2", openwebui_image=a_stack().settings.openwebui_image)
    assert found["redis"]["image"] == "redis:8.2"
    assert found["openwebui"]["image"] == "ghcr.io/open-webui/open-webui:v0.6"
    assert found["watchtower"]["image"] == "containrrr/watchtower:1.5"
    assert "devices" in json.dumps(found["openwebui"]["deploy"])


def test_files_in_a_folder_are_read_as_from_there(host: StubHost) -> None:
    (host.root / "compose").mkdir()
    text = (host.root / "compose.yml").read_text().replace("./env/", "../env/")
    (host.root / "compose.yml").unlink()
    host.write("compose/base.yml", text)
    host.write("compose/more.yml", "services: {db: {volumes: ['../data/db:/var/lib/postgresql']}}")
    found = adopted(host, compose_files=["compose/base.yml", "compose/more.yml"])
    assert found["openwebui"]["environment"]["WEBUI_NAME"] == "ours"
    assert found["openwebui"]["environment"]["REDIS_URL"] == f"redis://:{PASSWORD}@redis:6379/0"
    (volume,) = found["db"]["volumes"]
    assert volume["source"] == f"{host.root}/data/db"
    assert [one["source"] for one in found["redis"]["volumes"]] == [f"{host.root}/secrets/redis"]
    assert not (host.root / "compose" / "compose.d").exists()


def test_a_file_that_compose_does_not_accept_replaces_nothing(host: StubHost) -> None:
    host.write("compose.yml", "services: {redis: {image: [x]}}")
    before = {path for path in host.root.rglob("*") if ".fleet" not in path.parts}
    done = write(host, adoption())
    assert done.returncode == 1
    assert "nothing was replaced" in done.stderr
    assert {path for path in host.root.rglob("*") if ".fleet" not in path.parts} == before
    assert sorted(os.listdir(host.root / "env")) == ["common.env", "openwebui.env", "redis.env"]  # noqa: PTH208


VALUES = [
    "a b", 'a "quoted" one', "it's", "a=b=c", "back\\slash", "${OLD_PASSWORD}", "$$HOME", "${NONE:-x y}", "ü", "#no comment", "",
    "{a: b}", "- x", "%0A", "two\nlines", "\ttab", "null", "~", "<&>",
]  # fmt: skip


def test_what_stays_of_a_list_is_what_it_was(empty: StubHost) -> None:
    listed = ["REDIS_HOST=old", *(f"OTHER_{number}={value}" for number, value in enumerate(VALUES)), "BARE", "REDIS_DB"]
    empty.write("compose.yml", f"services: {{litellm: {{image: x, environment: {json.dumps(listed)}}}}}")
    empty.write(".env", "OLD_PASSWORD=abc\n")
    before = resolved(empty)["litellm"]["environment"]
    after = adopted(empty, services=["litellm"], clients={}, redis_host="erni-1")["litellm"]["environment"]
    kept = {key: value for key, value in before.items() if not key.startswith("REDIS_")}
    assert kept == {key: value for key, value in after.items() if not key.startswith("REDIS_")}
    assert len(kept) == len(VALUES) + 1
    assert after["REDIS_DB"] == "0"


def found(host: StubHost, stack: Stack) -> str:
    """What keeps a preview from going on."""
    return "\n".join(problems(stack, seen(host, stack)))


def test_what_has_dotenv_as_its_env_file_is_told_of_what_comes_into_it(empty: StubHost) -> None:
    empty.write(
        "compose.yml", "services: {n8n: {image: x, env_file: .env}, other: {image: x, env_file: [./.env]}, third: {image: x}}"
    )
    empty.write(".env", "MINE=1\n")
    stack = adoption(services=["redis"], stack_name="stack")
    said = found(empty, stack)
    assert "other: environment.COMPOSE_FILE would change from nothing to compose.yml:compose.d/redis.yml" in said
    assert 'adopt_changes = ("other.environment.COMPOSE_FILE",)' in said
    # one that is recreated in any case is what it is for a plain `up` too
    assert "n8n: " not in said
    assert "third: " not in said
    assert found(empty, adoption(services=["redis"], stack_name="stack", adopt_changes=["other.environment.COMPOSE_*"])) == ""


def test_a_profile_that_is_not_active_is_told(empty: StubHost) -> None:
    empty.write("compose.yml", "services: {n8n: {image: x, profiles: [queue]}}")
    stack = adoption(services=["redis"], stack_name="stack")
    assert "n8n: is in the profile queue, which is not active" in found(empty, stack)
    empty.write(".env", "COMPOSE_PROFILES=queue\n")
    assert found(empty, stack) == ""
