"""State and Containers: what was applied, written and accepted, who holds the lock, and what Docker runs of it."""

from __future__ import annotations

import json

import pytest

from operations.facts.state import Containers, SeenState, State
from operations.stack.lock import Owner
from operations.stack.snapshot import UNKNOWN, Applied, SeenContainer, SeenProject
from tests.unit.facts.answers import H1, H2, encoded, read

# State

APPLIED = {
    "inputs": H1,
    "services": {"redis": {"definition": "d", "env": "", "label": "l", "container": "c"}},
}


ACL = "secrets/redis/users.acl"
ACL_TEXT = f"user default on sanitize-payload ~* &* +@all #{H1} #{H2}\n"


def asked() -> State:
    """State, asked for the content of one further file."""
    fact = State()
    fact.command(root="/opt/erni-ki", texts=[ACL])
    return fact


def file(path: str, content: str) -> str:
    return f"{path} {encoded(content)} ."


def applied_line(content: str) -> str:
    return file(".fleet/applied.json", content)


def lock_line(content: str) -> str:
    return file(".fleet/lock/owner", content)


def test_state_tells_what_was_applied_written_and_accepted() -> None:
    seen = read(asked(), applied_line(json.dumps(APPLIED, indent=1)), file(".fleet/fragments", "redis\nweb\n"), file(ACL, ACL_TEXT))
    assert seen == SeenState(
        applied=Applied(inputs=H1, services={"redis": APPLIED["services"]["redis"]}),  # type: ignore[index]
        fragments=("redis", "web"),
        texts={ACL: ACL_TEXT},
    )


def test_state_tells_what_compose_said_of_the_project() -> None:
    project = {"definitions": {"redis": "r1", "db": "d1"}, "needs": {"redis": [], "db": ["redis"]}, "starter": "compose"}
    text = json.dumps({**APPLIED, "compose": "2.26.1", "project": project})
    told = read(asked(), applied_line(text)).applied
    assert told.compose == "2.26.1"
    assert told.project == SeenProject({"redis": "r1", "db": "d1"}, {"redis": (), "db": ("redis",)}, "compose")
    assert json.loads(json.dumps(told.project.to_json())) == project
    assert read(asked(), applied_line(json.dumps({**APPLIED, "project": None}))).applied.project is None


@pytest.mark.parametrize("project", ["text", ["a"], {"definitions": {}}, {"definitions": 7, "needs": {}, "starter": "docker"}])
def test_an_answer_of_compose_that_was_edited_is_as_good_as_none(project: object) -> None:
    assert read(asked(), applied_line(json.dumps({**APPLIED, "project": project}))).applied == Applied()


def test_a_host_without_a_past_has_an_empty_state() -> None:
    assert read(asked()) == SeenState(applied=Applied(), fragments=(), texts={}, lock=None)


OWNER = Owner("20261124T150102Z-3f9a", "ann", "laptop", "4711:99", "2026-11-24T15:01:02Z")


def test_state_tells_who_holds_the_lock() -> None:
    line = lock_line(json.dumps(OWNER.to_json(), indent=1))
    assert read(asked(), line, file(".fleet/fragments", "redis\n")) == SeenState(Applied(), ("redis",), OWNER)


@pytest.mark.parametrize("text", ["", "{}", "null", json.dumps(OWNER.to_json())[:40]])
def test_a_lock_that_names_nobody_is_held_by_nobody(text: str) -> None:
    assert read(asked(), lock_line(text)).lock is None


def test_state_is_shown_with_its_owner() -> None:
    shown = json.dumps(read(asked(), lock_line(json.dumps(OWNER.to_json()))).to_json(), default=lambda part: part.to_json())
    assert json.loads(shown)["lock"] == OWNER.to_json()


@pytest.mark.parametrize(
    "line", ["more x", "more x .", ".fleet/lock/owner eA==", ".fleet/lock/owner eA== x", ".fleet/lock/owner * .", "[7]"]
)
def test_a_line_of_no_known_kind_is_unknown(line: str) -> None:
    assert read(asked(), line) is UNKNOWN


@pytest.mark.parametrize("name", ["../etc", "a/b", "-x", "a\tb", "\x1b[2J", "ü"])
def test_a_fragment_that_is_no_services_is_not_ours(name: str) -> None:
    found = read(asked(), file(".fleet/fragments", f"redis\n{name}\n")).fragments
    assert found == ("redis",)


@pytest.mark.parametrize(
    "written", ["[" * 100_000, '{"inputs":' * 50_000, "9" * 5000, "\0", "\ud800".encode(errors="replace").decode()]
)
def test_a_file_that_breaks_readers_is_as_good_as_none(written: str) -> None:
    assert read(asked(), applied_line(written)) == SeenState(Applied(), ())


def test_what_somebody_else_left_is_told() -> None:
    told = json.dumps({"projects": ["one", "t\two"], "files": ""})
    seen = read(asked(), "usual compose.yaml", "entry data/redis " + encoded("a b\n"), told)
    assert (seen.started_with, seen.entries, seen.projects) == (("compose.yaml",), {"data/redis": "a b\n"}, ("one", "t\two"))


@pytest.mark.parametrize(
    ("dotenv", "files"),
    [
        ("COMPOSE_FILE=a.yml:b/c.yml", ("a.yml", "b/c.yml")),
        ("COMPOSE_FILE='a.yml:b.yml'", ("a.yml", "b.yml")),
        ('export COMPOSE_FILE="./a.yml:./b.yml"  # ours', ("a.yml", "b.yml")),
        ("COMPOSE_FILE=a.yml;b.yml\r\nCOMPOSE_PATH_SEPARATOR=;\r\n", ("a.yml", "b.yml")),
        ("\ufeffCOMPOSE_FILE = a.yml", ("a.yml",)),
        ("COMPOSE_FILE: a.yml", ("a.yml",)),
        ("COMPOSE_FILE=/opt/erni-ki/a.yml:a.yml:", ("a.yml",)),
        ("COMPOSE_FILE=../b.yml", ("../b.yml",)),
        ("COMPOSE_FILE=a.yml:compose.d/redis.yml:compose.d/.overlay.yml", ("a.yml",)),
        ("COMPOSE_FILE=", ("compose.yml", "compose.override.yml")),
        ("", ("compose.yml", "compose.override.yml")),
    ],
)
def test_a_project_runs_with_the_files_that_dotenv_names_or_compose_finds(dotenv: str, files: tuple[str, ...]) -> None:
    usual = [f"usual {name}" for name in ("docker-compose.yml", "compose.yml", "compose.override.yml")]
    assert read(asked(), *usual, *([f"dotenv {encoded(dotenv)}"] if dotenv else [])).started_with == files


def test_a_project_that_was_started_with_others_runs_with_those() -> None:
    told = {"projects": [], "files": "/opt/erni-ki/compose/a.yml,/opt/erni-ki/compose.d/redis.yml,/srv/b.yml"}
    assert read(asked(), "usual compose.yml", json.dumps(told)).started_with == ("compose/a.yml", "../../srv/b.yml")


def test_what_an_earlier_run_noted_counts_where_dotenv_is_gone() -> None:
    own = {"files": {"compose/a.yml": "x", "b.yml": "y"}, "services": {}}
    applied = json.dumps({"inputs": "", "services": {}, "own": own})
    assert read(asked(), "usual compose.yml", applied_line(applied)).started_with == ("compose/a.yml", "b.yml")


@pytest.mark.parametrize("length", range(0, len(json.dumps(APPLIED)), 7))
def test_a_truncated_applied_json_is_as_good_as_none(length: int) -> None:
    text = json.dumps(APPLIED)[:length]
    assert read(asked(), applied_line(text), file(".fleet/fragments", "redis\n")) == SeenState(Applied(), ("redis",))


@pytest.mark.parametrize(
    "text",
    [
        "[]", "7", "null", "text", '{"inputs": "x"}', '{"services": {}}', '{"inputs": "x", "services": []}',
        '{"inputs": "x", "services": {"redis": "text"}}', '{"inputs": "x", "services": {"redis": null}}',
    ],
)  # fmt: skip
def test_an_applied_json_that_was_edited_is_as_good_as_none(text: str) -> None:
    assert read(asked(), applied_line(text)).applied == Applied()


# Containers


CONTAINER = {
    "id": "c1", "service": "redis", "state": "running", "status": "Up 2 hours (healthy)", "hash": "hash", "created": 1764020000,
    "image": "redis:latest", "addresses": ["172.18.0.7"], "ports": ["127.0.0.1:6379"],
    "mounts": {"/data": "/opt/erni-ki/data/redis", "/a\n\"b": "/x>;y"},
}  # fmt: skip


def test_containers_tell_what_the_plan_asks_for() -> None:
    assert read(Containers(), "28.2.2", json.dumps([CONTAINER])) == (
        SeenContainer(
            id="c1",
            service="redis",
            state="running",
            health="healthy",
            config_hash="hash",
            addresses=("172.18.0.7",),
            mounts={"/data": "/opt/erni-ki/data/redis", '/a\n"b': "/x>;y"},
            created=1_764_020_000,
            image="redis:latest",
            ports=("127.0.0.1:6379",),
        ),
    )


def test_no_container_is_an_answer() -> None:
    assert read(Containers(), "28.2.2", "[]") == ()


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
