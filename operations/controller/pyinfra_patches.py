"""What pyinfra 3.10 works out again for every host and operation, and need not: half of the time that planning takes.

Only its own functions change, and none of them gives another answer. To be left out as soon as pyinfra does it itself.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache, partial, wraps
from types import ModuleType
from typing import Any

from pyinfra.api import Host, Inventory, State, arguments, inventory, util

_Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
_Init = Callable[[Host, State], None]


def _without_source(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of a frame only file and line are needed; to find its source `inspect` looks through every module that there is."""
    return partial(function, context=0)


def _aligned_once(init: _Init) -> _Init:
    """To know how many blanks align its name, each host looks at those of all: 14.7 s for 10,000 hosts."""

    @cache
    def longest(hosts: Inventory) -> int:
        return max(len(host.name) for host in hosts)

    @wraps(init)
    def quicker(host: Host, state: State) -> None:
        host.state = state
        host.connector = host.connector_cls(state, host)
        host.print_prefix_padding = " " * (longest(host.inventory) - len(host.name))

    return quicker


_QUICKER: tuple[tuple[ModuleType | type, str, _Wrap], ...] = (
    # the place of an operation in the deploy is told from the stack
    (util, "stack", _without_source),
    (util, "getframeinfo", _without_source),
    # evaluates annotations, for every operation and fact
    (arguments, "all_global_arguments", cache),
    # reads the metadata of every installed package, for every host whose name begins with @
    (inventory, "get_all_connectors", cache),
    (Host, "init", _aligned_once),
)


# new objects after which Python looks for garbage, instead of 700: what is known of a host stays to the end of the run, so that it
# would be looked through again and again, and find next to nothing
_GARBAGE = (50_000, 20, 100)


def arm() -> None:
    """To be called before the inventory is made. A second call does nothing."""
    gc.set_threshold(*_GARBAGE)
    for module, name, wrap in _QUICKER:
        function = getattr(module, name, None)
        if function is not None and not hasattr(function, "__wrapped__") and not isinstance(function, partial):
            setattr(module, name, wrap(function))
