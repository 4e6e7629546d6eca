"""A container whose healthcheck Docker asks late is asked in a snapshot too, so that nobody waits for an interval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.stack.snapshot import UNKNOWN
from tests.unit.dockers_api import a_container, docker_answers, seen
from tests.unit.stubs import StubHost

STARTING = "Up 3 seconds (health: starting)"


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    docker_answers(host, a_container("redis", status=STARTING), a_container("web", status=STARTING), a_container("db"))
    return host


def docker(host: StubHost, well: str, **healthcheck: object) -> None:
    """Docker describes each container with this healthcheck, and those in `well` pass it."""
    config = {"Healthcheck": {"Test": ["CMD", "check"], **healthcheck}}
    (host.home / "config").write_text(json.dumps(config))
    describe = 'for id; do printf "{\\"Id\\": \\"%s\\", \\"Config\\": %s}\\n" "$id" "$(cat "$HOME/config")"; done | jq --slurp .'
    body = f"case $1 in inspect) shift; {describe} ;;"
    host.stub("docker", f"{body}\nexec) case ' {well} ' in *\" $2 \"*) ;; *) exit 1 ;; esac ;; esac")


def healths(host: StubHost) -> dict[str, str]:
    found = seen(host)
    assert found is not UNKNOWN
    return {one.service: one.health for one in found}


def test_one_that_passes_is_healthy_and_one_that_does_not_is_starting_still(host: StubHost) -> None:
    docker(host, "id-of-redis")
    assert healths(host) == {"redis": "healthy", "web": "starting", "db": "healthy"}
    assert [call[1:] for call in host.calls("docker") if call[0] == "exec"] == [["id-of-redis", "check"], ["id-of-web", "check"]]


def test_those_that_docker_asks_soon_are_left_to_it(host: StubHost) -> None:
    docker(host, "id-of-redis", StartInterval=2_000_000_000)
    assert healths(host) == {"redis": "starting", "web": "starting", "db": "healthy"}
    assert [call for call in host.calls("docker") if call[0] == "exec"] == []


def test_a_host_on_which_nothing_is_starting_is_asked_nothing_more(host: StubHost) -> None:
    docker_answers(host, a_container("db"))
    docker(host, "")
    assert healths(host) == {"db": "healthy"}
    assert host.calls("docker") == []
