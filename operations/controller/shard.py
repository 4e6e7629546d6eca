"""One shard of the fleet instead of all of it: what FLEET_SHARD says, for the inventory.

`3/10` is the third of ten shards; `@file` names a file with the hosts' names, one a line, for who splits the fleet himself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..stack.catalogue import server_settings
from ..stack.errors import InventoryError
from ..stack.shards import VARIABLE, chosen, part, split, units

if TYPE_CHECKING:
    from pyinfra.api import Inventory

Data = dict[str, Any]
Groups = dict[str, tuple[list[tuple[str, Data]], Data]]  # group → its hosts, each with its data, and data of the group

# the hosts that another shard has → their groups
elsewhere: dict[str, tuple[str, ...]] = {}
# group, setting that names the host of a server, and its value in the file of the hosts, as text
_servers: set[tuple[str, str, str]] = set()


def only(groups: Groups) -> Groups:
    """The groups with the hosts of this shard alone; all of them when FLEET_SHARD is not set. No group is lost.

    Raises InventoryError when it says neither which shard nor which hosts.
    """
    text = os.environ.get(VARIABLE)
    if text is None:
        return groups
    of: dict[str, list[str]] = {}
    for group, (members, _) in groups.items():
        for name, _ in members:
            of.setdefault(name, []).append(group)
    mine = set(_listed(Path(text[1:]), of) if text.startswith("@") else _part(text, groups, list(of)))
    elsewhere.update((name, tuple(names)) for name, names in of.items() if name not in mine)
    return {group: ([one for one in members if one[0] in mine], data) for group, (members, data) in groups.items()}


def _part(text: str, groups: Groups, hosts: Sequence[str]) -> Sequence[str]:
    which, count = part(text)
    _servers.update((group, name, repr(data.get(name))) for group, (_, data) in groups.items() for name in server_settings())
    return split(units(hosts, _uses(groups)), count)[which - 1]


def _uses(groups: Groups) -> Iterator[tuple[str, str]]:
    """Host, and the one whose server it uses, as the host's own data or that of one of its groups says."""
    for members, data in groups.values():
        for name, own in members:
            for server in (given.get(name) for name in server_settings() for given in (own, data)):
                if isinstance(server, str):
                    yield name, server


def _listed(path: Path, known: dict[str, list[str]]) -> Sequence[str]:
    try:
        names = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InventoryError(
            f"{VARIABLE}: {path} cannot be read ({why}). Name a file with the hosts' names, one a line."
        ) from error
    if strange := [name for name in names if name not in known]:
        raise InventoryError(
            f"{VARIABLE}: {path} names {', '.join(strange[:5])}{' and others' if strange[5:] else ''}, which the inventory of this "
            "machine does not have. Give every machine the same file of hosts."
        )
    return names


def nothing_to_do(limit: Sequence[str], exclude: Sequence[str]) -> str | None:
    """Why a run has no host, where that is no mistake: those that were asked for are in other shards.

    + limit, exclude: as pyinfra was given them
    """
    if not any(chosen(name, groups, limit, exclude) for name, groups in elsewhere.items()):
        return None
    return f"{VARIABLE}={os.environ[VARIABLE]}: the hosts of this run are in other shards. There is nothing to do here."


def problems(inventory: Inventory) -> Iterator[str]:
    """The host of a server that is not in the file of the hosts, which shards are made from: hosts that share it would be split."""
    data: dict[str, dict[str, Any]] = {"all": {**inventory.get_data(), **inventory.get_override_data()}, **inventory.group_data}
    for group, values in data.items() if _servers else ():
        for name in server_settings():
            server = values.get(name)
            if server is not None and (group, name, repr(server)) not in _servers:
                yield (
                    f"{VARIABLE}: {name} of the group {group} is {server!r}, and not in the file of the hosts. Hosts that share a "
                    "server would get into different shards. Write it there, under the group's `data`."
                )
