"""Hosts that run one service on one server of its state: the first of them in the inventory goes before the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.api import Inventory
from pyinfra.api.host import Host

from ..stack import registry
from ..stack.catalogue import catalogue, folders_of
from ..stack.service import setting_of


def ahead(host: Host, data: Mapping[str, Any], servers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Service → the host whose replica of it goes first, where that is another one.

    + data: the host's
    + servers: a setting that names a host whose server is used → that host
    """
    if not servers:
        return
    entries = catalogue(folders_of(data))
    provider = {name: one.name for one in entries.values() for name in one.provides}
    for service in _services(data):
        state = entries[service].state if service in entries else None
        setting = setting_of(provider[state], "host") if state in provider else ""
        if setting in servers:
            replicas = (servers[setting], *_users(host.inventory, setting, servers[setting]))
            first = next(name for name in replicas if name == host.name or service in _services(host.inventory.hosts[name].data))
            if first != host.name:
                yield service, first


def _services(data: Any) -> Sequence[str]:
    """Those in a host's data, as far as they are names; what else is wrong with them is told with the other settings."""
    found = data.get("services", registry.services().DEFAULT)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list | tuple) else ()


def _users(inventory: Inventory, setting: str, server: str) -> Sequence[str]:
    """The hosts whose setting names this one, in the order of the inventory."""
    known = _known.setdefault(inventory, {})
    if setting not in known:
        known[setting] = {}
        for one in inventory:
            if isinstance(named := one.data.get(setting), str):
                known[setting].setdefault(named, []).append(one.name)
    return known[setting].get(server, [])


_known: WeakKeyDictionary[Inventory, dict[str, dict[str, list[str]]]] = WeakKeyDictionary()
