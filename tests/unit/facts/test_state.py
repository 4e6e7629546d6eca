"""State and Containers: what was applied, written and accepted, who holds the lock, and what Docker runs of it."""

from __future__ import annotations

import json

import pytest

from operations.facts.state import Containers, SeenState, State
from operations.stack.lock import Owner
from operations.stack.snapshot import UNKNOWN, Applied, SeenContainer, SeenProject
from tests.unit.facts.answers import H1, H2, read

# State

APPLIED = {
    "inputs": H1,
    "services": {"redis": {"definition": "d", "env": "", "label": "l", "container": "c"}},
}


def applied_lines(text: str) -> list[str]:
    return [f"applied\t{line}" for line in text.splitlines()]


def test_state_tells_what_was_applied_written_and_accepted() -> None:
    acl = f"acl\tuser default on sanitize-payload ~* &* +@all #{H1} #{H2}"
    seen = read(State(), *applied_lines(json.dumps(APPLIED, indent=1)), "fragment\tredis", "fragment\tweb", acl)
    assert seen == SeenState(
        applied=Applied(inputs=H1, services={"redis": APPLIED["services"]["redis"]}),  # type: ignore[index]
        fragments=("redis", "web"),
        acl=(H1, H2),
    )


def test_state_tells_what_compose_said_of_the_project() -> None:
    project = {"definitions": {"redis": "r1", "db": "d1"}, "needs": {"redis": [], "db": ["redis"]}, "starter": "compose"}
    text = json.dumps({**APPLIED, "compose": "2.26.1", "project": project})
    told = read(State(), *applied_lines(text)).applied
    assert told.compose == "2.26.1"
    assert told.project == SeenProject({"redis": "r1", "db": "d1"}, {"redis": (), "db": ("redis",)}, "compose")
    assert json.loads(json.dumps(told.project.to_json())) == project
    assert read(State(), *applied_lines(json.dumps({**APPLIED, "project": None}))).applied.project is None


@pytest.mark.parametrize("project", ["text", ["a"], {"definitions": {}}, {"definitions": 7, "needs": {}, "starter": "docker"}])
def test_an_answer_of_compose_that_was_edited_is_as_good_as_none(project: object) -> None:
    assert read(State(), *applied_lines(json.dumps({**APPLIED, "project": project}))).applied == Applied()


def test_a_host_without_a_past_has_an_empty_state() -> None:
    assert read(State()) == SeenState(applied=Applied(), fragments=(), acl=(), lock=None)


OWNER = Owner("20261124T150102Z-3f9a", "ann", "laptop", "4711:99", "2026-11-24T15:01:02Z")


def test_state_tells_who_holds_the_lock() -> None:
    lines = [f"lock\t{line}" for line in json.dumps(OWNER.to_json(), indent=1).splitlines()]
    assert read(State(), *lines, "fragment\tredis") == SeenState(Applied(), ("redis",), (), OWNER)


@pytest.mark.parametrize("text", ["", "{}", "null", json.dumps(OWNER.to_json())[:40]])
def test_a_lock_that_names_nobody_is_held_by_nobody(text: str) -> None:
    assert read(State(), f"lock\t{text}").lock is None


def test_state_is_shown_with_its_owner() -> None:
    shown = json.dumps(read(State(), f"lock\t{json.dumps(OWNER.to_json())}").to_json(), default=lambda part: part.to_json())
    assert json.loads(shown)["lock"] == OWNER.to_json()


def test_a_line_of_no_known_kind_is_unknown() -> None:
    assert read(State(), "more\tx") is UNKNOWN


@pytest.mark.parametrize("length", range(0, len(json.dumps(APPLIED)), 7))
def test_a_truncated_applied_json_is_as_good_as_none(length: int) -> None:
    text = json.dumps(APPLIED)[:length]
    assert read(State(), *applied_lines(text), "fragment\tredis") == SeenState(Applied(), ("redis",), ())


@pytest.mark.parametrize(
    "text",
    [
        "[]", "7", "null", "text", '{"inputs": "x"}', '{"services": {}}', '{"inputs": "x", "services": []}',
        '{"inputs": "x", "services": {"redis": "text"}}', '{"inputs": "x", "services": {"redis": null}}',
    ],
)  # fmt: skip
def test_an_applied_json_that_was_edited_is_as_good_as_none(text: str) -> None:
    assert read(State(), *applied_lines(text)).applied == Applied()


# Containers


def container_line(mounts: str = "", health: str = "healthy") -> str:
    fields = ["c1", "redis", "running", health, "hash", "172.18.0.7", "1764020000", mounts, "redis:latest", "127.0.0.1:6379"]
    return "\t".join(fields)


def test_containers_tell_what_the_plan_asks_for() -> None:
    found = read(Containers(), container_line("/opt/erni-ki/data/redis>/data;/opt/erni-ki/secrets/redis>/run/redis-auth;"))
    assert found == (
        SeenContainer(
            id="c1",
            service="redis",
            state="running",
            health="healthy",
            config_hash="hash",
            addresses=("172.18.0.7",),
            mounts={"/data": "/opt/erni-ki/data/redis", "/run/redis-auth": "/opt/erni-ki/secrets/redis"},
            created=1_764_020_000,
            image="redis:latest",
            ports=("127.0.0.1:6379",),
        ),
    )


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("", {}),
        (">/tmp;", {"/tmp": ""}),
        ("/opt/a;b/data>/data;", {"/data": "/opt/a;b/data"}),
        ("/opt/a>b/data>/data;", {"/data": "/opt/a>b/data"}),
        ("/opt/a>/b;c/data>/data;/x>/y;", {"/data": "/opt/a>/b;c/data", "/y": "/x"}),
        ("/run/docker.sock>/run/docker.sock;/opt/a b/it's>/data;", {
            "/run/docker.sock": "/run/docker.sock", "/data": "/opt/a b/it's",
        }),
    ],
)  # fmt: skip
def test_mounts_are_told_apart_whatever_their_folders_are_called(mounts: str, expected: dict[str, str]) -> None:
    (container,) = read(Containers(), container_line(mounts))
    assert container.mounts == expected


def test_no_container_is_an_answer() -> None:
    assert read(Containers()) == ()


@pytest.mark.parametrize(
    ("state", "health", "up"),
    [
        ("running", "healthy", True),
        ("running", "", True),
        ("running", "starting", False),
        ("running", "unhealthy", False),
        ("exited", "", False),
        ("restarting", "", False),
    ],
)
def test_a_container_is_up_when_it_runs_and_is_not_unwell(state: str, health: str, up: bool) -> None:
    assert SeenContainer("c", "s", state, health, "h", ("a",), {}).up is up
