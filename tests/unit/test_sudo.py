"""A host whose sudo wants a password, in a run that nobody sits at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyinfra.connectors import util

from operations.controller import sudo
from operations.controller.sudo import SudoError
from tests.unit.stack.hosts import PASSWORD

ROOT = Path(__file__).parents[2]
INVENTORY = """
from operations.controller import preflight
from operations.controller.secrets import Secret
data = {"redis_password": Secret("REDIS_PASSWORD"), "report_dir": "reports", "stack_dir": "/nowhere/at-all"}
hosts = [("@local", {"_sudo": True, **data})]
preflight.arm()
"""
WANTS_A_PASSWORD = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"


@pytest.mark.parametrize("words", [["--dry", "deploy.py"], ["-y", "deploy.py"]], ids=["preview", "run"])
def test_it_says_so_without_a_traceback_and_the_host_fails(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "inventory.py").write_text(INVENTORY)
    (tmp_path / "deploy.py").write_text((ROOT / "deploy.py").read_text())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sudo").write_text(WANTS_A_PASSWORD)
    (tmp_path / "bin/sudo").chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "REDIS_PASSWORD": PASSWORD, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "pyinfra", *words[:1], "inventory.py", words[1]], cwd=tmp_path, env=env, text=True, timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert (
        "sudo wants a password here, and this run has no terminal to ask for it. Let the user run sudo without one" in done.stdout
    )
    assert "Traceback" not in done.stdout
    assert "EOFError" not in done.stdout


def test_where_there_is_a_terminal_it_is_asked_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "getpass", lambda prompt: f"answer to {prompt}")
    sudo.arm()
    armed = util.getpass
    sudo.arm()
    assert util.getpass is armed
    monkeypatch.setattr(sudo, "_has_terminal", lambda: True)
    assert armed("sudo password: ") == "answer to sudo password: "
    monkeypatch.setattr(sudo, "_has_terminal", lambda: False)
    with pytest.raises(SudoError, match="no terminal"):
        armed("sudo password: ")
