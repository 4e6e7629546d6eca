"""The results as tables and plots: on the terminal, and in docs/benchmarks.md between its markers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.fleet.fleet import ROOT
from tests.lab.machine import say

from . import results
from .figures import NAMES, SCENE_NAMES, Results, figures, has, of_kind
from .ways import VENV

PAGE = ROOT / "docs/benchmarks.md"
PLOTS = ROOT / "docs/benchmarks"
BEGIN, END = "<!-- measured: written by `python -m tests.bench report` -->", "<!-- end of what was measured -->"

Rows = list[list[str]]


def report(folder: Path = results.FOLDER) -> None:
    """Print what was kept, and write it into the page."""
    found = results.read(folder)
    titled = print_all(found)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n\n".join(f"### {title}\n\n{_markdown(rows)}" for title, rows in titled)
    PAGE.write_text(f"{before}{BEGIN}\n\n{_when(found)}\n\n{tables}\n\n{END}{after}")
    say(f"Written into {PAGE}")
    if not (VENV / "bin/python").exists():
        say(f"No plots: {VENV} is not there; `make bench` builds it.")
        return
    subprocess.run([VENV / "bin/python", Path(__file__).with_name("plots.py"), folder, PLOTS], check=True)
    say(f"Drawn in {PLOTS}")


def print_all(found: Results) -> list[tuple[str, Rows]]:
    """Every table that there are results for, on the terminal; returns them."""
    titled = [(title, rows) for title, rows in _tables(found) if len(rows) > 1]
    for title, rows in titled:
        _print(title, rows)
    return titled


def _print(title: str, rows: Rows) -> None:
    """The first row is the table's head."""
    table = Table(*rows[0], title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*row)
    Console(width=160).print(table, "")


def _tables(found: Results) -> Iterator[tuple[str, Rows]]:
    dockers, sshds, fakes = (of_kind(found, kind) for kind in ("docker", "sshd", "fake"))
    yield (
        "Aims",
        [["aim", "hosts", "measured", ""]]
        + [[figure.aim, figure.hosts, figure.value, "reached" if figure.reached else "not reached"] for figure in figures(found)],
    )
    yield "Hosts with Docker: seconds", list(_walls(dockers))
    yield "Hosts with Docker: a converged run", list(_costs(dockers, ("ours", "pyinfra", "ansible", "floor"), together=True))
    yield "Hosts that are an sshd alone: a converged run", list(_costs(sshds, ("ours", "exec", "floor"), together=False))
    yield "Hosts that are only planned", list(_plans(fakes))


def _walls(found: Results) -> Iterator[list[str]]:
    ways = ("ours", "waves", "pyinfra", "ansible", "floor")
    yield ["", "hosts", *(NAMES[way] for way in ways)]
    for scene, title in SCENE_NAMES.items():
        for data in found:
            if scene in data["summary"]:
                yield [title, str(data["hosts"]), *(_told(data, scene, way, "wall") for way in ways)]


def _costs(found: Results, ways: Sequence[str], together: bool) -> Iterator[list[str]]:
    memory = "together" if together else "memory"
    yield ["hosts", "", "seconds", "controller CPU, s", "memory, MB", "commands a host", "KB a host"]
    for data in found:
        for way in ways:
            if has(data, "converged", way):
                traffic = data["summary"]["converged"][way]["traffic"][1] / 1000
                told = [_told(data, "converged", way, measure) for measure in ("wall", "cpu", memory, "execs")]
                yield [str(data["hosts"]), NAMES[way], *told, f"{traffic:.0f}"]


def _plans(found: Results) -> Iterator[list[str]]:
    yield ["hosts", "", "seconds", "controller CPU, s", "memory, MB"]
    shown = (("converged", "ours", "all as wanted"), ("rollout", "ours", "all get another password"))
    for data in found:
        for scene, way, title in (*shown, ("converged", "yardstick", "yardstick: one fact, two operations")):
            if has(data, scene, way):
                yield [str(data["hosts"]), title, *(_told(data, scene, way, measure) for measure in ("wall", "cpu", "memory"))]


def _told(data: Mapping[str, Any], scene: str, way: str, measure: str) -> str:
    """Median, and in brackets minimum and maximum where they differ, and of how many runs."""
    if not has(data, scene, way) or measure not in data["summary"][scene][way]:
        return ""
    part = data["summary"][scene][way]
    least, middle, most = (f"{value:.3g}" if value < 100 else f"{value:.0f}" for value in part[measure])
    return middle if least == most else f"{middle} ({least} to {most}; {part['times']})"


def _when(found: Results) -> str:
    days = sorted({data["when"][:10] for data in found})
    cores = ", ".join(sorted({str(data["machine"]["cores"]) for data in found}))
    versions = "; ".join(sorted({f"Python {data['versions']['python']}, pyinfra {data['versions']['pyinfra']}" for data in found}))
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    return (
        f"Measured {when} on {cores} cores that the hosts and the controller share; {versions}. "
        "Medians, in brackets least and most, and the number of runs; seconds without brackets were measured once."
    )


def _markdown(rows: Rows) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])
