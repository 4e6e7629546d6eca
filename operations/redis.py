"""The passwords that redis accepts: they change in its ACL file, which it reads again while it serves."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import StringCommand, operation

from .files import put
from .observe import observe
from .stack.acl import ACL_PATH
from .stack.plan import plan
from .stack.snapshot import Snapshot
from .stack.stack import Stack


@operation()
def accept(stack: Stack, seen: Snapshot | None = None) -> Generator[StringCommand, None, None]:
    """Redis accepts the wanted password, beside every other that it accepts now.

    + stack: what is wanted
    + seen: the host as a snapshot holds it; observed when left out
    """
    hashes = plan(stack, seen or observe(stack)).accept
    if not hashes:
        host.noop("the wanted password is accepted")
        return
    yield _write(stack, hashes)


@operation()
def retire(stack: Stack, seen: Snapshot | None = None) -> Generator[StringCommand, None, None]:
    """Redis accepts the wanted password alone. Only to be run when every client uses it.

    + stack: what is wanted
    + seen: the host as a snapshot holds it, before `accept`; observed when left out
    """
    if not plan(stack, seen or observe(stack)).retire:
        host.noop("no other password is accepted")
        return
    yield _write(stack, (stack.password_hash,))


def _write(stack: Stack, hashes: tuple[str, ...]) -> StringCommand:
    files = [file for file in stack.secret_files(hashes) if file.path == ACL_PATH]
    return put(stack.settings.stack_dir, files, (), "acl_load.sh", stack.settings.stack_name)
