"""What a command costs: the controller in time, CPU and memory, and each host in commands and bytes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import Host
from tests.lab.machine import in_parallel

LIMIT = 1800  # seconds that a command may take
SAMPLED = 0.25  # seconds between two looks at the memory

# Commands over SSH so far, as sshd tells; and what went through the host's own network interface, not its containers'.
COUNT = r"""
grep -c 'Starting session' /var/log/sshd.log || true
sed -n 's/^ *eth0: *//p' /proc/net/dev
"""


class BenchError(Exception):
    """A command failed, so that what it took means nothing."""


@dataclass(frozen=True)
class Command:
    """Something to run on the controller."""

    words: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None


@dataclass(frozen=True)
class Cost:
    """What it took.

    + wall, cpu: seconds; cpu of all its processes that it waited for, user and system
    + memory: MB of the largest of them at its peak; None where that is less than this process, which Linux counts in
    + together: MB of all of them at their common peak, pages that they share counted once; None where nobody looked
    + execs, traffic: commands and bytes of a host, the mean of all; None where nobody counted
    """

    wall: float
    cpu: float
    memory: float | None
    together: float | None = None
    execs: float | None = None
    traffic: float | None = None


def run(command: Command, log: Path, watch: bool = False) -> Cost:
    """Run a command to its end; a status that is not 0 is a BenchError.

    + log: where its output goes
    + watch: look at its memory now and then, which disturbs it a little
    """
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.words, env=dict(command.env) or None, cwd=command.cwd, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        limit = threading.Timer(LIMIT, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        memory = _Memory(process.pid) if watch else None
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        limit.cancel()
    together = memory.peak() if memory else None
    if process.returncode:
        said = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise BenchError(f"{' '.join(command.words[:4])} … ended with status {process.returncode}. The end of {log}:\n{said}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024 if usage.ru_maxrss > own else None, together)


def counted(hosts: Sequence[Host]) -> list[tuple[int, int]]:
    """Of each host: commands so far, and bytes."""

    def count(host: Host) -> tuple[int, int]:
        sessions, interface = host.run(COUNT).splitlines()
        numbers = list(map(int, interface.split()))
        return int(sessions), numbers[0] + numbers[8]

    return in_parallel(count, hosts)


def of_a_host(before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Commands and bytes between two counts, the mean of all hosts."""
    pairs = list(zip(before, after, strict=True))
    return tuple(sum(new[n] - old[n] for old, new in pairs) / len(pairs) for n in (0, 1))  # type: ignore[return-value]


class _Memory:
    """Looks at a process and all that it started until it has ended."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._most = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def peak(self) -> float:
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while pids := _family(self._root):
            self._most = max(self._most, sum(map(_proportional, pids)) / 1024)
            time.sleep(SAMPLED)


def _family(root: int) -> list[int]:
    """The process and those below it; Ansible's workers have sessions of their own."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    found = [root] if root in parents else []
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _proportional(pid: int) -> int:
    """KB of a process, of shared pages its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
