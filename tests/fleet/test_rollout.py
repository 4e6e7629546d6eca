"""A password is rolled out while clients are at work: nobody notices, nothing is left over, and it comes in waves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from operations.controller.secrets import new
from operations.stack.fingerprint import fingerprint
from tests.fleet.clients import clients_on, failures
from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, containers, files
from tests.fleet.passwords import accepted, accepts, digest, on_disk, refused, uptime
from tests.lab import Host

ROLLOUTS = 5


@dataclass
class Rolled:
    """What was seen before, during and after five rollouts in a row. Values of mappings are by the host's name."""

    fleet: Fleet
    former: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    failures: Mapping[str, Any] = field(default_factory=dict)
    redis: list[dict[str, tuple[str, str]]] = field(default_factory=list)
    containers: list[dict[str, dict[str, tuple[str, str]]]] = field(default_factory=list)
    residue: list[dict[str, str]] = field(default_factory=list)

    def look(self) -> None:
        hosts = self.fleet.hosts
        self.redis.append({host.name: uptime(host, self.fleet.password) for host in hosts})
        self.containers.append({host.name: containers(host) for host in hosts})
        self.residue.append({host.name: residue(host) for host in hosts})


def roll(fleet: Fleet) -> Run:
    fleet.password = new()
    run = fleet.deploy()
    assert run.ok, run.output
    return run


def residue(host: Host) -> str:
    """Everything that a rollout might leave behind: images, networks, volumes, files outside and inside of the stack."""
    # runc has a file in /tmp for as long as it starts a healthcheck
    return host.run(
        f"""
        docker images --all --no-trunc --format '{{{{.Repository}}}} {{{{.ID}}}}' | sort
        docker network ls --format '{{{{.Name}}}}' | sort
        docker volume ls --quiet
        docker ps --all --format '{{{{.Names}}}}' | sort
        find /tmp /var/tmp /root /home -xdev ! -name 'runc-process*'
        cd {STACK} && find . \\( -path ./backups -o -path ./data \\) -prune -o -print | sort
        """
    )


@pytest.fixture(scope="module")
def rolled(shared: Fleet) -> Rolled:
    """Five rollouts in a row on all hosts, with clients at work on each of them."""
    seen = Rolled(shared)
    run = shared.deploy()
    assert run.ok, run.output
    roll(shared)  # from the first one on there is a backup and a history
    seen.look()
    with clients_on(shared.hosts) as everyone:
        for _ in range(ROLLOUTS):
            seen.former.append(shared.password)
            seen.runs.append(roll(shared))
        seen.failures = failures(everyone)
    seen.look()
    return seen


def test_no_client_is_refused_and_nothing_is_lost(rolled: Rolled) -> None:
    assert rolled.failures == {}


def test_redis_is_neither_restarted_nor_recreated(rolled: Rolled) -> None:
    assert rolled.redis[0] == rolled.redis[1]


def test_only_services_that_hold_the_password_are_replaced(rolled: Rolled) -> None:
    for name, before in rolled.containers[0].items():
        after = rolled.containers[1][name]
        assert set(after) == set(SERVICES)
        assert {service for service in SERVICES if after[service] != before[service]} == {"redis-exporter", "openwebui"}


def test_every_check_is_ok_after_each_rollout(rolled: Rolled) -> None:
    for run in rolled.runs:
        for host in rolled.fleet.hosts:
            assert (run.host(host.name)["status"], run.bad_checks(host.name)) == ("changed", [])


def test_only_the_new_password_is_accepted(rolled: Rolled) -> None:
    wanted = rolled.fleet.password
    for host in rolled.fleet.hosts:
        assert accepts(host, wanted)
        assert [accepts(host, former) for former in rolled.former] == [False] * ROLLOUTS
        assert accepted(host, wanted) == on_disk(host) == {digest(wanted)}
        assert refused(host) == []


def test_nothing_holds_a_former_password_but_backups(rolled: Rolled) -> None:
    patterns = "\n".join(rolled.former) + "\n"
    for host in rolled.fleet.hosts:
        found = host.run(
            f"""
            cat >/run/patterns
            ids=$(docker ps --all --quiet)
            docker inspect $ids | grep -cFf /run/patterns | sed 's/^0$//;s/$/ in docker inspect/'
            grep -rlFf /run/patterns --devices=skip /etc /root /home /tmp /var/tmp /var/log /var/lib/docker/containers {STACK}
            grep -lFf /run/patterns /proc/[0-9]*/environ /proc/[0-9]*/cmdline
            rm /run/patterns
            """,
            stdin=patterns,
            check=False,
        ).splitlines()
        found = [line for line in found if line != " in docker inspect"]
        assert [path for path in found if not path.startswith(f"{STACK}/backups/")] == []
        # which shows that the search finds what there is
        assert any(path.startswith(f"{STACK}/backups/") for path in found)
        assert host.run(f"find {STACK}/backups -type d ! -perm 700 -o -path '*/secrets/*' -type f ! -perm 600") == ""


def test_the_history_tells_each_rollout(rolled: Rolled) -> None:
    chain = [fingerprint(digest(password)) for password in (*rolled.former, rolled.fleet.password)]
    for host in rolled.fleet.hosts:
        text = host.run(f"tail -n {ROLLOUTS} {STACK}/.fleet/history.jsonl")
        entries = [json.loads(line) for line in text.splitlines()]
        assert [(entry["before"], entry["after"]) for entry in entries] == [([a], b) for a, b in pairwise(chain)]
        assert {entry["result"] for entry in entries} == {"ok"}
        assert [entry["run"] for entry in entries] == [run.report["run"]["id"] for run in rolled.runs]
        assert all(entry["changes"] and entry["operator"] and entry["controller"] for entry in entries)
    shown = rolled.fleet.module("operations", "history", "--last", "1")
    assert shown.ok, shown.output
    for host in rolled.fleet.hosts:
        assert f"{host.name}  {rolled.runs[-1].report['run']['id']}" in shown.output
    assert f"{chain[-2]} → {chain[-1]}" in shown.output


def test_rollouts_leave_nothing_behind(rolled: Rolled) -> None:
    assert rolled.residue[0] == rolled.residue[1]


def test_ten_rollouts_in_a_row_leave_ten_backups(rolled: Rolled) -> None:
    fleet = rolled.fleet
    host = fleet.hosts[0]
    alone = fleet.at(host)
    for _ in range(10 - ROLLOUTS):
        roll(alone)
    fleet.password = alone.password
    assert len(host.run(f"ls {STACK}/backups").split()) == 10
    # the newest holds what was there before the last rollout
    assert residue(host) == rolled.residue[0][host.name]


def test_a_preview_tells_the_steps_and_changes_nothing(running: Fleet) -> None:
    former, running.password = running.password, new()
    before = [(files(host), containers(host), on_disk(host)) for host in running.hosts]
    preview = running.preview()
    assert preview.ok, preview.output
    for host in running.hosts:
        told = running_sentences(preview, host)
        assert "redis: accept, switch redis-exporter and openwebui, retire" in told
        assert "write env/openwebui.env: REDIS_URL differs, WEBSOCKET_REDIS_URL differs" in told
        assert "write secrets/redis/password: content differs" in told
        assert [line for line in told if line.startswith("start ")] == [
            "start redis-exporter: its env file changes",
            "start openwebui: its env file changes",
        ]
    assert "redis: accept, switch redis-exporter and openwebui, retire" in preview.output
    assert former not in preview.output
    assert running.password not in preview.output
    assert [(files(host), containers(host), on_disk(host)) for host in running.hosts] == before
    assert [accepts(host, running.password) for host in running.hosts] == [False] * len(running.hosts)


def running_sentences(preview: Run, host: Host) -> list[str]:
    assert preview.host(host.name)["status"] == "changed"
    return preview.changes(host.name)


@pytest.fixture
def groups(running: Fleet) -> Iterator[Fleet]:
    yield running
    running.groups.clear()


def test_a_wave_ends_before_the_next_one_begins(running: Fleet) -> None:
    running.settings["rollout_waves"] = ["1", "100%"]
    roll(running)
    first, *others = running.hosts
    assert all(ended(first) < began(other) for other in others)


def test_the_group_canary_goes_first(groups: Fleet) -> None:
    *others, canary = groups.hosts
    groups.groups["canary"] = [canary.name]
    roll(groups)
    assert all(ended(canary) < began(other) for other in others)


def began(host: Host) -> float:
    """When the newest run kept its backup, which is the first thing that it changes there."""
    return float(host.run(f"stat --format %.9Z {STACK}/backups/$(ls {STACK}/backups | tail -n 1)"))


def ended(host: Host) -> float:
    """When the newest run noted what it did, which is the last thing."""
    return float(host.run(f"stat --format %.9Y {STACK}/.fleet/history.jsonl"))
