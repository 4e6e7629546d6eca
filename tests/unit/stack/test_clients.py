"""Clients of redis: what their templates may name, those that the project defines itself, and what reaches their env files."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from operations.stack.build import build
from operations.stack.errors import SettingsError
from operations.stack.service import Loader
from operations.stack.snapshot import SeenDefinition, SeenOwn, Snapshot
from tests.unit.stack.catalogues import MARKER, Put, env_of, refused, values, web, with_web
from tests.unit.stack.hosts import PASSWORD, a_stack

# What a service needs to log in, told in parts

LOGIN = 'env: {P: "{redis.password}", U: "{redis.url}", H: "{redis.host}", N: "{redis.port}", D: "{redis.db}"}'
PARTS = ["password", "url", "host", "port", "db"]


def test_the_login_to_the_redis_of_the_project_is_told_in_parts(put: Put, folder: str) -> None:
    put("web", web(LOGIN))
    expected = {"P": PASSWORD, "U": f"redis://:{PASSWORD}@redis:6379/0", "H": "redis", "N": "6379", "D": "0"}
    assert env_of(with_web(folder), "web") == expected


@pytest.mark.parametrize(("address", "host"), [("10.0.0.5:16379", "10.0.0.5"), ("[fd00::5]:16379", "fd00::5")])
def test_the_login_to_another_hosts_redis_has_its_address(put: Put, folder: str, address: str, host: str) -> None:
    put("web", web(LOGIN))
    data = {"services": ["web"], "catalog_dirs": [folder], "redis_host": "erni-1", "redis_dbs": {"web": 3, "other": 4}}
    stack = build(data, {"redis_password": MARKER}, {"redis": address})
    expected = {"P": MARKER, "U": f"redis://:{MARKER}@{address}/3", "H": host, "N": "16379", "D": "3"}
    assert env_of(stack, "web") == expected


@pytest.mark.parametrize("service", ["openwebui", "litellm", "searxng"])
def test_each_client_of_the_catalogue_has_a_database_of_its_own_where_it_is_set(service: str) -> None:
    env = env_of(a_stack(services=["watchtower", "redis", service], redis_dbs={service: 7}), service)
    assert set(env.values()) & {"7", f"redis://:{PASSWORD}@redis:6379/7"}


def test_a_files_own_setting_of_a_parts_name_is_its_own(put: Put, folder: str) -> None:
    put("web", web('settings: {host: example.org, port: 80}\nenv: {H: "{host}", N: "{port}", D: "{redis.db}"}'))
    assert env_of(with_web(folder, port=8080), "web") == {"H": "example.org", "N": "8080", "D": "0"}


def test_and_so_is_a_secret_of_such_a_name(put: Put, folder: str) -> None:
    put("web", web('env: {P: "{redis.password}", Q: "{password}"}'))
    data = {"services": ["watchtower", "redis", "web"], "catalog_dirs": [folder]}
    stack = build(data, {"redis_password": PASSWORD, "password": MARKER})
    assert env_of(stack, "web") == {"P": PASSWORD, "Q": MARKER}
    assert stack.clients("redis") == ("redis", "web")


@pytest.mark.parametrize("part", PARTS)
def test_a_login_without_a_redis_is_a_mistake(put: Put, folder: str, part: str) -> None:
    put("web", web(f'env: {{P: "{{redis.{part}}}"}}'))
    with pytest.raises(SettingsError) as caught:
        build({"services": ["web"], "catalog_dirs": [folder]}, {"redis_password": PASSWORD})
    assert caught.value.problems == (
        f"web: x-fleet: env: P: {{redis.{part}}}: this host has no 'redis' to log in to. Add its service to `services`, or name "
        "its host.",
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_name_of_the_first_release_is_told_with_the_new_one(put: Put, folder: str, part: str) -> None:
    put("web", web(f'env: {{P: "{{{part}}}"}}'))
    assert refused(folder, "web") == (
        f"web: x-fleet: env: P: there is no setting '{part}'; a credential's is written with its name: {{redis.{part}}}.",
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("redis.passwort", "{redis.passwort}: the credential 'redis' has no 'passwort'. Correct it."),
        ("redis", "there is no setting 'redis'. Correct it, or declare it under x-fleet: settings."),
        ("openwebui_port.real", "there is no setting 'openwebui_port.real'. Correct it, or declare it under x-fleet: settings."),
        ("redis_password.real", "there is no setting 'redis_password.real'. Correct it, or declare it under x-fleet: settings."),
    ],
)
@pytest.mark.parametrize("block", ["env", "variables"])
def test_what_is_no_part_of_a_login_is_a_mistake_and_shows_nothing(put: Put, folder: str, name: str, told: str, block: str) -> None:
    put("web", web(f'{block}: {{P: "{{{name}}}"}}'))
    assert refused(folder, "web") == (f"web: x-fleet: {block}: P: {told}",)


@pytest.mark.parametrize("part", ["password", "url"])
@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("variables: {{A: '{{{name}}}'}}", "{name} is a secret and would land in its fragment."),
        ("checks: [{{id: a, http: '{{{name}}}', status: 200}}]", "{name} is a secret and would be shown in the report."),
    ],
)
def test_what_holds_the_secret_stands_in_env_files_alone(put: Put, folder: str, part: str, block: str, told: str) -> None:
    put("web", web(block.format(name=f"redis.{part}")))
    assert told.format(name=f"redis.{part}") in refused(folder, "web")[0]


def test_where_the_server_is_may_be_told_anywhere(put: Put, folder: str) -> None:
    check = "{id: a, tcp: '{redis.host}:{redis.port}'}"
    put("web", web(f'variables: {{WEB_REDIS: "{{redis.host}}:{{redis.port}}"}}\nchecks: [{check}]'))
    stack = with_web(folder)
    assert stack.variables["web"]["WEB_REDIS"] == "redis:6379"
    assert [probe.target for probe in stack.probes] == [("redis:6379",)]


# Clients that the project defines itself

CLIENT = {"QUEUE_PASSWORD": "{redis.password}", "QUEUE_DB": "{redis.db}", "QUEUE_TLS": "no"}


def test_a_client_has_its_keys_in_the_env_file_that_is_named() -> None:
    stack = a_stack(clients={"n8n": {"conf/n8n.env": CLIENT}}, redis_dbs={"n8n": 2})
    (file,) = (file for file in stack.env_files if file.path == "conf/n8n.env")
    assert values(file) == {"QUEUE_PASSWORD": PASSWORD, "QUEUE_DB": "2", "QUEUE_TLS": "no"}
    assert file.mode == "0600"
    assert [service.name for service in stack.services][-1] == "n8n"
    assert "n8n" in stack.clients("redis")


def test_a_client_reads_that_file_and_nothing_that_would_beat_it() -> None:
    stack = a_stack(clients={"n8n": {"conf/n8n.env": CLIENT}})
    assert stack.services[-1].reads_env
    (text,) = (file.content for file in stack.fragments(True) if file.path == "compose.d/n8n.yml")
    assert yaml.load(text, Loader)["services"] == {
        "n8n": {"env_file": [{"path": "./conf/n8n.env", "required": False}], "environment": {key: [] for key in CLIENT}}
    }
    assert text.count("!reset []") == len(CLIENT)
    assert PASSWORD not in text


def test_a_client_that_the_catalogue_has_too_is_the_projects_own() -> None:
    stack = a_stack(clients={"litellm": {"env/litellm.env": {"CACHE_URL": "{redis.url}"}}})
    assert env_of(stack, "litellm") == {"CACHE_URL": f"redis://:{PASSWORD}@redis:6379/0"}


def test_clients_may_share_an_env_file() -> None:
    clients = {
        "api": {"env/common.env": {"URL": "{redis.url}"}},
        "worker": {"env/common.env": {"URL": "{redis.url}", "DB": "{redis.db}"}},
    }
    stack = a_stack(clients=clients)
    (file,) = (file for file in stack.env_files if file.path == "env/common.env")
    assert list(file.lines) == ["URL", "DB"]
    assert stack.managed_paths().count("env/common.env") == 1
    assert {"api", "worker"} <= set(stack.clients("redis"))


def test_clients_that_share_an_env_file_must_want_the_same_of_it() -> None:
    clients = {"api": {"env/common.env": {"URL": "{redis.url}"}}, "worker": {"env/common.env": {"URL": "{redis.url}"}}}
    with pytest.raises(SettingsError) as caught:
        a_stack(clients=clients, redis_dbs={"worker": 1})
    assert caught.value.problems == ("worker: env/common.env: another service gives URL another value there.",)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"A-B": "x"}, "A-B: 'A-B' is no name of an environment variable. Use letters, digits and _."),
        ({"A\nB": "x"}, "A\nB: 'A\\nB' is no name of an environment variable. Use letters, digits and _."),
        (
            {"A": "{passwort}"},
            "A: there is no setting 'passwort'. Correct it, or declare it under x-fleet: settings.",
        ),
        ({"A": "{"}, "A: '{': Single '{' encountered in format string. Write a literal brace as {{ or }}."),
        ({"A": "{redis.url!r}"}, "A: '{redis.url!r}': expected a plain {name} in braces. Write a literal brace as {{ or }}."),
    ],
)
def test_what_is_wrong_with_a_clients_keys_is_told(keys: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(clients={"n8n": {"env/n8n.env": keys}})
    assert caught.value.problems == (f"clients: n8n: {problem}",)


# URLs on a host


def adapted_url(own: dict[str, SeenDefinition], **seen: Any) -> str:
    stack = a_stack().adapted(Snapshot(env={}, own=SeenOwn(own), **seen))
    (file,) = (file for file in stack.env_files if file.path == "env/openwebui.env")
    return file.lines["REDIS_URL"]


OURS = f"REDIS_URL=redis://:{PASSWORD}@redis:6379/0"


@pytest.mark.parametrize(
    ("url", "after"),
    [
        ("redis://redis:6379/3", f"REDIS_URL=redis://:{PASSWORD}@redis:6379/3"),
        ("rediss://redis:6390/5?timeout=3", f"REDIS_URL=rediss://:{PASSWORD}@redis:6390/5?timeout=3"),
        ("redis://elsewhere:6379/3", OURS),
        ("redis://redis:6379/3 x", OURS),
        ("redis://other:x@redis:6379/3", OURS),
    ],
)
def test_a_service_of_the_projects_own_keeps_what_stands_around_its_login(url: str, after: str) -> None:
    theirs = {"openwebui": SeenDefinition(urls={"REDIS_URL": url})}
    assert adapted_url(theirs) == after
    assert adapted_url({"openwebui": SeenDefinition()}, urls={"env/openwebui.env": {"REDIS_URL": url}}) == after
    # of one that is ours all of it is
    assert adapted_url({}, urls={"env/openwebui.env": {"REDIS_URL": url}}) == OURS


def test_a_second_look_at_what_was_kept_keeps_it() -> None:
    own = SeenOwn({"openwebui": SeenDefinition()})
    urls = {"env/openwebui.env": {"REDIS_URL": "redis://redis:6379/3"}}
    wanted = a_stack()
    first = wanted.adapted(Snapshot(env={}, own=own, urls=urls))
    (file,) = (file for file in first.env_files if file.path == "env/openwebui.env")
    again = wanted.adapted(Snapshot(env={}, own=own, urls={file.path: file.bare_urls()}))
    assert again is first
