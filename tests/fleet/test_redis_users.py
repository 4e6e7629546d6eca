"""A login of its own for each client of redis: the way there from a shared one and back under load, and what each may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.controller.secrets import new
from operations.services.redis.acl import users
from tests.fleet.clients import clients_on, failures
from tests.fleet.fleet import STACK, Fleet, Run, containers, wipe
from tests.fleet.passwords import ACL, accepts, digest, redis, uptime
from tests.lab import Host
from tests.unit.services.redis import documented

OPERATOR, OPENWEBUI, EXPORTER = "operator", "openwebui", "redis-exporter"


def with_users(fleet: Fleet) -> None:
    """Each client has a login of its own; that of Open WebUI is also the load's."""
    given = documented.users()
    given[OPENWEBUI]["keys"].append("load:*")
    given[OPENWEBUI]["channels"].append("load:*")
    fleet.settings["redis_users"] = given


def all_new(fleet: Fleet) -> None:
    fleet.password = new()
    fleet.secrets = {"REDIS_PASSWORD_OPENWEBUI": new(), "REDIS_PASSWORD_REDIS_EXPORTER": new()}


def password(fleet: Fleet, user: str) -> str:
    return fleet.secrets.get(f"REDIS_PASSWORD_{user.upper().replace('-', '_')}", fleet.password)


def deployed(fleet: Fleet) -> Run:
    run = fleet.deploy()
    assert run.ok, run.output
    return run


def accepted(host: Host, fleet: Fleet, user: str = OPERATOR) -> dict[str, tuple[str, ...]]:
    """What redis accepts from whom, without users from whom it accepts nothing."""
    lines = redis(host, fleet.password, "ACL", "LIST", user=user).splitlines()
    return {name: found.digests for name, found in users(lines) if found.digests}


def on_disk(host: Host) -> dict[str, tuple[str, ...]]:
    return {name: found.digests for name, found in users(host.run(f"cat {ACL}").splitlines()) if found.digests}


def desired(fleet: Fleet) -> dict[str, tuple[str, ...]]:
    return {user: (digest(password(fleet, user)),) for user in (OPERATOR, OPENWEBUI, EXPORTER)}


@dataclass
class Story:
    """What was seen while clients were at work: from the shared login to users, two rollouts of theirs, and back."""

    fleet: Fleet
    runs: dict[str, Run] = field(default_factory=dict)
    accepted: dict[str, list[bool]] = field(default_factory=dict)
    recreated: dict[str, set[str]] = field(default_factory=dict)
    redis: list[list[tuple[str, str]]] = field(default_factory=list)
    failures: Mapping[str, Any] = field(default_factory=dict)

    def step(self, name: str) -> None:
        before = [containers(host) for host in self.fleet.hosts]
        self.runs[name] = deployed(self.fleet)
        after = [containers(host) for host in self.fleet.hosts]
        self.recreated[name] = {
            service for old, now in zip(before, after, strict=True) for service in now if now[service] != old[service]
        }
        wanted = desired(self.fleet) if "redis_users" in self.fleet.settings else {"default": (digest(self.fleet.password),)}
        user = next(iter(wanted))
        self.accepted[name] = [accepted(host, self.fleet, user) == on_disk(host) == wanted for host in self.fleet.hosts]
        self.redis.append([uptime(host, self.fleet.password, user) for host in self.fleet.hosts])


@pytest.fixture(scope="module")
def story(shared: Fleet) -> Story:
    told = Story(shared)
    deployed(shared)
    with clients_on(shared.hosts) as everyone:
        with_users(shared)
        all_new(shared)
        told.step("to users")
        all_new(shared)
        told.step("all passwords")
        shared.secrets["REDIS_PASSWORD_OPENWEBUI"] = new()
        told.step("one password")
        del shared.settings["redis_users"]
        shared.password = new()
        told.step("back")
        told.failures = failures(everyone)
    return told


STEPS = ("to users", "all passwords", "one password", "back")


def test_no_client_is_refused_and_nothing_is_lost(story: Story) -> None:
    assert story.failures == {}


def test_redis_is_neither_restarted_nor_recreated(story: Story) -> None:
    assert story.redis == [story.redis[0]] * len(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_every_check_is_ok_and_only_what_is_desired_is_accepted(story: Story, step: str) -> None:
    assert [story.runs[step].bad_checks(host.name) for host in story.fleet.hosts] == [[] for _ in story.fleet.hosts]
    assert story.accepted[step] == [True] * len(story.fleet.hosts)


def test_only_those_are_recreated_whose_login_changed(story: Story) -> None:
    assert story.recreated == {
        "to users": {OPENWEBUI, EXPORTER},
        "all passwords": {OPENWEBUI, EXPORTER},
        "one password": {OPENWEBUI},
        "back": {OPENWEBUI, EXPORTER},
    }


@pytest.fixture
def apart(shared: Fleet) -> Fleet:
    """Each client has a login of its own."""
    with_users(shared)
    if not shared.secrets:
        all_new(shared)
    deployed(shared)
    return shared


def test_users_are_provisioned_on_an_empty_host_and_a_second_run_changes_nothing(shared: Fleet) -> None:
    for host in shared.hosts:
        wipe(host)
    with_users(shared)
    all_new(shared)
    run = deployed(shared)
    for host in shared.hosts:
        assert run.bad_checks(host.name) == []
        assert accepted(host, shared) == on_disk(host) == desired(shared)
    before = [containers(host) for host in shared.hosts]
    again = deployed(shared)
    assert [again.changes(host.name) for host in shared.hosts] == [[] for _ in shared.hosts]
    assert [containers(host) for host in shared.hosts] == before


def test_nobody_is_let_in_as_default(apart: Fleet) -> None:
    for host in apart.hosts:
        assert not any(accepts(host, one) for one in (apart.password, *apart.secrets.values(), ""))
        assert accepts(host, apart.password, OPERATOR)


def test_each_may_do_what_it_needs_and_nothing_else(apart: Fleet) -> None:
    host = apart.hosts[0]

    def says(user: str, *words: str) -> str:
        return redis(host, password(apart, user), *words, user=user).splitlines()[-1]

    assert says(OPENWEBUI, "SET", "open-webui:a", "1") == "OK"
    assert says(OPENWEBUI, "GET", "open-webui:a") == "1"
    for words in (("GET", "n8n:a"), ("CONFIG", "GET", "dir"), ("ACL", "LIST"), ("FLUSHALL",), ("PUBLISH", "n8n", "x")):
        assert says(OPENWEBUI, *words).startswith("NOPERM"), words
    for words in (("GET", "open-webui:a"), ("SET", "open-webui:a", "2"), ("ACL", "LIST")):
        assert says(EXPORTER, *words).startswith("NOPERM"), words
    assert "redis_version" in redis(host, password(apart, EXPORTER), "INFO", "server", user=EXPORTER)


def test_a_user_that_was_given_more_by_hand_is_found_and_put_right(apart: Fleet) -> None:
    host = apart.hosts[0]
    assert redis(host, apart.password, "ACL", "SETUSER", OPENWEBUI, "'~*'", user=OPERATOR) == "OK"
    found = apart.at(host).pyinfra("-y", "inventory", "operations.checks.validate")
    assert not found.ok
    assert found.check(host.name, "redis.client_login")["detail"] == "may be run: openwebui GET key-of-nobody"
    deployed(apart)
    assert redis(host, password(apart, OPENWEBUI), "GET", "n8n:a", user=OPENWEBUI).startswith("NOPERM")


def test_a_redis_that_is_started_again_has_the_same_users(apart: Fleet) -> None:
    host = apart.hosts[0]
    host.run(f"cd {STACK} && docker compose restart redis && docker compose up --detach --wait redis", timeout=120)
    assert accepted(host, apart) == desired(apart)
    assert not accepts(host, apart.password)
    deployed(apart)


def test_a_rule_that_redis_does_not_know_changes_nothing(apart: Fleet) -> None:
    host = apart.hosts[0]
    before = host.run(f"cat {ACL}"), accepted(host, apart)
    apart.settings["redis_users"][OPENWEBUI]["commands"].append("+nosuch")
    run = apart.at(host).deploy()
    assert not run.ok
    assert re.search(r"Unknown command.*", run.host(host.name)["error"])
    assert (host.run(f"cat {ACL}"), accepted(host, apart)) == before
    with_users(apart)
    deployed(apart)


def test_a_move_that_fails_is_rolled_back(shared: Fleet) -> None:
    host = shared.hosts[0]
    shared.settings.pop("redis_users", None)
    deployed(shared)
    former, before = shared.password, on_disk(host)
    with_users(shared)
    all_new(shared)
    shared.settings["redis_users"][OPENWEBUI]["channels"] = ["nothing:*"]
    run = shared.at(host).deploy()
    assert not run.ok
    assert "rolled back" in run.output
    assert accepts(host, former)
    assert on_disk(host) == before
    assert not accepts(host, shared.password, OPERATOR)
    with_users(shared)
    deployed(shared)
