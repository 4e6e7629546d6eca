"""One validation fact about a host, and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """What a check found. WARNING: somebody should look at it, but the host may pass. UNKNOWN: it could not be asked, which is not
    the same as FAILED, and never the same as OK."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value

    @property
    def good(self) -> bool:
        """Whether a host may pass with it."""
        return self in (Verdict.OK, Verdict.WARNING, Verdict.SKIPPED)

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say about it."""
        return self in (Verdict.OK, Verdict.SKIPPED)


@dataclass(frozen=True)
class Check:
    """A check with its verdict and, where it is not ok, why that is and what to do about it."""

    id: str
    verdict: Verdict
    detail: str
    cause: str | None = None
    remedy: str | None = None
