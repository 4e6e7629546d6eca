"""The hosts of the fleet, read from a YAML file and given to pyinfra in the form of its own inventories.

The file: group → `hosts` (name → pyinfra's host data, or nothing) and `data` (for every host of the group).
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pyinfra.api.arguments import AllArguments
from pyinfra.connectors.ssh import ConnectorData

from ..stack.errors import InventoryError
from . import shard
from .secrets import NEW
from .shard import Data, Groups

VARIABLE = "FLEET_HOSTS"
ALL = "inventory"

PATHS = ("ssh_key", "ssh_known_hosts_file", "ssh_config_file")
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9_.:-]*|@[a-z]+(/[^\s/][^\s]*)?")
_RESERVED = (ALL, "names_data", "override_data", "self")  # arguments of pyinfra's Inventory, and the group that is ours
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def find(folder: Path) -> Path:
    """The file that holds the hosts: what FLEET_HOSTS names, else `hosts.yml` in the folder, else the lab's.

    Raises InventoryError when there is none.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    usual = (folder / "hosts.yml", folder / ".lab" / "hosts.yml")
    for path in usual:
        if path.exists():
            return path
    raise InventoryError(
        f"There is no file with the hosts. Looked for {VARIABLE} in the environment (not set), "
        f"{usual[0]} and {usual[1]}. "
        "Write your hosts into hosts.yml. In a checkout hosts.example.yml shows the form, and `make lab` starts some here."
    )


def load(path: Path) -> Groups:
    """The groups of a YAML file, as pyinfra takes them: group → (hosts with their data, the group's data).

    The group `all` becomes `inventory`, the first one: pyinfra lets group_data/all.py win over an inventory's `all`.

    With FLEET_SHARD set, the hosts of that shard alone.

    Raises InventoryError with every problem at once.
    """
    reading = _Reading(path)
    groups = reading.groups(reading.yaml())
    mine: Groups = {}
    try:
        mine = shard.only(groups)
    except InventoryError as error:
        reading.problems += error.problems
    if reading.problems:
        raise InventoryError(reading.problems)
    if not any(hosts for hosts, _ in groups.values()):
        raise InventoryError(f"{path}: there is no host in it. Write at least one under a group's `hosts`.")
    return mine


@dataclass
class _Reading:
    """One pass over a file: what is in it, and what is wrong with it."""

    path: Path
    problems: list[str] = field(default_factory=list)

    def problem(self, *where: object, text: str) -> None:
        self.problems.append(": ".join([str(self.path), *map(str, where), text]))

    def yaml(self) -> Any:
        """The content. Keys that are there twice are refused, of which YAML's own loader keeps the last in silence."""
        try:
            loader = _LOADER(self.path.read_bytes().decode("utf-8"))
            try:
                node = loader.get_single_node()
                self.problems += [f"{self.path}: {text}" for text in _duplicates(node, (), set())]
                return loader.construct_document(node) if node else None
            finally:
                loader.dispose()
        except FileNotFoundError:
            hint = f"Correct {VARIABLE}." if os.environ.get(VARIABLE) else "Write it as hosts.example.yml shows."
            self.problem(text=f"there is no such file. {hint}")
        except OSError as error:
            self.problem(text=f"cannot be read ({error.strerror}). Make it a file that you can read.")
        except UnicodeDecodeError as error:
            self.problem(text=f"is not UTF-8 text (byte {error.start + 1}). Save it as UTF-8.")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            self.problem(text=f"{where}is no valid YAML ({error.problem or error.context}). Correct it.")
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            self.problem(text=f"is no valid YAML ({str(error).splitlines()[0]}). Correct it.")
        raise InventoryError(self.problems)

    def groups(self, content: Any) -> Groups:
        if content is None:
            content = {}
        if not isinstance(content, dict):
            self.problem(text=f"is {_shown(content)}, expected a mapping: group → hosts, data.")
            return {}
        found = {name: self.group(name, value) for name, value in content.items()}
        self.contradictions(found)
        if "all" not in found:
            return found
        hosts, data = found.pop("all")
        everyone: dict[str, Data] = {name: {} for others, _ in found.values() for name, _ in others}
        return {ALL: (list((everyone | dict(hosts)).items()), data), **found}

    def group(self, name: Any, value: Any) -> tuple[list[tuple[str, Data]], Data]:
        if not isinstance(name, str) or not _GROUP.fullmatch(name):
            self.problem(name, text="is no group name. Use letters, digits, - and _, a letter first.")
        elif name in _RESERVED:
            self.problem(name, text="pyinfra uses this name itself. Give the group another, or write `all` for every host.")
        parts = self.mapping(name, value=value, expected="`hosts` and `data`")
        for key in parts:
            if key not in ("hosts", "data"):
                self.problem(name, key, text="is neither `hosts` nor `data`. A setting goes under `data`, a host under `hosts`.")
        hosts = self.mapping(name, "hosts", value=parts.get("hosts"), expected="a line `name:` for each host")
        data = self.mapping(name, "data", value=parts.get("data"), expected="lines such as `stack_dir: /opt/erni-ki`")
        return [(str(host), self.host(name, host, given)) for host, given in hosts.items()], self.data((name, "data"), data)

    def host(self, group: Any, name: Any, value: Any) -> Data:
        if not isinstance(name, str):
            self.problem(group, name, text=f"the host's name is {_shown(name)}, expected text. Put it in quotes.")
        elif not _HOST.fullmatch(name):
            self.problem(group, name, text="is no host name. Use letters, digits, - . _ and :, or a connector such as @local.")
        given = self.mapping(group, name, value=value, expected="lines such as `ssh_port: 22`, or nothing")
        return self.data((group, name), given)

    def mapping(self, *where: object, value: Any, expected: str) -> dict[Any, Any]:
        if value is None or isinstance(value, dict):
            return value or {}
        self.problem(*where, text=f"is {_shown(value)}, expected a mapping: {expected}.")
        return {}

    def data(self, where: tuple[object, ...], data: dict[Any, Any]) -> Data:
        for key, value in data.items():
            if not isinstance(key, str):
                self.problem(*where, text=f"the key is {_shown(key)}, expected text. Put it in quotes.")
            elif problem := _data_problem(key, value):
                self.problem(*where, text=problem)
        return {str(key): self.resolved(value) if key in PATHS else value for key, value in data.items()}

    def resolved(self, value: Any) -> Any:
        """A path as seen from the file's own folder, wherever pyinfra is run from."""
        return str(self.path.parent.absolute() / Path(value).expanduser()) if isinstance(value, str) and value else value

    def contradictions(self, groups: Groups) -> None:
        """A host may be in several groups, but its data is given in one: pyinfra would take the last in silence."""
        given: dict[str, tuple[str, Data]] = {}
        for group, (hosts, _) in groups.items():
            for name, data in hosts:
                first, known = given.setdefault(name, (group, data))
                if not known:
                    given[name] = (group, data)
                elif data and data != known:
                    keys = ", ".join(sorted(k for k in data.keys() | known.keys() if data.get(k) != known.get(k)))
                    self.problem(
                        group,
                        name,
                        text=f"has other data here than in {first} ({keys}). Give it once, and nothing elsewhere.",
                    )


def _data_problem(key: str, value: Any) -> str | None:
    """What is wrong with a key that pyinfra itself reads, or with a password; settings are checked elsewhere."""
    secret = "password" in key.lower() and not key.endswith("_file")  # where one lies is no secret
    found = "a value that is not shown" if secret else _shown(value)
    if key == "ssh_port" and not (type(value) is int and 1 <= value <= 65535):
        return f"{key} is {found}, expected a number from 1 to 65535. Correct it, or leave it out for 22."
    if expected := _KNOWN.get(key):
        fits = type(value) is expected or (expected is float and type(value) is int) or expected not in _WORDS
        return None if fits else f"{key} is {found}, expected {_WORDS[expected]}. Correct it, or leave it out."
    if key.startswith(("ssh_", "_")):
        close = difflib.get_close_matches(key, _KNOWN, n=1)
        return f"{key}: pyinfra has no such key{f'; {close[0]} is one' if close else ''}. Correct it, or remove it."
    if secret:
        return (
            f"{key}: a password does not belong in this file. Put it in a source of secrets (the environment, .env or "
            f'secrets_command) and write {key} = Secret("{key.upper()}") in group_data. A new one: {NEW}'
        )
    return None


# key → type, as pyinfra itself declares its SSH data and global arguments
_KNOWN: Mapping[str, Any] = {
    **get_type_hints(ConnectorData),
    **{key: hint for key, hint in get_type_hints(AllArguments).items() if key.startswith("_")},
}
_WORDS: Mapping[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "a mapping",
}  # fmt: skip


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return json.dumps(value, ensure_ascii=False, default=str)


def _duplicates(node: Any, where: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    """Keys that a mapping of the document holds twice. A node that an alias repeats is looked at once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _duplicates(item, where, seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name and name != "<<" and name in lines:
                yield ": ".join(
                    [
                        *where,
                        f"{name} is there twice, on lines {lines[name]} and {key.start_mark.line + 1}. Remove one.",
                    ]
                )
            lines.setdefault(name, key.start_mark.line + 1)
            yield from _duplicates(value, (*where, name) if name else where, seen)
