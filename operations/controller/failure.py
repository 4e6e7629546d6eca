"""Failing one host. An exception in an operation's generator would end the run of every other host too."""

from __future__ import annotations

from pyinfra import logger
from pyinfra.api import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State

from .shown import shown


def fail(*sentences: str) -> FunctionCommand:
    """A command that fails the host it runs on and says why."""
    return FunctionCommand(_fail, sentences, {})


def _fail(state: State, host: Host, *sentences: str) -> bool:
    note(host, *sentences)
    return False


def note(host: Host, *sentences: str) -> None:
    """Say what went wrong on a host, and keep it for the report and the history; the host fails for something else."""
    for sentence in map(shown, sentences):
        host.log_styled(sentence, fg="red", log_func=logger.error)
        failures.setdefault(host.name, []).append(sentence)


# host → what was said there, for the report
failures: dict[str, list[str]] = {}
