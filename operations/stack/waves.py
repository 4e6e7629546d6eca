"""Waves: which hosts are changed first, and which only when those have passed. Pure."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

SHARE = re.compile(r"[1-9]\d*|(100|[1-9]\d?)%")

Hosts = tuple[str, ...]
CANARY = "canary"  # the group whose hosts go first


class Wave(tuple[str, ...]):
    """Names of hosts, in order. Every host of a fleet asks whether it is among them, so that is told without a search."""

    def __contains__(self, name: object) -> bool:
        return name in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self)


def stopped(failed: int, max_failures: int, named: str) -> str | None:
    """Why a host of a later wave is left alone, if it is.

    + failed: how many hosts of a wave failed; named: which, for the message
    + max_failures: what the host's setting of this name allows
    """
    if failed <= max_failures:
        return None
    return (
        f"Nothing was changed here: {named} failed in an earlier wave, and max_failures is {max_failures}. "
        "Put what failed right, then run again."
    )


def waves(
    hosts: Sequence[str], shares: Sequence[str], first: Collection[str] = (), together: Iterable[Collection[str]] = ()
) -> tuple[Wave, ...]:
    """The hosts in waves, each host in one of them.

    + hosts: those that need changes, in the order of the inventory
    + shares: how many hosts have been changed after each wave: counts ("1") or shares of them ("25%"), rounded up
    + first: hosts that go in a wave of their own, before all others
    + together: groups of hosts that no wave may split, such as a host with a server and all that use it
    """
    units = _units(hosts, together)
    canaries = frozenset(first)
    found = [Wave(host for unit in units if not canaries.isdisjoint(unit) for host in unit)]
    rest = deque(unit for unit in units if canaries.isdisjoint(unit))
    done = len(found[0])
    for share in (*shares, "100%"):
        wave: list[str] = []
        while rest and done + len(wave) < _count(share, len(hosts)):
            wave += rest.popleft()
        done += len(wave)
        found.append(Wave(wave))
    return tuple(wave for wave in found if wave)


def _count(share: str, hosts: int) -> int:
    return math.ceil(int(share[:-1]) * hosts / 100) if share.endswith("%") else int(share)


def _units(hosts: Sequence[str], together: Iterable[Collection[str]]) -> list[tuple[str, ...]]:
    place = {host: number for number, host in enumerate(hosts)}
    group: dict[str, tuple[str, ...]] = {}
    for members in together:
        if not all(host in group for host in members):  # each of those that share a server names all of them
            unit = tuple(sorted({host for host in members if host in place}, key=place.__getitem__))
            group |= dict.fromkeys(members, unit)
    return list(dict.fromkeys(group.get(host, (host,)) for host in hosts))
