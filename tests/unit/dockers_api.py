"""What Docker's API says to GET /containers/json, in the form of a real engine (28.2.2), and a `curl` that hands it out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from operations.facts.state import Containers
from operations.stack.snapshot import SeenContainer, Unknown
from tests.unit.stubs import StubHost

CREATED = 1_764_020_000
HEADERS = (
    "HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    "Server: Docker/28.2.2 (linux)\r\nDate: Tue, 24 Nov 2026 15:01:02 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def a_container(
    service: str = "redis",
    *,
    status: str = "Up 3 hours (healthy)",
    state: str = "running",
    command: str = "/usr/bin/dumb-init sh -c 'trap : TERM INT; . /entrypoint.sh'",
    labels: Mapping[str, str] | None = None,
    networks: Mapping[str, str] | None = None,
    mounts: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """One container.

    + labels: beside Compose's own
    + networks: name → address
    + mounts: source and target; a source that is no path is a volume's name
    """
    networks = {"erni-ki_default": "172.18.0.7"} if networks is None else networks
    return {
        "Id": f"id-of-{service}",
        "Names": [f"/erni-ki-{service}-1"],
        "Image": f"{service}:latest",
        "ImageID": f"sha256:{'ab' * 32}",
        "Command": command,
        "Created": CREATED,
        "Ports": [
            {"PrivatePort": 8001, "Type": "tcp"},
            {"IP": "127.0.0.1", "PrivatePort": 6379, "PublicPort": 6379, "Type": "tcp"},
        ],
        "Labels": {
            **(labels or {}),
            "com.docker.compose.config-hash": f"hash-of-{service}",
            "com.docker.compose.container-number": "1",
            "com.docker.compose.depends_on": "watchtower:service_healthy:false",
            "com.docker.compose.image": f"sha256:{'ab' * 32}",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.project": "erni-ki",
            "com.docker.compose.project.config_files": "/opt/erni-ki/compose.yml,/opt/erni-ki/compose.d/redis.yml",
            "com.docker.compose.project.working_dir": "/opt/erni-ki",
            "com.docker.compose.service": service,
            "com.docker.compose.version": "2.36.0",
        },
        "State": state,
        "Status": status,
        "HostConfig": {"NetworkMode": "erni-ki_default"},
        "NetworkSettings": {"Networks": {name: _network(address) for name, address in networks.items()}},
        "Mounts": [_mount(source, target) for source, target in mounts],
    }


def _network(address: str) -> dict[str, Any]:
    return {
        "IPAMConfig": {}, "Links": None, "Aliases": None, "MacAddress": "aa:bb:cc:dd:ee:ff", "DriverOpts": None,
        "GwPriority": 0, "NetworkID": "cd" * 32, "EndpointID": "ef" * 32, "Gateway": "172.18.0.1", "IPAddress": address,
        "IPPrefixLen": 16, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": None,
    }  # fmt: skip


def _mount(source: str, target: str) -> dict[str, Any]:
    if source.startswith("/"):
        return {
            "Type": "bind", "Source": source, "Destination": target, "Mode": "rw", "RW": True, "Propagation": "rprivate",
        }  # fmt: skip
    return {
        "Type": "volume", "Name": source, "Source": "", "Destination": target, "Driver": "local", "Mode": "z", "RW": True,
        "Propagation": "",
    }  # fmt: skip


def written_by_go(value: object) -> str:
    """JSON as Go writes it: without blanks, in UTF-8, and with escapes for what HTML would take for its own."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def docker_answers(host: StubHost, *containers: Mapping[str, Any], posing: Sequence[str] = ()) -> None:
    """Docker's API lists these containers, whatever it is asked.

    + posing: ids of images that have labels which only Compose gives, and only to containers
    """
    with (host.home / "containers.http").open("w", newline="") as answer:
        answer.write(HEADERS + written_by_go(list(containers)) + "\n" + written_by_go([{"Id": one} for one in posing]) + "\n")
    host.stub("curl", 'exec cat "$HOME/containers.http"')


def seen(host: StubHost) -> tuple[SeenContainer, ...] | Unknown:
    """What the fact makes of them."""
    fact = Containers()
    return fact.process(host.command(fact.command("erni-ki")).stdout.splitlines())
