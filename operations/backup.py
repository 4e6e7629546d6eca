"""Backups: the files of a stack as they were before a change."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from .observe import observe
from .scripts import script
from .stack.acl import ACL_PATH
from .stack.plan import plan
from .stack.snapshot import Snapshot
from .stack.stack import Stack


@operation()
def backup(stack: Stack, seen: Snapshot | None = None) -> Generator[StringCommand, None, None]:
    """Keep the files that are about to change in backups/<UTC time>; the newest `backup_keep` backups stay.

    + stack: what is wanted
    + seen: the host as a snapshot holds it; observed when left out
    """
    seen = seen or observe(stack)
    due = plan(stack, seen)
    paths = [change.path for change in due.files] + ([ACL_PATH] if due.accept or due.retire else [])
    if not any(seen.exists(path) for path in paths):
        host.noop("no file is about to change")
        return
    words = (stack.settings.stack_dir, str(stack.settings.backup_keep), *paths)
    yield StringCommand("sh", "-c", QuoteString(script("backup.sh")), "backup", *(QuoteString(word) for word in words))
