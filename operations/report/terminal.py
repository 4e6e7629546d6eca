"""The report for a person: a table, what failed or is a warning and why, and one sentence at the end.

Checks are rows, and hosts with the same results share a column, so that 300 hosts read like 3.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..stack.check import Check, Verdict
from ..stack.text import count
from .model import HostReport, RunReport, Status

T = TypeVar("T")

_SYMBOLS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.FAILED: "✗", Verdict.SKIPPED: "–", Verdict.UNKNOWN: "?"}
_ASCII = str.maketrans({"✓": "+", "✗": "x", "–": "-", "…": "..."})
_STYLES = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "dim",
    Verdict.UNKNOWN: "bold yellow",
}
_STATUS_STYLES = {"ok": "green", "changed": "cyan", "failed": "bold red", "unreachable": "bold yellow"}
_STATUSES: tuple[Status, ...] = ("ok", "changed", "failed", "unreachable")
# beginnings of changes that a person should hear of, however well the run went: what interrupted a service, or another run
_TOLD = ("restarted ", "took over the lock ")


def show(report: RunReport, file: TextIO | None = None, width: int | None = None) -> None:
    """Print the report.

    + file: standard error when left out, like all that pyinfra says to a person
    + width: that of the terminal, or 80, when left out
    """
    file = file or sys.stderr
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as printed:
        _print(console, report)
    text = printed.get()
    if not console.encoding.startswith("utf"):
        text = text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    file.write(text)
    file.flush()


def show_plan(plans: Mapping[str, tuple[str, ...]], file: TextIO | None = None) -> None:
    """Print what is due: host → sentences. Hosts on which the same is due are named together."""
    lines = []
    for group in _grouped(sorted(plans, key=_natural), lambda name: plans[name]):
        lines.append(f"{_named(group)}: {'nothing to do' if not plans[group[0]] else ''}".rstrip())
        lines += [f"    {sentence}" for sentence in plans[group[0]]]
    print("--> Plan:", *lines, sep="\n", file=file or sys.stderr)


def summary(report: RunReport) -> str:
    """The run in one sentence."""
    statuses = Counter(host.status for host in report.hosts)
    verdicts = Counter(check.verdict for host in report.hosts for check in host.checks)
    hosts = ", ".join(f"{statuses[status]} {status}" for status in _STATUSES)
    bad = "".join(f", {verdicts[v]} {v}" for v in (Verdict.FAILED, Verdict.UNKNOWN, Verdict.SKIPPED) if verdicts[v])
    warned = f", {count(verdicts[Verdict.WARNING], 'warning')}" if verdicts[Verdict.WARNING] else ""
    checks = f"; {count(verdicts[Verdict.OK], 'check')} ok{bad}{warned}" if verdicts else ""
    return f"{count(len(report.hosts), 'host')}: {hosts}{checks}{' (dry run: nothing was changed)' if report.dry else ''}"


def folded(names: Iterable[str]) -> str:
    """Names in short and in full: neighbours in number become a range, "erni-1 … erni-6, erni-8"."""
    runs: list[list[str]] = []
    for name in sorted(names, key=_natural):
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]} … {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _print(console: Console, report: RunReport) -> None:
    hosts = sorted(report.hosts, key=lambda host: _natural(host.name))
    console.print()
    if any(host.checks for host in hosts):
        _table(console, _grouped(hosts, _row))
        console.print()
    for verdict, title, lines in _findings(hosts):
        console.print(Text.assemble((f"{_SYMBOLS[verdict]} ", _STYLES[verdict]), title))
        for label, text in lines:
            console.print(Padding(_labelled(label, text), (0, 0, 0, 4), expand=False))
        console.print()
    if told := [f"{host.name}: {change}" for host in hosts for change in host.changes if change.startswith(_TOLD)]:
        console.print(Text("\n".join(told)), soft_wrap=True)
        console.print()
    console.print(Text(summary(report)), soft_wrap=True)


def _table(console: Console, groups: Sequence[Sequence[HostReport]]) -> None:
    """The table in the first form that fits: headed by host names, by numbers with a legend, or with counts alone."""
    ids = list(dict.fromkeys(check.id for group in groups for check in group[0].checks))
    left = max(map(len, ids)) + 2
    names = [_label(group) for group in groups]
    if left + sum(max(len(name), len("unreachable")) + 2 for name in names) <= console.width:
        _matrix(console, ids, groups, names, status=True)
        return
    numbers = [str(n) for n in range(1, len(groups) + 1)]
    if left + sum(len(number) + 2 for number in numbers) <= console.width:
        for number, group, name in zip(numbers, groups, names, strict=True):
            status = Text(group[0].status, _STATUS_STYLES[group[0].status])
            console.print(Text.assemble(f"{number:>{len(numbers[-1])}}  ", name, ": ", status))
        console.print()
        _matrix(console, ids, groups, numbers, status=False)
        return
    _counts(console, ids, groups)


def _matrix(
    console: Console,
    ids: Sequence[str],
    groups: Sequence[Sequence[HostReport]],
    heads: Sequence[str],
    status: bool,
) -> None:
    table = _grid("", heads)
    if status:
        table.add_row("", *(Text(group[0].status, _STATUS_STYLES[group[0].status]) for group in groups))
    verdicts = [{check.id: check.verdict for check in group[0].checks} for group in groups]
    for name in ids:
        found = [column.get(name) for column in verdicts]
        table.add_row(name, *(Text(_SYMBOLS[v], _STYLES[v]) if v else "" for v in found))
    console.print(table)


def _counts(console: Console, ids: Sequence[str], groups: Sequence[Sequence[HostReport]]) -> None:
    """How many hosts have which verdict: for a fleet where nearly every host differs from the others."""
    table = _grid("hosts", [f"{_SYMBOLS[v]} {v}" for v in Verdict])
    numbers = Counter((check.id, check.verdict) for group in groups for host in group for check in host.checks)
    for name in ids:
        table.add_row(name, *(Text(str(numbers[name, v] or ""), _STYLES[v]) for v in Verdict))
    console.print(table)


def _grid(head: str, columns: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(head, no_wrap=True)
    for column in columns:
        table.add_column(Text(column), no_wrap=True)
    return table


def _findings(hosts: Sequence[HostReport]) -> Iterator[tuple[Verdict, Text, list[tuple[str, str]]]]:
    """Everything that is not ok, warnings last, once for all the hosts that have it in common: verdict, title, lines."""
    broken = [host for host in hosts if host.error or not (host.ok or host.bad_checks)]
    for group in _grouped(broken, lambda host: (host.status, host.error)):
        title = Text.assemble((_hosts(group), "bold"), f": {group[0].status}")
        yield Verdict.FAILED, title, [("error", group[0].error or "no reason was given")]
    found = [(check, host) for host in hosts for check in (*host.bad_checks, *host.warnings)]
    order = list(dict.fromkeys(check.id for host in hosts for check in host.checks))
    found.sort(key=lambda pair: (pair[0].verdict.good, order.index(pair[0].id)))
    for same in _grouped(found, lambda pair: pair[0]):
        check = same[0][0]
        title = Text.assemble((check.id, "bold"), " on ", _hosts([host for _, host in same]))
        yield check.verdict, title, _lines(check)


def _lines(check: Check) -> list[tuple[str, str]]:
    lines = (("found", check.detail), ("cause", check.cause), ("remedy", check.remedy))
    return [(label, text) for label, text in lines if text]


def _labelled(label: str, text: str) -> Table:
    """A label, and beside it a text that keeps its own lines and wraps under itself."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=6, style="dim")
    table.add_column(overflow="fold")
    table.add_row(label, Text(text))
    return table


def _row(host: HostReport) -> Hashable:
    return host.status, tuple((check.id, check.verdict) for check in host.checks)


def _grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _label(group: Sequence[HostReport]) -> str:
    names = [host.name for host in group]
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} … {names[-1]} ({len(names)} hosts)"


def _hosts(group: Sequence[HostReport]) -> str:
    return _named([host.name for host in group])


def _named(names: Sequence[str]) -> str:
    return folded(names) if len(names) <= 2 else f"{folded(names)} ({len(names)} hosts)"


def _follows(one: str, other: str) -> bool:
    a, b = (re.fullmatch(r"(.*?)(\d+)(\D*)", name) for name in (one, other))
    return bool(a and b and (a[1], a[3]) == (b[1], b[3]) and int(b[2]) == int(a[2]) + 1)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
