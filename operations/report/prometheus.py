"""The report as metrics for node_exporter's textfile collector: `report.prom`, see docs/monitoring.md."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from .model import HostReport, RunReport

_PREFIX = "pyinfra_compose"
_HELP = {
    "run_ok": "1 when every host of the last run was ok",
    "run_timestamp_seconds": "When the last run ended",
    "run_duration_seconds": "How long the last run took",
    "host": "1 for the status that the host had in its last run",
    "host_run_timestamp_seconds": "When the last run on the host ended",
    "host_success_timestamp_seconds": "When the last run ended in which the host was ok",
    "host_duration_seconds": "How long the last run took on the host",
    "password_changed_timestamp_seconds": "When what a server accepts was last changed",
    "check": "1 for the verdict that the check had in the host's last run",
}
_SAMPLE = re.compile(rf'{_PREFIX}_(\w+)\{{host="((?:[^"\\]|\\.)*)".*')

Sample = tuple[str, str]  # the metric's name, and its line


def metrics(report: RunReport, former: str = "", fleet: Collection[str] = ()) -> str:
    """The metrics as text.

    + former: the text of the run before; what it says of hosts that were not part of this run stays, and so does a last success
    + fleet: the names of the whole inventory; a host that is no longer there is forgotten
    """
    ran = {_escaped(host.name) for host in report.hosts}
    known = {_escaped(name) for name in fleet}
    kept = [(match[1], match[2], match[0]) for line in former.split("\n") if (match := _SAMPLE.fullmatch(line))]
    successes = {host: line for name, host, line in kept if name == "host_success_timestamp_seconds"}
    samples = list(_run(report))
    for host in report.hosts:
        samples += _host(host, report)
        if not host.ok and (line := successes.get(_escaped(host.name))):
            samples.append(("host_success_timestamp_seconds", line))
    samples += [(name, line) for name, host, line in kept if host in known - ran]
    text = []
    for name, about in _HELP.items():
        # two names that a host made up may be one when they are clean, and a line that is there twice spoils the file
        if lines := dict.fromkeys(line for of, line in samples if of == name):
            text += [f"# HELP {_PREFIX}_{name} {about}.", f"# TYPE {_PREFIX}_{name} gauge", *lines]
    return "".join(f"{line}\n" for line in text)


def _run(report: RunReport) -> Iterator[Sample]:
    yield _sample("run_ok", int(report.ok))
    yield _sample("run_timestamp_seconds", report.finished.timestamp())
    yield _sample("run_duration_seconds", report.duration)


def _host(host: HostReport, report: RunReport) -> Iterator[Sample]:
    name, ended = host.name, report.finished.timestamp()
    yield _sample("host", 1, host=name, status=host.status)
    yield _sample("host_run_timestamp_seconds", ended, host=name)
    if host.ok:
        yield _sample("host_success_timestamp_seconds", ended, host=name)
    if host.duration is not None:
        yield _sample("host_duration_seconds", host.duration, host=name)
    if host.password_changed is not None:
        yield _sample("password_changed_timestamp_seconds", host.password_changed, host=name)
    for check in host.checks:
        yield _sample("check", 1, host=name, check=check.id, verdict=check.verdict.value)


def _sample(name: str, value: float, **labels: str) -> Sample:
    shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return name, f"{_PREFIX}_{name}{f'{{{shown}}}' if shown else ''} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
