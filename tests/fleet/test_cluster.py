"""A cluster of Open WebUI: one database, one redis, one key; both passwords are rolled in one run while it serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.controller.secrets import new
from operations.services.postgres.scram import login_role
from tests.fleet.clients import clients_on, failures
from tests.fleet.cluster import Cluster, Visitors, env, proxy, read
from tests.fleet.fleet import Run, containers, files, wipe
from tests.fleet.passwords import accepted, digest, on_disk, uptime
from tests.fleet.postgres import DatabaseClients, logins, started
from tests.lab import Host, Lab, postgres

ROLLOUTS = 5


@pytest.fixture(scope="module")
def cluster(lab: Lab, hosts: list[Host], tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The operator, and hosts that have nothing yet but images."""
    postgres.provide(lab, hosts[0], postgres.NAME, "nginx")
    for host in hosts[:3]:
        postgres.provide(lab, host, postgres.NAME)  # its client, for who logs in all the time
        wipe(host)
    return Cluster(tmp_path_factory.mktemp("cluster"), hosts[:3])


@pytest.fixture(scope="module")
def first(cluster: Cluster) -> Run:
    run = cluster.deploy(timeout=600)
    assert run.ok, run.output
    return run


def replicas(cluster: Cluster) -> list[Host]:
    return list(cluster.hosts[1:])


def healthy_since(host: Host) -> float:
    """When Open WebUI's container was started."""
    ident = "$(docker ps --quiet --filter label=com.docker.compose.service=openwebui)"
    return float(host.run(f"date --date=$(docker inspect --format '{{{{.State.StartedAt}}}}' {ident}) +%s.%N"))


def test_one_run_provisions_it(cluster: Cluster, first: Run) -> None:
    for host in cluster.hosts:
        assert first.bad_checks(host.name) == []
    assert [env(host, "WEBUI_SECRET_KEY") for host in replicas(cluster)] == [cluster.key] * 2
    assert [env(host, "DATABASE_URL") for host in replicas(cluster)] == [
        f"postgresql://{login_role('openwebui', cluster.database)}:{cluster.database}@{cluster.hosts[0].address}:5432/openwebui"
    ] * 2
    for host in cluster.hosts:
        assert cluster.key not in "".join(read(host, f"compose.d/{name}.yml") for name in first_services(cluster, host))


def first_services(cluster: Cluster, host: Host) -> list[str]:
    found: list[str] = cluster.host_settings[host.name]["services"]
    return found


def test_one_replica_migrates_and_goes_first(cluster: Cluster, first: Run) -> None:
    leader, other = replicas(cluster)
    assert [env(host, "ENABLE_DB_MIGRATIONS") for host in (leader, other)] == ["true", "false"]
    assert healthy_since(leader) < healthy_since(other)


def test_a_second_run_changes_nothing(cluster: Cluster, first: Run) -> None:
    before = [(files(host), containers(host)) for host in cluster.hosts]
    run = cluster.deploy()
    assert {run.host(host.name)["status"] for host in cluster.hosts} == {"ok"}
    assert [(files(host), containers(host)) for host in cluster.hosts] == before


# Rollouts


@dataclass
class Rolled:
    """What was seen of rollouts in a row with clients and visitors at work."""

    runs: list[Run] = field(default_factory=list)
    redis: dict[str, Any] = field(default_factory=dict)
    database: list[str] = field(default_factory=list)
    logged_in: int = 0
    visitors: dict[str, Any] = field(default_factory=dict)
    servers: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def rolled(cluster: Cluster, first: Run) -> Rolled:
    server, *others = cluster.hosts
    seen = Rolled()
    seen.servers.append((uptime(server, cluster.password), started(server)))
    proxy(server, others)
    with (
        clients_on(others, without_exporter=others) as everyone,
        DatabaseClients(others[0], "openwebui.env") as one,
        DatabaseClients(others[1], "openwebui.env") as another,
        Visitors(server) as visitors,
    ):
        for _ in range(ROLLOUTS):
            cluster.password, cluster.database = new(), new()
            seen.runs.append(cluster.deploy())
        seen.redis = dict(failures(everyone))
        for clients in (one, another):
            seen.database += clients.failures()
            seen.logged_in += sum(int(did["attempts"]) for did in clients.stop().values())
    seen.visitors = dict(visitors.did)
    seen.servers.append((uptime(server, cluster.password), started(server)))
    return seen


def test_both_passwords_are_rolled_in_one_run_and_no_login_fails(cluster: Cluster, rolled: Rolled) -> None:
    server = cluster.hosts[0]
    for run in rolled.runs:
        assert run.ok, run.output
        assert "redis: accept, retire" in run.output
        assert "postgres: accept, retire" in run.output
    assert (rolled.redis, rolled.database) == ({}, [])
    assert rolled.logged_in > 500
    assert accepted(server, cluster.password) == on_disk(server) == {digest(cluster.password)}
    assert logins(server) == [login_role("openwebui", cluster.database)]


def test_no_server_is_restarted_for_it(rolled: Rolled) -> None:
    assert rolled.servers[0] == rolled.servers[1]


def test_behind_nginx_no_request_fails_and_each_websocket_comes_back(rolled: Rolled) -> None:
    did = rolled.visitors
    print(did)  # shown with -rP
    assert did["failed"] == []
    assert did["asked"] > 500
    assert (did["closed"] > 0, did["lost"]) == (True, 0)
    assert did["away"] < 10


# The key


def test_another_key_is_said_before_and_reaches_both(cluster: Cluster, rolled: Rolled) -> None:
    cluster.key = new()
    preview = cluster.preview()
    assert "webui_key: openwebui gets another WEBUI_SECRET_KEY: whoever is logged in must log in again" in preview.output
    assert cluster.key not in preview.output
    run = cluster.deploy()
    assert run.ok, run.output
    assert [env(host, "WEBUI_SECRET_KEY") for host in replicas(cluster)] == [cluster.key] * 2
    details = {run.check(host.name, "shared_key.consistent@webui_key")["detail"] for host in replicas(cluster)}
    assert len(details) == 1


def test_a_first_replica_that_does_not_start_keeps_the_others_as_they_are(cluster: Cluster, rolled: Rolled) -> None:
    leader, other = replicas(cluster)
    before = containers(other)
    cluster.settings["openwebui_image"] = "lab/there-is-none:1"
    try:
        run = cluster.deploy()
    finally:
        del cluster.settings["openwebui_image"]
    assert not run.ok
    assert f"Nothing was changed here: {leader.name}, which goes first, failed." in run.host(other.name)["error"]
    assert containers(other) == before
    run = cluster.deploy()
    assert run.ok, run.output


# What limits cost


def evaluated(server: Host, script: str) -> None:
    """Redis runs this."""
    redis = "$(docker ps --quiet --filter label=com.docker.compose.service=redis)"
    inside = 'REDISCLI_AUTH=$(head -n 1 /run/redis-auth/password) redis-cli eval "$(cat)" 0'
    server.run(f"docker exec --interactive {redis} sh -c '{inside}'", stdin=script)


def test_what_a_limit_costs_is_told_until_a_run_has_noted_it(cluster: Cluster, rolled: Rolled) -> None:
    server = cluster.hosts[0]
    cluster.settings |= {"redis_config": {"maxmemory": "4mb", "timeout": 1800}}
    run = cluster.deploy()
    assert run.ok, run.output
    assert "start redis: its fragment changes" in run.output
    assert run.check(server.name, "redis.memory_policy")["verdict"] == "warning"
    assert run.check(server.name, "redis.evicted_keys")["verdict"] == "ok"
    evaluated(server, 'for i=1,4000 do redis.call("set", "k"..i, string.rep("x", 2000)) end')
    run = cluster.deploy()
    assert run.check(server.name, "redis.evicted_keys")["verdict"] == "warning"
    evaluated(server, 'redis.call("flushall")')
    cluster.database = new()  # a run that changes something notes what was counted
    assert cluster.deploy().ok
    run = cluster.deploy()
    assert run.check(server.name, "redis.evicted_keys")["detail"] == "0 since the last run that changed something"
    del cluster.settings["redis_config"]
    run = cluster.deploy()
    assert run.ok, run.output
    assert run.check(server.name, "redis.memory_policy")["verdict"] == "ok"
