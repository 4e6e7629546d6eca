"""One run at a time changes a host: who holds its lock is told, and a lock that means nothing any more is taken over."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, containers, files
from tests.fleet.passwords import accepted, digest
from tests.fleet.wait import until
from tests.lab import Host

LOCK = f"{STACK}/.fleet/lock"
OTHERS = "20200101T000000Z-abcd"


@pytest.fixture
def one(running: Fleet) -> Iterator[Fleet]:
    """An operator with one host, which is as wanted."""
    fleet = running.at(running.hosts[0])
    yield fleet
    fleet.hosts[0].run(f"rm -rf {LOCK}")
    running.password = fleet.password


def held(host: Host, age: timedelta = timedelta()) -> None:
    """A run on another machine took the lock, so long ago."""
    since = datetime.now(timezone.utc) - age
    owner = {
        "run": OTHERS,
        "operator": "mallory",
        "controller": "elsewhere",
        "process": "1:1",
        "since": f"{since:%Y-%m-%dT%H:%M:%SZ}",
    }
    host.run(f"mkdir {LOCK} && cat >{LOCK}/owner && touch --date=@{since.timestamp()} {LOCK}", stdin=json.dumps(owner))


def lock(host: Host) -> str:
    return host.run(f"stat --format '%i %Z' {LOCK} {LOCK}/owner && cat {LOCK}/owner", check=False)


def test_the_second_of_two_controllers_is_told_who_is_at_work(one: Fleet) -> None:
    host = one.hosts[0]
    one.password = new()
    with ThreadPoolExecutor() as pool:
        # the first one gets the lock and then waits for this script, as it would for one that a killed run left
        script = pool.submit(
            host.run, f"touch /run/wait && flock {STACK}/.fleet/mutex sh -c 'while [ -e /run/wait ]; do sleep 0.1; done'"
        )
        until(lambda: not host.succeeds(f"flock --nonblock {STACK}/.fleet/mutex true"))
        first = one.start()
        try:
            until(lambda: host.succeeds(f"[ -e {LOCK}/owner ]"))
            before = files(host), containers(host)
            second = one.deploy()
            assert (files(host), containers(host)) == before
        finally:
            host.run("rm /run/wait")
            script.result()
        said, _ = first.communicate(timeout=300)
    assert first.returncode == 0, said
    assert not second.ok
    error = second.host(host.name)["error"]
    assert f"by {getpass.getuser()} from {socket.gethostname()}, since {datetime.now(timezone.utc):%Y-%m-}" in error
    assert "break_lock=True" in error
    assert second.host(host.name)["status"] == "failed"
    assert accepted(host, one.password) == {digest(one.password)}


def test_a_lock_of_another_machine_is_respected(one: Fleet) -> None:
    host = one.hosts[0]
    held(host, age=timedelta(minutes=50))
    one.password = new()
    before = files(host), containers(host), lock(host)
    run = one.deploy()
    assert not run.ok
    assert f"is locked by run {OTHERS}, by mallory from elsewhere, since " in run.host(host.name)["error"]
    assert "3600 s (lock_ttl)" in run.host(host.name)["error"]
    assert (files(host), containers(host), lock(host)) == before


@pytest.mark.parametrize(
    ("age", "words"),
    [
        pytest.param(timedelta(minutes=61), (), id="stale"),
        pytest.param(timedelta(), ("--data", "break_lock=True"), id="broken"),
    ],
)
def test_a_lock_is_taken_over(one: Fleet, age: timedelta, words: tuple[str, ...]) -> None:
    host = one.hosts[0]
    held(host, age)
    one.password = new()
    run = one.deploy(*words)
    assert run.ok, run.output
    assert any(line.startswith(f"took over the lock of run {OTHERS}") for line in run.changes(host.name))
    assert f'"run":"{OTHERS}"' in host.run(f"grep interrupted {STACK}/.fleet/history.jsonl")
    assert lock(host) == ""
    assert accepted(host, one.password) == {digest(one.password)}


def test_a_converged_run_takes_no_lock(one: Fleet) -> None:
    host = one.hosts[0]
    before = host.run(f"stat --format %Z {STACK}/.fleet")
    run = one.deploy()
    assert (run.ok, run.host(host.name)["status"]) == (True, "ok")
    assert host.run(f"stat --format %Z {STACK}/.fleet") == before
    # so it does not matter who else is at work
    held(host)
    theirs = lock(host)
    run = one.deploy()
    assert (run.ok, run.host(host.name)["status"]) == (True, "ok")
    assert lock(host) == theirs
