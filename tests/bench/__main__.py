"""`python -m tests.bench`: the same work by several ways, side by side, on the lab's hosts. docs/benchmarks.md tells more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.lab.machine import LabError, say

from . import docker, planning, report, results, sshd
from .measure import BenchError
from .results import Measured
from .ways import ALL_SCENES, SCENES, WAYS


def main(argv: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(argv)
    if given.command == "report":
        report.report(given.results)
        return 0
    if not (given.hosts or given.sshd or given.fake):
        given.hosts = [3]
    try:
        for hosts in given.hosts:
            _keep("docker", hosts, docker.measure(hosts, given.times, given.ways, given.only), given.results)
        for hosts in given.sshd:
            _keep("sshd", hosts, sshd.measure(hosts, given.times, sshd.WAYS), given.results)
        for hosts in given.fake:
            _keep("fake", hosts, planning.measure(hosts, given.times, given.only), given.results)
    except (BenchError, LabError) as error:
        say(str(error))
        return 1
    return 0


def _keep(kind: str, hosts: int, found: Iterable[Measured], folder: Path) -> None:
    path = results.write(kind, hosts, found, folder)
    report.print_all([results.read_one(path)])
    say(f"Kept in {path}")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _list(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    def chosen(text: str) -> list[str]:
        words = text.split(",")
        if unknown := set(words) - set(allowed):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: expected some of {','.join(allowed)}")
        return words

    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "command", nargs="?", choices=["report"], help="measure nothing: show what was kept, write tables and plots"
    )
    parser.add_argument(
        "--hosts",
        type=_numbers,
        default=[],
        metavar="N,…",
        help="with Docker; the lab keeps no more (default: 3, when no other are named)",
    )
    parser.add_argument("--sshd", type=_numbers, default=[], metavar="N,…", help="that are an sshd alone")
    parser.add_argument("--fake", type=_numbers, default=[], metavar="N,…", help="that are only planned")
    parser.add_argument("--times", type=int, default=3, help="turns of each way (default: 3)")
    parser.add_argument("--ways", type=_list(list(WAYS)), default=list(WAYS), help=f"of {','.join(WAYS)} (default: all)")
    parser.add_argument(
        "--only", type=_list(ALL_SCENES), default=list(SCENES), help=f"of {','.join(ALL_SCENES)} (default: the first four)"
    )
    parser.add_argument("--results", type=Path, default=results.FOLDER, help="the folder for the JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
