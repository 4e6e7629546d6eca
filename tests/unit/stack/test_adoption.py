"""A host on which the stack ran before: what stops a run, and what a plan tells of what will become of its services."""

from __future__ import annotations

from typing import Any

import pytest

from operations.stack.adoption import files, problems, sentences
from operations.stack.snapshot import Difference, SeenDefinition, SeenOwn
from tests.unit.stack.hosts import a_stack, converged
from tests.unit.stack.taken_over import STACK, by_hand, told


def test_nothing_is_said_of_a_host_that_is_as_desired() -> None:
    assert list(problems(STACK, converged(STACK))) == []
    assert list(sentences(STACK, converged(STACK))) == []


def its_own(*differences: Difference, refused: str = "", **services: SeenDefinition) -> dict[str, Any]:
    return {"own": SeenOwn(services, differences, refused)}


NEEDED = (
    Difference("redis", "command", "one", "another"),
    Difference("redis", "volumes./run/redis-auth", "", "{}"),
    Difference("redis", "healthcheck.test", "one", "another"),
    Difference("redis", "environment.REDIS_PASSWORD", "one", ""),
    Difference("openwebui", "environment.REDIS_URL", "one", "another"),
    Difference("redis-exporter", "command", "one", ""),
)


def test_what_a_login_needs_is_summed_up_and_stops_no_run() -> None:
    seen = by_hand(**its_own(*NEEDED))
    assert list(problems(STACK, seen)) == []
    assert "redis: all of its definition stays but command, volumes./run/redis-auth, healthcheck.test" in "\n".join(
        sentences(STACK, seen)
    )


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (Difference("redis", "volumes./data", "{}", ""), "redis.volumes./data"),
        (Difference("redis", "ports.:6379:6379/tcp", "{}", ""), "redis.ports.:6379:6379/tcp"),
        (Difference("redis", "image", "redis:7", "redis:8"), "redis.image"),
        (Difference("redis", "environment.TZ", "UTC", ""), "redis.environment.TZ"),
        (Difference("openwebui", "deploy.resources", "{}", ""), "openwebui.deploy.resources"),
        (Difference("openwebui", "environment.WEBUI_SECRET_KEY", "one", ""), "openwebui.environment.WEBUI_SECRET_KEY"),
        (Difference("proxy", "environment.COMPOSE_FILE", "", "x"), "proxy.environment.COMPOSE_FILE"),
        (Difference("", "volumes.data", "{}", "null"), ".volumes.data"),
    ],
)
def test_any_other_difference_stops_the_run_until_it_is_named(one: Difference, named: str) -> None:
    (problem,) = problems(STACK, by_hand(**its_own(*NEEDED, one)))
    assert f"{one.path} would change from {one.before or 'nothing'} to {one.after or 'nothing'}" in problem
    assert problem.endswith(f'adopt_changes = ("{named}",).')
    for accepted in (named, f"{named[:-2]}*"):
        assert list(problems(a_stack(adopt_changes=[accepted]), by_hand(**its_own(*NEEDED, one)))) == []


@pytest.mark.parametrize(
    ("settings", "one"),
    [
        ({"redis_image": "redis:8.2"}, Difference("redis", "image", "redis:7", "redis:8.2")),
        ({"openwebui_port": 3000}, Difference("openwebui", "ports.:8080:8080/tcp", "{}", "")),
    ],
)
def test_what_a_setting_asks_for_stops_no_run(settings: dict[str, Any], one: Difference) -> None:
    assert list(problems(a_stack(**settings), by_hand(**its_own(one)))) == []


def test_what_compose_does_not_take_stops_the_run() -> None:
    assert "cannot be merged with what its services need: redis: no such thing. Nothing was changed" in told(
        **its_own(refused="redis: no such thing")
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"projects": ("another",)}, "Set stack_name to 'another'"),
        ({"started_with": ("a.yml", "../b.yml")}, "runs with ../b.yml, which is no plain path in that folder"),
    ],
)
def test_another_project_than_the_settings_say_stops_the_run(fields: dict[str, Any], words: str) -> None:
    assert words in told(**fields)


def test_other_files_than_a_setting_names_stop_the_run() -> None:
    seen = by_hand(started_with=("a.yml", "b.yml"))
    assert "runs with a.yml, b.yml, and compose_files names a.yml" in "\n".join(problems(a_stack(compose_files=["a.yml"]), seen))
    assert files(a_stack(), seen) == ("a.yml", "b.yml")
    assert files(a_stack(compose_files=["a.yml"]), seen) == ("a.yml",)
    assert files(a_stack(), by_hand()) == files(a_stack(), by_hand(started_with=("../b.yml",))) == ("compose.yml",)


def test_a_compose_file_that_is_not_there_stops_the_run() -> None:
    assert "compose/base.yml is missing" in told(a_stack(compose_files=("compose/base.yml",)))
