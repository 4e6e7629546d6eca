"""A key that is the same on every host and that no server takes: what signs, encrypts, or is shown to somebody else. Pure.

There is no time in which two of them are accepted: what was made with the previous one is worth nothing. So all there is to a
change is to say that before, and to bring every place in line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar

from pyinfra.api import StringCommand

from .. import COMMAND
from .check import Check
from .credential import Asked, Credential, CredentialPlan, Login
from .files import File
from .fingerprint import fingerprint
from .snapshot import UNKNOWN, Snapshot
from .stack import Stack
from .text import count
from .verdicts.expect import everywhere, unknown

CONSISTENT = "shared_key.consistent"
MIN_LENGTH = 16
_PLAIN = re.compile(r"[!-~]*")


class SharedKey(Credential):
    kind: ClassVar[str] = "shared-key"
    served: ClassVar[bool] = False
    about_desired: ClassVar[tuple[str, ...]] = (CONSISTENT,)
    meanings: ClassVar[Mapping[str, str]] = {
        CONSISTENT: "Every place that a service takes the key from holds the one that all hosts have, by its fingerprint."
    }

    @classmethod
    def rule(cls, value: str, setting: str) -> Sequence[str]:
        new = f"Make a new one with: {COMMAND} secrets new"
        wrong = [] if _PLAIN.fullmatch(value) else [f"{setting}: holds blanks, or characters that are not ASCII. {new}"]
        if len(value) < MIN_LENGTH:
            wrong.append(f"{setting}: {count(len(value), 'character')}, expected at least {MIN_LENGTH}. {new}")
        return wrong

    def login(self, service: str) -> Mapping[str, str]:
        return {"value": self.value or ""}

    def files(self) -> Sequence[File]:
        return ()

    def asked(self, stack: Stack) -> Asked:
        return {}

    def observed(self, seen: Snapshot) -> bool:
        return True

    def accepted(self, seen: Snapshot) -> tuple[Login, ...]:
        return ()

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return iter(())

    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return iter(())

    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        return CredentialPlan(self.name, effects=tuple(self._effects(stack, seen)))

    def _effects(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        """What a change does to those who are served: of services that run already alone."""
        if seen.env is UNKNOWN:
            return
        does = self.provided.when_changed or "what was made with the previous one is worth nothing"
        for service in stack.services:
            file, there = stack.env_file(service), seen.env.get(service.env_path) or {}
            if file is None or not seen.of(service.name):
                continue
            for key in file.lines:
                if self.name not in file.uses.get(key, ()) or there.get(key) == file.hashes[key]:
                    continue
                if key in there:
                    yield f"{self.name}: {service.name} gets another {key}: {does}"
                else:
                    yield f"{self.name}: {service.name} gets {key}: {does}, unless it is the one that {service.name} has now"

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        if not stack.clients(self.name):
            return
        name, found = f"{CONSISTENT}@{self.name}", self.places(stack, seen)
        if not found:
            yield unknown(name, "not observed")
            return
        detail = f"fingerprint {fingerprint(self.digest)} in {count(len(found), 'place')}"
        yield everywhere(name, found, detail, "another key")

    def accept(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        return iter(())

    def retire(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        return iter(())


KINDS = (SharedKey,)
