"""Settings: the names and defaults that an operator sees, what they take in, and what is told from them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from operations.controller.secrets import Secret
from operations.stack.catalogue import catalogue
from operations.stack.settings import Settings, declared
from tests.unit.stack.settings_told import defaults, only_problem, shown

GROUP_DATA = Path(__file__).parents[3] / "group_data" / "all.py"
SECRET_SETTINGS = {"redis_password"}
PYINFRAS = {"ssh_paramiko_connect_kwargs"}  # what pyinfra itself takes


def group_data() -> dict[str, Any]:
    names = runpy.run_path(str(GROUP_DATA))
    return {name: value for name, value in names.items() if not name.startswith("_") and not isinstance(value, type)}


# What the operator sees


def test_the_defaults_are_valid() -> None:
    assert Settings.parse({}) == Settings()


def test_group_data_shows_exactly_the_settings_that_there_are() -> None:
    assert group_data().keys() == shown().keys() | SECRET_SETTINGS | PYINFRAS


@pytest.mark.parametrize("name", sorted(shown()))
def test_group_data_shows_the_default(name: str) -> None:
    assert group_data()[name] == shown()[name]


def test_the_password_is_a_reference_to_a_secret_in_group_data() -> None:
    assert group_data()["redis_password"] == Secret("REDIS_PASSWORD")


def test_every_setting_in_group_data_says_what_it_is() -> None:
    lines = [line for line in GROUP_DATA.read_text().splitlines() if " = " in line]
    assert len(lines) == len(shown()) + len(SECRET_SETTINGS) + len(PYINFRAS)
    assert [line for line in lines if "  # " not in line] == []


def test_group_data_is_valid_as_it_stands() -> None:
    data = {name: value for name, value in group_data().items() if name not in SECRET_SETTINGS}
    assert Settings.parse(data) == Settings()


# Taking values in


def test_lists_become_tuples() -> None:
    settings = Settings.parse({"services": ["redis"], "docker_packages": ["docker-ce"]})
    assert settings.services == ("redis",)
    assert settings.docker_packages == ("docker-ce",)


def test_connector_data_is_left_alone() -> None:
    assert Settings.parse({"ssh_hostname": "10.0.0.7", "ssh_port": 2201, "_sudo": True, "rack": "b"}) == Settings()


@pytest.mark.parametrize("name", ["ssh_port", "docker_identifier", "docker_platform", "podman_identifier", "_stack_dir"])
def test_names_of_pyinfra_are_never_taken_for_misspelt(name: str) -> None:
    assert Settings.parse({name: "x"}) == Settings()


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("stack_dirs", "stack_dir"),
        ("redis_imgae", "redis_image"),
        ("openwebui_prot", "openwebui_port"),
        ("redis_pasword", "redis_password"),
        ("redis_maxmemory_polcy", "redis_maxmemory_policy"),
        ("service", "services"),
        ("docker_package", "docker_packages"),
    ],
)
def test_a_misspelt_name_is_told_with_the_right_one(found: str, meant: str) -> None:
    assert only_problem(**{found: "x"}) == (f"{found}: there is no such setting; {meant} is one. Correct the name, or remove it.")


def test_a_name_that_the_operators_own_catalogue_declares_is_not_misspelt() -> None:
    assert Settings.parse({"redis_image2": "x"}, {**declared(catalogue()), "redis_image2": ""}).redis_image2 == "x"


# Types


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("stack_dir", 5, "stack_dir: is 5, expected text."),
        ("stack_dir", None, "stack_dir: is None, expected text."),
        ("services", "redis", "services: is 'redis', expected a list of text."),
        ("services", ["redis", 7], "services: is a tuple, expected a list of text."),
        ("openwebui_port", "8080", "openwebui_port: is '8080', expected a whole number."),
        ("openwebui_port", True, "openwebui_port: is True, expected a whole number."),
        ("redis_appendonly", "yes", "redis_appendonly: is 'yes', expected True or False."),
        ("redis_appendonly", 1, "redis_appendonly: is 1, expected True or False."),
        ("pull", "sometimes", 'pull: is \'sometimes\', expected one of "missing", "never", "always", "copy".'),
        ("redis_flavour", "debian", 'redis_flavour: is \'debian\', expected one of "stack", "official" or None.'),
        ("openwebui_env", ["A=b"], "openwebui_env: is a tuple, expected a mapping of text to any value."),
        ("secrets_command", ["sops"], "secrets_command: is a tuple, expected text or None."),
        ("redis_health_interval", 30, "redis_health_interval: is 30, expected text."),
        ("redis_publish", 7, "redis_publish: is 7, expected text or None."),
        ("compose_files", "compose.yml", "compose_files: is 'compose.yml', expected a list of text."),
        ("compose_files", [7], "compose_files: is a tuple, expected a list of text."),
        ("redis_image", 7, "redis_image: is 7, expected text or None."),
        ("retire", "never", 'retire: is \'never\', expected one of "verified", "when_unused", "always".'),
        (
            "clients",
            {"n8n": {"REDIS_PASSWORD": "{redis.password}"}},
            "clients: is a dict, expected a mapping of text to a mapping of text to a mapping of text to text.",
        ),
        (
            "clients",
            {"n8n": {"env/n8n.env": {"REDIS_DB": 1}}},
            "clients: is a dict, expected a mapping of text to a mapping of text to a mapping of text to text.",
        ),
        ("redis_dbs", {"n8n": "1"}, "redis_dbs: n8n: is '1', expected a whole number."),
        ("redis_dbs", {"n8n": True}, "redis_dbs: n8n: is True, expected a whole number."),
        ("redis_password_file", 7, "redis_password_file: is 7, expected text or None."),
        ("redis_user", None, "redis_user: is None, expected text."),
        ("redis_host", ["erni-1"], "redis_host: is a tuple, expected text or None."),
        ("redis_port", "6379", "redis_port: is '6379', expected a whole number."),
        ("rollout_waves", "25%", "rollout_waves: is '25%', expected a list of text."),
        ("rollout_waves", [1, "25%"], "rollout_waves: is a tuple, expected a list of text."),
        ("max_failures", "0", "max_failures: is '0', expected a whole number."),
        ("max_failures", False, "max_failures: is False, expected a whole number."),
        ("unreachable_counts", 1, "unreachable_counts: is 1, expected True or False."),
        ("rollback_on_failure", "no", "rollback_on_failure: is 'no', expected True or False."),
        ("break_lock", "True", "break_lock: is 'True', expected True or False."),
        ("lock_ttl", "1h", "lock_ttl: is '1h', expected a whole number."),
        ("compose_packages", "docker-compose-v2", "compose_packages: is 'docker-compose-v2', expected a list of text."),
        ("skip_checks", "clock.skew", "skip_checks: is 'clock.skew', expected a list of text."),
        ("log_allow", ".*", "log_allow: is '.*', expected a list of text."),
    ],
)
def test_a_wrong_type_is_told_with_what_was_found_and_expected(name: str, value: object, message: str) -> None:
    assert only_problem(**{name: value}) == message


@pytest.mark.parametrize("name", sorted(defaults()))
def test_every_setting_refuses_a_value_of_no_known_type(name: str) -> None:
    assert only_problem(**{name: object()}).startswith(f"{name}: is a object, expected ")


# What is told from other settings


@pytest.mark.parametrize(
    ("bind", "probed"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("192.168.7.2", "192.168.7.2"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("fd00::7", "[fd00::7]"),
    ],
)
def test_a_host_reaches_its_own_ports_at(bind: str, probed: str) -> None:
    settings = Settings.parse({"bind_address": bind})
    assert settings.probe_address == probed
    assert settings.values()["probe_address"] == probed


@pytest.mark.parametrize(("address", "written"), [("10.0.0.5", "10.0.0.5"), ("fd00::5", "[fd00::5]"), ("::1", "[::1]")])
def test_templates_see_addresses_as_they_stand_before_a_port(address: str, written: str) -> None:
    values = Settings.parse({"bind_address": address, "redis_publish": address, "redis_tls": "off"}).values()
    assert (values["bind_address"], values["redis_publish"]) == (written, written)
    assert Settings().values()["redis_publish"] is None
