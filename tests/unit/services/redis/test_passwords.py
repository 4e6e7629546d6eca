"""What is tried on a redis that refuses its own password: what the host's files call a password of it, and no other word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.facts.base import Question
from operations.services.redis.facts import TriedRedis
from operations.stack.snapshot import UNKNOWN
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.redis_server import RedisServer, running
from tests.unit.stubs import StubHost


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def offered(host: StubHost) -> set[str]:
    """What a redis is offered that takes none of it."""
    fact = TriedRedis()
    with running(RedisServer("none-that-is-here"), host) as server:
        question = fact.command(str(host.root), "erni-ki")
        assert isinstance(question, Question)
        assert fact.process(host.command(question).stdout.splitlines()) is not UNKNOWN
    return {words[-1] for words in server.commands if words[0] == "AUTH"} - {""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("command: redis-server --requirepass s3cret --port 7", {"s3cret"}),
        ("command: [redis-server, --requirepass, 's3cret']", {"s3cret"}),
        ("command:\n  - --requirepass\n  - s3cret", {"s3cret"}),
        ("REDIS_PASSWORD: s3cret", {"s3cret"}),
        ("- REDIS_PASS=s3cret", {"s3cret"}),
        ("REDIS2_PASSWORD: s3cret", {"s3cret"}),
        ("REDIS_PASSWORD: 'pa$$word'", {"pa$$word", "pa$word"}),
        ("REDIS_PASSWORD: $$ecret", {"$$ecret", "$ecret"}),
        ("REDIS_URL: redis://:s%2Bcret@redis:6379", {"s%2Bcret", "s+cret"}),
        ("test: redis-cli -a s3cret ping", {"s3cret"}),
        ('test: ["CMD", "redis-cli", "--no-auth-warning", "-a", "s3cret", "ping"]', {"s3cret"}),
        ("REDIS_PASSWORD: ${REDIS_PASSWORD:-s3cret}", {"s3cret"}),
        ("REDIS_URL: redis://:${PW-s3cret}@redis:6379", {"s3cret"}),
        # what is no secret
        ("REDIS_PASSWORD: null", set()),
        ("REDIS_PASSWORD: ~", set()),
        ("REDIS_PASSWORD:", set()),
        ("redis_password: {file: ./x}", set()),
        ("REDIS_PASSWORD_FILE: /run/secrets/redis", set()),
        ("REDIS_PASSWORD: ${REDIS_PASSWORD:?}", set()),
        ("REDIS_PASSWORD: $REDIS_PASSWORD", set()),
        ('test: redis-cli -a "$$REDIS_PASSWORD" ping', set()),
        ("test: redis-cli -a $$(cat /run/secrets/redis) ping", set()),
        ("test: redis-cli ping | grep -a PONG", set()),
        ("test: sh -c 'redis-cli ping >/dev/null || { echo no >&2; exit 1; }'", set()),
        ("POSTGRES_PASSWORD: s3cret", set()),
        ("# REDIS_PASSWORD: s3cret", set()),
    ],
)
def test_what_a_compose_file_calls_a_password_of_redis_is_tried(host: StubHost, text: str, found: set[str]) -> None:
    host.write("compose.yml", f"{text}\n")
    assert offered(host) == found


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("redis/redis.conf", "requirepass s3cret\nuser app on >other ~* +@all\n", {"s3cret", "other"}),
        ("redis/users.acl", "user default on >s3cret >other ~* +@all\n", {"s3cret", "other"}),
        ("env/app.env", 'REDIS_PASSWORD="s3cret"\nPASSWORD=mine\nA=b >c\n', {"s3cret"}),
        ("secrets/redis_password.txt", "s3cret\nnot this\n", {"s3cret"}),
        ("secrets/postgres_password.txt", "s3cret\n", set()),
        ("data/dump.env", "REDIS_PASSWORD=s3cret\n", set()),
        ("backups/x/env/app.env", "REDIS_PASSWORD=s3cret\n", set()),
    ],
)
def test_so_it_is_with_other_files(host: StubHost, path: str, text: str, found: set[str]) -> None:
    host.write(path, text)
    assert offered(host) == found


def test_what_docker_says_of_its_container_is_looked_through(host: StubHost) -> None:
    words = ["redis-server", "--user", "default", "on", ">s3cret", "--port", "7"]
    with running(RedisServer("none-that-is-here"), host) as server:
        docker_answers(host, a_container("redis", networks={"default": server.address}))
        (host.home / "id-of-redis.json").write_text(json.dumps({"Args": words}))
        fact = TriedRedis()
        fact.process(host.command(fact.command(str(host.root), "erni-ki")).stdout.splitlines())
    assert {words[-1] for words in server.commands if words[0] == "AUTH"} - {""} == {"s3cret"}
