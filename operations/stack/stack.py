"""The stack as it is wanted on one host: settings, catalogue and secrets brought together. Nothing here knows a host."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from . import acl, graph
from .catalogue import Service, catalogue, client, template_names
from .env_file import EnvValueError, line
from .errors import SettingsError
from .probes import Probe
from .settings import Settings

BASE = "compose.yml"
APPLIED = ".fleet/applied.json"
FRAGMENTS = ".fleet/fragments"
OWN_ENVIRONMENT = "compose.d/.environment.yml"  # made on the host from the project's own files: see scripts/project/write.sh
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


@dataclass(frozen=True)
class Folder:
    """A folder with its mode (octal) and its owner (uid:gid or "-"); what is in it is somebody else's."""

    path: str
    mode: str
    owner: str = "-"


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
    resting: tuple[str, ...] = ()
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
        clients = {name: client(name, *pair) for name, files in settings.redis_clients.items() for pair in files.items()}
        services = (*(entries[name] for name in settings.services), *clients.values())
        values = {**added, **{k: data[k] for k in added if k in data}, **settings.values()}
        values |= {"redis_command": acl.redis_command(settings), "redis_args": acl.redis_args(settings)}
        values |= {"redis_at": redis_address or "redis:6379", "STACK_ROOT": _root(settings)}
        builder = _Builder(values, dict(secrets))
        stack = cls(
            settings=settings,
            services=services,
            dotenv=builder.dotenv(services),
            env_files=builder.env_files([s for s in services if s.env or s.env_from or s.reads_env]),
            probes=tuple(builder.probe(s.name, p) for s in services for p in s.probes),
            given=frozenset(service.name for service in services) | {name for name, value in values.items() if value},
            resting=tuple(name for name, service in entries.items() if service.rests_during_changes),
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
        env = {service.env_path for service in services}
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
        return self.has_redis or self.own_redis or self.settings.redis_host is not None

    def path(self, inside: str) -> str:
        """The absolute path of one below the stack's folder, as Docker writes it."""
        return posixpath.normpath(posixpath.join(self.settings.stack_dir, inside))

    @property
    def project_dir(self) -> str:
        """The folder of the Compose project: that of its first file."""
        return self.path(posixpath.dirname(self.settings.compose_files[0]))

    def clients(self) -> tuple[str, ...]:
        """The services that get the password in their env file."""
        paths = {file.path for file in self.env_files if any((self.password or "-") in line for line in file.lines.values())}
        return tuple(service.name for service in self.services if service.env_path in paths)

    @property
    def own_redis(self) -> bool:
        """Whether the project's own redis is left as the project defines it, with its password in a file of a Compose secret."""
        return self.settings.redis_password_file is not None

    @property
    def password_file(self) -> str:
        """The file that redis' password is read from, relative to the stack's folder."""
        return self.settings.redis_password_file or acl.PASSWORD_PATH

    @property
    def redis_user(self) -> str:
        """Who logs in to redis to look at it, and to change what it accepts."""
        return self.settings.redis_user if self.own_redis else "default"

    @property
    def password_hash(self) -> str:
        """SHA-256 of the password: what redis' ACL file holds, and what a host may show."""
        return hashlib.sha256((self.password or "").encode()).hexdigest()

    def base(self) -> tuple[File, ...]:
        """The base file, written only where there is none; the project's own files are never written."""
        return (File(BASE, "0644", _MINIMAL_BASE),) if self.settings.compose_files == (BASE,) else ()

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
        if self.own_redis:
            # without a line break, which a reader might take for a part of it
            return (File(self.password_file, "keep0600", self.password or ""),)
        owner = acl.redis_owner(self.settings) if self.has_redis else "-"
        password = File(acl.PASSWORD_PATH, "0600", f"{self.password}\n", owner)
        if not self.has_redis:
            return (password,)
        return (File(acl.ACL_PATH, "0600", acl.acl_file(hashes or (self.password_hash,)), owner), password)

    def folders(self) -> tuple[Folder, ...]:
        """Folders that belong to a service's own user. Docker would make them for everybody to read."""
        return (Folder("data/redis", "0700", acl.redis_owner(self.settings)),) if self.has_redis else ()

    def managed_paths(self) -> tuple[str, ...]:
        """Every path that a snapshot must tell about."""
        fragments = [fragment_path(s.name) for s in self.services]
        env = [f.path for f in self.env_files]
        made = (".env", FRAGMENTS, OWN_ENVIRONMENT)
        return (
            *self.settings.compose_files,
            *made,
            *fragments,
            *env,
            *(f.path for f in self.secret_files()),
            *(f.path for f in self.folders()),
        )

    def compose_files(self) -> tuple[str, ...]:
        """The Compose files that somebody wrote."""
        return tuple(path for path in self.inputs() if path not in (".env", OWN_ENVIRONMENT))

    def inputs(self) -> tuple[str, ...]:
        """The files that Compose reads the definitions from."""
        return (*self.settings.compose_files, ".env", *(fragment_path(s.name) for s in self.services), OWN_ENVIRONMENT)


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
        compose_file = ":".join([*self.values["compose_files"], *(fragment_path(s.name) for s in services), OWN_ENVIRONMENT])
        lines = {
            "COMPOSE_FILE": line("COMPOSE_FILE", compose_file),
            "COMPOSE_PATH_SEPARATOR": line("COMPOSE_PATH_SEPARATOR", ":"),
            "COMPOSE_PROJECT_NAME": line("COMPOSE_PROJECT_NAME", self.values["stack_name"]),
            "STACK_ROOT": line("STACK_ROOT", self.values["STACK_ROOT"]),
        }
        for service in services:
            for key, template in service.variables.items():
                where = f"{service.name}: x-fleet: variables: {key}"
                secrets = self.secret_names | ({"password", "url"} - self.values.keys())
                told = sorted(template_names(template) & secrets)
                self.problems += [f"{where}: {name} is a secret and would land in .env. Put it under `env`." for name in told]
                if told:
                    continue
                if template[1:-1].endswith("_image") and self.values.get(template[1:-1], "") is None:
                    continue  # the image stays as the project's own file has it, and so does a variable that names it there
                rendered = self.line(where, key, template)
                if lines.setdefault(key, rendered) != rendered:
                    self.problems.append(f"{where}: another service gives the variable another value. Rename one.")
        return EnvFile(".env", "keep0644", lines)

    def env_files(self, services: Sequence[Service]) -> tuple[EnvFile, ...]:
        """One for each path, which several services may share."""
        files: dict[str, EnvFile] = {}
        for service in services:
            file = self.env_file(service)
            before = files.get(file.path, file).lines
            for key in sorted(before.keys() & file.lines.keys()):
                if before[key] != file.lines[key]:
                    self.problems.append(f"{service.name}: {file.path}: another service gives {key} another value there.")
            files[file.path] = replace(file, lines={**before, **file.lines})
        return tuple(files.values())

    def env_file(self, service: Service) -> EnvFile:
        where = f"redis_clients: {service.name}" if service.file else f"{service.name}: x-fleet: env"
        # another file's setting of one of these names is none of this one's business
        login = {name: value for name, value in self.login(service.name).items() if name not in service.settings}
        secrets = {**self.secrets, **login}
        for name in sorted(login.keys() & self.secrets.keys()):
            if any(f"{{{name}}}" in template for template in service.env.values()):
                self.problems.append(
                    f"{where}: {{{name}}} is redis' here, and a secret of yours is called so too. Rename the secret."
                )
        lines = {key: self.line(f"{where}: {key}", key, template, secrets) for key, template in service.env.items()}
        for key, value in self.further(service).items():
            if key in lines:
                self.problems.append(f"{service.env_from}: {key} is managed by the catalogue. Remove it.")
            lines[key] = self.quoted(f"{service.env_from}: {key}", key, value)
        return EnvFile(service.env_path, "0600", lines)

    def login(self, service: str) -> dict[str, str]:
        """What a service needs to log in to redis, by the short names that its templates may use."""
        at = self.values["redis_at"]
        host, _, port = at.rpartition(":")
        password, db = self.secrets.get("redis_password", ""), str(self.values["redis_dbs"].get(service, 0))
        # an IPv6 address stands in brackets before a port alone
        return {"password": password, "url": f"redis://:{password}@{at}/{db}", "host": host.strip("[]"), "port": port, "db": db}

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

    def line(self, where: str, key: str, template: str, secrets: Mapping[str, str] | None = None) -> str:
        return self.quoted(where, key, self.text(where, template, self.secrets if secrets is None else secrets))

    def quoted(self, where: str, key: str, value: str) -> str:
        try:
            return line(key, value)
        except EnvValueError as error:
            self.problems.append(f"{where}: {error}")
            return ""

    def text(self, where: str, template: str, secrets: Mapping[str, str] | None = None) -> str:
        try:
            names = template_names(template)
        except ValueError as error:  # only in redis_clients: what is wrong in the catalogue is found when it is read
            self.problems.append(f"{where}: {template!r}: {error}. Write a literal brace as {{{{ or }}}}.")
            return ""
        known = {n: _plain(self.values[n]) for n in names & self.values.keys()} | dict(secrets or {})
        for name in sorted(names - known.keys()):
            self.problems.append(f"{where}: there is no setting {name!r}. Correct it, or declare it under x-fleet: settings.")
            known[name] = ""
        return template.format_map(known)


def _root(settings: Settings) -> str:
    """The way from Compose's project folder, which is that of its first file, to the stack's folder."""
    return posixpath.relpath(".", posixpath.dirname(settings.compose_files[0]) or ".")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
