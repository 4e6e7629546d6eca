"""The command line beside pyinfra's own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from . import COMMAND

# command → the module whose `main` it is, and what it does
COMMANDS = {
    "secrets": (".controller.secrets", "make a password; say where a secret is found"),
    "history": (".history", "show what was done on the fleet, when and by whom"),
    "backup": (".backup", "list the backups of hosts, and restore one"),
    "watch": (".controller.watch", "look at the fleet again and again, and change nothing"),
    "tls": (".controller.tls", "make certificates for servers, and renew them"),
    "fleet": (".fleet.command", "run a deploy of a large fleet on many workers"),
}


def main(argv: Sequence[str] | None = None) -> int:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:{width}}  {does}" for name, (_, does) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"commands:\n{listed}",
    )  # fmt: skip
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="see `command --help`")
    given = parser.parse_args(argv)
    module, _ = COMMANDS[given.command]
    status: int = import_module(module, __package__).main(given.words)
    return status


if __name__ == "__main__":
    sys.exit(main())
