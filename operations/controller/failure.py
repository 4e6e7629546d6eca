"""Failing one host. An exception in an operation's generator would end the run of every other host too."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from pyinfra import host, logger
from pyinfra.api import FunctionCommand
from pyinfra.api import operation as pyinfra_operation
from pyinfra.api.arguments_typed import PyinfraOperation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State

from ..stack.errors import FleetError
from .shown import shown

P = ParamSpec("P")
Steps = Callable[P, Generator[PyinfraCommand, None, None]]


def operation() -> Callable[[Steps[P]], PyinfraOperation[P]]:
    """As pyinfra's own, for every operation here: what one of them raises on a host fails that host alone, with what it was."""

    def decorate(steps: Steps[P]) -> PyinfraOperation[P]:
        @wraps(steps)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[PyinfraCommand, None, None]:
            try:
                yield from steps(*args, **kwargs)
            except Exception as error:
                if not host.state.is_executing:
                    refuse(*met(error))
                yield fail(*met(error))

        return pyinfra_operation()(guarded)

    return decorate


def met(error: Exception) -> tuple[str, ...]:
    """What went wrong, as sentences."""
    if isinstance(error, FleetError):
        return error.problems
    logger.debug("".join(traceback.format_tb(error.__traceback__)))
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(frame[0].filename).name}, line {frame[0].lineno})" if frame else ""
    return (f"{type(error).__name__}: {error}{where}",)


def fail(*sentences: str) -> FunctionCommand:
    """A command that fails the host it runs on and says why."""
    return FunctionCommand(_fail, sentences, {})


def refuse(*sentences: str) -> None:
    """In a preview: say why the host in context could not be changed; pyinfra ends with status 1 then."""
    _say(host, sentences)
    host.state.failed_hosts.add(host.state.inventory.get_host(host.name))


def _fail(state: State, host: Host, *sentences: str) -> bool:
    note(host, *sentences)
    return False


def note(host: Host, *sentences: str) -> None:
    """Say what went wrong on a host, and keep it for the report and the history; the host fails for something else."""
    failures.setdefault(host.name, []).extend(_say(host, sentences))


def _say(host: Host, sentences: Iterable[str]) -> list[str]:
    said = list(map(shown, sentences))
    for sentence in said:
        host.log_styled(sentence, fg="red", log_func=logger.error)
    return said


# host → what was said there, for the report
failures: dict[str, list[str]] = {}
