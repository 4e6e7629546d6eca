"""The catalogue: what is shipped, what an operator adds, and everything that can be wrong with a file of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from operations.facts.project import Project, SeenProject
from operations.stack.catalogue import Service, _Loader, catalogue, read_service
from operations.stack.errors import CatalogueError, SettingsError
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN
from operations.stack.stack import EnvFile, File, Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import a_client, a_stack, bare, converged, sha256
from tests.unit.stubs import StubHost

ROOT = Path(__file__).parents[3]
SHIPPED = ("litellm", "openwebui", "redis", "redis-exporter", "searxng", "watchtower")
GUIDE = ("openwebui", "redis", "redis-exporter", "watchtower")
EVERY = {"redis_publish", *SHIPPED, *(f"{name.replace('-', '_')}_image" for name in SHIPPED)}
MARKER = "Marker_Password-0123456789"

Put = Callable[..., Path]
Understood = Callable[..., SeenProject]
Definition = Mapping[str, Any]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file of an operator's own catalogue: `put("web", text)`."""
    folder = tmp_path / "services.d"
    folder.mkdir()

    def write(name: str, text: str | bytes) -> Path:
        path = folder / f"{name}.yml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def folder(put: Put) -> str:
    """The operator's folder, as it is named in catalog_dirs."""
    return str(put("unused", "services: {unused: {image: scratch}}").parent)


def web(fleet: str = "", definition: str = "image: web:1") -> str:
    """A file for a service called `web`; `fleet` is the inside of x-fleet."""
    return f"x-fleet:\n{_indented(fleet, 2)}\nservices:\n  web:\n{_indented(definition, 4)}\n"


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def problems_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        read_service(path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return tuple(problem.removeprefix(f"{path}: ") for problem in caught.value.problems)


def only_problem(path: Path) -> str:
    (problem,) = problems_of(path)
    return problem


def refused(folder: str, *services: str, **data: Any) -> tuple[str, ...]:
    """Why there is no stack with these services of the operator's folder."""
    with pytest.raises(SettingsError) as caught:
        a_stack(services=["watchtower", "redis", *services], catalog_dirs=[folder], **data)
    return caught.value.problems


def with_web(folder: str, **data: Any) -> Stack:
    return a_stack(services=["watchtower", "redis", "web"], catalog_dirs=[folder], **data)


def env_of(stack: Stack, service: str) -> Mapping[str, str | None]:
    (file,) = (file for file in stack.env_files if file.path == f"env/{service}.env")
    return values(file)


def values(file: EnvFile) -> Mapping[str, str | None]:
    return dotenv_values(stream=StringIO("\n".join(file.lines.values())))


def definition(stack: Stack, service: str) -> Definition:
    """A service's definition with the variables of .env put in, as Compose does it."""
    (text,) = (f.content for f in stack.fragments(True) if f.path == f"compose.d/{service}.yml")
    found = yaml.load(text, _Loader)["services"][service]
    return dict(yaml.safe_load(Template(json.dumps(found)).substitute(values(stack.dotenv))))


# What is shipped


def test_the_catalogue_holds_the_guides_services_and_two_more_clients_of_redis() -> None:
    assert tuple(sorted(catalogue())) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_fragment_is_the_file_of_the_catalogue_byte_for_byte(name: str) -> None:
    path = ROOT / "operations" / "catalog" / f"{name}.yml"
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


@pytest.mark.parametrize(
    ("name", "needs"),
    [("watchtower", ()), ("redis", ("watchtower",)), ("redis-exporter", ("watchtower", "redis")), ("openwebui", ())],
)
def test_open_webui_alone_can_do_without_those_that_it_waits_for(name: str, needs: tuple[str, ...]) -> None:
    assert catalogue()[name].needs == needs


@pytest.mark.parametrize("name", SHIPPED)
def test_containers_read_their_own_env_file_but_redis_whose_password_would_restart_it(name: str) -> None:
    assert catalogue()[name].reads_env is (name not in ("redis", "watchtower"))


IMPORTANT_LOGGING = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


# docs/from-the-guide.md, line by line
@pytest.mark.parametrize(
    ("service", "path", "expected"),
    [
        ("redis", "image", "redis/redis-stack:latest"),
        ("redis", "command", "/usr/bin/dumb-init sh -c 'trap : TERM INT; . /entrypoint.sh'"),
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
            ["CMD-SHELL", 'REDISCLI_AUTH="$(cat /run/redis-auth/password)" redis-cli ping | grep -qx PONG'],
        ),
        ("redis", "healthcheck.interval", "30s"),
        ("redis", "healthcheck.timeout", "3s"),
        ("redis", "healthcheck.retries", "5"),
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
        ("watchtower", "image", "containrrr/watchtower:latest"),
        ("watchtower", "healthcheck.test", ["CMD", "/watchtower", "--health-check"]),
        ("watchtower", "healthcheck.interval", "60s"),
        ("watchtower", "healthcheck.timeout", "10s"),
        ("watchtower", "healthcheck.retries", "3"),
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
        ("redis_health_retries", 9, "redis", "healthcheck.retries", "9"),
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


def test_the_official_image_gets_the_same_arguments_on_its_command_line() -> None:
    stack = a_stack(redis_image="redis:8")
    found = definition(stack, "redis")
    assert found["command"] == f"redis-server --dir /data {found['environment']['REDIS_ARGS']}"


def test_further_keys_of_open_webui_are_added() -> None:
    stack = a_stack(openwebui_env={"WEBUI_NAME": "ERNI's $KI # 1"})
    (file,) = (file for file in stack.env_files if file.path == "env/openwebui.env")
    assert list(file.lines)[-1] == "WEBUI_NAME"
    assert dotenv_values(stream=StringIO("\n".join(file.lines.values())), interpolate=False)["WEBUI_NAME"] == ("ERNI's $KI # 1")


def test_a_further_key_that_the_catalogue_manages_is_told() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(openwebui_env={"REDIS_URL": "redis://elsewhere"})
    assert caught.value.problems == ("openwebui_env: REDIS_URL is managed by the catalogue. Remove it.",)


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
        ({"redis_publish": "10.0.0.5"}, "10.0.0.5:6379:6379"),
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
    assert (a_client().has_redis, a_client().uses_redis, a_client().redis_address) == (False, True, "10.0.0.5:6379")
    assert (a_stack().has_redis, a_stack().uses_redis, a_stack().redis_address) == (True, True, None)
    without = a_stack(services=["watchtower"])
    assert (without.has_redis, without.uses_redis, without.secret_files()) == (False, False, ())


def test_a_client_waits_for_nothing_that_it_does_not_have() -> None:
    assert "depends_on" not in definition(a_client(), "openwebui")
    beside = a_client(services=["watchtower", "openwebui"])
    assert list(definition(beside, "openwebui")["depends_on"]) == ["watchtower"]


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
    write_project(a_stack(redis_publish=address, redis_port=16379), tmp_path, start_interval=True)
    resolved = json.loads(compose(compose_bin, tmp_path, "config", "--format", "json"))
    (port,) = resolved["services"]["redis"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == (address, "16379", 6379)


# Compose itself


def write_project(stack: Stack, folder: Path, start_interval: bool) -> None:
    """The project's files as they lie on a host."""
    env = {file.path: "".join(f"{line}\n" for line in file.lines.values()) for file in (stack.dotenv, *stack.env_files)}
    whole = {file.path: file.content for file in (*stack.base(), *stack.fragments(start_interval))}
    for path, content in (env | whole).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)


def compose(words: list[str], folder: Path, *command: str) -> str:
    done = subprocess.run([*words, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


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
    assert redis["command"] == ["/usr/bin/dumb-init", "sh", "-c", "trap : TERM INT; . /entrypoint.sh"]
    assert "ports" not in redis
    assert redis["healthcheck"] == {
        "test": [
            "CMD-SHELL", 'REDISCLI_AUTH="$$(cat /run/redis-auth/password)" redis-cli ping | grep -qx PONG',
        ],
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


# Secrets


def parts(stack: Stack) -> Mapping[str, object]:
    """Every object of a stack that may be printed."""
    before, after = plan(stack, bare(stack)), plan(stack, converged(a_stack("Another_Password-0123456789")))
    return {
        "stack": stack, "settings": stack.settings, "services": stack.services, "dotenv": stack.dotenv,
        "env files": stack.env_files, "secret files": stack.secret_files(), "probes": stack.probes,
        "base": stack.base(), "fragments": stack.fragments(True), "manifest": stack.manifest(),
        "plan of a bare host": before, "plan of a rollout": after, "sentences": list(after.sentences()),
        "checks": checks(stack, bare(stack)), "snapshot": converged(stack), "paths": stack.managed_paths(),
    }  # fmt: skip


@pytest.mark.parametrize("part", parts(a_stack()))
def test_nothing_that_is_printed_shows_the_password(part: str) -> None:
    printed = parts(a_stack(MARKER))[part]
    assert MARKER not in repr(printed)
    assert MARKER not in str(printed)


def test_files_that_others_may_read_hold_no_password() -> None:
    stack = a_stack(MARKER)
    readable: list[File | EnvFile] = [*stack.base(), stack.dotenv, *stack.fragments(True), *stack.fragments(False)]
    assert {file.mode for file in readable} == {"0644", "keep0644"}
    for file in readable:
        text = file.content if isinstance(file, File) else "\n".join(file.lines.values())
        assert MARKER not in text, file.path


def test_the_password_stands_in_files_of_their_owner_alone() -> None:
    stack = a_stack(MARKER)
    holding = [file for file in stack.env_files if MARKER in "".join(file.lines.values())]
    assert [file.path for file in holding] == ["env/redis.env", "env/redis-exporter.env", "env/openwebui.env"]
    password = [file for file in stack.secret_files() if MARKER in file.content]
    assert [file.path for file in password] == ["secrets/redis/password"]
    assert {file.mode for file in holding} | {file.mode for file in password} == {"0600"}


def test_the_acl_file_holds_the_hash_of_the_password_alone() -> None:
    stack = a_stack(MARKER)
    (acl,) = (file for file in stack.secret_files() if file.path.endswith("users.acl"))
    assert acl.content == f"user default on sanitize-payload ~* &* +@all #{sha256(MARKER)}\n"
    assert acl.mode == "0600"


def test_a_problem_shows_no_password(put: Put, folder: str) -> None:
    put("web", web('env:\n  A: "{redis_password}{no_such}"\nvariables:\n  B: "{redis_password}"'))
    found = refused(folder, "web", redis_password_of_another="x")
    assert len(found) == 2
    assert MARKER not in str(found)


# A file that is wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is a NoneType, expected a mapping with `services`."),
        ("- a\n- b\n", "is a list, expected a mapping with `services`."),
        ("just text", "is a str, expected a mapping with `services`."),
        ("image: web\n", "must define exactly one service, called 'web' as the file is."),
        ("services: [web]\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {}\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {web: }\n", "must define exactly one service, called 'web' as the file is."),
        ("services: {other: {image: x}}\n", "must define exactly one service, called 'web' as the file is."),
        (
            "services: {web: {image: x}, db: {image: x}}\n",
            "must define exactly one service, called 'web' as the file is.",
        ),
        (
            web(definition="image: x\ncontainer_name: web"),
            "container_name: a fixed name keeps Compose from replacing the container beside the old. Remove it.",
        ),
        (web(definition="depends_on: redis"), "depends_on: expected a list or a mapping of services."),
        (web(definition="depends_on: [7]"), "depends_on: expected a list or a mapping of services."),
        (web(definition="env_file: 7"), "env_file: expected a path, or a list of them."),
        (web(definition="env_file: [{required: false}]"), "env_file: expected a path, or a list of them."),
        ("x-fleet: [a]\nservices: {web: {image: x}}", "x-fleet: is a list, expected a mapping."),
        (
            web("enviroment: {A: b}"),
            "x-fleet: unknown key 'enviroment'; known are checks, env, env_from, settings, update, variables.",
        ),
        (web("7: x"), "x-fleet: unknown key '7'; known are checks, env, env_from, settings, update, variables."),
        (web("update: restart"), "x-fleet: update: is 'restart', expected one of recreate, rolling."),
        (web("update: [rolling]"), "x-fleet: update: is ['rolling'], expected one of recreate, rolling."),
        (
            web("update: rolling", "image: x\nports: ['80:80']"),
            "x-fleet: update: rolling: two containers cannot publish one port. Take `ports` out, or put a proxy before it.",
        ),
        (
            web("update: rolling", "image: x\ncontainer_name: web"),
            "container_name: a fixed name keeps Compose from replacing the container beside the old. Remove it.",
        ),
        (web("settings: [a]"), "x-fleet: settings: is a list, expected a mapping of names to defaults."),
        (web("env_from: [a]"), "x-fleet: env_from: is a list, expected the name of a setting."),
        (web("env: [A=b]"), "x-fleet: env: is a list, expected a mapping of names to templates."),
        (web("variables: text"), "x-fleet: variables: is a str, expected a mapping of names to templates."),
        (web("env: {A-B: x}"), "x-fleet: env: 'A-B' is no name of an environment variable."),
        (web('env: {"A\\nB": x}'), "x-fleet: env: 'A\\nB' is no name of an environment variable."),
        (web("env: {1: x}"), "x-fleet: env: 1 is no name of an environment variable."),
        (web("env: {A: 1}"), "x-fleet: env: A: is 1, expected text. Put it in quotes."),
        (web("env: {A: true}"), "x-fleet: env: A: is True, expected text. Put it in quotes."),
        (web("variables: {A: [x]}"), "x-fleet: variables: A: is ['x'], expected text. Put it in quotes."),
        (web("checks: {id: x}"), "x-fleet: checks: is a dict, expected a list."),
        (web("checks: 7"), "x-fleet: checks: is a int, expected a list."),
        (web("checks: [x]"), "x-fleet: checks: each needs an `id` (text)."),
        (web("checks: [{http: x, status: 200}]"), "x-fleet: checks: each needs an `id` (text)."),
        (
            web('checks: [{id: "it\'s; id", http: x, status: 200}]'),
            'x-fleet: checks: "it\'s; id" is no id. Use lower-case letters, digits, dots, - and _.',
        ),
        (web("checks: [{id: a}]"), "x-fleet: checks: a: expected one of http, metric, websocket, tcp, command, log."),
        (
            web("checks: [{id: a, http: x, status: 1, metric: y, url: z, equals: 1}]"),
            "x-fleet: checks: a: expected one of http, metric, websocket, tcp, command, log.",
        ),
        (web("checks: [{id: a, http: x}]"), "x-fleet: checks: a: `status` is missing."),
        (web("checks: [{id: a, metric: m, equals: 1}]"), "x-fleet: checks: a: `url` is missing."),
        (
            web("checks: [{id: a, http: x, status: 200, remdy: y}]"),
            "x-fleet: checks: a: unknown key 'remdy'.",
        ),
        (
            web("checks: [{id: a, http: 7, status: 200}]"),
            "x-fleet: checks: a: http: is 7, expected text. Put it in quotes.",
        ),
        (
            web("checks: [{id: a, http: x, status: 200, cause: [y]}]"),
            "x-fleet: checks: a: cause: is ['y'], expected text. Put it in quotes.",
        ),
        (web("checks: [{id: a, metric: m, url: x}]"), "x-fleet: checks: a: expected one of equals, above, below."),
        (
            web("checks: [{id: a, metric: m, url: x, above: 1, below: 2}]"),
            "x-fleet: checks: a: expected one of equals, above, below.",
        ),
        (web("checks: [{id: a, http: x, status: 200, above: 1}]"), "x-fleet: checks: a: unknown key 'above'."),
        (web("checks: [{id: a, command: [x]}]"), "x-fleet: checks: a: `exit` is missing."),
        (
            web("checks: [{id: a, command: nginx -t, exit: 0}]"),
            "x-fleet: checks: a: command: is 'nginx -t', expected a list of words.",
        ),
        (
            web("checks: [{id: a, command: [nginx, 7], exit: 0}]"),
            "x-fleet: checks: a: command: is ['nginx', 7], expected a list of words.",
        ),
        (
            web("checks: [{id: a, command: [], exit: 0}]"),
            "x-fleet: checks: a: command: is empty, expected a list of words.",
        ),
        (web("checks: [{id: a, log: 7}]"), "x-fleet: checks: a: log: is 7, expected text. Put it in quotes."),
    ],
)
def test_a_file_that_does_not_say_what_it_should_is_told(put: Put, text: str, problem: str) -> None:
    assert only_problem(put("web", text)) == problem


@pytest.mark.parametrize(
    "template",
    [
        "{", "}",
        "{a", "a}", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a!x}", "{a:>9}", "{a:{redis_password}}", "{ a }",
    ],
)  # fmt: skip
def test_a_template_that_is_no_plain_name_in_braces_is_told(put: Put, template: str) -> None:
    for block in (
        f"env: {{A: '{template}'}}", f"variables: {{A: '{template}'}}",
        f"checks: [{{id: a, http: '{template}', status: 200}}]",
    ):  # fmt: skip
        problem = only_problem(put("web", web(block)))
        assert f"{template!r}: " in problem
        assert problem.endswith("Write a literal brace as {{ or }}.")


def test_a_literal_brace_is_written_twice(put: Put, folder: str) -> None:
    put("web", web("""env: {A: '{{"port": {openwebui_port}}}'}"""))
    assert env_of(with_web(folder), "web") == {"A": '{"port": 8080}'}


@pytest.mark.parametrize(
    "content",
    [b"services: {web: {image: '\xff\xfe'}}", b"a: [", b"a: b: c", b"\tx", b"a: !!python/object:os.system x", b"%&"],
    ids=["not UTF-8", "open bracket", "two colons", "tab", "a Python object", "directive"],
)
def test_a_file_that_cannot_be_read_is_told(put: Put, content: bytes) -> None:
    problem = only_problem(put("web", content))
    assert problem.startswith("cannot be read: ")
    assert "\n" not in problem


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert only_problem(tmp_path / "web.yml").startswith("cannot be read: ")


def test_all_problems_of_a_file_are_told_at_once(put: Put) -> None:
    text = web(
        'env: {A: 1, B-C: x, D: "{"}\nvariables: [x]\nchecks: [{id: a}, 7]\nwrong: 1',
        "container_name: x\ndepends_on: 7",
    )
    assert [problem.split(":")[0] for problem in problems_of(put("web", text))] == [
        "container_name", "depends_on", *["x-fleet"] * 7,
    ]  # fmt: skip


def test_all_problems_of_all_files_and_folders_are_told_at_once(put: Put, folder: str, tmp_path: Path) -> None:
    one, two = put("one", "- a"), put("two", b"\xff")
    with pytest.raises(CatalogueError) as caught:
        catalogue((folder, str(tmp_path / "nowhere")))
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [str(one), str(two), "catalog_dirs"]
    assert caught.value.problems[-1] == (f"catalog_dirs: {tmp_path}/nowhere is no folder. Correct the path, or remove it.")


@pytest.mark.parametrize("dirs", ["services.d", 7, [7], ["services.d", 7], [["a"]], {"a": "b"}])
def test_catalog_dirs_that_is_no_list_of_folders_is_told_as_a_setting(dirs: object) -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(catalog_dirs=dirs)
    (problem,) = caught.value.problems
    assert problem.startswith("catalog_dirs: is ")
    assert problem.endswith("expected a list of text.")


# Templates that do not fit together


def test_an_unknown_setting_in_a_template_is_told(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{no_such}"}\nvariables: {B: "{nor_this}"}\nchecks: [{id: c, http: "{nor}", status: 200}]'))
    advice = "Correct it, or declare it under x-fleet: settings."
    assert refused(folder, "web") == (
        f"web: x-fleet: variables: B: there is no setting 'nor_this'. {advice}",
        f"web: x-fleet: env: A: there is no setting 'no_such'. {advice}",
        f"web: x-fleet: checks: c: there is no setting 'nor'. {advice}",
    )


def test_a_secret_in_a_variable_is_told(put: Put, folder: str) -> None:
    put("web", web('variables: {URL: "redis://:{redis_password}@redis"}'))
    assert refused(folder, "web") == (
        "web: x-fleet: variables: URL: redis_password is a secret and would land in .env. Put it under `env`.",
    )


def test_a_secret_of_the_operators_own_in_a_variable_is_told(put: Put, folder: str) -> None:
    put("web", web('variables: {KEY: "{web_key}"}'))
    with pytest.raises(SettingsError) as caught:
        Stack.build({"services": ["web"], "catalog_dirs": [folder]}, {"web_key": MARKER})
    assert caught.value.problems == (
        "web: x-fleet: variables: KEY: web_key is a secret and would land in .env. Put it under `env`.",
    )


def test_a_secret_in_the_address_of_a_check_is_told(put: Put, folder: str) -> None:
    put("web", web('checks: [{id: a, http: "http://x:{redis_password}@y", status: 200}]'))
    assert refused(folder, "web")[0] == (
        "web: x-fleet: checks: a: redis_password is a secret and would be shown in the report. Take it out."
    )


def test_a_secret_of_the_operators_own_reaches_its_env_file_alone(put: Put, folder: str) -> None:
    put("web", web('env: {KEY: "{web_key}"}'))
    stack = Stack.build({"services": ["web"], "catalog_dirs": [folder]}, {"web_key": MARKER})
    assert env_of(stack, "web") == {"KEY": MARKER}
    assert MARKER not in repr(stack)


def test_two_services_that_give_one_variable_different_values_are_told(put: Put, folder: str) -> None:
    put("web", web('variables: {TAG: "1"}'))
    put("db", 'x-fleet: {variables: {TAG: "2"}}\nservices: {db: {image: x}}')
    assert refused(folder, "web", "db") == (
        "db: x-fleet: variables: TAG: another service gives the variable another value. Rename one.",
    )


@pytest.mark.parametrize("name", ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PATH_SEPARATOR"])
def test_a_service_cannot_change_where_compose_looks(put: Put, folder: str, name: str) -> None:
    put("web", web(f"variables: {{{name}: elsewhere}}"))
    assert refused(folder, "web") == (
        f"web: x-fleet: variables: {name}: another service gives the variable another value. Rename one.",
    )


def test_two_services_may_give_one_variable_the_same_value(put: Put, folder: str) -> None:
    put("web", web('variables: {HEALTH_START_INTERVAL: "{health_start_interval}"}'))
    assert values(with_web(folder).dotenv)["HEALTH_START_INTERVAL"] == "2s"


def test_a_value_that_no_line_can_hold_is_told(put: Put, folder: str) -> None:
    put("web", web("settings: {web_text: x}\nenv: {A: '{web_text}'}"))
    (problem,) = refused(folder, "web", web_text="two\nlines")
    assert problem.startswith("web: x-fleet: env: A: ")


def test_env_from_that_names_no_setting_is_told(put: Put, folder: str) -> None:
    put("web", web("env_from: web_evn"))
    assert refused(folder, "web") == ("web: x-fleet: env_from: there is no setting 'web_evn'. Correct it.",)


@pytest.mark.parametrize("value", ["text", ["A=b"], {"A": 1}, 7])
def test_env_from_that_names_no_mapping_is_told(put: Put, folder: str, value: object) -> None:
    put("web", web("settings: {web_env: {}}\nenv_from: web_env"))
    assert refused(folder, "web", web_env=value) == (f"web_env: is a {type(value).__name__}, expected a mapping of text to text.",)


def test_a_service_that_is_in_no_catalogue_is_told_with_those_that_are() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(services=["watchtower", "reddis"])
    assert caught.value.problems == (
        "services: 'reddis' is not in the catalogue (litellm, openwebui, redis, redis-exporter, searxng, watchtower). "
        "Correct it, or name the folder that holds its file in catalog_dirs.",
    )


def test_a_dependency_that_is_not_listed_is_told() -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(services=["redis"])
    assert caught.value.problems == (
        "services: redis depends on watchtower, which is not in `services`. Add it, or take redis out.",
    )


def test_a_cycle_is_told_together_with_what_else_is_wrong(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{no_such}"}', "depends_on: [db]"))
    put("db", "services: {db: {image: x, depends_on: {web: {condition: service_started}}}}")
    found = refused(folder, "web", "db")
    assert len(found) == 2
    assert "in a circle" in found[0]
    assert "'no_such'" in found[1]


# What an operator adds


def test_an_operator_adds_a_service(put: Put, folder: str) -> None:
    put(
        "web",
        web(
            'settings: {web_port: 80}\nvariables: {WEB_PORT: "{web_port}"}\nenv: {URL: "redis://{redis_password}"}\n'
            "checks: [{id: web.up, metric: up, equals: 1, url: 'http://{probe_address}:{web_port}'}]",
            "image: web\ndepends_on: [redis]\nenv_file: env/web.env",
        ),
    )
    stack = with_web(folder, web_port=8081)
    service = stack.services[-1]
    assert (service.name, service.needs, service.reads_env) == ("web", ("redis",), True)
    assert values(stack.dotenv)["WEB_PORT"] == "8081"
    assert values(stack.dotenv)["COMPOSE_FILE"] == ("compose.yml:compose.d/watchtower.yml:compose.d/redis.yml:compose.d/web.yml")
    assert str(env_of(stack, "web")["URL"]).startswith("redis://")
    (probe,) = stack.probes
    assert (probe.id, probe.service, probe.kind) == ("web.up", "web", "metric")
    assert (probe.target, probe.compare, probe.expected) == (("http://127.0.0.1:8081", "up"), "equals", "1")


def test_a_setting_of_an_added_service_has_its_default(put: Put, folder: str) -> None:
    put("web", web('settings: {web_port: 80}\nvariables: {WEB_PORT: "{web_port}"}'))
    assert values(with_web(folder).dotenv)["WEB_PORT"] == "80"


def test_a_setting_that_is_true_is_written_as_compose_writes_it(put: Put, folder: str) -> None:
    put("web", web('settings: {web_tls: true}\nvariables: {WEB_TLS: "{web_tls}"}'))
    assert values(with_web(folder).dotenv)["WEB_TLS"] == "true"


def test_an_operators_file_replaces_the_shipped_one(put: Put, folder: str) -> None:
    path = put("watchtower", "services: {watchtower: {image: mine}}")
    stack = a_stack(catalog_dirs=[folder])
    assert stack.services[0].text == path.read_text()
    assert [service.name for service in stack.services] == ["watchtower", "redis", "redis-exporter", "openwebui"]


def test_of_two_folders_the_later_counts(put: Put, folder: str, tmp_path: Path) -> None:
    put("web", web(definition="image: first"))
    later = tmp_path / "later"
    later.mkdir()
    (later / "web.yml").write_text(web(definition="image: second"))
    assert "second" in catalogue((folder, str(later)))["web"].text
    assert "first" in catalogue((str(later), folder))["web"].text


def test_a_file_of_the_operators_that_no_service_names_changes_nothing(put: Put, folder: str) -> None:
    put("web", web('env: {A: "{redis_password}"}'))
    assert a_stack(catalog_dirs=[folder]).env_files == a_stack().env_files


@pytest.mark.parametrize(
    ("definition", "reads"),
    [
        ("env_file: ./env/web.env", True),
        ("env_file: env/web.env", True),
        ("env_file: [./other.env, env/web.env]", True),
        ("env_file: [{path: ./env/web.env, required: false}]", True),
        ("env_file: {path: env/web.env}", True),
        ("env_file: env/other.env", False),
        ("image: x", False),
        ("env_file: []", False),
    ],
)
def test_whether_a_container_reads_its_env_file_is_told_from_its_definition(put: Put, definition: str, reads: bool) -> None:
    assert read_service(put("web", web(definition=definition))).reads_env is reads


@pytest.mark.parametrize(
    ("definition", "needs"),
    [
        ("depends_on: [a, b]", ("a", "b")),
        ("depends_on: {a: {condition: service_started}}", ("a",)),
        ("depends_on: {a: {condition: service_healthy, required: true}}", ("a",)),
        ("depends_on: {a: {condition: service_healthy, required: false}}", ()),
        ("depends_on: {a: {required: false}, b: {condition: service_started}}", ("b",)),
        ("depends_on: {a: }", ("a",)),
        ("depends_on: !override [a]", ("a",)),
        ("depends_on: !reset null", ()),
        ("depends_on: !reset []", ()),
        ("ports: !override ['1:2']", ()),
    ],
)
def test_the_needs_are_told_from_the_definition_whatever_its_form(put: Put, definition: str, needs: tuple[str, ...]) -> None:
    assert read_service(put("web", web(definition=definition))).needs == needs


def test_the_documented_example_works(
    put: Put, folder: str, compose_bin: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    (example, *_) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "catalogue.md").read_text(), re.DOTALL)
    put("searxng", example)
    stack = a_stack(services=["watchtower", "redis", "searxng"], catalog_dirs=[folder])
    project = tmp_path_factory.mktemp("project")
    write_project(stack, project, start_interval=True)
    assert "searxng" in compose(compose_bin, project, "config", "--services").split()


def test_a_dependency_that_is_not_required_need_not_be_listed(put: Put, folder: str) -> None:
    put("web", web(definition="image: x\ndepends_on:\n  db: {condition: service_healthy, required: false} #? db"))
    put("db", "services: {db: {image: x}}")
    assert "depends_on" in definition(a_stack(services=["web", "db"], catalog_dirs=[folder]), "web")
    assert with_web(folder).services[-1].needs == ()


# Rolling updates


@pytest.mark.parametrize(("fleet", "rolling"), [("update: rolling", True), ("update: recreate", False), ("env: {A: b}", False)])
def test_a_service_is_replaced_as_its_file_says(put: Put, fleet: str, rolling: bool) -> None:
    assert read_service(put("web", web(fleet))).rolling is rolling


@pytest.mark.parametrize(
    ("definition", "replicas"),
    [
        ("image: x", 1),
        ("image: x\nscale: 3", 3),
        ("image: x\ndeploy: {replicas: 2}", 2),
        ("image: x\nscale: 3\ndeploy: {replicas: 2}", 3),
        ("image: x\ndeploy: {resources: {}}", 1),
        ("image: x\ndeploy: ", 1),
        ("image: x\nscale: ${N}", 1),
    ],
)
def test_as_many_containers_are_replaced_as_there_are(put: Put, definition: str, replicas: int) -> None:
    assert read_service(put("web", web("update: rolling", definition))).replicas == replicas


def test_a_rolling_service_may_have_other_ports_of_its_own(put: Put) -> None:
    assert read_service(put("web", web("update: rolling", "image: x\nexpose: [80]\nports: []"))).rolling


# Lines for some hosts alone


def lines(put: Put, *marked: str, given: tuple[str, ...]) -> list[str]:
    """What stands of these lines in the fragment of a host that has what is `given`."""
    text = "services:\n  web:\n    image: x\n" + "".join(f"    {line}\n" for line in marked)
    found = read_service(put("web", text)).fragment(start_interval=True, given=given)
    return [line.strip() for line in found.splitlines()[3:]]


A, B = 'labels: {a: "1"} #? one', 'ports: ["1:2"] #? one|another-2'


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((), []),
        (("one",), [A, B]),
        (("another-2",), [B]),
        (("on", "another"), []),
        (("one|another-2",), []),
        (("one", "x"), [A, B]),
    ],
)
def test_a_marked_line_stands_only_where_one_of_its_names_is_there(put: Put, given: tuple[str, ...], kept: list[str]) -> None:
    assert lines(put, A, B, given=given) == kept


def test_a_condition_that_nothing_can_fulfil_is_a_problem(put: Put) -> None:
    path = put("web", web("settings: {web_user: }", 'image: x\nuser: "1" #? web_usr|redis'))
    with pytest.raises(SettingsError) as caught:
        Stack.build({"services": ["web"], "catalog_dirs": [str(path.parent)]}, {})
    assert caught.value.problems == (
        "web: `#? web_usr`: no setting and no service has that name, so the line never stands. Correct it.",
    )


@pytest.mark.parametrize("line", ["user: x # ? one", "user: x #?one", 'user: "#? one two"', "# what #? means here"])
def test_a_line_that_only_looks_marked_stays(put: Put, line: str) -> None:
    assert lines(put, line, given=()) == [line]


def test_a_marked_last_line_without_an_end_goes_too(put: Put) -> None:
    path = put("web", "services:\n  web:\n    image: x\n    user: y #? one  ")
    assert read_service(path).fragment(start_interval=True) == "services:\n  web:\n    image: x\n"


@pytest.mark.parametrize(
    ("value", "there"), [("x", True), (7, True), (True, True), ("", False), (None, False), (0, False), (False, False)]
)
def test_a_setting_counts_where_it_has_a_value(put: Put, folder: str, value: object, there: bool) -> None:
    put("web", web("settings: {web_user: }", 'image: x\nuser: "1" #? web_user'))
    assert ("user" in definition(with_web(folder, web_user=value), "web")) is there


# start_interval, which engines before 25 do not know


def without(service: Service) -> str:
    return service.fragment(start_interval=False)


@pytest.mark.parametrize("name", SHIPPED)
def test_an_old_engine_gets_the_fragment_without_start_interval_and_nothing_else_changed(name: str) -> None:
    service = catalogue()[name]
    kept = [line for line in service.text.splitlines() if not line.strip().startswith("start_interval:")]
    assert service.fragment(start_interval=False, given=EVERY).splitlines() == kept
    assert len(service.text.splitlines()) - len(kept) == (name in ("openwebui", "redis", "watchtower"))


def test_start_interval_at_the_very_end_is_left_out(put: Put) -> None:
    text = "services:\n  web:\n    healthcheck:\n      interval: 9s\n      start_interval: 2s"
    assert without(read_service(put("web", text))) == text.removesuffix("      start_interval: 2s")


@pytest.mark.parametrize("line", ["# start_interval: 2s", "# no start_interval: here", "command: echo start_interval: 1"])
def test_lines_that_only_speak_of_start_interval_stay(put: Put, line: str) -> None:
    text = f"services:\n  web:\n    {line.replace(': 1', '')}\n    image: x\n"
    assert without(read_service(put("web", text))) == text


@pytest.mark.parametrize(
    "definition",
    [
        "healthcheck: {interval: 9s, start_interval: 2s}",
        "healthcheck:\n  interval: 9s\n  start_interval:\n    2s",
        "command: |\n  start_interval: is a word\nhealthcheck:\n  interval: 9s",
        '"healthcheck":\n  interval: 9s\n  "start_interval": 2s',
        "healthcheck:\n  start_interval: &often 2s\n  interval: *often",
    ],
    ids=["in one line", "over two lines", "in a text", "quoted", "named for others"],
)
def test_a_start_interval_that_could_not_be_left_out_alone_is_refused(put: Put, definition: str) -> None:
    assert only_problem(put("web", web(definition=definition))) == (
        "start_interval: must stand on a line of its own, so that older engines can do without it."
    )
