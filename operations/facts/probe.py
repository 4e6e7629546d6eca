"""The checks that the catalogue declares: an HTTP status, or the value of a metric."""

from __future__ import annotations

from pyinfra.api import StringCommand

from .base import ScriptFact


class Probe(ScriptFact[str]):
    """What an URL answers, asked from the host itself: its HTTP status, or the value of one Prometheus metric.

    + url: http or https
    + metric: the metric's name; the status when left out
    + patience: seconds for which it is asked again when there is no answer, as from a service that has just started
    """

    script = "probe.sh"

    def command(self, url: str, metric: str | None = None, patience: int = 0) -> StringCommand:
        return self.run(url, metric or "", str(patience))

    def parse(self, lines: list[str]) -> str:
        return lines[0] if lines else ""
