"""A host that cannot do its part of a rollout says so clearly, keeps serving, and is brought in line by the next run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, containers, wipe
from tests.fleet.passwords import ACL, accepted, accepts, digest, on_disk, redis, refused
from tests.lab import Host

SIZE = "4m"
# pages of memory that a rollout writes at the most: with that many free it succeeds
MOST = 24


@pytest.fixture
def small(shared: Fleet) -> Iterator[Fleet]:
    """The stack's folder is a small disk of its own on every host. Redis writes nothing there, so that it is ours alone."""
    for host in shared.hosts:
        wipe(host)
        host.run(f"mkdir {STACK} && mount -t tmpfs -o size={SIZE},mode=755 tmpfs {STACK}")
    shared.settings |= {"redis_appendonly": False, "disk_min_free": 0, "rollout_waves": ["100%"]}
    try:
        run = shared.deploy()
        assert run.ok, run.output
        yield shared
    finally:
        shared.settings.clear()
        for host in shared.hosts:
            wipe(host)


def fill(host: Host, pages: int) -> None:
    """So many pages of its disk are free, and no more."""
    host.run(
        f"""
        rm -f {STACK}/full
        free=$(df --block-size=4096 --output=avail {STACK} | tail -n 1)
        head -c $(((free - {pages}) * 4096)) /dev/zero >{STACK}/full
        [ $(df --block-size=4096 --output=avail {STACK} | tail -n 1) -eq {pages} ]
        """
    )


def problems_with(fleet: Fleet, pages: int) -> tuple[bool, list[str]]:
    """Whether a rollout succeeded with so many free pages, and what was wrong with how it ended."""
    host, found = fleet.hosts[0], []
    former, fleet.password = fleet.password, new()
    fill(host, pages)
    run = fleet.deploy()
    if not run.ok and "No space left on device" not in (run.host(host.name)["error"] or ""):
        found.append(f"it does not say what is wrong: {run.output[-3000:]}")
    if wrong := refused(host):
        found.append(f"refused: {wrong}")
    known = former if accepts(host, former) else fleet.password
    # redis is told first, for what it refuses must not be in its file: until the next run it may accept the new one in memory alone
    if accepted(host, known) - {digest(fleet.password)} != on_disk(host) - {digest(fleet.password)}:
        found.append("redis accepts other passwords than users.acl has, and not only the new one")
    host.run(f"rm {STACK}/full")
    again = fleet.deploy()
    if not again.ok or accepted(host, fleet.password) != {digest(fleet.password)} or refused(host):
        found.append(f"the next run did not end it: {again.output[-3000:]}")
    if left := host.run(f"find {STACK} -name '.fleet-new.*' -o -path '*/.fleet/lock*'"):
        found.append(f"left: {left}")
    return run.ok, [f"{pages} free pages: {problem}" for problem in found]


def test_a_full_disk_at_every_write(small: Fleet) -> None:
    hosts = small.hosts

    def every(number: int) -> tuple[int, list[str]]:
        fleet = Fleet(small.folder / hosts[number].name, [hosts[number]], small.password, dict(small.settings))
        fleet.folder.mkdir()
        failed, found = 0, []
        for pages in range(number, MOST, len(hosts)):
            succeeded, wrong = problems_with(fleet, pages)
            found += wrong
            if succeeded:
                break
            failed += 1
        else:
            found.append(f"it does not even succeed with {pages} free pages")
        return failed, found

    with ThreadPoolExecutor(len(hosts)) as pool:
        results = list(pool.map(every, range(len(hosts))))
    assert [problem for _, found in results for problem in found] == []
    # lock, backup, ACL, env files, what was applied, history
    assert sum(failed for failed, _ in results) >= 6


@pytest.fixture
def frozen(running: Fleet) -> Iterator[Fleet]:
    """The stack's folder of the first host can be made read-only with `freeze`."""
    yield running.at(running.hosts[0])
    running.hosts[0].run(f"umount {STACK}", check=False)


# refused while a script has a file open for writing, as the mutex is
FREEZE = (
    f"mount --bind {STACK} {STACK} && "
    f"for n in $(seq 2000); do mount -o remount,bind,ro {STACK} 2>/dev/null && break; sleep 0.003; done"
)


def test_a_read_only_folder(frozen: Fleet) -> None:
    host = frozen.hosts[0]
    former, frozen.password = frozen.password, new()
    before = containers(host)
    host.run(FREEZE)
    run = frozen.deploy()
    assert not run.ok
    assert "Read-only file system" in run.host(host.name)["error"]
    assert containers(host) == before
    assert accepts(host, former)
    assert refused(host) == []
    # where nothing is to be changed it does not matter
    frozen.password = former
    assert frozen.deploy().ok
    frozen.password = new()
    host.run(f"umount {STACK}")
    run = frozen.deploy()
    assert run.ok, run.output
    assert accepted(host, frozen.password) == {digest(frozen.password)}


def test_a_folder_that_becomes_read_only(frozen: Fleet) -> None:
    """In the middle of a rollout, when redis accepts both passwords."""
    host = frozen.hosts[0]
    former, frozen.password = frozen.password, new()
    host.run("touch /run/before")
    freeze = f"until [ {ACL} -nt /run/before ]; do [ $SECONDS -lt 120 ] && sleep 0.003 || exit 1; done; {FREEZE}"
    with ThreadPoolExecutor() as pool:
        frozen_now = pool.submit(host.run, 'exec bash -c "$(cat)"', stdin=freeze)
        run = frozen.deploy()
        frozen_now.result()
    assert not run.ok
    assert accepts(host, former)
    assert refused(host) == []
    assert "Read-only file system" in run.host(host.name)["error"]
    host.run(f"umount {STACK}")
    run = frozen.deploy()
    assert run.ok, run.output
    assert accepted(host, frozen.password) == {digest(frozen.password)}
    assert not accepts(host, former)


@pytest.mark.parametrize("changed", [False, True], ids=["as it is", "with a new password"])
def test_a_redis_that_does_not_let_its_acl_be_changed(running: Fleet, changed: bool) -> None:
    host = running.hosts[0]
    fleet = running.at(host)
    former = fleet.password
    host.run(f"sed -i 's/+@all/+@all -@dangerous/' {ACL}")
    assert redis(host, former, "ACL", "LOAD") == "OK"
    assert redis(host, former, "ACL", "LOAD").startswith("NOPERM")
    if changed:
        fleet.password = new()
    before = containers(host)["redis"]
    preview = fleet.preview()
    assert (
        "redis: its server is restarted, which takes some seconds: it does not let what it accepts be changed (NOPERM"
        in preview.output
    )
    assert containers(host)["redis"] == before

    run = fleet.deploy()

    assert run.ok, run.output
    told = [
        line
        for line in run.changes(host.name)
        if line.startswith("restarted redis, which does not let its ACL be changed: away for ")
    ]
    assert told
    assert all(re.search(r"away for \d+ ms$", line) for line in told)
    assert told[0] in run.output
    assert "-@dangerous" not in host.run(f"cat {ACL}")
    assert accepted(host, fleet.password) == on_disk(host) == {digest(fleet.password)}
    assert refused(host) == []
    assert accepts(host, former) is not changed
    again = fleet.deploy()
    assert (again.ok, again.host(host.name)["status"]) == (True, "ok")
