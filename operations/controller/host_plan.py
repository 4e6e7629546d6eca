"""One value a host: what it should have, what was seen on it, and what is to be done. Made once; every operation takes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timezone

from ..stack.check import Check
from ..stack.credential import credentials_of
from ..stack.lock import TIME
from ..stack.pins import Pin
from ..stack.plan import Plan, plan
from ..stack.service import setting_of
from ..stack.snapshot import Snapshot
from ..stack.stack import Stack
from ..stack.verdicts import checks
from .failure import met


class HostPlan:
    """A host in this run. It changes when the host is observed again under its lock: an operation reads it when it runs.

    + wanted: what its data asks for; that is what it is asked about
    + stack: the same, where what is the host's own stays
    + seen: the host as it was observed
    + plan: what separates the two
    + since: when it was made
    + checked: the host as its checks saw it last
    + preview: the plan that was shown before the run began; what was not in it is not done
    """

    def __init__(self, stack: Stack, seen: Snapshot, absent: Collection[str] = ()) -> None:
        """+ absent: the hosts whose servers this one uses and that have no part in the run"""
        self.wanted, self._absent = stack, absent
        self.since = datetime.now(timezone.utc).strftime(TIME)
        self.see(seen)
        self.checked = seen
        self.preview = self.plan

    def see(self, seen: Snapshot) -> None:
        """The host is like this now."""
        self.seen, self.stack = seen, self.wanted
        self._checks: tuple[Check, ...] | None = None
        try:
            self.stack = self.wanted.adapted(seen)
            due = plan(self.stack, seen)
        except Exception as error:  # it would end the run of every other host too
            due = Plan(problems=met(error))
        self.plan: Plan = replace(due, problems=(*due.problems, *self._refused()))

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of the host as it was observed."""
        if self._checks is None:
            self._checks = checks(self.stack, self.seen, self.plan)
        return self._checks

    def learn(self, name: str, image: str) -> None:
        """What Docker calls a pinned image here."""
        pin = self.wanted.pins[name]
        known = {**self.wanted.pins, name: Pin(pin.digest, pin.ids | {image})}
        self.wanted, self.stack = self.wanted.pinned(known), self.stack.pinned(known)

    def _refused(self) -> Iterator[str]:
        for one in credentials_of(self.stack):
            accepted = one.accepted(self.seen)
            if one.host in self._absent and accepted and not set(one.logins) <= set(accepted):
                setting = setting_of(one.entry, "host")
                yield (
                    f"{setting}: {one.server} on {one.host} does not accept the desired password, and {one.host} is not in "
                    "this run. Nothing was changed. Run the deploy for both."
                )
            elif one.host in self._absent and (why := one.unready(self.seen)):
                yield (
                    f"{one.server}_host: {one.server} on {one.host} {why}, and {one.host} is not in this run. Nothing was changed. "
                    "Run the deploy for both."
                )

    def __repr__(self) -> str:
        # pyinfra shows the arguments of an operation that has no name
        return self.stack.settings.stack_dir
