"""Hosts with their own Docker Engine: the same work by every way, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from operations.controller.secrets import new
from tests.fleet.fleet import Fleet
from tests.lab import Host, Lab
from tests.lab.machine import say

from .measure import Cost, counted, of_a_host, run
from .results import Measured
from .ways import DRIFTED, WAYS, Way

CONVERGED = 3  # converged runs for each of the others, since they are short
AT_ONCE = 3  # hosts that install packages at the same time

# Ansible's modules need it on the host; neither the project nor the other ways do.
PYTHON = """
command -v python3 >/dev/null && exit
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends python3 && apt-get clean
"""


def measure(hosts: int, times: int, ways: Sequence[str], scenes: Sequence[str]) -> Iterator[Measured]:
    """Every scene by every way, `times` times, the ways in turns and each time another one first."""
    machines = Lab.here().up(hosts)
    if "ansible" in ways:
        _install_python(machines)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for turn in range(times):
            at = turn % len(ways)
            for name in (*ways[at:], *ways[:at]):
                place = Path(folder) / f"{name}-{turn}"
                place.mkdir()
                way = WAYS[name](Fleet(place, machines), place / "way")
                say(f"{hosts} hosts, turn {turn + 1} of {times}: {name}")
                yield from _turn(way, [scene for scene in scenes if scene in way.scenes])


def _turn(way: Way, scenes: Sequence[str]) -> Iterator[Measured]:
    """From nothing through all scenes. What is not asked for is done where a later scene needs it, and not measured."""
    way.wipe()
    provisioned = _measured(way, "provision")
    if "provision" in scenes:
        yield provisioned
    if "converged" in scenes:
        # one to look at its memory, which also lets everything come to rest; the time of the others counts
        watched = _measured(way, "converged", watch=True).cost.together
        for _ in range(CONVERGED):
            found = _measured(way, "converged")
            yield replace(found, cost=replace(found.cost, together=watched))
    for scene in (scene for scene in DRIFTED if scene in scenes):
        way.drift(scene)
        yield _measured(way, scene)
    if "rollout" in scenes:
        former, way.fleet.password = way.fleet.password, new()
        yield _measured(way, "rollout", former)


def _measured(way: Way, scene: str, former: str = "", watch: bool = False) -> Measured:
    command = way.command(scene, former)
    way.cold()
    before = counted(way.fleet.hosts)
    cost = run(command, way.folder / "log", watch)
    execs, traffic = of_a_host(before, counted(way.fleet.hosts))
    way.confirm()
    say(f"    {scene}: {_told(cost)}, {execs:.0f} commands a host")
    return Measured(scene, way.name, replace(cost, execs=execs, traffic=traffic))


def _told(cost: Cost) -> str:
    return f"{cost.wall:.2f} s, {cost.cpu:.2f} s of CPU"


def _install_python(hosts: Sequence[Host]) -> None:
    """Some at a time: with all at once none would be done before its time is up."""
    say("hosts: installing Python for Ansible")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda host: host.run(PYTHON, timeout=600), hosts))
