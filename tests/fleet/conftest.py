"""Lab hosts for the tests, and an operator to work with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.fleet import Fleet, wipe
from tests.lab import Host, Lab

# names parted by commas: so that two people can work on one lab with hosts of their own
NAMES = os.environ.get("LAB_HOSTS", "erni-1,erni-2,erni-3").split(",")

# Modules whose tests wait for minutes: rollouts under load, interruptions, faults, installations. A run of CI has time for one of
# four parts.
PARTS = (
    ("test_rollout", "test_redis_users", "test_rollback", "test_rollout_faults", "test_lock", "test_one_redis"),
    ("test_rolling", "test_shards", "test_failures", "test_diagnosis"),
    ("test_engine", "test_killed", "test_two_operators"),
    ("test_postgres", "test_tls", "test_move", "test_cluster", "test_images", "test_hosts", "test_flavours"),
)
LONG = [module for part in PARTS for module in part]

# stacks of 27 services that are started by hand first: longer still, and run by themselves
ADOPT = {"test_adopt", "test_adopt_places", "test_adopt_shapes", "test_file_secrets"}

# those whose stacks the default one does not take over
OTHER_STACKS = {"test_cluster", "test_flavours", "test_move", "test_postgres", "test_redis_users", "test_tls"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if item.path.stem in LONG:
                item.add_marker(pytest.mark.long)
                number = next(number for number, part in enumerate(PARTS, 1) if item.path.stem in part)
                item.add_marker(f"part{number}")
            if item.path.stem in ADOPT:
                item.add_marker(pytest.mark.adopt)
                if "story" in getattr(item, "fixturenames", ()):
                    item.add_marker(pytest.mark.story)
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else -1)


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab, with at least the hosts that the tests use."""
    lab = Lab.here()
    known = {row["host"] for row in lab.status() if row["state"] == "running"}
    if not known.issuperset(NAMES):
        # whoever else works on it keeps theirs
        bare = sum(name.startswith("bare-") for name in known)
        highest = max(int(name.rpartition("-")[2]) for name in (*known, *NAMES) if name.startswith("erni-"))
        lab.up(hosts=highest, bare=bare)
    return lab


@pytest.fixture(scope="session")
def hosts(lab: Lab) -> list[Host]:
    """Three hosts with Docker; the second is reached as an ordinary user with sudo."""
    return [lab.host(name) for name in NAMES]


@pytest.fixture
def fleet(tmp_path: Path, hosts: list[Host]) -> Fleet:
    """An operator with all hosts, whatever is on them."""
    return Fleet(tmp_path, hosts)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, hosts: list[Host]) -> Fleet:
    """One operator for all tests of a module, on hosts that were empty at its beginning."""
    for host in hosts:
        wipe(host)
    return Fleet(tmp_path_factory.mktemp("fleet"), hosts)


@pytest.fixture
def running(shared: Fleet) -> Fleet:
    """All hosts are as wanted, with the operator's own settings."""
    shared.settings.clear()
    shared.host_settings.clear()
    shared.groups.clear()
    run = shared.deploy()
    assert run.ok, run.output
    return shared


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory, hosts: list[Host]) -> Fleet:
    """One operator for the tests of several modules, whose hosts need not be provisioned for each."""
    return Fleet(tmp_path_factory.mktemp("operator"), hosts)


_used: list[str] = []  # the tests that used the hosts, the last one at the end


def pytest_runtest_logfinish(nodeid: str) -> None:
    if nodeid.startswith("tests/fleet/"):
        _used.append(nodeid)


@pytest.fixture(scope="module", autouse=True)
def cleared(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the modules that bring stacks of other kinds to the hosts, nothing of those is left."""
    yield
    if request.path.stem in OTHER_STACKS:
        for host in request.getfixturevalue("hosts"):
            wipe(host)


@pytest.fixture
def converged(operator: Fleet) -> Fleet:
    """All hosts are as wanted, and a change comes to all of them at once.

    A deploy brings them there from whatever the test before left; where it cannot, that test is named.
    """
    operator.settings.clear()
    operator.settings.update(rollout_waves=["100%"], settle_timeout=60)  # the machine may be busy
    operator.host_settings.clear()
    operator.groups.clear()
    operator.strangers.clear()
    if not _used:  # nobody knows who was here before
        for host in operator.hosts:
            wipe(host)
    run = operator.deploy()
    assert run.ok, f"{_used[-1] if _used else 'Nobody'} left hosts that a deploy does not bring to their state:\n{run.output}"
    return operator
