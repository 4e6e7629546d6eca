"""The last moment of a move between two servers: writes wait, all has arrived, and both hold as much, or all is as before.

That real servers follow each other is shown in the lab.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from operations import scripts
from operations.scripts import Script
from tests.unit.redis_server import NOAUTH, RedisServer, resp, running
from tests.unit.stubs import StubHost

BODY = """
redis_auth default old && old_login=$login && redis_auth default new && new_login=$login
unmoved="It runs as before." seconds=2 login='' address=''
fail() {{ echo "$*" >&2; exit 1; }}
old_at={old}:6379 new_at={new}:6379
CATCHING_UP=300
stand_still || {{ echo "later"; exit 0; }}
promote && echo "$held" | keys_in
"""
FIRST = "master_repl_offset:1000\r\ndb0:keys=7,expires=2,avg_ttl=5\r\ndb3:keys=1,expires=0,avg_ttl=0"
SECOND = "slave_repl_offset:1000\r\ndb0:keys=7,expires=2,avg_ttl=0,subexpiry=0\r\ndb3:keys=1,expires=0,avg_ttl=0"


@pytest.fixture
def old() -> Iterator[RedisServer]:
    yield from a_server("old", {"INFO": FIRST})


@pytest.fixture
def new() -> Iterator[RedisServer]:
    yield from a_server("new", {"INFO": SECOND})


def a_server(password: str, says: dict[str, str]) -> Iterator[RedisServer]:
    server = RedisServer(password)
    server.says = {"CLIENT": "+OK", "REPLICAOF": "+OK", "CONFIG SET": "+OK", **{name: resp(text) for name, text in says.items()}}
    with ExitStack() as stack:
        yield stack.enter_context(running(server))


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def changed_over(host: StubHost, old: RedisServer, new: RedisServer) -> subprocess.CompletedProcess[str]:
    replication = Script("services/redis/replication")
    return host.command(scripts.send([replication], f"(\n{replication.text()}{BODY.format(old=old.address, new=new.address)})\n"))


def test_the_new_one_takes_over_when_nothing_is_missing(host: StubHost, old: RedisServer, new: RedisServer) -> None:
    done = changed_over(host, old, new)
    assert (done.stdout, done.stderr) == ("8\n", "")
    assert ["CLIENT", "PAUSE", "10000", "WRITE"] in old.commands
    assert ["REPLICAOF", "NO", "ONE"] in new.commands
    assert ["CONFIG", "SET", "masterauth", '""'] in new.commands
    assert ["REPLICAOF", "NO", "ONE"] not in old.commands


@pytest.mark.parametrize(
    "holds", [SECOND.replace("keys=7", "keys=6"), SECOND.replace("expires=2", "expires=1"), "slave_repl_offset:1000"]
)
def test_fewer_keys_are_no_success(host: StubHost, old: RedisServer, new: RedisServer, holds: str) -> None:
    new.says["INFO"] = resp(holds)
    done = changed_over(host, old, new)
    assert done.returncode == 1
    assert "keys, the old one 8" in done.stderr
    assert "REPLICAOF" not in str(new.commands)


def test_writes_go_on_where_the_last_ones_do_not_arrive(host: StubHost, old: RedisServer, new: RedisServer) -> None:
    new.says["INFO"] = resp(SECOND.replace("1000", "999"))
    assert changed_over(host, old, new).stdout == "later\n"
    assert ["CLIENT", "UNPAUSE"] in old.commands
    assert "REPLICAOF" not in str(new.commands)


def test_one_that_says_nothing_holds_nothing(host: StubHost, old: RedisServer, new: RedisServer) -> None:
    new.says["INFO"] = NOAUTH
    assert changed_over(host, old, new).stdout == "later\n"


def test_a_redis_that_cannot_be_paused_is_left_alone(host: StubHost, old: RedisServer, new: RedisServer) -> None:
    old.says["CLIENT"] = "-ERR unknown command"
    done = changed_over(host, old, new)
    assert done.returncode == 1
    assert "does not let its writes be paused: -ERR unknown command" in done.stderr
    assert "REPLICAOF" not in str(new.commands)
