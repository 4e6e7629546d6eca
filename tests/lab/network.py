"""The network of the hosts and the ports that lead to them, so that no two labs on a machine meet."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from pathlib import Path

from .engine import Engine
from .machine import Checkout


def ensure(checkout: Checkout, engine: Engine) -> IPv4Network:
    """The network, in a range that neither this machine nor the engines inside the hosts use."""
    show = ("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", checkout.slug)
    if there := engine.docker(*show, check=False).strip():
        return IPv4Network(there)
    subnet = next(filter(_unrouted, _subnets(checkout)))
    engine.docker(
        *("network", "create", "--label", checkout.label, "--subnet", str(subnet)),
        *("--opt", f"com.docker.network.bridge.name={checkout.bridge}", checkout.slug),
    )
    return subnet


def address(subnet: IPv4Network, name: str) -> str:
    """Where a host is: erni-1 at .11, bare-1 at .101."""
    kind, _, number = name.partition("-")
    return str(subnet[int(number) + (100 if kind == "bare" else 10)])


def ports(checkout: Checkout, names: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """A port on 127.0.0.1 for each host: its old one, or a free one below those of outgoing connections."""
    start = 20000 + _number(checkout) % 10000
    free = (port for port in itertools.count(start) if port not in kept.values() and is_free(port))
    return {name: kept[name] if name in kept else next(free) for name in names}


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _number(checkout: Checkout) -> int:
    return int(checkout.digest[:8], 16)


def _subnets(checkout: Checkout) -> Iterable[IPv4Network]:
    for n in itertools.count(_number(checkout)):
        yield IPv4Network(f"10.{213 + n % 38}.{n // 38 % 256}.0/24")


def _unrouted(subnet: IPv4Network) -> bool:
    """Whether this machine has no route into the range yet."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        target, mask = (int.from_bytes(bytes.fromhex(line.split()[n]), "little") for n in (1, 7))
        if mask and subnet.overlaps(IPv4Network((target, mask.bit_count()))):
            return False
    return True
