"""The plan: nothing where all is as wanted; for each kind of drift exactly what puts it right, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.stack.acl import ACL_PATH, PASSWORD_PATH
from operations.stack.plan import Change, Plan, inputs_digest, plan
from operations.stack.snapshot import MISSING, UNKNOWN, SeenEngine, SeenFile, SeenProject, Snapshot, version
from operations.stack.stack import FRAGMENTS, OWN_ENVIRONMENT, Stack
from tests.unit.stack.hosts import (
    ENGINE,
    OLD_ENGINE,
    OLD_PASSWORD,
    PASSWORD,
    Drift,
    a_client,
    a_stack,
    all_of,
    applied_now,
    bare,
    converged,
    sha256,
    unseen,
    with_acl_on_disk,
    with_container,
    with_file,
    with_key,
    with_password_file_of,
    with_redis,
    without_container,
    without_file,
)

STACK = a_stack()
NEW, OLD = sha256(PASSWORD), sha256(OLD_PASSWORD)
OPENWEBUI, EXPORTER, REDIS = "env/openwebui.env", "env/redis-exporter.env", "env/redis.env"


def due_after(*drifts: Drift, stack: Stack = STACK) -> Plan:
    """The plan for a host on which all was as wanted before these drifts."""
    return plan(stack, all_of(*drifts)(converged(stack)))


def missing(path: str) -> Change:
    return Change(path, ("is missing",))


def differs(path: str, *reasons: str) -> Change:
    return Change(path, reasons or ("content differs",))


def access(path: str, *reasons: str) -> Change:
    return Change(path, reasons, content=False)


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
        a_stack(redis_publish="10.0.0.5"),
        a_client(),
    ],
    ids=["all", "official redis", "without redis", "redis alone", "odd settings", "redis for others", "another host's redis"],
)
def test_nothing_is_due_on_a_host_where_all_is_as_wanted(stack: Stack, engine: SeenEngine) -> None:
    due = plan(stack, converged(stack, engine))
    assert due == Plan()
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
    assert due_after(drift) == Plan()


# Files of the project


def test_a_missing_base_file_is_written() -> None:
    assert due_after(without_file("compose.yml")) == Plan(project=(missing("compose.yml"),), recheck=True)


def test_an_edited_base_file_is_kept_and_compose_is_asked() -> None:
    assert due_after(with_file("compose.yml", sha256=sha256("services: {web: {}}"))) == Plan(recheck=True)


def test_a_line_of_somebody_else_in_dotenv_is_kept_and_compose_is_asked() -> None:
    assert due_after(with_file(".env", sha256=sha256("MINE=1"))) == Plan(recheck=True)


def test_a_missing_dotenv_is_written() -> None:
    assert due_after(without_file(".env")) == Plan(project=(missing(".env"),), recheck=True)


def test_a_changed_variable_is_written() -> None:
    assert due_after(with_key(".env", "REDIS_IMAGE", "REDIS_IMAGE=redis:2")) == Plan(
        project=(differs(".env", "REDIS_IMAGE differs"),), recheck=True
    )


def test_a_variable_that_is_missing_is_written() -> None:
    assert due_after(with_key(".env", "COMPOSE_FILE", None)) == Plan(
        project=(differs(".env", "COMPOSE_FILE is missing"),), recheck=True
    )


def test_a_missing_fragment_is_written_and_its_service_started() -> None:
    assert due_after(without_file("compose.d/openwebui.yml")) == Plan(
        project=(missing("compose.d/openwebui.yml"),), start=(("openwebui", "its fragment changes"),), recheck=True
    )


def test_an_edited_fragment_is_written_and_its_service_started() -> None:
    assert due_after(with_file("compose.d/redis.yml", sha256=sha256("edited"))) == Plan(
        project=(differs("compose.d/redis.yml"),), start=(("redis", "its fragment changes"),), recheck=True
    )


def test_a_fragments_mode_is_put_right_and_no_service_touched() -> None:
    assert due_after(with_file("compose.d/redis.yml", mode="0600")) == Plan(
        project=(access("compose.d/redis.yml", "mode is 0600, expected 0644"),)
    )


def test_a_missing_list_of_fragments_is_written() -> None:
    lost = all_of(without_file(FRAGMENTS), lambda seen: replace(seen, fragments=()))
    assert due_after(lost) == Plan(project=(missing(FRAGMENTS),), recheck=True)


@pytest.mark.parametrize(("since", "due"), [(-1, False), (0, False), (1, True)])
def test_what_is_made_from_the_projects_own_file_is_made_anew_when_that_was_changed(since: int, due: bool) -> None:
    drift = all_of(with_file(OWN_ENVIRONMENT, changed=100), with_file("compose.yml", changed=100 + since))
    anew = differs(OWN_ENVIRONMENT, "compose.yml was changed after it was made")
    assert due_after(drift).project == ((anew,) if due else ())


def test_an_engine_that_learns_start_interval_gets_fragments_with_it() -> None:
    upgraded = replace(converged(STACK, OLD_ENGINE), engine=ENGINE)
    concerned = ("watchtower", "redis", "openwebui")
    assert plan(STACK, upgraded) == Plan(
        project=tuple(differs(f"compose.d/{name}.yml") for name in concerned),
        start=tuple((name, "its fragment changes") for name in concerned),
        recheck=True,
    )


def test_a_changed_setting_is_due_in_dotenv_alone() -> None:
    due = plan(a_stack(openwebui_port=8081, bind_address="0.0.0.0"), converged(STACK))
    reasons = ("REDIS_EXPORTER_BIND differs", "OPENWEBUI_BIND differs", "OPENWEBUI_PORT differs")
    assert due == Plan(project=(differs(".env", *reasons),), recheck=True)


# Services that are no longer wanted


def test_a_service_that_is_no_longer_wanted_goes_with_its_fragment() -> None:
    smaller = a_stack(services=["watchtower", "redis", "openwebui"])
    assert plan(smaller, converged(STACK)) == Plan(
        project=(
            differs(FRAGMENTS),
            differs(".env", "COMPOSE_FILE differs"),
            differs("compose.d/redis-exporter.yml", "is no longer wanted"),
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
    assert due.project == (differs("compose.d/searxng.yml", "is no longer wanted"),)


def test_containers_of_the_base_file_are_never_removed() -> None:
    def with_another(seen: Snapshot) -> Snapshot:
        assert seen.containers is not UNKNOWN
        return replace(seen, containers=(*seen.containers, replace(seen.containers[0], service="litellm")))

    assert due_after(with_another) == Plan()


@pytest.mark.parametrize("name", ["../../etc/cron", "", "-f", "a/b", "."])
def test_a_list_of_fragments_that_was_tampered_with_removes_nothing_else(name: str) -> None:
    def tampered(seen: Snapshot) -> Snapshot:
        assert seen.fragments is not UNKNOWN
        assert seen.applied is not UNKNOWN
        services = {**seen.applied.services, name: {}}
        return replace(seen, fragments=(*seen.fragments, name), applied=replace(seen.applied, services=services))

    assert due_after(tampered) == Plan()


# Env files


def test_a_missing_env_file_is_written_and_its_service_started() -> None:
    assert due_after(without_file(OPENWEBUI)) == Plan(env=(missing(OPENWEBUI),), start=(("openwebui", "its env file changes"),))


def test_a_missing_redis_env_is_written_and_redis_left_alone() -> None:
    assert due_after(without_file(REDIS)) == Plan(env=(missing(REDIS),))


def test_a_changed_key_is_written_and_its_service_started() -> None:
    assert due_after(with_key(OPENWEBUI, "WEBSOCKET_MANAGER", "WEBSOCKET_MANAGER=")) == Plan(
        env=(differs(OPENWEBUI, "WEBSOCKET_MANAGER differs"),), start=(("openwebui", "its env file changes"),)
    )


def test_a_key_that_is_missing_is_written_and_its_service_started() -> None:
    assert due_after(with_key(EXPORTER, "REDIS_ADDR", None)) == Plan(
        env=(differs(EXPORTER, "REDIS_ADDR is missing"),), start=(("redis-exporter", "its env file changes"),)
    )


def test_a_changed_key_of_redis_env_is_written_and_redis_left_alone() -> None:
    assert due_after(with_key(REDIS, "REDIS_LOG_LEVEL", "REDIS_LOG_LEVEL=debug")) == Plan(
        env=(differs(REDIS, "REDIS_LOG_LEVEL differs"),)
    )


@pytest.mark.parametrize("path", [OPENWEBUI, EXPORTER, REDIS])
def test_an_env_files_mode_is_put_right_and_no_service_touched(path: str) -> None:
    assert due_after(with_file(path, mode="0644")) == Plan(env=(access(path, "mode is 0644, expected 0600"),))


def test_a_line_of_somebody_else_in_an_env_file_restarts_its_service_alone() -> None:
    assert due_after(with_file(OPENWEBUI, sha256=sha256("MINE=1"))) == Plan(
        start=(("openwebui", "its env file was changed since it was started"),)
    )


def test_an_env_file_that_cannot_be_parsed_is_a_problem() -> None:
    def broken(seen: Snapshot) -> Snapshot:
        assert seen.env is not UNKNOWN
        return replace(seen, env={**seen.env, OPENWEBUI: None})

    assert due_after(broken) == Plan(
        problems=(
            "/opt/erni-ki/env/openwebui.env: a quote is opened and never closed, so its keys cannot be told apart. Close it.",
        )
    )


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
    assert due_after(drift) == Plan(start=((service, reason),))


def test_a_container_that_was_never_noted_is_started() -> None:
    def forgotten(seen: Snapshot) -> Snapshot:
        assert seen.applied is not UNKNOWN
        services = {name: entry for name, entry in seen.applied.services.items() if name != "watchtower"}
        return replace(seen, applied=replace(seen.applied, services=services))

    assert due_after(forgotten) == Plan(start=(("watchtower", "it was started by something else"),))


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

    assert due_after(scaled) == Plan(start=(("openwebui", "it was started by something else"),))


def test_images_that_are_always_pulled_are_asked_for_in_every_run() -> None:
    stack = a_stack(pull="always")
    assert plan(stack, converged(stack)) == Plan(recheck=True)


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
    assert plan(STACK, lacking) == Plan(engine=(need,))


@pytest.mark.parametrize("compose", ["2.24.4", "2.25", "2.26.1-4", "v2.39.1", "5.0.0"])
def test_a_compose_that_is_new_enough_is_kept(compose: str) -> None:
    assert plan(STACK, replace(converged(STACK), engine=replace(ENGINE, compose=compose))) == Plan()


def test_a_docker_that_does_not_answer_is_started_and_then_every_service() -> None:
    stopped = replace(converged(STACK), engine=replace(ENGINE, server=None), containers=UNKNOWN, redis=UNKNOWN, probes={})
    assert plan(STACK, stopped) == Plan(
        engine=("Docker does not answer",),
        start=tuple((service.name, "it has no container") for service in STACK.services),
    )


def test_everything_is_due_on_a_bare_host() -> None:
    services = [service.name for service in STACK.services]
    assert plan(STACK, bare(STACK)) == Plan(
        engine=("Docker Engine is missing", "the Compose v2 plugin is missing", "curl is missing"),
        project=tuple(
            missing(path)
            for path in ("compose.yml", *(f"compose.d/{name}.yml" for name in services), FRAGMENTS, ".env", OWN_ENVIRONMENT)
        ),
        env=(missing(REDIS), missing(EXPORTER), missing(OPENWEBUI)),
        secrets=(missing(ACL_PATH), missing(PASSWORD_PATH)),
        start=tuple((name, "it has no container") for name in services),
        recheck=True,
    )


def test_on_a_bare_host_redis_and_its_clients_get_the_password_together() -> None:
    # nothing runs that would have to accept it first
    due = plan(STACK, bare(STACK))
    assert (due.accept, due.retire) == ((), False)


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


# The password


def rollout(**changes: object) -> Plan:
    """What a changed password makes due on a host that knows the old one, as far as no change says otherwise."""
    everything = Plan(
        env=(
            differs(REDIS, "REDIS_PASSWORD differs"),
            differs(EXPORTER, "REDIS_ADDR differs"),
            differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),
        ),
        accept=(NEW, OLD),
        secrets=(differs(PASSWORD_PATH),),
        start=(("redis-exporter", "its env file changes"), ("openwebui", "its env file changes")),
        retire=True,
    )
    return replace(everything, **changes)  # type: ignore[arg-type]


def before_the_rollout() -> Snapshot:
    return converged(a_stack(OLD_PASSWORD))


def test_a_changed_password_is_accepted_beside_the_old_one_which_is_then_retired() -> None:
    assert plan(STACK, before_the_rollout()) == rollout()


def test_a_changed_password_neither_starts_redis_nor_asks_compose() -> None:
    due = plan(STACK, before_the_rollout())
    assert "redis" not in dict(due.start)
    assert not due.recheck


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


def test_a_rollout_that_was_killed_after_accept_goes_on_with_the_switch() -> None:
    killed = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert plan(STACK, killed(before_the_rollout())) == rollout(accept=())


def test_a_rollout_that_was_killed_before_redis_read_its_file_accepts_again() -> None:
    assert plan(STACK, with_acl_on_disk(NEW, OLD)(before_the_rollout())) == rollout(accept=(NEW, OLD))


def test_a_rollout_that_was_killed_before_retire_retires() -> None:
    switched = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert due_after(switched) == Plan(retire=True)


def test_a_retired_password_that_redis_still_accepts_is_retired_again() -> None:
    assert due_after(with_redis(hashes=(NEW, OLD))) == Plan(retire=True)


def test_a_password_on_disk_that_redis_did_not_read_yet_is_retired() -> None:
    assert due_after(with_acl_on_disk(NEW, OLD)) == Plan(retire=True)


def test_a_second_change_in_the_middle_of_a_rollout_keeps_every_password_that_clients_may_use() -> None:
    newest = "the-Password_of-tomorrow-5"
    halfway = all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))(before_the_rollout())
    due = plan(a_stack(newest), halfway)
    assert due.accept == (sha256(newest), NEW, OLD)
    assert due.retire


def test_a_password_that_only_the_running_redis_knows_is_kept_until_it_is_retired() -> None:
    other = sha256("set by hand with ACL SETUSER")
    due = plan(STACK, with_redis(hashes=(OLD, other))(before_the_rollout()))
    assert due.accept == (NEW, OLD, other)


def test_a_redis_that_forgot_the_wanted_password_reads_its_file_again() -> None:
    assert due_after(with_redis(hashes=(OLD,))) == Plan(accept=(NEW, OLD), retire=True)


def test_what_a_redis_that_is_no_longer_wanted_left_behind_is_nobodys_business() -> None:
    def left(seen: Snapshot) -> Snapshot:
        return replace(seen, acl=(OLD,), redis=converged(STACK).redis)

    assert due_after(left, stack=a_stack(services=["watchtower"])) == Plan()


def test_a_missing_acl_file_is_written_and_read_by_the_redis_that_runs() -> None:
    assert due_after(without_file(ACL_PATH)) == Plan(accept=(NEW,))


def test_a_missing_acl_file_keeps_what_clients_of_the_redis_that_runs_may_still_use() -> None:
    due = plan(STACK, without_file(ACL_PATH)(before_the_rollout()))
    assert due.accept == (NEW, OLD)


def test_a_missing_acl_file_of_a_redis_that_does_not_run_is_written_with_the_other_files() -> None:
    lost = all_of(without_file(ACL_PATH), without_container("redis"))
    assert due_after(lost) == Plan(secrets=(missing(ACL_PATH),), start=(("redis", "it has no container"),))


def test_the_acl_file_of_a_redis_that_does_not_run_keeps_the_others() -> None:
    # its clients come back with what they were started with
    due = plan(STACK, without_container("redis")(before_the_rollout()))
    assert due.accept == (NEW, OLD)
    assert due.retire


@pytest.mark.parametrize(
    "drift",
    [
        with_file(ACL_PATH, mode="0644"),
        with_file(ACL_PATH, owner="1000:1000"),
        with_file(ACL_PATH, sha256=sha256("with another user")),
    ],
    ids=["mode", "owner", "content"],
)
def test_an_acl_file_that_is_not_as_wanted_is_written(drift: Drift) -> None:
    assert due_after(drift) == Plan(accept=(NEW,))


def test_the_official_image_gets_files_of_its_own_user() -> None:
    stack = a_stack(redis_image="redis:8")
    due = due_after(with_file(ACL_PATH, owner="0:0"), with_file(PASSWORD_PATH, owner="0:0"), stack=stack)
    assert due == Plan(accept=(NEW,), secrets=(access(PASSWORD_PATH, "owner is 0:0, expected 999:999"),))


def test_a_password_file_of_another_password_is_written() -> None:
    assert due_after(with_password_file_of(OLD_PASSWORD)) == Plan(secrets=(differs(PASSWORD_PATH),))


def test_a_password_file_that_others_can_read_is_put_right() -> None:
    assert due_after(with_file(PASSWORD_PATH, mode="0644")) == Plan(secrets=(access(PASSWORD_PATH, "mode is 0644, expected 0600"),))


def test_a_missing_password_file_is_written() -> None:
    assert due_after(without_file(PASSWORD_PATH)) == Plan(secrets=(missing(PASSWORD_PATH),))


# What cannot be seen


NEEDED = ("engine", "files", "env", "applied", "acl", "fragments", "containers", "redis")
FOR_THE_CHECKS_ALONE = ("logs", "metrics", "machine", "literals", "probes", "lock")
FOR_THE_LOCK_ALONE = ("left",)
FOR_A_FIRST_RUN_ALONE = ("bases", "projects", "volume", "beaten")


def test_every_part_of_a_snapshot_is_needed_but_those_of_the_checks() -> None:
    others = {*FOR_THE_CHECKS_ALONE, *FOR_THE_LOCK_ALONE, *FOR_A_FIRST_RUN_ALONE}
    assert {field.name for field in fields(Snapshot)} == {*NEEDED, *others}


@pytest.mark.parametrize("part", ["logs", "metrics", "machine", "literals"])
def test_what_only_the_checks_ask_for_changes_no_plan(part: str) -> None:
    for stack, host in ((STACK, converged(STACK)), (STACK, before_the_rollout())):
        assert plan(stack, unseen(part)(host)) == plan(stack, host)


def test_a_lock_that_a_dead_run_left_is_taken_away_and_what_may_be_at_rest_looked_after() -> None:
    due = plan(STACK, replace(converged(STACK), left="20261124T150102Z-3f9a"))
    assert due == Plan(unlock="20261124T150102Z-3f9a", recheck=True)
    assert due.due
    assert list(due.sentences()) == [
        "take away the lock of run 20261124T150102Z-3f9a, which did not come to its end",
        "ask Compose which definitions changed",
    ]


@pytest.mark.parametrize("part", NEEDED)
def test_a_part_that_is_unknown_is_a_problem_and_nothing_is_done(part: str) -> None:
    for stack, host in ((STACK, converged(STACK)), (STACK, before_the_rollout())):
        assert plan(stack, unseen(part)(host)) == Plan(
            problems=(f"{part}: could not be observed. Nothing is changed on a host that cannot be seen; run again with -vv.",)
        )


def test_a_host_with_docker_and_without_curl_gets_curl() -> None:
    seen = replace(unseen("containers", "redis")(converged(STACK)), engine=replace(ENGINE, curl=False))
    due = plan(STACK, seen)
    assert (due.problems, due.engine) == ((), ("curl is missing",))


def test_a_host_that_did_not_answer_at_all_has_every_problem_and_nothing_is_done() -> None:
    due = plan(STACK, Snapshot())
    assert due == Plan(problems=due.problems)
    assert [problem.split(":")[0] for problem in due.problems] == [
        "engine", "files", "env", "applied", "acl", "fragments",
    ]  # fmt: skip


def test_a_redis_that_does_not_run_need_not_answer() -> None:
    down = all_of(with_container("redis", state="exited"), lambda seen: replace(seen, redis=UNKNOWN))
    assert due_after(down) == Plan(start=(("redis", "its container is exited and healthy"),))


# What lies where a file should be


@pytest.mark.parametrize("path", STACK.managed_paths())
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("symlink", "symbolic link (or lies behind one)"),
        ("dir", "folder"),
        ("denied", "path that may not be read"),
        ("other", "other"),
    ],
)
def test_what_is_no_file_is_a_problem_and_nothing_is_done(path: str, kind: str, words: str) -> None:
    def instead(seen: Snapshot) -> Snapshot:
        assert seen.files is not UNKNOWN
        return replace(seen, files={**seen.files, path: SeenFile(kind)})

    # also where much else is due
    for host in (converged(STACK), bare(STACK), before_the_rollout()):
        assert plan(STACK, instead(host)) == Plan(
            problems=(
                f"/opt/erni-ki/{path}: is a {words}, expected a regular file. Nothing was changed. "
                "Move it away, or set stack_dir to another folder.",
            )
        )


def test_every_problem_is_told_at_once() -> None:
    def several(seen: Snapshot) -> Snapshot:
        assert seen.files is not UNKNOWN
        assert seen.env is not UNKNOWN
        files = {**seen.files, ".env": SeenFile("dir"), REDIS: SeenFile("symlink")}
        return replace(seen, files=files, env={**seen.env, OPENWEBUI: None}, acl=UNKNOWN)

    assert [problem.split(":")[0] for problem in due_after(several).problems] == [
        "acl", "/opt/erni-ki/.env", "/opt/erni-ki/env/redis.env", "/opt/erni-ki/env/openwebui.env",
    ]  # fmt: skip


# The plan as a value

DRIFTS: Mapping[str, Drift] = {
    "compose.yml": without_file("compose.yml"),
    ".env": with_key(".env", "REDIS_ARGS", None),
    FRAGMENTS: with_file(FRAGMENTS, mode="0644"),
    OWN_ENVIRONMENT: without_file(OWN_ENVIRONMENT),
    "compose.d/watchtower.yml": with_file("compose.d/watchtower.yml", sha256=sha256("edited")),
    "compose.d/redis.yml": without_file("compose.d/redis.yml"),
    "compose.d/redis-exporter.yml": with_file("compose.d/redis-exporter.yml", mode="0777"),
    "compose.d/openwebui.yml": with_file("compose.d/openwebui.yml", sha256=sha256(""), mode="0600"),
    REDIS: without_file(REDIS),
    EXPORTER: with_key(EXPORTER, "REDIS_ADDR", "REDIS_ADDR=redis:6379"),
    OPENWEBUI: with_file(OPENWEBUI, mode="0640"),
    PASSWORD_PATH: with_password_file_of(OLD_PASSWORD),
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
    assert due.accept == ()
    assert not due.retire


@given(st.sets(st.sampled_from(sorted(CONTAINERS))))
def test_for_any_drifts_the_services_of_the_plan_are_exactly_those(drifted: set[str]) -> None:
    due = due_after(*(CONTAINERS[service] for service in drifted))
    assert {service for service, _ in due.start} == drifted
    assert due == Plan(start=due.start)


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
        (Plan(secrets=(ONE,)), "write compose.yml: content differs"),
        (Plan(accept=(NEW,)), "write secrets/redis/users.acl: the wanted password is not in it as it should be"),
        (Plan(start=(("redis", "it has no container"),)), "start redis: it has no container"),
        (Plan(recheck=True), "ask Compose which definitions changed"),
        (Plan(remove=("redis",)), "remove redis: no longer in `services`"),
        (Plan(retire=True), "password: retire"),
        (Plan(accept=(NEW, OLD), retire=True), "password: accept, retire"),
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
        "password: accept, switch redis-exporter and openwebui, retire",
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
        (all_of(), "password: accept, switch redis-exporter and openwebui, retire"),
        (with_redis(hashes=(NEW, OLD)), "password: accept, switch redis-exporter and openwebui, retire"),
        (
            all_of(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD))),
            "password: switch redis-exporter and openwebui, retire",
        ),
    ],
    ids=["from the start", "accepted in memory alone", "accepted"],
)
def test_the_headline_of_a_rollout_says_which_steps_are_left(drift: Drift, headline: str) -> None:
    assert next(plan(STACK, drift(before_the_rollout())).sentences()) == headline


def test_the_headline_of_a_rollout_that_is_switched_says_that_the_old_password_goes() -> None:
    due = due_after(with_acl_on_disk(NEW, OLD), with_redis(hashes=(NEW, OLD)))
    assert list(due.sentences()) == ["password: retire"]


def test_a_redis_that_takes_no_password_on_the_host_is_restarted_to_read_its_file() -> None:
    due = due_after(with_redis(hashes=(), nowhere=True))
    assert due == Plan(restarts=True)
    assert list(due.sentences()) == ["redis is restarted, which takes some seconds: it takes no password that is on this host"]


def test_such_a_redis_that_is_started_anyway_is_not_restarted_too() -> None:
    due = due_after(with_redis(hashes=(), nowhere=True), without_file("compose.d/redis.yml"))
    assert set(dict(due.start)) == {"redis"}
    assert not due.restarts


def test_a_restart_would_not_help_a_redis_whose_file_has_another_password() -> None:
    assert not plan(STACK, with_redis(hashes=(), nowhere=True)(before_the_rollout())).restarts


# A redis that does not let its ACL be changed

DENIED = "NOPERM User default has no permissions to run the 'acl|getuser' command"


def strict(hashes_on_disk: tuple[str, ...]) -> Drift:
    """redis does not tell what it accepts; that is seen from its file alone."""
    return all_of(with_acl_on_disk(*hashes_on_disk), with_redis(hashes=(), denied=DENIED))


def test_a_redis_that_does_not_let_its_acl_be_read_is_as_its_file_says() -> None:
    assert due_after(strict((NEW,))) == Plan(restart=DENIED)
    assert not due_after(strict((NEW,))).due
    assert list(due_after(strict((NEW,))).sentences()) == []


def test_a_rollout_tells_that_such_a_redis_is_restarted() -> None:
    due = plan(STACK, strict((OLD,))(before_the_rollout()))
    assert due == rollout(restart=DENIED)
    assert list(due.sentences())[:2] == [
        "password: accept, switch redis-exporter and openwebui, retire",
        f"redis is restarted, which takes some seconds: it does not let its ACL be changed ({DENIED})",
    ]


def test_only_where_its_acl_changes_a_restart_is_told() -> None:
    due = due_after(strict((NEW,)), without_file(OPENWEBUI))
    assert [line for line in due.sentences() if "restarted" in line] == []


# Another host's redis

CLIENT = a_client()


def client_after(*drifts: Drift, stack: Stack = CLIENT) -> Plan:
    """The plan for a host that uses another's redis, on which all was as wanted before these drifts."""
    return plan(stack, all_of(*drifts)(converged(stack)))


def test_a_client_is_switched_and_neither_accepts_nor_retires() -> None:
    due = plan(CLIENT, converged(a_client(OLD_PASSWORD)))
    assert due == Plan(
        env=(differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),),
        secrets=(differs(PASSWORD_PATH),),
        start=(("openwebui", "its env file changes"),),
    )


def test_that_another_hosts_redis_accepts_two_passwords_is_not_the_clients_business() -> None:
    assert client_after(with_redis(hashes=(NEW, OLD))) == Plan()


def test_a_clients_password_file_is_its_own() -> None:
    assert client_after(without_file(PASSWORD_PATH)) == Plan(secrets=(missing(PASSWORD_PATH),))
    assert client_after(with_file(PASSWORD_PATH, owner="1000:1000")) == Plan()


def test_a_client_whose_redis_cannot_be_reached_is_changed_all_the_same() -> None:
    # the redis of a host that is bare itself is not there yet
    assert client_after(unseen("redis"), without_file(OPENWEBUI)) == client_after(without_file(OPENWEBUI))


def test_everything_is_due_on_a_bare_client() -> None:
    due = plan(CLIENT, bare(CLIENT))
    assert due.secrets == (missing(PASSWORD_PATH),)
    assert due.start == (("openwebui", "it has no container"),)
    assert (due.accept, due.retire) == ((), False)


def test_another_address_of_the_redis_is_written_to_the_urls() -> None:
    moved = Stack.build({"services": ["openwebui"], "redis_host": "redis-1"}, {"redis_password": PASSWORD}, "10.0.0.6:6379")
    assert plan(moved, converged(CLIENT)).env == (differs(OPENWEBUI, "REDIS_URL differs", "WEBSOCKET_REDIS_URL differs"),)


def test_a_redis_that_others_use_is_published() -> None:
    due = plan(a_stack(redis_publish="10.0.0.5"), converged(STACK))
    assert due == Plan(
        project=(differs("compose.d/redis.yml"), differs(".env", "REDIS_PUBLISH differs")),
        start=(("redis", "its fragment changes"),),
        recheck=True,
    )


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
    return sha256(template.format(OLD_PASSWORD))[:12], sha256(template.format(PASSWORD))[:12]


def test_of_what_is_not_there_yet_only_the_new_fingerprint_is_told() -> None:
    (change,) = due_after(without_file(PASSWORD_PATH)).secrets
    assert [(one.key, one.before, one.after) for one in change.differences] == [("content", None, sha256(f"{PASSWORD}\n")[:12])]


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
