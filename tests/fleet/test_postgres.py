"""PostgreSQL on a real host: provisioned, its password rolled out while clients log in all the time, killed runs, and roll back."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from operations.controller.secrets import new
from operations.services.postgres.scram import login_role
from tests.fleet.fleet import STACK, Run, containers, files, wipe
from tests.fleet.postgres import APP, DatabaseClients, Databases, lets_in, logins, psql, started, url
from tests.lab import Host, Lab, postgres

ROLLOUTS = 5
OWNER = "openwebui"
KILLS = int(os.environ.get("FLEET_KILLS", "30"))


@pytest.fixture(scope="module")
def host(lab: Lab, hosts: list[Host]) -> Host:
    postgres.provide(lab, hosts[0])
    wipe(hosts[0])
    return hosts[0]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, host: Host) -> Databases:
    return Databases(tmp_path_factory.mktemp("databases"), [host])


@pytest.fixture(scope="module")
def first(fleet: Databases) -> Run:
    run = fleet.deploy(timeout=600)
    assert run.ok, run.output
    return run


@pytest.fixture
def running(fleet: Databases, first: Run) -> Databases:
    """All is as wanted, with the operator's own settings."""
    run = fleet.deploy()
    assert run.ok, run.output
    return fleet


def role(fleet: Databases) -> str:
    return login_role(OWNER, fleet.database)


def roll(fleet: Databases) -> Run:
    fleet.database = new()
    run = fleet.deploy()
    assert run.ok, run.output
    return run


# Provisioning


def test_a_bare_host_gets_a_database_with_one_login(first: Run, fleet: Databases, host: Host) -> None:
    assert first.bad_checks(host.name) == []
    assert logins(host) == [role(fleet)]
    assert lets_in(host, url(host))
    assert psql(host, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'openwebui'") == [OWNER]
    assert psql(host, "SELECT extname FROM pg_extension WHERE extname = 'vector'", OWNER) == ["vector"]
    names = [check["id"] for check in first.host(host.name)["checks"]]
    assert len(names) == len(set(names))
    assert {"postgres.ready", "postgres.single_login", "postgres.client_login@app", "exporter.pg_up"} <= set(names)


def test_nobody_gets_in_without_a_password_or_as_the_superuser(running: Databases, host: Host) -> None:
    at = "postgres:5432/openwebui"
    for wrong in (f"postgresql://{role(running)}@{at}", f"postgresql://{role(running)}:{new()}@{at}", f"postgresql://postgres@{at}",
                  f"postgresql://postgres:{running.database}@{at}", f"postgresql://{OWNER}:{running.database}@{at}"):  # fmt: skip
        assert not lets_in(host, wrong)


def test_a_second_run_changes_nothing(running: Databases, host: Host) -> None:
    before = files(host), containers(host), psql(host, "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1")
    run = running.deploy()
    assert run.ok, run.output
    assert (run.host(host.name)["status"], run.changes(host.name)) == ("ok", [])
    assert (files(host), containers(host), psql(host, "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1")) == before


def test_no_password_is_in_a_definition_a_container_or_a_log(running: Databases, host: Host) -> None:
    found = host.run(
        f"""
        cat >/run/pattern
        id=$(docker ps --quiet --filter label=com.docker.compose.service=postgres)
        docker inspect "$id" | grep -cFf /run/pattern | sed 's/$/ in docker inspect/'
        docker logs "$id" 2>&1 | grep -cFf /run/pattern | sed 's/$/ in its log/'
        grep -rlFf /run/pattern {STACK}/compose.d {STACK}/.env {STACK}/.fleet
        rm /run/pattern
        """,
        stdin=f"{running.database}\nSCRAM-SHA-256\n",
        check=False,
    )
    assert found.splitlines() == ["0 in docker inspect", "0 in its log"]


# A rollout


@dataclass
class Rolled:
    """What was seen before and after rollouts in a row, with clients at work."""

    runs: list[Run] = field(default_factory=list)
    former: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    attempts: int = 0
    started: list[tuple[str, str]] = field(default_factory=list)
    containers: list[Mapping[str, tuple[str, str]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def rolled(fleet: Databases, first: Run, host: Host) -> Rolled:
    seen = Rolled()
    seen.started.append(started(host))
    with DatabaseClients(host) as clients:
        for _ in range(ROLLOUTS):
            seen.former.append(url(host))
            seen.containers.append(containers(host))
            seen.runs.append(roll(fleet))
        seen.failures = list(clients.failures())
        seen.attempts = sum(int(one["attempts"]) for one in clients.stop().values())
    seen.started.append(started(host))
    seen.containers.append(containers(host))
    return seen


def test_no_login_fails_and_the_server_is_not_restarted(rolled: Rolled) -> None:
    assert rolled.failures == []
    assert rolled.attempts > 200
    assert rolled.started[0] == rolled.started[1]


def test_every_check_is_ok_after_each_rollout_and_one_login_is_left(rolled: Rolled, fleet: Databases, host: Host) -> None:
    for run in rolled.runs:
        assert (run.host(host.name)["status"], run.bad_checks(host.name)) == ("changed", [])
    assert logins(host) == [role(fleet)]
    assert [lets_in(host, former) for former in rolled.former] == [False] * ROLLOUTS
    # but for the last one nothing is left of the previous ones
    assert psql(host, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^openwebui_'") == ["2"]


def test_only_who_uses_it_is_replaced(rolled: Rolled) -> None:
    for before, after in zip(rolled.containers, rolled.containers[1:], strict=False):
        assert {service for service in after if after[service] != before[service]} == {"app"}


def test_the_preview_says_what_a_rollout_does(running: Databases, host: Host) -> None:
    before, running.database = running.database, new()
    try:
        run = running.preview()
        assert "postgres: accept, switch app, retire" in run.output
        assert logins(host) == [login_role(OWNER, before)]
    finally:
        running.database = before


def test_the_exporters_password_is_rolled_out_by_itself(running: Databases, host: Host) -> None:
    before = containers(host)
    running.exporter = new()
    run = running.deploy()
    assert run.ok, run.output
    assert run.check(host.name, "exporter.pg_up")["verdict"] == "ok"
    after = containers(host)
    assert {service for service in after if after[service] != before[service]} == {"postgres-exporter"}
    assert logins(host, "postgres_monitor") == [login_role("postgres_monitor", running.exporter)]


# What goes wrong


def test_what_is_changed_by_hand_is_put_right(running: Databases, host: Host) -> None:
    psql(host, f"ALTER ROLE {role(running)} PASSWORD 'by-hand-1'; CREATE ROLE {OWNER}_0000 LOGIN PASSWORD 'x' IN ROLE {OWNER}")
    run = running.deploy()
    assert run.ok, run.output
    assert logins(host) == [role(running)]
    assert lets_in(host, url(host))


def test_a_rollout_that_fails_is_rolled_back(running: Databases, host: Host) -> None:
    before, known = url(host), logins(host)
    password, running.database = running.database, new()
    path = running.folder / "services.d/app.yml"
    with DatabaseClients(host) as clients:
        try:
            # its new container never gets in
            path.write_text(APP.replace('"DATABASE_URL"]', '"DATABASE_URL"].replace("@", "x@")'))
            run = running.deploy("--data", "settle_timeout=5")
            assert not run.ok
            assert "rolled back" in run.output
        finally:
            path.write_text(APP)
            running.database = password
        assert (url(host), logins(host)) == (before, known)
        assert clients.failures() == []
    run = running.deploy()
    assert run.ok, run.output


def test_runs_that_are_killed_anywhere_leave_clients_that_work_and_the_next_one_finishes(running: Databases, host: Host) -> None:
    began = time.monotonic()
    roll(running)
    took = time.monotonic() - began
    with DatabaseClients(host) as clients:
        for number in range(KILLS):
            running.database = new()
            process = running.start()
            # the first part of a run is Python's start and a look at the host
            time.sleep(took * (0.2 + 0.8 * number / KILLS))
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            assert lets_in(host, url(host))
            run = running.deploy()
            assert run.ok, run.output
            assert logins(host) == [role(running)]
        assert clients.failures() == []


def test_a_stopped_server_is_started_and_one_that_is_stopped_during_a_rollout_is_told(running: Databases, host: Host) -> None:
    host.run("docker stop $(docker ps --quiet --filter label=com.docker.compose.service=postgres)")
    password, running.database = running.database, new()
    run = running.deploy()
    assert not run.ok
    assert re.search(r"its container is exited, so it cannot be told of the new login", run.output)
    running.database = password
    run = running.deploy()
    assert run.ok, run.output


# Several hosts


def test_hosts_that_share_one_are_rolled_over_as_one(fleet: Databases, first: Run, lab: Lab, hosts: list[Host]) -> None:
    server, user = hosts[:2]
    postgres.provide(lab, user)
    wipe(user)
    both = Databases(fleet.folder, [server, user], database=fleet.database, exporter=fleet.exporter)
    # the server is recreated for its port
    both.settings |= {"rollout_waves": ["1", "100%"], "log_allow": ["driver: bad connection|connection refused"]}
    both.host_settings = {
        server.name: {"postgres_publish": server.address},
        user.name: {"services": ["app"], "postgres_host": server.name},
    }
    run = both.deploy()
    assert run.ok, run.output
    assert set(containers(user)) == {"app"}
    assert f"@{server.address}:5432/{OWNER}" in url(user)
    assert not user.succeeds(f"[ -e {STACK}/secrets/postgres ]")
    before = started(server)
    with DatabaseClients(server) as here, DatabaseClients(user) as there:
        for _ in range(2):
            both.database = new()
            run = both.deploy()
            assert run.ok, run.output
            assert logins(server) == [role(both)]
        # of one host alone nobody is cut off
        both.database = new()
        alone = both.deploy("--limit", server.name)
        assert "stays accepted" in alone.output
        assert len(logins(server)) == 2
        run = both.deploy()
        assert run.ok, run.output
        assert [*here.failures(), *there.failures()] == []
    assert (started(server), logins(server)) == (before, [role(both)])
    wipe(user)


# One that was there before


def test_a_running_database_with_one_role_keeps_its_owner(fleet: Databases, host: Host, first: Run) -> None:
    wipe(host)
    image = fleet.settings["postgres_image"]
    base = f"""\
services:
  db:
    image: {image}
    environment: {{POSTGRES_USER: chief, POSTGRES_DB: chat, POSTGRES_PASSWORD: of-yesterday-0}}
    volumes: [postgres:/var/lib/postgresql/data]
    healthcheck: {{test: ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "chief"], interval: 1s, retries: 60}}
  app:
    image: {image}
    init: true
    environment: {{DATABASE_URL: "postgresql://chief:of-yesterday-0@db:5432/chat"}}
    depends_on: {{db: {{condition: service_healthy}}}}
    command: {APP.partition("command:")[2].replace(chr(10) + "  ", chr(10))}
volumes: {{postgres: }}
"""
    host.run(f"mkdir -p {STACK} && cat >{STACK}/compose.yml && cd {STACK} && docker compose -p erni-ki up -d --wait", stdin=base)
    host.run(
        "docker exec -i erni-ki-db-1 psql -U chief -d chat",
        stdin="CREATE TABLE kept (n int); INSERT INTO kept VALUES (42);",
    )
    before = containers(host)["db"]
    adopting = Databases(fleet.folder, [host])
    adopting.settings |= {
        "services": ["app"], "postgres_service": "db", "postgres_user": "chief", "postgres_db": "chat", "postgres_admin": "chief",
        "skip_checks": ["compose.no_literal_password"],
    }  # fmt: skip
    run = adopting.deploy()
    assert run.ok, run.output
    assert run.bad_checks(host.name) == []
    assert containers(host)["db"] == before
    user = login_role("chief", adopting.database)
    assert url(host) == f"postgresql://{user}:{adopting.database}@db:5432/chat"
    assert not lets_in(host, "postgresql://chief:of-yesterday-0@db:5432/chat")
    ask = "docker exec -i erni-ki-db-1 psql -XAtq -U chief -d chat"
    assert host.run(ask, stdin="SELECT tableowner FROM pg_tables WHERE tablename = 'kept'; SELECT n FROM kept").split() == [
        "chief",
        "42",
    ]
    adopting.database = new()
    again = adopting.deploy()
    assert again.ok, again.output
    assert containers(host)["db"] == before
    assert lets_in(host, url(host))
