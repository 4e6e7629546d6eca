"""Draws the results: `python plots.py <folder with JSON> <folder for SVG>`, with matplotlib and so in the benchmark's own venv."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

NAMES = {
    "ours": "this project",
    "waves": "this project, default waves",
    "pyinfra": "pyinfra's own operations",
    "ansible": "Ansible",
    "floor": "floor: bare ssh",
}
COLOURS = {"ours": "#0b7285", "waves": "#66a5ad", "pyinfra": "#e67700", "ansible": "#c92a2a", "floor": "#868e96"}
PLANNED = {"converged": "all as wanted", "rollout": "all get another password"}
# how many hosts of a hundred each scene changes
CHANGED = {"converged": 0, "repair": 10, "half": 50, "every": 100}

plt.rcParams.update({
    "svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 10, "figure.figsize": (8, 4.2),
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
})  # fmt: skip


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    found = [json.loads(path.read_text()) for path in sorted(source.glob("*-*.json"))]
    found.sort(key=lambda data: data["hosts"])
    target.mkdir(parents=True, exist_ok=True)
    hosts(found, target / "hosts.svg")
    changes(found, target / "changes.svg")
    planning(found, target / "planning.svg")


def hosts(found: list[dict[str, Any]], target: Path) -> None:
    """A converged run against the number of hosts, dashed where they are an sshd alone."""
    _, axes = plt.subplots()
    for kind, style in (("docker", "o-"), ("sshd", "s--")):
        for way, colour in COLOURS.items():
            points = [(data["hosts"], spread(data, "converged", way)) for data in found if data["kind"] == kind]
            curve(axes, [(x, y) for x, y in points if y], style, colour, NAMES[way] if kind == "docker" else None)
    axes.set(
        xscale="log", yscale="log", xlabel="hosts (dashed: an sshd alone)", ylabel="seconds", title="Converged run, all checks"
    )
    save(axes, target)


def changes(found: list[dict[str, Any]], target: Path) -> None:
    """A run against the share of hosts that it repairs, for the number of hosts with most shares."""
    dockers = [data for data in found if data["kind"] == "docker"]
    if not dockers:
        return
    data = max(dockers, key=lambda one: (len(CHANGED.keys() & one["summary"].keys()), one["hosts"]))
    _, axes = plt.subplots()
    for way, colour in COLOURS.items():
        points = [(max(share * data["hosts"] // 100, share > 0), spread(data, scene, way)) for scene, share in CHANGED.items()]
        curve(axes, [(x, y) for x, y in points if y], "o-", colour, NAMES[way])
    axes.set(xlabel="hosts that are repaired", ylabel="seconds", yscale="log", title=f"Drift repair on {data['hosts']} hosts")
    save(axes, target)


def planning(found: list[dict[str, Any]], target: Path) -> None:
    """CPU time of a plan against the number of hosts."""
    _, axes = plt.subplots()
    for (scene, title), colour in zip(PLANNED.items(), ("#0b7285", "#e67700"), strict=True):
        points = [(data["hosts"], spread(data, scene, "ours", "cpu")) for data in found if data["kind"] == "fake"]
        curve(axes, [(x, y) for x, y in points if y], "o-", colour, title)
    axes.set(xscale="log", yscale="log", xlabel="hosts", ylabel="seconds of CPU", title="Planning, without connections")
    save(axes, target)


def spread(data: dict[str, Any], scene: str, way: str, measure: str = "wall") -> Any:
    return data["summary"].get(scene, {}).get(way, {}).get(measure)


def curve(axes: Any, points: list[tuple[int, Any]], style: str, colour: str, label: str | None) -> None:
    """Medians as a line, and what lies between least and most as a bar."""
    if points:
        x, low, middle, high = zip(*((x, *spread) for x, spread in points), strict=True)
        axes.plot(x, middle, style, color=colour, label=label, markersize=4)
        axes.vlines(x, low, high, color=colour, alpha=0.5)


def save(axes: Any, target: Path) -> None:
    if axes.lines:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
        if axes.get_xscale() == "log":
            axes.set_xticks(sorted({float(x) for line in axes.lines for x in line.get_xdata()}))
        axes.figure.tight_layout()
        axes.figure.savefig(target, metadata={"Date": None})
    plt.close(axes.figure)


if __name__ == "__main__":
    main()
