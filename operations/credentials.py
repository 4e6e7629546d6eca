"""The passwords that redis accepts: they change in its ACL file, which it reads again while it serves."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from pyinfra import host
from pyinfra.api import StringCommand, operation
from pyinfra.api.command import PyinfraCommand

from . import scripts
from .controller import run
from .controller.files import put
from .controller.host_plan import HostPlan
from .controller.observe import plan_host
from .stack import secret_file
from .stack.acl import ACL_PATH
from .stack.stack import Stack


@operation()
def accept(planned: HostPlan | None = None) -> Generator[StringCommand, None, None]:
    """Redis accepts the wanted password, beside every other that it accepts now.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    stack, seen, hashes = planned.stack, planned.seen, planned.plan.accept
    if not hashes:
        host.noop("the wanted password is accepted")
    elif stack.own_redis:
        yield change_users(stack, accept=dict.fromkeys(secret_file.to_accept(stack, seen), hashes))
    else:
        yield from write_acl(stack, hashes)


@operation()
def retire(planned: HostPlan | None = None, sharing: Sequence[str] = ()) -> Generator[PyinfraCommand, None, None]:
    """Redis accepts the wanted password alone. Only to be run when every client uses it.

    + planned: what is to be done on the host, as it was before `accept`; observed and planned when left out
    + sharing: the hosts of the inventory whose services use this redis; each must be in this run, and well
    """
    planned = planned or plan_host()
    stack, seen = planned.stack, planned.seen
    if not planned.plan.retire:
        host.noop("no other password is accepted")
        return
    if waiting := _not_verified(sharing):
        host.log(f"The former password stays accepted: {', '.join(waiting)} uses this redis and was not verified in this run.")
        return
    if stack.own_redis:
        yield change_users(stack, refuse=secret_file.to_retire(stack, seen))
    else:
        yield from write_acl(stack, (stack.password_hash,), retired=True)


def _not_verified(sharing: Sequence[str]) -> list[str]:
    hosts, active, as_before = host.state.inventory.hosts, host.state.active_hosts, run.current().as_before
    return sorted(name for name in sharing if hosts.get(name) not in active and name not in as_before)


def change_users(
    stack: Stack, accept: Mapping[str, Sequence[str]] | None = None, refuse: Mapping[str, Sequence[str]] | None = None
) -> StringCommand:
    """The command that changes, in memory, what a redis takes that the project defines itself: user → SHA-256 of passwords."""
    changes = [f"{user} +{one}" for user, hashes in (accept or {}).items() for one in hashes]
    changes += [f"{user} -{one}" for user, hashes in (refuse or {}).items() for one in hashes]
    return scripts.run(
        "services/redis/change_users",
        root=stack.settings.stack_dir,
        project=stack.settings.stack_name,
        server="redis",
        user=stack.redis_user,
        password_file=stack.password_file,
        changes=changes,
    )


def write_acl(stack: Stack, hashes: Sequence[str], retired: bool = False) -> Iterator[StringCommand]:
    """The commands that have redis accept the passwords with these hashes and no other, on disk and in memory.

    + retired: the password of the newest backup must be refused then
    """
    files = [file for file in stack.secret_files(hashes) if file.path == ACL_PATH]
    yield put(stack.settings.stack_dir, files)
    yield scripts.run(
        "services/redis/load_acl",
        root=stack.settings.stack_dir,
        project=stack.settings.stack_name,
        server="redis",
        folder="secrets/redis",
        retired=retired,
    )
