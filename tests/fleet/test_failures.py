"""What goes wrong on one host is told for that host, and the others finish; what was there stays whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, containers, files
from tests.lab import Host

OWN = "./.fleet/", "./backups/"
NOWHERE = "erni-nowhere"


# A bad day: one host without a dockerd that could start, one with a full disk, one that cannot be reached, one that is well


@dataclass(frozen=True)
class BadDay:
    run: Run
    well: Host
    full: Host
    engineless: Host
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def bad_day(operator: Fleet) -> BadDay:
    well, full, engineless = operator.hosts
    operator.settings.update(rollout_waves=["100%"], settle_timeout=60)
    assert operator.deploy().ok
    for host in operator.hosts:
        host.run(f"cd {STACK} && rm compose.d/redis.yml && sed -i /^REDIS_URL=/d env/openwebui.env")
    fill(full, free=0)
    engineless.run("cp /etc/docker/daemon.json /etc/docker/kept && echo '{' >/etc/docker/daemon.json && service docker stop")
    operator.strangers[NOWHERE] = {"ssh_port": 9}  # nobody listens there
    before = kept(full)
    try:
        run = operator.deploy()
        return BadDay(run, well, full, engineless, before, kept(full))
    finally:
        operator.strangers.clear()
        engineless.run("mv /etc/docker/kept /etc/docker/daemon.json; service docker start")
        empty(full)


def test_the_exit_status_tells_that_not_all_is_well(bad_day: BadDay) -> None:
    assert bad_day.run.status == 1


def test_the_host_that_is_well_is_changed_and_validated(bad_day: BadDay) -> None:
    assert bad_day.run.host(bad_day.well.name)["status"] == "changed", bad_day.run.output
    assert bad_day.run.bad_checks(bad_day.well.name) == []


def test_a_host_that_cannot_be_reached_is_told_as_such(bad_day: BadDay) -> None:
    assert bad_day.run.host(NOWHERE)["status"] == "unreachable"
    assert "connect" in bad_day.run.host(NOWHERE)["error"].lower()


def test_a_dockerd_that_does_not_start_is_told_with_where_to_look(bad_day: BadDay) -> None:
    error = bad_day.run.host(bad_day.engineless.name)["error"]
    assert bad_day.run.host(bad_day.engineless.name)["status"] == "failed"
    assert "Docker was started but does not answer" in error
    assert "docker.log" in error


def test_a_full_disk_is_told_with_the_words_of_the_system(bad_day: BadDay) -> None:
    assert bad_day.run.host(bad_day.full.name)["status"] == "failed"
    assert "No space left on device" in bad_day.run.host(bad_day.full.name)["error"]


def test_a_full_disk_changes_no_file(bad_day: BadDay) -> None:
    assert bad_day.after == bad_day.before


# A disk that runs full at one step or another


@pytest.mark.parametrize("pages", [1, 3, 8, 14, 20])
def test_a_disk_that_runs_full_halfway_leaves_no_half_file_and_the_next_run_repairs(pages: int, converged: Fleet) -> None:
    host = converged.hosts[0]
    mine, wanted = converged.at(host), digests(host)
    converged.settings["disk_min_free"] = 0  # the small disk never has more
    host.run(f"cd {STACK} && rm compose.d/redis.yml && sed -i 's/^WEBSOCKET_MANAGER=.*/WEBSOCKET_MANAGER=none/' env/openwebui.env")
    fill(host, free=pages)
    try:
        before = digests(host)
        run = mine.deploy()
        found = digests(host)
        assert {path for path, digest in found.items() if digest not in (before.get(path), wanted.get(path))} == set()
        assert set(before) <= set(found)
        assert run.ok or "No space left on device" in run.host(host.name)["error"]
        host.run(f"rm {STACK}/filler")
        repaired = mine.deploy()
        assert repaired.ok, repaired.output
        assert digests(host) == wanted
    finally:
        empty(host)


def digests(host: Host) -> dict[str, str]:
    return contents(kept(host))


def contents(found: Mapping[str, str]) -> dict[str, str]:
    """The digests alone of what `files` tells."""
    return {path: text.split()[4] for path, text in found.items()}


def fill(host: Host, free: int) -> None:
    """The stack's folder lies on a small disk of its own, with so many pages free."""
    host.run(
        f"""
        mkdir -p /opt/small && mount -t tmpfs -o size=400k tmpfs /opt/small && cd {STACK} || exit 1
        tar -c --exclude ./data --exclude ./backups . | tar -x -C /opt/small && mkdir /opt/small/data
        mount --move /opt/small {STACK} 2>/dev/null || mount --bind /opt/small {STACK} || exit 1
        cd {STACK} && cat /dev/zero >filler 2>/dev/null
        truncate -s -$(({free} * 4096)) filler
        """
    )


def empty(host: Host) -> None:
    """The stack's folder lies on the host's own disk again."""
    host.run(f"umount {STACK}; umount /opt/small; rmdir /opt/small", check=False)


def kept(host: Host) -> dict[str, str]:
    return {path: text for path, text in files(host).items() if not path.startswith(OWN) and path != "./filler"}


# Docker is stopped


def test_a_docker_that_was_stopped_is_started_again(converged: Fleet) -> None:
    host, *others = converged.hosts
    before = {other.name: containers(other) for other in others}
    host.run("service docker stop")
    run = converged.deploy()
    assert run.ok, run.output
    assert "started docker" in run.changes(host.name)
    assert set(containers(host)) == set(SERVICES)
    assert {other.name: containers(other) for other in others} == before


# A service that never becomes healthy

SICK = """\
x-fleet:
  settings: {sick_image: "@IMAGE@"}
  variables: {SICK_IMAGE: "{sick_image}"}
services:
  sick:
    image: ${SICK_IMAGE}
    entrypoint: ["sh", "-c", "echo 'its last words'; exec sleep 600"]
    init: true
    healthcheck: {test: ["CMD-SHELL", "echo 'I feel sick'; exit 1"], interval: 1s, retries: 2}
    depends_on: {openwebui: {condition: service_healthy}}
"""


@dataclass(frozen=True)
class Sick:
    run: Run
    host: Host
    before: tuple[dict[str, tuple[str, str]], dict[str, str]]
    after: tuple[dict[str, tuple[str, str]], dict[str, str]]


@pytest.fixture(scope="module")
def sick(operator: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Sick:
    folder, host = tmp_path_factory.mktemp("catalogue"), operator.hosts[0]
    fleet = operator.at(host)
    operator.settings.clear()
    assert fleet.deploy().ok
    image = fleet.inventory()["fleet"]["data"]["watchtower_image"]
    (folder / "sick.yml").write_text(SICK.replace("@IMAGE@", image))
    before = containers(host), kept(host)
    operator.settings.update(catalog_dirs=[str(folder)], services=[*SERVICES, "sick"], start_timeout=30)
    run = fleet.deploy()
    operator.settings.clear()
    return Sick(run, host, before, (containers(host), kept(host)))


def test_a_service_that_stays_unhealthy_fails_the_host(sick: Sick) -> None:
    assert sick.run.status == 1
    assert sick.run.host(sick.host.name)["status"] == "failed"


@pytest.mark.parametrize(
    "said",
    [
        "sick did not start",
        "sick: did not come up; it is running, unhealthy.",
        "sick: last health output: I feel sick",
        "sick: log: its last words",
    ],
)
def test_its_error_holds_state_last_health_output_and_last_words(said: str, sick: Sick) -> None:
    assert said in sick.run.host(sick.host.name)["error"]


def test_the_other_services_are_not_touched(sick: Sick) -> None:
    assert {name: sick.after[0].get(name) for name in sick.before[0]} == sick.before[0]


def test_what_came_with_it_is_rolled_back(sick: Sick) -> None:
    assert "The files were rolled back" in sick.run.host(sick.host.name)["error"]
    assert set(sick.after[0]) == set(SERVICES)
    assert contents(sick.after[1]) == contents(sick.before[1])


def test_a_service_that_compose_refuses_replaces_nothing(converged: Fleet, tmp_path: Path) -> None:
    host = converged.hosts[0]
    (tmp_path / "odd.yml").write_text("services: {odd: {image: x, nonsense: true}}\n")
    before = containers(host), kept(host)
    converged.settings.update(catalog_dirs=[str(tmp_path)], services=[*SERVICES, "odd"])
    run = converged.at(host).deploy()
    assert run.status == 1
    assert "Compose does not accept the merged project; nothing was replaced." in run.host(host.name)["error"]
    assert "nonsense" in run.host(host.name)["error"]
    assert (containers(host), kept(host)) == before
