"""A redis of the project's own, with its password in the file of a Compose secret: who is told of a new one, and how."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.seen import SeenRedis
from operations.stack.credential import CredentialPlan, Login
from operations.stack.plan import Plan, plan
from operations.stack.snapshot import SeenContainer, SeenFile, Snapshot
from operations.stack.stack import OVERLAY
from tests.unit.stack.hosts import OLD_PASSWORD, PASSWORD, a_stack, converged, redis_of, sha256, with_answer
from tests.unit.stack.plans import of_redis

FILE = "secrets/redis_password.txt"
STACK = a_stack(services=(), redis_password_file=FILE, redis_user="admin")
LOGIN = redis_of(STACK)
OLD, NEW, OTHER = sha256(OLD_PASSWORD), sha256(PASSWORD), sha256("somebody else's")
WRITTEN = 1_000


def a_host(content: str, users: dict[str, tuple[str, ...]], created: int = WRITTEN + 1, **redis: Any) -> Snapshot:
    """One whose file was written at WRITTEN and has this content; its readers are n8n and openwebui."""
    here = converged(STACK)
    mounts = {"/run/secrets/redis_password": f"/opt/erni-ki/{FILE}"}
    containers = tuple(
        SeenContainer(name, name, "running", "", "hash", (), mounts if name != "db" else {}, created)
        for name in ("redis", "openwebui", "n8n", "db")
    )
    files = {**here.files, FILE: SeenFile("file", "0600", "0:0", sha256(content), WRITTEN)}  # type: ignore[dict-item]
    answers = {"anonymous": "NOAUTH", "login": "PONG", "users": users, **redis}
    seen = replace(here, files=files, containers=containers, answers={"redis": SeenRedis(**answers)})
    assert OVERLAY in files
    return seen


ROLLED = a_host(PASSWORD, {"admin": (NEW,), "default": (NEW,), "worker": (OTHER,)})
BEFORE = a_host(OLD_PASSWORD, {"admin": (OLD,), "default": (OLD,), "worker": (OTHER,)})


def all_due(seen: Snapshot) -> Plan:
    found = plan(STACK, seen)
    assert found.problems == ()
    return found


def due(seen: Snapshot) -> CredentialPlan:
    return of_redis(all_due(seen))


def test_nothing_is_due_where_everybody_has_the_wanted_password() -> None:
    assert not all_due(ROLLED).due


def test_readers_are_told_by_their_mounts_and_redis_is_none() -> None:
    assert LOGIN.readers(STACK, BEFORE) == ("n8n", "openwebui")


def test_everybody_is_told_of_a_new_password_and_redis_goes_on() -> None:
    found = due(BEFORE)
    assert [change.path for change in found.files] == [FILE]
    assert (found.readers, found.retire, found.restarts) == (("n8n", "openwebui"), True, False)
    assert set(found.accept) == {Login("admin", NEW), Login("default", NEW)}


def test_the_file_has_no_line_break() -> None:
    (file,) = STACK.secret_files()
    assert (file.path, file.content, file.mode) == (FILE, PASSWORD, "keep0600")


@pytest.mark.parametrize("users", [{"admin": (OLD, NEW), "default": (OLD, NEW)}, {"admin": (NEW,), "default": (NEW, OLD)}])
def test_a_run_that_was_killed_is_ended(users: dict[str, tuple[str, ...]]) -> None:
    found = due(a_host(PASSWORD, users, created=WRITTEN - 1))
    assert (found.files, found.accept, found.readers, found.retire) == ((), (), ("n8n", "openwebui"), True)


def test_another_password_of_a_user_that_does_not_share_it_stays() -> None:
    seen = a_host(PASSWORD, {"admin": (NEW, OLD), "worker": (OTHER,)})
    assert due(seen).refuse == (Login("admin", OLD),)


def test_a_redis_that_lets_nobody_change_what_it_accepts_is_restarted() -> None:
    seen = a_host(OLD_PASSWORD, {}, denied="NOPERM")
    found = due(seen)
    assert (found.restarts, found.accept, found.retire, found.readers) == (True, (), False, ("n8n", "openwebui"))
    assert any("its server is restarted" in sentence for sentence in all_due(seen).sentences())


def test_it_is_restarted_once() -> None:
    assert not all_due(a_host(PASSWORD, {}, denied="NOPERM")).due


def test_a_restart_that_did_not_come_is_made_up_for() -> None:
    seen = a_host(PASSWORD, {}, login="WRONGPASS", nowhere=True)
    assert due(seen).restarts


def test_a_variable_that_overrides_the_secret_stops_the_run() -> None:
    (problem,) = plan(STACK, with_answer("redis.overrides", (("n8n", "REDIS_PASSWORD"),))(BEFORE)).problems
    assert "n8n has REDIS_PASSWORD" in problem
