"""Who holds the lock of a stack, and whether that still means anything. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Owner:
    """The run that holds a lock, the person and the machine and process behind it, and since when (UTC)."""

    run: str
    operator: str
    controller: str
    process: str
    since: str

    def to_json(self) -> dict[str, str]:
        """What its file holds, and what `pyinfra fact` shows."""
        return asdict(self)

    def age(self, now: datetime) -> float:
        """Seconds since it was taken."""
        return (now - datetime.strptime(self.since, TIME).replace(tzinfo=timezone.utc)).total_seconds()

    def __str__(self) -> str:
        return f"run {self.run}, by {self.operator} from {self.controller}, since {self.since}"


def owner(text: str) -> Owner | None:
    """The owner that a lock file names; None for one that says something else."""
    try:
        found = json.loads(text)
        held = Owner(**{name: str(found[name]) for name in Owner.__dataclass_fields__})
        held.age(datetime.now(timezone.utc))
    except (ValueError, KeyError, TypeError):
        return None
    return held
