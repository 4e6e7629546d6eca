"""Settings: the names and defaults that an operator sees, and every rule that can be checked without a host."""

from __future__ import annotations

import dataclasses
import runpy
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.secrets import Secret
from operations.stack.errors import SettingsError
from operations.stack.settings import Settings

GROUP_DATA = Path(__file__).parents[3] / "group_data" / "all.py"
SECRET_SETTINGS = {"redis_password"}


def group_data() -> dict[str, Any]:
    names = runpy.run_path(str(GROUP_DATA))
    return {name: value for name, value in names.items() if not name.startswith("_") and not isinstance(value, type)}


def defaults() -> dict[str, Any]:
    settings = Settings()
    return {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}


def problems(**data: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.parse(data)
    return caught.value.problems


def only_problem(**data: Any) -> str:
    (problem,) = problems(**data)
    return problem


# What the operator sees


def test_the_defaults_are_valid() -> None:
    assert Settings.parse({}) == Settings()


def test_group_data_shows_exactly_the_settings_that_there_are() -> None:
    assert group_data().keys() == defaults().keys()


@pytest.mark.parametrize("name", sorted(defaults().keys() - SECRET_SETTINGS))
def test_group_data_shows_the_default(name: str) -> None:
    assert group_data()[name] == defaults()[name]


def test_the_password_is_a_reference_to_a_secret_in_group_data() -> None:
    assert group_data()["redis_password"] == Secret("REDIS_PASSWORD")


def test_every_setting_in_group_data_says_what_it_is() -> None:
    lines = [line for line in GROUP_DATA.read_text().splitlines() if " = " in line]
    assert len(lines) == len(defaults())
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
    assert Settings.parse({"redis_image2": "x"}, extra=frozenset({"redis_image2"})) == Settings()


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
        ("pull", "sometimes", 'pull: is \'sometimes\', expected one of "missing", "never", "always".'),
        ("redis_flavour", "debian", 'redis_flavour: is \'debian\', expected one of "stack", "official" or None.'),
        ("openwebui_env", ["A=b"], "openwebui_env: is a tuple, expected a mapping of text to text."),
        ("openwebui_env", {"A": 1}, "openwebui_env: is a dict, expected a mapping of text to text."),
        ("secrets_command", ["sops"], "secrets_command: is a tuple, expected text or None."),
        ("redis_health_interval", 30, "redis_health_interval: is 30, expected text."),
        ("redis_publish", 7, "redis_publish: is 7, expected text or None."),
        ("compose_files", "compose.yml", "compose_files: is 'compose.yml', expected a list of text."),
        ("compose_files", [7], "compose_files: is a tuple, expected a list of text."),
        ("redis_image", 7, "redis_image: is 7, expected text or None."),
        ("retire", "never", 'retire: is \'never\', expected one of "verified", "when_unused", "always".'),
        (
            "redis_clients",
            {"n8n": {"REDIS_PASSWORD": "{password}"}},
            "redis_clients: is a dict, expected a mapping of text to a mapping of text to a mapping of text to text.",
        ),
        (
            "redis_clients",
            {"n8n": {"env/n8n.env": {"REDIS_DB": 1}}},
            "redis_clients: is a dict, expected a mapping of text to a mapping of text to a mapping of text to text.",
        ),
        ("redis_dbs", {"n8n": "1"}, "redis_dbs: is a dict, expected a mapping of text to a whole number."),
        ("redis_dbs", {"n8n": True}, "redis_dbs: is a dict, expected a mapping of text to a whole number."),
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


@pytest.mark.parametrize("name", sorted(defaults().keys() - SECRET_SETTINGS))
def test_every_setting_refuses_a_value_of_no_known_type(name: str) -> None:
    assert only_problem(**{name: object()}).startswith(f"{name}: is a object, expected ")


# Rules


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("services", (), "services: the list is empty. Name at least one service of the catalogue."),
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
            "openwebui_image: '' is no image name. Expected one such as redis/redis-stack:latest.",
        ),
        (
            "openwebui_image",
            "a b",
            "openwebui_image: 'a b' is no image name. Expected one such as redis/redis-stack:latest.",
        ),
        (
            "watchtower_image",
            "x:${TAG}",
            "watchtower_image: 'x:${TAG}' is no image name. Expected one such as redis/redis-stack:latest.",
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
            (),
            "compose_files: the list is empty. Name the project's own Compose files, or leave it out for compose.yml.",
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
            "redis_clients",
            {"N8N": {"env/n8n.env": {"A": "b"}}},
            "redis_clients: N8N: is no service name. Use lower-case letters, digits, - and _.",
        ),
        (
            "redis_clients",
            {"redis": {"env/n8n.env": {"A": "b"}}},
            "redis_clients: redis: is in `services` as well. Name it in one of them.",
        ),
        ("redis_clients", {"n8n": {}}, "redis_clients: n8n: names 0 env files, expected one, with its keys."),
        (
            "redis_clients",
            {"n8n": {"env/a.env": {"A": "b"}, "env/b.env": {"A": "b"}}},
            "redis_clients: n8n: names 2 env files, expected one, with its keys.",
        ),
        (
            "redis_clients",
            {"n8n": {"/etc/n8n.env": {"A": "b"}}},
            "redis_clients: n8n: '/etc/n8n.env' is no path in the stack's folder. Expected one such as compose/base.yml.",
        ),
        (
            "redis_clients",
            {"n8n": {".env": {"A": "b"}}},
            "redis_clients: n8n: '.env' is one that this library writes itself. Name another.",
        ),
        ("redis_dbs", {"n8n": -1}, "redis_dbs: n8n: is -1, expected 0 or more."),
        (
            "redis_password_file",
            "secrets/redis_password.txt",
            "redis_password_file: is for a redis that the project defines itself. Take redis out of `services`.",
        ),
        ("redis_user", "", "redis_user: '' is no name of a redis user."),
        ("redis_user", "a b", "redis_user: 'a b' is no name of a redis user."),
        (
            "redis_image",
            "registry.example/cache:1",
            "redis_image: 'registry.example/cache:1' does not tell whether it starts like redis-stack or like the "
            'official redis image. Set redis_flavour to "stack" or "official".',
        ),
    ],
)
def test_a_broken_rule_is_told_with_what_was_found_and_expected(name: str, value: object, message: str) -> None:
    assert only_problem(**{name: value}) == message


@pytest.mark.parametrize(("bind", "clash"), [("127.0.0.1", False), ("10.0.0.5", True), ("0.0.0.0", True)])
def test_redis_port_is_its_own_where_it_is_published_on_the_same_address(bind: str, clash: bool) -> None:
    data = {"redis_publish": "10.0.0.5", "redis_port": 8080, "bind_address": bind}
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
        ("redis_publish", "10.0.0.5"),
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
        ("redis_clients", {"n8n": {"env/n8n.env": {"QUEUE_BULL_REDIS_PASSWORD": "{password}"}}}),
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


# The folder on the host


@pytest.mark.parametrize(
    "path",
    ["/opt/erni ki", "/opt/it's", '/opt/"quoted"', "/opt/$(touch x)", "/opt/`id`", "/opt/a;b&c|d", "/opt/-x", "/opt/ü"],
)
def test_a_folder_that_only_looks_dangerous_is_allowed(path: str) -> None:
    assert Settings.parse({"stack_dir": path}).stack_dir == path


@pytest.mark.parametrize("path", ["erni-ki", "./erni-ki", "-x", "~/erni-ki", ""])
def test_a_relative_folder_is_refused(path: str) -> None:
    assert only_problem(stack_dir=path) == (f"stack_dir: {path!r} is not an absolute path. Expected one such as /opt/erni-ki.")


@pytest.mark.parametrize("path", ["/", "//", "/.", "/opt/..", "/opt/../etc", "/../opt"])
def test_the_root_and_a_way_up_are_refused(path: str) -> None:
    assert only_problem(stack_dir=path) == (f"stack_dir: {path!r} must be a folder of its own, below / and without '..'.")


@pytest.mark.parametrize("path", ["/opt/a\nb", "/opt/a\n", "/opt/a\tb", "/opt/\x00", "/opt/\x7f"])
def test_a_control_character_in_the_folder_is_refused(path: str) -> None:
    assert only_problem(stack_dir=path) == f"stack_dir: {path!r} holds a control character. Remove it."


# Files of a project that is there already


@pytest.mark.parametrize("path", ["compose.yml", "compose/base.yml", "compose/ü.yml", "a/b/c.yml", ".hidden.yml", "x@2+y-z_1.yml"])
def test_a_file_in_the_stacks_folder_is_allowed(path: str) -> None:
    assert Settings.parse({"compose_files": [path]}).compose_files == (path,)
    assert Settings.parse({"redis_clients": {"n8n": {path: {"A": "b"}}}}).redis_clients == {"n8n": {path: {"A": "b"}}}
    without = {"services": ["watchtower"], "redis_password_file": path}
    assert Settings.parse(without).redis_password_file == path


NO_PATHS = [
    "", ".", "/", "/etc/x.yml", "..", "../x.yml", "a/../../x.yml", "./compose.yml", "a//b.yml", "a/", "-x.yml", "~/x.yml",
    "a b.yml", "a\n.yml", "a:b.yml", "a,b.yml", "a=b.yml", "${HOME}.yml", "*.yml", "a?.yml", "[a].yml", "it's.yml", 'a".yml',
    "a;b.yml", "a#.yml", "a\\b.yml",
]  # fmt: skip


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_plain_path_in_the_stacks_folder_is_refused(path: str) -> None:
    words = f"{path!r} is no path in the stack's folder. Expected one such as compose/base.yml."
    assert only_problem(compose_files=(path,)) == f"compose_files: {words}"
    assert only_problem(redis_clients={"n8n": {path: {"A": "b"}}}) == f"redis_clients: n8n: {words}"
    if path:
        assert only_problem(services=["watchtower"], redis_password_file=path) == f"redis_password_file: {words}"


@pytest.mark.parametrize("path", [".env", ".fleet/applied.json", "compose.d/web.yml", "compose.d"])
def test_what_this_library_writes_is_nobody_elses(path: str) -> None:
    assert only_problem(compose_files=(path,)).endswith("is one that this library writes itself. Name another.")


def test_a_host_may_have_nothing_but_clients_or_a_redis_of_the_projects_own() -> None:
    assert Settings.parse({"services": (), "redis_clients": {"n8n": {"env/n8n.env": {"A": "b"}}}}).services == ()
    assert Settings.parse({"services": (), "redis_password_file": "secrets/redis_password.txt"}).services == ()


def test_a_redis_of_the_projects_own_and_one_of_another_host_exclude_each_other() -> None:
    assert only_problem(services=["openwebui"], redis_host="erni-1", redis_password_file="secrets/x.txt") == (
        "redis_password_file: this host uses the redis of redis_host. Set one of the two to None."
    )


# Names of services


@pytest.mark.parametrize(
    "name", ["../x", "-x", "a/b", "Redis", "", ".", "..", "a b", "a\n", "a:b", "a,b", "$(x)", "a=b", "ü", "_a"]
)
def test_a_hostile_service_name_is_refused(name: str) -> None:
    assert only_problem(services=(name,)) == (f"services: {name!r} is no service name. Use lower-case letters, digits, - and _.")


@pytest.mark.parametrize("name", ["redis", "redis-exporter", "open_webui", "7zip"])
def test_a_plain_service_name_is_allowed(name: str) -> None:
    assert Settings.parse({"services": [name]}).services == (name,)


# What is told from other settings


@pytest.mark.parametrize(
    ("image", "flavour"),
    [
        ("redis/redis-stack:latest", "stack"),
        ("redis/redis-stack-server:7.4.0-v3", "stack"),
        ("redis/redis-stack", "stack"),
        ("registry.example:5000/mirror/redis-stack:7", "stack"),
        ("registry.example:5000/redis-stack", "stack"),
        ("redis/redis-stack@sha256:" + "a" * 64, "stack"),
        ("redis/redis-stack:7@sha256:" + "a" * 64, "stack"),
        ("redis", "official"),
        ("redis:8", "official"),
        ("docker.io/library/redis:8-alpine", "official"),
        ("registry.example:5000/redis", "official"),
        ("redis@sha256:" + "a" * 64, "official"),
        ("valkey/valkey:8", "official"),
    ],
)
def test_the_flavour_is_told_from_the_image(image: str, flavour: str) -> None:
    assert Settings.parse({"redis_image": image}).flavour == flavour


def test_the_flavour_is_as_set_whatever_the_image_is_called() -> None:
    assert Settings.parse({"redis_image": "cache:1", "redis_flavour": "official"}).flavour == "official"
    assert Settings.parse({"redis_image": "redis:8", "redis_flavour": "stack"}).flavour == "stack"


def test_an_image_of_the_projects_own_is_taken_for_the_guides_unless_set() -> None:
    assert Settings.parse({"redis_image": None}).flavour == "stack"
    assert Settings.parse({"redis_image": None, "redis_flavour": "official"}).flavour == "official"


@pytest.mark.parametrize("image", ["cache", "registry.example/redis-stack/cache:redis", "my-redis:7"])
def test_an_image_that_does_not_tell_its_flavour_is_refused(image: str) -> None:
    assert only_problem(redis_image=image).startswith(f"redis_image: {image!r} does not tell")


def test_the_image_of_a_redis_that_is_not_wanted_need_not_tell_its_flavour() -> None:
    assert Settings.parse({"redis_image": "cache", "services": ["watchtower"]}).flavour is None


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
    values = Settings.parse({"bind_address": address, "redis_publish": address}).values()
    assert (values["bind_address"], values["redis_publish"]) == (written, written)
    assert Settings().values()["redis_publish"] is None
