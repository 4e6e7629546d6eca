"""`python -m tests.lab`: the lab's command line."""

from __future__ import annotations

import argparse
import os
import sys
import time

from . import openwebui
from .lab import Lab
from .machine import LabError, say


def main() -> int:
    given = _parser().parse_args()
    lab = Lab.here()
    try:
        if given.command == "up":
            started = time.monotonic()
            hosts = lab.up(given.hosts, given.bare)
            say(f"The lab is up after {time.monotonic() - started:.1f} s: {', '.join(host.name for host in hosts)}.")
        elif given.command == "down":
            lab.down(everything=given.all)
        elif given.command == "status":
            return _show(lab.status())
        elif given.command == "openwebui":
            started = time.monotonic()
            image = openwebui.provide(lab, lab.host(given.host))
            say(f"{given.host} has the image {image} after {time.monotonic() - started:.1f} s.")
        elif given.command == "ssh":
            words = lab.host(given.host).ssh_command(*given.words)
            os.execvp(words[0], words)
    except LabError as error:
        say(str(error))
        return 1
    except FileNotFoundError as error:
        say(f"{error.filename} is not on this machine. Install it and try again.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="A fleet of real hosts on this machine. docs/lab.md tells more."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring the lab to the hosts that are asked for, from any state")
    up.add_argument("--hosts", type=int, default=3, metavar="N", help="hosts with Docker: erni-1 … (default: 3)")
    up.add_argument("--bare", type=int, default=0, metavar="N", help="hosts without Docker: bare-1 … (default: 0)")
    down = commands.add_parser("down", help="remove the hosts; the engine and the images stay")
    down.add_argument("--all", action="store_true", help="leave nothing on this machine")
    commands.add_parser("status", help="list the hosts")
    real = commands.add_parser("openwebui", help="build the real Open WebUI from PyPI and load it into a host")
    real.add_argument("host", nargs="?", default="erni-1")
    ssh = commands.add_parser("ssh", help="log in to a host, or run a command there")
    ssh.add_argument("host")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    return parser


def _show(rows: list[dict[str, str]]) -> int:
    if not rows:
        say("The lab is not up. Start it with: python -m tests.lab up")
        return 1
    table = [[name.upper() for name in rows[0]], *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
