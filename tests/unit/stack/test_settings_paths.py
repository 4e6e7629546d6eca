"""Folders, files and services in the settings: odd names are taken as they are, hostile ones are refused."""

from __future__ import annotations

import pytest

from operations.stack.settings import Settings
from tests.unit.stack.settings_told import only_problem

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


def test_a_colon_in_the_folder_is_refused() -> None:
    assert only_problem(stack_dir="/opt/a:b") == (
        "stack_dir: '/opt/a:b' holds a colon, at which Docker would end the path of a volume. Choose another folder."
    )


@pytest.mark.parametrize("path", ["/opt/a\nb", "/opt/a\n", "/opt/a\tb", "/opt/\x00", "/opt/\x7f"])
def test_a_control_character_in_the_folder_is_refused(path: str) -> None:
    assert only_problem(stack_dir=path) == f"stack_dir: {path!r} holds a control character. Remove it."


# Files of a project that is there already


@pytest.mark.parametrize("path", ["compose.yml", "compose/base.yml", "compose/ü.yml", "a/b/c.yml", ".hidden.yml", "x@2+y-z_1.yml"])
def test_a_file_in_the_stacks_folder_is_allowed(path: str) -> None:
    assert Settings.parse({"compose_files": [path]}).compose_files == (path,)
    assert Settings.parse({"clients": {"n8n": {path: {"A": "b"}}}}).clients == {"n8n": {path: {"A": "b"}}}
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
    assert only_problem(clients={"n8n": {path: {"A": "b"}}}) == f"clients: n8n: {words}"
    if path:
        assert only_problem(services=["watchtower"], redis_password_file=path) == f"redis_password_file: {words}"


@pytest.mark.parametrize("path", [".env", ".fleet/applied.json", "compose.d/web.yml", "compose.d"])
def test_what_this_library_writes_is_nobody_elses(path: str) -> None:
    assert only_problem(compose_files=(path,)).endswith("is one that this library writes itself. Name another.")


def test_a_host_may_have_nothing_but_clients_or_a_redis_of_the_projects_own() -> None:
    assert Settings.parse({"services": (), "clients": {"n8n": {"env/n8n.env": {"A": "b"}}}}).services == ()
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
