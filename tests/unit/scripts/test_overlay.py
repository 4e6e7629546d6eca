"""lib/overlay.jq: what lies over a service that the project defines itself has all of its own options but those of its login."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml

from operations.scripts import FOLDER
from operations.stack.service import Loader

PROGRAM = FOLDER / "lib/overlay.jq"
OPTIONS = {"without": ["--requirepass"], "with": ["--aclfile", "/users.acl"], "variable": "ARGS"}
ACL = "--aclfile /users.acl"
HEALTH = ["CMD-SHELL", "ask with a file"]


def overlay(
    own: dict[str, Any], written: dict[str, Any] | None = None, image: list[str] | None = None, **needs: Any
) -> dict[str, Any] | str:
    """What lies over a service; the words of the error where there is none.

    + own, written: its definition as Compose resolves it, and as its file has it
    """
    asked = {"db": {"keys": [], "env": [], "options": OPTIONS, **needs}}
    given = (asked, {"services": {"db": own}}, {"services": {"db": written or own}}, {"db": image})
    done = subprocess.run(
        ["jq", "-nrf", PROGRAM], input="\n".join(map(json.dumps, given)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr
    found: dict[str, Any] = yaml.load(done.stdout, Loader)["services"].get("db", {})
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["redis-server", "--requirepass", "old"], ["redis-server"]),
        (["redis-server", "--requirepass", "old", "--save", "", "--port", "7"], ["redis-server", "--save", "", "--port", "7"]),
        (["redis-server", "/etc/redis.conf"], ["redis-server", "/etc/redis.conf"]),
        (["redis-server", "/etc/redis.conf", "--RequirePass", "a", "--requirepass", "b"], ["redis-server", "/etc/redis.conf"]),
        (["redis-stack-server", "--requirepass", "--appendonly", "--port", "6380"], ["redis-stack-server", "--port", "6380"]),
        (["--requirepass=old", "--port", "7"], ["--port", "7"]),
        (["valkey-server", "--databases", "32", "--requirepass", "$$x"], ["valkey-server", "--databases", "32"]),
    ],
)  # fmt: skip
def test_a_command_keeps_its_other_options(before: list[str], after: list[str]) -> None:
    assert overlay({"command": before}) == {"command": [*after, *ACL.split()]}


def test_of_an_entrypoint_too() -> None:
    found = overlay({"entrypoint": ["redis-server", "--requirepass", "old", "--port", "7"], "command": ["--save", ""]})
    assert found == {"entrypoint": ["redis-server", "--port", "7"], "command": ["--save", "", *ACL.split()]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('exec redis-server --requirepass old --save ""', f'exec redis-server {ACL} --save ""'),
        ("redis-server --dir /data --requirepass 'it is old' && echo", f"redis-server --dir /data {ACL} && echo"),
        ('redis-server --requirepass "$$(cat /run/secrets/a b)" --port 7', f"redis-server {ACL} --port 7"),
        ('redis-server --requirepass "$$PASS"; true', f"redis-server {ACL}; true"),
        ("redis-server --requirepass ${PASS:-a b} --port 7", f"redis-server {ACL} --port 7"),
        ("redis-server --requirepass $$(cat /x) --port 7", f"redis-server {ACL} --port 7"),
        ("redis-server --requirepass a --requirepass b", f"redis-server {ACL}"),
    ],
)
@pytest.mark.parametrize("shell", [["sh", "-c"], ["/bin/bash", "-ec"], ["/bin/sh", "-e", "-c"]])
def test_of_a_text_for_a_shell_too(before: str, after: str, shell: list[str]) -> None:
    assert overlay({"command": [*shell, before]}) == {"command": [*shell, after]}
    assert overlay({"entrypoint": shell, "command": [before]}) == {"command": [after]}
    assert overlay({"entrypoint": [*shell, before]}) == {"entrypoint": [*shell, after]}


@pytest.mark.parametrize("text", ["exec /start.sh", "redis-server /etc/redis.conf", "redis-server --requirepassword x"])
def test_a_text_for_a_shell_in_which_no_login_stands_is_told(text: str) -> None:
    assert "db: is started by a shell that is not told --requirepass" in overlay({"command": ["sh", "-c", text]})


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("--requirepass old", ACL),
        ("--requirepass old --save 60 1", f"--save 60 1 {ACL}"),
        ("--save 60 1", f"--save 60 1 {ACL}"),
        (None, ACL),
    ],
)
def test_of_a_variable_with_options_too(value: str | None, after: str) -> None:
    own = {"environment": {"ARGS": value, "TZ": "UTC"} if value else {"TZ": "UTC"}}
    assert overlay(own, image=["/entrypoint.sh"]) == {"environment": {"ARGS": after}}


def test_an_image_that_runs_its_server_by_itself_is_given_its_command_with_them() -> None:
    assert overlay({}, image=["valkey-server"]) == {"command": ["valkey-server", *ACL.split()]}
    assert overlay({"environment": {"ARGS": "--requirepass x"}}, image=["redis-server"]) == {"environment": {"ARGS": ACL}}


def test_what_beats_an_env_file_goes() -> None:
    drop = {"without": ["--redis.password", "--redis.addr"]}
    assert overlay({"command": ["--redis.password=x", "--debug", "--redis.addr", "redis://x"]}, options=drop) == {
        "command": ["--debug"]
    }
    assert overlay({"command": ["--debug"]}, options=drop) == {}
    assert overlay({}, options=drop, image=["x"]) == {}


def test_what_an_env_file_says_stands_in_the_environment_but_for_the_password() -> None:
    own = {
        "command": ["redis-server", "--requirepass", "x"],
        "environment": {"TZ": "UTC", "REDIS_PASSWORD": "x", "REDISCLI_AUTH": "x"},
    }
    found = overlay(own, {**own, "env_file": [{"path": "a.env"}]}, inline=True)
    assert found == {"command": ["redis-server", *ACL.split()], "env_file": [], "environment": {"TZ": "UTC"}}
    assert "environment" not in overlay(own, inline=True)


@pytest.mark.parametrize("its", [None, {"disable": True}, {"test": ["NONE"]}])
def test_a_healthcheck_that_it_does_not_have_is_not_given_to_it(its: dict[str, Any] | None) -> None:
    assert overlay({"healthcheck": its}, options=None, healthcheck=HEALTH) == {}


def test_a_healthcheck_logs_in_as_ours_does_and_keeps_its_times() -> None:
    own = {"healthcheck": {"test": ["CMD", "redis-cli", "-a", "old", "ping"], "interval": "5s"}}
    assert overlay(own, options=None, healthcheck=HEALTH) == {"healthcheck": {"test": HEALTH}}


def test_a_list_loses_what_an_env_file_says_and_nothing_else() -> None:
    written = {"environment": ["URL=x", "A=${B}", "BARE", "ARGS=--requirepass y"]}
    own = {"environment": {"URL": "x", "A": "b", "BARE": None, "ARGS": "--requirepass y"}}
    assert overlay(own, written, keys=["URL"], env=["URL", "BARE"], image=["/entrypoint.sh"]) == {
        "environment": ["A=${B}", f"ARGS={ACL}"]
    }


def test_a_name_without_a_value_takes_nothing_from_an_env_file() -> None:
    assert overlay({"environment": {"URL": None}}, options=None, env=["URL"]) == {"environment": {"URL": []}}
