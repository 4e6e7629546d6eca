"""Whether the run that holds a lock is still alive."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone
from pathlib import Path

from ..stack.lock import Owner
from ..stack.settings import Settings


def may_be_taken(held: Owner, settings: Settings) -> bool:
    """Whether a lock means nothing any more: its run is dead, or it is older than `lock_ttl`, or `break_lock` is set."""
    return settings.break_lock or abandoned(held) or held.age(datetime.now(timezone.utc)) > settings.lock_ttl


def abandoned(held: Owner) -> bool:
    """Whether the lock's run was on this machine and its process is gone."""
    pid, _, began = held.process.partition(":")
    # where there is no /proc nobody can tell
    return bool(began) and held.controller == socket.gethostname() and held.process != process(pid)


def process(pid: str) -> str:
    """A process' number with the time that it was started at, which together are never used again; "" for one that is gone."""
    # what a lock says was written on a host
    if not (pid == "self" or (pid.isascii() and pid.isdigit())):
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return f"{os.getpid()}:" if pid == "self" else ""
    # the command's name, in parentheses, may hold blanks
    state, *fields = stat.rpartition(")")[2].split()
    # one that has ended stays there until its parent has asked about it
    return "" if state in "ZX" else f"{stat.split(' ', 1)[0]}:{fields[18]}"
