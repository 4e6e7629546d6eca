"""What pyinfra 3.10 works out again for every host and operation, and need not: half of the time that planning takes.

Only its own functions change, and none of them gives another answer. To be left out as soon as pyinfra does it itself.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from copy import copy
from functools import cache, partial, wraps
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

from pyinfra.api import Host, Inventory, State, arguments, facts, inventory, util

_Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
_Init = Callable[[Host, State], None]
_Pop = Callable[[State, Any, dict[str, Any]], Any]


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


def _data_merged_once(pop: _Pop) -> _Pop:
    """It asks a host's data for each of some thirty arguments, and each time that merges all groups of the host: half of a plan."""

    @wraps(pop)
    def quicker(state: State, host: Host, kwargs: dict[str, Any]) -> Any:
        data = {name: copy(value) for name, value in host.data.dict().items() if name.startswith("_")}
        merged = SimpleNamespace(data=SimpleNamespace(**data), current_deploy_kwargs=host.current_deploy_kwargs)
        return pop(state, merged, kwargs)

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
    (facts, "pop_global_arguments", _data_merged_once),
    (import_module("pyinfra.api.operation"), "pop_global_arguments", _data_merged_once),  # pyinfra.api.operation is a function too
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
