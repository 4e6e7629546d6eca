"""Hosts of other kinds: root logins of other shells, busybox' programs, and an environment of their own (docs/hosts.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, containers, files
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.machine import Checkout

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


# what the second host's user may do, without sudo
DOAS = f"{APT} opendoas && printf 'permit nopass operator as root\\n' >/etc/doas.conf && chmod 400 /etc/doas.conf"


@dataclass(frozen=True)
class Kind:
    """A kind of host, or of a login: how it is made of one of the lab's, and how it is that again.

    + number: the host; the second one is reached as an ordinary user
    + reached: pyinfra's data for it
    """

    name: str
    make: str
    undo: str
    number: int = 0
    reached: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


KINDS = [
    Kind("environment", ENVIRONMENT, "sed -i '/^export COMPOSE_FILE/,$d' /root/.bashrc"),
    Kind("csh", f"{APT} tcsh && usermod --shell /bin/tcsh root", "usermod --shell /bin/bash root"),
    Kind("fish", f"{APT} fish && usermod --shell /usr/bin/fish root", "usermod --shell /bin/bash root"),
    Kind("doas", DOAS, "rm /etc/doas.conf", 1, {"_sudo": False, "_doas": True}),
    Kind("nologin with sudo", "usermod --shell /usr/sbin/nologin root", "usermod --shell /bin/bash root", 1),
    Kind("su", "", "", 0, {"_su_user": "root"}),
    Kind("busybox", BUSYBOX, "sed -i '/busybox/d' /root/.bashrc; rm -rf /opt/busybox"),
]


@pytest.fixture(params=KINDS, ids=str)
def other(request: pytest.FixtureRequest, converged: Fleet) -> Iterator[Fleet]:
    """One host of this kind, on which all is as wanted."""
    kind: Kind = request.param
    host = converged.hosts[kind.number]
    host.run(kind.make, timeout=300)
    converged.host_settings[host.name] = dict(kind.reached)
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


@pytest.fixture
def behind(converged: Fleet, tmp_path: Path) -> Fleet:
    """The first host, which is reached through the second one: by ProxyJump, and at its own address."""
    host, jump = converged.hosts[:2]
    lab = Checkout.here().lab
    key = f"  IdentityFile {lab}/ssh/key\n  IdentitiesOnly yes\n  UserKnownHostsFile {tmp_path}/known_hosts\n"
    (tmp_path / "config").write_text(
        f"Host {host.address}\n  User root\n  ProxyJump jump\n{key}Host jump\n  HostName 127.0.0.1\n  Port {jump.port}\n"
        f"  User {jump.user}\n{key}"
    )
    (own,) = (line for line in (lab / "ssh/known_hosts").read_text().splitlines() if line.startswith(f"[127.0.0.1]:{host.port} "))
    known = (lab / "ssh/known_hosts").read_text() + f"{host.address} {own.partition(' ')[2]}\n"
    (tmp_path / "known_hosts").write_text(known)
    converged.host_settings[host.name] = {
        "ssh_hostname": host.address, "ssh_port": 22,
        "ssh_config_file": str(tmp_path / "config"), "ssh_known_hosts_file": str(tmp_path / "known_hosts"),
    }  # fmt: skip
    return converged.at(host)


def test_a_host_behind_another_one_is_reached_by_proxyjump(behind: Fleet, hosts: list[Host]) -> None:
    host, jump = the_host(behind), hosts[1]
    behind.password = new()
    run = behind.deploy()
    assert run.ok, run.output
    assert host.succeeds(f"grep -q 'Accepted publickey for root from {jump.address} ' /var/log/sshd.log")
    assert behind.deploy().changes(host.name) == []


def test_podman_in_dockers_place_is_told_and_nothing_is_changed(converged: Fleet) -> None:
    host = converged.hosts[0]
    fleet, before = converged.at(host), (files(host), containers(host))
    host.run(f"{APT} podman", timeout=500)
    host.run("(setsid podman system service --time 0 unix:///run/podman.sock >/dev/null 2>&1 & echo $! >/run/podman.pid)")
    until(lambda: host.succeeds("curl --silent --unix-socket /run/podman.sock http://d/_ping"))
    host.run("echo 'export DOCKER_HOST=unix:///run/podman.sock' >>/root/.bashrc")
    try:
        run = fleet.deploy()
    finally:
        host.run("sed -i '/podman.sock/d' /root/.bashrc; kill $(cat /run/podman.pid)")
    assert not run.ok
    assert "Podman answers in Docker's place on this host. It is not supported" in run.host(host.name)["error"]
    assert (files(host), containers(host)) == before
