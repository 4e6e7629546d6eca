"""Open WebUI on several hosts that share one redis, over TLS: they are rolled over as one, and nobody notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.controller.secrets import new
from operations.stack.fingerprint import fingerprint
from tests.fleet import catalogs
from tests.fleet.clients import Clients, clients_on, failures
from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, containers, files
from tests.fleet.passwords import accepted, accepts, digest, on_disk, refused, uptime
from tests.lab import Host

ROLLOUTS = 2


@pytest.fixture(scope="module")
def cluster(shared: Fleet) -> Fleet:
    """The first host has the redis; the others have Open WebUI alone and use it."""
    server, *users = shared.hosts
    shared.host_settings[server.name] = {"redis_publish": server.address}
    for host in users:
        shared.host_settings[host.name] = {"services": ["openwebui"], "redis_host": server.name}
    shared.settings |= {"rollout_waves": ["1", "100%"], "redis_tls": "on"}
    made = shared.module("operations", "tls", "init", "--dir", str(shared.folder / "tls"))
    assert made.ok, made.output
    run = shared.deploy()
    assert run.ok, run.output
    return shared


@pytest.fixture
def whole(cluster: Fleet) -> Iterator[Fleet]:
    """All hosts are as wanted; what a test did is made up for afterwards."""
    former = cluster.password
    yield cluster
    if not accepts(cluster.hosts[0], cluster.password):
        cluster.password = former
    run = cluster.deploy()
    assert run.ok, run.output


def single(fleet: Fleet) -> bool:
    """Whether the one password is everywhere, and the only one."""
    server = fleet.hosts[0]
    hashes = {digest(fleet.password)}
    return accepted(server, fleet.password) == on_disk(server) == hashes and not any(refused(host, server) for host in fleet.hosts)


def test_one_run_provisions_them(cluster: Fleet) -> None:
    server, *users = cluster.hosts
    assert set(containers(server)) == {"watchtower", "redis", "redis-exporter", "openwebui"}
    for host in users:
        assert set(containers(host)) == {"openwebui"}
        assert not host.succeeds(f"[ -e {STACK}/secrets/redis/users.acl ]")
        assert f"@{server.address}:6380/0?" in host.run(f"cat {STACK}/env/openwebui.env")
        assert host.run("curl --silent http://127.0.0.1:8080/lab/redis") == '{"redis": "1"}'
    assert single(cluster)
    again = cluster.deploy()
    assert {again.host(host.name)["status"] for host in cluster.hosts} == {"ok"}


def test_no_client_on_any_host_is_refused(whole: Fleet) -> None:
    server, *users = whole.hosts
    redis = uptime(server, whole.password)
    with clients_on(whole.hosts, without_exporter=users, tls=True) as everyone:
        for _ in range(ROLLOUTS):
            former, whole.password = whole.password, new()
            run = whole.deploy()
            assert run.ok, run.output
        assert failures(everyone) == {}
    assert single(whole)
    assert not accepts(server, former)
    assert uptime(server, whole.password) == redis


def test_no_wave_splits_them(whole: Fleet) -> None:
    """Also where waves of one host are asked for: the previous password is retired only after the last one was verified."""
    server, *users = whole.hosts
    whole.password = new()
    run = whole.deploy()
    assert run.ok, run.output
    retired = float(server.run(f"stat --format %.9Z {STACK}/secrets/redis/users.acl"))
    for host in users:
        assert float(host.run("stat --format %.9Z /opt/erni-ki/env/openwebui.env")) < retired
        assert (
            float(host.run("date --date=$(docker inspect --format '{{.State.StartedAt}}' $(docker ps --quiet)) +%s.%N")) < retired
        )


def test_the_former_password_stays_while_a_client_is_left_out(whole: Fleet) -> None:
    server, user, absent = whole.hosts
    former, whole.password = whole.password, new()
    before = files(absent), containers(absent)
    with Clients(absent, exporter=False, tls=True) as clients:
        run = whole.deploy("--limit", server.name, "--limit", user.name)
        assert clients.failures() == {}
    assert (files(absent), containers(absent)) == before
    assert accepted(server, whole.password) == on_disk(server) == {digest(former), digest(whole.password)}
    assert [refused(host, server) for host in whole.hosts] == [[], [], []]
    assert_overlap_is_told(run, server, former)
    assert f"The previous password stays accepted: {absent.name} uses the same server" in run.output

    run = whole.deploy()
    assert run.ok, run.output
    assert single(whole)
    assert not accepts(server, former)


def assert_overlap_is_told(run: Run, server: Host, former: str) -> None:
    check = run.check(server.name, "redis.single_password")
    assert check["verdict"] == "failed"
    assert fingerprint(digest(former)) in check["detail"]
    assert not run.ok


@pytest.mark.parametrize("health", [catalogs.NEVER_HEALTHY, ""], ids=["its services do not start", "a check of it fails"])
def test_what_goes_wrong_on_the_server_locks_nobody_out(whole: Fleet, health: str) -> None:
    server, *users = whole.hosts
    catalogs.write(whole, picky=catalogs.PICKY + health)
    mine = whole.host_settings[server.name]
    mine |= {"services": [*SERVICES, "picky"], "picky_only": digest(whole.password)}
    assert whole.deploy().ok
    former, whole.password = whole.password, new()
    before = [containers(host) for host in users]
    with clients_on(users, without_exporter=users, tls=True) as everyone:
        run = whole.deploy()
        assert failures(everyone) == {}
    assert not run.ok
    assert "The files were rolled back" in run.host(server.name)["error"]
    assert accepted(server, former) == on_disk(server) == {digest(former), digest(whole.password)}
    assert [refused(host, server) for host in whole.hosts] == [[], [], []]
    if health:
        # the clients were not switched, for their turn is after the server's
        assert [containers(host) for host in users] == before
        assert "whose server this host uses, failed" in run.host(users[0].name)["error"]
    del mine["picky_only"], mine["services"]
    run = whole.deploy()
    assert run.ok, run.output
    assert single(whole)


def test_a_client_alone_is_refused_before_anything_changes(whole: Fleet) -> None:
    server, user, _ = whole.hosts
    former, whole.password = whole.password, new()
    before = [(files(host), containers(host)) for host in whole.hosts]
    run = whole.deploy("--limit", user.name)
    assert not run.ok
    assert f"redis on {server.name} does not accept the desired password" in run.host(user.name)["error"]
    assert [(files(host), containers(host)) for host in whole.hosts] == before
    assert accepts(server, former)
    assert refused(user, server) == []
