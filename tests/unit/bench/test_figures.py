"""What the benchmark says of itself: spreads, and aims that are told as reached or not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bench import results
from tests.bench.figures import figures
from tests.bench.measure import BenchError, Command, Cost, run
from tests.bench.results import Measured

Seconds = Mapping[tuple[str, str], float]


def kept(folder: Path, kind: str, hosts: int, seconds: Seconds, **more: float) -> dict[str, Any]:
    runs = [
        Measured(scene, way, Cost(wall, cpu=more.get("cpu", wall), memory=more.get("memory")))
        for (scene, way), wall in seconds.items()
    ]
    return results.read_one(results.write(kind, hosts, runs, folder))


def told(found: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    return {figure.aim: (figure.value, figure.reached) for figure in figures(found)}


def test_minimum_median_and_maximum_are_kept(tmp_path: Path) -> None:
    runs = [Measured("converged", "ours", Cost(wall, cpu=1, memory=None, execs=1)) for wall in (3, 1, 2.0004)]
    ours = results.read_one(results.write("docker", 3, runs, tmp_path))["summary"]["converged"]["ours"]
    assert ours == {"times": 3, "wall": [1, 2, 3], "cpu": [1, 1, 1], "execs": [1, 1, 1]}
    assert [data["hosts"] for data in results.read(tmp_path)] == [3]


@pytest.mark.parametrize(("ansible", "reached"), [(30.0, True), (29.0, False)])
def test_a_converged_run_is_set_beside_ansible(tmp_path: Path, ansible: float, reached: bool) -> None:
    found = [kept(tmp_path, "docker", 10, {("converged", "ours"): 2, ("converged", "ansible"): ansible})]
    assert told(found) == {"a converged run at least 15 times faster than Ansible": (f"{ansible / 2:.1f}", reached)}


def test_few_hosts_tell_nothing_of_the_aims(tmp_path: Path) -> None:
    assert told([kept(tmp_path, "docker", 3, {("converged", "ours"): 2, ("converged", "ansible"): 90})]) == {}


def test_a_rollout_is_measured_by_what_it_takes_beyond_a_converged_run(tmp_path: Path) -> None:
    seconds = {("converged", "ours"): 2, ("rollout", "ours"): 12, ("converged", "floor"): 1, ("rollout", "floor"): 11}
    found = told([kept(tmp_path, "docker", 10, seconds)])
    assert [value for aim, value in found.items() if "rollout" in aim] == [("1.00", True)]


def test_the_cost_of_one_more_host_is_told_from_two_fleets(tmp_path: Path) -> None:
    one = {("converged", "ours"): 5.0}
    found = [kept(tmp_path, "sshd", 100, one, cpu=2, memory=80), kept(tmp_path, "sshd", 300, one, cpu=8, memory=180)]
    assert list(told(found).values()) == [("30", False), ("0.5", True)]


def test_growth_is_told_for_a_doubling(tmp_path: Path) -> None:
    found = [kept(tmp_path, "fake", hosts, {("converged", "ours"): wall}) for hosts, wall in ((1000, 6), (4000, 24), (10_000, 60))]
    assert list(told(found).values()) == [("60 s", True), ("2.00", True)]


def test_what_fails_is_no_measurement(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run(Command([sys.executable, "-c", "pass"]), log).cpu > 0
    with pytest.raises(BenchError, match=r"status 3[^?]*why"):
        run(Command(["sh", "-c", "echo why; exit 3"]), log)
