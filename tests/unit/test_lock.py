"""Whether the lock that another run holds still means anything."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from operations import lock
from operations.controller import process as holder
from operations.controller.host_plan import HostPlan
from operations.report.model import PART_OF
from operations.stack.lock import TIME, Owner
from operations.stack.snapshot import Snapshot
from tests.unit.stack.hosts import a_stack, converged

RUN = "20261124T150102Z-3f9a"
STACK = a_stack()


def identity(pid: int) -> str:
    """A process as a lock names it: its number, and the time of its start from /proc."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return f"{pid}:{words[19]}"


def held(by: str = "", controller: str = "another-machine", seconds: float = 60) -> Owner:
    """A lock that was taken so many seconds ago."""
    since = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return Owner(RUN, "ann", controller, by, since.strftime(TIME))


def here(by: str) -> Owner:
    return held(by, controller=socket.gethostname())


def problem(owner: Owner | None, **settings: Any) -> str | None:
    stack = a_stack(**settings)
    return lock.problem(HostPlan(stack, replace(converged(stack), lock=owner)))


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Another process of this machine."""
    with subprocess.Popen(["sleep", "60"]) as other:
        yield other
        other.kill()


# A run on this machine


def test_a_run_whose_process_lives_has_not_lost_its_lock(process: subprocess.Popen[bytes]) -> None:
    assert not holder.abandoned(here(identity(process.pid)))
    assert not holder.abandoned(here(identity(os.getpid())))


def test_a_run_whose_process_is_gone_has_lost_its_lock(process: subprocess.Popen[bytes]) -> None:
    owner = here(identity(process.pid))
    process.kill()
    process.wait()
    assert holder.abandoned(owner)
    assert problem(owner) is None


def test_a_process_that_got_the_number_of_another_is_not_taken_for_it(process: subprocess.Popen[bytes]) -> None:
    number, _, start = identity(process.pid).partition(":")
    assert holder.abandoned(here(f"{number}:{int(start) - 1}"))


def test_a_command_whose_name_is_hostile_is_told_from_its_start(tmp_path: Path) -> None:
    command = tmp_path / "a ) (b"
    command.symlink_to("/bin/sleep")
    with subprocess.Popen([command, "60"]) as other:
        assert not holder.abandoned(here(identity(other.pid)))
        other.kill()


@pytest.mark.parametrize("text", ["x:1", "../self:1", "self:1", "-1:5", "999999999:1", ":1"])
def test_what_is_no_process_is_gone(text: str) -> None:
    assert holder.abandoned(here(text))


def test_on_a_machine_without_proc_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", nowhere)
    assert not holder.abandoned(here(holder.process("self")))


def test_the_process_of_another_machine_cannot_be_seen() -> None:
    assert not holder.abandoned(held("999999999:1"))


# Whether the stack may be changed


def test_without_a_lock_it_may() -> None:
    assert problem(None) is None


def test_a_lock_of_another_run_is_told_with_the_way_out() -> None:
    owner = held()
    assert problem(owner, lock_ttl=900) == (
        f"/opt/erni-ki: is locked by run {RUN}, by ann from another-machine, since {owner.since}. Nothing was changed. Wait until "
        "that run has ended. If it is dead, its lock is taken over 900 s (lock_ttl) after that time, or at once with "
        "--data break_lock=True."
    )


@pytest.mark.parametrize(("seconds", "may"), [(0, False), (890, False), (910, True), (10**6, True), (-500, False)])
def test_a_lock_that_is_older_than_its_time_means_nothing(seconds: int, may: bool) -> None:
    assert (problem(held(seconds=seconds), lock_ttl=900) is None) is may


def test_a_shard_that_is_run_again_on_another_machine_meets_its_own_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PART_OF, RUN)
    assert problem(held()) is None
    monkeypatch.setenv(PART_OF, "20261124T150102Z-0000")
    assert problem(held()) is not None


def test_a_lock_may_be_broken() -> None:
    assert problem(held(), break_lock=True) is None


def test_a_host_that_could_not_be_seen_is_not_called_locked() -> None:
    assert lock.problem(HostPlan(STACK, Snapshot())) is None
