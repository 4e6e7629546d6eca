"""Whether a host may be changed, and whether it works afterwards, as the operations judge it."""

from __future__ import annotations

import time
from dataclasses import replace

import gevent
import pytest

from operations import checks
from operations.controller.host_plan import HostPlan
from operations.stack.lock import Owner
from operations.stack.snapshot import SeenMachine, Snapshot
from tests.unit.generators import AHost, Done, Stage
from tests.unit.stack.hosts import NOW, a_stack, all_of, converged, with_acl_on_disk, with_container, with_redis
from tests.unit.stack.plans import NEW, OLD, before_the_rollout

STACK = a_stack()
WELL = converged(STACK)
UNWELL = with_container("openwebui", health="unhealthy")(WELL)
FULL = replace(WELL, machine=SeenMachine(NOW, 0.2, {"/": 1}))
LOCK = Owner("another", "eve", "elsewhere", "", "2999-01-01T00:00:00Z")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time goes by only while it is waited; the waits."""
    waits: list[float] = []
    monkeypatch.setattr(gevent, "sleep", waits.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(waits))
    return waits


# Before a change


def test_a_host_that_nothing_stands_in_the_way_of_is_ready(stage: Stage) -> None:
    assert stage.on(AHost(), checks.ready, HostPlan(STACK, before_the_rollout())).yielded == []


def test_the_lock_of_another_run_stands_in_the_way_of_a_change_and_of_nothing_else(stage: Stage) -> None:
    changed = stage.on(AHost(), checks.ready, HostPlan(STACK, replace(before_the_rollout(), lock=LOCK)))
    assert "is locked by run another" in changed.failed
    assert stage.on(AHost(), checks.ready, HostPlan(STACK, replace(WELL, lock=LOCK))).yielded == []


@pytest.mark.parametrize("executing", [True, False])
def test_a_problem_fails_the_host_and_a_preview_says_so_too(stage: Stage, executing: bool) -> None:
    host = AHost(executing=executing)
    assert "could not be observed. Nothing is changed" in stage.on(host, checks.ready, HostPlan(STACK, Snapshot())).failed
    assert host.state.failed_hosts == (set() if executing else {host})


# Afterwards


def test_a_host_on_which_all_is_well_passes(stage: Stage) -> None:
    ran = stage.on(AHost(), checks.validate, HostPlan(STACK, WELL))
    assert (ran.yielded, ran.host.told) == ([], ["no check failed"])
    assert [one.name for one in stage.run.services["erni-1"]] == [one.name for one in STACK.services]


def test_a_check_that_is_not_ok_fails_the_host_with_cause_and_remedy(stage: Stage) -> None:
    ran = stage.on(AHost(), checks.validate, HostPlan(STACK, UNWELL))
    assert ran.failed.startswith(
        "container.openwebui: running, unhealthy. Its process runs, but its healthcheck fails. Read what it said"
    )
    assert (stage.run.judged, stage.run.as_before) == ({"erni-1"}, set())


def test_what_was_wrong_with_the_host_before_any_change_stops_nobody_else(stage: Stage) -> None:
    assert stage.on(AHost(), checks.validate, HostPlan(STACK, FULL)).failed.startswith("disk.space: ")
    assert stage.run.as_before == {"erni-1"}


def test_after_a_change_the_host_is_asked_until_it_is_well(stage: Stage, clock: list[float]) -> None:
    stage.looks = [UNWELL, UNWELL, WELL]
    ran = stage.on(AHost(), checks.validate, HostPlan(STACK, before_the_rollout()), (Done(),))
    assert (ran.yielded, len(clock)) == ([], 2)


def test_after_a_change_it_has_a_time_to_become_well(stage: Stage, clock: list[float]) -> None:
    stage.looks = [UNWELL]
    ran = stage.on(AHost(), checks.validate, HostPlan(a_stack(settle_timeout=3), before_the_rollout()), (Done(),))
    assert ran.failed.startswith("container.openwebui: ")
    assert sum(clock) == 3


@pytest.mark.parametrize("nothing", [Done(changed=False), Done(complete=False)], ids=["no change", "preview"])
def test_where_nothing_was_changed_the_host_is_not_asked_again(stage: Stage, nothing: Done) -> None:
    assert stage.on(AHost(), checks.validate, HostPlan(STACK, WELL), (nothing,)).yielded == []


def test_two_passwords_are_meant_to_be_accepted_until_the_end(stage: Stage) -> None:
    planned = HostPlan(STACK, before_the_rollout())
    both = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))(WELL)
    stage.looks = [both]
    assert stage.on(AHost(), checks.validate, planned, (Done(),)).failed == ""
    assert "redis.single_password: 2 passwords are accepted" in stage.on(AHost(), checks.concluded, planned).failed
    stage.looks = [WELL]
    assert stage.on(AHost(), checks.concluded, planned).failed == ""


def test_a_full_disk_is_no_reason_to_go_back_and_is_told_at_the_end(stage: Stage) -> None:
    planned = HostPlan(STACK, replace(before_the_rollout(), machine=FULL.machine))
    stage.looks = [FULL]
    assert stage.on(AHost(), checks.validate, planned, (Done(),)).failed == ""
    assert stage.on(AHost(), checks.concluded, planned).failed.startswith("disk.space: ")
    assert stage.run.as_before == {"erni-1"}


def test_where_every_check_was_asked_there_is_nothing_to_conclude(stage: Stage) -> None:
    assert stage.on(AHost(), checks.concluded, HostPlan(STACK, WELL)).host.told == ["every check was asked"]
