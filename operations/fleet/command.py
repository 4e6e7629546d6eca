"""A fleet on many controllers. Its waves go through all shards."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from .. import COMMAND
from ..controller import notify
from ..report import RunReport, files, run_id, terminal
from ..report.key import key
from ..report.model import versions
from ..stack.errors import FleetError, InventoryError, SettingsError
from ..stack.settings import Settings
from ..stack.shards import VARIABLE
from ..stack.text import clean
from . import inventory
from .cluster import Workers, agreed, cluster
from .rollout import Member, Rollout

INTERRUPTED = 130  # as a shell tells of Ctrl-C
_OURS = ("inventory", "--json", "--chdir", "--serial", "--no-wait")


def run(given: argparse.Namespace, words: Sequence[str]) -> int:
    """Bring the fleet to its state, or say what would be done; returns the exit status.

    + words: further words of pyinfra's command line

    Raises FleetError where it cannot begin.
    """
    shards = given.workers if given.shards is None else given.shards
    if problems := list(_problems(given, shards, words)):
        raise SettingsError(problems)
    words = [*words, *(word for name in ("limit", "exclude") for host in getattr(given, name) for word in (f"--{name}", host))]
    if given.data:
        _refuse_secrets(given.data, words)
        words += [word for one in given.data for word in ("--data", one)]
    began = datetime.now(timezone.utc)
    members = tuple(Member(one["name"], tuple(one["groups"]), one["data"]) for one in inventory.read(words))
    # to workers elsewhere it goes through the scheduler, so there it is one of this run alone
    fingerprints = secrets.token_hex(32) if given.scheduler else key().hex()
    with (
        cluster(given.workers, given.scheduler) as client,
        Workers(client, run_id(began), words, fingerprints, agreed(client, words) if given.scheduler else None) as workers,
    ):
        rollout = Rollout(members, workers.run, shards, given.limit, given.exclude)
        if not rollout.hosts:
            raise InventoryError("--limit and --exclude leave no host.")
        hosts = rollout.preview() if given.dry else rollout.change()
    report = RunReport(workers.id, began, datetime.now(timezone.utc), versions(), hosts, given.dry)
    terminal.show(report)
    first = next(one for one in members if one.name == hosts[0].name)
    folder, keep = Path(first.setting("report_dir")), first.setting("report_keep")
    names = [one.name for one in members]
    page = files.write(report, folder, keep, names)
    print(f"Report: {page}", file=sys.stderr)
    if told := first.setting("notify"):
        where = Settings(**{name: first.setting(name) for name in ("stack_name", "report_dir", "report_url", "notify_always")})
        if why := notify.tell(report, where, inventory.addresses({**first.data, "notify": told}), page, names):
            print(why, file=sys.stderr)
    if rollout.interrupted:
        return INTERRUPTED
    # a check that is not ok in a preview may be after the run
    well = all(host.status in ("ok", "changed") for host in hosts) if given.dry else report.ok
    return 0 if well else 1


def _problems(given: argparse.Namespace, shards: int, words: Sequence[str]) -> Iterator[str]:
    for name, number in (("workers", given.workers), ("shards", shards)):
        if number < 1:
            yield f"--{name}: is {number}, expected at least 1."
    if VARIABLE in os.environ:
        yield f"{VARIABLE}: is set, but this command makes the shards itself. Unset it; --shards says how many."
    if given.scheduler and not given.scheduler.startswith("tls://") and not given.insecure_scheduler:
        yield (
            f"--scheduler: {given.scheduler} is without TLS. Whoever reaches it may run anything on the workers, and reads what "
            "goes over that wire: the hosts' names, pyinfra's options, all reports. Name it tls://…, start it and its workers with "
            "--tls-ca-file, --tls-cert and --tls-key, and give the same to Dask's configuration here (distributed.comm.tls.*). "
            "Where nobody else can reach that network: --insecure-scheduler."
        )
    for name in (word.partition("=")[0] for word in (*words, *given.data)):
        if "password" in name.lower() or name == "secrets_command":
            yield _secret(name)
        elif name in _OURS or name.endswith(".py"):
            yield f"{name}: is not for this command, which runs `pyinfra inventory deploy.py` for every shard. Leave it out."
    for one in given.data:
        if "=" not in one:
            yield f"--data {one}: has no value. Write it as name=value."


def _secret(name: str) -> str:
    return (
        f"{name}: a secret would go through the scheduler, or be asked for where nobody is. "
        "Give it to the workers' machines: a key, an agent, a source of secrets."
    )


def _refuse_secrets(data: Sequence[str], words: Sequence[str]) -> None:
    """Raises SettingsError for what is a secret in the inventory, or has one in it, whatever its name."""
    secret = {
        name
        for host in inventory.read(words)
        for name, value in host["data"].items()
        if any(True for _ in inventory.secrets_in(value))
    }
    if given := [name for one in data if (name := one.partition("=")[0]) in secret]:
        raise SettingsError([_secret(name) for name in given])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} fleet", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "run", allow_abbrev=False, help="`pyinfra -y inventory deploy.py` for the whole fleet, in shards",
        epilog="Every other option is one of pyinfra's, such as --parallel, and goes to it.",
    )  # fmt: skip
    command.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of a cluster here (default: the CPUs)")
    command.add_argument("--shards", type=int, help="parts of a wave (default: as many as workers)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster with so many workers, instead of one here")
    command.add_argument("--insecure-scheduler", action="store_true", help="allow a scheduler without TLS")
    command.add_argument("--data", action="append", default=[], metavar="NAME=VALUE", help="as for pyinfra; no secret")
    command.add_argument("--limit", action="append", default=[], metavar="HOST", help="only this host or group; may be repeated")
    command.add_argument("--exclude", action="append", default=[], metavar="HOST", help="not this host or group; may be repeated")
    command.add_argument("--dry", action="store_true", help="say what would be done")
    command.add_argument("-y", "--yes", action="store_true", help="as for pyinfra; here it is always so")
    given, words = parser.parse_known_args(argv)
    try:
        return run(given, words)
    except FleetError as error:
        print(clean(str(error), lines=True), file=sys.stderr)  # workers elsewhere have a say in it
        return 1
