"""Redis over TLS: nobody reads along between hosts, certificates and authorities are replaced under load, TLS comes and goes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from operations.controller.secrets import new
from tests.fleet.clients import clients_on, failures
from tests.fleet.fleet import STACK, Fleet, Run, containers
from tests.fleet.passwords import accepts, refused, uptime
from tests.fleet.wire import Wire
from tests.lab import Host

PRESENTED = "openssl s_client -connect {}:6380 -CAfile {} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
AUTHORITIES = f"{STACK}/secrets/redis/ca.crt"


def tls(fleet: Fleet, *words: str) -> str:
    """`python -m operations tls` with these words."""
    run = fleet.module("operations", "tls", *words, "--dir", str(fleet.folder / "tls"))
    assert run.ok, run.output
    return run.output


def presented(host: Host, address: str) -> str:
    """The fingerprint of the certificate that redis proves itself with to this host."""
    found = host.run(PRESENTED.format(address, AUTHORITIES))
    assert found
    return found


def deployed(fleet: Fleet) -> Run:
    run = fleet.deploy()
    assert run.ok, run.output
    return run


def statuses(run: Run, hosts: Sequence[Host]) -> set[str]:
    return {str(run.host(host.name)["status"]) for host in hosts}


@pytest.fixture(scope="module")
def cluster(shared: Fleet) -> Fleet:
    """The first host has the redis, which the second one uses, with TLS."""
    server, user = shared.hosts[:2]
    cluster = shared.at(server, user)
    cluster.host_settings = {server.name: {"redis_publish": server.address}, user.name: {"services": ["openwebui"]}}
    cluster.host_settings[user.name]["redis_host"] = server.name
    cluster.settings |= {"redis_tls": "on", "rollout_waves": ["100%"], "settle_timeout": 60}
    tls(cluster, "init")
    deployed(cluster)
    return cluster


def test_redis_is_not_published_in_clear_unless_that_is_asked_for(cluster: Fleet) -> None:
    mine = cluster.at(*cluster.hosts)
    mine.settings = {**cluster.settings, "redis_tls": None}
    run = mine.preview()
    assert not run.ok
    assert "without TLS, so passwords and data could be read on the way" in run.output


def test_a_second_run_changes_nothing(cluster: Fleet) -> None:
    server, user = cluster.hosts
    assert f"@{server.address}:6380/0?" in user.run(f"cat {STACK}/env/openwebui.env")
    assert not user.succeeds(f"[ -e {STACK}/secrets/redis/server.pem ]")
    assert statuses(deployed(cluster), cluster.hosts) == {"ok"}
    for host in cluster.hosts:
        assert deployed(cluster).check(host.name, "redis.certificate")["verdict"] == "ok"
        assert host.run("curl --silent http://127.0.0.1:8080/lab/redis") == '{"redis": "1"}'


def test_who_has_no_tls_is_not_served(cluster: Fleet) -> None:
    server, user = cluster.hosts
    ask = "timeout 5 bash -c 'exec 3<>/dev/tcp/{}/{} && printf \"PING\\r\\n\" >&3 && head -n 1 <&3'"
    assert user.run(ask.format(server.address, 6379), check=False) == ""
    assert user.run(ask.format(server.address, 6380), check=False) == ""
    address = server.run(
        "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' erni-ki-redis-1"
    ).strip()
    assert server.run(ask.format(address, 6379), check=False) == ""


def test_nothing_can_be_read_between_the_hosts(cluster: Fleet) -> None:
    """Neither a password, while one is rolled out, nor redis' protocol."""
    server, user = cluster.hosts
    previous, cluster.password = cluster.password, new()
    needles = [previous, cluster.password, "AUTH", "PING", "load:pooled", "socketio"]
    with Wire(server, [6379, 6380], needles) as wire, clients_on(cluster.hosts, without_exporter=[user], tls=True) as everyone:
        deployed(cluster)
        assert failures(everyone) == {}
        seen = wire.stop()
    assert seen["6380"]["bytes"] > 100_000
    assert seen["6380"]["needles"] == seen["6379"]["needles"] == []
    assert not accepts(server, previous)
    assert [refused(host, server) for host in cluster.hosts] == [[], []]


def test_certificates_and_the_authority_are_replaced_under_load(cluster: Fleet) -> None:
    """No client is refused, and redis is not restarted."""
    server, user = cluster.hosts
    redis, shown = uptime(server, cluster.password), [presented(user, server.address)]
    before = containers(server)
    with clients_on(cluster.hosts, without_exporter=[user], tls=True) as everyone:
        # a certificate of the same authority: no client changes
        tls(cluster, "renew")
        deployed(cluster)
        shown.append(presented(user, server.address))
        assert containers(server) == before
        # another authority, which all trust before redis has a certificate of it; then the previous one is trusted no longer
        tls(cluster, "renew", "--authority")
        assert "its server takes its new certificate when every client has been verified" in cluster.preview().output
        deployed(cluster)
        shown.append(presented(user, server.address))
        assert user.run(f"grep -c BEGIN {AUTHORITIES}").strip() == "2"
        tls(cluster, "retire")
        deployed(cluster)
        assert user.run(f"grep -c BEGIN {AUTHORITIES}").strip() == "1"
        shown.append(presented(user, server.address))
        assert failures(everyone) == {}
    assert len(set(shown)) == 3
    assert shown[2] == shown[3]
    assert uptime(server, cluster.password) == redis
    assert statuses(deployed(cluster), cluster.hosts) == {"ok"}


def test_a_certificate_is_replaced_only_when_every_host_was_part_of_the_run(cluster: Fleet) -> None:
    server, user = cluster.hosts
    tls(cluster, "renew", "--authority")
    shown = presented(user, server.address)
    run = cluster.deploy("--limit", server.name)
    assert f"{user.name} uses the same server" in run.output
    assert presented(user, server.address) == shown
    assert run.check(server.name, "redis.certificate")["verdict"] == "failed"
    deployed(cluster)
    assert presented(user, server.address) != shown
    tls(cluster, "retire")
    deployed(cluster)


@pytest.fixture
def alone(shared: Fleet) -> Fleet:
    """A host whose stack is as 0.1 left it: with its redis for itself, and without TLS."""
    fleet = shared.at(shared.hosts[-1])
    fleet.settings = {"settle_timeout": 60}
    fleet.host_settings = {}
    if not (fleet.folder / "tls").exists():
        tls(fleet, "init")
    deployed(fleet)
    return fleet


def test_a_stack_is_switched_to_tls_and_back(alone: Fleet) -> None:
    """Each login that redis hears is accepted. Redis is recreated once each way, for its definition, and away for that long."""
    (host,) = alone.hosts
    for value, open_ports in (("on", "0 6380"), ("optional", "6379 6380"), ("off", "6379 0")):
        alone.settings["redis_tls"] = value
        with clients_on(alone.hosts, tls=True) as everyone:
            run = deployed(alone)
            # while redis is recreated the exporter says that it is down
            counts = {name: did for name, did in everyone[0].stop().items() if name != "exporter"}
        refusals = {name: did for name, did in counts.items() if did["authentication"] or "CERTIFICATE" in str(did["examples"])}
        # a channel has no memory: what is published while redis is away is heard by nobody
        lost = {name: did for name, did in counts.items() if did["lost"] and name != "subscribed"}
        assert (refusals, lost) == ({}, {}), value
        assert ports(host) == open_ports
        assert refused(host) == []
        assert statuses(alone.deploy(), [host]) == {"ok"}, run.output
    alone.settings["redis_tls"] = "on"
    deployed(alone)
    alone.settings["redis_tls"] = "off"
    refusal = alone.deploy()
    assert not refusal.ok
    assert 'Set "optional" and run the deploy' in refusal.output


def ports(host: Host) -> str:
    """Where redis listens, without TLS and with it, as /proc of its container says."""
    pid = host.run("docker inspect --format '{{.State.Pid}}' erni-ki-redis-1").strip()
    listening = host.run(f"awk '$4 == \"0A\" {{ print $2 }}' /proc/{pid}/net/tcp")
    return " ".join(str(port if f":{port:04X}" in listening else 0) for port in (6379, 6380))
