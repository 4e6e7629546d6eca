"""Looks at the fleet again and again and changes nothing: reports, `report.prom` and messages stay fresh."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence

from .. import COMMAND
from . import console

_UNITS = {"s": 1, "m": 60, "h": 3600}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} watch", description=__doc__)
    parser.add_argument("--every", type=_seconds, default="15m", metavar="TIME", help="from look to look (default: 15m)")
    parser.add_argument(
        "--times", type=int, default=0, metavar="N", help="end after this many; then the status is that of the last"
    )
    console.add_arguments(parser)
    given = parser.parse_args(argv)
    looks = 0
    try:
        while True:
            began = time.monotonic()
            status = console.run(given, "checks.validate")
            looks += 1
            if looks == given.times:
                return status
            time.sleep(max(given.every - (time.monotonic() - began), 1))
    except KeyboardInterrupt:
        return 0


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d*)([smh])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, expected one such as 30s, 15m or 2h")
    return int(found[1]) * _UNITS[found[2]]
