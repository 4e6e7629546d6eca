"""How redis' image is started: it is asked by its container's own shell, and by Docker for the user that it runs as."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations.controller.host_plan import HostPlan
from operations.services.redis.acl import redis_command
from operations.services.redis.facts import Image
from operations.stack.adoption import problems
from operations.stack.snapshot import UNKNOWN, Snapshot, Unknown
from operations.stack.stack import Stack
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stack.hosts import ACL_PATH, a_stack, bare, converged, redis_of, with_answer, with_file, without_container
from tests.unit.stubs import StubHost

OWN = "registry.example/cache:1"
STACK = a_stack(redis_image=OWN)
REDIS_STACK = ("/entrypoint.sh",)
OFFICIAL = ("docker-entrypoint.sh", "redis-server")
VALKEY = ("docker-entrypoint.sh", "valkey-server")
BITNAMI = ("/opt/bitnami/scripts/redis/entrypoint.sh", "/opt/bitnami/scripts/redis/run.sh")


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


# In the container


def started(host: StubHost, *programs: str, stack: bool = False) -> str:
    """What is started of an image that has these programs, or why nothing is."""
    words = shlex.split(redis_command().replace("/opt/redis-stack", str(host.root)).replace("/usr/bin/dumb-init", "dumb-init"))
    for name in (*programs, "dumb-init"):
        host.stub(name, f'echo {name} "$@"')
    if stack:
        host.write("bin/redis-server", "#!/bin/sh\n", 0o755)
    host.only("sh")
    done = host.command(f"REDIS_ARGS='--save --appendonly yes'; export REDIS_ARGS; {shlex.join(words)}")
    return done.stdout.strip() or done.stderr.strip()


def test_redis_stack_is_started_by_its_entrypoint_in_a_shell_that_outlives_sigterm(host: StubHost) -> None:
    said = started(host, "docker-entrypoint.sh", "redis-server", stack=True)
    assert said == "dumb-init sh -c trap : TERM INT; . /entrypoint.sh"


@pytest.mark.parametrize(
    ("programs", "server"),
    [
        (("redis-server",), "redis-server"),
        (("valkey-server",), "valkey-server"),
        # Valkey's images have redis' names too, which would leave it root
        (("redis-server", "valkey-server"), "valkey-server"),
    ],
)
def test_an_official_image_becomes_its_own_user(host: StubHost, programs: tuple[str, ...], server: str) -> None:
    said = started(host, "docker-entrypoint.sh", *programs)
    assert said == f"docker-entrypoint.sh {server} --dir /data --save --appendonly yes"


@pytest.mark.parametrize("programs", [(), ("redis-server",), ("docker-entrypoint.sh",)])
def test_any_other_image_says_so_and_ends(host: StubHost, programs: tuple[str, ...]) -> None:
    assert started(host, *programs) == "This image starts as none of redis-stack, redis and valkey does."


# On the host


def asked(host: StubHost, status: int, answer: object = None, image: str = OWN) -> tuple[str, ...] | Unknown:
    """What the fact makes of Docker's answer."""
    docker_answers(host, a_container("redis"), a_container("web"))
    listed = (host.bin / "curl").read_text().split("\n", 1)[1]
    (host.home / "image.json").write_text(json.dumps(answer))
    host.stub("curl", f'case "$*" in *docker/images/*:*) cat "$HOME/image.json"; printf "\\n{status}"; exit ;; esac\n{listed}')
    fact = Image()
    return fact.process(host.command(fact.command("erni-ki", image)).stdout.splitlines())


def described(entrypoint: object, command: object) -> dict[str, Any]:
    return {"Id": "sha256:1", "Config": {"Entrypoint": entrypoint, "Cmd": command, "Env": ["PASSWORD=secret"]}}


@pytest.mark.parametrize(
    ("entrypoint", "command", "words"),
    [
        (None, ["/entrypoint.sh"], REDIS_STACK),
        (["docker-entrypoint.sh"], ["redis-server"], OFFICIAL),
        (["docker-entrypoint.sh"], None, ("docker-entrypoint.sh",)),
        (None, None, ()),
    ],
)
def test_docker_tells_the_words_that_an_image_is_started_with(
    host: StubHost, entrypoint: object, command: object, words: tuple[str, ...]
) -> None:
    assert asked(host, 200, described(entrypoint, command)) == words


def test_an_image_that_is_not_there_has_no_words(host: StubHost) -> None:
    assert asked(host, 404, {"message": "No such image"}) == ()


def test_the_projects_own_image_is_that_of_its_container(host: StubHost) -> None:
    assert asked(host, 200, described(None, ["/entrypoint.sh"]), image="") == REDIS_STACK
    assert host.calls("curl")[-1][-1] == "http://docker/images/redis:latest/json"


def test_an_engine_that_fails_is_no_answer(host: StubHost) -> None:
    assert asked(host, 500) is UNKNOWN
    host.stub("curl", "exit 7")
    fact = Image()
    assert fact.process(host.command(fact.command("erni-ki", OWN)).stdout.splitlines()) is UNKNOWN


def test_what_an_image_says_is_bounded(host: StubHost) -> None:
    found = asked(host, 200, described(["x" * 10_000] * 100, None))
    assert found is not UNKNOWN
    assert {len(word) for word in found} == {200}
    assert len(found) == 20


# What follows from it


def saying(words: tuple[str, ...] | Unknown, seen: Snapshot | None = None) -> Snapshot:
    return with_answer("redis.image", words)(seen or converged(STACK))


@pytest.mark.parametrize(
    ("words", "owner"),
    [
        (REDIS_STACK, "0:0"),
        (OFFICIAL, "999:999"),
        (VALKEY, "999:999"),
        (("/usr/local/bin/docker-entrypoint.sh", "redis-server", "/etc/redis.conf"), "999:999"),
    ],
)
def test_redis_files_belong_to_the_user_that_its_image_runs_as(words: tuple[str, ...], owner: str) -> None:
    planned = HostPlan(STACK, saying(words, bare(STACK)))
    assert not planned.plan.problems or "could not be observed" not in str(planned.plan.problems)
    redis = redis_of(planned.stack)
    assert {*(file.owner for file in redis.files()), *(folder.owner for folder in redis.folders())} == {owner}


def test_an_image_that_nobody_needs_to_ask_is_not_asked() -> None:
    for stack in (a_stack(), a_stack(redis_image="redis:8.2"), a_stack(redis_image=OWN, redis_flavour="stack")):
        assert "redis.image" not in redis_of(stack).asked(stack)
    assert "redis.image" in redis_of(STACK).asked(STACK)


def test_a_stack_whose_image_is_known_is_the_same_on_every_host() -> None:
    stack = a_stack()
    assert HostPlan(stack, converged(stack)).stack is stack


def said(seen: Snapshot, stack: Stack = STACK) -> str:
    return "\n".join(problems(stack, seen))


def test_an_image_that_starts_as_no_known_one_stops_the_run_with_its_words() -> None:
    told = said(saying(BITNAMI))
    assert told.startswith(f"redis_image: {OWN} starts with `{' '.join(BITNAMI)}`, as none of redis-stack, redis and valkey does.")
    assert "redis_flavour" in told


@pytest.mark.parametrize("words", [(), UNKNOWN])
def test_an_image_that_is_not_there_and_says_nothing_by_its_name_stops_a_first_run(words: tuple[str, ...] | Unknown) -> None:
    told = said(saying(words, bare(STACK)))
    assert f"`docker pull {OWN}`" in told
    assert "redis_flavour" in told


def test_where_docker_does_not_answer_the_files_keep_their_owner() -> None:
    down = with_file(ACL_PATH, owner="999:999")(saying(UNKNOWN))
    assert said(down) == ""
    assert {file.owner for file in redis_of(HostPlan(STACK, down).stack).files()} == {"999:999"}
    # a new image is another matter
    assert "docker pull" in said(saying(()))


def test_the_projects_own_image_is_asked_too() -> None:
    stack = a_stack(redis_image=None)
    seen = without_container("redis")(converged(stack))
    assert said(replace(seen, answers={**seen.answers, "redis.image": OFFICIAL}), stack) == ""
    assert "the project's own starts with `x`" in said(with_answer("redis.image", ("x",))(seen), stack)
