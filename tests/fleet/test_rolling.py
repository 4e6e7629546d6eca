"""A service with `update: rolling` is replaced beside the old one: behind a proxy no request fails."""

from __future__ import annotations

import json

import pytest

from operations.controller.secrets import new
from tests.fleet import catalogs
from tests.fleet.fleet import STACK, Fleet, containers, files
from tests.fleet.passwords import digest, held, refused
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

# asks both pages in turn, some forty times a second, until SIGTERM; then prints how often, and what failed
ASK = """
import json, signal, sys, time, urllib.request
go, count, failed = [True], 0, []
signal.signal(signal.SIGTERM, lambda *_: go.clear())
end = time.monotonic() + 300
while go and time.monotonic() < end:
    count += 1
    try:
        url = "http://proxy:8090" + ("/health", "/lab/redis")[count % 2]
        with urllib.request.urlopen(url, timeout=15) as answer:
            answer.read()
    except Exception as error:
        failed.append(f"{time.strftime('%H:%M:%S')} {url}: {type(error).__name__}: {error}")
    print("asked", flush=True)
    time.sleep(0.025)
print(json.dumps([count, failed]), flush=True)
"""
NAME = "visitors"


def visit(host: Host) -> None:
    run = f"docker run --detach --init --name {NAME} --network erni-ki_default {in_hosts('openwebui-standin')}"
    host.run(f'script=$(cat) && {run} python3 -c "$script"', stdin=ASK)
    until(lambda: "asked" in host.run(f"docker logs --tail 1 {NAME}"))


def leave(host: Host) -> tuple[int, list[str]]:
    host.run(f"docker stop --time 30 {NAME}")
    count, failed = json.loads(host.run(f"docker logs --tail 1 {NAME}"))
    host.run(f"docker rm {NAME}")
    return count, failed


def webs(host: Host) -> list[str]:
    return host.run("docker ps --all --quiet --no-trunc --filter label=com.docker.compose.service=web").split()


@pytest.fixture
def behind_proxy(shared: Fleet) -> Fleet:
    """One host, with the service and the proxy before it."""
    fleet = shared.at(shared.hosts[0])
    catalogs.write(fleet, web=catalogs.WEB, proxy=catalogs.PROXY)
    fleet.settings["services"] = ["watchtower", "redis", "web", "proxy"]
    run = fleet.deploy()
    assert run.ok, run.output
    return fleet


def test_no_request_fails_while_the_service_is_replaced(behind_proxy: Fleet) -> None:
    fleet, host = behind_proxy, behind_proxy.hosts[0]
    before, [old] = containers(host), webs(host)
    visit(host)
    try:
        for _ in range(2):
            fleet.password = new()
            run = fleet.deploy()
            assert run.ok, run.output
            assert "rolled web" in run.changes(host.name)
    finally:
        count, failed = leave(host)
    assert failed == []
    assert count > 50
    # one container, and nobody else's was touched
    assert len(webs(host)) == 1
    assert webs(host) != [old]
    assert {service for service, seen in containers(host).items() if seen != before[service]} == {"web"}
    assert set(held(host).values()) == {fleet.password}
    assert refused(host) == []
    # and the next run has nothing to do
    seen = containers(host), files(host)
    again = fleet.deploy()
    assert (again.ok, again.host(host.name)["status"]) == (True, "ok")
    assert (containers(host), files(host)) == seen


def test_a_new_container_that_is_not_well_never_gets_a_request(behind_proxy: Fleet) -> None:
    fleet, host = behind_proxy, behind_proxy.hosts[0]
    before = host.run(f"cat {STACK}/compose.d/web.yml")
    catalogs.write(fleet, web=catalogs.WEB.replace("8080/health", "8080/absent").replace("start_period: 10s", "start_period: 1s"))
    visit(host)
    try:
        run = fleet.deploy()
    finally:
        _, failed = leave(host)
    assert not run.ok
    assert "web did not start" in run.output
    assert failed == []
    # what was there before, and nothing of the new one
    assert host.run(f"cat {STACK}/compose.d/web.yml") == before
    [one] = webs(host)
    assert host.run(f"docker inspect --format '{{{{.State.Health.Status}}}}' {one}").strip() == "healthy"


def test_a_service_that_was_not_replaced_yet_is_not_replaced_when_another_is_rolled_back(behind_proxy: Fleet) -> None:
    fleet, host = behind_proxy, behind_proxy.hosts[0]
    catalogs.write(fleet, picky=catalogs.PICKY + catalogs.NEVER_HEALTHY)
    fleet.settings["services"] += ["picky"]
    fleet.settings["picky_only"] = digest(fleet.password)
    run = fleet.deploy()
    assert run.ok, run.output
    before, former = webs(host), fleet.password
    fleet.password = new()
    run = fleet.deploy()
    del fleet.settings["picky_only"]
    assert "picky did not start" in run.output
    assert "The files were rolled back" in run.host(host.name)["error"]
    assert not any(line.startswith("rolled") for line in run.changes(host.name))
    assert webs(host) == before
    assert set(held(host).values()) == {former}
    assert refused(host) == []
