"""From nothing to validated, and again with nothing to do; and what a person then finds on the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.fleet import SERVICES, STACK, Fleet, Run, containers, files
from tests.lab import Host


@dataclass(frozen=True)
class Provisioned:
    """Empty hosts after a first run and a second one. What is told of each host is by its name."""

    hosts: list[Host]
    first: Run
    second: Run
    execs: tuple[Mapping[str, int], Mapping[str, int]]
    left: tuple[Mapping[str, Any], Mapping[str, Any]]


@pytest.fixture(scope="module")
def provisioned(shared: Fleet) -> Provisioned:
    runs, execs, left = [], [], []
    for _ in range(2):
        before = {host.name: host.sessions() for host in shared.hosts}
        runs.append(shared.deploy())
        execs.append({host.name: host.sessions() - before[host.name] for host in shared.hosts})
        left.append({host.name: (containers(host), files(host)) for host in shared.hosts})
    return Provisioned(list(shared.hosts), runs[0], runs[1], (execs[0], execs[1]), (left[0], left[1]))


def test_a_first_run_brings_the_stack_to_every_host(provisioned: Provisioned) -> None:
    assert provisioned.first.ok, provisioned.first.output
    for host in provisioned.hosts:
        assert provisioned.first.host(host.name)["status"] == "changed"
        assert set(provisioned.left[0][host.name][0]) == set(SERVICES)


def test_a_first_run_validates_every_host(provisioned: Provisioned) -> None:
    assert [provisioned.first.bad_checks(host.name) for host in provisioned.hosts] == [[] for _ in provisioned.hosts]


def test_a_first_run_costs_at_most_nine_execs_a_host(provisioned: Provisioned) -> None:
    assert max(provisioned.execs[0].values()) <= 9


def test_a_second_run_is_told_to_change_nothing(provisioned: Provisioned) -> None:
    assert provisioned.second.ok, provisioned.second.output
    assert "] Success" not in provisioned.second.output
    for host in provisioned.hosts:
        assert provisioned.second.host(host.name)["status"] == "ok"
        assert provisioned.second.changes(host.name) == []


def test_a_second_run_touches_no_container_and_no_file(provisioned: Provisioned) -> None:
    assert provisioned.left[1] == provisioned.left[0]


def test_a_second_run_costs_one_exec_a_host_with_all_checks(provisioned: Provisioned) -> None:
    assert set(provisioned.execs[1].values()) == {1}
    assert [provisioned.second.bad_checks(host.name) for host in provisioned.hosts] == [[] for _ in provisioned.hosts]


def test_docker_compose_works_for_a_person_in_the_stacks_folder(converged: Fleet) -> None:
    for host in converged.hosts:
        sudo = "" if host.user == "root" else "sudo "
        shown = host.ssh(f"cd {STACK} && {sudo}docker compose ps --format '{{{{.Service}}}} {{{{.State}}}}'")
        assert sorted(shown.splitlines()) == sorted(f"{service} running" for service in SERVICES)


# Redis


def redis(host: Host, *words: str) -> str:
    """What redis answers in its container to one who knows the password."""
    login = 'REDISCLI_AUTH="$(cat /run/redis-auth/password)" redis-cli "$@"'
    return host.run(f"cd {STACK} && docker compose exec -T redis sh -c '{login}' - {' '.join(words)}").strip()


def test_redis_stops_cleanly_within_two_seconds(converged: Fleet) -> None:
    host = converged.hosts[0]
    told = host.run(
        f"""
        cd {STACK} && id=$(docker compose ps --quiet redis) || exit 1
        before=$(date +%s%N)
        docker compose stop redis >/dev/null 2>&1
        ended=$(date -d "$(docker inspect --format '{{{{.State.FinishedAt}}}}' $id)" +%s%N)
        echo $(((ended - before) / 1000000)) $(docker inspect --format '{{{{.State.ExitCode}}}}' $id)
        docker logs $id 2>&1 | tail -n 1
        """
    )
    first, last = told.splitlines()
    took, code = map(int, first.split())
    assert code == 0
    assert "Redis is now ready to exit, bye bye..." in last
    assert took < 2000


def test_the_keys_of_redis_are_there_after_its_container_was_recreated(converged: Fleet) -> None:
    host = converged.hosts[0]
    redis(host, "MSET", *(f"key:{n} {n}" for n in range(200)))
    host.run("docker rm --force $(docker ps --quiet --filter label=com.docker.compose.service=redis)")
    run = converged.at(host).deploy()
    assert run.ok, run.output
    assert redis(host, "MGET", *(f"key:{n}" for n in range(200))).splitlines() == [str(n) for n in range(200)]


def test_the_data_of_redis_lies_in_the_stacks_folder_on_the_host(converged: Fleet) -> None:
    host = converged.hosts[0]
    redis(host, "SET", "where-is-it", "here")
    assert host.succeeds(f"grep -rq where-is-it {STACK}/data/redis")


# What an operator adds


def test_further_keys_reach_open_webui_as_they_are_written(converged: Fleet) -> None:
    host = converged.hosts[0]
    name = """it's #1: "ours" $HOME $(touch /tmp/ran) `touch /tmp/ran` \\ ü"""
    converged.settings["openwebui_env"] = {"WEBUI_NAME": name}
    run = converged.at(host).deploy()
    assert run.ok, run.output
    container = containers(host)["openwebui"][0]
    assert host.run(f"docker exec {container} printenv WEBUI_NAME") == f"{name}\n"
    assert not host.succeeds("ls /tmp/ran")
    host.run(f"sed -i /^WEBUI_NAME=/d {STACK}/env/openwebui.env")


PORTAL = """\
x-fleet:
  settings:
    portal_port: 8090
    portal_image: "@IMAGE@"
    portal_greeting: hello
  variables:
    PORTAL_IMAGE: "{portal_image}"
    PORTAL_BIND: "{bind_address}:{portal_port}"
  env:
    PORTAL_GREETING: "{portal_greeting}"
  checks:
    - id: portal.health
      http: "http://{probe_address}:{portal_port}/health"
      status: 200
services:
  portal:
    image: ${PORTAL_IMAGE}
    depends_on:
      redis: {condition: service_healthy}
    env_file: [./env/portal.env]
    ports: ["${PORTAL_BIND}:8080"]
"""


@pytest.fixture
def portal(converged: Fleet, tmp_path: Path) -> Fleet:
    """An operator with a service of their own: a file in a folder, and its name in `services`."""
    image = converged.inventory()["fleet"]["data"]["openwebui_image"]
    (tmp_path / "portal.yml").write_text(PORTAL.replace("@IMAGE@", image))
    converged.settings.update(catalog_dirs=[str(tmp_path)], services=[*SERVICES, "portal"], portal_greeting="good day, it's us")
    return converged.at(converged.hosts[0])


def test_a_service_of_ones_own_comes_and_goes_and_nothing_else_is_touched(portal: Fleet) -> None:
    host = portal.hosts[0]
    before = containers(host)
    run = portal.deploy()
    assert run.ok, run.output
    assert run.check(host.name, "portal.health")["verdict"] == "ok"
    added = containers(host)
    assert {name: added[name] for name in before} == before
    assert host.run(f"docker exec {added['portal'][0]} printenv PORTAL_GREETING") == "good day, it's us\n"

    kept = files(host)
    portal.settings["services"] = list(SERVICES)
    run = portal.deploy()
    assert run.ok, run.output
    assert containers(host) == before
    assert not {"./compose.d/portal.yml", "./env/portal.env"} & files(host).keys()
    made = ("./.env", "./compose.d/.overlay.yml")  # from the names of the services
    ours = ("./.fleet/", "./backups/", *made, "./compose.d/portal.yml", "./env/portal.env")
    assert {p: f for p, f in files(host).items() if not p.startswith(ours)} == {
        p: f for p, f in kept.items() if not p.startswith(ours)
    }
