"""Somebody is told: what a run changed, and what `watch` finds while it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from operations.controller.secrets import new
from tests.fleet.fleet import Fleet, containers, files
from tests.receiver import Receiver


@pytest.fixture
def told(converged: Fleet) -> Iterator[tuple[Fleet, Receiver]]:
    """One host, and who is told of it."""
    receiver, fleet = Receiver(), converged.at(converged.hosts[0])
    fleet.settings["notify"] = [receiver.address]
    yield fleet, receiver
    receiver.shutdown()
    receiver.server_close()


def test_a_change_is_told_a_look_that_finds_nothing_is_not_and_drift_is_told_once(told: tuple[Fleet, Receiver]) -> None:
    fleet, receiver = told
    (host,) = fleet.hosts
    fleet.password = new()
    run = fleet.deploy()
    assert run.ok, run.output
    (got,) = receiver.got
    assert got["title"] == "erni-ki: 1 host ok, 1 changed"
    assert fleet.password not in json.dumps(got)
    assert f"/{run.report['run']['id']}.html" in got["message"]

    look = ("operations", "watch", "--times", "1", "--inventory", "inventory")
    assert fleet.module(*look).ok
    assert len(receiver.got) == 1

    host.run("docker stop erni-ki-redis-exporter-1")
    before = files(host), containers(host)
    for _ in range(2):
        assert not fleet.module(*look).ok
    assert (files(host), containers(host)) == before
    assert [one["title"] for one in receiver.got[1:]] == ["erni-ki: 1 host of 1 failed"]
    assert f"{host.name}: failed: container.redis-exporter: exited" in receiver.got[1]["message"]
    prometheus = (fleet.folder / "reports/report.prom").read_text()
    assert f'check{{host="{host.name}",check="container.redis-exporter",verdict="failed"}} 1' in prometheus

    assert fleet.deploy().ok
    assert [one["title"] for one in receiver.got[2:]] == ["erni-ki: 1 host ok, 1 changed"]
    assert f"{host.name}: well again" in receiver.got[2]["message"]
