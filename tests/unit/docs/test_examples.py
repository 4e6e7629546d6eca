"""Every code block of every page is run, or says that it is output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
import yaml

from operations.controller import inventory
from operations.stack.catalogue import catalogue
from operations.stack.settings import Settings, declared
from tests import lab
from tests.unit.docs import standins
from tests.unit.docs.blocks import OUTPUT, ROOT, Block, blocks
from tests.unit.stack.catalogues import Put
from tests.unit.stack.hosts import PASSWORD

INVENTORY = """
from operations.controller.secrets import Secret
hosts = (["@fake/a"], {"redis_password": Secret("REDIS_PASSWORD"), "fake_delay": 0, "fake_delay_jitter": 0, "folder": "."})
"""
ARMED = "from tests.unit import under_lock\nunder_lock.arm_all('.')\n"
# what a docstring's example stands in
AROUND = "from operations import engine, env, rollout\nfrom operations.facts.bundle import Questions, ask\n"
AROUND += "from operations.facts.engine import Engine\nfrom pyinfra.facts.server import Kernel\n"


def test_every_block_says_what_it_is() -> None:
    known = (OUTPUT, "sh", "python", "yaml")
    assert [f"{one} is {one.language!r}, expected one of {known}" for one in blocks() if one.language not in known] == []


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_are_understood(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    called = standins.run(block.text, tmp_path)
    assert called
    assert list(filter(None, map(standins.problem, called))) == []


# Settings, inventories and catalogue files


def _hosts(text: str, put: Put, folder: Path) -> None:
    (folder / "hosts.yml").write_text(text)
    groups = inventory.load(folder / "hosts.yml")
    hosts = [data for members, _ in groups.values() for _, data in members]
    assert hosts
    for members, data in groups.values():
        for _, own in members:
            Settings.parse({**data, **own})


def _service(text: str, put: Put, folder: Path) -> None:
    found = yaml.safe_load(text)
    if "services" not in found:
        text = f"{text}\nservices: {{web: {{image: x}}}}\n"
    (name,) = yaml.safe_load(text)["services"]
    path = put(name, text)
    assert name in catalogue((str(path.parent),))


def _checks(text: str, put: Put, folder: Path) -> None:
    path = put("web", yaml.safe_dump({"x-fleet": yaml.safe_load(text), "services": {"web": {"image": "x"}}}))
    assert len(catalogue((str(path.parent),))["web"].probes) == len(yaml.safe_load(text)["checks"])


def _settings(text: str, put: Put, folder: Path) -> None:
    found = yaml.safe_load(text)
    assert found.keys() <= Settings().all().keys()
    Settings.parse(found)


def _scraped(text: str, put: Put, folder: Path) -> None:
    assert all(one.keys() == {"job_name", "static_configs"} for one in yaml.safe_load(text)["scrape_configs"])


YAML: dict[str, Callable[[str, Put, Path], None]] = {
    "production": _hosts,
    "x-fleet": _service,
    "checks": _checks,
    "clients": _settings,
    "services": _settings,
    "scrape_configs": _scraped,
}


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_what_is_to_be_written_into_a_file_is_accepted(block: Block, put: Put, tmp_path: Path) -> None:
    first = next(iter(yaml.safe_load(block.text)))
    YAML[first](block.text, put, tmp_path)


# Python


def _deploy(text: str, folder: Path) -> None:
    (folder / "inventory.py").write_text(INVENTORY)
    _pyinfra(folder, "inventory.py", f"{ARMED}{text}")


def _inventory(text: str, folder: Path) -> None:
    (folder / "inventory").write_text(text)
    (folder / "hosts.yml").write_text("production: {hosts: {'@fake/a': {fake_delay: 0}}}\n")
    shutil.copytree(ROOT / "group_data", folder / "group_data")
    _pyinfra(folder, "inventory", "")


def _pyinfra(folder: Path, inventory: str, deploy: str) -> None:
    """A preview on a host that nobody needs: what is called must be there, and take what it is given."""
    (folder / "deploy.py").write_text(deploy)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYINFRA_PROGRESS": "off", "REDIS_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "pyinfra", "--dry", inventory, "deploy.py"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def _group_data(text: str, folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(text, names)
    assert names.keys() - {"__builtins__"} <= Settings().all().keys() | declared(catalogue()).keys()


def _lab(text: str, folder: Path) -> None:
    stand = create_autospec(lab.Lab, instance=True)
    stand.up.return_value = [create_autospec(lab.Host, instance=True)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lab.Lab, "here", lambda: stand)
        exec(text, {})
    assert stand.up.called


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_is_run(block: Block, tmp_path: Path) -> None:
    text = block.text.replace("pyinfra_compose", "operations")
    if block.page.startswith("operations."):
        _deploy(f"{AROUND}{text}", tmp_path)
    elif "tests.lab" in text:
        _lab(text, tmp_path)
    elif "import" not in text:
        _group_data(text, tmp_path)
    else:
        (_inventory if "inventory.load" in text else _deploy)(text, tmp_path)
