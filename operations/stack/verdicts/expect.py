"""The shapes that most checks have."""

from __future__ import annotations

from collections.abc import Mapping

from ..check import Check, Verdict

DEPLOY = "Run the deploy again."


def expect(name: str, found: str, expected: str, cause: str | None, remedy: str | None, what: str = "") -> Check:
    """One answer, and the one that is wanted."""
    what = f"{what} " if what else ""
    if found == expected:
        return Check(name, Verdict.OK, f"{what}{found}")
    return Check(name, Verdict.FAILED, f"{what}{found or 'no answer'}, expected {expected}", cause, remedy)


def everywhere(name: str, places: Mapping[str, bool], detail: str, found: str) -> Check:
    """The same at all its places."""
    wrong = sorted(place for place, right in places.items() if not right)
    if not wrong:
        return Check(name, Verdict.OK, detail)
    cause = "It was changed by hand, or a rollout has not ended."
    return Check(name, Verdict.FAILED, f"{found} in {', '.join(wrong)}", cause, DEPLOY)


def unknown(name: str, detail: str, remedy: str = DEPLOY, cause: str | None = None) -> Check:
    """What could not be asked."""
    return Check(name, Verdict.UNKNOWN, detail, cause, remedy)
