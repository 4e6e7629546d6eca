"""Waves: who goes first, who goes with whom, and that everyone goes once."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.settings import Settings
from operations.stack.waves import SHARE, waves

DEFAULT = Settings().rollout_waves


def hosts(number: int) -> list[str]:
    return [f"erni-{n}" for n in range(1, number + 1)]


def sizes(number: int, *shares: str) -> list[int]:
    return [len(wave) for wave in waves(hosts(number), shares)]


# How many


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, []),
        (1, [1]),
        (2, [1, 1]),
        (3, [1, 2]),
        (4, [1, 3]),
        (5, [1, 1, 3]),
        (8, [1, 1, 6]),
        (9, [1, 2, 6]),
        (100, [1, 24, 75]),
        (300, [1, 74, 225]),
    ],
)
def test_by_default_one_goes_first_then_a_quarter_then_all(number: int, expected: list[int]) -> None:
    assert sizes(number, *DEFAULT) == expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((), [10]),
        (("100%",), [10]),
        (("1",), [1, 9]),
        (("3",), [3, 7]),
        (("10",), [10]),
        (("11",), [10]),
        (("1", "2", "3"), [1, 1, 1, 7]),
        (("1%",), [1, 9]),
        (("11%",), [2, 8]),
        (("25%",), [3, 7]),
        (("30%",), [3, 7]),
        (("31%",), [4, 6]),
        (("99%",), [10]),
        (("50%", "50%"), [5, 5]),
        (("5", "25%"), [5, 5]),
        (("50%", "2"), [5, 5]),
        (("1", "25%", "50%", "75%"), [1, 2, 2, 3, 2]),
    ],
)
def test_counts_and_shares_are_of_all_hosts_and_rounded_up(shares: tuple[str, ...], expected: list[int]) -> None:
    assert sizes(10, *shares) == expected


def test_shares_are_exact_where_a_float_would_not_be() -> None:
    # 0.07 * 100 is 7.000000000000001
    assert sizes(100, "7%") == [7, 93]
    assert all(sizes(100, f"{share}%")[0] == share for share in range(1, 101))


def test_hosts_go_in_the_order_of_the_inventory() -> None:
    assert waves(["c", "a", "d", "b"], ("1", "50%")) == (("c",), ("a",), ("d", "b"))


# Canaries


def test_canaries_go_before_all_others_in_a_wave_of_their_own() -> None:
    assert waves(hosts(5), ("3",), first={"erni-4", "erni-2"}) == (("erni-2", "erni-4"), ("erni-1",), ("erni-3", "erni-5"))


def test_canaries_count_among_those_that_have_been_changed() -> None:
    assert [len(wave) for wave in waves(hosts(8), DEFAULT, first={"erni-8"})] == [1, 1, 6]
    assert [len(wave) for wave in waves(hosts(8), DEFAULT, first={"erni-6", "erni-7", "erni-8"})] == [3, 5]


def test_canaries_that_need_no_change_are_not_there() -> None:
    assert waves(["a", "b"], ("1",), first={"z"}) == (("a",), ("b",))


def test_a_fleet_of_canaries_goes_at_once() -> None:
    assert waves(["a", "b"], ("1",), first={"a", "b", "z"}) == (("a", "b"),)


# Together

REDIS_AND_ITS_USERS = ("redis-1", "webui-1", "webui-2")


def test_a_redis_and_those_that_use_it_go_together() -> None:
    fleet = ["redis-1", "erni-1", "webui-1", "erni-2", "webui-2"]
    assert waves(fleet, ("1", "100%"), together=[REDIS_AND_ITS_USERS]) == (REDIS_AND_ITS_USERS, ("erni-1", "erni-2"))


def test_a_wave_gets_larger_rather_than_that_they_are_split() -> None:
    fleet = ["erni-1", *REDIS_AND_ITS_USERS, "erni-2"]
    assert waves(fleet, ("2", "100%"), together=[REDIS_AND_ITS_USERS]) == (("erni-1", *REDIS_AND_ITS_USERS), ("erni-2",))


def test_one_canary_takes_those_along_that_it_belongs_to() -> None:
    fleet = ["erni-1", *REDIS_AND_ITS_USERS]
    found = waves(fleet, ("100%",), first={"webui-2"}, together=[REDIS_AND_ITS_USERS])
    assert found == (REDIS_AND_ITS_USERS, ("erni-1",))


def test_those_that_need_no_change_are_not_taken_along() -> None:
    assert waves(["webui-2", "erni-1"], ("1",), together=[REDIS_AND_ITS_USERS]) == (("webui-2",), ("erni-1",))


def test_a_host_alone_is_its_own_group() -> None:
    assert waves(["a", "b"], ("1",), together=[["a"], ["b"]]) == (("a",), ("b",))


# Whatever is asked for

shares = st.lists(
    st.integers(1, 40).map(str) | st.integers(1, 100).map(lambda share: f"{share}%"),
    max_size=5,
)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Sequence[str], Collection[str], Sequence[Collection[str]]]:
    """Hosts, canaries among all that there are, and groups that have no host in common."""
    every = hosts(draw(st.integers(0, 30)))
    due = [name for name in every if draw(st.booleans())]
    group_of = {name: draw(st.integers(0, 6)) for name in every}
    groups = [[name for name in every if group_of[name] == number] for number in range(1, 7)]
    return due, draw(st.sets(st.sampled_from(every))) if every else set(), [group for group in groups if group]


@given(fleets(), shares)
def test_every_host_is_in_exactly_one_wave_and_no_wave_is_empty(
    fleet: tuple[Sequence[str], Collection[str], Sequence[Collection[str]]], asked: Sequence[str]
) -> None:
    due, canaries, groups = fleet
    found = waves(due, asked, canaries, groups)
    assert sorted(name for wave in found for name in wave) == sorted(due)
    assert all(found)


@given(fleets(), shares)
def test_no_group_is_split_and_canaries_come_first(
    fleet: tuple[Sequence[str], Collection[str], Sequence[Collection[str]]], asked: Sequence[str]
) -> None:
    due, canaries, groups = fleet
    found = waves(due, asked, canaries, groups)
    of = {name: number for number, wave in enumerate(found) for name in wave}
    for group in groups:
        assert len({of[name] for name in group if name in of}) <= 1
    assert {of[name] for name in canaries if name in of} <= {0}


@given(st.integers(0, 300), shares)
def test_without_groups_after_each_wave_as_many_have_been_changed_as_was_asked_for(number: int, asked: Sequence[str]) -> None:
    found = waves(hosts(number), asked)
    done = 0
    reached = []
    for wave in found:
        done += len(wave)
        reached.append(done)
    wanted = [math.ceil(number * int(s[:-1]) / 100) if s.endswith("%") else int(s) for s in asked]
    assert set(reached) <= {min(count, number) for count in (*wanted, number)}
    assert not reached or reached[-1] == number
    if wanted and number:
        assert reached[0] == min(wanted[0], number)


@pytest.mark.parametrize("share", ["1", "10", "300", "1%", "9%", "10%", "99%", "100%"])
def test_a_count_and_a_share_are_understood(share: str) -> None:
    assert SHARE.fullmatch(share)


@pytest.mark.parametrize("share", ["", "0", "00", "01", "-1", "1.5", "0%", "01%", "101%", "1000%", "%", "1 %", " 1", "1\n", "all"])
def test_what_is_neither_is_not(share: str) -> None:
    assert not SHARE.fullmatch(share)
