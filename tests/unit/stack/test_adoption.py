"""A host on which the stack ran before: what stops a run, and what a plan tells of what will become of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.seen import SeenClient, SeenRedis
from operations.stack.adoption import problems, sentences, unmanaged
from operations.stack.env_file import line
from operations.stack.plan import plan
from operations.stack.snapshot import MISSING, UNKNOWN, SeenContainer, Snapshot
from operations.stack.stack import Stack
from tests.unit.stack.hosts import OLD_PASSWORD, a_stack, converged, sha256

STACK = a_stack()
INSIDE = "/var/lib/redis-stack"


def a_container(service: str, address: str = "172.18.0.9", **fields: Any) -> SeenContainer:
    wanted = {"state": "running", "health": "", "config_hash": "theirs", "mounts": {}, "created": 1, **fields}
    return SeenContainer(id=f"{service} of somebody else", service=service, addresses=(address,), **wanted)


def a_redis(**fields: Any) -> SeenRedis:
    wanted: dict[str, Any] = {
        "anonymous": "NOAUTH Authentication required.", "login": "WRONGPASS", "directory": INSIDE,
        "hashes": (sha256(OLD_PASSWORD),), "users": {"default": (sha256(OLD_PASSWORD),)}, "former": "compose.yml",
    }  # fmt: skip
    return SeenRedis(**{**wanted, **fields})


def by_hand(stack: Stack = STACK, **fields: Any) -> Snapshot:
    """A host with a compose.yml and a redis of somebody else."""
    bare = converged(stack)
    files = {path: file if path == "compose.yml" else MISSING for path, file in bare.files.items()}  # type: ignore[union-attr]
    redis = a_container("redis", "172.18.0.2", image="redis/redis-stack:latest", mounts={"/data": "/opt/erni-ki/data/redis"})
    wanted = {"files": files, "env": {}, "acl": (), "fragments": (), "containers": (redis,), "redis": a_redis()}
    return replace(bare, **{**wanted, **fields})


def told(stack: Stack = STACK, **fields: Any) -> str:
    return "\n".join(problems(stack, by_hand(stack, **fields)))


def test_a_stack_whose_password_was_found_may_be_taken_over() -> None:
    assert told() == ""


def test_nothing_is_said_of_a_host_that_is_as_wanted() -> None:
    assert list(problems(STACK, converged(STACK))) == []
    assert list(sentences(STACK, converged(STACK))) == []


def test_both_passwords_are_accepted_from_the_first_moment_and_the_former_one_retired_at_the_end() -> None:
    due = plan(STACK, by_hand())
    assert due.accept == (STACK.password_hash, sha256(OLD_PASSWORD))
    assert due.retire


def test_a_plan_tells_where_the_password_was_found_and_where_the_data_goes() -> None:
    said = "\n".join(sentences(STACK, by_hand()))
    assert "found in compose.yml" in said
    assert f"{INSIDE} in its container to data/redis" in said


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


def test_a_password_that_was_not_found_stops_the_run_and_it_says_where_it_looked() -> None:
    said = told(redis=a_redis(nowhere=True, former="", hashes=(), users={}, directory=""))
    for place in ("compose.yml", "env/redis.env", "secrets", "REDIS_ARGS", "requirepass", "Docker"):
        assert place in said


def test_a_redis_that_does_not_run_must_be_started_first() -> None:
    assert "its container is exited" in told(redis=UNKNOWN, containers=(a_container("redis", state="exited"),))


def test_a_volume_with_other_data_stops_the_run() -> None:
    assert "holds dump.rdb" in told(volume="dump.rdb")
    assert told(volume="dump.rdb", redis=a_redis(directory="/data")) == ""


def test_users_beside_the_default_one_stop_the_run() -> None:
    assert "(app)" in told(redis=a_redis(users={"default": (), "app": ()}))


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


def test_an_image_that_starts_otherwise_than_it_is_taken_for_stops_the_run() -> None:
    official = a_container("redis", image="redis:7", mounts={"/data": "/opt/erni-ki/data/redis"})
    assert "Set redis_flavour" in told(a_stack(redis_image=None), containers=(official,))


# Clients that nobody manages


def with_a_client(stack: Stack, service: str = "n8n", **fields: Any) -> Snapshot:
    here = by_hand(stack)
    clients = (SeenClient("172.18.0.9", "default", 0),)
    return replace(here, containers=(*here.containers, a_container(service)), redis=a_redis(clients=clients, **fields))  # type: ignore[misc]  # they were observed


def test_a_client_that_nobody_manages_is_found_by_its_address() -> None:
    assert unmanaged(STACK, with_a_client(STACK)) == ("n8n",)
    assert unmanaged(STACK, with_a_client(STACK, "openwebui")) == ()
    managed = a_stack(clients={"n8n": {"env/n8n.env": {"PASSWORD": "{password}"}}})
    assert unmanaged(managed, with_a_client(STACK)) == ()


def test_it_stops_a_run_that_would_lock_it_out() -> None:
    (said,) = problems(STACK, with_a_client(STACK))
    assert "n8n is logged in" in said
    assert "clients" in said
    assert "when_unused" in said


def test_it_does_not_where_no_password_is_to_be_retired() -> None:
    assert list(problems(STACK, with_a_client(STACK, hashes=(STACK.password_hash,)))) == []


def test_the_former_password_stays_for_it_where_that_is_wanted() -> None:
    stack = a_stack(retire="when_unused")
    due = plan(stack, with_a_client(stack))
    assert (due.problems, due.retire, due.waiting) == ((), False, ("n8n",))
    assert plan(stack, by_hand(stack)).retire


def test_it_is_locked_out_where_that_is_wanted() -> None:
    stack = a_stack(retire="always")
    due = plan(stack, with_a_client(stack))
    assert (due.problems, due.retire) == ((), True)


def test_a_client_without_a_password_stops_a_run_that_would_want_one() -> None:
    said = list(problems(STACK, with_a_client(STACK, anonymous="PONG", login="ERR", hashes=(), former="")))
    assert any("without a password" in one for one in said)
