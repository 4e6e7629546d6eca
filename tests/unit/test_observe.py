"""A fleet as one value: who is changed when, who goes before whom, and what is wrong with a host in the light of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyinfra.api.exceptions import PyinfraError

from operations.controller import host_plan, observe
from operations.controller.observe import Fleet
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import (
    ADDRESS,
    OLD_PASSWORD,
    PASSWORD,
    a_client,
    a_stack,
    all_of,
    bare,
    converged,
    redis_of,
    sha256,
    unseen,
    with_file,
    with_redis,
)

NEW, OLD = sha256(PASSWORD), sha256(OLD_PASSWORD)
SERVER = a_stack(redis_publish="10.0.0.5", redis_tls="off")


def fleet(hosts: Mapping[str, tuple[Stack, Snapshot]], canaries: frozenset[str] = frozenset(), **users: tuple[str, ...]) -> Fleet:
    """Hosts: name → what it should have, what was seen on it; users: a host, with an underscore → those that use its redis."""
    return Fleet.of(
        {name: stack for name, (stack, _) in hosts.items()},
        {name: seen for name, (_, seen) in hosts.items()},
        canaries,
        {name.replace("_", "-"): names for name, names in users.items()},
    )


def well(stack: Stack) -> tuple[Stack, Snapshot]:
    return stack, converged(stack)


def due(stack: Stack) -> tuple[Stack, Snapshot]:
    return stack, with_file("compose.d/openwebui.yml", sha256=sha256("edited"))(converged(stack))


def stuck(stack: Stack) -> tuple[Stack, Snapshot]:
    return stack, unseen("files")(converged(stack))


def shared(**seen: Snapshot) -> Fleet:
    """One redis and two that use it; what was seen is as wanted where it is not told."""
    hosts = {
        "webui_1": (a_client(), converged(a_client())),
        "redis_1": (SERVER, converged(SERVER)),
        "webui_2": (a_client(), converged(a_client())),
    }
    told = {name.replace("_", "-"): (stack, seen.get(name, now)) for name, (stack, now) in hosts.items()}
    return fleet(told, redis_1=("webui-1", "webui-2"))


# What goes wrong on one host


def test_whatever_a_host_brings_about_it_alone_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_host_left(_: object) -> None:
        raise PyinfraError("No hosts remaining!")

    monkeypatch.setattr(observe, "ask", no_host_left)
    seen = observe.observe(a_stack())
    assert seen.unknown()
    assert seen.met[""].startswith("PyinfraError: No hosts remaining!")
    found = fleet({"a": (a_stack(), seen), "b": due(a_stack())})
    assert [problem.partition(":")[0] for problem in found.previews["a"].problems] == ["The host could not be observed"]
    assert found.waves == (("b",),)


def test_an_answer_that_was_cut_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "ask", lambda _: UNKNOWN)
    assert observe.observe(a_stack()).met == {"": "its answer was cut off"}


def test_a_host_that_cannot_be_planned_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(host_plan, "plan", fault)
    (problem,) = fleet({"a": due(a_stack())}).previews["a"].problems
    assert problem.startswith("RecursionError: too deep")


# Who is changed when


def test_a_fleet_on_which_nothing_is_due_has_no_wave() -> None:
    assert fleet({"a": well(a_stack()), "b": well(a_stack())}).waves == ()
    assert fleet({}).waves == ()


def test_only_hosts_that_need_changes_and_may_be_changed_are_in_waves() -> None:
    found = fleet({"a": well(a_stack()), "b": due(a_stack()), "c": stuck(a_stack()), "d": due(a_stack()), "e": due(a_stack())})
    assert found.waves == (("b",), ("d", "e"))


@pytest.mark.parametrize(
    ("shares", "waves"),
    [(("1", "25%", "100%"), [1, 1, 6]), (("100%",), [8]), ((), [8]), (("50%",), [4, 4])],
)
def test_the_waves_are_as_large_as_is_set(shares: tuple[str, ...], waves: list[int]) -> None:
    stack = a_stack(rollout_waves=shares)
    assert [len(wave) for wave in fleet({f"erni-{n}": due(stack) for n in range(8)}).waves] == waves


def test_canaries_go_first() -> None:
    found = fleet({name: due(a_stack()) for name in "abc"}, frozenset({"c", "z"}))
    assert found.waves == (("c",), ("a", "b"))


def test_those_that_share_a_redis_are_in_one_wave() -> None:
    previous = shared(
        webui_1=converged(a_client(OLD_PASSWORD)),
        redis_1=converged(a_stack(OLD_PASSWORD, redis_publish="10.0.0.5", redis_tls="off")),
        webui_2=converged(a_client(OLD_PASSWORD)),
    )
    assert previous.waves == (("webui-1", "redis-1", "webui-2"),)


def test_of_those_that_share_a_redis_only_who_needs_changes_is_in_it() -> None:
    assert shared(webui_2=bare(a_client())).waves == (("webui-2",),)


def test_the_redis_goes_before_those_that_use_it() -> None:
    found = shared()
    assert found.turns(("webui-1", "redis-1", "webui-2")) == (("redis-1",), ("webui-1", "webui-2"))
    assert found.turns(("redis-1",)) == (("redis-1",),)
    assert found.turns(("webui-1",)) == (("webui-1",),)
    assert found.turns(()) == ()


def test_of_replicas_the_first_one_has_a_turn_of_its_own() -> None:
    follower = replace(a_client(), ahead=("webui-1",))
    found = fleet({"redis-1": due(SERVER), "webui-1": due(a_client()), "webui-2": due(follower), "webui-3": due(follower)})
    assert found.turns(("webui-3", "webui-1", "redis-1", "webui-2")) == (("redis-1",), ("webui-1",), ("webui-3", "webui-2"))


def test_who_shares_a_redis_is_told_from_each_of_them() -> None:
    found = shared()
    everyone = ("redis-1", "webui-1", "webui-2")
    assert {found.sharing(name) for name in everyone} == {everyone}
    assert fleet({"a": well(a_stack())}).sharing("a") == ("a",)


def test_a_host_that_is_not_in_this_run_still_shares_the_redis() -> None:
    alone = fleet({"redis-1": well(SERVER)}, redis_1=("webui-1", "webui-2"))
    assert alone.sharing("redis-1") == ("redis-1", "webui-1", "webui-2")


# What is wrong in the light of the others


def client_alone(**redis: Any) -> Fleet:
    """A run in which the host with the redis has no part."""
    stack = a_client()
    return fleet({"webui-1": (stack, all_of(with_redis(**redis), with_file(".env", mode="0600"))(converged(stack)))})


def test_a_client_alone_is_not_switched_to_a_password_that_its_redis_does_not_accept() -> None:
    found = client_alone(hashes=(OLD,))
    problem = (
        "redis_host: redis on redis-1 does not accept the desired password, and redis-1 is not in this run. "
        "Nothing was changed. Run the deploy for both."
    )
    assert found.hosts["webui-1"].plan.problems == (problem,)
    assert found.previews["webui-1"].problems == (problem,)
    assert found.waves == ()


@pytest.mark.parametrize("hashes", [(NEW,), (OLD, NEW), ()])
def test_a_client_alone_is_changed_where_its_redis_accepts_the_password_or_does_not_tell(hashes: tuple[str, ...]) -> None:
    assert client_alone(hashes=hashes).hosts["webui-1"].plan.problems == ()


def test_a_client_together_with_its_redis_is_changed_whatever_that_accepts_now() -> None:
    refused = with_redis(hashes=(OLD,))(converged(a_client()))
    assert shared(webui_1=refused).hosts["webui-1"].plan.problems == ()


def test_a_client_of_a_redis_that_does_not_run_has_no_problem_with_it() -> None:
    stack = a_client()
    assert fleet({"webui-1": (stack, unseen("redis")(converged(stack)))}).hosts["webui-1"].plan.problems == ()


def test_a_host_with_a_redis_of_its_own_has_no_such_problem() -> None:
    stack = a_stack()
    assert fleet({"a": (stack, with_redis(hashes=(OLD,))(converged(stack)))}).hosts["a"].plan.problems == ()


def test_what_was_wanted_and_seen_is_found_by_name() -> None:
    planned = shared().hosts["webui-1"]
    assert redis_of(planned.stack).at == ADDRESS
    assert planned.seen == converged(planned.stack)
