"""From an inventory's data to the stack of each host: secrets are looked up, hosts that share a redis brought together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import Inventory

from operations.controller import desired
from operations.controller.authority import Authority
from operations.controller.secrets import Secret
from operations.stack.check import Verdict
from operations.stack.errors import FleetError, SecretError, SettingsError
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import redis_of

PASSWORD = "Marker_Password-0123456789"
SECRET = Secret("TEST_DESIRED_PASSWORD")
SERVER = {"redis_publish": "10.0.0.5"}
CLIENT = {"services": ["openwebui"], "redis_host": "redis-1"}


@pytest.fixture(autouse=True)
def a_source(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The password is in the environment; what was looked up before is forgotten."""
    monkeypatch.setenv(SECRET.name, PASSWORD)
    desired._resolve.cache_clear()
    yield
    desired._resolve.cache_clear()


def fleet(hosts: Mapping[str, Mapping[str, Any]], **common: Any) -> Inventory:
    """An inventory: host → its data, and what is the same for all."""
    return Inventory(
        ([(name, dict(data)) for name, data in hosts.items()], {"redis_password": SECRET, "redis_tls": "off", **common})
    )


def stack_of(inventory: Inventory, name: str) -> Stack:
    host = inventory.get_host(name)
    assert host is not None
    return desired.stack_of(host)


def problems_of(inventory: Inventory, name: str) -> tuple[str, ...]:
    with pytest.raises(FleetError) as caught:
        stack_of(inventory, name)
    return caught.value.problems


def client_problems(server: Mapping[str, Any] = SERVER, **client: Any) -> tuple[str, ...]:
    """What is wrong with a host that uses the redis of `redis-1`."""
    return problems_of(fleet({"redis-1": server, "webui-1": {**CLIENT, **client}}), "webui-1")


# A host alone


def test_a_stack_without_redis_needs_no_password_of_it() -> None:
    inventory = fleet({"erni-1": {"services": ["watchtower"]}, "erni-2": {}}, redis_password=Secret("TEST_DESIRED_NOWHERE"))
    assert stack_of(inventory, "erni-1").credentials == ()
    assert "TEST_DESIRED_NOWHERE" in problems_of(inventory, "erni-2")[0]


def test_a_check_that_is_to_be_skipped_must_be_one() -> None:
    assert problems_of(fleet({"erni-1": {"skip_checks": ["clock.screw", "nonsense"]}}), "erni-1") == (
        "skip_checks: there is no check 'clock.screw'; clock.skew is one. Correct the name, or remove it.",
        "skip_checks: there is no check 'nonsense'. Correct the name, or remove it.",
    )


def test_a_check_of_ones_own_catalogue_may_be_skipped_on_hosts_without_the_service(tmp_path: Path) -> None:
    check = "{id: web.answers, http: 'http://x', status: 200}"
    (tmp_path / "web.yml").write_text(f"x-fleet: {{checks: [{check}]}}\nservices: {{web: {{image: x}}}}\n")
    host = {"catalog_dirs": [str(tmp_path)], "skip_checks": ["web.answers", "container.web"]}
    assert stack_of(fleet({"erni-1": host}), "erni-1").settings.skip_checks == ("web.answers", "container.web")


def test_a_check_of_a_service_that_other_hosts_have_may_be_skipped_everywhere() -> None:
    host = {"services": ["watchtower"], "skip_checks": ["openwebui.health", "container.redis", "clock.skew", "redis.ping@cache"]}
    assert stack_of(fleet({"erni-1": host}), "erni-1").settings.skip_checks == tuple(host["skip_checks"])


def test_a_secret_is_looked_up() -> None:
    stack = stack_of(fleet({"erni-1": {}}), "erni-1")
    assert (redis_of(stack).value, redis_of(stack).at) == (PASSWORD, None)
    assert PASSWORD not in repr(stack)


def test_a_password_that_is_written_out_is_refused_and_not_shown() -> None:
    (problem,) = problems_of(fleet({"erni-1": {}}, redis_password=PASSWORD), "erni-1")
    assert problem.startswith("redis_password: is written out in the data.")
    assert PASSWORD not in problem


def test_a_password_that_is_not_set_is_told() -> None:
    (problem,) = problems_of(Inventory((["erni-1"], {})), "erni-1")
    assert problem == 'redis_password: is not set. Add redis_password = Secret("REDIS_PASSWORD") to group_data/all.py.'


def test_a_host_without_any_redis_needs_no_password() -> None:
    assert stack_of(Inventory((["erni-1"], {"services": ["watchtower"]})), "erni-1").credentials == ()


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET.name, "a+b")
    found = problems_of(fleet({"erni-1": {"openwebui_port": 0}}), "erni-1")
    assert [problem.partition(":")[0] for problem in found][:2] == ["openwebui_port", "redis_password"]
    assert "a+b" not in "".join(found)


# A host that uses another's redis


def test_a_client_gets_the_address_that_its_redis_is_published_on() -> None:
    inventory = fleet({"redis-1": SERVER, "webui-1": CLIENT})
    assert redis_of(stack_of(inventory, "webui-1")).at == "10.0.0.5:6379"
    assert redis_of(stack_of(inventory, "redis-1")).at is None


def test_the_port_is_that_of_the_redis_host() -> None:
    inventory = fleet({"redis-1": {**SERVER, "redis_port": 16379}, "webui-1": {**CLIENT, "redis_port": 1}})
    assert redis_of(stack_of(inventory, "webui-1")).at == "10.0.0.5:16379"


def test_an_ipv6_address_stands_in_brackets_in_the_urls() -> None:
    stack = stack_of(fleet({"redis-1": {"redis_publish": "fd00::5"}, "webui-1": CLIENT}), "webui-1")
    assert redis_of(stack).at == "[fd00::5]:6379"
    (file,) = stack.env_files
    assert "@[fd00::5]:6379/0" in file.lines["REDIS_URL"]


def test_a_redis_host_that_is_not_in_the_inventory_is_told() -> None:
    found = problems_of(fleet({"webui-1": CLIENT}), "webui-1")
    assert found == ("redis_host: there is no host 'redis-1' in the inventory. Correct the name, or set None.",)


@pytest.mark.parametrize("name", [7, ["redis-1"], {"redis-1": None}, True])
def test_a_redis_host_that_is_no_name_is_told_as_a_setting(name: object) -> None:
    (problem,) = problems_of(fleet({"redis-1": SERVER, "webui-1": {**CLIENT, "redis_host": name}}), "webui-1")
    assert problem.startswith("redis_host: is ")
    assert "expected text or None." in problem


def test_a_redis_that_is_not_published_is_told() -> None:
    assert client_problems(server={}) == (
        "redis_host: redis-1 does not publish its redis. Set redis_publish there to an address that this host reaches.",
    )


@pytest.mark.parametrize("services", [["watchtower"], ["watchtower", "openwebui"], []])
def test_a_redis_host_without_a_redis_is_told(services: list[str]) -> None:
    assert client_problems(server={**SERVER, "services": services}) == (
        "redis_host: redis-1 has no redis in its `services`. Add it there, or name another host.",
    )


def test_a_redis_host_with_another_secret_is_told() -> None:
    assert client_problems(server={**SERVER, "redis_password": Secret("ANOTHER")}) == (
        "redis_password: differs from the one on redis-1, whose redis this host uses. Make them the same.",
    )


# Users of their own

USERS = {"openwebui": {"commands": ["+@read"]}, "redis-exporter": {"commands": ["+info"]}}
OF_USERS = {
    "TEST_DESIRED_PASSWORD_OPENWEBUI": "the-Password_of-open-webui-1",
    "TEST_DESIRED_PASSWORD_REDIS_EXPORTER": "the-Password_of-it-2",
}


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passwords of the users are in the environment."""
    for name, password in OF_USERS.items():
        monkeypatch.setenv(name, password)


def test_a_users_password_goes_by_the_name_of_the_first_one(users: None) -> None:
    redis = redis_of(stack_of(fleet({"erni-1": {}}, redis_users=USERS), "erni-1"))
    assert {name: value for name, value in redis.values.items() if name != "redis_password"} == {
        "redis_password_openwebui": OF_USERS["TEST_DESIRED_PASSWORD_OPENWEBUI"],
        "redis_password_redis_exporter": OF_USERS["TEST_DESIRED_PASSWORD_REDIS_EXPORTER"],
    }


def test_a_users_password_may_have_another_name(users: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER", "the-Password_of-another-name")
    inventory = fleet({"erni-1": {"redis_password_openwebui": Secret("ANOTHER")}}, redis_users=USERS)
    assert redis_of(stack_of(inventory, "erni-1")).values["redis_password_openwebui"] == "the-Password_of-another-name"


def test_a_users_password_that_is_nowhere_is_told_with_the_way_to_make_one(users: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DESIRED_PASSWORD_OPENWEBUI")
    (problem,) = problems_of(fleet({"erni-1": {}}, redis_users=USERS), "erni-1")
    assert problem.startswith("TEST_DESIRED_PASSWORD_OPENWEBUI: there is no such secret")
    assert 'echo "TEST_DESIRED_PASSWORD_OPENWEBUI=$(' in problem


def test_a_users_password_keeps_the_rule_and_is_not_written_out(users: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DESIRED_PASSWORD_OPENWEBUI", "a+b")
    found = problems_of(fleet({"erni-1": {"redis_password_redis_exporter": "written-out"}}, redis_users=USERS), "erni-1")
    assert {problem.partition(":")[0] for problem in found} == {"redis_password_redis_exporter", "redis_password_openwebui"}
    assert "written-out" not in "".join(found)
    assert "a+b" not in "".join(found)


def test_users_and_their_secrets_are_the_same_on_the_redis_host(users: None) -> None:
    client, server = {**CLIENT, "redis_users": USERS}, {**SERVER, "redis_users": USERS}
    assert redis_of(stack_of(fleet({"redis-1": server, "webui-1": client}), "webui-1")).user_of("openwebui") == "openwebui"
    assert client_problems(redis_users=USERS) == (
        "redis_password_openwebui: differs from the one on redis-1, whose redis this host uses. Make them the same.",
        "redis_password_redis_exporter: differs from the one on redis-1, whose redis this host uses. Make them the same.",
    )


def test_the_passwords_of_users_are_masked(users: None) -> None:
    assert set(OF_USERS.values()) <= desired.secrets_of([{"redis_password": SECRET, "redis_users": USERS}])


def test_a_host_cannot_be_its_own_redis_host() -> None:
    found = problems_of(fleet({"webui-1": {**CLIENT, **SERVER, "redis_host": "webui-1"}}), "webui-1")
    assert found == ("redis_host: webui-1 has no redis in its `services`. Add it there, or name another host.",)


def test_a_host_with_a_redis_of_its_own_cannot_use_anothers() -> None:
    (problem,) = client_problems(services=["watchtower", "redis", "openwebui"])
    assert problem.startswith("redis_host: names 'redis-1', but this host runs a redis of its own.")


def test_a_client_cannot_have_an_exporter() -> None:
    found = client_problems(services=["watchtower", "redis-exporter", "openwebui"])
    assert found == ("services: redis-exporter depends on redis, which is not in `services`. Add it, or take redis-exporter out.",)


def test_a_client_needs_the_password_too() -> None:
    inventory = Inventory(([("redis-1", SERVER), ("webui-1", CLIENT)], {}))
    assert "redis_password: is not set." in problems_of(inventory, "webui-1")[0]


def test_all_that_is_wrong_between_two_hosts_is_told_at_once() -> None:
    server = {"services": ["watchtower"], "redis_password": Secret("ANOTHER")}
    found = client_problems(server=server, openwebui_port=0)
    assert [problem.partition(":")[0] for problem in found] == ["openwebui_port", "redis_host", "redis_host", "redis_password"]


# All hosts, before the first connection


def preflight(inventory: Inventory) -> list[str]:
    return desired.preflight_problems(list(inventory))


def test_a_fleet_in_which_nothing_is_wrong_has_no_problem() -> None:
    assert preflight(fleet({"redis-1": SERVER, "webui-1": CLIENT, "erni-1": {}})) == []


def test_a_problem_of_all_hosts_is_told_once() -> None:
    (problem,) = preflight(fleet({"a": {}, "b": {}}, openwebui_port=0))
    assert problem == "openwebui_port: is 0, expected a number from 1 to 65535."


def test_a_problem_of_some_hosts_names_them() -> None:
    hosts = {f"erni-{number}": {"openwebui_port": 0} if number < 3 else {} for number in range(1, 9)}
    assert preflight(fleet(hosts)) == ["erni-1, erni-2: openwebui_port: is 0, expected a number from 1 to 65535."]


def test_of_many_hosts_a_few_are_named() -> None:
    hosts = {f"erni-{number}": {"openwebui_port": 0} if number < 9 else {} for number in range(1, 10)}
    (problem,) = preflight(fleet(hosts))
    assert problem.startswith("erni-1, erni-2, erni-3, erni-4 and 4 others: openwebui_port: ")


def test_a_secret_that_is_in_no_source_is_told_and_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET.name)
    (problem,) = preflight(fleet({"a": {}, "b": {}}))
    assert SECRET.name in problem


# What must not be shown


def test_every_secret_that_can_be_found_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DESIRED_KEY", "another-marker")
    monkeypatch.delenv("TEST_DESIRED_NOWHERE", raising=False)
    data: list[Mapping[str, Any]] = [
        {"redis_password": SECRET, "openwebui_port": 80},
        {"redis_password": SECRET, "web_key": Secret("TEST_DESIRED_KEY"), "lost": Secret("TEST_DESIRED_NOWHERE")},
    ]
    assert desired.secrets_of(data) == {PASSWORD, "another-marker"}


def test_the_kind_of_what_is_wrong_is_kept() -> None:
    with pytest.raises(SettingsError):
        stack_of(fleet({"a": {"openwebui_port": 0}}), "a")
    with pytest.raises(SecretError):
        stack_of(fleet({"a": {}}, redis_password="written-out"), "a")


# Replicas: hosts whose Open WebUI uses one database

DATA = {"services": ["redis", "postgres"], "redis_publish": "10.0.0.5", "postgres_publish": "10.0.0.5"}
REPLICA = {"services": ["openwebui"], "redis_host": "data-1", "postgres_host": "data-1"}
KEY = Secret("TEST_DESIRED_KEY")


@pytest.fixture
def replicas(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Mapping[str, Any]]:
    monkeypatch.setenv(KEY.name, "the-Key_of-all-replicas")
    return {"data-1": DATA, "webui-1": REPLICA, "webui-2": REPLICA, "webui-3": REPLICA}


def cluster(hosts: Mapping[str, Mapping[str, Any]], **common: Any) -> Inventory:
    return fleet(hosts, postgres_password=SECRET, webui_secret_key=KEY, **common)


def migrates(stack: Stack) -> str:
    return next(line for file in stack.env_files for key, line in file.lines.items() if key == "ENABLE_DB_MIGRATIONS")


def test_the_first_replica_in_the_inventory_migrates_and_goes_before_the_others(replicas: Mapping[str, Mapping[str, Any]]) -> None:
    inventory = cluster(replicas)
    first, *others = (stack_of(inventory, name) for name in ("webui-1", "webui-2", "webui-3"))
    assert (migrates(first), first.ahead) == ("ENABLE_DB_MIGRATIONS=true", ())
    for stack in others:
        assert (migrates(stack), stack.ahead) == ("ENABLE_DB_MIGRATIONS=false", ("webui-1",))
    assert others[0] is others[1]
    assert stack_of(inventory, "data-1").ahead == ()


def test_a_replica_on_the_host_of_the_database_is_the_first(replicas: Mapping[str, Mapping[str, Any]]) -> None:
    inventory = cluster({**replicas, "data-1": {**DATA, "services": ["redis", "postgres", "openwebui"]}})
    assert stack_of(inventory, "webui-1").ahead == ("data-1",)


def test_replicas_without_a_key_are_warned_of(replicas: Mapping[str, Mapping[str, Any]]) -> None:
    def said(**common: Any) -> list[tuple[str, Verdict]]:
        found = checks(stack_of(fleet(replicas, postgres_password=SECRET, **common), "webui-1"), Snapshot())
        return [(check.id, check.verdict) for check in found if "key" in check.id]

    assert said() == [("settings.secret_key", Verdict.WARNING)]
    assert said(openwebui_env={"WEBUI_SECRET_KEY": "by-hand"}) == [("settings.secret_key", Verdict.OK)]
    assert ("settings.secret_key", Verdict.OK) in said(webui_secret_key=KEY)
    assert said(skip_checks=["settings.secret_key"]) == [("settings.secret_key", Verdict.SKIPPED)]


def test_hosts_that_share_a_redis_alone_are_no_replicas() -> None:
    inventory = fleet({"redis-1": SERVER, "webui-1": CLIENT, "webui-2": CLIENT})
    stack = stack_of(inventory, "webui-2")
    assert stack.ahead == ()
    assert not any("ENABLE_DB_MIGRATIONS" in file.lines for file in stack.env_files)


def test_a_replica_with_another_key_is_told_before_a_connection(
    replicas: Mapping[str, Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DESIRED_OTHER", "another-Key_of-one-replica")
    other = {**REPLICA, "webui_secret_key": Secret("TEST_DESIRED_OTHER")}
    (problem,) = problems_of(cluster({**replicas, "webui-2": other}), "webui-2")
    assert problem == (
        "webui_secret_key: differs from the one on webui-1, whose openwebui uses the same server. Make them the same."
    )


# Certificates


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "tls")
    made.make()
    return made


def secured(authority: Authority, **server: Any) -> Inventory:
    """Two hosts that use one redis with TLS."""
    common = {"redis_tls": "on", "tls_dir": str(authority.folder)}
    return fleet({"redis-1": {**SERVER, **server}, "webui-1": CLIENT}, **common)


def test_a_server_gets_a_certificate_for_its_names_and_clients_what_they_trust(authority: Authority) -> None:
    inventory = secured(authority)
    server, client = (redis_of(stack_of(inventory, name)) for name in ("redis-1", "webui-1"))
    assert server.certificate == authority.certificate("redis-1", "redis", ["redis", "localhost", "10.0.0.5"])
    assert client.certificate == authority.certificate("webui-1", "redis", [])
    assert client.at == "10.0.0.5:6380"
    assert [place for place, _ in authority.issued()] == ["redis-1/redis"]


def test_hosts_that_differ_in_nothing_else_have_certificates_of_their_own(authority: Authority) -> None:
    inventory = fleet({"erni-1": {}, "erni-2": {}}, redis_tls="on", tls_dir=str(authority.folder))
    one, other = (redis_of(stack_of(inventory, name)).certificate for name in ("erni-1", "erni-2"))
    assert one
    assert other
    assert (one.digest == other.digest, one.trusted == other.trusted) == (False, True)


def test_without_an_authority_a_run_ends_before_the_first_connection(tmp_path: Path) -> None:
    (problem,) = problems_of(fleet({"erni-1": {}}, redis_tls="on", tls_dir=str(tmp_path / "tls")), "erni-1")
    assert "trusted.crt does not exist. Make a certificate authority for the fleet" in problem


def test_hosts_of_one_redis_agree_on_tls() -> None:
    assert client_problems(server={**SERVER, "redis_tls": "on"}) == (
        "redis_tls: is 'off', and 'on' on redis-1, whose redis this host uses. Make them the same.",
    )


def test_certificates_come_from_secrets_too(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = authority.certificate("any", "redis", ["redis", "localhost", "10.0.0.5"])
    monkeypatch.setenv("TEST_DESIRED_TRUSTED", mine.trusted)
    monkeypatch.setenv("TEST_DESIRED_CERTIFICATE", mine.pem)
    known = {"redis_tls_trusted": Secret("TEST_DESIRED_TRUSTED"), "redis_tls_certificate": Secret("TEST_DESIRED_CERTIFICATE")}
    inventory = fleet({"redis-1": {**SERVER, **known}, "webui-1": {**CLIENT, **known}}, redis_tls="on", tls_dir="/nowhere")
    assert redis_of(stack_of(inventory, "redis-1")).certificate == mine
    assert redis_of(stack_of(inventory, "webui-1")).certificate == replace(mine, own="", key="", until=0)
    other = fleet({"redis-1": {"redis_publish": "10.0.0.6", **known}}, redis_tls="on")
    assert problems_of(other, "redis-1") == ("redis_tls_certificate: is no certificate for 10.0.0.6. Put one there that is.",)
    del known["redis_tls_certificate"]
    (problem,) = problems_of(fleet({"redis-1": {**SERVER, **known}}, redis_tls="on"), "redis-1")
    assert problem.startswith('redis_tls_certificate: is not set. Use Secret("REDIS_TLS_CERTIFICATE")')
