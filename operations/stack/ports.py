"""Ports of the host that services are published on, and who has them already. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from .service import setting_of
from .snapshot import UNKNOWN, Seen, Snapshot
from .stack import Stack

NAME = "ports"  # of the answer in a snapshot


@dataclass(frozen=True)
class Listener(Seen):
    """A process that listens: its name, "" where the user may not see it; of Docker's own proxy that of the container."""

    port: int
    address: str
    process: int
    name: str

    def __str__(self) -> str:
        if not self.process:
            return "another program"
        return self.name if self.name.startswith("container ") else f"{self.name} (process {self.process})"


def problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """Ports on which a service cannot be published, since somebody else has them."""
    if seen.containers is UNKNOWN and (seen.engine is UNKNOWN or seen.engine.cli):
        return  # who listens may be one of the project's own containers
    answer, own = seen.answer(NAME), () if seen.own is UNKNOWN else seen.own.services
    listeners = () if answer is UNKNOWN else answer
    running = [one for one in (() if seen.containers is UNKNOWN else seen.containers) if one.state == "running"]
    for service, address, port in stack.published:
        if service in own:
            continue  # its ports are the project's affair
        by = [one.service for one in running if _publishes(one.ports, address, port)]
        if service in by:
            continue
        others = [f"{name} of this project" for name in by if not stack.has(name)]
        others += [str(one) for one in listeners if one.port == port and _meet(address, one.address)]
        if others:
            setting = setting_of(service, "port")
            where = setting if setting in stack.settings.more else f"ports of {service}"
            yield (
                f"{where}: port {port} of {address} is taken by {others[0]}, so {service} cannot be published there. Nothing was "
                f"changed. End what has it, or set another port."
            )


def _publishes(ports: tuple[str, ...], address: str, port: int) -> bool:
    pairs = (one.rpartition(":") for one in ports)
    return any(number == str(port) and _meet(address, host.strip("[]") or "0.0.0.0") for host, _, number in pairs)


def _meet(wanted: str, taken: str) -> bool:
    """Whether nobody can listen at one of these addresses while somebody does at the other."""
    mine, other = ipaddress.ip_address(wanted), ipaddress.ip_address(taken)
    if other.is_unspecified and other.version == 6:
        return True  # for both families, as long as nobody says otherwise
    return mine.version == other.version and (mine == other or mine.is_unspecified or other.is_unspecified)
