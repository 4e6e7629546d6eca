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
import os
from pyinfra import host, state
from pyinfra.operations import server
from operations.controller import run
from operations.controller.desired import secrets_of
from operations.controller.failure import fail
from operations.stack.settings import Settings
from pyinfra.api import operation

secrets_of([host.data.dict()])  # as every run does before it connects

@operation()
def fails():
    yield fail("it is \\x1b[2J$password\\n--> forged".replace("$password", os.environ["PASSWORD"]))

run.begin(state, Settings(report_dir=host.data.folder))
server.shell(name="Speaks", commands=["echo wrote a file"])
server.shell(name="Is not needed", commands=["true"], _if=lambda: False)
server.shell(name="Is colourful", commands=[r"printf '\\033[31ma\\033[0m\\033]0;title\\007\\n'"])
fails(name="Says why", _ignore_errors=True)
words = "'the password is \\033]0;%s\\007\\n%s\\n' $PASSWORD $(echo $PASSWORD | base64)"
server.shell(name="Fails", commands=[f"printf {words} >&2; false"])
server.shell(name="Is never begun", commands=["true"])
"""
INVENTORY = """
from operations.controller.secrets import Secret
hosts = [("@local", {"folder": "%s", "redis_password": Secret("REDIS_PASSWORD")})]
"""


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What the run said on the terminal."""
    return (folder.parent / "printed").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "deploy.py").write_text(DEPLOY)
    (folder / "inventory").write_text(INVENTORY % (folder / "reports"))
    words = [sys.executable, "-m", "pyinfra", "-y", str(folder / "inventory"), str(folder / "deploy.py")]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "REDIS_PASSWORD": SECRET, "PASSWORD": SECRET}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    (folder / "printed").write_text(done.stdout + done.stderr)
    return folder / "reports"


@pytest.fixture(scope="module")
def host(folder: Path) -> dict[str, Any]:
    (found,) = json.loads((folder / "latest.json").read_text())["hosts"].values()
    return dict(found)


def test_every_step_is_told_with_its_result_and_its_time(host: dict[str, Any]) -> None:
    assert [(step["name"], step["result"]) for step in host["steps"]] == [
        ("Speaks", "changed"),
        ("Is not needed", "no change"),
        ("Is colourful", "changed"),
        ("Says why", "failed"),
        ("Fails", "failed"),
        ("Is never begun", "skipped"),
    ]
    times = [step[when] for step in host["steps"][:5] for when in ("started", "finished")]
    assert times == sorted(times)
    assert host["steps"][5]["started"] is None
    assert host["duration"] > 0


def test_what_failed_is_told_without_the_secret(host: dict[str, Any]) -> None:
    assert host["status"] == "failed"
    assert host["changes"] == ["wrote a file", "a\ufffd]0;title\ufffd"]
    said = ["the password is \ufffd]0;*MASKED*\ufffd", "*MASKED*K", "it is \ufffd[2J*MASKED* --> forged"]
    assert host["error"].split("\n") == said


def test_pyinfras_own_lines_hold_neither_the_secret_nor_a_control_character(printed: str) -> None:
    assert "[@local] the password is \ufffd]0;*MASKED*\ufffd" in printed.replace("    ", "")
    assert "it is \ufffd[2J*MASKED* --> forged" in printed
    assert SECRET not in printed
    assert all(c.isprintable() or c == "\n" for c in printed)


def test_no_file_holds_the_secret(folder: Path) -> None:
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert {"latest.json", "latest.html", "latest.xml", "report.prom"} <= files.keys()
    assert [name for name, text in files.items() if SECRET in text] == []
