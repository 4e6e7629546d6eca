"""The lock is taken, looked under and given back: by the operations' own generators. Whether a lock still means anything is
tested in test_lock.py, what is not shown is not done in test_look.py."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from operations import lock
from operations.controller.host_plan import HostPlan
from operations.stack.lock import Owner
from operations.stack.snapshot import Snapshot
from tests.unit.generators import AHost, Called, Stage
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stack.plans import before_the_rollout

STACK = a_stack()
ABANDONED = Owner("dead", "ann", "here", "", "2000-01-01T00:00:00Z")


def acquired(stage: Stage, host: AHost, seen: Snapshot, **settings: Any) -> Any:
    return stage.on(host, lock.acquire, HostPlan(a_stack(**settings), seen)).parameters("lock/take")


def test_the_lock_says_who_has_it(stage: Stage) -> None:
    given = acquired(stage, AHost(), before_the_rollout(), lock_ttl=900)
    owner = json.loads(str(given["owner"]))
    assert (given["run"], owner["run"], given["ttl"], given["over"]) == ("this-run", "this-run", 900, "")
    assert {"operator", "controller", "process", "since"} <= owner.keys()


def test_a_lock_is_broken_where_it_is_asked_for(stage: Stage) -> None:
    assert acquired(stage, AHost(), before_the_rollout(), break_lock=True)["over"] == "*"


def test_that_of_a_run_that_is_gone_is_taken_over_by_its_name(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "abandoned", lambda owner: owner.run == "dead")
    assert acquired(stage, AHost(), replace(before_the_rollout(), lock=ABANDONED))["over"] == "dead"


def test_a_preview_holds_nothing(stage: Stage) -> None:
    preview = AHost(executing=False)
    acquired(stage, preview, before_the_rollout())
    assert (lock._held, preview.state.callback_handlers) == ({}, [])


def test_under_the_lock_the_host_is_planned_again(stage: Stage) -> None:
    planned = HostPlan(STACK, before_the_rollout())
    stage.looks = [replace(converged(STACK), lock=Owner("this-run", "ann", "here", "", "2026-11-24T15:01:02Z"))]
    assert stage.on(AHost(), lock.look, planned).yielded == []
    assert not planned.plan.due
    assert planned.preview.due


def test_where_the_lock_was_taken_over_nothing_is_done(stage: Stage) -> None:
    stage.looks = [replace(before_the_rollout(), lock=replace(ABANDONED, run="another"))]
    ran = stage.on(AHost(), lock.look, HostPlan(STACK, before_the_rollout()))
    assert "the lock of this run was taken over by run another" in ran.failed


def test_a_preview_looks_at_nothing_again(stage: Stage) -> None:
    assert stage.on(AHost(executing=False), lock.look, HostPlan(STACK, before_the_rollout())).yielded == []


def test_the_end_is_noted_with_what_was_changed(stage: Stage) -> None:
    host = AHost()
    planned = HostPlan(STACK, before_the_rollout())
    stage.on(host, lock.acquire, planned)
    line = json.loads(str(stage.on(host, lock.release, planned, ("something",)).parameters("lock/release")["line"]))
    assert (line["run"], line["result"], line["changes"], line["reason"]) == ("this-run", "ok", ["something"], "")
    assert line["before"] != [line["after"]]
    assert lock._held == {}


# A host whose part of the run ends with an error


@pytest.fixture
def ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ends the part of a host that holds its lock with an error; what was run then."""
    host, sent = AHost(), list[Called]()
    monkeypatch.setattr(Called, "execute", lambda command, *_: sent.append(command))
    stage.on(host, lock.acquire, HostPlan(STACK, before_the_rollout()))
    (handler,) = host.state.callback_handlers

    def end(ignored: bool = False) -> list[Called]:
        arguments = {"_ignore_errors": ignored, "_sudo": True}
        host.state.get_op_data_for_host = lambda *_: SimpleNamespace(global_arguments=arguments)
        host.state.get_op_meta = lambda _: SimpleNamespace(names={"Services run"})
        with stage._at(host):
            handler.operation_host_error(host.state, host, "hash")
        return sent

    return end


def test_its_lock_is_given_back_with_why(ended: Any) -> None:
    (command,) = ended()
    line = json.loads(str(command.parameters["line"]))
    assert (command.names, line["result"], line["reason"]) == (("lock/release",), "failed", "failed: Services run")
    assert ended() == [command]  # once


def test_an_error_that_the_deploy_goes_on_after_keeps_it(ended: Any) -> None:
    assert ended(ignored=True) == []


def test_where_the_connection_is_what_failed_it_is_said(stage: Stage, ended: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise OSError("broken pipe")

    monkeypatch.setattr(Called, "execute", cut)
    said: list[str] = []
    monkeypatch.setattr(lock, "note", lambda _, text: said.append(text))
    ended()
    assert said == ["The lock was not given back: broken pipe"]
