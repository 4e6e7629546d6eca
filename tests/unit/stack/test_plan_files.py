"""The plan for the files of the project and the env files: what differs is written, and starts the services that read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.stack.plan import Plan, plan
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import FRAGMENTS, OVERLAY
from tests.unit.stack.hosts import ENGINE, OLD_ENGINE, a_stack, all_of, converged, sha256, with_file, with_key, without_file
from tests.unit.stack.plans import EXPORTER, OPENWEBUI, REDIS, STACK, a_plan, access, differs, due_after, missing

# Files of the project


def test_a_missing_base_file_is_written() -> None:
    assert due_after(without_file("compose.yml")) == a_plan(project=(missing("compose.yml"),), recheck=True)


def test_an_edited_base_file_is_kept_and_compose_is_asked() -> None:
    assert due_after(with_file("compose.yml", sha256=sha256("services: {web: {}}"))) == a_plan(recheck=True)


def test_a_line_of_somebody_else_in_dotenv_is_kept_and_compose_is_asked() -> None:
    assert due_after(with_file(".env", sha256=sha256("MINE=1"))) == a_plan(recheck=True)


def test_a_missing_dotenv_is_written() -> None:
    assert due_after(without_file(".env")) == a_plan(project=(missing(".env"),), recheck=True)


def test_a_changed_variable_is_written() -> None:
    assert due_after(with_key(".env", "COMPOSE_PROJECT_NAME", "COMPOSE_PROJECT_NAME=other")) == a_plan(
        project=(differs(".env", "COMPOSE_PROJECT_NAME differs"),), recheck=True
    )


def test_a_variable_that_is_missing_is_written() -> None:
    assert due_after(with_key(".env", "COMPOSE_FILE", None)) == a_plan(
        project=(differs(".env", "COMPOSE_FILE is missing"),), recheck=True
    )


def test_a_missing_fragment_is_written_and_its_service_started() -> None:
    assert due_after(without_file("compose.d/openwebui.yml")) == a_plan(
        project=(missing("compose.d/openwebui.yml"),), start=(("openwebui", "its fragment changes"),), recheck=True
    )


def test_an_edited_fragment_is_written_and_its_service_started() -> None:
    assert due_after(with_file("compose.d/redis.yml", sha256=sha256("edited"))) == a_plan(
        project=(differs("compose.d/redis.yml"),), start=(("redis", "its fragment changes"),), recheck=True
    )


def test_a_fragments_mode_is_put_right_and_no_service_touched() -> None:
    assert due_after(with_file("compose.d/redis.yml", mode="0600")) == a_plan(
        project=(access("compose.d/redis.yml", "mode is 0600, expected 0644"),)
    )


def test_a_missing_list_of_fragments_is_written() -> None:
    lost = all_of(without_file(FRAGMENTS), lambda seen: replace(seen, fragments=()))
    assert due_after(lost) == a_plan(project=(missing(FRAGMENTS),), recheck=True)


@pytest.mark.parametrize(("since", "due"), [(-1, False), (0, False), (1, True)])
def test_what_is_made_from_the_projects_own_file_is_made_anew_when_that_was_changed(since: int, due: bool) -> None:
    drift = all_of(with_file(OVERLAY, changed=100), with_file("compose.yml", changed=100 + since))
    anew = differs(OVERLAY, "compose.yml was changed after it was made")
    assert due_after(drift).project == ((anew,) if due else ())


def test_an_engine_that_learns_start_interval_gets_fragments_with_it() -> None:
    upgraded = replace(converged(STACK, OLD_ENGINE), engine=ENGINE)
    concerned = ("watchtower", "redis", "openwebui")
    assert plan(STACK, upgraded) == a_plan(
        project=tuple(differs(f"compose.d/{name}.yml") for name in concerned),
        start=tuple((name, "its fragment changes") for name in concerned),
        recheck=True,
    )


def test_a_changed_setting_is_due_in_the_fragments_of_those_that_it_concerns() -> None:
    due = plan(a_stack(openwebui_port=8081, bind_address="0.0.0.0"), converged(STACK))
    concerned = ("redis-exporter", "openwebui")
    assert due == a_plan(
        project=tuple(differs(f"compose.d/{name}.yml") for name in concerned),
        start=tuple((name, "its fragment changes") for name in concerned),
        recheck=True,
    )


# Env files


def test_a_missing_env_file_is_written_and_its_service_started() -> None:
    assert due_after(without_file(OPENWEBUI)) == a_plan(env=(missing(OPENWEBUI),), start=(("openwebui", "its env file changes"),))


def test_a_missing_redis_env_is_written_and_redis_left_alone() -> None:
    assert due_after(without_file(REDIS)) == a_plan(env=(missing(REDIS),))


def test_a_changed_key_is_written_and_its_service_started() -> None:
    assert due_after(with_key(OPENWEBUI, "WEBSOCKET_MANAGER", "WEBSOCKET_MANAGER=")) == a_plan(
        env=(differs(OPENWEBUI, "WEBSOCKET_MANAGER differs"),), start=(("openwebui", "its env file changes"),)
    )


def test_a_key_that_is_missing_is_written_and_its_service_started() -> None:
    assert due_after(with_key(EXPORTER, "REDIS_ADDR", None)) == a_plan(
        env=(differs(EXPORTER, "REDIS_ADDR is missing"),), start=(("redis-exporter", "its env file changes"),)
    )


def test_a_changed_key_of_redis_env_is_written_and_redis_left_alone() -> None:
    assert due_after(with_key(REDIS, "REDIS_LOG_LEVEL", "REDIS_LOG_LEVEL=debug")) == a_plan(
        env=(differs(REDIS, "REDIS_LOG_LEVEL differs"),)
    )


@pytest.mark.parametrize("path", [OPENWEBUI, EXPORTER, REDIS])
def test_an_env_files_mode_is_put_right_and_no_service_touched(path: str) -> None:
    assert due_after(with_file(path, mode="0644")) == a_plan(env=(access(path, "mode is 0644, expected 0600"),))


def test_a_line_of_somebody_else_in_an_env_file_restarts_its_service_alone() -> None:
    assert due_after(with_file(OPENWEBUI, sha256=sha256("MINE=1"))) == a_plan(
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
