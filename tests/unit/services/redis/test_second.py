"""A second redis, of an operator's own catalogue file: its own login, files and plan, beside those of the first."""

from __future__ import annotations

from typing import Any

import pytest

from operations.controller.observe import questions
from operations.services.redis.facts import Redis
from operations.stack.build import build
from operations.stack.changes import Change
from operations.stack.credential import CredentialPlan
from operations.stack.plan import Plan, plan
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.catalogues import Put, env_of
from tests.unit.stack.hosts import (
    OLD_PASSWORD,
    PASSWORD,
    bare,
    converged,
    redis_of,
    sha256,
    shared,
    shared_acl,
    unseen,
    without_container,
)
from tests.unit.stack.plans import missing

CACHE_PASSWORD = "the-Password_of-the-cache-1"
CACHE = """\
x-fleet:
  provides:
    cache: {kind: redis-acl, secret: cache_password, port: 6380}
  settings: {cache_image: "redis:8", cache_flavour: null, cache_publish: null, cache_host: null}
  variables: {CACHE_IMAGE: "{cache_image}"}
services:
  cache:
    image: ${CACHE_IMAGE}
    volumes: ["${STACK_ROOT}/data/cache:/data", "${STACK_ROOT}/secrets/cache:/run/redis-auth:ro"]
"""
CLIENTS = {"n8n": {"env/n8n.env": {"URL": "{cache.url}"}}, "both": {"env/both.env": {"A": "{redis.url}", "B": "{cache.password}"}}}


@pytest.fixture(autouse=True)
def cache(put: Put) -> None:
    put("cache", CACHE)


def a_stack(folder: str, cache: str = CACHE_PASSWORD, redis: str = PASSWORD, **data: Any) -> Stack:
    given = {"services": ["watchtower", "redis", "cache"], "catalog_dirs": [folder], "clients": CLIENTS, **data}
    return build(given, {"redis_password": redis, "cache_password": cache})


def test_each_has_a_login_of_its_own(folder: str) -> None:
    stack = a_stack(folder)
    assert {one.name: (one.server, one.value) for one in stack.credentials} == {
        "redis": ("redis", PASSWORD),
        "cache": ("cache", CACHE_PASSWORD),
    }
    assert env_of(stack, "n8n") == {"URL": f"redis://:{CACHE_PASSWORD}@cache:6380/0"}
    assert env_of(stack, "both") == {"A": f"redis://:{PASSWORD}@redis:6379/0", "B": CACHE_PASSWORD}


def test_each_knows_its_clients(folder: str) -> None:
    stack = a_stack(folder)
    assert stack.clients("cache") == ("n8n", "both")
    assert stack.clients("redis") == ("redis", "both")


def test_each_has_files_of_its_own(folder: str) -> None:
    stack = a_stack(folder)
    assert {file.path: file.content for file in stack.secret_files()} == {
        "secrets/redis/users.acl": shared_acl(sha256(PASSWORD)),
        "secrets/redis/password": f"{PASSWORD}\n",
        "secrets/cache/users.acl": shared_acl(sha256(CACHE_PASSWORD)),
        "secrets/cache/password": f"{CACHE_PASSWORD}\n",
    }
    assert redis_of(stack, "cache").data == "data/cache"


def test_each_is_asked_with_its_own_password(folder: str) -> None:
    asked = questions(a_stack(folder))
    for name in ("redis", "cache"):
        fact, arguments = asked[name]
        assert fact is Redis
        assert (arguments["server"], arguments["password_file"]) == (name, f"secrets/{name}/password")


def test_nothing_is_due_where_both_are_as_desired(folder: str) -> None:
    stack = a_stack(folder)
    due = plan(stack, converged(stack))
    assert not due.due
    assert {one.name for one in due.credentials} == {"redis", "cache"}
    assert all(check.verdict.good for check in checks(stack, converged(stack)))


def test_a_new_password_of_one_is_rolled_out_to_its_clients_alone(folder: str) -> None:
    stack, before = a_stack(folder), converged(a_stack(folder, cache=OLD_PASSWORD))
    due = plan(stack, before)
    assert due.accept == due.retire == (CredentialPlan("cache", shared(sha256(CACHE_PASSWORD), sha256(OLD_PASSWORD)), True,
        files=due.secrets),)  # fmt: skip
    assert [change.path for change in due.secrets] == ["secrets/cache/password"]
    assert [change.path for change in due.env] == ["env/n8n.env", "env/both.env"]
    assert [service for service, _ in due.start] == ["n8n", "both"]
    assert next(due.sentences()) == "cache: accept, switch n8n and both, retire"


def test_on_a_bare_host_all_four_files_are_written(folder: str) -> None:
    stack = a_stack(folder)
    paths = ("redis/users.acl", "redis/password", "cache/users.acl", "cache/password")
    folders = {Change(f"data/{name}", ("is missing",), content=False) for name in ("redis", "cache")}
    assert set(plan(stack, bare(stack)).secrets) == {missing(f"secrets/{path}") for path in paths} | folders


def test_one_that_does_not_answer_is_told_by_its_name(folder: str) -> None:
    stack = a_stack(folder)
    assert plan(stack, unseen("cache")(converged(stack))) == Plan(
        problems=("cache: could not be observed. Nothing is changed on a host that cannot be seen; run again with -vv.",)
    )
    down = without_container("cache")(converged(stack))
    assert dict(plan(stack, down).start) == {"cache": "it has no container"}


def test_the_checks_of_each_can_be_told_apart(folder: str) -> None:
    stack = a_stack(folder)
    names = [check.id for check in checks(stack, converged(stack))]
    assert len(set(names)) == len(names)


def test_the_commands_of_each_are_about_its_own_server(folder: str) -> None:
    stack = a_stack(folder)
    seen = converged(a_stack(folder, cache=OLD_PASSWORD))
    (due,) = plan(stack, seen).accept
    for command in (*redis_of(stack, "cache").accept(stack, seen, due), *redis_of(stack, "cache").retire(stack, seen)):
        said = command.get_raw_value() + str(command.connector_arguments.get("_stdin", ""))
        assert "secrets/redis" not in said
        assert CACHE_PASSWORD not in said


def test_the_files_of_each_are_its_own_images_users(folder: str) -> None:
    stack = a_stack(folder)
    assert {file.owner for file in redis_of(stack).files()} == {"0:0"}
    assert {file.owner for file in redis_of(stack, "cache").files()} == {"999:999"}
