"""A stack from its description: settings, catalogue and secrets brought together. All that is wrong is found here, at once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import graph, registry
from .catalogue import catalogue, folders_of
from .certificate import Certificate
from .env_file import line
from .errors import SettingsError
from .files import EnvFile
from .service import Service, client, setting_of
from .settings import Settings, declared
from .stack import BASE, OVERLAY, Stack, fragment_path
from .templates import Templates


def build(
    data: Mapping[str, Any],
    secrets: Mapping[str, str],
    at: Mapping[str, str] | None = None,
    files: tuple[str, ...] = (),
    ahead: Mapping[str, str] | None = None,
    certificates: Mapping[str, Certificate] | None = None,
) -> Stack:
    """The stack that `data` describes.

    + data: name → value, a host's pyinfra data
    + secrets: the names in `data` that hold secrets → their values; "" where one was not found
    + at: credential → host:port of another host's server, where a setting names one
    + files: the project's own Compose files, where no setting names them
    + ahead: service → the host whose replica of it goes first
    + certificates: credential → what its server proves itself with, where it speaks TLS

    Raises SettingsError or CatalogueError with every problem at once.
    """
    entries = catalogue(folders_of(data))
    settings = Settings.parse(data, declared(entries))
    unknown = [
        f"services: {name!r} is not in the catalogue ({', '.join(sorted(entries))}). Correct it, or name the folder "
        "that holds its file in catalog_dirs."
        for name in settings.services
        if name not in entries
    ]
    if unknown:
        raise SettingsError(unknown)
    clients = {name: client(name, *pair) for name, files in settings.clients.items() for pair in files.items()}
    named = (*(entries[name] for name in settings.services), *clients.values())
    values = settings.values()
    for extra in registry.extras():
        values |= extra.values(settings)
    for service in (one for one in entries.values() if one.state):
        shared, first = service.state in (at or {}), service.name not in (ahead or {})
        values |= {setting_of(service.name, "shared"): shared, setting_of(service.name, "first"): first}
    files = settings.compose_files or files or (BASE,)
    given = frozenset(service.name for service in named) | {name for name, value in values.items() if value} | secrets.keys()
    names = {name: called for name in settings.services if (called := settings.of(name, "service"))}
    services = tuple(service.standing(given).renamed(names) for service in named)
    every = [one.standing(given) for one in entries.values()]
    credentials = tuple(_credentials(every, settings, secrets, at or {}, certificates or {}))
    values["STACK_ROOT"] = _root(files)
    provided = {name: provided for one in entries.values() for name, provided in one.provides.items()}
    templates = Templates(values, dict(secrets), credentials, provided)
    stack = Stack(
        settings=settings,
        files=files,
        services=services,
        dotenv=_dotenv(settings.stack_name, files, services),
        variables={service.name: templates.variables(service) for service in services},
        env_files=templates.env_files([s for s in services if s.env or s.env_from or s.reads_env]),
        probes=tuple(templates.probe(s.name, p) for s in services for p in s.probes),
        given=given,
        credentials=credentials,
        resting=tuple(name for name, service in entries.items() if service.rests_during_changes),
        ahead=tuple(dict.fromkeys((ahead or {}).values())),
        registries={
            name: (str(login["user"]), secrets[registry_secret(name)])
            for name, login in settings.registries.items()
            if registry_secret(name) in secrets
        },
        secrets=tuple(filter(None, secrets.values())),
    )
    problems = graph.problems({s.name: s.needs for s in services}) + templates.problems
    problems += [problem for one in credentials for problem in one.wrong(stack)]
    if not (services or credentials):
        problems.append("services: the list is empty. Name at least one service of the catalogue.")
    problems += [
        f"{service.name}: `#? {name}`: no setting and no service has that name, so the line never stands. Correct it."
        for service in named
        for name in sorted(service.conditions - values.keys() - entries.keys() - {one.secret for one in provided.values()})
    ]
    if problems:
        raise SettingsError(problems)
    return stack


def registry_secret(name: str) -> str:
    """What the password of a registry is called among the secrets of a stack."""
    return f"registries: {name}: password"


def _credentials(
    entries: Sequence[Service],
    settings: Settings,
    secrets: Mapping[str, str],
    at: Mapping[str, str],
    certificates: Mapping[str, Certificate],
) -> Iterator[Any]:
    """Those whose server is one of the services, another host's, or the project's own; one that no server takes, where it is
    given."""
    for service in entries:
        for name, provided in service.provides.items():
            kind, local = registry.kinds()[provided.kind], service.name in settings.services
            if local or (kind.in_use(settings, service.name) if kind.served else provided.secret in secrets):
                further = {one: secrets.get(one) for one in kind.further_secrets(provided, service.name, settings.all())}
                known = (secrets.get(provided.secret), at.get(name), further, certificates.get(name))
                yield kind(name, provided, service.name, settings, local, *known)


def _root(files: Sequence[str]) -> str:
    """The way from Compose's project folder, which is that of its first file, to the stack's folder."""
    return posixpath.relpath(".", posixpath.dirname(files[0]) or ".")


def _dotenv(project: str, files: Sequence[str], services: Sequence[Service]) -> EnvFile:
    """Where Compose looks."""
    values = {
        "COMPOSE_FILE": ":".join([*files, *(fragment_path(s.name) for s in services), OVERLAY]),
        "COMPOSE_PATH_SEPARATOR": ":",
        "COMPOSE_PROJECT_NAME": project,
    }
    return EnvFile(".env", "keep0644", {key: line(key, value) for key, value in values.items()})
