"""Checks that an operator declares for a service of their own, as many and as long as they like."""

from __future__ import annotations

import pytest

from tests.fleet import catalogs
from tests.fleet.fleet import SERVICES, Fleet
from tests.lab.images import in_hosts

# together they are longer than an argument may be on Linux: 128 KiB
COUNT, LENGTH = 22, 7000
CHECKS = [f"many.check{n}" for n in range(COUNT)]
MANY = f"""\
x-fleet:
  checks:
{
    "".join(
        f'''
    - {{id: {check}, http: "http://127.0.0.1:8098/?{n}={'x' * LENGTH}", status: 200}}'''
        for n, check in enumerate(CHECKS)
    )
}
    - {{id: many.absent, http: "http://127.0.0.1:8098/absent", status: 404}}
services:
  many:
    image: {in_hosts("openwebui-standin")}
    init: true
    restart: unless-stopped
    ports: ["127.0.0.1:8098:8098"]
    command: [python3, -m, http.server, "8098"]
"""


@pytest.fixture
def many(converged: Fleet) -> Fleet:
    """An operator with one host, which runs a service with all these checks."""
    one = converged.at(converged.hosts[0])
    catalogs.write(one, many=MANY)
    one.settings["services"] = [*SERVICES, "many"]
    run = one.deploy()
    assert run.ok, run.output
    return one


def test_twenty_two_long_checks_are_all_asked_in_one_exec(many: Fleet) -> None:
    host = many.hosts[0]
    before = host.sessions()
    run = many.deploy()
    assert (run.ok, run.host(host.name)["status"]) == (True, "ok"), run.output
    assert host.sessions() - before == 1
    asked = {check["id"]: (check["verdict"], check["detail"]) for check in run.host(host.name)["checks"]}
    assert [asked[check] for check in CHECKS] == [("ok", "status 200")] * COUNT
    assert asked["many.absent"] == ("ok", "status 404")


def test_one_of_them_that_fails_is_told(many: Fleet) -> None:
    host = many.hosts[0]
    host.run("docker exec erni-ki-many-1 touch absent")
    run = many.deploy()
    assert (run.status, run.bad_checks(host.name)) == (1, ["many.absent"])
