"""A rollout over a fleet whose shards are run elsewhere: who goes when, who is left alone, and what came of it.

It runs nothing itself and knows nothing of workers: a function that it is given does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..report.model import HostReport, RunReport
from ..report.terminal import folded
from ..stack.catalogue import server_settings
from ..stack.settings import Settings
from ..stack.shards import chosen, split, units
from ..stack.verdicts import standing
from ..stack.waves import CANARY, Hosts, stopped, waves
from .worker import Outcome

LOOK = ("--json", "--dry")  # without --json pyinfra asks what to do about a host that it cannot reach
CHANGE = ("-y",)

# what is done, the shards, and pyinfra's words → each shard with what it came to
Run = Callable[[str, Sequence[Hosts], Sequence[str]], Iterable[tuple[Hosts, Outcome]]]


@dataclass(frozen=True)
class Member:
    """A host of the inventory, with its groups and its data."""

    name: str
    groups: tuple[str, ...]
    data: Mapping[str, Any]

    def setting(self, name: str) -> Any:
        """A setting of this host, or its default."""
        return self.data.get(name, getattr(Settings, name))


@dataclass
class Rollout:
    """All hosts are looked at first; then those that need changes are changed in waves, with a gate across all shards.

    + members: the hosts of the whole inventory
    + run: runs shards
    + shards: how many, at most
    + limit, exclude: as pyinfra takes them
    """

    members: Sequence[Member]
    run: Run
    shards: int
    limit: Sequence[str] = ()
    exclude: Sequence[str] = ()
    results: dict[str, HostReport] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)  # host → why it is left alone
    interrupted: bool = False

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Those of this run."""
        return tuple(one.name for one in self.members if chosen(one.name, one.groups, self.limit, self.exclude))

    @cached_property
    def together(self) -> tuple[Hosts, ...]:
        """What must not be parted: also hosts outside this run, so that a host with a server knows of all that use it."""
        settings = server_settings()
        servers = [(one.name, one.data.get(setting)) for one in self.members for setting in settings]
        return units([one.name for one in self.members], [(host, server) for host, server in servers if server])

    def preview(self) -> tuple[HostReport, ...]:
        """What would be done."""
        self._run("Looking", self.hosts, LOOK)
        return self._told()

    def change(self) -> tuple[HostReport, ...]:
        """Do it. Nothing is changed where a part of the fleet could not be looked at."""
        lost = self._run("Looking", self.hosts, LOOK)
        seen = {name: _looked_at(host) for name, host in self.results.items()}
        due = [name for name in self.hosts if name not in lost and seen[name].status == "changed"]
        self.results = dict(seen)
        if lost:
            self._leave(due, f"Nothing was changed here: {folded(lost)} could not be looked at. Put that right, then run again.")
            return self._told()
        for number, wave in enumerate(planned := self._waves(due), 1):
            if self.interrupted:
                self._leave(wave, "Nothing was changed here: the run was interrupted. Run again.")
                continue
            if going := [name for name in wave if name not in self.stopped]:
                self._run(f"Wave {number} of {len(planned)}", going, CHANGE)
            for name in self.stopped.keys() & set(wave):
                self._leave([name], self.stopped[name])
            self._gate(wave, seen, [name for later in planned[number:] for name in later])
        return self._told()

    def _waves(self, due: Sequence[str]) -> tuple[Hosts, ...]:
        first = {one.name for one in self.members if CANARY in one.groups}
        shares = next((one.setting("rollout_waves") for one in self.members if one.name in due[:1]), ())
        return waves(due, shares, first, [unit for unit in self.together if len(unit) > 1])

    def _gate(self, wave: Hosts, seen: Mapping[str, HostReport], later: Sequence[str]) -> None:
        """Hosts of later waves are left alone when too many of this one failed."""
        failed = [name for name in wave if _worse(self.results[name], seen[name])]
        unreachable = [name for name, host in self.results.items() if host.status == "unreachable" and name not in failed]
        members = {one.name: one for one in self.members}
        units = {name: unit for unit in self.together for name in unit}
        waiting = set(later)
        for name in later:
            counted = failed + unreachable if members[name].setting("unreachable_counts") else failed
            if why := stopped(len(counted), members[name].setting("max_failures"), folded(counted)):
                # those that must not be parted are left alone together
                self.stopped.update({one: why for one in units[name] if one in waiting and one not in self.stopped})

    def _run(self, title: str, hosts: Iterable[str], words: Sequence[str]) -> list[str]:
        """Run shards with these hosts and those that belong to them; returns the hosts of which nothing is known."""
        wanted, known, lost = set(hosts), set(self.hosts), []
        parts = split([unit for unit in self.together if wanted.intersection(unit)], self.shards)
        for shard, outcome in self.run(title, [part for part in parts if part], words):
            mine = [name for name in shard if name in known]
            self.results |= results(mine, outcome)
            self.interrupted |= outcome.stopped
            lost += mine if outcome.said or outcome.stopped else []
        return lost

    def _leave(self, hosts: Iterable[str], why: str) -> None:
        self.results |= {name: replace(self.results[name], status="failed", changes=(), error=why) for name in hosts}

    def _told(self) -> tuple[HostReport, ...]:
        return tuple(self.results[name] for name in self.hosts)


def results(hosts: Iterable[str], outcome: Outcome) -> dict[str, HostReport]:
    """What a shard's run came to on each of its hosts; one that is not in its report, or was not finished, has failed."""
    found = {host.name: host for host in RunReport.from_dict(outcome.report).hosts} if outcome.report else {}
    return {name: _finished(found.get(name) or HostReport(name, "ok"), outcome, name in found) for name in hosts}


def _finished(host: HostReport, outcome: Outcome, known: bool) -> HostReport:
    if host.status in ("failed", "unreachable"):
        return host
    why = outcome.said
    # one that was interrupted may not have come to the first step
    begun = bool(host.steps) or not outcome.stopped
    if not why and not (known and begun and all(step.result != "skipped" for step in host.steps)):
        why = (
            "The run was interrupted."
            if outcome.stopped
            else f"The run of its shard on {outcome.where} ended before it was done here."
        )
    return replace(host, status="failed", error=f"{why} Run again: what was begun is finished then.") if why else host


def _looked_at(host: HostReport) -> HostReport:
    """The host as a run finds it that has nothing to change there: a check that is not ok fails it."""
    return replace(host, status="failed") if host.status == "ok" and host.bad_checks else host


def _worse(host: HostReport, before: HostReport) -> bool:
    """Whether a host has failed for more than what was wrong before the change too; an error in a log may be another one.

    One that was looked at and cannot be reached now has proven nothing.
    """
    if host.status == "unreachable":
        return before.status != "unreachable"
    known = standing(before.checks) - {"logs.errors"}
    return host.status == "failed" and (host.error is not None or any(check.id not in known for check in host.bad_checks))
