"""engine/install: what a host lacks comes from its own package manager. The managers are stand-ins; apt's real one: test_engine.py
of the lab."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.unit.stubs import StubHost

# what the sources of a host of each kind have, as its manager prints it
DNF = {"moby-engine": "27.3.1", "docker-cli": "27.3.1", "docker-compose": "2.30.0"}
PACKAGES = ("docker.io", "docker-cli", "moby-engine")
COMPOSE = ("docker-compose-v2", "docker-compose-plugin", "docker-compose")


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    """One without Docker, jq and any manager."""
    host = StubHost(tmp_path)
    host.without("docker", "jq", "apt-get", "apt-cache", "dnf", "systemctl", "service", "curl")
    host.stub("service")
    return host


def with_dnf(host: StubHost, failing: str = "") -> None:
    cases = "".join(f"*' {name}') echo {version} ;;\n" for name, version in DNF.items())
    installs = "".join(
        f"printf '#!/bin/sh\\necho 27.3.1\\n' >{host.bin}/{name}; chmod 755 {host.bin}/{name}\n" for name in ("docker", "jq")
    )
    host.stub("dnf", f'case " $*" in\n*repoquery*) case " $*" in\n{cases} esac ;;\n*install*) {failing or installs} ;;\nesac\n')
    host.stub("curl")  # it answers, so Docker runs


def install(host: StubHost) -> subprocess.CompletedProcess[str]:
    return host.script("engine/install", docker_packages=" ".join(PACKAGES), compose_packages=" ".join(COMPOSE), apt_source="")


def test_dnf_installs_those_that_its_sources_have(host: StubHost) -> None:
    with_dnf(host)
    done = install(host)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "installed jq docker-cli moby-engine docker-compose\n"
    assert host.calls("dnf")[-1] == ["-q", "-y", "install", "jq", "docker-cli", "moby-engine", "docker-compose"]


def test_what_dnf_says_is_told_where_it_fails(host: StubHost) -> None:
    with_dnf(host, failing="echo 'Error: no route to mirror'; exit 1")
    done = install(host)
    assert (done.returncode, done.stderr) == (1, "dnf install failed. It says:\nError: no route to mirror\n")


def test_a_source_without_compose_is_told(host: StubHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(DNF, "docker-compose")
    with_dnf(host)
    done = install(host)
    assert done.returncode == 1
    assert "No package source of this host has Compose v2; looked for: docker-compose-v2" in done.stderr
    assert not any("install" in words for words in host.calls("dnf"))


def test_a_host_with_neither_manager_is_told(host: StubHost) -> None:
    host.stub("curl")
    done = install(host)
    assert done.returncode == 1
    assert "this host has neither apt-get nor dnf." in done.stderr


# engine/seen: what answers in Docker's place


def podman(host: StubHost) -> str:
    done = host.script("engine/seen", root="/nowhere")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())["podman"]


def test_podman_is_known_by_its_answer_at_dockers_socket(tmp_path: Path) -> None:
    host = StubHost(tmp_path)
    path = Path(f"/tmp/{tmp_path.name}.sock")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    try:
        host.environment = {"DOCKER_HOST": f"unix://{path}"}
        host.stub("docker", "echo Docker version 28.2.2")
        host.stub("curl", "printf 'HTTP/1.1 200 OK\\r\\nServer: Libpod/5.4.2 (linux)\\r\\n\\r\\n'")
        assert podman(host) == "yes"
        host.stub("curl", "printf 'HTTP/1.1 200 OK\\r\\nServer: Docker/28.2.2 (linux)\\r\\n\\r\\n'")
        assert podman(host) == "no"
    finally:
        listening.close()
        path.unlink()


@pytest.mark.parametrize(("version", "found"), [("podman version 5.4.2", "yes"), ("Docker version 28.2.2", "no")])
def test_podman_is_known_by_its_command_that_is_called_docker(tmp_path: Path, version: str, found: str) -> None:
    host = StubHost(tmp_path)
    host.environment = {"DOCKER_HOST": "unix:///nowhere.sock"}
    host.stub("docker", f"case $1 in --version) echo {version} ;; *) exit 125 ;; esac")
    assert podman(host) == found
