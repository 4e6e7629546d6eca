"""Commands that look at the fleet or change it through pyinfra, for `python -m`: they run one operation on chosen hosts."""

from __future__ import annotations

import argparse
import subprocess
import sys

_PACKAGE = __name__.partition(".")[0]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that choose the hosts."""
    parser.add_argument("--inventory", default="inventory", help="as for pyinfra (default: inventory)")
    parser.add_argument("--limit", action="append", default=[], metavar="HOST", help="only this host or group; may be repeated")


def run(given: argparse.Namespace, operation: str, *words: str) -> int:
    """Run an operation of this package on the hosts that were chosen; returns pyinfra's exit status.

    + operation: module and name, such as history.show
    + words: its arguments
    """
    limits = [word for limit in given.limit for word in ("--limit", limit)]
    command = [sys.executable, "-m", "pyinfra", "-y", *limits, given.inventory, f"{_PACKAGE}.{operation}", *words]
    # pyinfra tells of its own steps on standard error; they matter only when something is wrong
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
    return done.returncode
