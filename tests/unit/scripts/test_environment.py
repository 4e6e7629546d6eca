"""What a host's own environment says must not override the stack's files, nor lead to another engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.facts.bundle import Bundle, Questions
from operations.facts.state import Containers
from tests.unit.dockers_api import docker_answers
from tests.unit.scripts.up_sh import up
from tests.unit.stubs import StubHost

THEIRS = {
    "COMPOSE_FILE": "/elsewhere/compose.yml",
    "COMPOSE_PROJECT_NAME": "another",
    "COMPOSE_PROFILES": "all",
    "DOCKER_CONTEXT": "remote",
    "DOCKER_HOST": "tcp://192.0.2.9:2375",
    "DOCKER_API_VERSION": "1.24",
    "DOCKER_TLS_VERIFY": "1",
    "NOTE": "a line\nCOMPOSE_PATH=/bin\nof a value",
}


def seen_by(host: StubHost, program: str) -> dict[str, str]:
    """The environment of each call of a stand-in, of those names that matter here."""
    lines = (host.root.parent / "log" / f"{program}.env").read_text().splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines if line.startswith("export "))
    return {name: value.strip("'") for name, _, value in pairs if name.startswith(("COMPOSE", "DOCKER"))}


def test_docker_and_compose_see_the_stacks_own_files_and_the_engine_of_this_machine(stack_host: StubHost) -> None:
    stack_host.environment = THEIRS
    assert up(stack_host, "redis").returncode == 0
    assert seen_by(stack_host, "docker") == {"DOCKER_HOST": "unix:///var/run/docker.sock"}


def test_a_host_that_sets_nothing_is_led_to_the_same_engine(stack_host: StubHost) -> None:
    assert up(stack_host, "redis").returncode == 0
    assert seen_by(stack_host, "docker") == {"DOCKER_HOST": "unix:///var/run/docker.sock"}


def test_where_logins_and_plugins_lie_is_the_hosts_own_affair(stack_host: StubHost) -> None:
    stack_host.environment = {"DOCKER_CONFIG": "/etc/docker-client"}
    assert up(stack_host, "redis").returncode == 0
    assert seen_by(stack_host, "docker")["DOCKER_CONFIG"] == "/etc/docker-client"


@pytest.mark.parametrize(
    ("given", "socket"),
    [
        ("", "/var/run/docker.sock"),
        ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
        ("tcp://192.0.2.9:2375", "/var/run/docker.sock"),
        ("ssh://other", "/var/run/docker.sock"),
    ],
)
def test_a_socket_of_this_machine_is_asked_by_every_question_alike(tmp_path: Path, given: str, socket: str) -> None:
    host = StubHost(tmp_path)
    docker_answers(host)
    host.environment = {"DOCKER_HOST": given} if given else {}
    host.command(Bundle().command(Questions(containers=(Containers, {"project": "erni-ki"}))))
    (words,) = host.calls("curl")
    assert words[words.index("--unix-socket") + 1] == socket
    assert seen_by(host, "curl") == {"DOCKER_HOST": f"unix://{socket}"}
