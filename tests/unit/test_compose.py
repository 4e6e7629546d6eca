"""Which files of the project are written, and which services are started, recreated, restarted and removed."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import pytest

from operations import compose
from operations.controller.host_plan import HostPlan
from operations.stack.plan import Plan
from operations.stack.snapshot import UNKNOWN, SeenEngine, SeenProject
from operations.stack.stack import Stack
from tests.unit.generators import AHost, Called, Ran, Stage
from tests.unit.stack.hosts import ENGINE, a_stack, bare, converged, sha256, with_container, without_container, without_file
from tests.unit.stack.plans import before_the_rollout

STACK = a_stack()
WELL = converged(STACK)


NEEDS = {"watchtower": (), "redis": ("watchtower",), "redis-exporter": ("watchtower", "redis"), "openwebui": ("redis",)}


def described(stack: Stack = STACK, **others: str) -> SeenProject:
    """What Compose says of the project of a stack that runs as it is defined."""
    names = {one.name: sha256(f"definition of {one.name}") for one in stack.services}
    return SeenProject({**names, **others}, {name: NEEDS.get(name, ()) for name in names})


def a_host(project: object = None, executing: bool = True) -> AHost:
    return AHost(executing=executing, facts={"Project": project or described(), "Engine": ENGINE})


def up(stage: Stage, planned: HostPlan, host: AHost | None = None) -> Ran:
    return stage.on(host or a_host(), compose.up, planned)


def tiers(ran: Ran) -> list[str]:
    return ran.words("containers/up", "tiers")


# The project's files


def test_a_project_that_is_as_desired_is_left_alone(stage: Stage) -> None:
    ran = stage.on(a_host(), compose.project, HostPlan(STACK, WELL))
    assert (ran.scripts, ran.host.told) == ([], ["compose.yml, .env and fragments are as desired"])


def test_on_an_empty_host_all_of_it_is_written(stage: Stage) -> None:
    ran = stage.on(a_host(), compose.project, HostPlan(STACK, bare(STACK)))
    written = ran.words("project/write", "files")[3::5]
    assert {"compose.yml", ".env", ".fleet/fragments", *(f"compose.d/{one.name}.yml" for one in STACK.services)} <= set(written)
    assert ran.host.asked == ["Engine"]


def test_a_base_file_that_is_there_is_not_written(stage: Stage) -> None:
    ran = stage.on(a_host(), compose.project, HostPlan(STACK, without_file("compose.d/redis.yml")(WELL)))
    assert "compose.yml" not in ran.words("project/write", "files")[3::5]


def test_the_fragment_of_a_service_that_goes_is_removed(stage: Stage) -> None:
    fewer = a_stack(services=["watchtower", "redis", "redis-exporter"])
    ran = stage.on(a_host(), compose.project, HostPlan(fewer, WELL))
    lines = ran.words("project/write", "files")
    assert ("remove", "compose.d/openwebui.yml") in list(zip(lines[::5], lines[3::5], strict=True))


@pytest.mark.parametrize(("engine", "told"), [(ENGINE, True), (replace(ENGINE, server="20.10.24"), False), (UNKNOWN, True)])
def test_what_an_old_engine_does_not_know_is_left_out(stage: Stage, engine: SeenEngine, told: bool) -> None:
    host = AHost(facts={"Engine": engine})
    planned = HostPlan(STACK, bare(STACK))
    written = stage.on(host, compose.project, planned).words("project/write", "files")
    expected = {file.path: file.content for file in STACK.fragments(told)}
    at = written.index("compose.d/redis.yml")
    assert b64decode(written[at + 1]).decode() == expected["compose.d/redis.yml"]
    assert ("      start_interval:" in expected["compose.d/redis.yml"]) is told


# The services


def test_services_that_run_as_they_are_defined_are_left_alone(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, WELL))
    assert (ran.scripts, ran.host.told, ran.host.asked) == ([], ["every service runs as it is defined"], [])


def test_a_preview_asks_compose_nothing(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, before_the_rollout()), a_host(executing=False))
    assert [str(one) for one in ran.yielded] == ["docker compose up redis-exporter openwebui"]
    assert ran.host.asked == []


def test_a_changed_env_file_recreates_its_service_alone_while_watchtower_rests(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, before_the_rollout()))
    assert tiers(ran) == ["openwebui redis-exporter"]
    assert ran.words("containers/up", "resting") == ["watchtower"]


def test_all_start_in_the_order_of_their_dependencies(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, bare(STACK)))
    assert tiers(ran) == ["watchtower", "redis", "openwebui redis-exporter"]


def test_a_definition_that_compose_finds_changed_is_started_too(stage: Stage) -> None:
    planned = HostPlan(STACK, without_container("openwebui")(WELL))
    assert tiers(up(stage, planned, a_host(described(redis="another")))) == ["redis", "openwebui"]


def test_with_pull_always_all_are_asked_for(stage: Stage) -> None:
    always = a_stack(pull="always")
    assert len(" ".join(tiers(up(stage, HostPlan(always, before_the_rollout())))).split()) == 4


def test_where_the_server_itself_is_replaced_its_data_is_looked_after(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, before_the_rollout()))
    assert "services/redis/move" in str(ran.parameters("containers/up")["before"])


def test_a_service_that_goes_is_removed_with_its_env_file_unless_the_project_has_it(stage: Stage) -> None:
    fewer = a_stack(services=["watchtower", "redis", "redis-exporter"])
    gone = up(stage, HostPlan(fewer, WELL), a_host(described(fewer)))
    assert gone.words("containers/up", "removed") == ["openwebui"]
    assert gone.words("containers/up", "removed_files") == ["env/openwebui.env"]
    kept = up(stage, HostPlan(fewer, WELL), a_host(described(fewer, openwebui="theirs")))
    assert kept.words("containers/up", "removed") == []


@pytest.mark.parametrize(
    ("drift", "doubt"),
    [({}, False), ({"config_hash": "another"}, True), ({"image": "sha256:0123"}, True)],
    ids=["as defined", "defined otherwise", "its image lost its name"],
)
def test_a_dependency_that_may_not_be_as_it_is_defined_is_told(stage: Stage, drift: dict[str, str], doubt: bool) -> None:
    seen = with_container("redis", **drift)(before_the_rollout())
    due = Plan(start=(("openwebui", "its env file changes"),))
    with_it = list(stage.on(a_host(), _Starting(), STACK, seen, due).yielded)
    assert isinstance(with_it[0], Called)
    assert with_it[0].parameters["doubt"] is doubt


class _Starting:
    """`start`, which is no operation but what several of them do."""

    _inner = staticmethod(compose.start)


def test_what_compose_cannot_read_fails_the_host(stage: Stage) -> None:
    ran = up(stage, HostPlan(STACK, before_the_rollout()), a_host(UNKNOWN))
    assert ran.failed == "/opt/erni-ki: Compose could not read the project; it says why in the lines above."


def test_a_service_that_the_merged_project_lacks_fails_the_host_by_its_name(stage: Stage) -> None:
    fewer = a_stack(services=["watchtower", "redis", "redis-exporter"])
    ran = up(stage, HostPlan(STACK, before_the_rollout()), a_host(described(fewer)))
    assert ran.failed.startswith("/opt/erni-ki: the merged project has no openwebui. Look for `profiles`")


def test_what_compose_said_before_this_run_is_not_asked_again(stage: Stage) -> None:
    seen = before_the_rollout()
    assert seen.applied is not UNKNOWN
    known = replace(seen, applied=replace(seen.applied, project=described()))
    planned = HostPlan(STACK, known)
    ran = up(stage, planned)
    assert ran.host.asked == ([] if planned.seen.project and not planned.plan.recheck else ["Project"])
