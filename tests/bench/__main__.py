"""`python -m tests.bench`: a converged run beside its floor, the same probes over bare ssh, and what a first run costs.

Runs of the two alternate, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from operations.facts.bundle import Bundle
from operations.observe import questions
from operations.wanted import stack_from
from tests.fleet.fleet import PYINFRA, Fleet, wipe
from tests.lab import Host, Lab

SNAPSHOTS = 20  # in a row, on one host


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--times", type=int, default=7, help="how often each way is run (default: 7)")
    parser.add_argument("--hosts", type=int, default=3, help="how many hosts of the lab (default: 3); the lab keeps no more")
    given = parser.parse_args()
    hosts = Lab.here().up(given.hosts)
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), hosts)
        _show(_first_run(fleet), f"First provisioning of {given.hosts} hosts")
        _show(_converged(fleet, given.times), f"Converged run of {given.hosts} hosts, all checks; {given.times} times, alternating")
    return 0


def _first_run(fleet: Fleet) -> list[tuple[str, str]]:
    for host in fleet.hosts:
        wipe(host)
    execs, took = _execs(fleet.hosts, lambda: _took(fleet.deploy))
    return [("wall", f"{took:.1f} s"), ("SSH execs per host", execs)]


def _converged(fleet: Fleet, times: int) -> list[tuple[str, str]]:
    execs, _ = _execs(fleet.hosts, fleet.deploy)
    data = fleet.inventory()["fleet"]["data"]
    os.environ["REDIS_PASSWORD"] = fleet.password
    snapshot = _snapshot({name: value for name, value in data.items() if not name.startswith("ssh_")})
    ours, floor, start = [], [], []
    for _ in range(times):
        start.append(_took(lambda: subprocess.run([PYINFRA, "--version"], capture_output=True, check=True)))
        floor.append(_took(lambda: _over_ssh(fleet.hosts, snapshot)))
        ours.append(_took(fleet.deploy))
    ratio = statistics.median(ours) / statistics.median(floor)
    return [
        ("SSH execs per host", execs),
        ("snapshot, on the host alone", f"{_on_host(fleet.hosts[0], snapshot):.0f} ms"),
        ("pyinfra inventory deploy.py", _spread(ours)),
        ("the floor: parallel `ssh host sh -s` with the same probes", _spread(floor)),
        ("ratio of the medians", f"{ratio:.2f}"),
        ("the start of pyinfra alone (`pyinfra --version`)", _spread(start)),
        (
            "ratio to the floor with that start",
            f"{statistics.median(ours) / (statistics.median(floor) + statistics.median(start)):.2f}",
        ),
    ]


def _snapshot(data: dict[str, object]) -> str:
    """The one command that a converged run sends, as shell text."""
    from operations.secrets import Secret

    stack = stack_from({**data, "redis_password": Secret("REDIS_PASSWORD")})
    return Bundle().command(questions(stack)).get_raw_value()


def _over_ssh(hosts: Sequence[Host], text: str) -> None:
    running = []
    for host in hosts:
        words = host.ssh_command("sh" if host.user == "root" else "sudo", *(["sh"] if host.user != "root" else []), "-s")
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        running.append(process)
    for process in running:
        process.wait()


def _on_host(host: Host, text: str) -> float:
    """Milliseconds that one snapshot takes, without SSH."""
    host.run("cat >/root/snapshot.sh", stdin=text)
    loop = f"for i in $(seq {SNAPSHOTS}); do sh /root/snapshot.sh >/dev/null; done"
    took = host.run(f"s=$(date +%s%N); {loop}; e=$(date +%s%N); echo $((e - s)); rm /root/snapshot.sh")
    return int(took) / 1e6 / SNAPSHOTS


def _execs(hosts: Sequence[Host], work: Callable[[], float | object]) -> tuple[str, float]:
    """How many commands the work started on each host, as their sshd tells, and how long it took."""
    before = [host.sessions() for host in hosts]
    took = _took(work)
    counts = {host.sessions() - seen for host, seen in zip(hosts, before, strict=True)}
    return " to ".join(map(str, sorted(counts))), took


def _took(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (from {min(seconds):.2f} to {max(seconds):.2f})"


def _show(rows: Sequence[tuple[str, str]], title: str) -> None:
    table = Table("", title, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
