"""What was done on the fleet, when, by whom, and with which result."""

from __future__ import annotations

import argparse
import atexit
import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from pyinfra import host
from pyinfra.api.command import PyinfraCommand
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import COMMAND
from .controller import console
from .controller.failure import fail, operation
from .controller.shown import shown
from .facts.past import History
from .stack.settings import Settings
from .stack.snapshot import UNKNOWN


@operation()
def show(last: int = 20) -> Generator[PyinfraCommand, None, None]:
    """Print the history of all hosts as one table, the newest entry last.

    + last: how many entries of each host

    **Example:** ``pyinfra -y inventory operations.history.show last=5``
    """
    found = host.get_fact(History, root=host.data.get("stack_dir", Settings.stack_dir), last=int(last))
    if found is UNKNOWN:
        yield fail("The history could not be read.")
        return
    if not _found:
        atexit.register(_print)
    _found[host.name] = found


_found: dict[str, list[dict[str, Any]]] = {}


def _print() -> None:
    printed = Console(width=None if sys.stdout.isatty() else 200)  # in a file nothing is cut off
    table = Table("time", "host", "run", "by", "password", "changes", "result", box=None, pad_edge=False)
    for row in sorted((_row(name, entry) for name, entries in _found.items() for entry in entries), key=lambda row: row[:3]):
        table.add_row(*map(Text, row))
    printed.print(table if table.row_count else "No run has changed anything yet.")


def _row(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """An entry as it is shown. It was read on the host, so its values may be of any type."""
    before, after = (_words(entry.get(key)) for key in ("before", "after"))
    changes = entry.get("changes")
    return (
        _words(entry.get("time") or entry.get("since")),
        name,
        _words(entry.get("run")),
        f"{_words(entry.get('operator'))}@{_words(entry.get('controller'))}",
        after if before in ("", after) else f"{before} → {after}",
        str(len(changes) if isinstance(changes, list) else 0),
        ": ".join(filter(None, (_words(entry.get("result")), _words(entry.get("reason"))))),
    )


def _words(value: Any) -> str:
    return shown(", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else value)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} history", description=__doc__)
    console.add_arguments(parser)
    parser.add_argument("--last", type=int, default=20, help="how many entries of each host (default: 20)")
    given = parser.parse_args(argv)
    return console.run(given, "history.show", f"last={given.last}")
