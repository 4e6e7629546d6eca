"""The plan as a value: nothing where all is as wanted; whatever drifted is in it once, and each part of it is said."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.fingerprint import fingerprint
from operations.stack.plan import Plan, inputs_digest, plan
from operations.stack.snapshot import MISSING, UNKNOWN, SeenEngine
from operations.stack.stack import FRAGMENTS, OVERLAY, Stack
from tests.unit.stack.hosts import (
    ACL_PATH,
    ENGINE,
    OLD_ENGINE,
    OLD_PASSWORD,
    PASSWORD,
    PASSWORD_PATH,
    Drift,
    a_client,
    a_stack,
    all_of,
    applied_now,
    converged,
    sha256,
    with_acl_on_disk,
    with_container,
    with_file,
    with_key,
    with_password_file_of,
    with_redis,
    without_container,
    without_file,
)
from tests.unit.stack.plans import EXPORTER, NEW, OLD, OPENWEBUI, REDIS, STACK, a_plan, before_the_rollout, differs, due_after

# Nothing due


@pytest.mark.parametrize("engine", [ENGINE, OLD_ENGINE], ids=["knows start_interval", "does not"])
@pytest.mark.parametrize(
    "stack",
    [
        STACK,
        a_stack(redis_image="redis:8"),
        a_stack(services=["watchtower"]),
        a_stack(services=["watchtower", "redis"]),
        a_stack(stack_dir="/opt/erni ki's $(x)", openwebui_env={"WEBUI_NAME": "a b"}),
        a_stack(redis_publish="10.0.0.5", redis_tls="off"),
        a_client(),
    ],
    ids=["all", "official redis", "without redis", "redis alone", "odd settings", "redis for others", "another host's redis"],
)
def test_nothing_is_due_on_a_host_where_all_is_as_wanted(stack: Stack, engine: SeenEngine) -> None:
    due = plan(stack, converged(stack, engine))
    assert due == (a_plan() if stack.credentials else Plan())
    assert not due.due
    assert list(due.sentences()) == []


@pytest.mark.parametrize(
    "drift",
    [
        with_file(".env", mode="0600"),
        with_file(".env", owner="1000:1000"),
        with_file("compose.yml", mode="0640", owner="1000:1000"),
        with_file("compose.d/redis.yml", owner="1000:1000"),
        with_file(REDIS, sha256=sha256("a line of somebody else")),
        with_container("redis", id="another", created=1_800_000_000, addresses=("172.18.0.9",)),
        with_redis(anonymous="PONG"),
        with_redis(directory="/var/lib/redis-stack"),
    ],
    ids=[
        ".env's mode is its owner's business",
        ".env's owner too",
        "compose.yml's mode and owner too",
        "a fragment's owner too",
        "nobody reads redis.env",
        "container replaced by the same",
        "a check, no file",
        "a check, no file either",
    ],
)
def test_nothing_is_due_for_what_is_not_managed(drift: Drift) -> None:
    assert due_after(drift) == a_plan()


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        (with_file("data/redis", mode="0755"), "mode is 0755, expected 0700"),
        (with_file("data/redis", owner="1000:1000"), "owner is 1000:1000, expected 0:0"),
        (without_file("data/redis"), "is missing"),
    ],
)
def test_a_services_data_folder_is_put_right_and_no_service_notices(drift: Drift, reason: str) -> None:
    due = due_after(drift)
    assert due == Plan(credentials=due.credentials)
    assert due.accept == due.retire == due.restarts == ()
    assert [str(change) for change in due.files] == [f"data/redis: {reason}"]


# The plan as a value

DRIFTS: Mapping[str, Drift] = {
    "compose.yml": without_file("compose.yml"),
    ".env": with_key(".env", "COMPOSE_FILE", None),
    FRAGMENTS: with_file(FRAGMENTS, mode="0644"),
    OVERLAY: without_file(OVERLAY),
    "compose.d/watchtower.yml": with_file("compose.d/watchtower.yml", sha256=sha256("edited")),
    "compose.d/redis.yml": without_file("compose.d/redis.yml"),
    "compose.d/redis-exporter.yml": with_file("compose.d/redis-exporter.yml", mode="0777"),
    "compose.d/openwebui.yml": with_file("compose.d/openwebui.yml", sha256=sha256(""), mode="0600"),
    REDIS: without_file(REDIS),
    EXPORTER: with_key(EXPORTER, "REDIS_ADDR", "REDIS_ADDR=redis:6379"),
    OPENWEBUI: with_file(OPENWEBUI, mode="0640"),
    PASSWORD_PATH: with_password_file_of(OLD_PASSWORD),
    "data/redis": with_file("data/redis", mode="0755"),
}
CONTAINERS: Mapping[str, Drift] = {
    "watchtower": with_container("watchtower", state="exited"),
    "redis": with_container("redis", config_hash="f00d"),
    "redis-exporter": without_container("redis-exporter"),
    "openwebui": with_container("openwebui", health="unhealthy"),
}


def test_every_file_has_a_drift_here_but_the_acl_which_is_accepted() -> None:
    assert {*DRIFTS, ACL_PATH} == set(STACK.managed_paths())


@given(st.sets(st.sampled_from(sorted(DRIFTS))))
def test_for_any_drifts_the_files_of_the_plan_are_exactly_those(drifted: set[str]) -> None:
    due = due_after(*(DRIFTS[path] for path in drifted))
    assert sorted(change.path for change in due.files) == sorted(drifted)
    assert (due.accept, due.retire) == ((), ())


@given(st.sets(st.sampled_from(sorted(CONTAINERS))))
def test_for_any_drifts_the_services_of_the_plan_are_exactly_those(drifted: set[str]) -> None:
    due = due_after(*(CONTAINERS[service] for service in drifted))
    assert {service for service, _ in due.start} == drifted
    assert due == a_plan(start=due.start)


@given(st.sets(st.sampled_from(sorted(DRIFTS))), st.sets(st.sampled_from(sorted(CONTAINERS))), st.randoms())
def test_the_plan_is_the_same_every_time_and_in_whatever_order_the_host_was_seen(
    files: set[str], services: set[str], chance: random.Random
) -> None:
    seen = all_of(*(DRIFTS[f] for f in files), *(CONTAINERS[s] for s in services))(converged(STACK))
    assert seen.files is not UNKNOWN
    assert seen.env is not UNKNOWN
    assert seen.containers is not UNKNOWN
    shuffled = replace(
        seen,
        files=dict(chance.sample(sorted(seen.files.items()), len(seen.files))),
        env={path: seen.env[path] for path in chance.sample(sorted(seen.env), len(seen.env))},
        containers=tuple(chance.sample(seen.containers, len(seen.containers))),
    )
    assert plan(STACK, seen) == plan(a_stack(), shuffled)


@given(st.sets(st.sampled_from(sorted(DRIFTS))), st.sets(st.sampled_from(sorted(CONTAINERS))))
def test_each_thing_that_is_due_is_said_once(files: set[str], services: set[str]) -> None:
    due = due_after(*(DRIFTS[f] for f in files), *(CONTAINERS[s] for s in services))
    said = list(due.sentences())
    assert [line for line in said if line.startswith("write ")] == [f"write {change}" for change in due.files]
    assert [line for line in said if line.startswith("start ")] == [f"start {s}: {reason}" for s, reason in due.start]
    assert bool(said) == due.due


ONE = differs("compose.yml")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (Plan(engine=("curl is missing",)), "engine: curl is missing"),
        (Plan(project=(ONE,)), "write compose.yml: content differs"),
        (Plan(env=(ONE,)), "write compose.yml: content differs"),
        (a_plan(secrets=(ONE,)), "write compose.yml: content differs"),
        (a_plan(accept=(NEW,)), "have the server of redis accept the desired password"),
        (Plan(start=(("redis", "it has no container"),)), "start redis: it has no container"),
        (Plan(recheck=True), "ask Compose which definitions changed"),
        (Plan(remove=("redis",)), "remove redis: no longer in `services`"),
        (a_plan(retire=True), "redis: retire"),
        (a_plan(accept=(NEW, OLD), retire=True), "redis: accept, retire"),
        (
            a_plan(restarts=True),
            "redis: its server is restarted, which takes some seconds: it accepts no password that is on this host",
        ),
    ],
)
def test_each_part_of_a_plan_alone_is_due_and_said(due: Plan, said: str) -> None:
    assert due.due
    assert list(due.sentences()) == [said]


def test_problems_are_said_and_nothing_is_due() -> None:
    stuck = Plan(problems=("one", "two"))
    assert not stuck.due
    assert list(stuck.sentences()) == ["one", "two"]


def test_a_rollout_reads_as_a_story() -> None:
    assert list(plan(STACK, before_the_rollout()).sentences()) == [
        "redis: accept, switch redis-exporter and openwebui, retire",
        "write env/redis.env: REDIS_PASSWORD differs",
        "write env/redis-exporter.env: REDIS_ADDR differs",
        "write env/openwebui.env: REDIS_URL differs, WEBSOCKET_REDIS_URL differs",
        "write secrets/redis/password: content differs",
        "start redis-exporter: its env file changes",
        "start openwebui: its env file changes",
    ]


@pytest.mark.parametrize(
    ("drift", "headline"),
    [
        (all_of(), "redis: accept, switch redis-exporter and openwebui, retire"),
        (with_redis(hashes=(NEW, OLD)), "redis: accept, switch redis-exporter and openwebui, retire"),
        (
            all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD))),
            "redis: switch redis-exporter and openwebui, retire",
        ),
    ],
    ids=["from the start", "accepted in memory alone", "accepted"],
)
def test_the_headline_of_a_rollout_says_which_steps_are_left(drift: Drift, headline: str) -> None:
    assert next(plan(STACK, drift(before_the_rollout())).sentences()) == headline


def test_the_headline_of_a_rollout_that_is_switched_says_that_the_old_password_goes() -> None:
    due = due_after(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert list(due.sentences()) == ["redis: retire"]


# What changes, masked


def test_what_changes_of_a_file_is_told_in_fingerprints() -> None:
    found = {
        (change.path, one.key): (one.before, one.after)
        for change in plan(STACK, before_the_rollout()).files
        for one in change.differences
    }
    assert found == {
        (REDIS, "REDIS_PASSWORD"): fingerprints("REDIS_PASSWORD={}"),
        (EXPORTER, "REDIS_ADDR"): fingerprints("REDIS_ADDR=redis://:{}@redis:6379"),
        (OPENWEBUI, "REDIS_URL"): fingerprints("REDIS_URL=redis://:{}@redis:6379/0"),
        (OPENWEBUI, "WEBSOCKET_REDIS_URL"): fingerprints("WEBSOCKET_REDIS_URL=redis://:{}@redis:6379/0"),
        (PASSWORD_PATH, "content"): fingerprints("{}\n"),
    }


def fingerprints(template: str) -> tuple[str, str]:
    """Of the template with the old password and with the new one."""
    return fingerprint(sha256(template.format(OLD_PASSWORD))), fingerprint(sha256(template.format(PASSWORD)))


def test_of_what_is_not_there_yet_only_the_new_fingerprint_is_told() -> None:
    (change,) = due_after(without_file(PASSWORD_PATH)).secrets
    (difference,) = change.differences
    assert (difference.key, difference.before, difference.after) == ("content", None, fingerprint(sha256(f"{PASSWORD}\n")))


def test_a_mode_alone_changes_no_content() -> None:
    (change,) = due_after(with_file(OPENWEBUI, mode="0644")).env
    assert change.differences == ()


def test_what_was_noted_by_a_run_is_what_the_next_one_compares_with() -> None:
    seen = converged(STACK)
    assert applied_now(STACK, seen).inputs == inputs_digest(STACK, seen)
    assert seen.files is not UNKNOWN
    for path in STACK.inputs():
        other = replace(seen, files={**seen.files, path: MISSING})
        assert inputs_digest(STACK, other) != inputs_digest(STACK, seen), path
