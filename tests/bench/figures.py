"""The figures that are aimed at, and what was measured of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AT_LEAST = 10  # hosts, from which the aims hold that are relative to another way

Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Figure:
    """One aim, with the value that was measured at a number of hosts, and whether that is good enough."""

    aim: str
    hosts: str
    value: str
    reached: bool


def figures(found: Results) -> Iterator[Figure]:
    """As far as there are results for them."""
    for data in of_kind(found, "docker"):
        if data["hosts"] >= AT_LEAST:
            yield from _beside_the_others(data)
    ours = [data for data in found if has(data, "converged", "ours")]  # one that was interrupted may have none
    for small, large in _neighbours(of_kind(ours, "sshd")):
        more = large["hosts"] - small["hosts"]
        hosts = f"{small['hosts']} → {large['hosts']}, sshd alone"
        for measure, factor, unit, limit in (("cpu", 1000, "ms of controller CPU", 25), ("memory", 1, "MB", 1)):
            each = (median(large, "converged", "ours", measure) - median(small, "converged", "ours", measure)) / more * factor
            yield Figure(f"at most {limit} {unit} for one more converged host", hosts, f"{each:.2g}", each <= limit)
    fakes = of_kind(ours, "fake")
    for data in fakes:
        if data["hosts"] >= 10_000:
            wall = median(data, "converged", "ours", "wall")
            yield Figure("planning 10,000 hosts in at most 60 s", str(data["hosts"]), f"{wall:.0f} s", wall <= 60)
    for small, large in _neighbours(fakes):
        doublings = math.log2(large["hosts"] / small["hosts"])
        grown = (median(large, "converged", "ours", "cpu") / median(small, "converged", "ours", "cpu")) ** (1 / doublings)
        hosts = f"{small['hosts']} → {large['hosts']}"
        yield Figure("twice the hosts are planned in at most 2.2 times the time", hosts, f"{grown:.2f}", grown <= 2.2)


def _beside_the_others(data: Mapping[str, Any]) -> Iterator[Figure]:
    """Ratios of medians of the same run."""
    hosts = str(data["hosts"])
    for other, least in (("ansible", 15), ("pyinfra", 3)):
        if has(data, "converged", other) and has(data, "converged", "ours"):
            ratio = median(data, "converged", other) / median(data, "converged", "ours")
            aim = f"a converged run at least {least} times faster than {NAMES[other]}"
            yield Figure(aim, hosts, f"{ratio:.1f}", ratio >= least)
    for scene in ("converged", "provision"):
        if has(data, scene, "floor") and has(data, scene, "ours"):
            ratio = median(data, scene, "ours") / median(data, scene, "floor")
            yield Figure(f"{SCENE_NAMES[scene]}: at most 1.2 times the floor", hosts, f"{ratio:.2f}", ratio <= 1.2)
    if all(has(data, scene, way) for scene in ("converged", "rollout") for way in ("ours", "floor")):
        ours, floor = (median(data, "rollout", way) - median(data, "converged", way) for way in ("ours", "floor"))
        aim = "a rollout's time beyond a converged run: at most 1.1 times the floor's, which is the containers' own"
        yield Figure(aim, hosts, f"{ours / floor:.2f}", ours <= 1.1 * floor)


NAMES = {
    "ours": "this project",
    "waves": "this project, default waves",
    "pyinfra": "pyinfra's own operations",
    "ansible": "Ansible",
    "floor": "floor",
    "exec": "`pyinfra exec true`",
    "yardstick": "yardstick",
}
SCENE_NAMES = {
    "provision": "first provisioning",
    "converged": "converged run, all checks",
    "repair": "repair, one host in ten",
    "half": "repair, every other host",
    "every": "repair, all hosts",
    "rollout": "password rollout",
}


def of_kind(found: Results, kind: str) -> list[Mapping[str, Any]]:
    """Those with hosts of this kind, by their number."""
    return sorted((data for data in found if data["kind"] == kind), key=lambda data: int(data["hosts"]))


def has(data: Mapping[str, Any], scene: str, way: str) -> bool:
    return way in data["summary"].get(scene, {})


def median(data: Mapping[str, Any], scene: str, way: str, measure: str = "wall") -> float:
    value: float = data["summary"][scene][way][measure][1]
    return value


def _neighbours(found: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return itertools.pairwise(found)
