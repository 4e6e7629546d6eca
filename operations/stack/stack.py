"""The stack as it is wanted on one host: settings, catalogue and secrets brought together. Nothing here knows a host."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from . import acl, graph
from .catalogue import Service, catalogue, template_names
from .env_file import EnvValueError, line
from .errors import SettingsError
from .probes import Probe
from .settings import Settings

BASE = "compose.yml"
APPLIED = ".fleet/applied.json"
FRAGMENTS = ".fleet/fragments"
_MINIMAL_BASE = """\
# The base file of this Compose project. What you add here is kept; the services of compose.d are merged over it.
services: {}
"""


@dataclass(frozen=True)
class File:
    """A file that is written as a whole. `mode`: octal, or keep<octal> to keep an existing file's; `owner`: uid:gid or "-"."""

    path: str
    mode: str
    content: str = field(repr=False)
    owner: str = "-"

    @cached_property  # of hosts that share a stack, each asks for it
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class EnvFile:
    """An env file in which some keys are managed: key → the whole line."""

    path: str
    mode: str
    lines: Mapping[str, str] = field(repr=False)

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """Managed key → SHA-256 of its line."""
        return {key: hashlib.sha256(line.encode()).hexdigest() for key, line in self.lines.items()}

    @cached_property
    def records(self) -> str:
        """All of them as `scripts/env_seen.sh` finds them on a host where they are as wanted."""
        return "".join([f"{self.path}\n", *(f"{key}\t1\t{line}\n" for key, line in self.lines.items())])


ManagedFile = File | EnvFile


@dataclass(frozen=True)
class Stack:
    """Everything that a host should have. Build it with `Stack.build`."""

    settings: Settings
    services: tuple[Service, ...]
    dotenv: EnvFile
    env_files: tuple[EnvFile, ...]
    probes: tuple[Probe, ...]
    given: frozenset[str] = frozenset()
    redis_address: str | None = None
    password: str | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def build(cls, data: Mapping[str, Any], secrets: Mapping[str, str], redis_address: str | None = None) -> Stack:
        """The stack that `data` describes.

        + data: name → value, a host's pyinfra data
        + secrets: the names in `data` that hold secrets → their values
        + redis_address: host:port of another host's redis, where `redis_host` names one

        Raises SettingsError or CatalogueError with every problem at once.
        """
        dirs = data.get("catalog_dirs") or ()
        # one that is no list of text is a problem among the settings, below
        listed = isinstance(dirs, list | tuple) and all(isinstance(folder, str) for folder in dirs)
        entries = catalogue(tuple(dirs) if listed else ())
        added = {name: default for service in entries.values() for name, default in service.settings.items()}
        settings = Settings.parse(data, extra=frozenset(added))
        unknown = [
            f"services: {name!r} is not in the catalogue ({', '.join(sorted(entries))}). Correct it, or name the folder "
            "that holds its file in catalog_dirs."
            for name in settings.services
            if name not in entries
        ]
        if unknown:
            raise SettingsError(unknown)
        services = tuple(entries[name] for name in settings.services)
        values = {**added, **{k: data[k] for k in added if k in data}, **settings.values()}
        values |= {"redis_command": acl.redis_command(settings), "redis_args": acl.redis_args(settings)}
        values |= {"redis_at": redis_address or "redis:6379"}
        builder = _Builder(values, dict(secrets))
        stack = cls(
            settings=settings,
            services=services,
            dotenv=builder.dotenv(services),
            env_files=tuple(builder.env_file(s) for s in services if s.env or s.env_from or s.reads_env),
            probes=tuple(builder.probe(s.name, p) for s in services for p in s.probes),
            given=frozenset(settings.services) | {name for name, value in values.items() if value},
            redis_address=redis_address,
            password=secrets.get("redis_password"),
            secrets=tuple(secrets.values()),
        )
        problems = graph.problems({s.name: s.needs for s in services}) + builder.problems
        problems += [
            f"{service.name}: `#? {name}`: no setting and no service has that name, so the line never stands. Correct it."
            for service in services
            for name in sorted(service.conditions - values.keys() - entries.keys())
        ]
        if problems:
            raise SettingsError(problems)
        return stack

    def only(self, names: Collection[str]) -> Stack:
        """The part of the stack that the services with these names make up."""
        services = tuple(service for service in self.services if service.name in names)
        env = {f"env/{service.name}.env" for service in services}
        return replace(
            self,
            services=services,
            env_files=tuple(file for file in self.env_files if file.path in env),
            probes=tuple(probe for probe in self.probes if probe.service in names),
        )

    @property
    def has_redis(self) -> bool:
        return self.has("redis")

    def has(self, service: str) -> bool:
        """Whether the service runs on this host."""
        return any(one.name == service for one in self.services)

    @property
    def uses_redis(self) -> bool:
        """Whether its services log in to a redis: its own, or that of `redis_host`."""
        return self.has_redis or self.settings.redis_host is not None

    @property
    def password_hash(self) -> str:
        """SHA-256 of the password: what redis' ACL file holds, and what a host may show."""
        return hashlib.sha256((self.password or "").encode()).hexdigest()

    def base(self) -> File:
        """The base file, written only where there is none."""
        return File(BASE, "0644", _MINIMAL_BASE)

    def fragments(self, start_interval: bool) -> tuple[File, ...]:
        """The fragments for an engine that knows `start_interval`, or does not."""
        return self._new_fragments if start_interval else self._old_fragments

    @cached_property
    def _new_fragments(self) -> tuple[File, ...]:
        return tuple(File(fragment_path(s.name), "0644", s.fragment(True, self.given)) for s in self.services)

    @cached_property
    def _old_fragments(self) -> tuple[File, ...]:
        return tuple(File(fragment_path(s.name), "0644", s.fragment(False, self.given)) for s in self.services)

    def manifest(self) -> File:
        """The names of the fragments that are ours, so that only those are ever removed."""
        return File(FRAGMENTS, "0600", "".join(f"{service.name}\n" for service in self.services))

    def secret_files(self, hashes: Sequence[str] = ()) -> tuple[File, ...]:
        """redis' ACL file with these hashes, or the wanted one alone, and the password file beside it.

        Where another host's redis is used, only the password file, which the checks log in with.
        """
        if not self.uses_redis:
            return ()
        owner = acl.redis_owner(self.settings) if self.has_redis else "-"
        password = File(acl.PASSWORD_PATH, "0600", f"{self.password}\n", owner)
        if not self.has_redis:
            return (password,)
        return (File(acl.ACL_PATH, "0600", acl.acl_file(hashes or (self.password_hash,)), owner), password)

    def managed_paths(self) -> tuple[str, ...]:
        """Every path that a snapshot must tell about."""
        fragments = [fragment_path(s.name) for s in self.services]
        env = [f.path for f in self.env_files]
        return (BASE, ".env", FRAGMENTS, *fragments, *env, *(f.path for f in self.secret_files()))

    def compose_files(self) -> tuple[str, ...]:
        """The Compose files of the project."""
        return tuple(path for path in self.inputs() if path != ".env")

    def inputs(self) -> tuple[str, ...]:
        """The files that Compose reads the definitions from."""
        return (BASE, ".env", *(fragment_path(s.name) for s in self.services))


def fragment_path(service: str) -> str:
    """Where a service's fragment lies, relative to the stack's folder."""
    return f"compose.d/{service}.yml"


class _Builder:
    """Fills the catalogue's templates and collects what is wrong with them."""

    def __init__(self, values: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.values = values
        self.secrets = secrets
        self.secret_names = {"redis_password", *secrets}
        self.problems: list[str] = []

    def dotenv(self, services: Sequence[Service]) -> EnvFile:
        compose_file = ":".join([BASE, *(fragment_path(s.name) for s in services)])
        lines = {
            "COMPOSE_FILE": line("COMPOSE_FILE", compose_file),
            "COMPOSE_PATH_SEPARATOR": line("COMPOSE_PATH_SEPARATOR", ":"),
            "COMPOSE_PROJECT_NAME": line("COMPOSE_PROJECT_NAME", self.values["stack_name"]),
        }
        for service in services:
            for key, template in service.variables.items():
                where = f"{service.name}: x-fleet: variables: {key}"
                for name in sorted(template_names(template) & self.secret_names):
                    self.problems.append(f"{where}: {name} is a secret and would land in .env. Put it under `env`.")
                rendered = self.line(where, key, template)
                if lines.setdefault(key, rendered) != rendered:
                    self.problems.append(f"{where}: another service gives the variable another value. Rename one.")
        return EnvFile(".env", "keep0644", lines)

    def env_file(self, service: Service) -> EnvFile:
        where = f"{service.name}: x-fleet: env"
        lines = {key: self.line(f"{where}: {key}", key, template) for key, template in service.env.items()}
        for key, value in self.further(service).items():
            if key in lines:
                self.problems.append(f"{service.env_from}: {key} is managed by the catalogue. Remove it.")
            lines[key] = self.quoted(f"{service.env_from}: {key}", key, value)
        return EnvFile(f"env/{service.name}.env", "0600", lines)

    def further(self, service: Service) -> Mapping[str, str]:
        name = service.env_from
        if name is None:
            return {}
        if name not in self.values:
            self.problems.append(f"{service.name}: x-fleet: env_from: there is no setting {name!r}. Correct it.")
            return {}
        keys = self.values[name] or {}
        if not isinstance(keys, Mapping) or not all(isinstance(text, str) for pair in keys.items() for text in pair):
            self.problems.append(f"{name}: is a {type(keys).__name__}, expected a mapping of text to text.")
            return {}
        return keys

    def probe(self, service: str, probe: Probe) -> Probe:
        where = f"{service}: x-fleet: checks: {probe.id}"
        if probe.kind in ("command", "log"):
            return probe
        for name in sorted(frozenset().union(*map(template_names, probe.target)) & self.secret_names):
            self.problems.append(f"{where}: {name} is a secret and would be shown in the report. Take it out.")
        return replace(probe, target=tuple(self.text(where, word) for word in probe.target))

    def line(self, where: str, key: str, template: str) -> str:
        return self.quoted(where, key, self.text(where, template, self.secrets))

    def quoted(self, where: str, key: str, value: str) -> str:
        try:
            return line(key, value)
        except EnvValueError as error:
            self.problems.append(f"{where}: {error}")
            return ""

    def text(self, where: str, template: str, secrets: Mapping[str, str] | None = None) -> str:
        names = template_names(template)
        known = {n: _plain(self.values[n]) for n in names & self.values.keys()} | dict(secrets or {})
        for name in sorted(names - known.keys()):
            self.problems.append(f"{where}: there is no setting {name!r}. Correct it, or declare it under x-fleet: settings.")
            known[name] = ""
        return template.format_map(known)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
