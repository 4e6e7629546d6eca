"""Hosts of pyinfra's `@fake` connector: what planning costs the controller, without any connection."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from operations.controller.secrets import new
from tests.lab import Lab
from tests.lab.machine import say

from .measure import Command, run
from .recording import INSTANT, Recording, fake, record, yardstick
from .results import Measured


def measure(hosts: int, times: int, scenes: Sequence[str]) -> Iterator[Measured]:
    """`--dry` on hosts that are as wanted, and on hosts that all need another password, beside a yardstick."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        recording = record(Lab.here().up(1)[0], folder / "recorded")
        commands = {
            ("converged", "yardstick"): yardstick(hosts, folder),
            ("converged", "ours"): planned(hosts, recording, folder / "converged"),
            ("rollout", "ours"): planned(hosts, recording, folder / "rollout", new()),
        }
        for turn in range(times):
            for (scene, way), command in commands.items():
                if scene in scenes:
                    cost = run(command, folder / "log")
                    told = f"{cost.wall:.1f} s, {cost.cpu:.1f} s of CPU"
                    say(f"{hosts} fake hosts, turn {turn + 1} of {times}: {scene}, {way}: {told}")
                    yield Measured(scene, way, cost)


def planned(hosts: int, recording: Recording, folder: Path, password: str | None = None) -> Command:
    """The plan for so many hosts that are as wanted with the recording's password."""
    instant = replace(recording, data={**recording.data, **INSTANT})
    return instant.command(folder, fake(hosts), "--dry", password=password)
