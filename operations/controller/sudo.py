"""A host whose sudo wants a password: pyinfra asks the terminal for it. Where there is none, the host says so and fails alone."""

from __future__ import annotations

import os
import sys
from functools import wraps

from pyinfra.connectors import util

from ..stack.errors import FleetError

_NO_TERMINAL = (
    "sudo wants a password here, and this run has no terminal to ask for it. Let the user run sudo without one (NOPASSWD in "
    "sudoers), or run it from a terminal"
)


class SudoError(FleetError):
    """A password is wanted, and there is nobody to ask."""


def arm() -> None:
    """To be called before the first connection. A second call does nothing."""
    ask = util.getpass
    if hasattr(ask, "__wrapped__"):
        return

    @wraps(ask)
    def asked(prompt: str) -> str:
        if not _has_terminal():
            raise SudoError(_NO_TERMINAL)
        return ask(prompt)

    vars(util)["getpass"] = asked


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty()
    return True
