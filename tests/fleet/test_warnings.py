"""What is not well but need not end a run is told, and with `strict` it ends the run all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet, Run

LITERAL = "compose.no_literal_password"


@pytest.fixture
def one(converged: Fleet) -> Fleet:
    """An operator with one host, which is as wanted."""
    return converged.at(converged.hosts[0])


def test_a_disk_that_fills_is_a_warning_and_with_strict_a_failure(one: Fleet) -> None:
    name = one.hosts[0].name
    one.settings["disk_min_free"] = 10**9
    warned = one.deploy()
    assert (warned.status, warned.host(name)["status"], warned.report["run"]["ok"]) == (0, "ok", True), warned.output
    assert warned.check(name, "disk.space")["verdict"] == "warning"
    assert f"! disk.space on {name}" in warned.output
    one.settings["strict"] = True
    failed = one.deploy()
    assert (failed.status, failed.host(name)["status"], failed.bad_checks(name)) == (1, "failed", ["disk.space"])


@pytest.fixture
def written(one: Fleet) -> Iterator[Fleet]:
    """The host's own compose.yml names a password of before, which redis never knew."""
    host = one.hosts[0]
    host.run(
        f"cd {STACK} && cp -p compose.yml /run/compose.yml.kept && echo 'x-before: redis://:{new()}@redis:6379/0' >>compose.yml"
    )
    yield one
    host.run(f"cd {STACK} && cp -p /run/compose.yml.kept compose.yml && rm /run/compose.yml.kept")


def literal(run: Run, name: str) -> tuple[int, str]:
    return run.status, run.check(name, LITERAL)["verdict"]


def test_a_written_password_that_redis_refuses_is_a_warning_and_the_one_it_takes_a_failure(written: Fleet) -> None:
    host = written.hosts[0]
    assert literal(written.deploy(), host.name) == (0, "warning")
    host.run(f'cd {STACK} && echo "x-now: redis://:$(cat secrets/redis/password)@redis:6379/0" >>compose.yml')
    assert literal(written.deploy(), host.name) == (1, "failed")
