"""What is told to a person can be typed as it stands, in the checkout and where the wheel is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from operations import __main__ as command_line

ROOT = Path(__file__).parents[2]
# what a message names as the command line, said by code that makes no message itself
SAID = "from {package} import COMMAND; from {package}.stack import password; print(COMMAND, password._NEW)"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A folder in which the library lies as the wheel has it."""
    (tmp_path / "pyinfra_compose").symlink_to(ROOT / "operations")
    return tmp_path


def python(*words: str, folder: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


def test_in_the_checkout_it_is_the_modules_command_in_the_checkouts_venv() -> None:
    told = python("-c", SAID.format(package="operations"), folder=ROOT)
    assert told == ".venv/bin/python -m operations Make a new one with: .venv/bin/python -m operations secrets new\n"


def test_with_the_wheel_it_is_its_script(wheel: Path) -> None:
    told = python("-c", SAID.format(package="pyinfra_compose"), folder=wheel)
    assert told == "pyinfra-compose Make a new one with: pyinfra-compose secrets new\n"


def test_that_script_is_the_one_that_the_wheel_brings() -> None:
    scripts = (ROOT / "pyproject.toml").read_text().partition("[project.scripts]\n")[2]
    assert scripts.startswith('pyinfra-compose = "pyinfra_compose.__main__:main"\n')


@pytest.mark.parametrize("command", ["", *command_line.COMMANDS])
def test_no_help_of_the_wheel_names_the_checkout(wheel: Path, command: str) -> None:
    told = python("-m", "pyinfra_compose", *command.split(), "--help", folder=wheel)
    assert told.startswith(f"usage: pyinfra-compose {command}".strip())
    assert re.search(r"\boperations\b|\.venv|docs/", told) is None
