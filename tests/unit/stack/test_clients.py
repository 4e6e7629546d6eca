"""Clients of redis: what their templates may name, those that the project defines itself, and what reaches their env files."""

from __future__ import annotations

import pytest
import yaml

from operations.stack.catalogue import _Loader
from operations.stack.errors import SettingsError
from operations.stack.stack import Stack
from tests.unit.stack.catalogues import MARKER, Put, env_of, refused, values, web, with_web
from tests.unit.stack.hosts import PASSWORD, a_stack

# The short names of what a service needs to log in to redis

WITH_REDIS = ["watchtower", "redis", "web"]
LOGIN = 'env: {P: "{password}", U: "{url}", H: "{host}", N: "{port}", D: "{db}"}'


def test_the_login_to_the_redis_of_the_project_is_told_in_parts(put: Put, folder: str) -> None:
    put("web", web(LOGIN))
    expected = {"P": PASSWORD, "U": f"redis://:{PASSWORD}@redis:6379/0", "H": "redis", "N": "6379", "D": "0"}
    assert env_of(with_web(folder), "web") == expected


@pytest.mark.parametrize(("address", "host"), [("10.0.0.5:16379", "10.0.0.5"), ("[fd00::5]:16379", "fd00::5")])
def test_the_login_to_another_hosts_redis_has_its_address(put: Put, folder: str, address: str, host: str) -> None:
    put("web", web(LOGIN))
    data = {"services": ["web"], "catalog_dirs": [folder], "redis_host": "erni-1", "redis_dbs": {"web": 3, "other": 4}}
    stack = Stack.build(data, {"redis_password": MARKER}, address)
    expected = {"P": MARKER, "U": f"redis://:{MARKER}@{address}/3", "H": host, "N": "16379", "D": "3"}
    assert env_of(stack, "web") == expected


@pytest.mark.parametrize("service", ["openwebui", "litellm", "searxng"])
def test_each_client_of_the_catalogue_has_a_database_of_its_own_where_it_is_set(service: str) -> None:
    env = env_of(a_stack(services=["watchtower", "redis", service], redis_dbs={service: 7}), service)
    assert set(env.values()) & {"7", f"redis://:{PASSWORD}@redis:6379/7"}


def test_a_files_own_setting_of_such_a_name_is_its_own(put: Put, folder: str) -> None:
    put("web", web('settings: {host: example.org, port: 80}\nenv: {H: "{host}", N: "{port}", D: "{db}"}'))
    assert env_of(with_web(folder, port=8080), "web") == {"H": "example.org", "N": "8080", "D": "0"}


def test_and_no_other_files(put: Put, folder: str) -> None:
    put("web", web("settings: {host: example.org, url: https://example.org}"))
    stack = a_stack(services=["watchtower", "redis", "web", "litellm", "searxng"], catalog_dirs=[folder])
    assert env_of(stack, "litellm")["REDIS_HOST"] == "redis"
    assert env_of(stack, "searxng")["SEARXNG_REDIS_URL"] == f"redis://:{PASSWORD}@redis:6379/0"


def test_a_secret_of_such_a_name_is_told_apart(put: Put, folder: str) -> None:
    put("web", web(LOGIN))
    with pytest.raises(SettingsError) as caught:
        Stack.build(
            {"services": ["watchtower", "redis", "web"], "catalog_dirs": [folder]}, {"redis_password": PASSWORD, "password": MARKER}
        )
    assert caught.value.problems == (
        "web: x-fleet: env: {password} is redis' here, and a secret of yours is called so too. Rename the secret.",
    )


@pytest.mark.parametrize("name", ["password", "url"])
def test_a_login_without_a_redis_is_a_mistake(put: Put, folder: str, name: str) -> None:
    put("web", web(f'env: {{P: "{{{name}}}"}}'))
    with pytest.raises(SettingsError) as caught:
        Stack.build({"services": ["web"], "catalog_dirs": [folder]}, {"redis_password": PASSWORD})
    assert caught.value.problems == (
        f"web: x-fleet: env: P: {{{name}}} is redis', but this stack has none. Add redis to `services`, or name the host of one "
        "in redis_host.",
    )


def test_a_secret_of_such_a_name_that_the_file_declares_is_its_own(put: Put, folder: str) -> None:
    put("web", web("settings: {password: }\n" + LOGIN))
    stack = Stack.build(
        {"services": ["watchtower", "redis", "web"], "catalog_dirs": [folder]}, {"redis_password": PASSWORD, "password": MARKER}
    )
    assert env_of(stack, "web")["P"] == MARKER


@pytest.mark.parametrize("name", ["password", "url"])
@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("variables: {{A: '{{{name}}}'}}", "{name} is a secret and would land in .env."),
        ("checks: [{{id: a, http: '{{{name}}}', status: 200}}]", "there is no setting '{name}'."),
    ],
)
def test_the_login_stands_in_env_files_alone(put: Put, folder: str, name: str, block: str, told: str) -> None:
    put("web", web(block.format(name=name)))
    (problem,) = refused(folder, "web")
    assert told.format(name=name) in problem


# Clients that the project defines itself

CLIENT = {"QUEUE_PASSWORD": "{password}", "QUEUE_DB": "{db}", "QUEUE_TLS": "no"}


def test_a_client_has_its_keys_in_the_env_file_that_is_named() -> None:
    stack = a_stack(clients={"n8n": {"conf/n8n.env": CLIENT}}, redis_dbs={"n8n": 2})
    (file,) = (file for file in stack.env_files if file.path == "conf/n8n.env")
    assert values(file) == {"QUEUE_PASSWORD": PASSWORD, "QUEUE_DB": "2", "QUEUE_TLS": "no"}
    assert file.mode == "0600"
    assert [service.name for service in stack.services][-1] == "n8n"
    assert "n8n" in stack.clients()


def test_a_client_reads_that_file_and_nothing_that_would_beat_it() -> None:
    stack = a_stack(clients={"n8n": {"conf/n8n.env": CLIENT}})
    assert stack.services[-1].reads_env
    (text,) = (file.content for file in stack.fragments(True) if file.path == "compose.d/n8n.yml")
    assert yaml.load(text, _Loader)["services"] == {
        "n8n": {"env_file": ["${STACK_ROOT}/conf/n8n.env"], "environment": dict.fromkeys(CLIENT)}
    }
    assert text.count("!reset null") == len(CLIENT)
    assert PASSWORD not in text


def test_a_client_that_the_catalogue_has_too_is_the_projects_own() -> None:
    stack = a_stack(clients={"litellm": {"env/litellm.env": {"CACHE_URL": "{url}"}}})
    assert env_of(stack, "litellm") == {"CACHE_URL": f"redis://:{PASSWORD}@redis:6379/0"}


def test_clients_may_share_an_env_file() -> None:
    clients = {"api": {"env/common.env": {"URL": "{url}"}}, "worker": {"env/common.env": {"URL": "{url}", "DB": "{db}"}}}
    stack = a_stack(clients=clients)
    (file,) = (file for file in stack.env_files if file.path == "env/common.env")
    assert list(file.lines) == ["URL", "DB"]
    assert stack.managed_paths().count("env/common.env") == 1
    assert {"api", "worker"} <= set(stack.clients())


def test_clients_that_share_an_env_file_must_want_the_same_of_it() -> None:
    clients = {"api": {"env/common.env": {"URL": "{url}"}}, "worker": {"env/common.env": {"URL": "{url}"}}}
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
        ({"A": "{url!r}"}, "A: '{url!r}': expected a plain {name} in braces. Write a literal brace as {{ or }}."),
    ],
)
def test_what_is_wrong_with_a_clients_keys_is_told(keys: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        a_stack(clients={"n8n": {"env/n8n.env": keys}})
    assert caught.value.problems == (f"clients: n8n: {problem}",)
