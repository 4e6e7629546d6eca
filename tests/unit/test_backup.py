"""What is kept before a change, and what is rolled back or restored, as the operations decide it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations import backup
from operations.controller.host_plan import HostPlan
from operations.stack.lock import Owner
from operations.stack.snapshot import UNKNOWN, SeenProject
from operations.stack.stack import Stack
from tests.unit.generators import AHost, Done, Ran, Stage
from tests.unit.stack.hosts import ACL_PATH, OLD_PASSWORD, a_stack, accepting, bare, converged, sha256, with_container, with_redis
from tests.unit.stack.plans import NEW, OLD, before_the_rollout

STACK = a_stack(settle_timeout=1)
OLD_STACK = a_stack(OLD_PASSWORD)
KEPT = Done(stdout_lines=("kept backups/20261124T150102Z",))
PROJECT = SeenProject(
    definitions={one.name: sha256(f"definition of {one.name}") for one in STACK.services},
    needs={one.name: one.needs for one in STACK.services},
)
OURS = Owner("this-run", "ann", "here", "", "2026-11-24T15:01:02Z")


def a_host(**facts: object) -> AHost:
    return AHost(facts={"Project": PROJECT, "Backups": {}, **facts})


# Before a change


def test_the_files_that_a_rollout_changes_are_kept(stage: Stage) -> None:
    ran = stage.on(a_host(), backup.backup, HostPlan(STACK, before_the_rollout()))
    wanted = {"env/redis.env", "env/openwebui.env", "env/redis-exporter.env", "secrets/redis/password", ACL_PATH}
    assert set(ran.words("backup/make", "paths")) == wanted


def test_where_nothing_changes_nothing_is_kept(stage: Stage) -> None:
    ran = stage.on(a_host(), backup.backup, HostPlan(STACK, converged(STACK)))
    assert (ran.scripts, ran.host.told) == ([], ["no file is about to change"])


def test_an_empty_host_has_nothing_to_keep(stage: Stage) -> None:
    assert stage.on(a_host(), backup.backup, HostPlan(STACK, bare(STACK))).scripts == []


def test_the_env_file_of_a_service_that_goes_is_kept(stage: Stage) -> None:
    fewer = a_stack(services=["watchtower", "redis", "redis-exporter"])
    ran = stage.on(a_host(), backup.backup, HostPlan(fewer, converged(STACK)))
    assert "env/openwebui.env" in ran.words("backup/make", "paths")


# Rolling back


def rolled_back(
    stage: Stage, kept: Done = KEPT, after: Done | None = None, sharing: tuple[str, ...] = (), stack: Stack = STACK
) -> Ran:
    planned = HostPlan(stack, before_the_rollout())
    return stage.on(a_host(), backup.roll_back, planned, kept, (after or Done(error=True),), sharing)


def test_what_went_well_is_not_rolled_back(stage: Stage) -> None:
    ran = rolled_back(stage, after=Done())
    assert (ran.yielded, stage.run.aborted) == ([], set())


def test_files_come_back_and_the_services_that_are_others_now_are_started_with_them(stage: Stage) -> None:
    before = before_the_rollout()
    stage.looks = [with_container("openwebui", id="another")(before), before]
    ran = rolled_back(stage)
    assert ran.scripts[:2] == ["backup/restore", "containers/up"]
    assert ran.parameters("backup/restore")["stays"] == [ACL_PATH]
    assert ran.parameters("containers/up")["tiers"] == ["openwebui"]
    assert ran.failed.startswith("The files were rolled back from backups/20261124T150102Z")
    assert stage.run.rolled_back == {"erni-1"}


def test_the_previous_password_stays_accepted_and_the_new_one_is_retired(stage: Stage) -> None:
    stage.looks = [with_redis(hashes=(NEW, OLD))(accepting(before_the_rollout(), NEW, OLD))]
    ran = rolled_back(stage)
    assert "services/redis/set_users" in ran.scripts
    assert ran.words("files/put", "files")[3] == ACL_PATH


def test_both_stay_where_another_host_may_have_been_switched(stage: Stage) -> None:
    stage.looks = [with_redis(hashes=(NEW, OLD))(accepting(before_the_rollout(), NEW, OLD))]
    assert "services/redis/set_users" not in rolled_back(stage, sharing=("erni-1", "erni-2")).scripts


@pytest.mark.parametrize(
    ("kept", "settings", "why"),
    [
        (Done(), {}, "there is nothing to roll back: no earlier file was changed"),
        (KEPT, {"rollback_on_failure": False}, "rollback_on_failure is False"),
    ],
)
def test_a_host_may_be_left_as_it_is(stage: Stage, kept: Done, settings: dict[str, Any], why: str) -> None:
    stage.looks = [before_the_rollout()]
    ran = rolled_back(stage, kept, stack=a_stack(**settings))
    assert (ran.scripts, ran.failed) == ([], f"The host is left as it is, because {why}.")
    assert (stage.run.aborted, stage.run.rolled_back) == ({"erni-1"}, set())


def test_a_check_that_fails_with_the_previous_files_too_is_named(stage: Stage) -> None:
    stage.looks = [with_container("openwebui", health="unhealthy")(before_the_rollout())]
    assert "These checks fail there too: container.openwebui: running, unhealthy" in rolled_back(stage).failed


def test_where_compose_cannot_read_the_project_the_host_fails_with_that(stage: Stage) -> None:
    stage.looks = [before_the_rollout()]
    host = a_host(Project=UNKNOWN)
    ran = stage.on(host, backup.roll_back, HostPlan(STACK, before_the_rollout()), KEPT, (Done(error=True),))
    assert "Compose could not read the project" in ran.failed


# Restoring


def test_a_restore_takes_the_lock_brings_files_back_starts_all_and_notes_it(stage: Stage) -> None:
    stage.looks = [replace(converged(STACK), lock=OURS)]
    ran = stage.on(a_host(), backup.restore, "20261124T150102Z", HostPlan(STACK, converged(STACK)))
    assert ran.scripts == ["lock/take", "backup/restore", "containers/up", "lock/release"]
    assert ran.parameters("backup/restore")["name"] == "20261124T150102Z"
    assert set(" ".join(ran.words("containers/up", "tiers")).split()) == {one.name for one in STACK.services}
    assert "restored backups/20261124T150102Z" in str(ran.parameters("lock/release")["line"])


def test_a_restore_stops_at_the_lock_of_another_run(stage: Stage) -> None:
    held = replace(converged(STACK), lock=Owner("another", "eve", "elsewhere", "", "2999-01-01T00:00:00Z"))
    ran = stage.on(a_host(), backup.restore, "20261124T150102Z", HostPlan(STACK, held))
    assert ran.scripts == []
    assert "is locked by run another" in ran.failed


def test_a_restore_stops_where_its_own_lock_is_not_seen(stage: Stage) -> None:
    stage.looks = [converged(STACK)]
    ran = stage.on(a_host(), backup.restore, "20261124T150102Z", HostPlan(STACK, converged(STACK)))
    assert ran.scripts == ["lock/take"]
    assert "could not be observed under its lock" in ran.failed


def test_what_the_restored_project_has_and_the_stack_no_longer_has_is_started_too(stage: Stage) -> None:
    fewer = a_stack(services=["watchtower", "redis", "redis-exporter"])
    stage.looks = [replace(converged(fewer), lock=OURS, fragments=("redis", "openwebui"))]
    ran = stage.on(a_host(), backup.restore, "20261124T150102Z", HostPlan(fewer, converged(fewer)))
    assert "openwebui" in " ".join(ran.words("containers/up", "tiers"))


# Listing


def test_backups_are_listed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.on(a_host(Backups={"20261124T150102Z": 3}), backup.listed)
    stage.on(a_host(), backup.listed)
    assert capsys.readouterr().out == "erni-1  20261124T150102Z  3 files\nerni-1  no backup\n"


def test_backups_that_cannot_be_read_fail_the_host(stage: Stage) -> None:
    assert stage.on(a_host(Backups=UNKNOWN), backup.listed).failed == "The backups could not be read."
