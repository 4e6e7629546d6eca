"""Why a run failed is in the history of the host: a real run of pyinfra, with this machine as the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "Marker_Password-0123456789abcdef"
RESTORE = """
from pyinfra import host
from operations import backup
from operations.controller.host_plan import HostPlan
from operations.report.mask import known
from tests.unit import under_lock
from tests.unit.stack.hosts import a_stack

vars(backup).update(observe=under_lock._observe)
known.add(host.data.secret)
planned = HostPlan(a_stack(report_dir=host.data.folder, stack_dir=host.data.folder), under_lock.SHOWN)
backup.restore(name="Restore", kept=host.data.kept, planned=planned)
"""


def restored(folder: Path, kept: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the history and the report say of a backup that is restored."""
    data = {"folder": str(folder), "kept": kept, "secret": SECRET}
    (folder / "inventory.py").write_text(f"hosts = (['@local'], {data!r})\n")
    (folder / "deploy.py").write_text(RESTORE)
    command = [sys.executable, "-m", "pyinfra", "-y", "inventory.py", "deploy.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYINFRA_PROGRESS": "off"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = (folder / ".fleet" / "history.jsonl").read_text().splitlines()
    return json.loads(line), json.loads((folder / "latest.json").read_text())["hosts"]["@local"]


def test_a_restore_that_is_refused_is_noted_with_what_the_script_said(tmp_path: Path) -> None:
    noted, told = restored(tmp_path, "20200101T000000Z")
    refused = f"{tmp_path}/backups/20200101T000000Z: there is no such backup. The others: "
    assert (noted["result"], noted["reason"]) == ("failed", refused)
    assert told["error"] == refused
    assert not (tmp_path / ".fleet" / "lock").exists()


@pytest.mark.parametrize("kept", [f"20200101T000000Z\x1b[2J{SECRET}", f"{'x' * 450}{SECRET}"])
def test_what_it_said_is_cleaned_and_masked_before_it_is_cut(tmp_path: Path, kept: str) -> None:
    noted, _ = restored(tmp_path, kept)
    assert noted["reason"].startswith(str(tmp_path))
    assert "Marker" not in noted["reason"]
    assert "\x1b" not in noted["reason"]
