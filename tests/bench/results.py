"""What was measured, kept as JSON: each run, and minimum, median and maximum of every measure."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .measure import Cost

FOLDER = Path(__file__).parent / "results"
MEASURES = ("wall", "cpu", "memory", "together", "execs", "traffic")

Spread = tuple[float, float, float]


@dataclass(frozen=True)
class Measured:
    """One run of one way."""

    scene: str
    way: str
    cost: Cost


def write(kind: str, hosts: int, runs: Iterable[Measured], folder: Path = FOLDER) -> Path:
    """Keep the runs; an older file of the same kind and number of hosts goes.

    + kind: what the hosts are: docker, sshd or fake
    """
    runs = list(runs)
    data = {
        "kind": kind,
        "hosts": hosts,
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[2], 2)},
        "versions": {"python": platform.python_version(), "pyinfra": version("pyinfra")},
        "summary": _summary(runs),
        "runs": [{"scene": run.scene, "way": run.way, **_rounded(asdict(run.cost))} for run in runs],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}-{hosts}.json"
    # three numbers on a line, and one run
    text = re.sub(r"[\[{][^\[\]{}]+[\]}]", lambda found: " ".join(found[0].split()), json.dumps(data, indent=1))
    path.write_text(f"{text}\n")
    return path


def read(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """All that was kept, by kind and number of hosts."""
    found = [read_one(path) for path in folder.glob("*-*.json")]
    return sorted(found, key=lambda data: (data["kind"], data["hosts"]))


def read_one(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def spread(values: Iterable[float]) -> Spread:
    """Minimum, median and maximum."""
    values = list(values)
    return min(values), statistics.median(values), max(values)


def _summary(runs: list[Measured]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for scene, way in dict.fromkeys((run.scene, run.way) for run in runs):
        costs = [run.cost for run in runs if (run.scene, run.way) == (scene, way)]
        part = found.setdefault(scene, {}).setdefault(way, {"times": len(costs)})
        for measure in MEASURES:
            if values := [value for cost in costs if (value := getattr(cost, measure)) is not None]:
                part[measure] = [round(value, 3) for value in spread(values)]
    return found


def _rounded(cost: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) for name, value in cost.items() if value is not None}
