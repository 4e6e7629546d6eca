"""Shards: the parts of a fleet that are brought to their state by a run of their own, on one machine or on many. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatch

from .errors import InventoryError

VARIABLE = "FLEET_SHARD"
PROGRESS = "FLEET_PROGRESS"  # names the file in which a shard says how far it is

_PART = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


def part(text: str) -> tuple[int, int]:
    """Which shard `3/10` is, and of how many.

    Raises InventoryError for anything else.
    """
    found = _PART.fullmatch(text)
    which, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= which <= count:
        raise InventoryError(
            f'{VARIABLE}: is "{text}", expected a shard and the number of shards, such as 3/10 (from 1/10 to 10/10), or @ and a '
            "file with the hosts' names, one a line. Correct it, or unset it for the whole fleet."
        )
    return which, count


def units(hosts: Sequence[str], servers: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The hosts that must stay together, in the order of `hosts`: a host with a server and all that use it; every other host alone.

    + servers: pairs of a host and the one whose server it uses; those with a host that is not among `hosts` count for nothing
    """
    members = {host: [host] for host in hosts}
    for host, server in servers:
        one, other = members.get(host), members.get(server)
        if one is None or other is None or one is other:
            continue
        other += one
        members |= dict.fromkeys(one, other)
    place = {host: number for number, host in enumerate(hosts)}
    return tuple(tuple(sorted(unit, key=place.__getitem__)) for unit in {id(unit): unit for unit in members.values()}.values())


def split(together: Iterable[Collection[str]], count: int) -> tuple[tuple[str, ...], ...]:
    """The hosts in this many shards of about the same size; some are empty where there are fewer units.

    The answer depends on the names alone, not on their order: it is the same on every machine. The largest units are dealt
    first, each to the smallest shard; so shards differ by no more than the largest unit.

    + together: the hosts, as `units` gives them
    """
    shards: list[list[str]] = [[] for _ in range(count)]
    order = sorted((tuple(sorted(unit)) for unit in together), key=lambda unit: (-len(unit), unit))
    ranked = [(0, number) for number in range(count)]
    for unit in order:
        size, number = heapq.heappop(ranked)
        shards[number] += unit
        heapq.heappush(ranked, (size + len(unit), number))
    return tuple(map(tuple, shards))


def chosen(name: str, groups: Collection[str], limit: Sequence[str], exclude: Sequence[str] = ()) -> bool:
    """Whether a host is part of a run with these `--limit` and `--exclude`, as pyinfra takes them: groups, or patterns of names."""
    return (not limit or _matches(name, groups, limit)) and not _matches(name, groups, exclude)


def _matches(name: str, groups: Collection[str], patterns: Iterable[str]) -> bool:
    return any(pattern in groups or fnmatch(name, pattern) for pattern in patterns)
