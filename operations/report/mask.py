"""The last line of defence: whatever a host said, a secret that the controller knows does not get into a report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .model import RunReport

MASK = "*MASKED*"
_SHORTEST = 4  # a shorter one would take words apart


def masked(report: RunReport, secrets: Iterable[str]) -> RunReport:
    """The report with every occurrence of these secrets replaced."""
    found = sorted((secret for secret in set(secrets) if len(secret) >= _SHORTEST), key=len, reverse=True)
    if not found:
        return report
    pattern = re.compile("|".join(map(re.escape, found)))
    count = 0

    def clean(value: Any) -> Any:
        nonlocal count
        if isinstance(value, str):
            text, times = pattern.subn(MASK, value)
            count += times
            return text
        if isinstance(value, list):
            return [clean(one) for one in value]
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items()}
        return value

    data = report.to_dict()
    hosts = {name: clean(host) for name, host in data["hosts"].items()}  # names are the inventory's, and stay apart
    return RunReport.from_dict({"run": data["run"], "hosts": hosts}) if count else report
