"""A redis that ran before: what stops a run, what becomes of its password and data, and of clients that nobody manages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operations.services.redis.adoption import unmanaged
from operations.services.redis.seen import SeenClient, SeenNeighbour
from operations.stack.adoption import problems, sentences
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import OLD_PASSWORD, a_stack, redis_of, sha256, shared
from tests.unit.stack.plans import of_redis
from tests.unit.stack.taken_over import INSIDE, STACK, a_container, a_redis, by_hand, told

NEW, OLD = redis_of(STACK).digest, sha256(OLD_PASSWORD)


def test_a_stack_whose_password_was_found_may_be_taken_over() -> None:
    assert told() == ""


def test_both_passwords_are_accepted_from_the_first_moment_and_the_previous_one_retired_at_the_end() -> None:
    due = of_redis(plan(STACK, by_hand()))
    assert due.accept == shared(NEW, OLD)
    assert due.retire


def test_a_plan_tells_where_the_password_was_found_and_where_the_data_goes() -> None:
    said = "\n".join(sentences(STACK, by_hand()))
    assert "found in compose.yml" in said
    assert f"{INSIDE} in its container to data/redis" in said


def test_a_password_that_was_not_found_stops_the_run_and_it_says_where_it_looked() -> None:
    said = told(redis=a_redis(nowhere=True, place="", users={}, directory=""))
    for place in ("compose.yml", "env/redis.env", "secrets", "REDIS_ARGS", "requirepass", "Docker"):
        assert place in said


def test_a_redis_that_does_not_run_must_be_started_first() -> None:
    assert "its container is exited" in told(answers={}, containers=(a_container("redis", state="exited"),))


def test_a_volume_with_other_data_stops_the_run() -> None:
    assert "holds dump.rdb" in told(entries={"data/redis": "dump.rdb"})
    assert told(entries={"data/redis": "dump.rdb"}, redis=a_redis(directory="/data")) == ""


def test_users_beside_the_default_one_stop_the_run() -> None:
    assert "(app)" in told(redis=a_redis(users={"default": (), "app": ()}))


# Clients that nobody manages


def with_a_client(stack: Stack, service: str = "n8n", **fields: Any) -> Snapshot:
    here = by_hand(stack, a_redis(clients=(SeenClient("172.18.0.9", "default", 0),), **fields))
    assert here.containers is not UNKNOWN
    return replace(here, containers=(*here.containers, a_container(service)))


def test_a_client_that_nobody_manages_is_found_by_its_address() -> None:
    assert unmanaged(redis_of(STACK), STACK, with_a_client(STACK)) == ("n8n",)
    assert unmanaged(redis_of(STACK), STACK, with_a_client(STACK, "openwebui")) == ()
    managed = a_stack(clients={"n8n": {"env/n8n.env": {"PASSWORD": "{redis.password}"}}})
    assert unmanaged(redis_of(managed), managed, with_a_client(STACK)) == ()


def test_it_stops_a_run_that_would_lock_it_out() -> None:
    (said,) = problems(STACK, with_a_client(STACK))
    assert "n8n is logged in" in said
    assert "`clients`" in said
    assert "when_unused" in said


def test_it_does_not_where_no_password_is_to_be_retired() -> None:
    assert list(problems(STACK, with_a_client(STACK, users={"default": (NEW,)}))) == []


def test_the_previous_password_stays_for_it_where_that_is_wanted() -> None:
    stack = a_stack(retire="when_unused")
    due = plan(stack, with_a_client(stack))
    assert (due.problems, of_redis(due).retire, of_redis(due).waiting) == ((), False, ("n8n",))
    assert of_redis(plan(stack, by_hand(stack))).retire


def test_it_is_locked_out_where_that_is_wanted() -> None:
    stack = a_stack(retire="always")
    due = plan(stack, with_a_client(stack))
    assert (due.problems, of_redis(due).retire) == ((), True)


def test_a_client_without_a_password_stops_a_run_that_would_want_one() -> None:
    said = list(problems(STACK, with_a_client(STACK, anonymous="PONG", login="ERR", users={}, place="")))
    assert any("without a password" in one for one in said)


# Of other projects on the host


def beside(*neighbours: SeenNeighbour) -> dict[str, Any]:
    return {"answers": {"redis": a_redis(), "redis.neighbours": neighbours}}


def test_one_that_is_logged_in_stops_the_run_and_keeps_the_previous_password_accepted_where_that_is_wanted() -> None:
    watching = SeenNeighbour("monitoring", "exporter", ("REDIS_ADDR",), True)
    assert "exporter of the project monitoring is logged in with a password that would be retired" in told(**beside(watching))
    patient = a_stack(retire="when_unused")
    there = by_hand(patient, **beside(watching))
    assert of_redis(plan(patient, there)).waiting == ("exporter of the project monitoring",)
    assert not of_redis(plan(patient, there)).retire


def test_one_that_has_the_password_is_told_with_the_place() -> None:
    has = SeenNeighbour("", "job", ("its command", "URL"))
    assert told(**beside(has)) == ""
    said = "\n".join(sentences(STACK, by_hand(**beside(has))))
    assert "the container job has its password in its command, URL, which nobody changes there" in said
