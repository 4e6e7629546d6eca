"""From symptoms to causes: the rows of `causes.yml`, here and of services, matched against a failed check and logs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import yaml

from .. import COMMAND
from . import registry
from .check import Check
from .snapshot import UNKNOWN, Snapshot
from .stack import Stack

_OPERATIONS = Path(__file__).parent.parent


@dataclass(frozen=True)
class Row:
    """One symptom, and what it means.

    + checks: the ids of checks that it explains; `*` stands for any part
    + pattern: a regular expression that is searched in the check's detail or, with `log`, in what is known of that service
    + source: where it is known from
    """

    id: str
    checks: tuple[str, ...]
    pattern: re.Pattern[str]
    cause: str
    remedy: str
    source: str
    log: str | None = None


@cache
def table() -> tuple[Row, ...]:
    """All rows, the most particular first."""
    # a service's own are more particular than those of any container
    paths = (*sorted(_OPERATIONS.glob("services/*/causes.yml")), _OPERATIONS / "stack" / "causes.yml")
    rows = [row for path in paths for row in yaml.safe_load(path.read_text(encoding="utf-8").replace("{command}", COMMAND))]
    return tuple(
        Row(**{**row, "checks": tuple(row["checks"]), "pattern": re.compile(row["pattern"], re.IGNORECASE)}) for row in rows
    )


def explained(check: Check, stack: Stack, seen: Snapshot) -> Check:
    """A check that is not ok with the cause and the remedy of the first row that fits; any other as it is."""
    if check.verdict.silent:
        return check
    for row in _rows(check.id.partition("@")[0]):
        if any(map(row.pattern.search, _said(row, check, stack, seen))):
            return replace(check, cause=row.cause, remedy=row.remedy)
    return check


@cache
def _rows(check: str) -> tuple[Row, ...]:
    """Those that explain a check."""
    return tuple(row for row in table() if any(fnmatch(check, pattern) for pattern in row.checks))


def explanation(text: str) -> str | None:
    """What the words of a command that failed mean, where a row for `start` knows it."""
    for row in table():
        if "start" in row.checks and row.pattern.search(text):
            return f"{row.cause} {row.remedy}"
    return None


def _said(row: Row, check: Check, stack: Stack, seen: Snapshot) -> Iterator[str]:
    if row.log is None:
        yield check.detail
        return
    if seen.logs is not UNKNOWN and row.log in seen.logs:
        yield from seen.logs[row.log].errors
    for extra in registry.extras():
        yield from extra.said(row.log, stack, seen)
