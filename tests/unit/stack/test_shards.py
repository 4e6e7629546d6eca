"""Shards: every host is in one of them, whoever counts, and those that belong together stay together."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.errors import InventoryError
from operations.stack.shards import chosen, part, split, units

Servers = list[tuple[str, str]]

names = st.lists(st.from_regex(r"[a-z]{1,4}-[0-9]{1,3}", fullmatch=True), unique=True, max_size=60)
counts = st.integers(1, 12)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[str], Servers]:
    """Hosts, and some that use the redis of others, also chains and hosts that are not there."""
    hosts = draw(names)
    one = st.sampled_from([*hosts, "absent"])
    return hosts, draw(st.lists(st.tuples(one, one), max_size=20))


@given(fleets(), counts)
def test_every_host_is_in_exactly_one_shard(fleet: tuple[list[str], Servers], count: int) -> None:
    shards = split(units(*fleet), count)
    assert len(shards) == count
    assert sorted(host for shard in shards for host in shard) == sorted(fleet[0])


@given(fleets(), counts, st.randoms(use_true_random=False))
def test_the_order_of_the_hosts_changes_nothing(fleet: tuple[list[str], Servers], count: int, order: random.Random) -> None:
    hosts, servers = fleet
    mixed, others = order.sample(hosts, len(hosts)), order.sample(servers, len(servers))
    assert split(units(mixed, others), count) == split(units(hosts, servers), count)


@given(fleets(), counts)
def test_shards_differ_by_no_more_than_the_largest_unit(fleet: tuple[list[str], Servers], count: int) -> None:
    found = units(*fleet)
    sizes = [len(shard) for shard in split(found, count)]
    assert max(sizes) - min(sizes) <= max(map(len, found), default=0)


@given(fleets(), counts)
def test_a_host_is_in_the_shard_of_the_redis_that_it_uses(fleet: tuple[list[str], Servers], count: int) -> None:
    hosts, servers = fleet
    shard = {host: number for number, members in enumerate(split(units(hosts, servers), count)) for host in members}
    assert all(shard[host] == shard[server] for host, server in servers if host in shard and server in shard)


@given(fleets())
def test_units_are_no_larger_than_they_must_be(fleet: tuple[list[str], Servers]) -> None:
    hosts, servers = fleet
    known = {frozenset(pair) for pair in servers if set(pair) <= set(hosts)}
    for unit in units(hosts, servers):
        reached, todo = set(unit[:1]), list(unit[:1])
        while todo:
            host = todo.pop()
            near = set().union(*(pair for pair in known if host in pair)) - reached
            reached |= near
            todo += near
        assert reached == set(unit)


def test_the_split_is_the_one_that_other_machines_make() -> None:
    """Written out, so that nothing that differs between machines or versions of Python can creep in."""
    hosts = ["a", "b", "c", "d", "e", "f"]
    assert split(units(hosts, [("f", "a"), ("e", "a")]), 2) == (("a", "e", "f"), ("b", "c", "d"))


def test_there_may_be_more_shards_than_hosts() -> None:
    assert split(units(["b", "a"], []), 3) == (("a",), ("b",), ())


@pytest.mark.parametrize(("text", "expected"), [("1/1", (1, 1)), ("3/10", (3, 10)), ("10/10", (10, 10))])
def test_a_part_is_read(text: str, expected: tuple[int, int]) -> None:
    assert part(text) == expected


@pytest.mark.parametrize("text", ["", "x", "0/10", "11/10", "-1/10", "1/0", "1", "/10", "1/", "1/10/2", " 1/10", "1.5/10", "¹/10"])
def test_what_is_no_part_is_told(text: str) -> None:
    with pytest.raises(InventoryError, match=r"FLEET_SHARD: is .* expected a shard and the number of shards, such as 3/10"):
        part(text)


@pytest.mark.parametrize(
    ("limit", "exclude", "expected"),
    [
        ((), (), True),
        (("erni-1",), (), True),
        (("erni-*",), (), True),
        (("web",), (), True),
        (("erni-2",), (), False),
        (("erni-2", "web"), (), True),
        ((), ("erni-2",), True),
        ((), ("web",), False),
        (("web",), ("erni-1",), False),
    ],
)
def test_a_limit_names_hosts_groups_and_patterns(limit: Sequence[str], exclude: Sequence[str], expected: bool) -> None:
    assert chosen("erni-1", ("web", "inventory"), limit, exclude) is expected
