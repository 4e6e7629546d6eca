"""The passwords that redis accepts: they change in its ACL file, which it reads again while it serves."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.command import PyinfraCommand

from .controller import run
from .controller.files import put
from .controller.observe import observe
from .scripts import Positional, script
from .stack import secret_file
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
    seen = seen or observe(stack)
    hashes = plan(stack, seen).accept
    if not hashes:
        host.noop("the wanted password is accepted")
    elif stack.own_redis:
        yield change_users(stack, accept=dict.fromkeys(secret_file.to_accept(stack, seen), hashes))
    else:
        yield write_acl(stack, hashes)


@operation()
def retire(stack: Stack, seen: Snapshot | None = None, sharing: Sequence[str] = ()) -> Generator[PyinfraCommand, None, None]:
    """Redis accepts the wanted password alone. Only to be run when every client uses it.

    + stack: what is wanted
    + seen: the host as a snapshot holds it, before `accept`; observed when left out
    + sharing: the hosts of the inventory whose services use this redis; each must be in this run, and well
    """
    seen = seen or observe(stack)
    if not plan(stack, seen).retire:
        host.noop("no other password is accepted")
        return
    if waiting := _not_verified(sharing):
        host.log(f"The former password stays accepted: {', '.join(waiting)} uses this redis and was not verified in this run.")
        return
    if stack.own_redis:
        yield change_users(stack, refuse=secret_file.to_retire(stack, seen))
    else:
        yield write_acl(stack, (stack.password_hash,), "retired")


def _not_verified(sharing: Sequence[str]) -> list[str]:
    hosts, active, as_before = host.state.inventory.hosts, host.state.active_hosts, run.current().as_before
    return sorted(name for name in sharing if hosts.get(name) not in active and name not in as_before)


def change_users(
    stack: Stack, accept: Mapping[str, Sequence[str]] | None = None, refuse: Mapping[str, Sequence[str]] | None = None
) -> StringCommand:
    """The command that changes, in memory, what a redis takes that the project defines itself: user → SHA-256 of passwords."""
    lines = [f"{user} +{one}\n" for user, hashes in (accept or {}).items() for one in hashes]
    lines += [f"{user} -{one}\n" for user, hashes in (refuse or {}).items() for one in hashes]
    words = (stack.settings.stack_dir, stack.settings.stack_name, stack.redis_user, stack.password_file)
    return StringCommand(
        "bash",
        "-c",
        QuoteString(script("acl_users.sh")),
        "acl_users",
        *(QuoteString(word) for word in words),
        _stdin="".join(lines),
    )


def write_acl(stack: Stack, hashes: Sequence[str], *proof: str) -> StringCommand:
    """The command that has redis accept the passwords with these hashes and no other, on disk and in memory.

    + proof: "retired" when the password of the newest backup must be refused then
    """
    files = [file for file in stack.secret_files(hashes) if file.path == ACL_PATH]
    root = stack.settings.stack_dir
    return put(root, files, then=Positional("acl_load", words=(root, stack.settings.stack_name, *proof)))
