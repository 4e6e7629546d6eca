"""A run that finds a host changed under its lock, or meets a fault of the program: real runs of pyinfra on `@fake` hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOOK = """
from pyinfra import host
from pyinfra.operations import server
from operations import lock
from operations.controller.host_plan import HostPlan
from tests.unit import under_lock

under_lock.arm(host.data.folder)
planned = HostPlan(under_lock.stack(), under_lock.SHOWN)
lock.acquire(name="Lock", planned=planned)
lock.look(name="Look", planned=planned)
server.shell(name="Goes on", commands=["true"])
lock.release(name="Release", planned=planned)
"""
ROLL_BACK = """
from pyinfra import host
from pyinfra.operations import server
from operations import backup, lock
from operations.controller.host_plan import HostPlan
from tests.unit import under_lock

under_lock.arm(host.data.folder)
planned = HostPlan(under_lock.stack(), under_lock.SHOWN)
lock.acquire(name="Lock", planned=planned)
kept = server.shell(name="Back up", commands=["KEPT"])
started = server.shell(name="Start", commands=["START" if under_lock.name() == "fault" else "true"], _ignore_errors=True)
backup.roll_back(name="Roll back", planned=planned, kept=kept, after=[started])
server.shell(name="Goes on", commands=["true"])
lock.release(name="Release", planned=planned)
"""
GO_ON, STOP = ("same", "less"), ("changed", "died", "long-ago", "no-change", "by-hand", "unseen", "fault", "lost")


@dataclass(frozen=True)
class Outcome:
    """A run of a deploy: what it said, its report, and how each host's lock was given back."""

    said: str
    hosts: dict[str, dict[str, Any]]
    noted: dict[str, str]

    def error(self, name: str) -> str:
        return str(self.hosts[f"@fake/{name}"]["error"])

    def went_on(self, name: str) -> bool:
        return any(step["name"] == "Goes on" and step["result"] == "changed" for step in self.hosts[f"@fake/{name}"]["steps"])


def deployed(folder: Path, deploy: str, *names: str, yes: bool = True) -> Outcome:
    """A run of this deploy on `@fake` hosts of these names."""
    answers = {"KEPT": "kept backups/20260101T000000Z", "START": {"success": False, "stderr": "it does not start"}}
    data = {"folder": str(folder), "report_dir": str(folder), "fake_responses": answers, "fake_delay": 0, "fake_delay_jitter": 0}
    (folder / "inventory.py").write_text(f"hosts = ([{', '.join(repr(f'@fake/{name}') for name in names)}], {data!r})\n")
    (folder / "deploy.py").write_text(deploy)
    command = [sys.executable, "-m", "pyinfra", *(["-y"] if yes else ["--dry"]), "inventory.py", "deploy.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYINFRA_PROGRESS": "off"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    (latest, noted) = (json.loads((folder / name).read_text()) for name in ("latest.json", "noted"))
    return Outcome(done.stdout + done.stderr, latest["hosts"], dict(noted))


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return deployed(tmp_path_factory.mktemp("look"), LOOK, *GO_ON, *STOP)


@pytest.fixture(scope="module")
def rolled_back(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return deployed(tmp_path_factory.mktemp("rollback"), ROLL_BACK, "fault", "well")


@pytest.mark.parametrize("name", GO_ON)
def test_a_host_that_takes_the_same_or_less_is_changed(looked: Outcome, name: str) -> None:
    assert looked.went_on(name)
    assert looked.noted[name] == "ok"


@pytest.mark.parametrize("name", STOP)
def test_any_other_is_stopped_before_a_change_and_its_lock_given_back(looked: Outcome, name: str) -> None:
    assert not looked.went_on(name)
    assert looked.noted[name] == "failed"


@pytest.mark.parametrize("name", ["changed", "died"])
def test_who_changed_it_and_when_is_told(looked: Outcome, name: str) -> None:
    who = "by run 20300101T000000Z-abcd (eve from elsewhere, 2030-01-01T00:00:00Z)"
    assert looked.error(name).startswith(f"/opt/erni-ki: was changed {who} since this run looked at it. Nothing was changed here")
    assert "accept redis's password (" in looked.error(name)
    assert looked.error(name).endswith("Run again.")


@pytest.mark.parametrize("name", ["long-ago", "no-change", "by-hand"])
def test_without_such_a_run_it_was_somebody_else(looked: Outcome, name: str) -> None:
    assert "was changed by hand or by another program since this run looked at it" in looked.error(name)


def test_a_host_that_cannot_be_seen_any_more_tells_what_was_met(looked: Outcome) -> None:
    assert looked.error("unseen").startswith("The host could not be observed: the connection was cut. Nothing is changed")


def test_a_lock_that_was_taken_over_is_told(looked: Outcome) -> None:
    assert "the lock of this run was taken over by run 20300101T000000Z-ffff, by eve from elsewhere" in looked.error("lost")


def test_a_fault_of_the_program_fails_its_own_host_alone(looked: Outcome) -> None:
    assert looked.error("fault").startswith("KeyError: 'a fault of the program' (under_lock.py, line ")
    assert "Traceback" not in looked.said


def test_a_fault_in_a_roll_back_leaves_no_lock_and_no_traceback(rolled_back: Outcome) -> None:
    assert "KeyError: 'a fault of the program'" in rolled_back.error("fault")
    assert "it does not start" in rolled_back.error("fault")
    assert rolled_back.noted == {"fault": "failed", "well": "ok"}
    assert rolled_back.went_on("well")
    assert "Traceback" not in rolled_back.said


def test_a_fault_on_the_only_host_is_told_too(tmp_path: Path) -> None:
    alone = deployed(tmp_path, LOOK, "fault")
    assert alone.error("fault").startswith("KeyError: 'a fault of the program'")
    assert alone.noted == {"fault": "failed"}


def test_a_preview_does_not_look_again(tmp_path: Path) -> None:
    previewed = deployed(tmp_path, LOOK, "changed", "fault", yes=False)
    assert "by hand" not in previewed.said
    assert "KeyError" not in previewed.said
    assert {name: one["error"] for name, one in previewed.hosts.items()} == {"@fake/changed": None, "@fake/fault": None}
