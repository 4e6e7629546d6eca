"""The answer of a converged host, kept so that any number of hosts can give it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.controller.secrets import new
from operations.facts.base import NONCE
from tests.fleet.fleet import ROOT, Fleet
from tests.lab import Host

from . import material
from .measure import BenchError, Command

# the project's inventory, whose hosts answer the snapshot as the recorded one did: with the number that this process asks by
REPLAYED = """
import runpy
from pathlib import Path
from operations.facts.base import NONCE

_answer = Path({answer!r}).read_text().replace({nonce!r}, NONCE).splitlines()
for _name, _group in runpy.run_path({inventory!r}).items():
    if isinstance(_group, tuple):
        globals()[_name] = (_group[0], {{**_group[1], "fake_responses": {{"eval": _answer}}}})
"""
INSTANT = {"fake_delay": 0, "fake_delay_jitter": 0}
FOREVER = 10**9  # seconds: the answer's clock stands still


@dataclass(frozen=True)
class Recording:
    """What a host said, and the settings and the password that it is as wanted by.

    + question: the program that it answered, shell text
    + answer: what it said, with the number of this process in it
    """

    question: str
    answer: str
    data: dict[str, Any]
    password: str

    def command(self, folder: Path, hosts: dict[str, dict[str, Any]], *words: str, password: str | None = None) -> Command:
        """A deploy of such hosts, name → how each is reached. Those of `@fake` give this answer.

        + folder: for the inventory, the secrets and the reports
        + password: the wanted one, where it is another
        """
        folder.mkdir(exist_ok=True)
        fleet = Fleet(folder, [], password or self.password, strangers=hosts, settings=self.data)
        (folder / "answer").write_text(self.answer)
        replayed = REPLAYED.format(answer=str(folder / "answer"), nonce=NONCE, inventory=str(ROOT / "inventory"))
        (folder / "replayed.py").write_text(replayed)
        return Command(fleet.command(*words, str(folder / "replayed.py"), "deploy.py"), fleet.environment(), ROOT)


def record(host: Host, folder: Path) -> Recording:
    """Bring the stack to a host and keep what it then says."""
    folder.mkdir()
    fleet = Fleet(folder, [host], new())
    done = fleet.deploy()
    if not done.ok:
        raise BenchError(f"{host.name} could not be brought to the stack:\n{done.output[-3000:]}")
    return recorded(fleet, host)


def recorded(fleet: Fleet, host: Host) -> Recording:
    """What a host says that is as its operator wants it."""
    data = fleet.inventory()["fleet"]["data"]
    settings = {name: value for name, value in data.items() if not name.startswith(("ssh_", "secrets_file", "report_dir"))}
    question = material.snapshot(material.stack(data, fleet.password))
    answer = host.run("bash -s", stdin=question)
    return Recording(question, answer, {**settings, "clock_tolerance": FOREVER}, fleet.password)


def fake(hosts: int) -> dict[str, dict[str, Any]]:
    """So many hosts of pyinfra's `@fake` connector."""
    return {f"@fake/h-{n}": {} for n in range(hosts)}


def yardstick(hosts: int, folder: Path) -> Command:
    """The plan of a deploy with one fact and two operations of pyinfra's own, on as many such hosts."""
    armed = "from operations.controller import pyinfra_patches\n\npyinfra_patches.arm()\n"
    text = f"{armed}hosts = ({list(fake(hosts))!r}, {INSTANT!r})\n"
    (folder / "yardstick_inventory.py").write_text(text)
    deploy = Path(__file__).parent / "rivals/yardstick.py"
    words = (str(folder / "yardstick_inventory.py"), str(deploy))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return Command(Fleet(folder, []).command("--dry", *words), {**env, "PYINFRA_PROGRESS": "off"}, ROOT)
