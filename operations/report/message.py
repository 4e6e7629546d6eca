"""The report as a message to people: what changed, what failed, and where the report is. Sent where the state of a host changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..stack.check import Verdict
from ..stack.text import count
from .model import HostReport, RunReport

_HOSTS = 20  # that a message tells of; the page tells of all
_LENGTH = 300  # characters of a line
_BAD = (Verdict.FAILED, Verdict.UNKNOWN)

States = Mapping[str, str]


@dataclass(frozen=True)
class Message:
    """+ kind: success, warning or failure"""

    title: str
    body: str
    kind: str


def states(report: RunReport) -> dict[str, str]:
    """Host → its state, in a word and the checks that failed: what a message compares with the run before."""
    return {host.name: " ".join(("ok" if host.ok else _word(host), *_failed(host))) for host in report.hosts}


def message(report: RunReport, before: States, link: str, always: bool = False) -> Message | None:
    """The message about a run; None where nothing was changed and every host is as it was.

    + before: the states that the last message told of; a host that is not in them was well
    + link: where the report is
    + always: also where there is no news
    """
    now = states(report)
    news = [host for host in report.hosts if host.changes or now[host.name] != before.get(host.name, "ok")]
    if report.dry or not (news or always):
        return None
    bad = [host for host in report.hosts if not host.ok]
    changed = [host for host in report.hosts if host.changes]
    title = f"{count(len(bad), 'host')} of {len(report.hosts)} failed" if bad else f"{count(len(report.hosts), 'host')} ok"
    if changed:
        title += f", {len(changed)} changed"
    lines = list(dict.fromkeys((*bad, *news)))
    shown = [line[:_LENGTH] for host in lines[:_HOSTS] for line in _lines(host, before)]
    more = [f"and {len(lines) - _HOSTS} more"] if len(lines) > _HOSTS else []
    return Message(title, "\n".join((*shown, *more, f"Report: {link}")), "failure" if bad else "success")


def _lines(host: HostReport, before: States) -> Iterator[str]:
    if not host.ok:
        yield f"{host.name}: {_word(host)}: {_why(host)}"
    elif before.get(host.name, "ok") != "ok":
        yield f"{host.name}: well again"
    if host.changes:
        yield f"{host.name}: {count(len(host.changes), 'change')}: {'; '.join(host.changes)}"


def _word(host: HostReport) -> str:
    return host.status if host.status in ("failed", "unreachable") else "failed"


def _failed(host: HostReport) -> list[str]:
    return sorted(check.id for check in host.checks if check.verdict in _BAD)


def _why(host: HostReport) -> str:
    if host.error:
        return host.error.splitlines()[0]
    return "; ".join(f"{check.id}: {check.detail}" for check in host.checks if check.verdict in _BAD)
