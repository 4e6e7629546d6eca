"""Backups: the files of a stack as they were before a change, and the way back to them."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator, Sequence

from pyinfra import host
from pyinfra.api import StringCommand
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta

from . import COMMAND, lock, scripts
from .checks import PATIENCE, settled
from .compose import start
from .controller import console, run
from .controller.failure import fail, operation
from .controller.host_plan import HostPlan
from .controller.observe import observe, plan_host
from .controller.shown import shown
from .facts.past import Backups
from .facts.project import Project
from .stack.credential import credentials_of
from .stack.plan import Plan
from .stack.settings import Settings
from .stack.snapshot import UNKNOWN, Snapshot
from .stack.stack import Stack
from .stack.verdicts import about_adopted, about_desired, checks, is_among


@operation()
def backup(planned: HostPlan | None = None) -> Generator[StringCommand, None, None]:
    """Keep the files that are about to change in `backups/<UTC time>`, and which images have the names that get others; the newest
    `backup_keep` backups stay.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    stack, seen, due = planned.stack, planned.seen, planned.plan
    changed = {one.name for one in (*due.accept, *due.retire)}
    paths = [change.path for change in due.files]
    paths += [path for one in credentials_of(stack) if one.name in changed for path in one.texts()]
    paths += [f"env/{service}.env" for service in due.remove]
    # what runs already without a file of ours has a state to go back to
    runs = seen.containers is not UNKNOWN and bool(seen.containers)
    images = [change.name for change in due.images]
    if not (paths or images) or not (due.remove or runs or any(seen.exists(path) for path in paths)):
        host.noop("no file is about to change")
        return
    kept = [path for path in dict.fromkeys(paths) if path not in {folder.path for folder in stack.folders()}]
    root, keep = stack.settings.stack_dir, stack.settings.backup_keep
    yield scripts.run("backup/make", root=root, keep=keep, paths=kept, images=images, runs=runs)


@operation()
def roll_back(
    planned: HostPlan, kept: OperationMeta, after: Sequence[OperationMeta], sharing: Sequence[str] = ()
) -> Generator[PyinfraCommand, None, None]:
    """Where one of the operations before failed, the files of this run's backup come back, the services are started with them, the
    previous passwords stay accepted and the new one is retired. The host has failed all the same. With `rollback_on_failure` False
    the host is left as it is.

    + planned: what was to be done on the host
    + kept: this run's backup
    + after: the operations that must have succeeded
    + sharing: the hosts whose services use this host's servers; where there are others they may have been switched, and both
      passwords stay
    """
    if not any(operation.is_complete() and operation.did_error() for operation in after):
        return
    stack, seen = planned.stack, planned.seen
    run.current().aborted.add(host.name)
    name = next((line.rpartition("/")[2] for line in kept.stdout_lines if line.startswith("kept ")), None)
    if name is None or not stack.settings.rollback_on_failure:
        now = observe(stack)
        run.checked(stack, now, checks(stack, now))
        why = "rollback_on_failure is False" if name else "there is nothing to roll back: no earlier file was changed"
        yield fail(f"The host is left as it is, because {why}.")
        return
    yield _restored(stack, name)
    restored = observe(stack)
    stack = yield from _started(stack, seen, restored, Plan(start=tuple(_replaced(stack, seen, restored))))
    now = observe(stack, patience=PATIENCE)
    if not set(sharing) - {host.name}:
        for credential in credentials_of(stack):
            yield from credential.back(stack, seen, now)
        now = observe(stack)
    apart = about_desired() if seen.fragments else (*about_desired(), *about_adopted())
    now = settled(stack, now, apart)
    found = [check for check in checks(stack, now) if not is_among(check, apart)]
    run.current().rolled_back.add(host.name)
    run.checked(stack, now, found)
    bad = "; ".join(f"{check.id}: {check.detail}" for check in found if not check.verdict.good)
    yield fail(
        f"The files were rolled back from backups/{name} and the services started with them. "
        + (f"These checks fail there too: {bad}." if bad else f"All {len(found)} checks of the services passed.")
    )


@operation()
def restore(kept: str, planned: HostPlan | None = None) -> Generator[PyinfraCommand, None, None]:
    """Bring the files of a backup back and start the services with them. What its servers accept is left as it is.

    + kept: the backup's folder in backups, such as 20261124T150102Z
    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    if locked := lock.problem(planned):
        yield fail(locked)
        return
    yield from lock.acquire._inner(planned)
    stack = planned.stack
    planned.see(seen := observe(planned.wanted))
    if not lock.is_ours(seen):
        yield fail(f"{stack.settings.stack_dir}: could not be observed under its lock. Nothing was changed. Run again with -vv.")
        return
    yield _restored(stack, kept)
    every = Plan(start=tuple((service.name, "its files were restored") for service in stack.services))
    yield from _started(stack, seen, observe(stack), every)
    yield from lock.release._inner(planned, (f"restored backups/{kept}",))


def _replaced(stack: Stack, before: Snapshot, now: Snapshot) -> Iterator[tuple[str, str]]:
    """What is not as it was: a service whose containers are the ones from before, and up, is."""
    for service in stack.services:
        containers = now.of(service.name)
        same = {one.id for one in containers} == {one.id for one in before.of(service.name)}
        if not (containers and same and all(one.up for one in containers)):
            yield service.name, "it is rolled back"


def _started(stack: Stack, seen: Snapshot, restored: Snapshot, due: Plan) -> Generator[PyinfraCommand, None, Stack]:
    """What is due starts where the restored project has it, and so do its services that the stack no longer has; what came with
    this run goes. Returns the part of the stack that the project has."""
    found = host.get_fact(Project, root=stack.settings.stack_dir, _ignore_errors=True)
    if found is UNKNOWN:
        yield from start(stack, seen, due)
        return stack
    part = stack.only(found.definitions)
    names = {service.name for service in part.services}
    came = tuple(service.name for service in stack.services if service.name not in names and not seen.of(service.name))
    ours = () if restored.fragments is UNKNOWN else restored.fragments
    back = tuple(name for name in ours if name in found.definitions and not stack.has(name))
    yield from start(part, seen, Plan(start=tuple(pair for pair in due.start if pair[0] in names)), back, came)
    return part


def _restored(stack: Stack, name: str) -> StringCommand:
    # what a server accepts stays: clients still log in with what they were started with
    stays = [path for one in credentials_of(stack) for path in one.texts()]
    return scripts.run("backup/restore", root=stack.settings.stack_dir, name=name, stays=stays)


@operation()
def listed() -> Generator[PyinfraCommand, None, None]:
    """Print the backups of all hosts, a line each.

    **Example:** ``pyinfra -y inventory operations.backup.listed``
    """
    found = host.get_fact(Backups, root=host.data.get("stack_dir", Settings.stack_dir))
    if found is UNKNOWN:
        yield fail("The backups could not be read.")
        return
    for name, files in found.items():
        print(f"{host.name}  {shown(name)}  {files} files")
    if not found:
        print(f"{host.name}  no backup")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} backup", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    console.add_arguments(commands.add_parser("list", help="show the backups of each host"))
    back = commands.add_parser("restore", help="restore the files of a backup, and start the services with them")
    back.add_argument("kept", metavar="name", help="the backup, as `list` shows it")
    console.add_arguments(back)
    given = parser.parse_args(argv)
    if given.command == "list":
        return console.run(given, "backup.listed")
    return console.run(given, "backup.restore", f"kept={given.kept}")
