"""The whole of deploy.py as one call: the example of docs/operations.md, run on `@fake` hosts."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stack.hosts import PASSWORD

ROOT = Path(__file__).parents[2]
HOSTS = ("a", "b", "c")
INVENTORY = """
from operations.controller.secrets import Secret
data = {"redis_password": Secret("REDIS_PASSWORD"), "rollout_waves": ["1", "100%"], "report_dir": ".", "folder": "."}
hosts = (["@fake/a", "@fake/b", "@fake/c"], {**data, "fake_delay": 0, "fake_delay_jitter": 0})
"""
ARMED = "from tests.unit import under_lock\nunder_lock.arm_all('.')\n"


def test_the_page_and_the_call_are_the_same() -> None:
    page, call = (ast.parse((ROOT / name).read_text()).body for name in ("deploy.py", "operations/rollout.py"))
    function = next(one for one in call if isinstance(one, ast.FunctionDef))
    steps = [one for one in page if not isinstance(one, ast.ImportFrom)]
    assert len(steps) > 4
    assert list(map(ast.dump, function.body[1:])) == list(map(ast.dump, steps[1:]))  # without what each says of itself


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Host → what was run on it."""
    folder = tmp_path_factory.mktemp("call")
    example = next(
        one for one in re.findall(r"```python\n(.*?)```", (ROOT / "docs/operations.md").read_text(), re.S) if "roll_out" in one
    )
    (folder / "deploy.py").write_text(ARMED + example.replace("pyinfra_compose", "operations"))
    (folder / "inventory.py").write_text(INVENTORY)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYINFRA_PROGRESS": "off", "REDIS_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "pyinfra", "-y", "inventory.py", "deploy.py"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "latest.json").read_text())["hosts"]
    return {name: found[f"@fake/{name}"]["steps"] for name in HOSTS}


def test_every_step_is_done_on_every_host(steps: dict[str, list[dict[str, Any]]]) -> None:
    names = re.findall(r"name=\"([^\"]+)\"", (ROOT / "deploy.py").read_text().partition("for wave in")[2])
    for done in steps.values():
        assert {f"Stack | {name}" for name in names} <= {step["name"] for step in done}
        assert all(step["result"] in ("changed", "no change") for step in done)


def test_a_wave_begins_when_the_one_before_has_ended(steps: dict[str, list[dict[str, Any]]]) -> None:
    def when(host: str, name: str, what: str) -> str:
        return str(next(step[what] for step in steps[host] if step["name"] == f"Stack | {name}"))

    ended = when("a", "The run is noted and the lock given back", "finished")
    assert all(ended <= when(host, "The stack is locked for this run", "started") for host in ("b", "c"))
