"""The plan for Docker and the services: what it lacks is installed, what is not up is started, and what is not wanted goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from operations.stack.changes import Change
from operations.stack.credential import CredentialPlan
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN, SeenProject, Snapshot, version
from operations.stack.stack import FRAGMENTS, OVERLAY
from tests.unit.stack.hosts import (
    ACL_PATH,
    ENGINE,
    PASSWORD_PATH,
    Drift,
    a_stack,
    bare,
    converged,
    with_container,
    without_container,
)
from tests.unit.stack.plans import EXPORTER, OPENWEBUI, REDIS, STACK, a_plan, differs, due_after, missing, of_redis

# Services that are no longer wanted


def test_a_service_that_is_no_longer_wanted_goes_with_its_fragment() -> None:
    smaller = a_stack(services=["watchtower", "redis", "openwebui"])
    assert plan(smaller, converged(STACK)) == a_plan(
        project=(
            differs(FRAGMENTS),
            differs(".env", "COMPOSE_FILE differs"),
            differs("compose.d/redis-exporter.yml", "is no longer in the stack"),
        ),
        recheck=True,
        remove=("redis-exporter",),
    )


def test_a_service_whose_first_start_failed_goes_too() -> None:
    def tried(seen: Snapshot) -> Snapshot:
        assert seen.fragments is not UNKNOWN
        assert seen.containers is not UNKNOWN
        container = replace(seen.containers[0], service="searxng", state="restarting")
        return replace(seen, fragments=(*seen.fragments, "searxng"), containers=(*seen.containers, container))

    due = due_after(tried)
    assert due.remove == ("searxng",)
    assert due.project == (differs("compose.d/searxng.yml", "is no longer in the stack"),)


def test_containers_of_the_base_file_are_never_removed() -> None:
    def with_another(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        return replace(seen, containers=(*seen.containers, replace(seen.containers[0], service="litellm")))

    assert due_after(with_another) == a_plan()


@pytest.mark.parametrize("name", ["../../etc/cron", "", "-f", "a/b", "."])
def test_a_list_of_fragments_that_was_tampered_with_removes_nothing_else(name: str) -> None:
    def tampered(seen: Snapshot) -> Snapshot:
        assert seen.fragments is not UNKNOWN
        assert seen.applied is not UNKNOWN
        services = {**seen.applied.services, name: {}}
        return replace(seen, fragments=(*seen.fragments, name), applied=replace(seen.applied, services=services))

    assert due_after(tampered) == a_plan()


# Containers


@pytest.mark.parametrize(
    ("drift", "service", "reason"),
    [
        (without_container("openwebui"), "openwebui", "it has no container"),
        (without_container("redis"), "redis", "it has no container"),
        (with_container("redis-exporter", state="exited"), "redis-exporter", "its container is exited"),
        (with_container("openwebui", health="unhealthy"), "openwebui", "its container is running and unhealthy"),
        (with_container("openwebui", health="starting"), "openwebui", "its container is running and starting"),
        (with_container("watchtower", state="paused"), "watchtower", "its container is paused and healthy"),
        (with_container("redis", config_hash="f00d"), "redis", "it was started by something else"),
    ],
)
def test_a_container_that_is_not_as_wanted_is_started(drift: Drift, service: str, reason: str) -> None:
    assert due_after(drift) == a_plan(start=((service, reason),))


def test_a_container_that_was_never_noted_is_started() -> None:
    def forgotten(seen: Snapshot) -> Snapshot:
        assert seen.applied is not UNKNOWN
        services = {name: entry for name, entry in seen.applied.services.items() if name != "watchtower"}
        return replace(seen, applied=replace(seen.applied, services=services))

    assert due_after(forgotten) == a_plan(start=(("watchtower", "it was started by something else"),))


def test_one_of_two_containers_that_is_down_is_enough() -> None:
    def scaled(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        second = replace(seen.of("openwebui")[0], id="second", state="dead", health="")
        return replace(seen, containers=(*seen.containers, second))

    assert due_after(scaled).start == (("openwebui", "its container is dead"),)


def test_one_of_two_containers_that_something_else_started_is_enough() -> None:
    def scaled(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        second = replace(seen.of("openwebui")[0], id="second", config_hash="f00d")
        return replace(seen, containers=(*seen.containers, second))

    assert due_after(scaled) == a_plan(start=(("openwebui", "it was started by something else"),))


def test_images_that_are_always_pulled_are_asked_for_in_every_run() -> None:
    stack = a_stack(pull="always")
    assert plan(stack, converged(stack)) == a_plan(recheck=True)


# Docker


@pytest.mark.parametrize(
    ("changes", "need"),
    [
        ({"compose": None}, "the Compose v2 plugin is missing"),
        ({"compose": "1.29.2-3"}, "Compose 1.29.2-3 is too old, expected 2.24.4 or later"),
        ({"compose": "2.24.3"}, "Compose 2.24.3 is too old, expected 2.24.4 or later"),
        ({"curl": False}, "curl is missing"),
    ],
)
def test_what_docker_lacks_is_due_alone(changes: Mapping[str, str | bool | None], need: str) -> None:
    lacking = replace(converged(STACK), engine=replace(ENGINE, **changes))  # type: ignore[arg-type]
    assert plan(STACK, lacking) == a_plan(engine=(need,))


@pytest.mark.parametrize("compose", ["2.24.4", "2.25", "2.26.1-4", "v2.39.1", "5.0.0"])
def test_a_compose_that_is_new_enough_is_kept(compose: str) -> None:
    assert plan(STACK, replace(converged(STACK), engine=replace(ENGINE, compose=compose))) == a_plan()


def test_a_docker_that_does_not_answer_is_started_and_then_every_service() -> None:
    stopped = replace(converged(STACK), engine=replace(ENGINE, server=None), containers=UNKNOWN, answers={}, probes={})
    assert plan(STACK, stopped) == a_plan(
        engine=("Docker does not answer",),
        start=tuple((service.name, "it has no container") for service in STACK.services),
    )


def test_everything_is_due_on_a_bare_host() -> None:
    services = [service.name for service in STACK.services]
    assert plan(STACK, bare(STACK)) == a_plan(
        engine=("Docker Engine is missing", "the Compose v2 plugin is missing", "curl is missing"),
        project=tuple(
            missing(path) for path in ("compose.yml", *(f"compose.d/{name}.yml" for name in services), FRAGMENTS, ".env", OVERLAY)
        ),
        env=(missing(REDIS), missing(EXPORTER), missing(OPENWEBUI)),
        secrets=(missing(ACL_PATH), missing(PASSWORD_PATH), Change("data/redis", ("is missing",), content=False)),
        start=tuple((name, "it has no container") for name in services),
        recheck=True,
    )


def test_on_a_bare_host_redis_and_its_clients_get_the_password_together() -> None:
    # nothing runs that would have to accept it first
    due = plan(STACK, bare(STACK))
    assert of_redis(due) == CredentialPlan(
        "redis", files=(missing(ACL_PATH), missing(PASSWORD_PATH), Change("data/redis", ("is missing",), content=False))
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.26.1-4", (2, 26, 1)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("v2.30.0", (2, 30, 0)),
        ("28.2.2", (28, 2, 2)),
        ("", ()),
        (None, ()),
    ],
)
def test_versions_compare_as_numbers(text: str | None, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


PROJECT = SeenProject({"redis": "r1"}, {"redis": ()})


def told(compose: str) -> Snapshot:
    """A host on which Compose said something of the project when a service was last started."""
    seen = converged(STACK)
    assert seen.applied is not UNKNOWN
    return replace(seen, applied=replace(seen.applied, compose=compose, project=PROJECT))


def test_what_compose_said_is_known_for_the_same_compose() -> None:
    assert told(ENGINE.compose or "").project == PROJECT
    assert told("2.25.0").project is None
    assert converged(STACK).project is None
    assert bare(STACK).project is None


def test_podman_in_dockers_place_is_told_before_anything_is_done() -> None:
    due = plan(STACK, replace(converged(STACK), engine=replace(ENGINE, server=None, podman=True)))
    (problem,) = due.problems
    assert problem.startswith("Podman answers in Docker's place on this host. It is not supported")
    assert not due.due
