"""The rules of the settings: whatever can be checked without a host is, and every problem is told at once."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.errors import SettingsError
from operations.stack.settings import Settings
from tests.unit.stack.settings_told import defaults, only_problem, problems


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "services",
            ("redis", "redis"),
            "services: 'redis' is listed more than once. Remove all but one.",
        ),
        (
            "stack_name",
            "Erni KI",
            "stack_name: 'Erni KI' is no Compose project name. Use lower-case letters, digits, - and _.",
        ),
        (
            "bind_address",
            "localhost",
            "bind_address: 'localhost' is no IP address. Expected one such as 127.0.0.1 or 0.0.0.0.",
        ),
        ("openwebui_port", 0, "openwebui_port: is 0, expected a number from 1 to 65535."),
        ("redis_exporter_port", 65536, "redis_exporter_port: is 65536, expected a number from 1 to 65535."),
        (
            "openwebui_port",
            9121,
            "openwebui_port, redis_exporter_port: both are 9121. Give each a port of its own.",
        ),
        ("backup_keep", 0, "backup_keep: is 0, expected at least 1."),
        ("report_keep", -1, "report_keep: is -1, expected at least 1."),
        ("start_timeout", 0, "start_timeout: is 0, expected at least 1."),
        ("settle_timeout", 0, "settle_timeout: is 0, expected at least 1."),
        ("lock_ttl", 0, "lock_ttl: is 0, expected at least 1."),
        ("max_failures", -1, "max_failures: is -1, expected 0 or more."),
        ("redis_port", 0, "redis_port: is 0, expected a number from 1 to 65535."),
        ("redis_port", 65536, "redis_port: is 65536, expected a number from 1 to 65535."),
        (
            "rollout_waves",
            ("1", "half"),
            'rollout_waves: \'half\' is neither a count such as "1" nor a share such as "25%".',
        ),
        ("rollout_waves", ("0",), 'rollout_waves: \'0\' is neither a count such as "1" nor a share such as "25%".'),
        ("rollout_waves", ("101%",), 'rollout_waves: \'101%\' is neither a count such as "1" nor a share such as "25%".'),
        (
            "redis_publish",
            "0.0.0.0",
            "redis_publish: '0.0.0.0' is no address of one interface. Expected one such as 10.0.0.5, or None.",
        ),
        ("redis_publish", "::", "redis_publish: '::' is no address of one interface. Expected one such as 10.0.0.5, or None."),
        (
            "redis_publish",
            "redis-1.lan",
            "redis_publish: 'redis-1.lan' is no address of one interface. Expected one such as 10.0.0.5, or None.",
        ),
        ("redis_publish", "", "redis_publish: '' is no address of one interface. Expected one such as 10.0.0.5, or None."),
        (
            "redis_host",
            "erni-1",
            "redis_host: names 'erni-1', but this host runs a redis of its own. Take redis out of `services`.",
        ),
        ("redis_health_retries", 0, "redis_health_retries: is 0, expected at least 1."),
        (
            "redis_health_interval",
            "30",
            "redis_health_interval: '30' is no duration. Expected one such as 30s, 1m30s or 500ms.",
        ),
        (
            "openwebui_health_timeout",
            "ten",
            "openwebui_health_timeout: 'ten' is no duration. Expected one such as 30s, 1m30s or 500ms.",
        ),
        (
            "watchtower_health_start_period",
            "30 s",
            "watchtower_health_start_period: '30 s' is no duration. Expected one such as 30s, 1m30s or 500ms.",
        ),
        (
            "health_start_interval",
            "",
            "health_start_interval: '' is no duration. Expected one such as 30s, 1m30s or 500ms.",
        ),
        (
            "openwebui_image",
            "",
            "openwebui_image: '' is no image name. Expected one such as ghcr.io/example/app:latest.",
        ),
        (
            "openwebui_image",
            "a b",
            "openwebui_image: 'a b' is no image name. Expected one such as ghcr.io/example/app:latest.",
        ),
        (
            "watchtower_image",
            "x:${TAG}",
            "watchtower_image: 'x:${TAG}' is no image name. Expected one such as ghcr.io/example/app:latest.",
        ),
        (
            "redis_maxmemory_policy",
            "allkeys-lru --requirepass x",
            "redis_maxmemory_policy: 'allkeys-lru --requirepass x' is not a word that redis knows; "
            "see its configuration reference.",
        ),
        (
            "redis_loglevel",
            "",
            "redis_loglevel: '' is not a word that redis knows; see its configuration reference.",
        ),
        ("log_window", -1, "log_window: is -1, expected 0 or more."),
        ("clock_tolerance", -1, "clock_tolerance: is -1, expected 0 or more."),
        ("disk_min_free", -1, "disk_min_free: is -1, expected 0 or more."),
        (
            "redis_save",
            "3600",
            'redis_save: \'3600\' is no list of "seconds changes" pairs. Expected one such as "3600 1 300 100", or "" for none.',
        ),
        (
            "compose_files",
            ("compose/base.yml", "../data.yml"),
            "compose_files: '../data.yml' is no path in the stack's folder. Expected one such as compose/base.yml.",
        ),
        (
            "compose_files",
            ("compose.yml", "compose.d/web.yml"),
            "compose_files: 'compose.d/web.yml' is one that this library writes itself. Name another.",
        ),
        (
            "clients",
            {"N8N": {"env/n8n.env": {"A": "b"}}},
            "clients: N8N: is no service name. Use lower-case letters, digits, - and _.",
        ),
        (
            "clients",
            {"redis": {"env/n8n.env": {"A": "b"}}},
            "clients: redis: is in `services` as well. Name it in one of them.",
        ),
        ("clients", {"n8n": {}}, "clients: n8n: names 0 env files, expected one, with its keys."),
        (
            "clients",
            {"n8n": {"env/a.env": {"A": "b"}, "env/b.env": {"A": "b"}}},
            "clients: n8n: names 2 env files, expected one, with its keys.",
        ),
        (
            "clients",
            {"n8n": {"/etc/n8n.env": {"A": "b"}}},
            "clients: n8n: '/etc/n8n.env' is no path in the stack's folder. Expected one such as compose/base.yml.",
        ),
        (
            "clients",
            {"n8n": {".env": {"A": "b"}}},
            "clients: n8n: '.env' is one that this library writes itself. Name another.",
        ),
        ("redis_dbs", {"n8n": -1}, "redis_dbs: n8n: is -1, expected 0 or more."),
        (
            "redis_password_file",
            "secrets/redis_password.txt",
            "redis_password_file: is for a redis that the project defines itself. Take redis out of `services`.",
        ),
        ("redis_user", "", "redis_user: '' is no name of a redis user."),
        ("redis_user", "a b", "redis_user: 'a b' is no name of a redis user."),
    ],
)
def test_a_broken_rule_is_told_with_what_was_found_and_expected(name: str, value: object, message: str) -> None:
    assert only_problem(**{name: value}) == message


@pytest.mark.parametrize(("bind", "clash"), [("127.0.0.1", False), ("10.0.0.5", True), ("0.0.0.0", True)])
def test_redis_port_is_its_own_where_it_is_published_on_the_same_address(bind: str, clash: bool) -> None:
    data = {"redis_publish": "10.0.0.5", "redis_tls": "off", "redis_port": 8080, "bind_address": bind}
    if clash:
        assert only_problem(**data) == "openwebui_port, redis_port: both are 8080. Give each a port of its own."
    else:
        assert Settings.parse(data).redis_port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_health_interval", "1m30s"),
        ("redis_health_interval", "500ms"),
        ("redis_save", "3600 1"),
        ("redis_save", "3600 1 300 100"),
        ("bind_address", "0.0.0.0"),
        ("bind_address", "::1"),
        ("openwebui_port", 1),
        ("backup_keep", 1),
        ("redis_health_retries", 1),
        ("stack_dir", "/srv"),
        ("openwebui_port", 65535),
        ("openwebui_env", {"WEBUI_NAME": "ERNI"}),
        ("secrets_file", "/etc/fleet/secrets"),
        ("redis_flavour", None),
        ("redis_publish", None),
        ("redis_publish", "127.0.0.1"),
        ("redis_host", None),
        ("redis_port", 16379),
        ("rollout_waves", ()),
        ("rollout_waves", ("1", "2", "10%", "100%")),
        ("max_failures", 0),
        ("max_failures", 7),
        ("unreachable_counts", True),
        ("rollback_on_failure", False),
        ("lock_ttl", 1),
        ("break_lock", True),
        ("settle_timeout", 1),
        ("compose_files", ("compose/base.yml", "compose/data.yml")),
        ("clients", {"n8n": {"env/n8n.env": {"QUEUE_BULL_REDIS_PASSWORD": "{redis.password}"}}}),
        ("redis_dbs", {"litellm": 0, "n8n": 15}),
        ("redis_user", "fleet-admin"),
        ("retire", "when_unused"),
        ("retire", "always"),
        ("redis_image", None),
        ("openwebui_image", None),
        ("skip_checks", ("clock.skew",)),
        ("log_allow", ("^harmless", "a|b")),
    ],
)
def test_a_value_within_the_rules_is_taken_as_it_is(name: str, value: object) -> None:
    assert getattr(Settings.parse({name: value}), name) == value


def test_all_wrong_types_are_told_at_once() -> None:
    found = problems(stack_dir=5, openwebui_port="x", pull="sometimes", redis_imgae="x")
    assert sorted(problem.split(":")[0] for problem in found) == ["openwebui_port", "pull", "redis_imgae", "stack_dir"]


def test_all_broken_rules_are_told_at_once() -> None:
    found = problems(
        stack_dir="here", stack_name="A", services=("UP", "UP"), bind_address="x", openwebui_port=0,
        backup_keep=0, redis_save="1", redis_image="cache",
    )  # fmt: skip
    assert sorted(problem.split(":")[0] for problem in found) == [
        "backup_keep", "bind_address", "openwebui_port", "redis_save",
        "services", "services", "services", "stack_dir", "stack_name",
    ]  # fmt: skip


ANYTHING = st.none() | st.integers() | st.text(string.printable) | st.booleans()


@given(st.dictionaries(st.sampled_from(sorted(defaults())), ANYTHING))
def test_whatever_the_data_the_answer_is_settings_or_problems_that_name_them(data: dict[str, Any]) -> None:
    settings, found = parsed(data)
    assert (settings is None) == bool(found)
    assert all(data.keys() & set(problem.partition(":")[0].split(", ")) for problem in found)
    assert settings is None or all(getattr(settings, name) == value for name, value in data.items())


def parsed(data: dict[str, Any]) -> tuple[Settings | None, tuple[str, ...]]:
    try:
        return Settings.parse(data), ()
    except SettingsError as error:
        return None, error.problems


def test_a_host_without_a_redis_may_name_anothers() -> None:
    settings = Settings.parse({"services": ["openwebui"], "redis_host": "erni-1"})
    assert settings.redis_host == "erni-1"


def test_a_lists_and_a_tuples_waves_are_the_same() -> None:
    assert Settings.parse({"rollout_waves": ["1", "100%"]}) == Settings.parse({"rollout_waves": ("1", "100%")})
