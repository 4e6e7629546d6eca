"""The whole inventory with its data, as pyinfra itself tells it. Nothing is connected."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..controller import desired
from ..controller.desired import references
from ..controller.secrets import Secret
from ..stack.errors import InventoryError

ERROR = "--> pyinfra error: "
# as a `Secret` shows itself; what is no name is not shown
_SECRET = re.compile(r"Secret\((?:'([A-Z][A-Z0-9_]*)'|not a name)\)")


def read(words: Sequence[str]) -> list[dict[str, Any]]:
    """Every host with its `name`, `groups` and `data`.

    + words: of pyinfra's command line

    Raises InventoryError when there are none, or pyinfra finds something wrong.
    """
    command = [sys.executable, "-m", "pyinfra", "--json", *words, "inventory", "debug-inventory"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        _, error, text = done.stderr.rpartition(ERROR)
        if error:
            raise InventoryError(text.strip())
        sys.stderr.write(text)  # a traceback, which may hold anything, and so is for who is here alone
        raise InventoryError("pyinfra cannot read the inventory. To see why: pyinfra inventory debug-inventory")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    if not found:
        raise InventoryError("There is no inventory with hosts in this folder. Run the command in the folder of deploy.py.")
    return found


def secrets_in(value: Any) -> Iterator[str]:
    """The names of the secrets that a value of the data refers to, at any depth; "" for one whose name is none."""
    if isinstance(value, str) and (found := _SECRET.fullmatch(value)):
        yield found[1] or ""
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from secrets_in(one)


def addresses(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Who is told of a run: `notify`, with the values of its secrets.

    Raises SettingsError or SecretError.
    """
    told = [Secret(found[1] or "") if (found := _SECRET.fullmatch(str(one))) else one for one in data["notify"]]
    return desired.addresses({**data, "notify": told})


def secrets_of(data: Mapping[str, Any]) -> Iterator[str]:
    """The names of all secrets that a host needs: those in its data, and those that its settings add by a rule."""
    yield from secrets_in(dict(data))
    whole = {name: _SECRET.fullmatch(value) if isinstance(value, str) else None for name, value in data.items()}
    named = {name: Secret(found[1]) for name, found in whole.items() if found and found[1]}
    yield from (one.name for name, one in references({**data, **named}).items() if name not in named)
