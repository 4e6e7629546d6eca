"""What goes wrong on the first host is rolled back there, never reaches the others, and is never called a success."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from operations.controller.secrets import new
from operations.stack.fingerprint import fingerprint
from tests.fleet import catalogs
from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, containers, files
from tests.fleet.passwords import accepted, accepts, digest, held, on_disk, refused, uptime
from tests.lab import Host
from tests.lab.images import in_hosts

# reads an env file of which no key is managed, and ends at once
HAND = f"""
services:
  hand:
    image: {in_hosts("openwebui-standin")}
    env_file: [./env/hand.env]
    command: ["false"]
"""
FAILURES = [pytest.param(catalogs.NEVER_HEALTHY, id="never healthy"), pytest.param("", id="check fails")]


@pytest.fixture
def picky(running: Fleet, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """All hosts are as wanted and run an application that is choosy about its password; the first host is the canary."""
    catalogs.write(running, picky=catalogs.PICKY + request.param)
    running.settings["services"] = [*SERVICES, "picky"]
    running.groups["canary"] = [running.hosts[0].name]
    run = running.deploy()
    assert run.ok, run.output
    yield running
    running.settings.clear()
    running.host_settings.clear()
    running.groups.clear()


def choosy(fleet: Fleet, password: str) -> None:
    """From now on the canary's application takes this password alone."""
    fleet.host_settings[fleet.hosts[0].name] = {"picky_only": digest(password)}


def contents(host: Host) -> dict[str, str]:
    """Path → mode, owner and digest of what clients and redis use; nothing of what was noted about runs."""
    seen = {path: shown.split() for path, shown in files(host).items()}
    noted = ("./.fleet/", "./backups/")
    return {path: " ".join((parts[1], parts[2], parts[-2])) for path, parts in seen.items() if not path.startswith(noted)}


def assert_rolled_back(run: Run, host: Host) -> None:
    part = run.host(host.name)
    assert part["status"] == "failed"
    assert "The files were rolled back from backups/" in part["error"]
    assert not run.report["run"]["ok"]
    assert not run.ok


def assert_left_alone(run: Run, host: Host, first: Host) -> None:
    part = run.host(host.name)
    assert part["status"] == "failed"
    assert f"Nothing was changed here: {first.name} failed in an earlier wave" in part["error"]


@pytest.mark.parametrize("picky", FAILURES, indirect=True)
def test_an_application_that_refuses_the_new_password_is_rolled_back(picky: Fleet) -> None:
    canary, *others = picky.hosts
    choosy(picky, picky.password)
    run = picky.deploy()
    assert run.ok, run.output
    former, picky.password = picky.password, new()
    kept, redis = contents(canary), uptime(canary, former)
    before = {host.name: (files(host), containers(host)) for host in others}

    run = picky.deploy()

    assert_rolled_back(run, canary)
    assert "picky" in run.host(canary.name)["error"]
    assert contents(canary) == kept
    # its clients run with the former password, which alone is accepted
    assert set(held(canary).values()) == {former}
    assert refused(canary) == []
    assert not accepts(canary, picky.password)
    assert accepted(canary, former) == on_disk(canary) == {digest(former)}
    assert uptime(canary, former) == redis
    assert former not in run.output
    assert picky.password not in run.output
    for host in others:
        assert_left_alone(run, host, canary)
        assert (files(host), containers(host)) == before[host.name]
    note = json.loads(canary.run(f"tail -n 1 {STACK}/.fleet/history.jsonl"))
    assert (note["result"], note["run"]) == ("rolled back", run.report["run"]["id"])

    # and when the application was repaired the rollout goes through
    picky.host_settings.clear()
    run = picky.deploy()
    assert run.ok, run.output
    for host in picky.hosts:
        assert accepted(host, picky.password) == {digest(picky.password)}
        assert refused(host) == []


@pytest.mark.parametrize("picky", FAILURES[:1], indirect=True)
def test_a_changed_setting_that_breaks_an_application_is_rolled_back(picky: Fleet) -> None:
    canary, *others = picky.hosts
    kept = contents(canary)
    before = {host.name: (files(host), containers(host)) for host in others}
    picky.settings["picky_only"] = "none"
    run = picky.deploy()
    assert_rolled_back(run, canary)
    assert contents(canary) == kept
    assert canary.succeeds("curl --fail http://127.0.0.1:8099/well")
    assert accepted(canary, picky.password) == {digest(picky.password)}
    for host in others:
        assert_left_alone(run, host, canary)
        assert (files(host), containers(host)) == before[host.name]
    # it is tried again, not forgotten
    again = picky.deploy()
    assert_rolled_back(again, canary)


@pytest.mark.parametrize("picky", FAILURES, indirect=True)
def test_without_rollback_both_passwords_stay_accepted(picky: Fleet) -> None:
    canary = picky.hosts[0]
    former = picky.password
    choosy(picky, former)
    run = picky.deploy()
    assert run.ok, run.output
    picky.settings["rollback_on_failure"] = False
    picky.password = new()

    run = picky.deploy()

    assert not run.ok
    assert run.host(canary.name)["status"] == "failed"
    assert "rolled back from" not in run.output
    assert "The host is left as it is, because rollback_on_failure is False." in run.host(canary.name)["error"]
    assert "picky" in run.host(canary.name)["error"]
    assert run.check(canary.name, "redis.single_password")["verdict"] == "failed"
    assert accepted(canary, former) == on_disk(canary) == {digest(former), digest(picky.password)}
    assert refused(canary) == []
    # the report of every run tells of it, until it is over
    validated = picky.pyinfra("-y", "--limit", canary.name, "inventory", "operations.checks.validate")
    check = validated.check(canary.name, "redis.single_password")
    assert check["verdict"] == "failed"
    assert "2 passwords are accepted since 20" in check["detail"]
    assert fingerprint(digest(former)) in check["detail"]

    # a backup is brought back by hand
    listed = picky.module("operations", "backup", "list", "--limit", canary.name)
    newest = canary.run(f"ls {STACK}/backups | tail -n 1").strip()
    assert f"{canary.name}  {newest}  " in listed.output
    restored = picky.module("operations", "backup", "restore", newest, "--limit", canary.name)
    assert restored.ok, restored.output
    assert set(held(canary).values()) == {former}
    assert refused(canary) == []

    # the next run converges once the application is repaired
    picky.host_settings.clear()
    run = picky.deploy()
    assert run.ok, run.output
    for host in picky.hosts:
        assert accepted(host, picky.password) == {digest(picky.password)}


def test_a_wrong_image_is_rolled_back(running: Fleet) -> None:
    canary = running.hosts[0]
    running.groups["canary"] = [canary.name]
    kept = contents(canary)
    running.settings["openwebui_image"] = in_hosts("watchtower-standin")
    run = running.deploy()
    assert_rolled_back(run, canary)
    assert "openwebui did not start" in run.host(canary.name)["error"]
    assert contents(canary) == kept
    assert canary.succeeds("curl --fail --silent http://127.0.0.1:8080/health")
    # with the setting as before there is nothing to do
    del running.settings["openwebui_image"]
    seen = containers(canary)
    again = running.deploy()
    assert (again.ok, again.changes(canary.name)) == (True, [])
    assert containers(canary) == seen


def test_an_env_file_that_was_there_before_its_service_stays(running: Fleet) -> None:
    canary = running.hosts[0]
    running.groups["canary"] = [canary.name]
    catalogs.write(running, hand=HAND)
    canary.run(f"umask 077 && echo KEY=mine >{STACK}/env/hand.env")
    running.settings["services"] = [*SERVICES, "hand"]
    run = running.deploy()
    assert_rolled_back(run, canary)
    assert "hand" not in containers(canary)
    assert canary.run(f"cat {STACK}/env/hand.env") == "KEY=mine\n"


@pytest.mark.parametrize("picky", FAILURES[:1], indirect=True)
def test_a_service_that_the_same_run_removed_comes_back(picky: Fleet) -> None:
    canary = picky.hosts[0]
    kept = contents(canary)
    picky.settings["services"] = [name for name in picky.settings["services"] if name != "redis-exporter"]
    picky.settings["picky_only"] = "none"
    run = picky.deploy()
    assert_rolled_back(run, canary)
    assert "removed redis-exporter" in run.changes(canary.name)
    assert contents(canary) == kept
    assert "redis_up 1" in canary.run("curl --silent http://127.0.0.1:9121/metrics")

    # when it is gone for good it leaves no password behind
    del picky.settings["picky_only"]
    run = picky.deploy()
    assert run.ok, run.output
    for host in picky.hosts:
        assert "redis-exporter" not in containers(host)
        assert not host.succeeds(f"test -e {STACK}/env/redis-exporter.env")
        assert host.succeeds(f"ls {STACK}/backups/*/env/redis-exporter.env")


def test_what_was_wrong_with_a_host_before_does_not_keep_its_password_from_being_changed(running: Fleet) -> None:
    full, *others = running.hosts
    running.groups["canary"] = [full.name]
    running.host_settings[full.name] = {"disk_min_free": 10**9, "disk_limit": 10**9}
    former, running.password = running.password, new()

    run = running.deploy()

    assert not run.ok
    assert run.bad_checks(full.name) == ["disk.space"]
    assert "rolled back from" not in run.output
    for host in running.hosts:
        assert accepted(host, running.password) == on_disk(host) == {digest(running.password)}
        assert not accepts(host, former)
        assert refused(host) == []
    # nor is it a reason to leave the others alone
    assert {run.host(host.name)["status"] for host in others} == {"changed"}
    note = json.loads(full.run(f"tail -n 1 {STACK}/.fleet/history.jsonl"))
    assert (note["result"], note["run"]) == ("failed", run.report["run"]["id"])
    # with nothing left to change it is told all the same
    again = running.deploy()
    assert (again.ok, again.bad_checks(full.name), again.changes(full.name)) == (False, ["disk.space"], [])


def test_a_backup_that_is_not_there_is_not_restored(running: Fleet) -> None:
    host = running.hosts[0]
    before = but_notes(host), containers(host)
    restored = running.module("operations", "backup", "restore", "20200101T000000Z", "--limit", host.name)
    assert not restored.ok
    refused = f"{STACK}/backups/20200101T000000Z: there is no such backup."
    assert refused in restored.output
    assert (but_notes(host), containers(host)) == before
    # what was tried is told, and the lock given back
    note = json.loads(host.run(f"tail -n 1 {STACK}/.fleet/history.jsonl"))
    assert (note["result"], note["reason"][: len(refused)]) == ("failed", refused)
    assert not host.succeeds(f"test -e {STACK}/.fleet/lock")


def but_notes(host: Host) -> dict[str, str]:
    return {path: what for path, what in files(host).items() if not path.startswith("./.fleet/")}
