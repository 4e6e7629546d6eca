"""Where the plan is a problem: a host of which not all can be seen, or where something else lies, is not changed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from operations.stack.plan import Plan, plan
from operations.stack.snapshot import UNKNOWN, SeenFile, Snapshot
from tests.unit.stack.hosts import ENGINE, all_of, bare, converged, metrics_page, unseen, with_container, with_file
from tests.unit.stack.plans import OPENWEBUI, REDIS, STACK, a_plan, before_the_rollout, due_after

# What cannot be seen


NEEDED = ("engine", "files", "env", "applied", "texts", "fragments", "containers", "redis")
ANSWERS = ("redis",)  # of a credential, below `answers`
FOR_THE_CHECKS_ALONE = ("logs", "machine", "literals", "probes", "lock", "counted")
FOR_THE_LOCK_ALONE = ("left",)
FOR_A_FIRST_RUN_ALONE = ("started_with", "projects", "entries", "own", "urls", "called")
FOR_A_PERSON_ALONE = ("met",)
FOR_IMAGES_ALONE = ("images",)  # where it is UNKNOWN, Compose does with them what it did


def test_every_part_of_a_snapshot_is_needed_but_those_of_the_checks() -> None:
    others = {*FOR_THE_CHECKS_ALONE, *FOR_THE_LOCK_ALONE, *FOR_A_FIRST_RUN_ALONE, *FOR_A_PERSON_ALONE, *FOR_IMAGES_ALONE}
    assert {field.name for field in fields(Snapshot)} == {*NEEDED, "answers", *others} - {*ANSWERS}


@pytest.mark.parametrize("part", ["logs", metrics_page(STACK), "machine", "literals"])
def test_what_only_the_checks_ask_for_changes_no_plan(part: str) -> None:
    for stack, host in ((STACK, converged(STACK)), (STACK, before_the_rollout())):
        assert plan(stack, unseen(part)(host)) == plan(stack, host)


def test_a_lock_that_a_dead_run_left_is_taken_away_and_what_may_be_at_rest_looked_after() -> None:
    due = plan(STACK, replace(converged(STACK), left="20261124T150102Z-3f9a"))
    assert due == a_plan(unlock="20261124T150102Z-3f9a", recheck=True)
    assert due.due
    assert list(due.sentences()) == [
        "remove the lock of run 20261124T150102Z-3f9a, which did not end",
        "ask Compose which definitions changed",
    ]


def test_what_the_projects_own_files_say_must_be_known() -> None:
    (problem,) = plan(STACK, replace(converged(STACK), own=UNKNOWN)).problems
    assert problem.startswith("the project's own Compose files: could not be observed.")


@pytest.mark.parametrize(("lack", "word"), [({"jq": False}, "jq"), ({"compose": None}, "Compose")])
def test_what_is_missing_to_read_them_with_is_named(lack: dict[str, Any], word: str) -> None:
    seen = converged(STACK)
    assert seen.engine is not UNKNOWN
    (problem,) = plan(STACK, replace(seen, own=UNKNOWN, engine=replace(seen.engine, **lack))).problems
    assert f"has Compose files of its own, and {word} to read them with is missing. Nothing was changed." in problem


@pytest.mark.parametrize("part", NEEDED)
def test_a_part_that_is_unknown_is_a_problem_and_nothing_is_done(part: str) -> None:
    for stack, host in ((STACK, converged(STACK)), (STACK, before_the_rollout())):
        assert plan(stack, unseen(part)(host)) == Plan(
            problems=(f"{part}: could not be observed. Nothing is changed on a host that cannot be seen; run again with -vv.",)
        )


def test_why_a_part_is_unknown_is_told() -> None:
    (problem,) = plan(STACK, replace(unseen("env")(converged(STACK)), met={"env": "its script failed"})).problems
    assert problem.startswith("env: could not be observed (its script failed). Nothing is changed")


def test_a_host_of_which_nothing_could_be_seen_has_one_problem_with_what_was_met() -> None:
    assert plan(STACK, Snapshot(met={"": "OSError: the connection was cut"})).problems == (
        "The host could not be observed: OSError: the connection was cut. Nothing is changed on a host that cannot be seen; "
        "run again with -vv.",
    )


def test_a_host_with_docker_and_without_curl_gets_curl() -> None:
    seen = replace(unseen("containers", "redis")(converged(STACK)), engine=replace(ENGINE, curl=False))
    due = plan(STACK, seen)
    assert (due.problems, due.engine) == ((), ("curl is missing",))


def test_a_host_that_did_not_answer_at_all_has_every_problem_and_nothing_is_done() -> None:
    due = plan(STACK, Snapshot())
    assert due == Plan(problems=due.problems)
    assert [problem.split(":")[0] for problem in due.problems] == [
        "engine", "files", "env", "applied", "texts", "fragments",
    ]  # fmt: skip


def test_a_redis_that_does_not_run_need_not_answer() -> None:
    down = all_of(with_container("redis", state="exited"), unseen("redis"))
    assert due_after(down) == a_plan(start=(("redis", "its container is exited and healthy"),))


# What lies where a file should be


@pytest.mark.parametrize("path", [path for path in STACK.managed_paths() if path != "data/redis"])
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


def test_what_is_no_folder_where_one_should_be_is_a_problem() -> None:
    due = plan(STACK, with_file("data/redis", kind="file")(converged(STACK)))
    assert due == Plan(problems=due.problems)
    assert due.problems[0].startswith("/opt/erni-ki/data/redis: is a file, expected a folder. Nothing was changed. ")


def test_every_problem_is_told_at_once() -> None:
    def several(seen: Snapshot) -> Snapshot:
        assert seen.files is not UNKNOWN
        assert seen.env is not UNKNOWN
        files = {**seen.files, ".env": SeenFile("dir"), REDIS: SeenFile("symlink")}
        return replace(seen, files=files, env={**seen.env, OPENWEBUI: None}, texts=UNKNOWN)

    assert [problem.split(":")[0] for problem in due_after(several).problems] == [
        "texts", "/opt/erni-ki/.env", "/opt/erni-ki/env/redis.env", "/opt/erni-ki/env/openwebui.env",
    ]  # fmt: skip
