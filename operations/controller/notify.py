"""One message a run to the addresses of `notify`, by Apprise: about news, unless all is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..report.files import alone
from ..report.files import replace as replace_file
from ..report.message import Message, message, states
from ..report.model import RunReport
from ..stack.settings import Settings

_PATIENCE = 60  # seconds
TOLD = "notified.json"  # in report_dir: host → the state that the last message told of


def problems(addresses: Sequence[str]) -> Iterator[str]:
    """What keeps messages from being sent, as sentences; an address may hold a token, so none is shown whole."""
    if not addresses:
        return
    if find_spec("apprise") is None:
        yield "notify: Apprise, which sends messages, is not installed. Install this package with its extra `notify`, or set ()."
        return
    from apprise import Apprise

    for number, address in enumerate(addresses, 1):
        if Apprise.instantiate(address, suppress_exceptions=True) is None:
            scheme = address.partition("://")[0][:20]
            yield (
                f"notify: address {number} of {len(addresses)} ({scheme}://…) is none that Apprise knows. It lists its forms on "
                "https://github.com/caronc/apprise/wiki."
            )


def tell(report: RunReport, settings: Settings, addresses: Sequence[str], page: Path, fleet: Collection[str]) -> str | None:
    """Send the message about a run, if there is one to send; returns what went wrong.

    + report: with its secrets masked
    + addresses: as Apprise takes them
    + page: the report's page, for who is told no `report_url`
    + fleet: the names of the whole inventory; a host that is no longer there is forgotten
    """
    if report.dry or not addresses:
        return None
    folder = Path(settings.report_dir)
    before = _told(folder / TOLD)
    link = f"{settings.report_url.rstrip('/')}/{page.name}" if settings.report_url else str(page.absolute())
    found = message(report, before, link, settings.notify_always)
    if found and not _sent(addresses, replace(found, title=f"{settings.stack_name}: {found.title}")):
        # not noted as told: the next run tells of it again
        return "notify: the message could not be sent to every address. Look at `notify`, and at what these addresses answer."
    with alone(folder):
        known = {name: state for name, state in _told(folder / TOLD).items() if name in fleet}
        replace_file(folder / TOLD, json.dumps(known | states(report), indent=1, sort_keys=True) + "\n")
    return None


def _told(path: Path) -> Mapping[str, str]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(state) for name, state in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _sent(addresses: Sequence[str], found: Message) -> bool:
    """By a process of its own: this one is about to end, and Python starts no thread then, as looking a name up may need."""
    words = [sys.executable, "-m", __name__]
    told = json.dumps({"addresses": list(addresses), **asdict(found)})
    try:
        return subprocess.run(words, input=told, text=True, capture_output=True, timeout=_PATIENCE, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    """Sends what standard input says; nothing is printed, for Apprise's words may hold an address with its token."""
    from apprise import Apprise, NotifyFormat, NotifyType

    told = json.load(sys.stdin)
    well = True
    for address in told["addresses"]:
        one = Apprise()
        sent = one.add(address) and one.notify(
            title=told["title"], body=told["body"], notify_type=NotifyType(told["kind"]), body_format=NotifyFormat.TEXT
        )
        well = well and bool(sent)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
