"""Runs the commands of a page in a folder of its own. The programs that would need hosts are stand-ins, which note what they are
given; then the real programs' own parsers say whether they would have understood it."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from distributed.cli import dask_scheduler, dask_worker

from docs.generate.reference import parser_of
from operations import __main__ as command_line
from tests.lab import __main__ as lab

ROOT = Path(__file__).parents[3]
FILES = ("ca.pem", "me.pem", "me.key", ".lab/secrets.env")  # that a command of a page needs
PROGRAMS = (".venv/bin/python", ".venv/bin/pyinfra", "bin/make", "bin/pip", "bin/pyinfra-compose")
# pyinfra's own parser: the inventory, and what is to be done
_PYINFRA = """
import json, sys
from pyinfra_cli.cli import cli
given = cli.make_context("pyinfra", sys.argv[1:]).params
print(json.dumps([given["inventory"], given["operations"]]))
"""
_NOTE = """#!/bin/sh
{python} -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$0" "$@" >> "{noted}"
case "$*" in *"secrets new"*) echo a-password-of-40-characters-0123456789ab ;; esac
"""


def run(text: str, folder: Path) -> list[list[str]]:
    """Run the commands with the stand-ins; the words of each program that was called."""
    noted = folder / "noted"
    for name in PROGRAMS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_NOTE.format(python=sys.executable, noted=noted))
        path.chmod(0o755)
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    env = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(["sh", "-eu"], input=text, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []


def problem(called: list[str]) -> str:
    """Why the real program would not understand what it was given; empty where it would."""
    program, *words = called
    try:
        _PARSERS[Path(program).name](words)
    except (SystemExit, click.ClickException, AssertionError, ImportError, KeyError, TypeError) as error:
        return f"{' '.join([Path(program).name, *words])}: {getattr(error, 'message', error)}"
    return ""


def _python(words: list[str]) -> None:
    assert words[0] == "-m"
    module, *rest = words[1:]
    if module == "operations":
        _operations(rest)
    elif module == "tests.lab":
        lab._parser().parse_args(rest)
    elif module == "dask":
        {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[rest[0]].make_context(rest[0], rest[1:])
    elif module == "pytest":
        done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-qq", *rest], cwd=ROOT, capture_output=True)
        assert done.returncode == 0, "collects no test"
    else:
        assert (ROOT / module.replace(".", "/")).exists(), f"there is no {module}"


def _operations(words: list[str]) -> None:
    module, _ = command_line.COMMANDS[words[0]]
    parser_of(import_module(module, "operations").main).parse_args(words[1:])


def _pyinfra(words: list[str]) -> None:
    # in a process of its own: whoever imports pyinfra_cli has threads that are none
    done = subprocess.run([sys.executable, "-c", _PYINFRA, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    inventory, (first, *rest) = json.loads(done.stdout)
    assert inventory == "inventory"
    if first == "fact":
        _takes(_named(rest[0]).command, rest[1:])
    elif first.endswith(".py"):
        assert (ROOT / first).exists(), f"there is no {first}"
    else:
        _takes(_named(first)._inner, rest)


def _named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _takes(function: Callable[..., object], words: list[str]) -> None:
    inspect.signature(function).bind_partial(**dict(word.split("=", 1) for word in words))


def _make(words: list[str]) -> None:
    # `make --dry-run` is no question: it runs the lines that call make again
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets, variables = re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE), re.findall(r"^(\w+) \?=", text, re.MULTILINE)
    for word in words:
        name, given, _ = word.partition("=")
        assert name in (variables if given else targets), f"has no {name}"


def _pip(words: list[str]) -> None:
    assert words[0] == "install"
    wanted = {match[1] for word in words[1:] if (match := re.fullmatch(r"pyinfra-compose\[(\w+)\]", word))}
    assert wanted <= set(_extras()), "has no such extra"


def _extras() -> Iterator[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional-dependencies]")[2]
    yield from re.findall(r"^(\w+) = \[", text.partition("\n\n")[0], re.MULTILINE)


_PARSERS: Mapping[str, Callable[[list[str]], None]] = {
    "python": _python,
    "pyinfra": _pyinfra,
    "pyinfra-compose": _operations,
    "make": _make,
    "pip": _pip,
}
