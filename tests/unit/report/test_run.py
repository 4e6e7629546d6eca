"""A real run of pyinfra on this machine, and what its report holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SECRET = "Marker_Password-0123456789abcdef"
DEPLOY = """
from pyinfra import host, state
from pyinfra.operations import server
from operations.controller import run
from operations.stack.settings import Settings

run.begin(state, Settings(report_dir=host.data.folder))
server.shell(name="Speaks", commands=["echo wrote a file"])
server.shell(name="Is not needed", commands=["true"], _if=lambda: False)
server.shell(name="Fails", commands=["echo the password is $PASSWORD >&2; false"])
server.shell(name="Is never begun", commands=["true"])
"""
INVENTORY = """
from operations.controller.secrets import Secret
hosts = [("@local", {"folder": "%s", "redis_password": Secret("REDIS_PASSWORD")})]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "deploy.py").write_text(DEPLOY)
    (folder / "inventory").write_text(INVENTORY % (folder / "reports"))
    words = [sys.executable, "-m", "pyinfra", "-y", str(folder / "inventory"), str(folder / "deploy.py")]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "REDIS_PASSWORD": SECRET, "PASSWORD": SECRET}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    return folder / "reports"


@pytest.fixture(scope="module")
def host(folder: Path) -> dict[str, Any]:
    (found,) = json.loads((folder / "latest.json").read_text())["hosts"].values()
    return dict(found)


def test_every_step_is_told_with_its_result_and_its_time(host: dict[str, Any]) -> None:
    assert [(step["name"], step["result"]) for step in host["steps"]] == [
        ("Speaks", "changed"),
        ("Is not needed", "no change"),
        ("Fails", "failed"),
        ("Is never begun", "skipped"),
    ]
    times = [step[when] for step in host["steps"][:3] for when in ("started", "finished")]
    assert times == sorted(times)
    assert host["steps"][3]["started"] is None
    assert host["duration"] > 0


def test_what_failed_is_told_without_the_secret(host: dict[str, Any]) -> None:
    assert host["status"] == "failed"
    assert host["changes"] == ["wrote a file"]
    assert host["error"] == "the password is *MASKED*"


def test_no_file_holds_the_secret(folder: Path) -> None:
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert {"latest.json", "latest.html", "latest.xml", "report.prom"} <= files.keys()
    assert [name for name, text in files.items() if SECRET in text] == []
