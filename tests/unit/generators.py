"""Runs an operation's own generator without pyinfra and without a host: what it asks, what it is told, and what it yields.

What that cannot prove: that the scripts do on a host what their names say. Their own tests and the lab's do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api import FunctionCommand, StringCommand
from pyinfra.context import ctx_host

from operations import backup, checks, lock, scripts
from operations.controller import failure, run
from operations.scripts import Parameter, Script
from operations.stack.settings import Settings
from operations.stack.snapshot import Snapshot


class Called(StringCommand):
    """The command of one script, or of several one after the other."""

    def __init__(self, *called: Script) -> None:
        self.called = called
        super().__init__(*(one.path for one in called))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.path for one in self.called)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Those of the first."""
        return self.called[0].parameters


@dataclass
class AHost:
    """A host as operations see it: what facts say of it by their names, and what it was asked and told."""

    name: str = "erni-1"
    executing: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        hosts = {self.name: self}
        self.data: dict[str, Any] = {}
        self.print_prefix = ""
        self.op_hash_order: tuple[str, ...] = ()
        self.state: Any = SimpleNamespace(
            is_executing=self.executing,
            failed_hosts=set(),
            active_hosts={self},
            callback_handlers=[],
            add_callback_handler=lambda handler: self.state.callback_handlers.append(handler),
            inventory=SimpleNamespace(hosts=hosts, get_host=hosts.__getitem__),
        )

    def __hash__(self) -> int:
        return id(self)

    def get_fact(self, fact: type, **arguments: Any) -> Any:
        self.asked.append(fact.__name__)
        return self.facts[fact.__name__]

    def noop(self, text: str) -> None:
        self.told.append(text)

    def log(self, text: str) -> None:
        self.told.append(text)

    def log_styled(self, text: str, **_: Any) -> None:
        self.told.append(text)


class Ran:
    """What an operation yielded on a host."""

    def __init__(self, host: AHost, yielded: Sequence[Any]) -> None:
        self.host, self.yielded = host, yielded

    @property
    def scripts(self) -> list[str]:
        """The scripts that are run, in their order."""
        return [name for one in self.yielded if isinstance(one, Called) for name in one.names]

    def parameters(self, script: str) -> Mapping[str, Parameter]:
        """What the one call of a script is given."""
        called = [one for command in self.yielded if isinstance(command, Called) for one in command.called]
        (found,) = (one.parameters for one in called if one.path == script)
        return found

    def words(self, script: str, name: str) -> list[str]:
        """One of them that is a list."""
        found = self.parameters(script)[name]
        assert isinstance(found, list | tuple)
        return list(found)

    @property
    def failed(self) -> str:
        """Why the host fails; empty where it does not."""
        return " ".join(text for one in self.yielded if isinstance(one, FunctionCommand) for text in one.args)


@dataclass
class Stage:
    """Where operations are run: what the next looks at a host find, and the run that they are a part of."""

    looks: list[Snapshot]
    run: run.Run

    def on(self, host: AHost, operation: Any, *arguments: Any, **named: Any) -> Ran:
        """Run an operation on a host until its end."""
        with self._at(host):
            return Ran(host, list(operation._inner(*arguments, **named)))

    @contextmanager
    def _at(self, host: AHost) -> Iterator[None]:
        with ctx_host.use(host):
            yield

    def look(self, *_: Any, **__: Any) -> Snapshot:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def staged(patched: pytest.MonkeyPatch, folder: Path) -> Stage:
    """Operations yield what can be read, and see what a test lets them see."""
    held = run.Run(SimpleNamespace(), folder, Settings.report_keep, id="this-run")  # type: ignore[arg-type]
    found = Stage([], held)
    patched.setattr(run, "_run", held)
    patched.setattr(failure, "failures", {})
    patched.setattr(scripts, "command", Called)
    patched.setattr(scripts, "words", lambda command: " ".join(command.names))
    patched.setattr(lock, "_held", {})
    patched.setattr(lock, "_owners", {})
    for module in (backup, checks, lock):
        patched.setattr(module, "observe", found.look)
    return found


@dataclass
class Done:
    """An operation of before: how it ended."""

    error: bool = False
    changed: bool = True
    stdout_lines: Sequence[str] = ()
    complete: bool = True

    def is_complete(self) -> bool:
        return self.complete

    def did_error(self) -> bool:
        return self.error

    def did_change(self) -> bool:
        return self.changed
