"""Hosts of other kinds: root logins of other shells, busybox' programs, and an environment of their own (docs/hosts.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, containers
from tests.lab import Host

pytestmark = pytest.mark.long

APT = "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y install --no-install-recommends"
# all that a login could set to lead Compose and Docker elsewhere
ENVIRONMENT = """cat >>/root/.bashrc <<'END'
export COMPOSE_FILE=/nowhere/compose.yml COMPOSE_PROJECT_NAME=another COMPOSE_PROFILES=all COMPOSE_ENV_FILES=/nowhere/.env
export DOCKER_HOST=tcp://127.0.0.1:1 DOCKER_CONTEXT=remote DOCKER_API_VERSION=1.24 STACK_ROOT=/nowhere
export REDIS_ARGS='--requirepass another' REDIS_PASSWORD=another REDIS_IMAGE=another REDIS_PORT=1 REDIS_COMMAND=false
END"""
# the first in PATH, so that only what busybox does not have is Debian's
BUSYBOX = f"""{APT} busybox && mkdir -p /opt/busybox && busybox --install -s /opt/busybox &&
echo 'export PATH=/opt/busybox:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' >>/root/.bashrc"""


@dataclass(frozen=True)
class Kind:
    """A kind of host: how it is made of one of the lab's, and how it is that again."""

    name: str
    make: str
    undo: str

    def __str__(self) -> str:
        return self.name


KINDS = [
    Kind("environment", ENVIRONMENT, "sed -i '/^export COMPOSE_FILE/,$d' /root/.bashrc"),
    Kind("csh", f"{APT} tcsh && usermod --shell /bin/tcsh root", "usermod --shell /bin/bash root"),
    Kind("fish", f"{APT} fish && usermod --shell /usr/bin/fish root", "usermod --shell /bin/bash root"),
    Kind("busybox", BUSYBOX, "sed -i '/busybox/d' /root/.bashrc; rm -rf /opt/busybox"),
]


@pytest.fixture(params=KINDS, ids=str)
def other(request: pytest.FixtureRequest, converged: Fleet) -> Iterator[Fleet]:
    """One host of this kind, on which all is as wanted."""
    kind: Kind = request.param
    host = converged.hosts[0]
    host.run(kind.make)
    yield converged.at(host)
    host.run(kind.undo)


def the_host(fleet: Fleet) -> Host:
    (host,) = fleet.hosts
    return host


def test_it_is_kept_put_right_and_gets_another_password_as_every_host(other: Fleet) -> None:
    host = the_host(other)
    again = other.deploy()
    assert again.ok, again.output
    assert again.changes(host.name) == []

    host.run(f"cd {STACK} && rm compose.d/openwebui.yml && docker compose -p erni-ki rm --stop --force redis-exporter")
    repaired = other.deploy()
    assert repaired.ok, repaired.output
    assert repaired.changes(host.name)

    other.password, before = new(), containers(host)
    rollout = other.deploy()
    assert rollout.ok, rollout.output
    assert containers(host)["redis"] == before["redis"]
    assert containers(host)["openwebui"] != before["openwebui"]
    projects = host.run("docker ps --all --format '{{.Label \"com.docker.compose.project\"}}'").split()
    assert set(projects) == {"erni-ki"}
    assert other.deploy().changes(host.name) == []


# A service whose healthcheck Docker asks only after a minute, as on engines before 25
LATE = """\
x-fleet: {settings: {late_image: "@IMAGE@"}, variables: {LATE_IMAGE: "{late_image}"}}
services:
  late:
    image: ${LATE_IMAGE}
    entrypoint: ["sh", "-c", "sleep 2; touch /tmp/well; exec sleep 600"]
    init: true
    healthcheck: {test: ["CMD-SHELL", "test -e /tmp/well"], interval: 60s}
"""


def test_no_start_waits_for_the_interval_of_a_healthcheck(converged: Fleet, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, fleet = tmp_path_factory.mktemp("catalogue"), converged.at(converged.hosts[0])
    (folder / "late.yml").write_text(LATE.replace("@IMAGE@", fleet.inventory()["fleet"]["data"]["watchtower_image"]))
    fleet.settings.update(catalog_dirs=[str(folder)], services=["watchtower", "redis", "redis-exporter", "openwebui", "late"])
    run = fleet.deploy(timeout=55)  # of the 60 s that Docker would take
    assert run.ok, run.output
    assert run.check(the_host(fleet).name, "container.late")["detail"] == "running, healthy"
    assert "starting" in the_host(fleet).run("docker ps --filter name=late --format '{{.Status}}'")
