"""The certificate authority of the fleet, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from .. import COMMAND
from ..stack.errors import CertificateError, FleetError
from ..stack.settings import Settings
from ..stack.text import count
from .authority import Authority


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} tls", description="The certificates of the fleet, on the controller.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init", help="make the authority that issues certificates to servers")
    commands.add_parser("list", help="show who is trusted and what was issued, and until when")
    renew = commands.add_parser("renew", help="issue certificates again at the next deploy; they are by themselves before they end")
    renew.add_argument("hosts", nargs="*", metavar="host", help="the servers of these hosts alone")
    renew.add_argument(
        "--authority", action="store_true", help="make another authority, which issues from now on; both are trusted"
    )
    commands.add_parser("retire", help="trust the newest authority alone, when every server has its certificate from it")
    for command in commands.choices.values():
        command.add_argument("--dir", default=Settings.tls_dir, help="as the setting tls_dir (default: %(default)s)")
    given = parser.parse_args(argv)
    authority = Authority(Path(given.dir).expanduser())
    try:
        for line in _done(authority, given):
            print(line)
    except FleetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _done(authority: Authority, given: argparse.Namespace) -> Iterator[str]:
    if given.command == "init":
        if authority.issues:
            raise CertificateError(f"{authority.folder}: has an authority already. Look at it with: {COMMAND} tls list")
        authority.make()
        yield f"{authority.folder}: made an authority. Keep the folder as secret as your passwords, and back it up."
    elif given.command == "list":
        yield from _listed(authority)
    elif not authority.issues:
        raise CertificateError(f"{authority.folder}: has no authority. Make one with: {COMMAND} tls init")
    elif given.command == "retire":
        yield f"Authorities that are trusted no longer: {authority.retire()}. Run the deploy."
    elif given.authority:
        authority.make()
        yield f"A new authority issues from now on; the previous one is trusted as well. Run the deploy, then: {COMMAND} tls retire"
    else:
        yield f"{count(authority.forget(given.hosts), 'certificate')} will be issued again. Run the deploy."


def _listed(authority: Authority) -> Iterator[str]:
    for number, one in enumerate(authority.trusted()):
        issues = "issues" if authority.issues and not number else "trusted"
        yield f"{issues:8} {one.subject.rfc4514_string()}  until {_day(one.not_valid_after_utc)}"
    for name, one in authority.issued():
        yield f"{name}  until {_day(one.not_valid_after_utc)}"


def _day(time: datetime) -> str:
    left = (time - datetime.now(timezone.utc)).days
    return f"{time:%Y-%m-%d} ({count(left, 'day')})"
