"""The start order: whatever a service needs lies in an earlier tier, and what cannot be ordered is told."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.graph import problems, tiers

Needs = Mapping[str, tuple[str, ...]]

FLEET: Needs = {
    "openwebui": ("watchtower", "redis"),
    "redis-exporter": ("watchtower", "redis"),
    "redis": ("watchtower",),
    "watchtower": (),
}


@st.composite
def graphs(draw: st.DrawFn) -> Needs:
    """Any graph without a cycle: a service needs only such that come before it in a random order."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True))
    return {name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True))) if at else () for at, name in enumerate(names)}


def all_needs(needs: Needs, service: str) -> set[str]:
    direct = set(needs[service])
    return direct.union(*(all_needs(needs, other) for other in direct))


def tier_of(order: tuple[tuple[str, ...], ...], service: str) -> int:
    return next(number for number, tier in enumerate(order) if service in tier)


def test_services_start_after_those_that_they_need() -> None:
    assert tiers(FLEET, list(FLEET)) == (("watchtower",), ("redis",), ("openwebui", "redis-exporter"))


def test_services_without_needs_start_together() -> None:
    assert tiers({"b": (), "a": ()}, ["b", "a"]) == (("a", "b"),)


def test_only_the_wanted_services_start() -> None:
    assert tiers(FLEET, ["openwebui", "watchtower"]) == (("watchtower",), ("openwebui",))


def test_a_service_that_is_not_wanted_still_orders_those_on_both_sides_of_it() -> None:
    assert tiers({"front": ("middle",), "middle": ("back",), "back": ()}, ["front", "back"]) == (("back",), ("front",))


def test_a_wanted_service_that_only_others_name_starts_too() -> None:
    assert tiers({"front": ("base",)}, ["front", "base"]) == (("base",), ("front",))


@pytest.mark.parametrize("wanted", [[], ["elsewhere"]])
def test_nothing_wanted_of_the_project_means_no_tier(wanted: list[str]) -> None:
    assert tiers(FLEET, wanted) == ()


def test_a_cycle_is_never_ordered() -> None:
    with pytest.raises(CycleError):
        tiers({"a": ("b",), "b": ("a",)}, ["a", "b"])


@given(graphs(), st.data())
def test_every_dependency_lies_in_an_earlier_tier(needs: Needs, data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from(sorted(needs)))) if needs else set()
    order = tiers(needs, wanted)
    assert sorted(service for tier in order for service in tier) == sorted(wanted)
    assert all(order), "a tier is empty"
    for service in wanted:
        assert all(tier_of(order, other) < tier_of(order, service) for other in all_needs(needs, service) & wanted)


@given(graphs())
def test_a_graph_without_a_cycle_has_no_problem(needs: Needs) -> None:
    assert problems(needs) == []


def test_a_dependency_that_nobody_defines_is_told() -> None:
    assert problems({"openwebui": ("redis",)}) == [
        "services: openwebui depends on redis, which is not in `services`. Add it, or take openwebui out."
    ]


def test_every_undefined_dependency_is_told_at_once() -> None:
    found = problems({"a": ("x", "y"), "b": ("z",)})
    assert [sentence.split(",")[0] for sentence in found] == [
        "services: a depends on x",
        "services: a depends on y",
        "services: b depends on z",
    ]


def test_a_cycle_is_told_with_its_services() -> None:
    (sentence,) = problems({"a": ("b",), "b": ("c",), "c": ("a",), "d": ()})
    assert sentence.endswith("depend on each other in a circle. Remove one `depends_on`.")
    assert set(sentence.removeprefix("services: ").split(" depend ")[0].split(" → ")) == {"a", "b", "c"}


def test_a_service_that_needs_itself_is_told() -> None:
    (sentence,) = problems({"a": ("a",)})
    assert sentence.startswith("services: a → a depend on each other in a circle.")


def test_a_cycle_and_an_undefined_dependency_are_told_together() -> None:
    found = problems({"a": ("b",), "b": ("a", "nowhere")})
    assert len(found) == 2
    assert "nowhere" in found[0]
    assert "in a circle" in found[1]
