"""Whatever stands in the place of redis is told no other secret, and what it answers costs its own host a moment and no more."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from operations.controller.secrets import new
from tests.fleet.false_redis import ANSWERS, FalseRedis, instead_of_redis
from tests.fleet.fleet import ROOT, STACK, Fleet, Run

MEGABYTE = 1 << 20
# secrets of others, and a password of redis, as they lie in a stack's folder
POSTGRES, ADMIN, TOKEN, IN_URL, CACHE = (f"{name}_{new()}" for name in ("Postgres", "Admin", "Token", "Database", "Cache"))
WRITTEN = {
    "secrets/postgres_password.txt": POSTGRES,
    "secrets/app/token": TOKEN,
    "env/app.env": f"DATABASE_URL=postgres://app:{IN_URL}@db/app\nADMIN_PASSWORD={ADMIN}",
    "env/cache.env": f"SEARXNG_VALKEY_URL=valkey://:{CACHE}@redis:6379/0",
}


@pytest.fixture
def answers_noauth(converged: Fleet) -> Iterator[tuple[Fleet, FalseRedis]]:
    """One host, with further secrets in its files, whose redis answers NOAUTH to everything."""
    one = converged.at(converged.hosts[0])
    host = one.hosts[0]
    for path, text in WRITTEN.items():
        host.run(f"cd {STACK} && mkdir -p $(dirname {path}) && umask 077 && cat >{path}", stdin=f"{text}\n")
    with instead_of_redis(host, "NOAUTH to everything") as false:
        yield one, false
    host.run(f"cd {STACK} && rm -rf secrets/app {' '.join(WRITTEN)}")


def test_a_redis_that_wants_every_secret_is_offered_what_is_called_redis_and_no_other(
    answers_noauth: tuple[Fleet, FalseRedis],
) -> None:
    one, false = answers_noauth
    former, one.password = one.password, new()
    one.preview()
    run = one.deploy()
    assert run.host(one.hosts[0].name)["status"] == "failed", run.output
    # all that the files call redis' was tried, so what is missing below was held back and not just not needed
    assert {former, CACHE} <= false.offered
    told = false.told
    assert [secret for secret in (POSTGRES, ADMIN, TOKEN, IN_URL) if secret.encode() in told] == []


@dataclass(frozen=True)
class Measured:
    """A run, how long it took, and how much memory its process had at its peak, in bytes."""

    run: Run
    seconds: float
    memory: int


def measured(fleet: Fleet) -> Measured:
    """A deploy."""
    with (fleet.folder / "output").open("w+", errors="replace") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            fleet.command("-y", "inventory", "deploy.py"), cwd=ROOT, env=fleet.environment(),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        output.seek(0)
        report = json.loads((fleet.folder / "reports/latest.json").read_text())
        return Measured(Run(process.returncode, output.read(), report), took, used.ru_maxrss * 1024)


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if answer != "NOAUTH to everything"])
def test_a_redis_that_answers_without_bounds_costs_its_own_host_a_moment(converged: Fleet, answer: str) -> None:
    host, *others = converged.hosts
    usual = measured(converged)
    assert usual.run.ok, usual.run.output
    with instead_of_redis(host, answer) as false:
        found = measured(converged)
        sent, longest = false.sent, false.longest
    assert found.run.host(host.name)["status"] == "failed"
    assert found.run.host(host.name)["error"].startswith(
        "redis: could not be observed (what it said could not be read). Nothing is"
    )
    assert [found.run.host(other.name)["status"] for other in others] == ["ok"] * len(others)
    assert [found.run.bad_checks(other.name) for other in others] == [[]] * len(others)
    assert "Traceback" not in found.run.output
    # redis is given 5 seconds and a megabyte; what it sends beyond that lies in the buffers of its connection
    assert 0 < sent < 64 * MEGABYTE
    assert longest < 8
    assert found.memory - usual.memory < 64 * MEGABYTE
    assert found.seconds < 2 * usual.seconds + 15  # the machine may be busy
