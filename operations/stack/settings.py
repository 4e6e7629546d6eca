"""The settings of a stack: their names, types and defaults, and every rule that can be checked without a host.

`group_data/all.py` shows the same names to the operator; a test holds the two together.
"""

from __future__ import annotations

import difflib
import ipaddress
import itertools
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Literal

from . import registry
from .catalogue import catalogue
from .errors import SettingsError
from .service import Service, setting_of
from .waves import SHARE

Pull = Literal["missing", "never", "always", "copy"]
Retire = Literal["verified", "when_unused", "always"]

SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_DURATION = re.compile(r"(\d+(ms|s|m|h))+")
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?")
_INSIDE = re.compile(r"[\w.@+][\w.@+/-]*")


@dataclass(frozen=True)
class Settings:
    """Every setting that the library itself knows. Names, types and defaults as in `group_data/all.py`."""

    stack_dir: str = "/opt/erni-ki"
    stack_name: str = "erni-ki"
    services: tuple[str, ...] = field(default_factory=lambda: registry.services().DEFAULT)
    catalog_dirs: tuple[str, ...] = ()
    compose_files: tuple[str, ...] = ()
    clients: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    adopt_changes: tuple[str, ...] = ()
    pull: Pull = "missing"
    pin: bool = True
    images_lock: str = "images.lock"
    registries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bind_address: str = "127.0.0.1"
    secrets_file: str | None = None
    secrets_command: str | None = None
    tls_dir: str = "tls"
    health_start_interval: str = "2s"
    rollout_waves: tuple[str, ...] = ("1", "25%", "100%")
    max_failures: int = 0
    unreachable_counts: bool = False
    rollback_on_failure: bool = True
    retire: Retire = "verified"
    lock_ttl: int = 3600
    break_lock: bool = False
    start_timeout: int = 300
    settle_timeout: int = 75
    skip_checks: tuple[str, ...] = ()
    strict: bool = False
    log_window: int = 300
    log_allow: tuple[str, ...] = ()
    clock_tolerance: int = 10
    clock_limit: int = 300
    disk_min_free: int = 500
    disk_limit: int = 100
    docker_packages: tuple[str, ...] = ("docker.io", "docker-cli")
    compose_packages: tuple[str, ...] = ("docker-compose-v2", "docker-compose-plugin", "docker-compose")
    docker_apt_source: str | None = None
    backup_keep: int = 10
    report_dir: str = "reports"
    report_keep: int = 50
    report_url: str | None = None
    notify: tuple[str, ...] = ()
    notify_always: bool = False
    more: Mapping[str, Any] = field(default_factory=lambda: declared(catalogue()))

    @classmethod
    def parse(cls, data: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> Settings:
        """The settings in `data` (a host's pyinfra data), with defaults for the others.

        + data: name → value; names that are no setting (connector data such as `ssh_port`) are left alone
        + more: the settings that catalogue files declare, with their defaults; those of this package when left out

        Raises SettingsError with every problem at once.
        """
        more = declared(catalogue()) if more is None else more
        known = {f.name for f in fields(cls)} - {"more"}
        values = {name: _plain(data[name]) for name in known if name in data}
        added = {name: _plain(data[name]) for name in more if name in data}
        problems = list(_misspelt(data, known | more.keys() | secrets(catalogue())))
        hints = _hints()
        problems += [p for name, value in values.items() if (p := _type_problem(name, value, hints[name]))]
        problems += [p for name, value in added.items() if (p := _type_problem(name, value, _hint(name, more[name])))]
        if problems:
            raise SettingsError(problems)
        settings = cls(**values, more={**more, **added})
        if problems := list(settings._rule_problems()):
            raise SettingsError(problems)
        return settings

    def __getattr__(self, name: str) -> Any:
        """A setting that a catalogue file declares."""
        try:
            return vars(self)["more"][name]
        except KeyError:
            raise AttributeError(name) from None

    def of(self, service: str, name: str) -> Any:
        """A setting of a service, such as its `host`; None where its file declares none of that name."""
        return self.more.get(setting_of(service, name))

    def _rule_problems(self) -> Iterator[str]:
        yield from _path_problems("stack_dir", self.stack_dir)
        if not SERVICE_NAME.fullmatch(self.stack_name):
            yield (f"stack_name: {self.stack_name!r} is no Compose project name. Use lower-case letters, digits, - and _.")
        for path in self.compose_files:
            yield from inside_problems("compose_files", path)
        yield from self._client_problems()
        yield from self._registry_problems()
        for name in self.services:
            if not SERVICE_NAME.fullmatch(name):
                yield f"services: {name!r} is no service name. Use lower-case letters, digits, - and _."
        for name in sorted({n for n in self.services if self.services.count(n) > 1}):
            yield f"services: {name!r} is listed more than once. Remove all but one."
        if not is_address(self.bind_address):
            yield f"bind_address: {self.bind_address!r} is no IP address. Expected one such as 127.0.0.1 or 0.0.0.0."
        for share in self.rollout_waves:
            if not SHARE.fullmatch(share):
                yield f'rollout_waves: {share!r} is neither a count such as "1" nor a share such as "25%".'
        for name, value in self.all().items():
            yield from _named_rule(name, value)
        yield from self._port_problems()
        for extra in registry.extras():
            yield from extra.problems(self)

    def _port_problems(self) -> Iterator[str]:
        """Ports of one address that are published twice."""
        taken, here = {}, tuple(setting_of(service, "") for service in self.services)
        for name in (name for name in self.more if name.startswith(here)):
            # a service with an address of its own is in nobody's way, and one without is not published at all
            publish = f"{max(filter(name.startswith, here), key=len)}publish"
            alone = publish in self.more and self.more[publish] != self.bind_address and self.bind_address not in ("0.0.0.0", "::")
            if name.endswith("_port") and not (publish in self.more and (not self.more[publish] or alone)):
                taken[name] = self.more[name]
        for one, other in itertools.combinations(taken, 2):
            if taken[one] == taken[other]:
                yield f"{one}, {other}: both are {taken[one]}. Give each a port of its own."

    def _client_problems(self) -> Iterator[str]:
        for service, files in self.clients.items():
            where = f"clients: {service}"
            if not SERVICE_NAME.fullmatch(service):
                yield f"{where}: is no service name. Use lower-case letters, digits, - and _."
            if service in self.services:
                yield f"{where}: is in `services` as well. Name it in one of them."
            if len(files) != 1:
                yield f"{where}: names {len(files)} env files, expected one, with its keys."
            for path in files:
                yield from inside_problems(where, path)

    def _registry_problems(self) -> Iterator[str]:
        for name, login in self.registries.items():
            if not _REGISTRY.fullmatch(name):
                yield f"registries: {name!r} is no registry. Expected a host, with a port where it has one, such as ghcr.io."
            if (
                set(login) != {"user", "password"}
                or not isinstance(login["user"], str)
                or not login["user"]
                or ":" in login["user"]
            ):
                yield f'registries: {name}: expected {{"user": …, "password": Secret("…")}}.'

    @property
    def probe_address(self) -> str:
        """Where the host itself reaches a published port."""
        address = ipaddress.ip_address(self.bind_address)
        if address.is_unspecified:
            address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
        return before_port(str(address))

    def all(self) -> dict[str, Any]:
        """Name → value of every setting."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "more"} | dict(self.more)

    def values(self) -> dict[str, Any]:
        """Name → value, as templates of the catalogue see them: addresses as they stand before a port."""
        values = self.all() | {"probe_address": self.probe_address}
        addresses = ("bind_address", *(name for name in self.more if name.endswith("_publish")))
        return values | {name: before_port(values[name]) for name in addresses if values[name]}


def declared(services: Mapping[str, Service]) -> dict[str, Any]:
    """The settings that these catalogue files declare, with their defaults."""
    return {name: _plain(default) for service in services.values() for name, default in service.settings.items()}


def secrets(services: Mapping[str, Service]) -> frozenset[str]:
    """The names of the secrets that their credentials want."""
    return frozenset(provided.secret for service in services.values() for provided in service.provides.values())


def before_port(address: str) -> str:
    """An IP address as it stands before a colon and a port."""
    return f"[{address}]" if ":" in address else address


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _misspelt(data: Mapping[str, Any], known: typing.AbstractSet[str]) -> Iterator[str]:
    for name in data:
        if name in known or name.startswith(("ssh_", "_")):
            continue
        if close := _close(name, frozenset(known)):
            yield f"{name}: there is no such setting; {close} is one. Correct the name, or remove it."


@cache  # every host of a fleet has the same names
def _close(name: str, known: frozenset[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.88)), None)


@cache  # evaluating the annotations takes more than all other rules together
def _hints() -> dict[str, Any]:
    return typing.get_type_hints(Settings)


def _hint(name: str, default: Any) -> Any:
    """What a declared setting may be, told from its default; an image may always be left to the project's own file."""
    if default is None:
        return str | None
    if isinstance(default, Mapping):
        return Mapping[str, Any]
    if isinstance(default, tuple):
        return tuple[str, ...]
    return str | None if name.endswith("_image") else type(default)


def _type_problem(name: str, value: Any, hint: Any) -> str | None:
    if _fits(value, hint):
        return None
    quotes = (
        " YAML takes a bare on or off for True or False: put it in quotes." if isinstance(value, bool) and _fits("", hint) else ""
    )
    return f"{name}: is {_shown(value)}, expected {_described(hint)}.{quotes}"


def inside_problems(name: str, path: str) -> Iterator[str]:
    """A path that must lie in the stack's folder: one plain word for sh, awk, YAML and COMPOSE_FILE, spelt in one way only."""
    pure = PurePosixPath(path)
    if not _INSIDE.fullmatch(path) or ".." in pure.parts or not pure.name or str(pure) != path:
        yield f"{name}: {path!r} is no path in the stack's folder. Expected one such as compose/base.yml."
    elif pure.parts[0] in (".env", ".fleet", "compose.d"):
        yield f"{name}: {path!r} is one that this library writes itself. Name another."


def _fits(value: Any, hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(v, args[0]) for v in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(k, args[0]) and _fits(v, args[1]) for k, v in value.items())
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint is Any or isinstance(value, hint)


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float | bool | None):
        return repr(value)
    return f"a {type(value).__name__}"


def described(name: str, default: Any) -> str:
    """What a setting may be, in words."""
    return _described(_hints()[name] if name in _hints() else _hint(name, default))


def _described(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_described(arg) for arg in args)
    if origin is Literal:
        return "one of " + ", ".join(f'"{arg}"' for arg in args)
    if origin is tuple:
        return "a list of text"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping of {_described(args[0])} to {_described(args[1])}"
    words = {str: "text", int: "a whole number", bool: "True or False", type(None): "None", Any: "any value"}
    return words.get(hint, str(hint))


def _path_problems(name: str, path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield f"{name}: {path!r} is not an absolute path. Expected one such as /opt/erni-ki."
    elif ".." in PurePosixPath(path).parts or len(PurePosixPath(path).parts) < 2:
        yield f"{name}: {path!r} must be a folder of its own, below / and without '..'."
    if any(ord(c) < 32 or ord(c) == 127 for c in path):
        yield f"{name}: {path!r} holds a control character. Remove it."
    if ":" in path:
        yield f"{name}: {path!r} holds a colon, at which Docker would end the path of a volume. Choose another folder."


def _named_rule(name: str, value: Any) -> Iterator[str]:
    """The rules that hold for all settings whose name ends alike."""
    if name.endswith("_port") and not 1 <= value <= 65535:
        yield f"{name}: is {value}, expected a number from 1 to 65535."
    elif name in ("max_failures", "log_window", "clock_tolerance", "clock_limit", "disk_min_free", "disk_limit") and value < 0:
        yield f"{name}: is {value}, expected 0 or more."
    elif name.endswith(("_retries", "_keep", "_timeout", "_ttl")) and isinstance(value, int) and value < 1:
        yield f"{name}: is {value}, expected at least 1."
    elif name.endswith(("_interval", "_start_period", "_health_timeout")) and not _DURATION.fullmatch(value):
        yield f"{name}: {value!r} is no duration. Expected one such as 30s, 1m30s or 500ms."
    elif name.endswith("_service") and value is not None and not SERVICE_NAME.fullmatch(value):
        yield f"{name}: {value!r} is no service name. Use lower-case letters, digits, - and _."
    elif name.endswith("_image") and value is not None and (not value or re.search(r"[\s$]", value)):
        yield f"{name}: {value!r} is no image name. Expected one such as ghcr.io/example/app:latest."
