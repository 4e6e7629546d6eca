"""A host on which the stack ran before: what stops a run, and what a plan tells of what will become of its services."""

from __future__ import annotations

from typing import Any

import pytest

from operations.stack.adoption import problems, sentences
from operations.stack.env_file import line
from operations.stack.snapshot import SeenContainer
from tests.unit.stack.hosts import a_stack, converged, sha256
from tests.unit.stack.taken_over import STACK, a_container, by_hand, told


def test_nothing_is_said_of_a_host_that_is_as_desired() -> None:
    assert list(problems(STACK, converged(STACK))) == []
    assert list(sentences(STACK, converged(STACK))) == []


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (a_container("openwebui", image="open-webui:v0.6", ports=("127.0.0.1:8080",)), "image open-webui:v0.6 becomes ghcr.io"),
        (a_container("openwebui", ports=("0.0.0.0:8080",)), "published on 0.0.0.0:8080, now on 127.0.0.1:8080"),
        (a_container("openwebui"), "published on no port of the host, now on 127.0.0.1:8080"),
    ],
)
def test_a_plan_tells_what_users_of_a_service_might_notice(container: SeenContainer, words: str) -> None:
    assert words in "\n".join(sentences(STACK, by_hand(containers=(container,))))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bases": ("docker-compose.yml",), "files": {}}, 'compose_files = ("docker-compose.yml",)'),
        ({"projects": ("another",)}, "Set stack_name to 'another'"),
        ({"env": {".env": {"COMPOSE_FILE": sha256(line("COMPOSE_FILE", "a.yml:b.yml"))}}}, "COMPOSE_FILE names other files"),
    ],
)
def test_another_project_than_the_settings_say_stops_the_run(fields: dict[str, Any], words: str) -> None:
    assert words in told(**fields)


def test_a_compose_file_that_is_not_there_stops_the_run() -> None:
    assert "compose/base.yml is missing" in told(a_stack(compose_files=("compose/base.yml",)))
