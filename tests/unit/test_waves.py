"""Who is changed when something went wrong before. How waves are cut is tested in stack/test_waves.py."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from operations import waves
from operations.controller.observe import Fleet
from operations.stack.stack import Stack
from operations.stack.waves import Wave
from tests.unit.generators import AHost, Done, Stage
from tests.unit.stack.hosts import a_client, a_stack
from tests.unit.stack.plans import before_the_rollout


def a_fleet(*names: str, **settings: Any) -> Fleet:
    """Hosts that are changed one after the other."""
    stacks = {name: a_stack(rollout_waves=["1", "100%"], **settings) for name in names}
    return Fleet.of(stacks, dict.fromkeys(names, before_the_rollout()))


def a_host(name: str, *failed: str, **done: list[Done]) -> AHost:
    """A host of a run in which these have failed; `done`: what was run on which host, its dash as an underscore."""
    host = AHost(name)
    host.state.failed_hosts = {AHost(one) for one in failed}
    host.state.inventory = SimpleNamespace(get_host=lambda one: one)
    return host


# The next wave


def test_a_wave_that_went_well_lets_the_next_one_pass(stage: Stage) -> None:
    fleet = a_fleet("a", "b")
    assert stage.on(a_host("b"), waves.gate, fleet, fleet.waves[0]).yielded == []


def test_more_failures_than_allowed_stop_the_next_one(stage: Stage) -> None:
    fleet = a_fleet("a", "b")
    assert "a" in stage.on(a_host("b", "a"), waves.gate, fleet, fleet.waves[0]).failed


def test_so_many_failures_as_are_allowed_do_not(stage: Stage) -> None:
    fleet = a_fleet("a", "b", max_failures=1)
    assert stage.on(a_host("b", "a"), waves.gate, fleet, fleet.waves[0]).failed == ""


def test_the_host_of_the_wave_itself_is_not_stopped_by_its_gate(stage: Stage) -> None:
    fleet = a_fleet("a", "b")
    assert stage.on(a_host("a", "a"), waves.gate, fleet, fleet.waves[0]).yielded == []


def test_what_was_wrong_before_too_stops_nobody(stage: Stage) -> None:
    fleet = a_fleet("a", "b")
    stage.run.as_before.add("a")
    assert stage.on(a_host("b", "a"), waves.gate, fleet, fleet.waves[0]).failed == ""


@pytest.mark.parametrize("counts", [True, False])
def test_a_host_that_cannot_be_reached_counts_where_it_is_said(stage: Stage, counts: bool) -> None:
    fleet = a_fleet("a", "b", unreachable_counts=counts)
    stage.run.unreachable["c"] = "timed out"
    assert (stage.on(a_host("b"), waves.gate, fleet, fleet.waves[0]).failed != "") is counts


# Those that use another host's server


def entering(stage: Stage, host: AHost, monkeypatch: pytest.MonkeyPatch, operations: list[Done]) -> str:
    stacks: dict[str, Stack] = {"redis-1": a_stack(), "webui-1": a_client()}
    fleet = Fleet.of(stacks, dict.fromkeys(stacks, before_the_rollout()))
    monkeypatch.setattr(stage.run, "operations", lambda _: iter(operations))
    return stage.on(host, waves.enter, fleet, Wave(("webui-1",))).failed


def test_it_is_changed_when_its_server_is_well(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entering(stage, a_host("webui-1"), monkeypatch, [Done()]) == ""


@pytest.mark.parametrize(("failed", "operations"), [(("redis-1",), []), ((), [Done(error=True)])], ids=["failed", "rolled back"])
def test_it_is_left_alone_when_its_server_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failed: tuple[str, ...], operations: list[Done]
) -> None:
    why = "Nothing was changed here: redis-1, whose server this host uses, failed. Put it right, then run again."
    assert entering(stage, a_host("webui-1", *failed), monkeypatch, operations) == why


def test_a_replica_is_left_alone_when_the_first_one_is_not_well(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = {"webui-1": a_client(), "webui-2": replace(a_client(), ahead=("webui-1",))}
    fleet = Fleet.of(stacks, dict.fromkeys(stacks, before_the_rollout()))
    monkeypatch.setattr(stage.run, "operations", lambda _: iter([]))
    why = "Nothing was changed here: webui-1, which goes first, failed. Put it right, then run again."
    assert stage.on(a_host("webui-2", "webui-1"), waves.enter, fleet, Wave(("webui-2",))).failed == why
    assert stage.on(a_host("webui-2"), waves.enter, fleet, Wave(("webui-2",))).failed == ""


def test_whose_turn_it_is_not_is_asked_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entering(stage, a_host("redis-1", "redis-1"), monkeypatch, [Done(error=True)]) == ""
