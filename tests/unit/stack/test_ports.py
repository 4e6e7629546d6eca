"""A port that somebody else has is told before a change, with who has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.stack.plan import plan
from operations.stack.ports import Listener, problems
from operations.stack.snapshot import UNKNOWN, SeenDefinition, SeenOwn, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import a_client, a_stack, bare, converged, with_answer, with_container, without_container

STACK = a_stack()


def taken(address: str = "0.0.0.0", port: int = 8080, process: int = 4711, name: str = "nginx") -> Listener:
    return Listener(port, address, process, name)


def told(*listeners: Listener, stack: Stack = STACK, seen: Snapshot | None = None) -> list[str]:
    """What is said where these listen and Open WebUI has no container."""
    seen = seen or without_container("openwebui")(converged(stack))
    return list(problems(stack, with_answer("ports", listeners)(seen)))


def test_where_services_are_published_is_told_by_their_definitions() -> None:
    assert STACK.published == (("redis-exporter", "127.0.0.1", 9121), ("openwebui", "127.0.0.1", 8080))
    other = a_stack(bind_address="::", openwebui_port=3000, redis_publish="10.0.0.5", redis_tls="off")
    assert set(other.published) == {
        ("redis", "10.0.0.5", 6379), ("redis-exporter", "::", 9121), ("openwebui", "::", 3000),
    }  # fmt: skip


def test_the_process_that_has_a_port_is_named_before_anything_is_changed() -> None:
    (said,) = told(taken())
    assert said == (
        "openwebui_port: port 8080 of 127.0.0.1 is taken by nginx (process 4711), so openwebui cannot be published there. "
        "Nothing was changed. End what has it, or set another port."
    )
    seen = with_answer("ports", (taken(),))(without_container("openwebui")(converged(STACK)))
    assert plan(STACK, seen).problems == (said,)


@pytest.mark.parametrize(
    ("listener", "who"),
    [
        (taken(process=0, name=""), "another program"),
        (taken(name="container web-proxy-1"), "container web-proxy-1"),
    ],
)
def test_one_that_cannot_be_seen_and_one_of_another_project_are_told_too(listener: Listener, who: str) -> None:
    assert f"is taken by {who}, so" in told(listener)[0]


@pytest.mark.parametrize(
    ("bind", "address", "meets"),
    [
        ("127.0.0.1", "127.0.0.1", True), ("127.0.0.1", "0.0.0.0", True), ("127.0.0.1", "::", True),
        ("127.0.0.1", "10.0.0.5", False),
        ("127.0.0.1", "::1", False), ("0.0.0.0", "10.0.0.5", True), ("0.0.0.0", "::1", False), ("::1", "0.0.0.0", False),
        ("::", "::1", True), ("::", "0.0.0.0", False),
    ],
)  # fmt: skip
def test_a_port_is_taken_at_an_address_that_meets_the_wanted_one(bind: str, address: str, meets: bool) -> None:
    assert bool(told(taken(address), stack=a_stack(bind_address=bind))) is meets


def test_another_port_is_in_nobodys_way() -> None:
    assert told(taken(port=8081)) == []


def test_a_service_that_is_published_there_already_is_well() -> None:
    assert told(taken("127.0.0.1"), seen=converged(STACK)) == []


def test_a_service_of_the_project_that_is_not_in_the_stack_is_named() -> None:
    seen = without_container("openwebui")(converged(STACK))
    assert seen.containers is not UNKNOWN
    nginx = replace(seen.containers[0], service="nginx", ports=("0.0.0.0:80", "0.0.0.0:8080", "[::]:8080"))
    (said,) = told(seen=replace(seen, containers=(*seen.containers, nginx)))
    assert "is taken by nginx of this project" in said
    # one of the stack's own is about to give it up
    assert told(seen=with_container("watchtower", ports=("127.0.0.1:8080",))(seen)) == []


def test_what_the_project_defines_itself_is_its_own_affair() -> None:
    seen = without_container("openwebui")(converged(STACK))
    assert told(taken(), seen=replace(seen, own=SeenOwn({"openwebui": SeenDefinition()}))) == []


def test_a_host_without_docker_is_told_as_well_and_one_whose_docker_is_down_is_not() -> None:
    assert told(taken(), seen=bare(STACK))
    down = replace(converged(STACK), containers=UNKNOWN)
    assert told(taken(), seen=down) == []


def test_a_host_that_was_not_asked_says_nothing() -> None:
    assert list(problems(STACK, without_container("openwebui")(converged(STACK)))) == []
    assert list(problems(a_client(), converged(a_client()))) == []
