"""Two operators change the password of one host. One is held up at each boundary of its run while the other does a whole rollout.

Clients at work notice nothing, and in the end redis accepts exactly what the env files hold.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet.clients import Clients
from tests.fleet.fleet import ROOT, STACK, Fleet
from tests.fleet.passwords import accepted, digest, held, on_disk, refused
from tests.fleet.wait import until
from tests.lab import Host

# In front of deploy.py. It waits where it is told to, and a check that fails makes the run roll back.
HOOK = """
import os, time
from pathlib import Path
from pyinfra import state
from pyinfra.api.state import BaseStateCallback
from operations import checks
from operations.stack.check import Check, Verdict

class Wait(BaseStateCallback):
    @staticmethod
    def operation_host_start(state, host, op_hash):
        if os.environ["WAIT_AT"] in state.get_op_meta(op_hash).names:
            Path("waits").touch()
            while not Path("go").exists():
                time.sleep(0.1)

state.add_callback_handler(Wait())
usual = checks.checks
if os.environ["FAILS"]:
    checks.checks = lambda stack, seen: (*usual(stack, seen), Check("made.up", Verdict.FAILED, "it fails for a test"))
"""
STEPS = re.findall(r"name=\"([^\"]+)\"", (ROOT / "deploy.py").read_text().partition("for wave in")[2])
READY = "Nothing stands in the way"
FIRST, LAST = STEPS.index("Docker Engine and Compose v2 run"), STEPS.index("The wave has passed")
BEFORE, LOCKED, END = (READY, *STEPS[:FIRST]), STEPS[FIRST:LAST], STEPS[LAST]
ROLLED_BACK = LOCKED[: LOCKED.index("What failed is rolled back") + 1]  # where a run fails, no step behind this one is begun


@dataclass
class Operator:
    """One of the two, who is held up."""

    fleet: Fleet
    folder: Path

    def start(self, at: str, fails: bool, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        for name in ("waits", "go"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "deploy.py").write_text(HOOK + (ROOT / "deploy.py").read_text())
        env = {"PYTHONPATH": str(ROOT), "WAIT_AT": at, "FAILS": "yes" if fails else ""}
        command = self.fleet.command(*words, str(ROOT / "inventory"), "deploy.py")
        return subprocess.Popen(
            command, cwd=self.folder, env=self.fleet.environment(env), text=True, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def waits(self) -> bool:
        return (self.folder / "waits").exists()

    def go(self, run: subprocess.Popen[str]) -> str:
        """What it says until its end."""
        (self.folder / "go").touch()
        said, _ = run.communicate(timeout=300)
        return said

    def error(self, at: int = 0) -> str:
        """Why its last run failed on the first host, or on another one."""
        return str(self.fleet._latest()["hosts"][self.fleet.hosts[at].name]["error"] or "")


@pytest.fixture(scope="module")
def two(shared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Operator, Operator]:
    """Two operators with one host, which is as both want it."""
    return operators(tmp_path_factory, shared.hosts[:1], settle_timeout=5)


def operators(folders: pytest.TempPathFactory, hosts: Sequence[Host], **settings: object) -> tuple[Operator, Operator]:
    fleets = [Fleet(folders.mktemp("operator"), hosts, settings=dict(settings)) for _ in range(2)]
    fleets[1].password = fleets[0].password
    run = fleets[0].deploy()
    assert run.ok, run.output
    one, other = (Operator(fleet, fleet.folder) for fleet in fleets)
    return one, other


@pytest.fixture(scope="module")
def clients(two: tuple[Operator, Operator]) -> Iterator[Clients]:
    with Clients(two[0].fleet.hosts[0]) as found:
        yield found


def in_force(host: Host) -> str:
    """The one password that every client on the host has; it is the one that redis accepts, on disk and in memory."""
    (password,) = set(held(host).values())
    assert accepted(host, password) == on_disk(host) == {digest(password)}
    assert refused(host) == []
    assert not host.succeeds(f"[ -e {STACK}/.fleet/lock ]")
    return password


def interrupted(one: Operator, other: Operator, at: str, fails: bool) -> tuple[int, Mapping[str, str]]:
    """One rolls a password out and is held up there while the other does a whole rollout; its exit status, and who wanted what."""
    former = in_force(one.fleet.hosts[0])
    one.fleet.password, other.fleet.password = new(), new()
    run = one.start(at, fails, "-y")
    try:
        until(lambda: one.waits() or run.poll() is not None)
        second = other.fleet.deploy()
    finally:
        said = one.go(run)
    print(said[-3000:], second.output[-3000:])
    wanted = {"former": former, "one": one.fleet.password, "other": other.fleet.password if second.ok else ""}
    if not second.ok:
        assert "locked" in other.error()
    return run.returncode, wanted


@pytest.mark.parametrize(("at", "fails"), [*((at, False) for at in BEFORE), (BEFORE[-1], True)])
def test_who_looked_before_the_other_one_is_stopped(two: tuple[Operator, Operator], clients: Clients, at: str, fails: bool) -> None:
    one, other = two if BEFORE.index(at) % 2 else two[::-1]
    status, wanted = interrupted(one, other, at, fails)
    host = one.fleet.hosts[0]
    assert status == 1
    assert in_force(host) == wanted["other"]
    theirs = other.fleet._latest()["run"]["id"]
    assert f"{STACK}: was changed by run {theirs} (" in one.error()
    assert "Nothing was changed here by this run." in one.error()
    assert one.error().endswith("Run again.")


@pytest.mark.parametrize(("at", "fails"), [*((at, False) for at in LOCKED), *((at, True) for at in ROLLED_BACK)])
def test_who_holds_the_lock_goes_on_and_the_other_one_is_told(
    two: tuple[Operator, Operator], clients: Clients, at: str, fails: bool
) -> None:
    one, other = two if LOCKED.index(at) % 2 else two[::-1]
    status, wanted = interrupted(one, other, at, fails)
    assert wanted["other"] == ""
    assert (status, in_force(one.fleet.hosts[0])) == ((1, wanted["former"]) if fails else (0, wanted["one"]))


def test_one_after_the_other_is_no_conflict(two: tuple[Operator, Operator], clients: Clients) -> None:
    one, other = two
    status, wanted = interrupted(one, other, END, fails=False)
    assert (status, in_force(one.fleet.hosts[0])) == (0, wanted["other"])


def test_who_waits_at_pyinfras_prompt_is_stopped(two: tuple[Operator, Operator], clients: Clients) -> None:
    one, other = two
    one.fleet.password, other.fleet.password = new(), new()
    run = one.start("", False, stdin=subprocess.PIPE)
    assert run.stdout is not None
    said = ""
    while "Detected changes" not in said:
        said += (line := run.stdout.readline())
        assert line, said
    time.sleep(1)
    second = other.fleet.deploy()
    assert second.ok, second.output
    said, _ = run.communicate("\n", timeout=300)
    assert run.returncode == 1, said
    assert in_force(one.fleet.hosts[0]) == other.fleet.password
    assert f"was changed by run {second.report['run']['id']} (" in one.error(), said


def test_the_same_change_by_both_is_done_once(two: tuple[Operator, Operator], clients: Clients) -> None:
    one, other = two
    one.fleet.password = other.fleet.password = new()
    run = one.start(READY, False, "-y")
    until(one.waits)
    second = other.fleet.deploy()
    assert second.ok, second.output
    said = one.go(run)
    assert run.returncode == 0, said
    assert in_force(one.fleet.hosts[0]) == one.fleet.password
    assert one.fleet._latest()["hosts"][one.fleet.hosts[0].name]["changes"] == []


def test_a_lock_that_was_taken_over_is_noticed_before_a_password_is_refused(
    two: tuple[Operator, Operator], clients: Clients
) -> None:
    one, other = two
    host = one.fleet.hosts[0]
    former = in_force(host)
    one.fleet.password = new()
    run = one.start("Credentials: every other password is refused", False, "-y")
    until(one.waits)
    # the other one goes back to the former password
    other.fleet.password = former
    second = other.fleet.deploy("--data", "break_lock=True")
    assert second.ok, second.output
    said = one.go(run)
    assert run.returncode == 1, said
    assert "the lock of this run was taken over meanwhile" in one.error()
    assert in_force(host) == former


def test_a_backup_is_restored_under_the_lock(two: tuple[Operator, Operator], clients: Clients) -> None:
    one, other = two
    host = one.fleet.hosts[0]
    one.fleet.settings["openwebui_env"] = {"A_KEY": "of no password"}  # a restore leaves what redis accepts as it is
    one.fleet.password = other.fleet.password = in_force(host)
    run = one.start("Services run, in the order of their dependencies", False, "-y")
    until(lambda: one.waits() or run.poll() is not None)
    kept = host.run(f"ls -1 {STACK}/backups").split()[-1]
    restore = ("operations", "backup", "restore", kept, "--limit", host.name)
    during = other.fleet.module(*restore)
    said = one.go(run)
    assert run.returncode == 0, said
    assert during.status == 1
    assert "is locked by run" in during.output
    after = other.fleet.module(*restore)
    assert after.ok, after.output
    assert not host.succeeds(f"[ -e {STACK}/.fleet/lock ]")
    note = json.loads(host.run(f"tail -n 1 {STACK}/.fleet/history.jsonl"))
    assert (note["result"], note["changes"]) == ("ok", [f"restored backups/{kept}"])


def test_a_late_wave_is_stopped_too(
    shared: Fleet, two: tuple[Operator, Operator], clients: Clients, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one, other = operators(tmp_path_factory, shared.hosts[:2], settle_timeout=5, rollout_waves=["1", "100%"])
    one.fleet.password, other.fleet.password = new(), new()
    run = one.start(END, False, "-y")
    until(lambda: one.waits() or run.poll() is not None)
    # the first host has the password of the one, the second one was looked at
    assert in_force(one.fleet.hosts[0]) == one.fleet.password
    second = other.fleet.deploy()
    said = one.go(run)
    assert second.ok, second.output
    assert run.returncode == 1, said
    assert [in_force(host) for host in one.fleet.hosts] == [other.fleet.password] * 2
    assert f"was changed by run {second.report['run']['id']} (" in one.error(at=1), said


def test_the_clients_noticed_nothing(clients: Clients) -> None:
    assert clients.failures() == {}
